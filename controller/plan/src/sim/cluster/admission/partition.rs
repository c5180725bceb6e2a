//! The rules of `manifests/policy-statefulset.yaml` and `manifests/policy-cloneset.yaml`, in their
//! order there: they are the same. Owns the model of the policies; what they are for stands in the
//! manifests.

use crds::contract::{FENCE_PARTITION, HOLD_ANNOTATION};
use serde_json::Value;

use super::{ARMED, CONTROLLER, ROLLOUT, all_hold, is_armed, part};
use crate::sim::cluster::Refused;

pub(super) fn judge(old: &Value, new: &Value, writer: &str) -> Result<(), Refused> {
    let (was, is) = (Guarded::of(old), Guarded::of(new));
    let judged = is_armed(old) && writer != CONTROLLER;
    let same = |path: &str| old.pointer(path) == new.pointer(path);
    let template = same("/spec/template");
    let on_delete = new["spec"]["updateStrategy"]["type"] == "OnDelete";
    let empty = is.is_empty() || was.is_empty();
    let arrives_held = is.held && is.is_fenced() && is.hold != was.hold;
    let lifted = empty && is.hold.is_empty() && !is.is_fenced();
    let stays_held = is.held && !on_delete && (is.partition == was.partition || is.is_fenced());
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
            !judged || template || empty || on_delete || arrives_held,
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

/// What the policies read of an object.
struct Guarded<'a> {
    hold: &'a str,
    /// The hold is one of a release.
    held: bool,
    /// As its JSON has it.
    partition: Value,
    /// Nothing at all is let through.
    fence: Value,
    replicas: i64,
}

impl<'a> Guarded<'a> {
    fn of(object: &'a Value) -> Self {
        let spec = &object["spec"];
        let strategy = &spec["updateStrategy"];
        let hold = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap_or_default();
        let cloned = object["kind"] == "CloneSet";
        let (partition, fence, state) = if cloned {
            (&strategy["partition"], "100%".into(), "portioned")
        } else {
            let partition = &strategy["rollingUpdate"]["partition"];
            (partition, FENCE_PARTITION.into(), "partitioned")
        };
        Self {
            hold,
            held: hold.contains(&format!("\"state\":\"{state}\"")),
            partition: if partition.is_null() { 0.into() } else { partition.clone() },
            fence,
            replicas: spec["replicas"].as_i64().unwrap_or(1),
        }
    }

    fn is_fenced(&self) -> bool {
        self.partition == self.fence
    }

    /// An update reaches no pod: there is none, or the user's own partition keeps all of them. Of
    /// one pod every percentage but 0 keeps it.
    fn is_empty(&self) -> bool {
        let keeps_all = match &self.partition {
            Value::String(text) => {
                self.is_fenced()
                    || self.replicas == 1 && text.contains(|c| ('1'..='9').contains(&c))
            }
            partition => self.replicas <= partition.as_i64().unwrap_or(0),
        };
        self.replicas == 0 || !self.held && keeps_all
    }

    /// What the hold says from the revision up to the target.
    fn moves(&self) -> Option<&'a str> {
        let rest = &self.hold[self.hold.find("\"revision\":")?..];
        Some(&rest[..rest.rfind("\"target\"")?])
    }
}
