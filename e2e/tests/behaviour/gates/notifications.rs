//! Notifiers, told of a real release.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::kubectl::Kubectl;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};
use serde_json::{Value, json};

use super::is_taken_back;
use super::receiver::Receiver;

const KEY: &str = "what only Sluice and the receiver know";

/// A Notifier of this namespace.
fn notifier(receiver: &Receiver, namespace: &str, more: &Value) -> Value {
    let mut spec = json!({"secret": receiver.name(), "namespaces": [namespace]});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Notifier",
        "metadata": {"name": receiver.name()}, "spec": spec,
    })
}

async fn install(s: &Scenario, receiver: &Receiver, secret: &Value, more: &Value) -> Outcome {
    let kubectl = Kubectl::new(crds::contract::NAMESPACE);
    kubectl.feed(&["apply", "-f", "-"], &receiver.secret(secret)).await?;
    let notifier = notifier(receiver, s.namespace(), more);
    s.kubectl.feed(&["apply", "-f", "-"], &notifier).await.map(drop)
}

fn at(all: &[Value], event: &str) -> Option<usize> {
    all.iter().position(|one| one["event"] == json!(event))
}

/// The first attempts find nobody in.
#[tokio::test]
async fn a_release_is_told_in_json_in_its_order_and_signed() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    receiver.answers(503, "not in");
    let plan = Plan::new(["1", "100%"]);
    play("notify-json", App::new(2), plan, async |s: &mut Scenario| {
        let more = json!({"address": receiver.url()});
        install(s, &receiver, &json!({"signing-key": KEY}), &more).await?;
        s.release("v2").await?;
        receiver.until("an attempt", |all| !all.is_empty()).await?;
        receiver.answers(200, "");
        s.completes().await?;
        let all = receiver.until("Released", |all| at(all, "Released").is_some()).await?;
        let order = ["BatchStarted", "Released"].map(|event| at(&all, event));
        ensure(order.iter().all(Option::is_some) && order.is_sorted(), || format!("{all:#?}"))?;
        for one in &all {
            let workload = json!({"kind": "Deployment", "name": "web"});
            let right = one["namespace"] == json!(s.namespace())
                && one["rollout"] == json!("web")
                && one["workload"] == workload
                && one["type"].is_string()
                && one["message"].is_string()
                && one["time"].is_string();
            ensure(right, || format!("{one:#}"))?;
        }
        receiver.leave().await
    })
    .await
}

/// Slack's address is a secret, and what a stranger says calls nobody.
#[tokio::test]
async fn a_failed_gate_is_told_to_slack_in_a_line_that_calls_nobody() -> Outcome {
    let (slack, hook) = (Receiver::start(None).await?, Receiver::start(None).await?);
    hook.answers(409, "<!channel> & no");
    let gate = hook.gate(false, &json!({}));
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play("notify-slack", App::new(2), plan, async |s: &mut Scenario| {
        let mut provider = hook.provider();
        if let Some(spec) = provider["spec"].as_object_mut() {
            spec.remove("secret");
        }
        s.kubectl.feed(&["apply", "-f", "-"], &provider).await?;
        let more = json!({"format": "Slack", "events": ["GateFailed", "Rejected"]});
        install(s, &slack, &json!({"address": slack.url()}), &more).await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        is_taken_back(s, &stable).await?;
        let text = |one: &Value| one["text"].as_str().unwrap_or_default().to_owned();
        let rejected = format!(":warning: *Rejected* Rollout {}/web: revision ", s.namespace());
        let all = slack
            .until("Rejected", |all| all.iter().any(|one| text(one).starts_with(&rejected)))
            .await?;
        let failed = format!(":warning: *GateFailed* Rollout {}/web: gate check ", s.namespace());
        let words = "HTTP 409: &lt;!channel&gt; &amp; no";
        let first = all.first().map(text).unwrap_or_default();
        ensure(first.starts_with(&failed) && first.ends_with(words), || format!("{all:#?}"))?;
        ensure(all.len() == 2, || format!("only what was asked for: {all:#?}"))?;
        slack.leave().await?;
        hook.leave().await
    })
    .await
}
