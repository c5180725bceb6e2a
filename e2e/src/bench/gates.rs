//! A thousand gates on one controller: 100 releases in their last batch, each with 10 gates that
//! are measured every 30 seconds, on the real Prometheus. The pods run on nodes without a kubelet
//! (`e2e/cluster/kwok.sh`). What is counted is taken from the Rollouts' own status: when each
//! measurement was asked, and on which grid it belongs.

use std::time::Duration;

use crds::Rollout;
use crds::status::Phase;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::figures::Key;
use super::{crowd, discard, memory, say, unmeasured};
use crate::app::App;
use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;

const RELEASES: usize = 100;
/// As many as a Rollout may have.
const GATES: usize = 10;
const INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// Four rounds of every gate.
const WATCHED: Duration = Duration::from_secs(120);
/// All releases have come so far by then.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Measures them.
///
/// # Errors
/// It could not be measured.
pub async fn measure(client: &Client) -> Outcome<Vec<(Key, f64)>> {
    let namespace = create_namespace(client, "bench-gates").await?;
    let measured = measure_in(client, &namespace).await;
    discard(client, &namespace).await;
    measured
}

async fn measure_in(client: &Client, namespace: &str) -> Outcome<Vec<(Key, f64)>> {
    let rollouts: Api<Rollout> = Api::namespaced(client.clone(), namespace);
    prepare(client, namespace).await?;
    begun(&rollouts).await?;
    say("a thousand gates");
    let (from, cpu) = (clock::now(), memory::cpu_seconds(client, "controller").await?);
    // What is measured is what happens in a time.
    sleep(WATCHED).await;
    let (until, spent) = (clock::now(), memory::cpu_seconds(client, "controller").await? - cpu);
    let seen = list(&rollouts).await?;
    let late = lateness(&seen, from, until);
    let minutes = until.duration_since(from).as_secs_f64() / 60.0;
    let longest = late.iter().copied().reduce(f64::max);
    let asked = late.len() as f64 / minutes / 60.0;
    let least = (RELEASES * GATES) as f64 / INTERVAL.as_secs_f64() * 0.97;
    if asked < least {
        return Err(unmeasured(format!("{asked:.1} questions a second, at least {least:.1} due")));
    }
    Ok(vec![
        (Key::GatesLate, longest.ok_or_else(|| unmeasured("no gate was measured"))? * 1000.0),
        (Key::GatesAsked, asked),
        (Key::GatesProcessor, spent / minutes),
        (Key::GatesRss, memory::resident_mib(client, "controller").await?),
    ])
}

/// Version 2 of all of them is on its way.
async fn prepare(client: &Client, namespace: &str) -> Outcome {
    let kubectl = Kubectl::new(namespace);
    let apps = (0..RELEASES).map(|n| crowd::placed(&app(n, "v1"))).collect();
    crowd::create(client, namespace, apps).await?;
    crowd::create(client, namespace, (0..RELEASES).map(rollout).collect()).await?;
    let wait = ["wait", "deployments", "--all", "--for=condition=Available", "--timeout=180s"];
    kubectl.run(&wait).await?;
    let wait = ["wait", "rollouts", "--all", "--for=condition=Armed", "--timeout=60s"];
    kubectl.run(&wait).await?;
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    for number in 0..RELEASES {
        let app = app(number, "v2");
        crowd::apply(&api, &app.name, crowd::placed(&app)).await?;
    }
    Ok(())
}

fn app(number: usize, version: &str) -> App {
    App { name: format!("web-{number}"), ..App::new(1) }.version(version)
}

fn rollout(number: usize) -> Value {
    let gates: Vec<Value> = (0..GATES)
        .map(|n| {
            json!({
                "name": format!("gate-{n}"), "interval": "30s", "count": 1000,
                "prometheus": {"query": "sum(scrape_samples_scraped) >= bool 0", "min": "0.5"},
            })
        })
        .collect();
    let plan = Plan::new(["100%"]).with("gates", gates);
    crowd::rollout_of(&app(number, "v1"), plan)
}

/// Waits until each gate has been measured once.
async fn begun(rollouts: &Api<Rollout>) -> Outcome {
    let late = Instant::now() + PATIENCE;
    loop {
        let seen = list(rollouts).await?;
        let begun = |one: &&Rollout| {
            let status = one.status.as_ref();
            status.is_some_and(|status| {
                status.phase == Phase::Judging
                    && status.gates.len() == GATES
                    && status.gates.iter().all(|gate| !gate.measured.last().is_empty())
            })
        };
        let count = seen.iter().filter(begun).count();
        if count == RELEASES {
            return Ok(());
        }
        if Instant::now() > late {
            return Err(unmeasured(format!("{count} of {RELEASES} releases measure their gates")));
        }
        // A hundred statuses at once: looking is cheaper than following.
        sleep(LOOK_AGAIN).await;
    }
}

async fn list(rollouts: &Api<Rollout>) -> Outcome<Vec<Rollout>> {
    let listed = rollouts.list(&ListParams::default()).await;
    listed.map(|list| list.items).map_err(Failure::doing("listing the Rollouts"))
}

/// How late each measurement between two moments was, in seconds. A gate is measured on a grid
/// that begins when its batch was ready.
fn lateness(rollouts: &[Rollout], from: Timestamp, until: Timestamp) -> Vec<f64> {
    let gates = rollouts.iter().filter_map(|one| one.status.as_ref()).flat_map(|one| &one.gates);
    gates
        .flat_map(|gate| {
            let since = gate.measured.since();
            let within = |at: &Timestamp| (from..until).contains(at);
            let asked = gate.measured.last().iter().map(|one| one.at).filter(within);
            asked.map(move |at| at.duration_since(since).as_secs_f64() % INTERVAL.as_secs_f64())
        })
        .collect()
}
