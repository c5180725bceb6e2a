//! Old templates that come back.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use serde_json::json;

use crate::stage::{clone_set, play};

#[tokio::test]
async fn an_old_template_gets_its_old_revision_and_wrong_pods_stay_while_held() -> Outcome {
    play("clone-rollback", async |stage| {
        let half = json!({ "partition": 1, "maxUnavailable": "100%" });
        stage.apply(&clone_set(&App::new(2), &half)).await?;
        let first = stage.settles(&[("v1", 2)]).await?;
        stage.apply(&clone_set(&App::new(2).version("v2"), &half)).await?;
        let mixed = stage.settles(&[("v1", 1), ("v2", 1)]).await?;
        let held = json!({ "partition": "100%", "maxUnavailable": "100%" });
        stage.apply(&clone_set(&App::new(2), &held)).await?;
        let back = stage.settles(&[("v1", 1), ("v2", 1)]).await?;
        ensure(back.names() == mixed.names(), || back.to_string())?;
        let revision = first.status("updateRevision");
        ensure(back.status("updateRevision") == revision, || back.to_string())?;
        let revisions = stage.revisions().await?;
        ensure(revisions.len() == 2, || format!("{revisions:?}"))?;
        stage.patch(&json!({ "updateStrategy": { "partition": null } })).await?;
        let end = stage.settles(&[("v1", 2)]).await?;
        ensure(end.set["spec"]["updateStrategy"]["partition"] == 0, || end.set.to_string())?;
        ensure(end.status("currentRevision") == revision, || end.to_string())
    })
    .await
}

#[tokio::test]
async fn old_revisions_go_beyond_the_limit() -> Outcome {
    play("clone-history", async |stage| {
        let free = json!({ "maxUnavailable": "100%" });
        for version in ["v1", "v2", "v3"] {
            let app = App::new(1).history(1).version(version);
            stage.apply(&clone_set(&app, &free)).await?;
            stage.settles(&[(version, 1)]).await?;
        }
        let revisions = stage.revisions().await?;
        ensure(revisions.len() == 2, || format!("{revisions:?}"))
    })
    .await
}
