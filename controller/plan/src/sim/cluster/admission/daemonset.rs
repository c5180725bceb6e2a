//! The rules of `manifests/policy-daemonset.yaml`, in their order there: they are the same. Owns
//! the model of the policy; what it is for stands in the manifest.

use crds::contract::HOLD_ANNOTATION;
use serde_json::Value;

use super::{ARMED, CONTROLLER, ROLLOUT, all_hold, is_armed, part};
use crate::sim::cluster::Refused;

pub(super) fn judge(old: &Value, new: &Value, writer: &str) -> Result<(), Refused> {
    let (was, is) = (Guarded::of(old), Guarded::of(new));
    let judged = is_armed(old) && writer != CONTROLLER;
    let same = |path: &str| old.pointer(path) == new.pointer(path);
    let template = same("/spec/template");
    let empty = is_empty(old);
    let on_delete = is.strategy == "OnDelete";
    let own = on_delete && !is.held && !was.held;
    let fenced = on_delete && (is.held || was.held);
    let arrives_held = is.held && fenced && is.hold != was.hold;
    let lifted = empty && is.hold.is_empty() && !fenced;
    let same_hold = part(was.hold, "\"stable\":", ',') == part(is.hold, "\"stable\":", ',')
        && (!template || was.moves() == is.moves());
    let follows = if is.held {
        is.hold.contains(&format!("\"target\":{{\"type\":\"{}\"}}", is.strategy))
    } else {
        !was.held || was.hold.contains(&format!("\"original\":{{\"type\":\"{}\"}}", is.strategy))
    };
    all_hold(&[
        (!judged || template || empty || own || arrives_held, "a template change must arrive held"),
        (
            !judged || !was.held || lifted || (is.held && fenced),
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
        (follows, "half held: the type is not what the hold says"),
        (
            !is.hold.contains("\"template\":{") || is.hold == was.hold,
            "half held: the template is still in the hold",
        ),
    ])
}

/// Its controller has counted, and there is no node for it.
fn is_empty(old: &Value) -> bool {
    let status = &old["status"];
    let seen = status["observedGeneration"].as_i64();
    seen.is_some()
        && seen >= old["metadata"]["generation"].as_i64()
        && status["desiredNumberScheduled"] == 0
}

/// What the policy reads of an object.
struct Guarded<'a> {
    hold: &'a str,
    /// The hold is one of a release.
    held: bool,
    strategy: &'a str,
}

impl<'a> Guarded<'a> {
    fn of(object: &'a Value) -> Self {
        let hold = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap_or_default();
        Self {
            hold,
            held: hold.contains("\"state\":\"withheld\""),
            strategy: object["spec"]["updateStrategy"]["type"].as_str().unwrap_or_default(),
        }
    }

    /// What the hold says from the revision up to the target.
    fn moves(&self) -> Option<&'a str> {
        let rest = &self.hold[self.hold.find("\"revision\":")?..];
        Some(&rest[..rest.rfind("\"target\"")?])
    }
}
