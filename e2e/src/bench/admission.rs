//! What Sluice adds to an UPDATE: the same write, of revisionHistoryLimit, to Deployments in a
//! release, to armed ones at rest and to others that are equal but for the arming, in turn, timed
//! by the client. In a release the webhook is called and the policy judges; at rest both only find
//! that the write is no concern of theirs. The pods run on nodes without a kubelet, and the
//! releases wait for their first batch: nothing moves.
//!
//! * p50: one write in flight, the three take turns; the difference of two medians.
//! * p99: 10 in flight, each on objects of its own; blocks take turns; the difference of two 99th
//!   percentiles.
//!
//! The audit log says for every write whether the webhook was called: all of those in a release,
//! and no other, or nothing was measured.

use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

use super::audit::{Audit, Entry, Mark};
use super::figures::Key;
use super::quantile::quantile;
use super::{crowd, discard, unmeasured};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;

/// Writes in flight where the tail is measured.
const IN_FLIGHT: usize = 10;
/// Turns of one write of each side, one at a time.
const TURNS: usize = 500;
/// Blocks of each kind where the tail is measured, and writes of each object in a block.
const BLOCKS: usize = 20;
const WRITES: usize = 10;
/// The webhook that all this is about.
const WEBHOOK: &str = "workloads.sluice.dev";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Held,
    Armed,
    Plain,
}

impl Side {
    const ALL: [Self; 3] = [Self::Held, Self::Armed, Self::Plain];

    fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Armed => "armed",
            Self::Plain => "plain",
        }
    }

    fn name(self, index: usize) -> String {
        format!("{}-{index}", self.as_str())
    }
}

/// Milliseconds of the writes of each side.
#[derive(Debug, Default)]
struct Times([Vec<f64>; 3]);

impl Times {
    fn add(&mut self, side: Side, times: impl IntoIterator<Item = f64>) {
        self.0[side as usize].extend(times);
    }

    fn count(&self, side: Side) -> usize {
        self.0[side as usize].len()
    }

    /// How much more those of `side` take than plain ones at quantile `q`.
    fn added(&self, side: Side, q: f64) -> Outcome<f64> {
        let of =
            |side: Side| quantile(&self.0[side as usize], q).ok_or_else(|| unmeasured("no update"));
        Ok(of(side)? - of(Side::Plain)?)
    }
}

/// Measures what Sluice adds.
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
    prepare(client, namespace).await?;
    let target = Target { api: Api::namespaced(client.clone(), namespace) };
    // Connections, from here to the apiserver and from there to the webhook.
    for side in Side::ALL {
        target.block(side, WRITES).await?;
    }
    let begun = audit.mark(client).await?;
    let one = target.one_at_a_time().await?;
    let many = target.many_at_once().await?;
    let ended = audit.mark(client).await?;
    check(audit, (begun, ended), namespace, one.count(Side::Held) + many.count(Side::Held))?;
    Ok(vec![
        (Key::AddedMedian, one.added(Side::Held, 0.5)?),
        (Key::AddedTail, many.added(Side::Held, 0.99)?),
        (Key::AddedMedianAtRest, one.added(Side::Armed, 0.5)?),
        (Key::AddedTailAtRest, many.added(Side::Armed, 0.99)?),
    ])
}

/// Makes the Deployments, arms two thirds of them, begins the releases of one half of these, and
/// waits until they are held.
async fn prepare(client: &Client, namespace: &str) -> Outcome {
    let app = |side: Side, index| App { name: side.name(index), ..App::new(1) };
    let mut manifests = Vec::new();
    for index in 0..IN_FLIGHT {
        manifests.extend(Side::ALL.map(|side| crowd::placed(&app(side, index))));
        for side in [Side::Held, Side::Armed] {
            let plan = Plan::new(["100%"]).with("paused", side == Side::Held);
            manifests.push(crowd::rollout_of(&app(side, index), plan));
        }
    }
    crowd::create(client, namespace, manifests).await?;
    let kubectl = Kubectl::new(namespace);
    let until = async |what: &[&str], condition: &str| {
        let wait = [&["wait"], what, &["--timeout=60s", condition]].concat();
        kubectl.run(&wait).await.map(drop)
    };
    until(&["deployments", "--all"], "--for=condition=Available").await?;
    until(&["rollouts", "--all"], "--for=condition=Armed").await?;
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    for index in 0..IN_FLIGHT {
        let app = app(Side::Held, index).version("v2");
        crowd::apply(&api, &app.name, crowd::placed(&app)).await?;
    }
    let held: Vec<String> =
        (0..IN_FLIGHT).map(|index| format!("rollout/{}", Side::Held.name(index))).collect();
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    until(&held, "--for=jsonpath={.status.waitingFor.reason}=SpecPaused").await
}

struct Target {
    api: Api<Deployment>,
}

impl Target {
    async fn one_at_a_time(&self) -> Outcome<Times> {
        let mut times = Times::default();
        for turn in 0..TURNS {
            // Whoever comes later finds a warmer machine: that is each of them in turn.
            let mut order = Side::ALL;
            order.rotate_left(turn % Side::ALL.len());
            for side in order {
                times.add(side, [self.update(side, 0, turn).await?]);
            }
        }
        Ok(times)
    }

    async fn many_at_once(&self) -> Outcome<Times> {
        let mut times = Times::default();
        for block in 0..Side::ALL.len() * BLOCKS {
            let side = Side::ALL[block % Side::ALL.len()];
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

/// Every write in a release was reviewed and no other.
fn check(audit: &Audit, marks: (Mark, Mark), namespace: &str, wanted: usize) -> Outcome {
    let reviewed = |side: Side| {
        let ours = |entry: &Entry| {
            let object = &entry.object_ref;
            entry.verb == "patch"
                && object.resource == "deployments"
                && object.subresource.is_empty()
                && object.namespace == namespace
                && object.name.starts_with(side.as_str())
                && entry.was_reviewed_by(WEBHOOK)
        };
        audit.between(marks, ours).len()
    };
    let (held, others) = (reviewed(Side::Held), reviewed(Side::Armed) + reviewed(Side::Plain));
    if held == wanted && others == 0 {
        return Ok(());
    }
    Err(unmeasured(format!("the webhook saw {held} of {wanted} updates, and {others} others")))
}
