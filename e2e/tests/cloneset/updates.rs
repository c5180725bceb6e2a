//! Creation, and updates by recreation.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use serde_json::json;

use crate::stage::{clone_set, play};

#[tokio::test]
async fn pods_have_the_names_labels_and_gate_that_kruise_gives() -> Outcome {
    play("clone-create", async |stage| {
        stage.apply(&clone_set(&App::new(2), &json!({}))).await?;
        let sight = stage.settles(&[("v1", 2)]).await?;
        let revision = sight.status("updateRevision").as_str().unwrap_or_default();
        let hash = revision.strip_prefix("web-").unwrap_or_default();
        for pod in &sight.pods {
            let pod = json!(pod);
            let label = |name: &str| pod["metadata"]["labels"][name].clone();
            let name = json!(format!(
                "web-{}",
                label("apps.kruise.io/cloneset-instance-id").as_str().unwrap_or_default()
            ));
            let gates = json!([{ "conditionType": "InPlaceUpdateReady" }]);
            let facts = [
                pod["metadata"]["name"] == name,
                label("controller-revision-hash") == revision,
                label("pod-template-hash") == hash,
                label("lifecycle.apps.kruise.io/state") == "Normal",
                pod["spec"]["readinessGates"] == gates,
                pod["metadata"]["ownerReferences"][0]["kind"] == "CloneSet",
            ];
            ensure(!facts.contains(&false), || format!("{facts:?} of {pod}"))?;
        }
        let defaults =
            json!({ "type": "ReCreate", "partition": 0, "maxUnavailable": "20%", "maxSurge": 0 });
        ensure(sight.set["spec"]["updateStrategy"] == defaults, || sight.set.to_string())?;
        ensure(*sight.status("labelSelector") == "app=web", || sight.to_string())?;
        ensure(stage.has_event("SuccessfulCreate").await?, || "no event".to_owned())
    })
    .await
}

#[tokio::test]
async fn an_update_recreates_pods_and_moves_the_current_revision() -> Outcome {
    play("clone-update", async |stage| {
        let strategy = json!({ "maxUnavailable": 2 });
        stage.apply(&clone_set(&App::new(4), &strategy)).await?;
        let first = stage.settles(&[("v1", 4)]).await?;
        stage.apply(&clone_set(&App::new(4).version("v2"), &strategy)).await?;
        let second = stage.settles(&[("v2", 4)]).await?;
        let moved = second.status("currentRevision") == second.status("updateRevision")
            && second.status("currentRevision") != first.status("currentRevision");
        ensure(moved, || second.to_string())?;
        let kept = second.names().iter().any(|name| first.names().contains(name));
        ensure(!kept, || "a pod has survived".to_owned())?;
        let said = stage.has_event("SuccessfulUpdatePodReCreate").await?;
        ensure(said, || "no event".to_owned())
    })
    .await
}

#[tokio::test]
async fn surge_comes_first_and_goes_last() -> Outcome {
    play("clone-surge", async |stage| {
        let strategy = json!({ "maxUnavailable": 0, "maxSurge": 1 });
        stage.apply(&clone_set(&App::new(2), &strategy)).await?;
        stage.settles(&[("v1", 2)]).await?;
        stage.apply(&clone_set(&App::new(2).version("v2"), &strategy)).await?;
        stage.until("a third pod", |sight| sight.pods.len() == 3).await?;
        stage.settles(&[("v2", 2)]).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_deadline_is_told() -> Outcome {
    play("clone-deadline", async |stage| {
        let app = App::new(1).deadline(3);
        stage.apply(&clone_set(&app, &json!({}))).await?;
        stage.settles(&[("v1", 1)]).await?;
        stage.apply(&clone_set(&app.version("v2").env("READY", "false"), &json!({}))).await?;
        let what = "ProgressDeadlineExceeded";
        let late =
            stage.until(what, |sight| sight.set["status"]["conditions"][0]["reason"] == what);
        late.await.map(drop)
    })
    .await
}
