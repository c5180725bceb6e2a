//! Pods that have to go on somebody's word.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use serde_json::{Value, json};

use crate::stage::{clone_set, play, version};

#[tokio::test]
async fn named_pods_go_whatever_holds_the_rest_and_the_names_leave_the_spec() -> Outcome {
    play("clone-named", async |stage| {
        let held = json!({ "partition": "100%", "paused": true });
        stage.apply(&clone_set(&App::new(2), &held)).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&clone_set(&App::new(2).version("v2"), &held)).await?;
        stage.settles(&[("v1", 2)]).await?;
        let named = first.names().swap_remove(0);
        stage.patch(&json!({ "scaleStrategy": { "podsToDelete": [named, "web-gone"] } })).await?;
        let what = "no names in the spec";
        let names = |set: &Value| set["spec"]["scaleStrategy"]["podsToDelete"].clone();
        stage.until(what, |sight| names(&sight.set).is_null()).await?;
        // The partition says what comes in its place.
        let end = stage.settles(&[("v1", 2)]).await?;
        ensure(!end.names().contains(&named), || end.to_string())
    })
    .await
}

#[tokio::test]
async fn a_label_replaces_a_pod_by_a_new_one_where_the_partition_allows() -> Outcome {
    play("clone-label", async |stage| {
        let paused = json!({ "paused": true });
        stage.apply(&clone_set(&App::new(2), &paused)).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&clone_set(&App::new(2).version("v2"), &paused)).await?;
        stage.settles(&[("v1", 2)]).await?;
        let pod = format!("pod/{}", first.names()[0]);
        let label = "apps.kruise.io/specified-delete=true";
        stage.kubectl.run(&["label", &pod, label]).await?;
        stage.settles(&[("v1", 1), ("v2", 1)]).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_pod_without_the_label_of_the_selector_is_let_go() -> Outcome {
    play("clone-release", async |stage| {
        stage.apply(&clone_set(&App::new(1), &json!({}))).await?;
        let first = stage.settles(&[("v1", 1)]).await?;
        let name = first.names().swap_remove(0);
        stage.kubectl.run(&["label", &format!("pod/{name}"), "--overwrite", "app=mine"]).await?;
        let both = stage.until("a second pod", |sight| sight.pods.len() == 2).await?;
        let is_free = |pod: &k8s_openapi::api::core::v1::Pod| {
            pod.metadata.name.as_deref() == Some(&name)
                && pod.metadata.owner_references.as_ref().is_none_or(Vec::is_empty)
        };
        ensure(both.pods.iter().any(is_free), || both.to_string())?;
        ensure(both.pods.iter().all(|pod| version(pod) == "v1"), || both.to_string())
    })
    .await
}
