//! A hundred releases at once, of 10 replicas in 5 batches, beside a hundred native rolling updates
//! of the same Deployments; then a hundred more whose leader is killed on the way, and a hundred
//! whose leader is stopped. The pods run on nodes without a kubelet, which are ready at once: what
//! is measured is the controllers' work.

use std::time::Duration;

use crds::Rollout;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use tokio::time::{Instant, sleep};

use super::audit::{Audit, Entry, Mark};
use super::figures::Key;
use super::quantile::median;
use super::record::{batch, is_complete, version};
use super::{crowd, discard, memory, say, unmeasured};
use crate::app::App;
use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;
use crate::scenario::parts::Parts;
use crate::scenario::waits::has_condition;

const RELEASES: usize = 100;
const REPLICAS: i32 = 10;
/// All of them are over by then.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Updates sent at once.
const AT_ONCE: usize = 10;
/// A new leader has taken over by then.
const AFTER: SignedDuration = SignedDuration::from_secs(10);
/// So many batches of all releases have been let through: they are on their way.
const ON_THE_WAY: u32 = 150;

/// Measures them.
///
/// # Errors
/// It could not be measured.
pub async fn measure(client: &Client, audit: &mut Audit) -> Outcome<Vec<(Key, f64)>> {
    let namespace = create_namespace(client, "bench-hundred").await?;
    let hundred = Hundred { client: client.clone(), namespace: namespace.clone() };
    let measured = hundred.measure(audit).await;
    discard(client, &namespace).await;
    measured
}

struct Hundred {
    client: Client,
    namespace: String,
}

/// How the leader goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Going {
    Killed,
    Stopped,
}

impl Hundred {
    async fn measure(&self, audit: &mut Audit) -> Outcome<Vec<(Key, f64)>> {
        self.raise().await?;
        say("a hundred native updates");
        let native = self.release("v2").await?;
        self.arm().await?;
        say("a hundred releases");
        let cpu = memory::cpu_seconds(&self.client, "controller").await?;
        let begun = audit.mark(&self.client).await?;
        let took = self.release("v3").await?;
        let ended = audit.mark(&self.client).await?;
        let cpu = memory::cpu_seconds(&self.client, "controller").await? - cpu;
        let writes = audit.between((begun, ended), |entry| self.is_write(entry)).len();
        let killed = self.without_a_leader(audit, "v4", Going::Killed).await?;
        let stopped = self.without_a_leader(audit, "v5", Going::Stopped).await?;
        let longest = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
        let middle = median(&took).ok_or_else(|| unmeasured("no release"))?;
        Ok(vec![
            (Key::Hundred, longest(&took)),
            (Key::NativeHundred, longest(&native)),
            (Key::HundredSlowest, longest(&took) / middle),
            (Key::HundredWrites, writes as f64 / RELEASES as f64),
            (Key::HundredProcessor, cpu),
            (Key::LeaderKill, killed),
            (Key::LeaderStop, stopped),
        ])
    }

    async fn raise(&self) -> Outcome {
        let apps = apps("v1").iter().map(crowd::placed).collect();
        crowd::create(&self.client, &self.namespace, apps).await?;
        let wait = ["wait", "deployments", "--all", "--for=condition=Available", "--timeout=300s"];
        Kubectl::new(&self.namespace).run(&wait).await.map(drop)
    }

    async fn arm(&self) -> Outcome {
        let plan = || Plan::new(["2", "4", "6", "8", "100%"]);
        let rollouts = apps("v2").iter().map(|app| crowd::rollout_of(app, plan())).collect();
        crowd::create(&self.client, &self.namespace, rollouts).await?;
        let wait = ["wait", "rollouts", "--all", "--for=condition=Ready", "--timeout=120s"];
        Kubectl::new(&self.namespace).run(&wait).await.map(drop)
    }

    /// Seconds of each release, from the moment before its write.
    async fn release(&self, wanted: &str) -> Outcome<Vec<f64>> {
        let sent = self.send(wanted).await?;
        self.ends(wanted, sent).await
    }

    async fn send(&self, wanted: &str) -> Outcome<Vec<(String, Instant)>> {
        let api = &self.deployments();
        let all = stream::iter(apps(wanted)).map(|app| async move {
            let sent = Instant::now();
            crowd::apply(api, &app.name, crowd::placed(&app)).await?;
            Ok::<_, Failure>((app.name, sent))
        });
        all.buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn ends(&self, wanted: &str, mut open: Vec<(String, Instant)>) -> Outcome<Vec<f64>> {
        let late = Instant::now() + PATIENCE;
        let mut took = Vec::new();
        while !open.is_empty() {
            if Instant::now() > late {
                return Err(unmeasured(format!("{} releases of {wanted} go on", open.len())));
            }
            let seen = self.seen().await?;
            let now = Instant::now();
            let ended = |name: &str| {
                seen.iter().any(|one| {
                    let whole = version(one) == wanted && is_complete(one) && batch(one).is_none();
                    one.name_any() == name && whole
                })
            };
            open.retain(|(name, sent)| {
                let over = ended(name);
                if over {
                    took.push((now - *sent).as_secs_f64());
                }
                !over
            });
            sleep(LOOK_AGAIN).await;
        }
        self.told().await?;
        Ok(took)
    }

    /// Waits until every Rollout, if there are any, says that its release is over.
    async fn told(&self) -> Outcome {
        let rollouts: Api<Rollout> = Api::namespaced(self.client.clone(), &self.namespace);
        let late = Instant::now() + PATIENCE;
        loop {
            let listed = rollouts.list(&ListParams::default()).await;
            let listed = listed.map_err(Failure::doing("listing the Rollouts"))?;
            let ready = |one: &Rollout| {
                one.status.as_ref().is_some_and(|status| has_condition(status, "Ready", "True"))
            };
            if listed.items.iter().all(ready) {
                return Ok(());
            }
            if Instant::now() > late {
                return Err(unmeasured("the Rollouts do not get ready"));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Seconds without a write after the leader went, in the middle of a hundred releases.
    async fn without_a_leader(
        &self,
        audit: &mut Audit,
        wanted: &str,
        going: Going,
    ) -> Outcome<f64> {
        say(&format!("a hundred releases, their leader {going:?}"));
        let parts = Parts::connect().await?;
        parts.controller_is_back().await?;
        let begun = audit.mark(&self.client).await?;
        let sent = self.send(wanted).await?;
        self.on_the_way().await?;
        let leader = parts.leader().await?.ok_or_else(|| unmeasured("nobody leads"))?;
        let gone = clock::now();
        match going {
            Going::Killed => parts.kill(&leader).await?,
            Going::Stopped => {
                let own = Kubectl::new(crds::contract::NAMESPACE);
                own.run(&["delete", "pod", &leader.name_any(), "--wait=false"]).await?;
            }
        }
        self.ends(wanted, sent).await?;
        let ended = audit.mark(&self.client).await?;
        self.longest_gap(audit, (begun, ended), gone)
    }

    async fn on_the_way(&self) -> Outcome {
        let late = Instant::now() + PATIENCE;
        while self.seen().await?.iter().filter_map(batch).sum::<u32>() < ON_THE_WAY {
            if Instant::now() > late {
                return Err(unmeasured("the releases do not begin"));
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// The longest time without a write of Sluice that begins within [`AFTER`] of `gone`.
    fn longest_gap(&self, audit: &Audit, span: (Mark, Mark), gone: Timestamp) -> Outcome<f64> {
        let writes = audit.between(span, |entry| self.is_write(entry));
        let times: Vec<Timestamp> = writes.iter().map(|entry| entry.at()).collect();
        let spans = times.windows(2).filter(|pair| pair[1] >= gone && pair[0] < gone + AFTER);
        let longest = spans.map(|pair| pair[1].duration_since(pair[0].max(gone)).as_secs_f64());
        longest.reduce(f64::max).ok_or_else(|| unmeasured("no write after the leader went"))
    }

    fn is_write(&self, entry: &Entry) -> bool {
        entry.is_counted() && entry.object_ref.namespace == self.namespace
    }

    async fn seen(&self) -> Outcome<Vec<Deployment>> {
        let listed = self.deployments().list(&ListParams::default()).await;
        listed.map(|list| list.items).map_err(Failure::doing("listing the Deployments"))
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

fn apps(version: &str) -> Vec<App> {
    let app = |n| App { name: format!("web-{n}"), ..App::new(REPLICAS) };
    (0..RELEASES).map(|n| app(n).version(version)).collect()
}
