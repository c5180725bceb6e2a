//! A DaemonSet as the apiserver serves it.

use serde_json::{Value, json};

use super::*;

fn object() -> Value {
    json!({
        "metadata": { "name": "agent", "namespace": "shop", "uid": "u", "generation": 3 },
        "spec": {
            "minReadySeconds": 5,
            "selector": { "matchLabels": { "app": "agent" } },
            "updateStrategy": {
                "type": "OnDelete",
                "rollingUpdate": { "maxSurge": 0, "maxUnavailable": "30%" },
            },
            "template": { "metadata": { "labels": { "app": "agent" } } },
        },
        "status": { "observedGeneration": 3, "desiredNumberScheduled": 7, "numberMisscheduled": 1 },
    })
}

fn read(object: Value) -> (i32, DaemonSet) {
    let seen = daemonset(&Raw::new(object).unwrap()).unwrap();
    match seen.fields {
        Live::DaemonSet(live) => (seen.replicas, live),
        other => panic!("{other:?}"),
    }
}

#[test]
fn its_nodes_are_its_replicas() {
    let (replicas, live) = read(object());
    assert_eq!((replicas, live.nodes, live.misscheduled), (7, 7, 1));
    assert_eq!((live.max_unavailable, live.min_ready_seconds), (IntOrPercent::Percent(30), 5));
    assert_eq!(live.may_be_unavailable(), 3);
}

#[test]
fn what_nobody_has_counted_is_one_node_and_what_is_not_stated_the_default() {
    let mut new = object();
    new["status"] = json!({ "desiredNumberScheduled": 0 });
    new["spec"].as_object_mut().unwrap().remove("updateStrategy");
    let (replicas, live) = read(new);
    assert_eq!((replicas, live.max_unavailable), (1, IntOrPercent::Count(1)));
    // While a write is on its way what was counted before it counts, unless that was nothing.
    let mut stale = object();
    stale["metadata"]["generation"] = json!(4);
    assert_eq!(read(stale.clone()).0, 7);
    stale["status"]["desiredNumberScheduled"] = json!(0);
    assert_eq!(read(stale).0, 1);
    let mut empty = object();
    empty["status"]["desiredNumberScheduled"] = json!(0);
    assert_eq!(read(empty).0, 0);
}

#[test]
fn an_unknown_strategy_is_unreadable() {
    let mut strange = object();
    strange["spec"]["updateStrategy"]["type"] = json!("Someday");
    assert!(daemonset(&Raw::new(strange).unwrap()).is_err());
}
