//! What stands before an update of a workload: our webhook, when it answers, and the admission
//! policy. Owns the path, not the projection: that is `crds::project`.

mod daemonset;
mod partition;

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

    /// The validating step: the rules of `manifests/policy.yaml`, in their order there.
    pub fn judge(self, old: &Value, new: &Value, writer: &str) -> Result<(), Refused> {
        if !self.policy || !(is_armed(old) || is_armed(new)) {
            return Ok(());
        }
        if new["kind"] == "DaemonSet" {
            return daemonset::judge(old, new, writer);
        }
        if new["kind"] == "StatefulSet" || new["kind"] == "CloneSet" {
            return partition::judge(old, new, writer);
        }
        let (was, is) = (Guarded::of(old), Guarded::of(new));
        let judged = is_armed(old) && writer != CONTROLLER;
        let same = |path: &str| old.pointer(path) == new.pointer(path);
        let empty = is.replicas == 0 || was.replicas == 0;
        let template = same("/spec/template");
        let recreate = new["spec"]["strategy"]["type"] == "Recreate";
        let arrives_held = is.held && is.fenced && is.paused && is.hold != was.hold;
        let stays_held = is.held
            && is.fenced
            && same("/spec/strategy")
            && (is.paused || !is.hold.contains("\"paused\":true"));
        let part = |from: &str, to: char| part(was.hold, from, to) == part(is.hold, from, to);
        let same_hold = part("\"stable\":", ',')
            && part("\"maxSurge\":", '}')
            && (!template || part("\"revision\":", '}'));
        let rules = [
            (
                !judged || template || empty || recreate || arrives_held,
                "a template change must arrive held",
            ),
            (
                !judged || !was.held || (empty && is.hold.is_empty() && !is.fenced) || stays_held,
                "held: only the controller changes what holds",
            ),
            (
                !judged || !was.held || !is.held || is.hold == was.hold || same_hold,
                "held: only the controller changes the hold",
            ),
            (
                !judged || was.held || was.hold.is_empty() || !is.hold.is_empty() || empty,
                "barred: only the controller lets it in",
            ),
            (!judged || (same(ARMED) && same(ROLLOUT)), "our labels stay"),
            (
                is.held || !is.fenced || (was.fenced && !was.held),
                "half held: fenced without a hold",
            ),
            (
                !is.hold.contains("\"template\":{") || is.hold == was.hold,
                "half held: the template is still in the hold",
            ),
        ];
        all_hold(&rules)
    }
}

/// Refuses with the message of the first rule that does not hold.
fn all_hold(rules: &[(bool, &str)]) -> Result<(), Refused> {
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, message)) => Err(Refused::Denied((*message).to_owned())),
        None => Ok(()),
    }
}

const ARMED: &str = "/metadata/labels/sluice.dev~1armed";
const ROLLOUT: &str = "/metadata/labels/sluice.dev~1rollout";

/// What the policy reads of an object.
struct Guarded<'a> {
    hold: &'a str,
    /// The hold is one of a release.
    held: bool,
    fenced: bool,
    paused: bool,
    replicas: i64,
}

impl<'a> Guarded<'a> {
    fn of(object: &'a Value) -> Self {
        let spec = &object["spec"];
        let hold = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap_or_default();
        Self {
            hold,
            held: hold.contains("\"state\":\"fenced\""),
            fenced: spec["minReadySeconds"] == i64::from(FENCE_MIN_READY_SECONDS),
            paused: spec["paused"] == true,
            replicas: spec["replicas"].as_i64().unwrap_or(1),
        }
    }
}

/// The part of a hold's text from `from` up to the next `to`.
fn part<'a>(text: &'a str, from: &str, to: char) -> Option<&'a str> {
    let rest = &text[text.find(from)?..];
    rest.split(to).next()
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
