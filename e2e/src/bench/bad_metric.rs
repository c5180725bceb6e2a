//! From a bad metric to the first write that takes the release back. The metric is Prometheus' own
//! clock: the gate's query becomes bad at a moment that is chosen beforehand, so what is measured
//! begins when Prometheus would first answer badly. It ends when the apiserver receives the write,
//! by the audit log. Several releases side by side, each with its moment elsewhere in the interval.

use std::time::Duration;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::Api;
use serde_json::json;

use super::audit::{Audit, Entry};
use super::figures::Key;
use super::{crowd, discard, unmeasured};
use crate::app::App;
use crate::clock;
use crate::failure::Outcome;
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;

/// Releases at once.
const RELEASES: usize = 5;
/// Between two measurements of the gate.
const INTERVAL: Duration = Duration::from_secs(1);
/// A release has begun its gate and has measured by then.
const AHEAD: SignedDuration = SignedDuration::from_secs(15);
/// From one release's moment to the next one's: no part of the interval twice.
const APART: SignedDuration = SignedDuration::from_millis(1_170);

/// Measures the longest of several.
///
/// # Errors
/// It could not be measured.
pub async fn measure(client: &Client, audit: &mut Audit) -> Outcome<Vec<(Key, f64)>> {
    let namespace = create_namespace(client, "bench-bad-metric").await?;
    let measured = measure_in(client, audit, &namespace).await;
    discard(client, &namespace).await;
    Ok(vec![(Key::BadMetric, measured?)])
}

async fn measure_in(client: &Client, audit: &mut Audit, namespace: &str) -> Outcome<f64> {
    let kubectl = Kubectl::new(namespace);
    let apps: Vec<App> = (0..RELEASES).map(|n| named(n).version("v1")).collect();
    let items: Vec<_> = apps.iter().map(App::manifest).collect();
    kubectl
        .feed(&["apply", "-f", "-"], &json!({"kind": "List", "apiVersion": "v1", "items": items}))
        .await?;
    let wait = ["wait", "deployments", "--all", "--for=condition=Available", "--timeout=60s"];
    kubectl.run(&wait).await?;
    let begun = audit.mark(client).await?;
    let first = clock::now() + AHEAD;
    let moments: Vec<Timestamp> =
        (0..RELEASES).map(|n| first + APART * i32::try_from(n).unwrap_or_default()).collect();
    let rollouts: Vec<_> = apps.iter().zip(&moments).map(|(app, at)| rollout(app, *at)).collect();
    let list = json!({"kind": "List", "apiVersion": "v1", "items": rollouts});
    kubectl.feed(&["apply", "-f", "-"], &list).await?;
    let wait = ["wait", "rollouts", "--all", "--for=condition=Armed", "--timeout=10s"];
    kubectl.run(&wait).await?;
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    try_join_all(apps.into_iter().map(|app| release(&api, app))).await?;
    let aborted =
        ["wait", "rollouts", "--all", "--for=jsonpath={.status.phase}=Rejected", "--timeout=60s"];
    kubectl.run(&aborted).await?;
    let ended = audit.mark(client).await?;
    let mut longest = 0.0_f64;
    for (n, bad) in moments.into_iter().enumerate() {
        let name = named(n).name;
        let taken_back = |entry: &Entry| {
            entry.is_counted() && entry.is_of(namespace, "deployments", &name) && entry.at() >= bad
        };
        let writes = audit.between((begun, ended), taken_back);
        let write = writes.first().ok_or_else(|| unmeasured(format!("no abort of {name}")))?;
        longest = longest.max(write.at().duration_since(bad).as_secs_f64() * 1000.0);
    }
    Ok(longest)
}

fn named(number: usize) -> App {
    App { name: format!("web-{number}"), ..App::new(2) }
}

/// Its gate fails from `bad` on, and would go on for long without it.
fn rollout(app: &App, bad: Timestamp) -> serde_json::Value {
    let query = format!("vector(time() >= bool {:.3})", bad.as_duration().as_secs_f64());
    let gate = json!({
        "name": "clock", "interval": format!("{}s", INTERVAL.as_secs()), "count": 1000,
        "prometheus": {"query": query, "max": "0.5"},
    });
    crowd::rollout_of(app, Plan::new(["1", "100%"]).with("gates", json!([gate])))
}

async fn release(api: &Api<Deployment>, app: App) -> Outcome {
    let app = app.version("v2");
    crowd::apply(api, &app.name, app.manifest()).await
}
