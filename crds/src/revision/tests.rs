//! Which templates are one revision. The stock controller decides: two templates are one exactly
//! where it would not make a ReplicaSet of its own for the second.

use serde_json::json;

use super::*;

fn of(template: &Value) -> Revision {
    Revision::of_template(template)
}

#[test]
fn order_nulls_and_empty_lists_do_not_count() {
    let one = of(&json!({ "metadata": {}, "spec": { "a": 1, "b": [{ "c": "d" }] } }));
    let other = json!({
        "spec": { "b": [{ "c": "d", "e": null }], "a": 1, "f": [] },
        "metadata": { "creationTimestamp": null },
    });
    assert_eq!(of(&other), one);
}

#[test]
fn the_stock_label_does_not_count() {
    let plain = of(&json!({ "metadata": { "labels": { "app": "web" } } }));
    let labels = json!({ "app": "web", POD_TEMPLATE_HASH_LABEL: "x" });
    assert_eq!(of(&json!({ "metadata": { "labels": labels } })), plain);
    let bare = of(&json!({ "metadata": {} }));
    assert_eq!(of(&json!({ "metadata": { "labels": { POD_TEMPLATE_HASH_LABEL: "x" } } })), bare);
    assert_eq!(of(&json!({ "metadata": { "labels": {} } })), bare);
    // Elsewhere the same words are the user's.
    let elsewhere = json!({ "spec": { "labels": { POD_TEMPLATE_HASH_LABEL: "x" } } });
    assert_ne!(of(&elsewhere), of(&json!({ "spec": {} })));
}

#[test]
fn a_pointer_that_is_set_counts() {
    let container = |value: Value| of(&json!({ "spec": { "containers": [value] } }));
    let without = container(json!({ "name": "web" }));
    assert_ne!(container(json!({ "name": "web", "securityContext": {} })), without);
}

#[test]
fn values_keep_their_types_and_places() {
    let all = [
        json!({ "a": "1" }),
        json!({ "a": 1 }),
        json!({ "a": [1] }),
        json!({ "a": true }),
        json!({ "b": 1 }),
        json!({ "a": { "b": "c" } }),
        json!({ "ab": "c" }),
        json!({ "a": ["x", "y"] }),
        json!({ "a": ["xy"] }),
        json!({ "a": ["y", "x"] }),
    ];
    let revisions: std::collections::BTreeSet<_> = all.iter().map(of).collect();
    assert_eq!(revisions.len(), all.len());
    assert!(revisions.iter().all(|revision| revision.as_str().len() == 10));
}
