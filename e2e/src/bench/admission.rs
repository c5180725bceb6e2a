//! What the webhook adds to an UPDATE: the same write to armed Deployments and to others that are
//! equal but for the arming, in turn, timed by the client. The write changes the spec but not the
//! template (revisionHistoryLimit), so the webhook is called and holds nothing. The Deployments
//! have no replicas.
//!
//! * p50: one write in flight, armed and unarmed alternate; the difference of the two medians.
//! * p99: 10 in flight, each on objects of its own; blocks of armed and unarmed ones alternate; the
//!   difference of the two 99th percentiles.
//!
//! The audit log says for every write whether the webhook was called: all armed ones, and no other,
//! or nothing was measured.

use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

use super::audit::{Audit, Entry, Mark};
use super::figures::Key;
use super::quantile::quantile;
use super::{discard, unmeasured};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;

/// Writes in flight where the tail is measured.
const IN_FLIGHT: usize = 10;
/// Pairs of one armed and one unarmed write, one at a time.
const PAIRS: usize = 500;
/// Blocks of each kind where the tail is measured, and writes of each object in a block.
const BLOCKS: usize = 20;
const WRITES: usize = 10;
/// The webhook that all this is about.
const WEBHOOK: &str = "workloads.sluice.dev";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Armed,
    Plain,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Armed, Self::Plain];

    fn name(self, index: usize) -> String {
        match self {
            Self::Armed => format!("armed-{index}"),
            Self::Plain => format!("plain-{index}"),
        }
    }
}

/// Milliseconds of the writes of both sides.
#[derive(Debug, Default)]
struct Times {
    armed: Vec<f64>,
    plain: Vec<f64>,
}

impl Times {
    fn add(&mut self, side: Side, times: impl IntoIterator<Item = f64>) {
        match side {
            Side::Armed => self.armed.extend(times),
            Side::Plain => self.plain.extend(times),
        }
    }

    /// How much more the armed ones take at quantile `q`.
    fn added(&self, q: f64) -> Outcome<f64> {
        let of = |times: &[f64]| quantile(times, q).ok_or_else(|| unmeasured("no update"));
        Ok(of(&self.armed)? - of(&self.plain)?)
    }
}

/// Measures what the webhook adds.
///
/// # Errors
/// It could not be measured.
pub async fn measure(client: &Client, audit: &mut Audit) -> Outcome<Vec<(Key, f64)>> {
    let namespace = create_namespace(client, "bench-admission").await?;
    let measured = measure_in(client, audit, &namespace).await;
    discard(client, &namespace).await;
    measured
}

async fn measure_in(
    client: &Client,
    audit: &mut Audit,
    namespace: &str,
) -> Outcome<Vec<(Key, f64)>> {
    prepare(namespace).await?;
    let target = Target { api: Api::namespaced(client.clone(), namespace) };
    // Connections, from here to the apiserver and from there to the webhook.
    for side in Side::BOTH {
        target.block(side, WRITES).await?;
    }
    let begun = audit.mark(client).await?;
    let one = target.one_at_a_time().await?;
    let many = target.many_at_once().await?;
    let ended = audit.mark(client).await?;
    check(audit, (begun, ended), namespace, one.armed.len() + many.armed.len())?;
    Ok(vec![(Key::AddedMedian, one.added(0.5)?), (Key::AddedTail, many.added(0.99)?)])
}

/// Makes the Deployments, arms one half of them, and waits until that is so.
async fn prepare(namespace: &str) -> Outcome {
    let kubectl = Kubectl::new(namespace);
    let mut items = Vec::new();
    for index in 0..IN_FLIGHT {
        for side in Side::BOTH {
            let app = App { name: side.name(index), ..App::new(0) };
            items.push(app.manifest());
        }
        let name = Side::Armed.name(index);
        let mut rollout = Plan::new(["2", "4", "6", "8", "100%"]).named(&name).manifest();
        rollout["spec"]["workloadRef"]["name"] = json!(name);
        items.push(rollout);
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    kubectl.feed(&["apply", "-f", "-"], &list).await?;
    let wait = ["wait", "rollouts", "--all", "--for=condition=Armed", "--timeout=60s"];
    kubectl.run(&wait).await.map(drop)
}

struct Target {
    api: Api<Deployment>,
}

impl Target {
    async fn one_at_a_time(&self) -> Outcome<Times> {
        let mut times = Times::default();
        for pair in 0..PAIRS {
            // Whoever comes second finds a warmer machine: that is each of them in turn.
            let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
            for side in order.map(|index| Side::BOTH[index]) {
                times.add(side, [self.update(side, 0, pair).await?]);
            }
        }
        Ok(times)
    }

    async fn many_at_once(&self) -> Outcome<Times> {
        let mut times = Times::default();
        for block in 0..2 * BLOCKS {
            let side = Side::BOTH[block % 2];
            times.add(side, self.block(side, WRITES).await?);
        }
        Ok(times)
    }

    /// So many writes to each object of a side, as many at once as there are objects.
    async fn block(&self, side: Side, writes: usize) -> Outcome<Vec<f64>> {
        let one = async |index: usize| {
            let mut times = Vec::new();
            for write in 0..writes {
                times.push(self.update(side, index, write).await?);
            }
            Ok::<_, Failure>(times)
        };
        Ok(try_join_all((0..IN_FLIGHT).map(one)).await?.concat())
    }

    /// Milliseconds of one write, which differs from the one before by `number`.
    async fn update(&self, side: Side, index: usize, number: usize) -> Outcome<f64> {
        let name = side.name(index);
        // Never the default of 10, so that every one is a change.
        let patch = Patch::Merge(json!({"spec": {"revisionHistoryLimit": 11 + number % 2}}));
        let sent = Instant::now();
        let written = self.api.patch(&name, &PatchParams::default(), &patch).await;
        let took = sent.elapsed();
        written.map_err(Failure::doing(format!("updating {name}")))?;
        Ok(took.as_secs_f64() * 1000.0)
    }
}

/// Every armed write was reviewed and no other.
fn check(audit: &Audit, marks: (Mark, Mark), namespace: &str, wanted: usize) -> Outcome {
    let reviewed = |side: &str| {
        let ours = |entry: &Entry| {
            let object = &entry.object_ref;
            entry.verb == "patch"
                && object.resource == "deployments"
                && object.subresource.is_empty()
                && object.namespace == namespace
                && object.name.starts_with(side)
                && entry.was_reviewed_by(WEBHOOK)
        };
        audit.between(marks, ours).len()
    };
    let (armed, plain) = (reviewed("armed-"), reviewed("plain-"));
    if armed == wanted && plain == 0 {
        return Ok(());
    }
    Err(unmeasured(format!("the webhook saw {armed} of {wanted} updates, and {plain} others")))
}
