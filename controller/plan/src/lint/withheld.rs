//! Rules of a DaemonSet: the writes of its hold, and the pods that a plan takes away.

use crds::status::Phase;
use crds::{UpdateType, Withheld};

use super::batches::{self, Lets};
use super::hold::Release;
use super::{Lint, all};
use crate::action::{Action, Plan};
use crate::observed::{DaemonSet, Fact, Live, Pod, Set, Workload};
use crate::revisions::count;

/// The hold of a DaemonSet goes from `now` (none: it is at rest, or barred) to `next`.
pub(super) fn check(
    lint: &mut Lint,
    release: &Release<'_>,
    (now, next): (Option<&Withheld>, &Withheld),
) {
    let detail = || release.detail();
    let of_kind = matches!(release.workload.fields, Live::DaemonSet(_));
    lint.must(of_kind, "a hold is of the workload's kind", detail);
    let shut = next.target.by == UpdateType::OnDelete;
    lint.must(shut, "a held DaemonSet updates nothing by itself", detail);
    let own = next.original.by == UpdateType::RollingUpdate;
    lint.must(own, "originals are the user's", detail);
    batches::check(lint, release, (now, next), &Lets { shut, pods: None });
}

/// The pods that a plan takes away are old ones, in a batch, no more of them than the batch is for,
/// and so few that serve as the user's maxUnavailable allows.
pub(super) fn check_pods(lint: &mut Lint, workload: &Workload, live: &DaemonSet, plan: &Plan) {
    let taken: Vec<&str> = plan.actions.iter().filter_map(taken).collect();
    let Fact::Known(sets) = &workload.sets else { return };
    if taken.is_empty() {
        return;
    }
    let detail = || format!("{taken:?} of {workload:?}");
    let Some(held) = workload.held().filter(|held| held.batch > 0) else {
        return lint.must(false, "pods of a DaemonSet go only in a batch", detail);
    };
    let goes = |pod: &&Pod| taken.contains(&pod.name.as_str());
    let pods = |of: &dyn Fn(&Set) -> bool| {
        let sets = all(sets).filter(|set| of(set));
        sets.flat_map(|set| &set.pods).collect::<Vec<&Pod>>()
    };
    let new = pods(&|set| set.revision == *held.revision);
    let old = pods(&|set| set.revision != *held.revision);
    lint.must(!new.iter().any(&goes), "no pod of the update is taken away", detail);
    let stays = |pods: &[&Pod]| count(pods.iter().filter(|pod| !goes(pod)));
    let allowed = plan.status.batch.as_ref().map_or(0, |batch| batch.replicas);
    let kept = stays(&old) >= workload.replicas - allowed;
    lint.must(kept, "no pod is taken away beyond the batch", detail);
    let serves = |pod: &&&Pod| pod.ready_since.is_some();
    if !old.iter().filter(serves).any(&goes) {
        return;
    }
    let failed = plan.status.phase == Phase::Failed;
    lint.must(!failed, "a failed release takes no pod that serves", detail);
    let left = old.iter().chain(&new).filter(serves).filter(|pod| !goes(pod));
    let enough = count(left) >= live.nodes - live.may_be_unavailable();
    lint.must(enough, "pods that serve go within maxUnavailable", detail);
}

fn taken(action: &Action) -> Option<&str> {
    match action {
        Action::DeletePod { pod, .. } => Some(pod),
        _ => None,
    }
}
