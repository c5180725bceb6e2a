//! Planted bugs: mistakes that a planner, a shell or a webhook could make, switched on one at a
//! time by distorting what the shell sees, plans or writes. A test proves that the simulator finds
//! each. The real code carries none of them.

use std::collections::VecDeque;

use crds::contract::{FENCE_PARTITION, HOLD_ANNOTATION};
use crds::hold::{Bar, Reading};
use crds::request::Verb;
use crds::status::GateStatus;
use crds::{Hold, HoldState, IntOrPercent, Kept, Original, Partitioned, Portioned};
use gate::Answer;
use gate::answer::{Data, Sample};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

use super::moment::Moment;
use super::random::Random;
use super::shell::Request;
use crate::observed::{Answered, DaemonSet, Fact, Fields, Live, Pod, Sets, Strategy, Workload};
use crate::{Action, Observed, Plan};

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// maxUnavailable follows readiness down inside a batch, and counts neither what is written
    /// nor what is gone.
    UnavailableFalls,
    /// At the end fence and hold go first, the strategy in a second write.
    RestoreInTwoWrites,
    /// Readiness is judged by what was seen one look before.
    StaleReadiness,
    /// A batch's clock starts again whenever its pods lose readiness.
    DeadlineReset,
    /// ReplicaSets that are unknown count as ready.
    UnknownAdvances,
    /// A promote counts for whatever batch the release is at.
    LatePromote,
    /// The first batch is opened before the status says that a release is on.
    OpensUnannounced,
    /// A pause of some time is over at once.
    PauseForgotten,
    /// The user's minReadySeconds does not count for new pods.
    MinReadyIgnored,
    /// What scaling left beyond the batch stays.
    ExcessStays,
    /// The size annotations are not written along when ReplicaSets are resized.
    SizeAnnotationsStale,
    /// At rest maxUnavailable is a number, not a share.
    NumbersAtRest,
    /// A fenced stable ReplicaSet is not repaired.
    FencedStableStays,
    /// An abort waits for the webhook.
    AbortWaitsForWebhook,
    /// An abort leaves no bar behind.
    RejectionForgotten,
    /// The hold is written without its preconditions.
    BlindWrites,
    /// The user's own pause is lost when the controller writes the hold.
    UserPauseSwallowed,
    /// Surge and unavailable that the user edits in a release are lost.
    UserEditLost,
    /// Scaling to zero in a release does not bring the stable template back.
    ZeroIsNoRetreat,
    /// Our annotations stay on ReplicaSets when the workload is given back.
    AnnotationsLeft,
    /// No data, and no answer, count as a good value.
    UnknownPasses,
    /// An outage after a gate's passes changes nothing until its limits.
    OutageUnheard,
    /// Gates are not asked.
    GatesUnheard,
    /// A comparison counts all since the batch was ready at every look.
    LooksOverlap,
    /// A partition is one too low.
    PartitionTooLow,
    /// The partition stays down once the pods of a batch are there.
    PartitionStaysDown,
    /// The user's own partition is lost when the controller writes the hold.
    OwnPartitionLost,
    /// A pod that stands in the way of an ordered StatefulSet stays.
    ObstacleStays,
    /// A pod that looks unready is deleted even if it is ready by now.
    BlindDeletes,
    /// A CloneSet's partition keeps one pod too few.
    ShareTooLow,
    /// A CloneSet's partition is a number of pods, not a share.
    SharesAreNumbers,
    /// A CloneSet's partition stays down once the pods of a batch are there, whatever scaling would
    /// make of it.
    ShareStaysDown,
    /// A CloneSet's own partition is lost when the controller writes the hold.
    OwnShareLost,
    /// What a CloneSet's own partition keeps of a version that was taken back stays.
    TakenBackStays,
    /// One pod of a DaemonSet more goes than the batch is short of.
    NodeBeyond,
    /// All old pods of a DaemonSet that a batch takes go at once.
    NodesAtOnce,
    /// A pod of a DaemonSet that is missing does not count.
    MissingUncounted,
    /// The nodes of a DaemonSet are counted once, and not when some come or go.
    NodesCountedOnce,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 38] = [
        Self::UnavailableFalls,
        Self::RestoreInTwoWrites,
        Self::StaleReadiness,
        Self::DeadlineReset,
        Self::UnknownAdvances,
        Self::LatePromote,
        Self::OpensUnannounced,
        Self::PauseForgotten,
        Self::MinReadyIgnored,
        Self::ExcessStays,
        Self::SizeAnnotationsStale,
        Self::NumbersAtRest,
        Self::FencedStableStays,
        Self::AbortWaitsForWebhook,
        Self::RejectionForgotten,
        Self::BlindWrites,
        Self::UserPauseSwallowed,
        Self::UserEditLost,
        Self::ZeroIsNoRetreat,
        Self::AnnotationsLeft,
        Self::UnknownPasses,
        Self::OutageUnheard,
        Self::GatesUnheard,
        Self::LooksOverlap,
        Self::PartitionTooLow,
        Self::PartitionStaysDown,
        Self::OwnPartitionLost,
        Self::ObstacleStays,
        Self::BlindDeletes,
        Self::ShareTooLow,
        Self::SharesAreNumbers,
        Self::ShareStaysDown,
        Self::OwnShareLost,
        Self::TakenBackStays,
        Self::NodeBeyond,
        Self::NodesAtOnce,
        Self::MissingUncounted,
        Self::NodesCountedOnce,
    ];

    /// Distorts what the webhook made of a write.
    pub fn distort_admission(self, old: &Value, new: &mut Value) {
        if self != Self::UserEditLost {
            return;
        }
        let (Reading::Hold(was), Reading::Hold(mut is)) = (Hold::of(old), Hold::of(new)) else {
            return;
        };
        if let (HoldState::Fenced(was), HoldState::Fenced(fenced)) = (&was.state, &mut is.state) {
            fenced.original.max_surge = was.original.max_surge;
            fenced.original.max_unavailable = was.original.max_unavailable;
            new["metadata"]["annotations"][HOLD_ANNOTATION] = Value::String(is.to_text());
        }
    }
}

/// Distorts one controller.
pub struct Saboteur {
    bug: Option<Bug>,
    random: Random,
    seen: Option<Workload>,
    ready: usize,
    /// Nodes of a DaemonSet when it was first seen.
    nodes: Option<i32>,
}

impl Saboteur {
    /// With this bug, or none.
    pub fn new(bug: Option<Bug>, random: Random) -> Self {
        Self { bug, random, seen: None, ready: 0, nodes: None }
    }

    /// Before the plan.
    pub fn distort_seen(&mut self, seen: &mut Observed) {
        let Some(bug) = self.bug else { return };
        let status = &mut seen.rollout.status;
        match bug {
            Bug::LatePromote => {
                if let (Some(request), Some(batch)) = (&mut seen.rollout.request, &status.batch)
                    && matches!(request.verb, Verb::Promote | Verb::PromoteFull)
                {
                    request.batch = batch.index;
                }
            }
            Bug::PauseForgotten => {
                if let Some(ready_at) = status.batch.as_mut().and_then(|b| b.ready_at.as_mut()) {
                    *ready_at = Time(Moment::BEGIN.timestamp());
                }
            }
            Bug::UnknownPasses => seen.answers.iter_mut().for_each(all_good),
            Bug::OutageUnheard => status.gates.iter_mut().for_each(forget_outage),
            Bug::GatesUnheard => seen.rollout.spec.gates.clear(),
            Bug::LooksOverlap => {
                for said in &mut status.gates {
                    let since = said.measured.since();
                    said.comparison.iter_mut().for_each(|kept| kept.until = Time(since));
                }
            }
            _ => {}
        }
        if let Fact::Known(workload) = &mut seen.workload {
            self.distort_workload(bug, workload);
        }
    }

    fn distort_workload(&mut self, bug: Bug, workload: &mut Workload) {
        match bug {
            Bug::StaleReadiness => {
                let now = workload.clone();
                if let Some(before) = self.seen.replace(now)
                    && matches!(before.sets, Fact::Known(_))
                {
                    workload.sets = before.sets;
                }
            }
            Bug::UnknownAdvances => match (&workload.sets, &self.seen) {
                (Fact::Known(_), _) => self.seen = Some(workload.clone()),
                (_, Some(before)) => {
                    workload.sets = before.sets.clone();
                    all_ready(workload, workload.replicas);
                }
                _ => {}
            },
            Bug::MinReadyIgnored => {
                if let Fact::Known(sets) = &mut workload.sets {
                    let pods = sets.update.iter_mut().flat_map(|set| &mut set.pods);
                    for since in pods.filter_map(|pod| pod.ready_since.as_mut()) {
                        *since = Moment::BEGIN.timestamp();
                    }
                }
            }
            Bug::NodesAtOnce | Bug::MissingUncounted | Bug::NodesCountedOnce => {
                let Workload { fields, sets, .. } = workload;
                if let (Live::DaemonSet(live), Fact::Known(sets)) = (fields, sets) {
                    let first = *self.nodes.get_or_insert(live.nodes);
                    distort_nodes(bug, live, sets, first);
                    workload.replicas = live.nodes;
                }
            }
            Bug::ZeroIsNoRetreat => workload.replicas = workload.replicas.max(1),
            Bug::FencedStableStays => {
                if let Fact::Known(sets) = &mut workload.sets {
                    for set in &mut sets.old {
                        set.min_ready_seconds = 0;
                        set.available = Some(set.replicas);
                    }
                }
            }
            _ => {}
        }
    }

    /// After the plan.
    pub fn distort_plan(&mut self, seen: &Observed, plan: &mut Plan, now: Moment) {
        let Some(bug) = self.bug else { return };
        match bug {
            Bug::DeadlineReset => self.reset_deadline(seen, plan, now),
            Bug::OpensUnannounced => open_unannounced(seen, plan),
            Bug::RejectionForgotten => forget_rejection(seen, plan),
            Bug::NodeBeyond => take_one_more(seen, plan),
            Bug::ExcessStays => {
                plan.actions.retain(|action| !matches!(action, Action::ResizeSet { .. }));
            }
            Bug::ObstacleStays | Bug::TakenBackStays => {
                plan.actions.retain(|action| !matches!(action, Action::DeletePod { .. }));
            }
            Bug::PartitionStaysDown | Bug::ShareStaysDown => {
                plan.actions.retain(|action| !shuts(action));
            }
            Bug::SizeAnnotationsStale => {
                for action in &mut plan.actions {
                    if let Action::ResizeSet { desired, max, .. } = action {
                        (*desired, *max) = (1, 1);
                    }
                }
            }
            _ => {}
        }
        for action in &mut plan.actions {
            if let Action::WriteHold(write) = action {
                distort_hold(bug, seen, write);
            }
        }
    }

    fn reset_deadline(&mut self, seen: &Observed, plan: &mut Plan, now: Moment) {
        let Fact::Known(Workload { sets: Fact::Known(sets), .. }) = &seen.workload else { return };
        let pods = sets.update.iter().flat_map(|set| &set.pods);
        let ready = pods.filter(|pod| pod.ready_since.is_some()).count();
        let fewer = ready < std::mem::replace(&mut self.ready, ready);
        if let Some(batch) = plan.status.batch.as_mut().filter(|_| fewer) {
            batch.started_at = Time(now.whole_second().timestamp());
            plan.actions.retain(|action| !matches!(action, Action::WriteHold(_)));
        }
    }

    /// The writes of a plan.
    pub fn distort_requests(&mut self, requests: &mut VecDeque<Request>) {
        match self.bug {
            Some(Bug::BlindWrites) => {
                for request in requests {
                    if let Request::Hold(hold) = request {
                        hold.precondition = super::cluster::Precondition::default();
                    }
                }
            }
            Some(Bug::RestoreInTwoWrites) => in_two_writes(requests),
            Some(Bug::BlindDeletes) => {
                for request in requests {
                    if let Request::DeletePod { version, .. } = request {
                        *version = None;
                    }
                }
            }
            Some(Bug::AnnotationsLeft) => {
                let strips = |request: &Request| {
                    matches!(request, Request::Set { change: super::shell::SetChange::Strip, .. })
                };
                requests.retain(|request| !strips(request));
            }
            _ => {}
        }
        let _ = &self.random;
    }
}

fn all_good(answered: &mut Answered) {
    let sample = Sample { at: answered.ask.at, value: 0.0 };
    let sample = match answered.asked.as_ref().map(|answer| &answer.data) {
        Ok(Data::Scalar(sample)) if sample.value.is_finite() => *sample,
        _ => sample,
    };
    let (warnings, infos) = (Vec::new(), Vec::new());
    answered.asked = Ok(Answer { data: Data::Scalar(sample), warnings, infos });
    if let Some(heard) = &mut answered.heard {
        *heard = Ok(gate::HookAnswer::new(200, b""));
    }
}

/// The counts stay, and the last measurement is a pass again.
fn forget_outage(said: &mut GateStatus) {
    let Ok(mut kept) = serde_json::to_value(&said.measured) else { return };
    if kept["passed"].as_u64().unwrap_or_default() == 0 {
        return;
    }
    if let Some(last) = kept["last"].as_array_mut().and_then(|last| last.last_mut()) {
        last["verdict"] = Value::from("Pass");
    }
    if let Ok(measured) = serde_json::from_value(kept) {
        said.measured = measured;
    }
}

fn all_ready(workload: &mut Workload, replicas: i32) {
    let Fact::Known(sets) = &mut workload.sets else { return };
    for pod in sets.update.iter_mut().flat_map(|set| &mut set.pods) {
        pod.ready_since = Some(Moment::BEGIN.timestamp());
    }
    let Some(set) = &mut sets.update else { return };
    while let Some(pod) = set.pods.first().cloned()
        && i32::try_from(set.pods.len()).is_ok_and(|pods| pods < replicas)
    {
        set.pods.push(pod);
    }
}

fn distort_nodes(bug: Bug, live: &mut DaemonSet, sets: &mut Sets, first: i32) {
    match bug {
        Bug::NodesAtOnce => live.max_unavailable = IntOrPercent::Percent(100),
        Bug::MissingUncounted => {
            let missing = usize::try_from(live.nodes - live.placed(sets)).unwrap_or(0);
            let Some(set) = sets.old.iter_mut().find(|set| !set.pods.is_empty()) else { return };
            let Some(pod) = set.pods.first().cloned() else { return };
            set.pods.extend(std::iter::repeat_n(pod, missing));
        }
        _ => live.nodes = first,
    }
}

/// Another ready pod of the stable version goes, too.
fn take_one_more(seen: &Observed, plan: &mut Plan) {
    let Fact::Known(Workload { sets: Fact::Known(sets), .. }) = &seen.workload else { return };
    let goes = |pod: &Pod| {
        let taken = |action: &Action| match action {
            Action::DeletePod { pod: it, .. } => *it == pod.name,
            _ => false,
        };
        plan.actions.iter().any(taken)
    };
    let mut stays = sets.old.iter().flat_map(|set| &set.pods).filter(|pod| !goes(pod));
    let more = stays.next().map(Action::delete);
    if plan.actions.iter().any(|action| matches!(action, Action::DeletePod { .. })) {
        plan.actions.extend(more);
    }
}

fn open_unannounced(seen: &Observed, plan: &mut Plan) {
    let Fact::Known(workload) = &seen.workload else { return };
    let Reading::Hold(hold) = &workload.hold else { return };
    let HoldState::Fenced(fenced) = &hold.state else { return };
    let holds = plan.actions.iter().any(|action| matches!(action, Action::WriteHold(_)));
    if fenced.batch == 0 && !holds && fenced.revision == workload.revision {
        let mut fenced = fenced.clone();
        fenced.batch = 1;
        fenced.target.paused = false;
        fenced.target.max_surge = IntOrPercent::Count(0);
        fenced.target.max_unavailable = IntOrPercent::Count(1);
        plan.actions.push(crate::deployment::write_fenced(workload, fenced));
    }
}

fn forget_rejection(seen: &Observed, plan: &mut Plan) {
    let Fact::Known(workload) = &seen.workload else { return };
    if let Reading::Hold(hold) = &workload.hold
        && matches!(&hold.state, HoldState::Barred(barred) if barred.why == Bar::Rejected)
    {
        plan.actions.push(Action::WriteHold(crate::revisions::write(workload, None)));
    }
}

fn distort_hold(bug: Bug, seen: &Observed, write: &mut crate::WriteHold) {
    let Fact::Known(workload) = &seen.workload else { return };
    if bug == Bug::AbortWaitsForWebhook {
        write.may_write_fields = false;
    }
    let fenced = match write.hold.as_mut().map(|hold| &mut hold.state) {
        Some(HoldState::Fenced(fenced)) => fenced,
        Some(HoldState::Partitioned(held)) => return distort_partition(bug, held),
        Some(HoldState::Portioned(held)) => return distort_portion(bug, workload, held),
        _ => return,
    };
    match bug {
        Bug::UserPauseSwallowed => fenced.original.paused = false,
        Bug::NumbersAtRest => {
            let pods = fenced.target.max_unavailable.floor_of(workload.replicas);
            fenced.target.max_unavailable = IntOrPercent::Count(pods);
        }
        Bug::UnavailableFalls if !fenced.target.paused => {
            literal_formula(seen, workload, fenced);
        }
        _ => {}
    }
}

fn distort_partition(bug: Bug, held: &mut Partitioned) {
    let lowest = held.original.partition;
    let partition = &mut held.target.partition;
    match bug {
        Bug::PartitionTooLow if *partition != FENCE_PARTITION => {
            *partition = (*partition - 1).max(lowest);
        }
        Bug::OwnPartitionLost => held.original.partition = 0,
        _ => {}
    }
}

fn distort_portion(bug: Bug, workload: &Workload, held: &mut Portioned) {
    let Live::CloneSet(live) = &workload.fields else { return };
    let (lowest, partition) = (held.original.partition.pods(live.size), held.target.partition);
    let kept = partition.pods(live.size);
    match bug {
        Bug::ShareTooLow if partition != Kept::ALL => {
            held.target.partition = Kept::share((kept - 1).max(lowest), live.size);
        }
        Bug::SharesAreNumbers if partition != Kept::ALL => {
            held.target.partition = Kept::Pods(kept);
        }
        Bug::OwnShareLost => held.original.partition = Kept::Pods(0),
        _ => {}
    }
}

/// It shuts a StatefulSet's or CloneSet's partition in a batch.
fn shuts(action: &Action) -> bool {
    let Action::WriteHold(write) = action else { return false };
    match write.hold.as_ref().map(|hold| &hold.state) {
        Some(HoldState::Partitioned(held)) => {
            held.batch > 0 && held.target.partition == FENCE_PARTITION
        }
        Some(HoldState::Portioned(held)) => held.batch > 0 && held.target.partition == Kept::ALL,
        _ => false,
    }
}

/// `u = min(k, r + U)`, `s = min(S, k - u)`: the formula as it was first thought of.
fn literal_formula(seen: &Observed, workload: &Workload, fenced: &mut crds::Fenced) {
    let Some(batch) = &seen.rollout.status.batch else { return };
    let Fact::Known(sets) = &workload.sets else { return };
    let Live::Deployment(Fields { strategy: Strategy::RollingUpdate { .. }, .. }) =
        &workload.fields
    else {
        return;
    };
    let pods = sets.update.iter().flat_map(|set| &set.pods);
    let ready = pods.filter(|pod| pod.ready_since.is_some()).count();
    let ready = i32::try_from(ready).unwrap_or(0);
    let (surge, unavailable) = super::stock::arithmetic::fenceposts(
        fenced.original.max_surge,
        fenced.original.max_unavailable,
        workload.replicas,
    );
    let u = batch.replicas.min(ready + unavailable);
    fenced.target.max_unavailable = IntOrPercent::Count(u);
    fenced.target.max_surge =
        IntOrPercent::Count(surge.min(batch.replicas - u).max(i32::from(u == 0)));
}

fn in_two_writes(requests: &mut VecDeque<Request>) {
    let lift = requests
        .iter()
        .position(|request| matches!(request, Request::Hold(hold) if hold.text.is_none()));
    let Some(index) = lift else { return };
    let Some(Request::Hold(hold)) = requests.get(index).cloned() else { return };
    let was = hold.precondition.annotation.and_then(|(_, text)| text).unwrap_or_default();
    let Reading::Hold(was) = Hold::read(&was) else { return };
    let Some(original) = was.as_fenced().map(|fenced| fenced.original) else { return };
    let patch = |sabotage| Request::Patch { workload: hold.workload.clone(), sabotage };
    requests[index] = patch(Sabotage::RestoreFence(original));
    requests.insert(index + 1, patch(Sabotage::RestoreStrategy(original)));
}

/// A write that only a planted bug makes, past webhook and policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sabotage {
    /// The hold goes, and the fence, but not the strategy.
    RestoreFence(Original),
    /// The strategy.
    RestoreStrategy(Original),
}

impl Sabotage {
    /// Changes the Deployment.
    pub fn apply(self, raw: &mut Value) {
        match self {
            Self::RestoreFence(original) => {
                if let Some(annotations) = raw["metadata"]["annotations"].as_object_mut() {
                    annotations.remove(HOLD_ANNOTATION);
                }
                raw["spec"]["paused"] = original.paused.into();
                raw["spec"]["minReadySeconds"] = original.min_ready_seconds.into();
                raw["spec"]["progressDeadlineSeconds"] = original.progress_deadline_seconds.into();
            }
            Self::RestoreStrategy(original) => {
                let rolling = &mut raw["spec"]["strategy"]["rollingUpdate"];
                rolling["maxSurge"] = serde_json::json!(original.max_surge);
                rolling["maxUnavailable"] = serde_json::json!(original.max_unavailable);
            }
        }
    }
}
