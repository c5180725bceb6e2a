//! What a validating review of a Rollout becomes: all that is wrong with it at once. The CRD has
//! the same rules; the one that only we can judge needs to see the other Rollouts.

use crds::rollout::WorkloadRef;
use crds::status::Phase;
use crds::validate::{self as judge, Problem};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::decision::{Cause, Decision, Outcome, Refusal, Verdict};
use crate::review::{Known, Operation, Request};
use crate::rivals::{Rivals, RivalsError};

/// Decides a validating review.
pub async fn validate(request: &Request<'_>, rivals: &impl Rivals) -> Decision {
    match (request.known(), request.operation) {
        (Known::Rollout, Operation::Create | Operation::Update) => written(request, rivals).await,
        (Known::Rollout, Operation::Delete) => deleted(request),
        _ => Decision::allow(Verdict::Untouched),
    }
}

async fn written(request: &Request<'_>, rivals: &impl Rivals) -> Decision {
    let new = match request.new_value() {
        Ok(new) => new,
        Err(error) => return Decision::unread("this Rollout", &error),
    };
    let old = request.old_value().ok().filter(|_| request.operation == Operation::Update);
    let name = new["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut causes = problems(old.as_ref(), &new);
    let mut warnings = Vec::new();
    // An update cannot name another workload, and must not be stopped by what others wrote.
    if request.operation == Operation::Create
        && let Ok(workload) = WorkloadRef::deserialize(&new["spec"]["workloadRef"])
    {
        match rivals.naming(&request.namespace, &workload).await {
            Ok(None) => {}
            Ok(Some(rival)) => causes.push(names_too(&workload, &rival)),
            Err(error) => warnings.push(unchecked(&workload, &error)),
        }
    }
    let (verdict, outcome) = if causes.is_empty() {
        (Verdict::Valid, Outcome::Allow)
    } else {
        (Verdict::Invalid, Outcome::Refuse(Refusal { name, causes }))
    };
    Decision { verdict, outcome, warnings }
}

fn problems(old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let problems = match old {
        Some(old) => judge::update(old, new),
        None => judge::rollout(new).err().unwrap_or_default(),
    };
    let cause = |Problem { field, message }| Cause { field, message };
    problems.into_iter().map(cause).collect()
}

fn names_too(workload: &WorkloadRef, rival: &str) -> Cause {
    let message = format!(
        "Rollout {rival} names {} {} already, and a workload has one Rollout: change {rival}, or \
         delete it first",
        workload.kind, workload.name
    );
    Cause { field: "spec.workloadRef".to_owned(), message }
}

fn unchecked(workload: &WorkloadRef, error: &RivalsError) -> String {
    tracing::warn!(kind = error.kind(), error = %runtime::chain(error), "Rollouts not listed");
    let name = &workload.name;
    format!("whether another Rollout names {name} was not checked; if one does, it goes first")
}

/// Nothing speaks against a deletion, but it may not be over as fast as it looks.
fn deleted(request: &Request<'_>) -> Decision {
    #[derive(Deserialize)]
    struct Rollout {
        #[serde(default)]
        status: Status,
    }
    #[derive(Default, Deserialize)]
    struct Status {
        #[serde(default)]
        phase: Phase,
    }
    let old = request.old_object.map(RawValue::get).map(serde_json::from_str::<Rollout>);
    let mut decision = Decision::allow(Verdict::Valid);
    if let Some(Ok(Rollout { status: Status { phase } })) = old
        && is_release(phase)
    {
        let name = &request.name;
        decision.warnings.push(format!(
            "Rollout {name} is in a release and stays until its end; kubectl sluice abort {name} \
             ends it now"
        ));
    }
    decision
}

fn is_release(phase: Phase) -> bool {
    match phase {
        Phase::Held
        | Phase::Progressing
        | Phase::Judging
        | Phase::Paused
        | Phase::RollingBack
        | Phase::Aborting
        | Phase::Failed => true,
        Phase::Pending | Phase::Ready | Phase::Rejected | Phase::Stalled | Phase::Terminating => {
            false
        }
    }
}
