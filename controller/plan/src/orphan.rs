//! An armed workload that no Rollout names any more: its Rollout went without its finalizer, or the
//! workload is a copy that was made with our labels. Nobody can promote or abort it, so it is given
//! back. Knows nothing of Rollouts and releases.

use crds::hold::Reading;

use crate::action::WriteHold;
use crate::observed::Workload;
use crate::revisions::write;
use crate::waiting::Wait;

/// The next step on the way to a workload without a trace of us.
#[derive(Clone, Debug, PartialEq)]
pub enum GiveBack {
    /// The user's own fields, in one write.
    Lift(Box<WriteHold>),
    /// Our labels, and what the stock controller copied of the hold.
    Disarm {
        /// Precondition.
        uid: String,
    },
    /// None before the stock controller has acted on the last one: until then it copies the hold to
    /// its ReplicaSets.
    Wait,
    /// None at all: what its own fields are nobody here can tell. The sentence says why.
    Leave(String),
}

/// What gives an orphan back: first its own fields, then the labels.
#[must_use]
pub fn give_back(workload: &Workload) -> GiveBack {
    match &workload.hold {
        Reading::Newer(schema) => {
            GiveBack::Leave(Wait::NewerHold { schema: *schema }.message(workload.kind()))
        }
        Reading::None | Reading::Malformed(_) if workload.is_fenced() => {
            GiveBack::Leave(Wait::FenceWithoutHold.message(workload.kind()))
        }
        Reading::Malformed(_) | Reading::Hold(_) => {
            let mut write = write(workload, None);
            write.may_write_fields = true;
            GiveBack::Lift(Box::new(write))
        }
        Reading::None if workload.observed_generation < workload.generation => GiveBack::Wait,
        Reading::None => GiveBack::Disarm { uid: workload.uid.clone() },
    }
}
