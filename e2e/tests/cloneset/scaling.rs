//! The partition, and scaling while it holds pods back.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use serde_json::json;

use crate::stage::{clone_set, play};

#[tokio::test]
async fn a_percentage_keeps_its_ratio_at_every_scale() -> Outcome {
    play("clone-percent", async |stage| {
        let strategy = json!({ "partition": "50%", "maxUnavailable": "100%" });
        stage.apply(&clone_set(&App::new(4), &strategy)).await?;
        stage.settles(&[("v1", 4)]).await?;
        stage.apply(&clone_set(&App::new(4).version("v2"), &strategy)).await?;
        let half = stage.settles(&[("v1", 2), ("v2", 2)]).await?;
        ensure(*half.status("expectedUpdatedReplicas") == 2, || half.to_string())?;
        stage.scale(6).await?;
        stage.settles(&[("v1", 3), ("v2", 3)]).await?;
        stage.scale(2).await?;
        stage.settles(&[("v1", 1), ("v2", 1)]).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_number_keeps_its_old_pods_at_every_scale() -> Outcome {
    play("clone-number", async |stage| {
        let strategy = json!({ "partition": 2, "maxUnavailable": "100%" });
        stage.apply(&clone_set(&App::new(3), &strategy)).await?;
        stage.settles(&[("v1", 3)]).await?;
        stage.apply(&clone_set(&App::new(3).version("v2"), &strategy)).await?;
        stage.settles(&[("v1", 2), ("v2", 1)]).await?;
        stage.scale(5).await?;
        stage.settles(&[("v1", 2), ("v2", 3)]).await?;
        stage.scale(2).await?;
        stage.settles(&[("v1", 2)]).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_higher_partition_brings_no_pod_back() -> Outcome {
    play("clone-raise", async |stage| {
        let strategy = json!({ "partition": 1, "maxUnavailable": "100%" });
        stage.apply(&clone_set(&App::new(3), &strategy)).await?;
        stage.settles(&[("v1", 3)]).await?;
        stage.apply(&clone_set(&App::new(3).version("v2"), &strategy)).await?;
        let before = stage.settles(&[("v1", 1), ("v2", 2)]).await?;
        stage.patch(&json!({ "updateStrategy": { "partition": "100%" } })).await?;
        let after = stage.settles(&[("v1", 1), ("v2", 2)]).await?;
        ensure(after.names() == before.names(), || after.to_string())?;
        // Zero is left out.
        ensure(after.status("expectedUpdatedReplicas").is_null(), || after.to_string())
    })
    .await
}

#[tokio::test]
async fn a_pause_holds_old_pods_and_makes_new_ones_new() -> Outcome {
    play("clone-pause", async |stage| {
        let paused = json!({ "paused": true });
        stage.apply(&clone_set(&App::new(2), &paused)).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&clone_set(&App::new(2).version("v2"), &paused)).await?;
        let held = stage.settles(&[("v1", 2)]).await?;
        ensure(held.names() == first.names(), || held.to_string())?;
        stage.scale(3).await?;
        stage.settles(&[("v1", 2), ("v2", 1)]).await?;
        stage.patch(&json!({ "updateStrategy": { "paused": false } })).await?;
        stage.settles(&[("v2", 3)]).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn without_replicas_a_template_is_current_at_once() -> Outcome {
    play("clone-zero", async |stage| {
        let strategy = json!({ "partition": "100%" });
        stage.apply(&clone_set(&App::new(0), &strategy)).await?;
        let first = stage.settles(&[]).await?;
        stage.apply(&clone_set(&App::new(0).version("v2"), &strategy)).await?;
        let second = stage.settles(&[]).await?;
        ensure(
            second.status("currentRevision") == second.status("updateRevision")
                && second.status("currentRevision") != first.status("currentRevision"),
            || second.to_string(),
        )?;
        stage.scale(1).await?;
        stage.settles(&[("v2", 1)]).await.map(drop)
    })
    .await
}
