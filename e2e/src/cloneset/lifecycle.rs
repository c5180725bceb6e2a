//! The passages of a pod's life without hooks: each ends by itself. Pure.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::inplace;
use super::member::{Lifecycle, Member};
use super::names::{LIFECYCLE_STATE, LIFECYCLE_TIME};
use super::pod::whole_second;

/// The patch to the state that comes next, if it is time for one.
pub fn next(pod: &Pod, member: &Member, update_revision: &str, now: Timestamp) -> Option<Value> {
    let is_normal = match member.lifecycle {
        Lifecycle::PreparingNormal => member.node.is_some(),
        Lifecycle::PreparingUpdate => member.revision == update_revision,
        Lifecycle::Updating => inplace::is_over(pod),
        Lifecycle::Updated => true,
        _ => false,
    };
    is_normal.then(|| {
        json!({ "metadata": {
            "labels": { LIFECYCLE_STATE: "Normal" },
            "annotations": { LIFECYCLE_TIME: whole_second(now) },
        } })
    })
}
