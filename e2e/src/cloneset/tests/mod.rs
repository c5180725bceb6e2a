//! The pure parts of the double. Kruise's own unit vectors are facts here: what they say is how
//! the real controller decides.

mod decide;
mod inplace;
mod made;
mod order;
mod partition;
mod progress;
mod queue;
mod revisions;
mod status;
mod update;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::decide::{Revisions, Wish};
use super::member::{Lifecycle, Member, Phase};
use super::spec::CloneSet;

const OLD: &str = "old";
const NEW: &str = "new";
const RELEASE: Revisions<'static> = Revisions { current: OLD, update: NEW };

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// `O` and `N` are ready pods of the old and the new revision, `o` and `n` pods that are not; a
/// star marks the one before it for deletion. They are named after their place.
fn members(sketch: &str) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for letter in sketch.chars() {
        if letter == '*' {
            members.last_mut().unwrap().doomed = true;
            continue;
        }
        let is_ready = letter.is_ascii_uppercase();
        members.push(Member {
            name: format!("{}{letter}", members.len()),
            revision: if letter.eq_ignore_ascii_case(&'o') { OLD } else { NEW }.to_owned(),
            lifecycle: Lifecycle::Normal,
            node: Some(format!("node-{}", members.len())),
            phase: Phase::Running,
            ready_since: is_ready.then(|| ago(60)),
            created: Some(ago(120)),
            update_ready: Some(true),
            ..Member::default()
        });
    }
    members
}

fn wish(replicas: i32, partition: i32, unavailable: i32, surge: i32) -> Wish {
    Wish {
        replicas,
        partition,
        surge,
        unavailable,
        scale_unavailable: i32::MAX,
        min_ready: 0,
        goes_back: false,
    }
}

/// A set with these fields in its spec.
fn set(spec: &Value) -> CloneSet {
    let metadata = json!({ "name": "web", "namespace": "shop", "uid": "u-1", "generation": 7 });
    let mut whole = json!({
        "replicas": 3,
        "selector": { "matchLabels": { "app": "web" } },
        "template": template("app:1"),
    });
    json_patch::merge(&mut whole, spec);
    CloneSet {
        metadata: serde_json::from_value(metadata).unwrap(),
        spec: serde_json::from_value(whole).unwrap(),
        status: serde_json::from_value(json!({})).unwrap(),
    }
}

fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "web" }, "annotations": { "note": "a" } },
        "spec": { "containers": [{ "name": "web", "image": image }] },
    })
}
