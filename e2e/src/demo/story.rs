//! The story itself, step by step.

use std::time::Duration;

use crds::contract::{FENCE_MIN_READY_SECONDS, HOLD_ANNOTATION};
use crds::status::Phase;
use kube::ResourceExt;
use serde_json::json;

use super::terminal::Terminal;
use crate::app::App;
use crate::failure::{Failure, Outcome, ensure};
use crate::observer::{Sight, Told};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::scenario::counts::Counts;
use crate::scenario::waits::{has_condition, status};

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user's Rollout, as it stands in a file.
const ROLLOUT: &str = "\
apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata:
  name: web
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy:
    batches:
    - {replicas: 1, pause: {duration: 3s}}
    - {replicas: 20%, pause: {}}   # until promoted
    - {replicas: 100%}
  progressDeadline: 8s
";

/// What is added to it later.
const GATES: &str = "\
\u{20} gates:
  - name: errors
    prometheus: {errorRatio: {}, max: \"0.01\", minRequests: 20}
    interval: 4s
    count: 3
";

/// Requests a second to the application while there is a gate.
const RATE: u32 = 200;

/// Plays the story. The cluster is left as it was found.
///
/// # Errors
/// A step did not happen.
pub async fn play(terminal: &mut Terminal) -> Outcome {
    let app = App::new(10).env("START_DELAY", "300ms");
    let plan = Plan::new(["1 pause 3s", "20% pause", "100%"]).with("progressDeadline", "8s");
    check_file(ROLLOUT, &plan)?;
    let mut scenario = Scenario::begin("demo", app, plan).await?;
    let mut demo = Demo { s: &mut scenario, terminal };
    let played = demo.all().await;
    scenario.end(Ok(played)).await
}

/// What is shown is what is applied.
fn check_file(file: &str, plan: &Plan) -> Outcome {
    let shown: serde_json::Value = serde_saphyr::from_str(file)
        .map_err(|error| Failure::Wrong(format!("the demo's Rollout: {error}")))?;
    ensure(shown == plan.manifest(), || "the demo shows another Rollout than it applies".to_owned())
}

struct Demo<'a> {
    s: &'a mut Scenario,
    terminal: &'a mut Terminal,
}

impl Demo<'_> {
    async fn all(&mut self) -> Outcome {
        self.deployment().await?;
        self.rollout().await?;
        self.held().await?;
        self.one_pod().await?;
        self.a_fifth().await?;
        self.promoted().await?;
        self.restored().await?;
        self.broken().await?;
        self.taken_back().await?;
        self.stays_out().await?;
        self.gated().await?;
        self.errors().await
    }

    /// Shows every change until `wanted` holds.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Sight<'_>) -> Option<bool>) -> Outcome {
        let terminal = &mut *self.terminal;
        let shown = |sight: &Sight<'_>| {
            terminal.watch(sight);
            wanted(sight).filter(|holds| *holds).map(|_| ())
        };
        self.s.observer.until(PATIENCE, what, shown).await
    }

    async fn deployment(&mut self) -> Outcome {
        self.terminal.step("A Deployment like any other: 10 replicas of version 1");
        let said = self.s.apply().await?;
        self.terminal.command("kubectl apply -f web.yaml", &said);
        self.until("10 ready pods", |sight| Some(Counts::of(sight).all().is(10))).await?;
        self.terminal.done("10 pods of version 1 are ready");
        Ok(())
    }

    async fn rollout(&mut self) -> Outcome {
        self.terminal.step("One Rollout beside it; the Deployment's manifest stays as it is");
        self.terminal.file(ROLLOUT);
        let pods = self.s.pods();
        let said = self.s.apply_plan().await?;
        self.terminal.command("kubectl apply -f rollout.yaml", &said);
        self.until("the Rollout to be armed", |sight| {
            Some(has_condition(status(sight)?, "Armed", "True"))
        })
        .await?;
        self.s.are_untouched(&pods).await?;
        self.terminal.done("armed, and no pod was touched");
        Ok(())
    }

    async fn held(&mut self) -> Outcome {
        self.terminal.step("Version 2, by the same kubectl apply as ever");
        let said = self.s.release("v2").await?.saying("held by Rollout web")?;
        self.terminal.command("kubectl apply -f web.yaml", &said);
        let live = self.s.deployment().await?;
        let fence = live["spec"]["minReadySeconds"].as_i64();
        let held = live["metadata"]["annotations"][HOLD_ANNOTATION].is_string();
        ensure(held && fence == Some(i64::from(FENCE_MIN_READY_SECONDS)), || {
            format!("the update was not held: {live}")
        })?;
        self.terminal.done("held in the very write that brought it");
        Ok(())
    }

    async fn one_pod(&mut self) -> Outcome {
        self.terminal.step("The first batch: one pod, then 3 seconds to look at it");
        self.until("one pod of version 2", |sight| rests(sight, 1, 1)).await?;
        self.terminal.done("1 pod of version 2, 9 of version 1");
        Ok(())
    }

    async fn a_fifth(&mut self) -> Outcome {
        self.terminal.step("The second batch: 20 %, then a pause until somebody promotes it");
        self.until("two pods of version 2", |sight| rests(sight, 2, 2)).await?;
        let said = self.s.try_sluice(&["status", "web"]).await?;
        self.terminal.command("kubectl sluice status web", &said);
        self.terminal.done("2 pods of version 2, 8 of version 1, and nothing moves");
        Ok(())
    }

    async fn promoted(&mut self) -> Outcome {
        self.terminal.step("Promoted: the rest follows");
        let said = self.s.promote().await?;
        self.terminal.command("kubectl sluice promote web", &said);
        self.until("all pods of version 2", |sight| {
            let counts = Counts::of(sight);
            Some(counts.update.is(10) && counts.all().is(10))
        })
        .await?;
        self.terminal.done("10 pods of version 2");
        Ok(())
    }

    async fn restored(&mut self) -> Outcome {
        self.terminal.step("Everything is put back as it was");
        self.until("the Rollout to be Ready", |sight| {
            let held =
                sight.view.deployments.get("web")?.annotations().contains_key(HOLD_ANNOTATION);
            Some(status(sight)?.phase == Phase::Ready && !held)
        })
        .await?;
        self.s.completes().await?;
        let said = self.s.kubectl.feed(&["diff", "-f", "-"], &self.s.app.manifest()).await?;
        self.terminal.command("kubectl diff -f web.yaml", &said);
        self.terminal.done("the spec is the manifest's, field for field; kubectl diff is empty");
        Ok(())
    }

    async fn broken(&mut self) -> Outcome {
        self.terminal.step("Version 3 never gets ready");
        self.s.app = self.s.app.clone().env("READY", "false");
        self.s.tell(&Told::MayReturn);
        let said = self.s.release("v3").await?.saying("held by Rollout web")?;
        self.s.tell(&Told::MayReturn);
        self.terminal.command("kubectl apply -f web.yaml", &said);
        self.until("one pod of version 3 that is not ready", |sight| {
            let counts = Counts::of(sight);
            Some(counts.update.live == 1 && counts.update.ready == 0 && counts.stable.is(10))
        })
        .await?;
        self.terminal.done("stopped at its first batch: 1 pod of version 3, 10 of version 2");
        Ok(())
    }

    async fn taken_back(&mut self) -> Outcome {
        self.terminal.step("At its deadline it is taken back");
        let stable = self.s.app.clone().version("v2").without_env("READY");
        self.until("version 3 to be rejected", |sight| {
            Some(status(sight)?.phase == Phase::Rejected && Counts::of(sight).stable.is(10))
        })
        .await?;
        self.s.is_rejected_for(&stable).await?;
        let said = self.s.try_sluice(&["status", "web"]).await?;
        self.terminal.command("kubectl sluice status web; echo $?", &said);
        ensure(said.code == Some(1), || format!("the status is no failure: {said}"))?;
        self.terminal.done("10 pods of version 2 again; version 3 is rejected (exit code 1)");
        Ok(())
    }

    async fn stays_out(&mut self) -> Outcome {
        self.terminal.step("Its manifest, still in Git, does not get in again");
        let pods = self.s.pods();
        let said = self.s.apply().await?.saying("this version was rejected")?;
        self.terminal.command("kubectl apply -f web.yaml", &said);
        self.s.are_untouched(&pods).await?;
        self.terminal.done("not a pod moved");
        Ok(())
    }

    async fn gated(&mut self) -> Outcome {
        self.terminal.step("The Rollout gets a gate: at most 1 % of the requests may fail");
        self.terminal.file(GATES);
        let gate = json!({
            "name": "errors",
            "prometheus": {"errorRatio": {}, "max": "0.01", "minRequests": 20},
            "interval": "4s",
            "count": 3,
        });
        self.s.plan = self.s.plan.clone().with("gates", json!([gate]));
        check_file(&format!("{ROLLOUT}{GATES}"), &self.s.plan)?;
        let said = self.s.apply_plan().await?;
        self.terminal.command("kubectl apply -f rollout.yaml", &said);
        self.s.wish_anew()?;
        self.until("the Rollout to be taken in", |sight| Some(status(sight).is_some())).await?;
        self.terminal.done("added, and no pod was touched");
        Ok(())
    }

    async fn errors(&mut self) -> Outcome {
        self.terminal.step("Version 4 is ready at once, and fails 5 % of its requests");
        let _load = self.s.under_load(RATE).await?;
        let stable = self.s.app.clone().version("v2").without_env("READY");
        self.s.app = stable.clone().env("ERROR_RATE", "0.05");
        let said = self.s.release("v4").await?.saying("held by Rollout web")?;
        self.s.tell(&Told::MayReturn);
        self.terminal.command("kubectl apply -f web.yaml", &said);
        self.until("version 4 to be rejected", |sight| {
            Some(status(sight)?.phase == Phase::Rejected && Counts::of(sight).stable.is(10))
        })
        .await?;
        self.s.is_rejected_for(&stable).await?;
        let said = self.s.try_sluice(&["status", "web"]).await?.refused("is above max 0.01")?;
        self.terminal.command("kubectl sluice status web; echo $?", &said);
        self.terminal.done("stopped in its first batch by its own metrics, and taken back");
        Ok(())
    }
}

/// The release waits in `batch` with so many new pods, all ready, of ten.
fn rests(sight: &Sight<'_>, batch: u32, new: i32) -> Option<bool> {
    let status = status(sight)?;
    let counts = Counts::of(sight);
    let here = status.batch.as_ref()?.index == batch && status.phase == Phase::Paused;
    Some(here && counts.update.is(new) && counts.stable.is(10 - new))
}
