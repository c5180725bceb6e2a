//! What many armed workloads cost while nothing happens: memory, and calls to the apiserver beside
//! the Lease and the renewal of watches. The workloads are of all kinds and have no pods.

use std::time::Duration;

use crds::Rollout;
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::time::{Instant, sleep};

use super::audit::{Audit, Entry};
use super::figures::Key;
use super::{crowd, discard, memory, say, unmeasured};
use crate::failure::{Failure, Outcome};
use crate::plan::Plan;
use crate::scenario::create_namespace;
use crate::scenario::waits::has_condition;

/// So many workloads, and which figures they make.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Armed workloads.
    pub count: usize,
    /// The controller's memory.
    pub controller: Key,
    /// The webhook's.
    pub webhook: Key,
    /// Calls in the time of rest.
    pub calls: Key,
}

/// How long rest is watched.
const REST: Duration = Duration::from_secs(30);
/// Arming takes two writes of a workload at most.
const PATIENCE_EACH: Duration = Duration::from_millis(60);
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Measures it.
///
/// # Errors
/// It could not be measured.
pub async fn measure(client: &Client, audit: &mut Audit, crowd: Crowd) -> Outcome<Vec<(Key, f64)>> {
    let namespace = create_namespace(client, &format!("bench-rest-{}", crowd.count)).await?;
    let measured = measure_in(client, audit, crowd, &namespace).await;
    discard(client, &namespace).await;
    measured
}

async fn measure_in(
    client: &Client,
    audit: &mut Audit,
    crowd: Crowd,
    namespace: &str,
) -> Outcome<Vec<(Key, f64)>> {
    let plan = || Plan::new(["1", "20%", "100%"]);
    let apps = || (0..crowd.count).map(crowd::mixed);
    let workloads = apps().map(|app| app.manifest()).collect();
    crowd::create(client, namespace, workloads).await?;
    let rollouts = apps().map(|app| crowd::rollout_of(&app, plan())).collect();
    crowd::create(client, namespace, rollouts).await?;
    armed(&Api::namespaced(client.clone(), namespace), crowd.count).await?;
    say(&format!("{} workloads at rest", crowd.count));
    let begun = audit.mark(client).await?;
    // Rest is what happens in a time in which nothing is asked for: there is nothing to wait for.
    sleep(REST).await;
    let ended = audit.mark(client).await?;
    let calls = audit.between((begun, ended), |entry| entry.is_call_of_ours(namespace)).len();
    Ok(vec![
        (crowd.controller, memory::resident_mib(client, "controller").await?),
        (crowd.webhook, memory::resident_mib(client, "webhook").await?),
        (crowd.calls, calls as f64),
    ])
}

async fn armed(rollouts: &Api<Rollout>, count: usize) -> Outcome {
    let patience = PATIENCE_EACH * u32::try_from(count).unwrap_or(u32::MAX);
    let late = Instant::now() + patience + Duration::from_secs(60);
    loop {
        let listed = rollouts.list(&ListParams::default()).await;
        let listed = listed.map_err(Failure::doing("listing the Rollouts"))?;
        let is_armed = |one: &&Rollout| {
            one.status.as_ref().is_some_and(|status| {
                ["Armed", "Ready"].iter().all(|kind| has_condition(status, kind, "True"))
            })
        };
        let armed = listed.items.iter().filter(is_armed).count();
        if armed == count {
            return Ok(());
        }
        if Instant::now() > late {
            return Err(unmeasured(format!("{armed} of {count} workloads are armed")));
        }
        // Thousands of events would be followed for one count.
        sleep(LOOK_AGAIN).await;
    }
}

impl Entry {
    /// A request of Sluice's own, but for the Lease and for watches, that is about this namespace
    /// or about none: another one may be on its way out.
    fn is_call_of_ours(&self, namespace: &str) -> bool {
        let near = [namespace, crds::contract::NAMESPACE, ""];
        self.is_ours()
            && near.contains(&self.object_ref.namespace.as_str())
            && self.object_ref.resource != "leases"
            && self.verb != "watch"
    }
}
