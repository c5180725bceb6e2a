//! The condition Progressing.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::progress::{condition, next_look, of};
use super::super::spec::CloneSet;
use super::super::status::{Condition, Pass, Status, status};
use super::{ago, members, now, set};

fn with_deadline(strategy: &Value) -> CloneSet {
    set(&json!({ "progressDeadlineSeconds": 30, "updateStrategy": strategy }))
}

fn counted(set: &CloneSet, sketch: &str) -> Status {
    let pass = Pass {
        current_revision: "web-old".to_owned(),
        update_revision: "web-new".to_owned(),
        ..Pass::default()
    };
    status(set, &members(sketch), pass, now())
}

fn reason(set: &CloneSet, sketch: &str) -> String {
    of(&counted(set, sketch)).map_or_else(String::new, |condition| condition.reason.clone())
}

fn before(reason: &str, seconds: i64) -> Vec<Condition> {
    let condition = json!({
        "type": "Progressing",
        "status": "True",
        "reason": reason,
        "lastUpdateTime": ago(seconds),
        "lastTransitionTime": ago(seconds),
    });
    vec![serde_json::from_value(condition).unwrap()]
}

#[test]
fn without_a_deadline_there_is_none() {
    assert_eq!(reason(&set(&json!({})), "NNN"), "");
}

#[test]
fn it_says_how_far_the_update_is() {
    let free = with_deadline(&json!({}));
    assert_eq!(reason(&free, "NNN"), "CloneSetAvailable");
    assert_eq!(reason(&free, "NOO"), "CloneSetUpdated");
    assert_eq!(reason(&with_deadline(&json!({ "paused": true })), "NOO"), "CloneSetPaused");
    let held = with_deadline(&json!({ "partition": 2 }));
    assert_eq!(reason(&held, "NOO"), "ProgressPartitionAvailable");
    assert_eq!(reason(&held, "nOO"), "CloneSetUpdated");
}

#[test]
fn the_deadline_counts_from_when_it_went_on() {
    let mut set = with_deadline(&json!({}));
    set.status.conditions = before("CloneSetUpdated", 29);
    assert_eq!(reason(&set, "NOO"), "CloneSetUpdated");
    let look = next_look(&set, &counted(&set, "NOO"), now());
    assert_eq!(look, Some(Duration::from_secs(2)));
    set.status.conditions = before("CloneSetUpdated", 30);
    assert_eq!(reason(&set, "NOO"), "ProgressDeadlineExceeded");
    set.status.conditions = before("ProgressDeadlineExceeded", 1);
    assert_eq!(reason(&set, "NOO"), "ProgressDeadlineExceeded");
}

#[test]
fn time_in_a_hold_does_not_count() {
    let mut set = with_deadline(&json!({}));
    for held in ["CloneSetPaused", "ProgressPartitionAvailable", "CloneSetAvailable"] {
        set.status.conditions = before(held, 1000);
        let condition = condition(&set, &counted(&set, "NOO"), now()).unwrap();
        assert_eq!(condition.reason, "CloneSetUpdated");
        assert_eq!(condition.last_update_time, Some(now()));
        // It was True before.
        assert_eq!(condition.last_transition_time, Some(ago(1000)));
    }
}
