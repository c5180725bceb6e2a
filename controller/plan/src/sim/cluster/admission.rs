//! What stands before a Deployment update: our webhook, when it answers, and the admission policy.
//! Owns the path, not the projection: that is `crds::project`.

use crds::contract::{ARMED_LABEL, ARMED_VALUE, FENCE_MIN_READY_SECONDS, HOLD_ANNOTATION};
use crds::project::Writer;
use serde_json::Value;

use super::Refused;
use crate::sim::bug::Bug;

/// The writer's name of our own controller in the model.
pub const CONTROLLER: &str = "system:serviceaccount:sluice-system:sluice-controller";

/// Which parts of admission work now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The webhook answers. It fails open.
    pub webhook: bool,
    /// The ValidatingAdmissionPolicy is installed.
    pub policy: bool,
    /// A planted bug of the webhook.
    pub bug: Option<Bug>,
}

impl Default for Admission {
    fn default() -> Self {
        Self { webhook: true, policy: true, bug: None }
    }
}

impl Admission {
    /// The mutating step: the warnings that the writer gets.
    pub fn review(
        self,
        old: &Value,
        new: &mut Value,
        writer: &str,
    ) -> Result<Vec<String>, Refused> {
        if self.webhook && (is_armed(old) || is_armed(new)) {
            let warnings = project(old, new, writer)?;
            if let Some(bug) = self.bug {
                bug.distort_admission(old, new);
            }
            Ok(warnings)
        } else {
            Ok(Vec::new())
        }
    }

    /// The validating step, rules (a) to (d) of the policy.
    pub fn judge(self, old: &Value, new: &Value, writer: &str) -> Result<(), Refused> {
        if !self.policy || !(is_armed(old) || is_armed(new)) {
            return Ok(());
        }
        let ours = writer == CONTROLLER;
        let (was_held, is_held) = (is_held(old), is_held(new));
        let fenced = |object: &Value| {
            object["spec"]["minReadySeconds"] == i64::from(FENCE_MIN_READY_SECONDS)
        };
        let same = |path: &str| old.pointer(path) == new.pointer(path);
        let rules = [
            (is_held || !fenced(new), "fenced without a hold"),
            (
                ours || !was_held
                    || (is_held
                        && fenced(old) == fenced(new)
                        && same("/spec/strategy")
                        && same("/spec/progressDeadlineSeconds")),
                "held: only the controller changes the hold",
            ),
            (ours || !is_armed(old) || is_armed(new), "the arming label stays"),
            (
                ours || same("/spec/template")
                    || (fenced(new) && new["spec"]["paused"] == true)
                    || new["spec"]["replicas"] == 0
                    || old["spec"]["replicas"] == 0,
                "a template change must arrive held",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, message)) => Err(Refused::Denied(message.to_owned())),
            None => Ok(()),
        }
    }
}

/// What the webhook makes of a write.
pub fn project(old: &Value, new: &mut Value, writer: &str) -> Result<Vec<String>, Refused> {
    let writer = if writer == CONTROLLER { Writer::Controller } else { Writer::Other };
    let projection = crds::project::project(old, new, writer);
    json_patch::patch(new, &projection.patch)
        .map_err(|error| Refused::Invalid(format!("patch of the webhook: {error}")))?;
    Ok(projection.warnings)
}

/// The fields are what project() makes of the hold.
pub fn is_projected(object: &Value) -> bool {
    crds::project::projected(object)
}

/// The arming label is on it.
pub fn is_armed(object: &Value) -> bool {
    object["metadata"]["labels"][ARMED_LABEL] == ARMED_VALUE
}

fn is_held(object: &Value) -> bool {
    object["metadata"]["annotations"][HOLD_ANNOTATION].is_string()
}
