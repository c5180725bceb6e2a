//! Updates in place: the same pod, its containers anew.

use e2e::app::{App, IMAGE};
use e2e::failure::{Outcome, ensure};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::stage::{Sight, clone_set, play};

/// An image of the node that runs without arguments and answers nobody.
const OTHER: &str = "sluice.test/pause:1";

/// A CloneSet without a probe: any image is ready when it runs.
fn bare(image: &str, version: &str, kind: &str) -> Value {
    let app = App::new(2).image(image).version(version);
    let strategy = json!({ "type": kind, "maxUnavailable": 1 });
    let mut set = clone_set(&app, &strategy);
    if let Some(container) = set["spec"]["template"]["spec"]["containers"][0].as_object_mut() {
        container.remove("readinessProbe");
    }
    set
}

fn restarts(pod: &Pod) -> i64 {
    json!(pod)["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or_default()
}

fn runs(sight: &Sight, image: &str) -> bool {
    sight.pods.iter().all(|pod| json!(pod)["spec"]["containers"][0]["image"] == image)
}

#[tokio::test]
async fn another_image_restarts_containers_in_the_same_pods() -> Outcome {
    play("clone-inplace", async |stage| {
        stage.apply(&bare(OTHER, "v1", "InPlaceIfPossible")).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&bare(IMAGE, "v1", "InPlaceIfPossible")).await?;
        let second = stage.until("the other image everywhere", |sight| {
            let restarted = sight.pods.iter().all(|pod| restarts(pod) == 1);
            sight.is_settled() && runs(sight, IMAGE) && restarted
        });
        let second = second.await?;
        ensure(second.names() == first.names(), || second.to_string())?;
        let moved = second.status("currentRevision") == second.status("updateRevision");
        ensure(moved, || second.to_string())?;
        let said = stage.has_event("SuccessfulUpdatePodInPlace").await?;
        ensure(said, || "no event".to_owned())
    })
    .await
}

#[tokio::test]
async fn the_label_is_new_before_the_container_is() -> Outcome {
    play("clone-label-first", async |stage| {
        stage.apply(&bare(IMAGE, "v1", "InPlaceIfPossible")).await?;
        stage.settles(&[("v1", 2)]).await?;
        stage.apply(&bare("sluice.test/absent:1", "v1", "InPlaceIfPossible")).await?;
        // The image does not exist: no pod ever comes back, and one counts as updated.
        let stuck = stage.until("one updated pod that is not available", |sight| {
            *sight.status("updatedReplicas") == 1 && *sight.status("availableReplicas") == 1
        });
        let stuck = stuck.await?;
        ensure(stuck.status("updatedAvailableReplicas").is_null(), || stuck.to_string())?;
        ensure(*stuck.status("updatedReadyReplicas") == 0, || stuck.to_string())
    })
    .await
}

#[tokio::test]
async fn what_cannot_change_in_place_is_recreated() -> Outcome {
    play("clone-if-possible", async |stage| {
        stage.apply(&bare(IMAGE, "v1", "InPlaceIfPossible")).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&bare(IMAGE, "v2", "InPlaceIfPossible")).await?;
        let second = stage.settles(&[("v2", 2)]).await?;
        let kept = second.names().iter().any(|name| first.names().contains(name));
        ensure(!kept, || second.to_string())
    })
    .await
}

#[tokio::test]
async fn in_place_only_does_nothing_else() -> Outcome {
    play("clone-only", async |stage| {
        stage.apply(&bare(IMAGE, "v1", "InPlaceOnly")).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&bare(IMAGE, "v2", "InPlaceOnly")).await?;
        let second = stage.until("a failed update", |sight| {
            sight.is_settled() && sight.set["status"]["conditions"][0]["type"] == "FailedUpdate"
        });
        let second = second.await?;
        ensure(second.names() == first.names(), || second.to_string())
    })
    .await
}
