//! What a human asked for: granted or refused, in a sentence that says what changed since the
//! request was written. What follows from a granted request is the machine's business.

use crds::Revision;
use crds::request::{Request, Verb};
use crds::status::{Answer, BatchStatus, GateState, PausedBy, Phase, Skipped, SkippedBy};

use crate::draft::Draft;

/// What came of looking for a request in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// There is none that is not answered.
    Nothing,
    /// It is answered, and the answer has to be on record before anything moves.
    Answered,
    /// The release has to be taken back. Answered when that is seen.
    Abort,
}

/// The request that waits for an answer.
pub(crate) fn open<'a>(draft: &Draft<'a>) -> Option<&'a Request> {
    let request = draft.seen.rollout.request.as_ref()?;
    let answered = draft.before().answer.as_ref().is_some_and(|answer| answer.id == request.id);
    (!answered).then_some(request)
}

/// Who asked, as a reason.
pub(crate) fn asked_by(request: &Request) -> String {
    let done = match request.verb {
        Verb::Promote | Verb::PromoteFull => "promoted",
        Verb::Pause => "paused",
        Verb::Resume => "resumed",
        Verb::Abort => "aborted",
        Verb::Retry => "retried",
        Verb::SkipGates => "let go on without gates",
    };
    format!("{done} by {}", request.by.as_deref().unwrap_or("request"))
}

/// Answers it.
pub(crate) fn answer(draft: &mut Draft<'_>, request: &Request, verdict: Result<String, String>) {
    let granted = verdict.is_ok();
    let (Ok(message) | Err(message)) = verdict;
    draft.status.answer = Some(Answer {
        id: request.id.clone(),
        verb: request.verb,
        revision: Some(request.revision.clone()),
        by: request.by.clone(),
        granted,
        message,
        at: draft.stamp(),
    });
}

/// Refuses whatever is asked while there is no release to ask it of.
pub(crate) fn refuse_at_rest(draft: &mut Draft<'_>, why: &str) {
    let answered = draft.status.answer != draft.before().answer;
    if let Some(request) = open(draft).filter(|_| !answered) {
        answer(draft, request, Err(why.to_owned()));
    }
}

/// Hears a request in a release of `revision`.
pub(crate) fn hear(draft: &mut Draft<'_>, revision: &Revision) -> Heard {
    let Some(request) = open(draft) else { return Heard::Nothing };
    if request.revision != *revision {
        let meant = &request.revision;
        let why = format!("it meant revision {meant}; the release is of {revision} now");
        answer(draft, request, Err(why));
        return Heard::Answered;
    }
    if request.verb == Verb::Abort {
        return Heard::Abort;
    }
    let verdict = match request.verb {
        Verb::Promote => promote(draft, request, false),
        Verb::PromoteFull => promote(draft, request, true),
        Verb::SkipGates => skip_gates(draft, request),
        Verb::Pause => pause(draft, request),
        Verb::Resume => resume(draft),
        Verb::Abort | Verb::Retry => retry(draft),
    };
    answer(draft, request, verdict);
    Heard::Answered
}

fn promote(draft: &mut Draft<'_>, request: &Request, full: bool) -> Result<String, String> {
    let failed = draft.status.phase == Phase::Failed;
    let spec_paused = draft.seen.rollout.spec.paused;
    let gated = is_gated(draft);
    let Some(batch) = &mut draft.status.batch else {
        return Err("no batch has begun".into());
    };
    let BatchStatus { index, count, .. } = *batch;
    if request.batch != index && !(full && request.batch == 0) {
        let meant = request.batch;
        return Err(format!("it meant batch {meant}; the release is at batch {index} now"));
    }
    if failed {
        return Err(format!("batch {index} has failed; resume gives it more time, or abort"));
    }
    if spec_paused {
        return Err("the Rollout's spec.paused is true; set it to false first".into());
    }
    batch.promoted = true;
    batch.full |= full;
    draft.status.paused = None;
    let when = match batch.ready_at {
        None => "when its pods are ready",
        Some(_) if gated => "once its gates have passed",
        Some(_) => "now",
    };
    Ok(match (full, index >= count) {
        (_, true) => format!("batch {index} is the last; the release ends {when}"),
        (true, false) => format!("goes on from batch {index} {when}, without further pauses"),
        (false, false) => format!("goes on from batch {index} to {} {when}", index + 1),
    })
}

/// A gate of the batch has not passed yet, and nobody let the batch go on without it.
fn is_gated(draft: &Draft<'_>) -> bool {
    let Some(batch) = &draft.status.batch else { return false };
    let decides = |name: &str| {
        let gates = &draft.seen.rollout.spec.gates;
        gates.iter().any(|gate| gate.name == name && !gate.dry_run)
    };
    batch.gates_skipped.is_none()
        && draft.status.gates.iter().any(|gate| {
            gate.batch == batch.index && gate.state != GateState::Passed && decides(&gate.name)
        })
}

fn skip_gates(draft: &mut Draft<'_>, request: &Request) -> Result<String, String> {
    let (failed, at) = (draft.status.phase == Phase::Failed, draft.stamp());
    let Some(batch) = &mut draft.status.batch else {
        return Err("no batch has begun".into());
    };
    let index = batch.index;
    if request.batch != index {
        let meant = request.batch;
        return Err(format!("it meant batch {meant}; the release is at batch {index} now"));
    }
    batch.gates_skipped = Some(SkippedBy { by: request.by.clone(), at: at.clone() });
    draft.status.skipped.retain(|one| one.batch != index);
    draft.status.skipped.push(Skipped { batch: index, by: request.by.clone(), at });
    if failed {
        again(draft);
    }
    Ok(format!("batch {index} goes on without its gates"))
}

fn pause(draft: &mut Draft<'_>, request: &Request) -> Result<String, String> {
    if draft.status.paused.is_some() {
        return Ok("it is paused already".into());
    }
    draft.status.paused = Some(PausedBy { by: request.by.clone(), at: draft.stamp() });
    Ok("stops before the next batch".into())
}

fn resume(draft: &mut Draft<'_>) -> Result<String, String> {
    let failed = draft.status.phase == Phase::Failed;
    if draft.status.paused.take().is_none() && !failed {
        return Err(match &draft.status.batch {
            Some(batch) if batch.ready_at.is_some() && batch.definition_pauses() => {
                "nobody paused it; promote lets the batch go on".into()
            }
            _ => "it is not paused".into(),
        });
    }
    Ok(if failed { again(draft) } else { "goes on".into() })
}

fn retry(draft: &mut Draft<'_>) -> Result<String, String> {
    match draft.status.phase {
        Phase::Failed => Ok(again(draft)),
        _ => Ok("the revision is in its release".into()),
    }
}

/// Gives a failed batch its time once more.
fn again(draft: &mut Draft<'_>) -> String {
    let stamp = draft.stamp();
    draft.phase(Phase::Progressing);
    match &mut draft.status.batch {
        Some(batch) => {
            batch.started_at = stamp;
            // Its gates begin anew with it.
            batch.ready_at = None;
            draft.status.failure = None;
            format!("batch {} gets its time once more", batch.index)
        }
        None => "goes on".into(),
    }
}

/// Whether a batch is followed by a pause.
trait Pauses {
    fn definition_pauses(&self) -> bool;
}

impl Pauses for BatchStatus {
    fn definition_pauses(&self) -> bool {
        self.definition.as_ref().is_some_and(|batch| batch.pause.is_some())
    }
}
