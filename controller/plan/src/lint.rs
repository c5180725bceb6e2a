//! Checks a plan against what it was made from: rules that hold for every plan, told without the
//! planner's own arithmetic. The simulator and the tests run it on every plan; it decides nothing.

mod batches;
mod hold;
mod partition;
mod portion;
mod status;
mod traffic;
mod withheld;

use jiff::Timestamp;

use crate::action::{Action, Plan};
use crate::observed::{Fact, Live, Observed, Pod, Set, Sets, Workload};

/// A rule that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule, in a few words.
    pub rule: &'static str,
    /// What broke it.
    pub detail: String,
}

/// Every rule that `plan`, made from `seen` at `now`, breaks. Empty for a sound plan.
#[must_use]
pub fn check(seen: &Observed, now: Timestamp, plan: &Plan) -> Vec<Fault> {
    let mut lint = Lint { faults: Vec::new() };
    status::check(&mut lint, seen, now, plan);
    match &seen.workload {
        Fact::Known(workload) => {
            for action in &plan.actions {
                lint.action(seen, workload, plan, action);
            }
            if let Live::DaemonSet(live) = &workload.fields {
                withheld::check_pods(&mut lint, workload, live, plan);
            }
        }
        Fact::Absent | Fact::Unknown(_) => lint.without_workload(plan),
    }
    lint.faults
}

struct Lint {
    faults: Vec<Fault>,
}

impl Lint {
    fn must(&mut self, holds: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(Fault { rule, detail: detail() });
        }
    }

    fn without_workload(&mut self, plan: &Plan) {
        let harmless = |action: &Action| {
            matches!(
                action,
                Action::AddFinalizer
                    | Action::RemoveFinalizer
                    | Action::DropTemplate { .. }
                    | Action::WriteRoute { hold: None, .. }
                    | Action::DeleteService { .. }
                    | Action::DropCanary { .. }
            )
        };
        let harmful = plan.actions.iter().find(|action| !harmless(action));
        self.must(harmful.is_none(), "no write without a workload", || format!("{harmful:?}"));
    }

    fn action(&mut self, seen: &Observed, workload: &Workload, plan: &Plan, action: &Action) {
        let detail = || format!("{action:?}");
        match action {
            Action::AddFinalizer => {
                let needed = !seen.rollout.has_finalizer && !seen.rollout.deleting;
                self.must(needed, "a finalizer is put on once", detail);
            }
            Action::RemoveFinalizer => {
                self.must(seen.rollout.deleting, "a finalizer is taken off in deletion", detail);
            }
            Action::Arm { uid } | Action::Disarm { uid } => {
                self.must(*uid == workload.uid, "writes name the workload's uid", detail);
            }
            Action::WriteHold(write) => hold::check(self, seen, workload, plan, write),
            Action::RepairSet { set, uid, resource_version, .. } => {
                let found = self.set(workload, set, action);
                let same = found.is_some_and(|found| is_same(found, uid, resource_version));
                self.must(same, "set writes name uid and version", detail);
            }
            Action::ResizeSet { set, uid, was, replicas, desired, .. } => {
                let found = self.set(workload, set, action);
                let same = found.is_some_and(|found| found.uid == *uid && found.replicas == *was);
                self.must(same, "resizes name uid and size", detail);
                self.must(*desired == workload.replicas, "sizes speak of the replicas", detail);
                if let Some(found) = found {
                    hold::check_resize(self, workload, plan, found, *replicas);
                }
            }
            Action::KeepTemplate { revision, set } => {
                let found = self.set(workload, set, action);
                let same = found.is_some_and(|found| found.revision == *revision);
                self.must(same, "a template is kept under its revision", detail);
            }
            Action::WriteRoute { .. }
            | Action::CreateService { .. }
            | Action::DeleteService { .. }
            | Action::WriteCanary { .. }
            | Action::DropCanary { .. } => traffic::check(self, seen, workload, action),
            Action::DeletePod { pod, uid, resource_version } => {
                self.pod(workload, pod, (uid, resource_version));
            }
            Action::DropTemplate { name } => {
                let known = match &seen.kept {
                    Fact::Known(kept) => kept.iter().any(|kept| kept.name == *name),
                    Fact::Absent | Fact::Unknown(_) => false,
                };
                self.must(known, "only a known template is dropped", detail);
            }
        }
    }

    /// Never one of a Deployment, and none whose readiness anybody could lose by it: but for what
    /// scaling let beyond its batch, and what a CloneSet's own partition would keep of a version
    /// that was taken back. The pods of a DaemonSet have rules of their own.
    fn pod(&mut self, workload: &Workload, name: &str, (uid, version): (&str, &str)) {
        let detail = || format!("{name} of {workload:?}");
        let Fact::Known(sets) = &workload.sets else {
            return self.must(false, "no pod is deleted that is not known", detail);
        };
        let mut pods = all(sets).flat_map(|set| set.pods.iter().map(move |pod| (set, pod)));
        let same = |pod: &Pod| pod.uid == uid && pod.resource_version == version;
        let found = pods.find(|(_, pod)| pod.name == name && same(pod));
        self.must(found.is_some(), "a pod is deleted by name, uid and version", detail);
        let held = workload.held().map(|held| (held.revision, held.batch));
        let harmless = found.is_some_and(|(set, pod)| {
            let beyond = held.is_some_and(|(update, batch)| set.revision == *update && batch > 0);
            let cloned = matches!(workload.fields, Live::CloneSet(_));
            let taken_back = cloned && held.is_none() && set.revision != workload.revision;
            let daemon = matches!(workload.fields, Live::DaemonSet(_));
            pod.ready_since.is_none() || beyond || taken_back || daemon
        });
        self.must(harmless, "a ready pod goes only where it is beyond its batch", detail);
    }

    fn set<'a>(&mut self, workload: &'a Workload, name: &str, action: &Action) -> Option<&'a Set> {
        let found = match &workload.sets {
            Fact::Known(sets) => all(sets).find(|set| set.name == name),
            Fact::Absent | Fact::Unknown(_) => None,
        };
        self.must(found.is_some(), "no write on an unknown set", || format!("{action:?}"));
        found
    }
}

fn is_same(set: &Set, uid: &str, resource_version: &str) -> bool {
    set.uid == uid && set.resource_version == resource_version
}

fn all(sets: &Sets) -> impl Iterator<Item = &Set> {
    sets.update.iter().chain(&sets.old)
}
