//! The rules of `manifests/policy-statefulset.yaml`, in their order there. Owns the model of the
//! policy; what it is for stands in the manifest.

use crds::contract::{FENCE_PARTITION, HOLD_ANNOTATION};
use serde_json::Value;

use super::{ARMED, CONTROLLER, ROLLOUT, all_hold, is_armed, part};
use crate::sim::cluster::Refused;

pub(super) fn judge(old: &Value, new: &Value, writer: &str) -> Result<(), Refused> {
    let (was, is) = (Guarded::of(old), Guarded::of(new));
    let judged = is_armed(old) && writer != CONTROLLER;
    let same = |path: &str| old.pointer(path) == new.pointer(path);
    let template = same("/spec/template");
    let strategy = new["spec"]["updateStrategy"]["type"].as_str();
    let empty = is.is_empty() || was.is_empty();
    let arrives_held = is.held && is.is_fenced() && is.hold != was.hold;
    let lifted = empty && is.hold.is_empty() && !is.is_fenced();
    let stays_held = is.held
        && strategy == Some("RollingUpdate")
        && (is.partition == was.partition || is.is_fenced());
    let same_hold = part(was.hold, "\"stable\":", ',') == part(is.hold, "\"stable\":", ',')
        && (!template || was.moves() == is.moves());
    let follows = if is.held {
        is.hold.contains(&format!("\"target\":{{\"partition\":{}}}", is.partition))
    } else {
        let own = format!("\"original\":{{\"partition\":{}}}", is.partition);
        !was.held || was.hold.contains(&own)
    };
    all_hold(&[
        (
            !judged || template || empty || strategy == Some("OnDelete") || arrives_held,
            "a template change must arrive held",
        ),
        (
            !judged || !was.held || lifted || stays_held,
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
        (follows, "half held: the partition is not what the hold says"),
        (
            !is.hold.contains("\"template\":{") || is.hold == was.hold,
            "half held: the template is still in the hold",
        ),
    ])
}

/// What the policy reads of an object.
struct Guarded<'a> {
    hold: &'a str,
    /// The hold is one of a release.
    held: bool,
    partition: i64,
    replicas: i64,
}

impl<'a> Guarded<'a> {
    fn of(object: &'a Value) -> Self {
        let spec = &object["spec"];
        let hold = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap_or_default();
        Self {
            hold,
            held: hold.contains("\"state\":\"partitioned\""),
            partition: spec["updateStrategy"]["rollingUpdate"]["partition"].as_i64().unwrap_or(0),
            replicas: spec["replicas"].as_i64().unwrap_or(1),
        }
    }

    /// Nothing at all is let through.
    fn is_fenced(&self) -> bool {
        self.partition == i64::from(FENCE_PARTITION)
    }

    /// An update reaches no pod.
    fn is_empty(&self) -> bool {
        self.replicas <= if self.held { 0 } else { self.partition }
    }

    /// What the hold says from the revision up to the target.
    fn moves(&self) -> Option<&'a str> {
        let rest = &self.hold[self.hold.find("\"revision\":")?..];
        Some(&rest[..rest.rfind("\"target\"")?])
    }
}
