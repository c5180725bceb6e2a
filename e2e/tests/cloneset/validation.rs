//! What the schema refuses, as Kruise's webhook does.

use e2e::app::App;
use e2e::failure::Outcome;
use serde_json::{Value, json};

use crate::stage::{clone_set, play};

#[tokio::test]
async fn wrong_fields_are_refused() -> Outcome {
    play("clone-refused", async |stage| {
        stage.apply(&clone_set(&App::new(0), &json!({}))).await?;
        let strategy = |field: &str, value: Value| json!({ "updateStrategy": { field: value } });
        let number = "must be a number or a percentage";
        let none = json!({ "maxUnavailable": "0%", "maxSurge": 0 });
        let only = json!({ "type": "InPlaceOnly", "maxSurge": "10%" });
        let other = json!({ "matchLabels": { "app": "other" } });
        let labels = json!({ "metadata": { "labels": { "app": "other" } } });
        let wrong = [
            (strategy("partition", json!(-1)), number),
            (strategy("partition", json!("half")), number),
            (strategy("partition", json!("50")), number),
            (strategy("maxSurge", json!("1.5%")), number),
            (strategy("type", json!("RollingUpdate")), "Unsupported value"),
            (json!({ "replicas": 1, "updateStrategy": none }), "should not both be less than 1"),
            (json!({ "updateStrategy": only }), "can not use maxSurge"),
            (json!({ "selector": other }), "field is immutable"),
            (json!({ "template": labels }), "does not match template"),
            (json!({ "template": { "spec": { "restartPolicy": "Never" } } }), "Unsupported value"),
            (json!({ "minReadySeconds": 9, "progressDeadlineSeconds": 9 }), "greater than"),
            (json!({ "scaleStrategy": { "podsToDelete": ["a", "a"] } }), "Duplicate value"),
        ];
        for (spec, words) in wrong {
            stage.try_patch(&spec).await?.refused(words)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn odd_fields_are_taken() -> Outcome {
    play("clone-taken", async |stage| {
        stage.apply(&clone_set(&App::new(0), &json!({}))).await?;
        for partition in [json!("33.3%"), json!("100%"), json!(7), json!("0%")] {
            stage.patch(&json!({ "updateStrategy": { "partition": partition } })).await?;
        }
        let none = json!({ "maxUnavailable": 0, "maxSurge": 0 });
        stage.patch(&json!({ "updateStrategy": none })).await
    })
    .await
}
