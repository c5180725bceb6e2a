//! Rejected revisions: what the abort leaves, and what a re-apply of the rejected manifest meets.

use serde_json::json;

use super::*;
use crate::hold::HoldState;
use crate::project::workload::Workload;
use crate::project::{Fields, reapply};
use crate::{Barred, project::projected};

/// The two merges without evidence of what the manifest states.
fn outcomes(live: &Value, applied: &Value) -> [Value; 2] {
    let object = json!({ "metadata": {}, "spec": { "template": applied } });
    let deployment = Workload::<Fields>::read(&object).unwrap();
    reapply::outcomes(live, &deployment).try_into().unwrap()
}

fn barred_of(object: &Value) -> Barred {
    match hold_of(object).state {
        HoldState::Barred(barred) => barred,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_abort_restores_template_and_fields_in_one_write() {
    let object = rejected();
    assert_eq!(lifted(&object), at_rest("v1"));
    assert_eq!(hold_of(&object), Hold::barred(revision("v2"), Bar::Rejected));
    assert!(projected(&object));
}

#[test]
fn the_rejected_manifest_is_put_back_every_time() {
    let old = rejected();
    let new = with(&with(&old, "/spec/template", template("v2")), "/spec/replicas", json!(12));
    let (stored, projection) = user_writes(&old, &new);
    assert_eq!(stored, with(&old, "/spec/replicas", json!(12)));
    assert_eq!(projection.verdict, Verdict::PutBack);
    assert_eq!(
        projection.warnings,
        ["this version was rejected; Rollout web keeps the stable one: kubectl sluice retry web"]
    );
    check_untouched(&stored, &stored, Writer::Other);
}

/// Nobody rejected it: it comes back by itself, and `retry` would be refused.
#[test]
fn a_release_that_waits_for_pods_says_so() {
    for (replicas, said) in [
        (
            0,
            "put back while at zero replicas; scale up, and Rollout web starts this version \
             again: kubectl sluice explain web",
        ),
        (
            10,
            "put back until stable pods run; Rollout web then starts this version again: \
             kubectl sluice explain web",
        ),
    ] {
        let scaled = with(&dormant(), "/spec/replicas", json!(replicas));
        let new = with(&scaled, "/spec/template", template("v2"));
        let (stored, projection) = user_writes(&dormant(), &new);
        assert_eq!(stored, scaled);
        assert_eq!(projection.verdict, Verdict::PutBack);
        assert_eq!(projection.warnings, [said]);
    }
}

#[test]
fn it_is_put_back_without_replicas_and_under_recreate() {
    let old = rejected();
    let new = with(&old, "/spec/template", template("v2"));
    for (pointer, value) in
        [("/spec/replicas", json!(0)), ("/spec/strategy", json!({ "type": "Recreate" }))]
    {
        let (stored, _) = user_writes(&old, &with(&new, pointer, value.clone()));
        assert_eq!(stored, with(&old, pointer, value));
    }
}

#[test]
fn another_version_is_held_and_ends_the_bar() {
    let (stored, projection) =
        user_writes(&rejected(), &with(&rejected(), "/spec/template", template("v3")));
    assert_eq!(projection.verdict, Verdict::Held);
    let first = Fenced::first(revision("v3"), revision("v1"), OWN);
    assert_eq!(hold_of(&stored), Hold::fenced(first));
}

#[test]
fn fields_are_the_users_own_under_a_bar() {
    let old = rejected();
    let new = with(&old, "/spec/minReadySeconds", json!(1));
    check_untouched(
        &old,
        &with(&new, "/spec/strategy", json!({"type": "Recreate"})),
        Writer::Other,
    );
}

fn with_env(image: &str, env: &Value) -> Value {
    let container = json!({ "name": "app", "image": image, "env": env });
    with(&template(image), "/spec/containers", json!([container]))
}

/// The stable template has what the rejected one had taken away.
#[test]
fn a_reapply_that_cannot_take_away_is_put_back_too() {
    let stable =
        with_env("v1", &json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }]));
    let release = with(&in_release(), "/spec/template", template("v2"));
    let mut abort = Hold::barred(revision("v2"), Bar::Rejected);
    abort.template = Some(stable);
    let old = stored(&release, &with_hold(&release, &abort), Writer::Controller);

    let reapplied =
        with_env("v2", &json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }]));
    assert_eq!(barred_of(&old).also, [Revision::of_template(&reapplied)]);
    let (stored, projection) = user_writes(&old, &with(&old, "/spec/template", reapplied));
    assert_eq!(stored, old);
    assert_eq!(projection.verdict, Verdict::PutBack);
}

/// Applying the rejected manifest onto the stable template gives the stable one: not to be barred.
#[test]
fn the_stable_template_is_never_barred() {
    let stable = with_env("v2", &json!([{ "name": "A", "value": "1" }]));
    let release = in_release();
    let mut abort = Hold::barred(revision("v2"), Bar::Rejected);
    abort.template = Some(stable);
    let old = stored(&release, &with_hold(&release, &abort), Writer::Controller);
    assert_eq!(barred_of(&old).also, []);
}

/// Both orders that the real merges give, each found by applying on a real apiserver.
#[test]
fn lists_are_merged_in_the_order_of_each_way() {
    let named =
        |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect::<Value>();
    let pod = |env: Value| json!({ "spec": { "containers": [{ "name": "app", "env": env }] } });
    for (live, stated, client, server) in [
        (["a", "x", "b"], &["a", "y", "b"][..], ["a", "y", "x", "b"], ["a", "x", "y", "b"]),
        (["a", "b", "x"], &["b", "a", "y"][..], ["b", "a", "y", "x"], ["b", "x", "a", "y"]),
        (["x", "a", "b"], &["n", "b", "a"][..], ["n", "x", "b", "a"], ["x", "n", "b", "a"]),
    ] {
        let [by_client, by_server] = outcomes(&pod(named(&live)), &pod(named(stated)));
        assert_eq!(by_client, pod(named(&client)));
        assert_eq!(by_server, pod(named(&server)));
    }
}

#[test]
fn items_are_told_apart_by_the_keys_of_their_list() {
    let pod = |containers: Value| json!({ "spec": { "containers": [containers] } });
    let live = pod(json!({
        "name": "app",
        "args": ["--old"],
        "ports": [{ "containerPort": 53, "protocol": "TCP", "name": "dns" }],
        "volumeMounts": [{ "mountPath": "/a", "name": "a", "readOnly": true }],
        "livenessProbe": { "httpGet": { "httpHeaders": [{ "name": "H", "value": "1" }] } },
    }));
    let stated = pod(json!({
        "name": "app",
        "args": ["--new"],
        "ports": [{ "containerPort": 53, "protocol": "UDP" }],
        "volumeMounts": [{ "mountPath": "/a", "name": "b" }],
        "livenessProbe": { "httpGet": { "httpHeaders": [{ "name": "H2", "value": "2" }] } },
    }));
    let mut merged = stated.clone();
    merged["spec"]["containers"][0]["volumeMounts"][0]["readOnly"] = json!(true);
    let [client, server] = outcomes(&live, &stated);
    merged["spec"]["containers"][0]["ports"][0]["name"] = json!("dns");
    assert_eq!(client, merged);
    let tcp = &live["spec"]["containers"][0]["ports"][0];
    let udp = json!({ "containerPort": 53, "protocol": "UDP" });
    merged["spec"]["containers"][0]["ports"] = json!([tcp, udp]);
    assert_eq!(server, merged);
}

#[test]
fn volumes_lose_another_source_only_at_the_client() {
    let pod = |volume: Value| json!({ "spec": { "volumes": [volume] } });
    let live = pod(json!({ "name": "v", "emptyDir": { "medium": "Memory" } }));
    let stated = pod(json!({ "name": "v", "configMap": { "name": "c" } }));
    let [client, server] = outcomes(&live, &stated);
    assert_eq!(client, stated);
    assert_eq!(server["spec"]["volumes"][0].as_object().unwrap().len(), 3);
}
