//! What a mutating review becomes. Pure: the same review, the same answer, on every replica.

use crds::project::{Projection, Writer, project};
use serde_json::Value;

use crate::decision::{Decision, Outcome, Verdict};
use crate::review::{Known, Operation, Request};
use crate::stamp::stamp;

/// Decides a mutating review. `controller` is the user name that alone may change what is ours.
#[must_use]
pub fn mutate(request: &Request<'_>, controller: &str) -> Decision {
    match (request.known(), request.operation) {
        (Known::Workload(_), Operation::Update) => {
            projected(request, controller, "this workload", project)
        }
        (Known::Route, Operation::Update) => {
            projected(request, controller, "this route", crds::route::project)
        }
        (Known::Rollout, Operation::Create | Operation::Update) => rollout(request),
        _ => Decision::allow(Verdict::Untouched),
    }
}

fn projected(
    request: &Request<'_>,
    controller: &str,
    what: &'static str,
    project: fn(&Value, &Value, Writer) -> Projection,
) -> Decision {
    let (old, new) = match (request.old_value(), request.new_value()) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => return Decision::unread(what, &error),
    };
    let writer = Writer::named(&request.user_info.username, controller);
    let Projection { patch, warnings, verdict } = project(&old, &new, writer);
    let outcome = if patch.0.is_empty() { Outcome::Allow } else { Outcome::Patch(patch) };
    Decision { verdict: Verdict::Projected(verdict), outcome, warnings }
}

fn rollout(request: &Request<'_>) -> Decision {
    let new = match request.new_value() {
        Ok(new) => new,
        Err(error) => return Decision::unread("this Rollout", &error),
    };
    let old: Option<Value> = request.old_value().ok();
    match stamp(old.as_ref(), &new, &request.user_info.username) {
        None => Decision::allow(Verdict::Untouched),
        Some(patch) => Decision {
            verdict: Verdict::Stamped,
            outcome: Outcome::Patch(patch),
            warnings: Vec::new(),
        },
    }
}
