//! Tests of the retreat without a webhook.

use serde_json::json;

use super::*;
use crate::testing::{deployment, raw, with};

#[test]
fn entries_are_taken_from_the_last_to_the_first() {
    let entries = ["a", RETREAT_MANAGER, "b", RETREAT_MANAGER];
    let entries: Vec<_> = entries.iter().map(|name| json!({ "manager": name })).collect();
    let live = with(&deployment(), &json!({ "metadata": { "managedFields": entries } }));
    let patch = tidy_patch(&raw(&live));
    let mut after = live;
    json_patch::patch(&mut after, &patch).unwrap();
    let left = json!([{ "manager": "a" }, { "manager": "b" }]);
    assert_eq!(after["metadata"]["managedFields"], left);
}

#[test]
fn nothing_left_behind_is_nothing_to_write() {
    assert!(tidy_patch(&raw(&deployment())).is_empty());
}
