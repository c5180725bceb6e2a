//! Exact requests: verb, address, field manager, body, precondition.

use crds::hold::Bar;
use crds::{Fenced, Hold, IntOrPercent, Original, Revision, Target, WorkloadKind};
use plan::{Payload, TemplateFrom, WriteHold};
use serde_json::{Value, json};

use super::*;
use crate::lease::Tenure;
use crate::testing::{
    Exchange, deployment, failed_test, key, list, raw, read, rollout, scripted, stable_set, status,
    template, with, with_tenure, world, write,
};
use crate::world::Source;

const DEPLOYMENT: &str =
    "PATCH-merge /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller";
const HOLD: &str =
    "PATCH-json /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller";
const RETREAT: &str =
    "PATCH-json /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-retreat";
const GET_DEPLOYMENT: &str = "GET /apis/apps/v1/namespaces/ns/deployments/web";
const SET: &str =
    "PATCH-merge /apis/apps/v1/namespaces/ns/replicasets/web-1?fieldManager=sluice-controller";
const RESIZE: &str =
    "PATCH-json /apis/apps/v1/namespaces/ns/replicasets/web-1?fieldManager=sluice-controller";
const GET_SET: &str = "GET /apis/apps/v1/namespaces/ns/replicasets/web-1";
const ROLLOUT: &str = "PATCH-merge /apis/sluice.dev/v1alpha1/namespaces/ns/rollouts/web\
                       ?fieldManager=sluice-controller";

fn fenced(batch: u32, max_unavailable: i32) -> Hold {
    Hold::fenced(Fenced {
        revision: Revision::of_template(&template("v2")),
        stable: Revision::of_template(&template("v1")),
        rollback: false,
        batch,
        target: Target {
            paused: false,
            max_surge: IntOrPercent::Count(0),
            max_unavailable: IntOrPercent::Count(max_unavailable),
        },
        original: Original {
            paused: false,
            min_ready_seconds: 0,
            progress_deadline_seconds: 600,
            max_surge: IntOrPercent::Percent(25),
            max_unavailable: IntOrPercent::Percent(25),
        },
    })
}

/// The Deployment as the webhook leaves it under this hold.
fn held(hold: &Hold, version: u32) -> Value {
    let Target { max_surge, max_unavailable, .. } = hold.as_fenced().unwrap().target;
    let change = json!({
        "metadata": { "resourceVersion": version.to_string(),
            "annotations": { "sluice.dev/hold": hold.to_text() } },
        "spec": { "minReadySeconds": 2_147_483_646, "progressDeadlineSeconds": 2_147_483_647,
            "strategy": { "rollingUpdate":
                { "maxSurge": max_surge, "maxUnavailable": max_unavailable } } },
    });
    with(&deployment(), &change)
}

fn write_hold(was: Option<&Hold>, hold: Option<Hold>) -> WriteHold {
    WriteHold {
        uid: "uid-web".into(),
        generation: 3,
        was: was.map(Hold::to_text),
        hold,
        payload: None,
        may_write_fields: false,
    }
}

fn hold_body(was: &Value, then: &Value) -> Value {
    json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-web" },
        { "op": "test", "path": "/metadata/generation", "value": 3 },
        { "op": "test", "path": "/metadata/annotations/sluice.dev~1hold", "value": was },
        then,
    ])
}

fn hold_is(hold: &Hold) -> Value {
    json!({ "op": "add", "path": "/metadata/annotations/sluice.dev~1hold",
        "value": hold.to_text() })
}

fn hold_goes() -> Value {
    json!({ "op": "remove", "path": "/metadata/annotations/sluice.dev~1hold" })
}

/// Carries `action` out on a workload that is `live`; returns how it went and what is known then.
async fn carried_out(
    live: &Value,
    action: Action,
    exchanges: Vec<Exchange>,
) -> (Result<(), ExecuteError>, Observed) {
    let mut world = world(&rollout(), live);
    world.want_sets(&key("web"), true);
    list(&mut world, &Source::Sets(WorkloadKind::Deployment, key("web")), &[&stable_set()]);
    list(&mut world, &Source::Pods(key("web")), &[]);
    let (context, script) = scripted(world, exchanges);
    let observe = || context.with_world(|world| world.observe(&key("web"))).unwrap().unwrap();
    let result = execute(&context, &observe(), &action).await;
    let after = observe();
    script.played(context).await;
    (result, after)
}

#[track_caller]
fn workload(seen: &Observed) -> &plan::observed::Workload {
    match &seen.workload {
        plan::Fact::Known(workload) => workload,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn arming() {
    let live = with(&deployment(), &json!({ "metadata": { "labels": null } }));
    let armed = with(&deployment(), &json!({ "metadata": { "resourceVersion": "11" } }));
    let body = json!({ "metadata": { "uid": "uid-web",
        "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web" } } });
    let exchanges = vec![write(DEPLOYMENT, body, 200, armed)];
    let action = Action::Arm { uid: "uid-web".into() };
    let (result, after) = carried_out(&live, action, exchanges).await;
    result.unwrap();
    assert!(workload(&after).armed);
}

#[tokio::test]
async fn disarming_a_held_workload() {
    let live = held(&fenced(1, 1), 10);
    let lifted = with(&deployment(), &json!({ "metadata": { "resourceVersion": "11" } }));
    let bare = json!({ "metadata": { "resourceVersion": "12", "labels": null } });
    let annotation = json!({ "metadata": { "uid": "uid-web",
        "annotations": { "sluice.dev/hold": null } } });
    let copied = json!({ "metadata": { "uid": "uid-set",
        "annotations": { "sluice.dev/hold": null } } });
    let labels = json!({ "metadata": { "uid": "uid-web",
        "labels": { "sluice.dev/armed": null, "sluice.dev/rollout": null } } });
    let clean =
        with(&stable_set(), &json!({ "metadata": { "uid": "uid-2", "annotations": null } }));
    let sets = json!({ "metadata": {}, "items": [stable_set(), clean] });
    let exchanges = vec![
        write(DEPLOYMENT, annotation, 200, lifted),
        read("GET /apis/apps/v1/namespaces/ns/replicasets?labelSelector=app%3Dweb", 200, sets),
        write(SET, copied, 200, stable_set()),
        write(DEPLOYMENT, labels, 200, with(&deployment(), &bare)),
    ];
    let action = Action::Disarm { uid: "uid-web".into() };
    let (result, after) = carried_out(&live, action, exchanges).await;
    result.unwrap();
    assert!(!workload(&after).armed);
}

#[tokio::test]
async fn the_next_batch() {
    let (was, next) = (fenced(1, 1), fenced(2, 2));
    let exchanges =
        vec![write(HOLD, hold_body(&json!(was.to_text()), &hold_is(&next)), 200, held(&next, 11))];
    let action = Action::WriteHold(write_hold(Some(&was), Some(next.clone())));
    let (result, after) = carried_out(&held(&was, 10), action, exchanges).await;
    result.unwrap();
    assert_eq!(workload(&after).hold_text, Some(next.to_text()));
}

#[tokio::test]
async fn the_lift() {
    let was = fenced(2, 4);
    let lifted = with(&deployment(), &json!({ "metadata": { "resourceVersion": "11" } }));
    let exchanges = vec![write(HOLD, hold_body(&json!(was.to_text()), &hold_goes()), 200, lifted)];
    let action = Action::WriteHold(write_hold(Some(&was), None));
    let (result, after) = carried_out(&held(&was, 10), action, exchanges).await;
    result.unwrap();
    assert_eq!(workload(&after).hold_text, None);
}

#[tokio::test]
async fn a_hold_where_there_is_none_yet() {
    let next = fenced(1, 1);
    let exchanges =
        vec![write(HOLD, hold_body(&Value::Null, &hold_is(&next)), 200, held(&next, 11))];
    let action = Action::WriteHold(write_hold(None, Some(next)));
    carried_out(&deployment(), action, exchanges).await.0.unwrap();
}

#[tokio::test]
async fn a_hold_where_there_is_no_annotation_at_all() {
    let next = fenced(1, 1);
    let live = with(&deployment(), &json!({ "metadata": { "annotations": null } }));
    let body = json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-web" },
        { "op": "test", "path": "/metadata/generation", "value": 3 },
        { "op": "test", "path": "/metadata/annotations", "value": null },
        { "op": "add", "path": "/metadata/annotations",
            "value": { "sluice.dev/hold": next.to_text() } },
    ]);
    let exchanges = vec![write(HOLD, body, 200, held(&next, 11))];
    let action = Action::WriteHold(write_hold(None, Some(next)));
    carried_out(&live, action, exchanges).await.0.unwrap();
}

/// Back to stable, with the stable template as payload.
fn bar(was: &Hold, from: TemplateFrom) -> (WriteHold, Hold) {
    let bar = Hold::barred(was.as_fenced().unwrap().revision.clone(), Bar::Rejected);
    let revision = Revision::of_template(&template("v1"));
    let mut wanted = write_hold(Some(was), Some(bar.clone()));
    wanted.payload = Some(Payload { revision, from });
    wanted.may_write_fields = true;
    let carrying = Hold { template: Some(template("v1")), ..bar };
    (wanted, carrying)
}

/// The workload after an abort that the webhook completed.
fn barred(carried: &Hold, version: u32) -> Value {
    let stored = Hold { template: None, ..carried.clone() };
    let change = json!({
        "metadata": { "resourceVersion": version.to_string(),
            "annotations": { "sluice.dev/hold": stored.to_text() } },
        "spec": { "template": template("v1") },
    });
    with(&deployment(), &change)
}

fn kept() -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "metadata": { "namespace": "ns", "name": "web-k", "uid": "uid-kept" },
        "data": template("v1") })
}

const GET_KEPT: &str = "GET /apis/apps/v1/namespaces/ns/controllerrevisions/web-k";

#[tokio::test]
async fn an_abort_carries_the_kept_template() {
    let was = fenced(1, 1);
    let (wanted, carried) = bar(&was, TemplateFrom::Kept("web-k".into()));
    let exchanges = vec![
        read(GET_KEPT, 200, kept()),
        write(
            HOLD,
            hold_body(&json!(was.to_text()), &hold_is(&carried)),
            200,
            barred(&carried, 11),
        ),
    ];
    let (result, after) = carried_out(&held(&was, 10), Action::WriteHold(wanted), exchanges).await;
    result.unwrap();
    assert_eq!(workload(&after).revision, Revision::of_template(&template("v1")));
}

#[tokio::test]
async fn an_abort_carries_the_template_of_a_set_without_its_hash() {
    let was = fenced(1, 1);
    let (wanted, carried) = bar(&was, TemplateFrom::Set("web-1".into()));
    let exchanges = vec![
        read(GET_SET, 200, stable_set()),
        write(
            HOLD,
            hold_body(&json!(was.to_text()), &hold_is(&carried)),
            200,
            barred(&carried, 11),
        ),
    ];
    carried_out(&held(&was, 10), Action::WriteHold(wanted), exchanges).await.0.unwrap();
}

#[tokio::test]
async fn another_template_than_the_plans_is_not_written() {
    let was = fenced(1, 1);
    let (wanted, _) = bar(&was, TemplateFrom::Kept("web-k".into()));
    let other = with(&kept(), &json!({ "data": template("v0") }));
    let exchanges = vec![read(GET_KEPT, 200, other)];
    let result = carried_out(&held(&was, 10), Action::WriteHold(wanted), exchanges).await.0;
    assert_eq!(result.unwrap_err().kind(), "other_template");
}

#[tokio::test]
async fn a_write_that_no_webhook_saw_has_failed_but_is_known() {
    let (was, next) = (fenced(1, 1), fenced(2, 2));
    // The annotation changed, the fields did not.
    let annotation = json!({ "sluice.dev/hold": next.to_text() });
    let change = json!({ "metadata": { "resourceVersion": "11", "annotations": annotation } });
    let half = with(&held(&was, 10), &change);
    let exchanges = vec![write(HOLD, hold_body(&json!(was.to_text()), &hold_is(&next)), 200, half)];
    let action = Action::WriteHold(write_hold(Some(&was), Some(next)));
    let (result, after) = carried_out(&held(&was, 10), action, exchanges).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.outdated()), ("webhook_absent", None));
    assert!(!workload(&after).projected);
}

const DENIED: &str = "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'sluice' \
                      with binding 'sluice' denied request: half held";

#[tokio::test]
async fn a_refused_write_has_failed() {
    let (was, next) = (fenced(1, 1), fenced(2, 2));
    let body = hold_body(&json!(was.to_text()), &hold_is(&next));
    let exchanges = vec![write(HOLD, body, 403, status(403, DENIED))];
    let action = Action::WriteHold(write_hold(Some(&was), Some(next)));
    let (result, after) = carried_out(&held(&was, 10), action, exchanges).await;
    assert_eq!(result.unwrap_err().kind(), "refused");
    assert_eq!(workload(&after).hold_text, Some(was.to_text()));
}

fn managed(live: &Value, managers: &[&str], version: u32) -> Value {
    let entries: Vec<_> = managers.iter().map(|name| json!({ "manager": name })).collect();
    let version = version.to_string();
    with(live, &json!({ "metadata": { "resourceVersion": version, "managedFields": entries } }))
}

/// The whole way back without a webhook: all fields under a manager of its own, whose entry goes.
fn retreat_exchanges(live: &Value, was: &Hold, carried: &Hold) -> Vec<Exchange> {
    let stored = Hold { template: None, ..carried.clone() };
    let written = barred(carried, 12);
    let written = managed(&written, &["kubectl", "sluice-retreat"], 12);
    let tidied = managed(&written, &["kubectl"], 13);
    let mut body = vec![
        json!({ "op": "test", "path": "/metadata/uid", "value": "uid-web" }),
        json!({ "op": "test", "path": "/metadata/generation", "value": 3 }),
        json!({ "op": "test", "path": "/metadata/annotations/sluice.dev~1hold",
            "value": was.to_text() }),
    ];
    let mut wanted = barred(carried, 10);
    wanted["metadata"]["annotations"]["sluice.dev/hold"] = json!(stored.to_text());
    let diff = serde_json::to_value(json_patch::diff(live, &wanted)).unwrap();
    body.extend(diff.as_array().unwrap().iter().cloned());
    let entry = json!([
        { "op": "test", "path": "/metadata/managedFields/1/manager", "value": "sluice-retreat" },
        { "op": "remove", "path": "/metadata/managedFields/1" },
    ]);
    vec![
        read(GET_DEPLOYMENT, 200, live.clone()),
        write(RETREAT, json!(body), 200, written.clone()),
        read(GET_DEPLOYMENT, 200, written),
        write(HOLD, entry, 200, tidied),
    ]
}

#[tokio::test]
async fn an_abort_that_the_policy_refuses_is_written_field_by_field() {
    let was = fenced(1, 1);
    let live = held(&was, 10);
    let (wanted, carried) = bar(&was, TemplateFrom::Kept("web-k".into()));
    let body = hold_body(&json!(was.to_text()), &hold_is(&carried));
    let mut exchanges =
        vec![read(GET_KEPT, 200, kept()), write(HOLD, body, 403, status(403, DENIED))];
    exchanges.extend(retreat_exchanges(&live, &was, &carried));
    let (result, after) = carried_out(&live, Action::WriteHold(wanted), exchanges).await;
    result.unwrap();
    let after = workload(&after);
    assert!(after.projected);
    assert_eq!(after.revision, Revision::of_template(&template("v1")));
}

#[tokio::test]
async fn a_retreat_from_something_else_is_stale() {
    let was = fenced(1, 1);
    let (wanted, carried) = bar(&was, TemplateFrom::Kept("web-k".into()));
    let body = hold_body(&json!(was.to_text()), &hold_is(&carried));
    let exchanges = vec![
        read(GET_KEPT, 200, kept()),
        write(HOLD, body, 403, status(403, DENIED)),
        read(GET_DEPLOYMENT, 200, held(&fenced(2, 2), 12)),
    ];
    let result = carried_out(&held(&was, 10), Action::WriteHold(wanted), exchanges).await.0;
    assert_eq!(result.unwrap_err().kind(), "stale");
}

#[tokio::test]
async fn a_failed_test_means_look_again() {
    let (was, next) = (fenced(1, 1), fenced(2, 2));
    let body = hold_body(&json!(was.to_text()), &hold_is(&next));
    let exchanges = vec![write(HOLD, body, 422, failed_test())];
    let action = Action::WriteHold(write_hold(Some(&was), Some(next)));
    let result = carried_out(&held(&was, 10), action, exchanges).await.0;
    let error = result.unwrap_err();
    assert_eq!(error.outdated(), Some((Kind::Workload(WorkloadKind::Deployment), &key("web"))));
}

#[tokio::test]
async fn a_fence_off_a_stable_set() {
    let body = json!({ "metadata": { "uid": "uid-set", "resourceVersion": "20" },
        "spec": { "minReadySeconds": 5 } });
    let repaired = json!({ "metadata": { "resourceVersion": "21" },
        "spec": { "minReadySeconds": 5 } });
    let exchanges = vec![write(SET, body, 200, with(&stable_set(), &repaired))];
    let action = Action::RepairSet {
        set: "web-1".into(),
        uid: "uid-set".into(),
        resource_version: "20".into(),
        min_ready_seconds: 5,
    };
    let (result, after) = carried_out(&deployment(), action, exchanges).await;
    result.unwrap();
    let plan::Fact::Known(sets) = &workload(&after).sets else { panic!() };
    assert_eq!(sets.old[0].min_ready_seconds, 5);
    assert_eq!(sets.old[0].resource_version, "21");
}

#[tokio::test]
async fn a_set_resized_with_what_stock_has_to_believe() {
    let annotations = "/metadata/annotations/deployment.kubernetes.io~1";
    let body = json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-set" },
        { "op": "test", "path": "/spec/replicas", "value": 4 },
        { "op": "add", "path": format!("{annotations}desired-replicas"), "value": "4" },
        { "op": "add", "path": format!("{annotations}max-replicas"), "value": "5" },
        { "op": "add", "path": "/spec/replicas", "value": 2 },
    ]);
    let exchanges = vec![write(RESIZE, body, 422, failed_test())];
    let action = Action::ResizeSet {
        set: "web-1".into(),
        uid: "uid-set".into(),
        was: 4,
        replicas: 2,
        desired: 4,
        max: 5,
    };
    let result = carried_out(&deployment(), action, exchanges).await.0;
    let error = result.unwrap_err();
    assert_eq!(error.outdated(), Some((Kind::ReplicaSet, &key("web-1"))));
}

const KEEP: &str =
    "POST /apis/apps/v1/namespaces/ns/controllerrevisions?fieldManager=sluice-controller";

fn keep() -> (Action, Value, Value) {
    let revision = Revision::of_template(&template("v1"));
    let body = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "metadata": { "namespace": "ns", "name": format!("web-{revision}"),
            "labels": { "sluice.dev/rollout": "web", "sluice.dev/revision": revision },
            "ownerReferences": [{ "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
                "name": "web", "uid": "uid-rollout", "controller": true }] },
        "data": template("v1"),
    });
    let made = with(&body, &json!({ "metadata": { "uid": "uid-kept", "resourceVersion": "30" } }));
    (Action::KeepTemplate { revision, set: "web-1".into() }, body, made)
}

#[track_caller]
fn kept_names(seen: &Observed) -> Vec<&str> {
    match &seen.kept {
        plan::Fact::Known(kept) => kept.iter().map(|kept| kept.name.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keeping_a_template() {
    let (action, body, made) = keep();
    let exchanges = vec![read(GET_SET, 200, stable_set()), write(KEEP, body, 201, made)];
    let (result, after) = carried_out(&deployment(), action, exchanges).await;
    result.unwrap();
    assert_eq!(kept_names(&after).len(), 1);
}

fn get_made() -> &'static str {
    let revision = Revision::of_template(&template("v1"));
    let text = format!("GET /apis/apps/v1/namespaces/ns/controllerrevisions/web-{revision}");
    Box::leak(text.into_boxed_str())
}

#[tokio::test]
async fn keeping_what_is_kept_already() {
    let (action, body, made) = keep();
    let exchanges = vec![
        read(GET_SET, 200, stable_set()),
        write(KEEP, body, 409, status(409, "already exists")),
        read(get_made(), 200, made),
    ];
    let (result, after) = carried_out(&deployment(), action, exchanges).await;
    result.unwrap();
    assert_eq!(kept_names(&after).len(), 1);
}

#[tokio::test]
async fn what_a_rollout_before_kept_is_not_ours() {
    let (action, body, mut made) = keep();
    made["metadata"]["ownerReferences"][0]["uid"] = json!("uid-before");
    let exchanges = vec![
        read(GET_SET, 200, stable_set()),
        write(KEEP, body, 409, status(409, "already exists")),
        read(get_made(), 200, made),
    ];
    let (result, after) = carried_out(&deployment(), action, exchanges).await;
    assert_eq!(result.unwrap_err().kind(), "stale");
    assert!(kept_names(&after).is_empty());
}

async fn dropped(code: u16) -> (Result<(), ExecuteError>, bool) {
    let (_, _, made) = keep();
    let mut world = world(&rollout(), &deployment());
    world.wrote_kept(&raw(&made));
    let name = raw(&made).key();
    let path = get_made().replace("GET", "DELETE");
    let body = json!({ "propagationPolicy": "Background", "preconditions": { "uid": "uid-kept" } });
    let answer = if code == 200 { json!({ "kind": "Status" }) } else { status(code, "no") };
    let exchanges = vec![write(Box::leak(path.into_boxed_str()), body, code, answer)];
    let (context, script) = scripted(world, exchanges);
    let result = template::discard(&context, &name).await;
    let known = context.with_world(|world| world.kept_uid(&name).is_some());
    script.played(context).await;
    (result, known)
}

#[tokio::test]
async fn dropping_a_template() {
    for gone in [200, 404, 409] {
        let (result, known) = dropped(gone).await;
        result.unwrap();
        assert!(!known, "{gone}");
    }
    let (result, known) = dropped(500).await;
    assert_eq!(result.unwrap_err().kind(), "unreachable");
    assert!(known);
}

#[tokio::test]
async fn dropping_what_is_not_there_calls_nobody() {
    let action = Action::DropTemplate { name: "web-gone".into() };
    carried_out(&deployment(), action, Vec::new()).await.0.unwrap();
}

#[tokio::test]
async fn finalizers_of_others_stay() {
    let both = json!(["example.com/other", "sluice.dev/disarm"]);
    let body = json!({ "metadata": { "resourceVersion": "1", "finalizers": both } });
    let change = json!({ "metadata": { "resourceVersion": "2", "finalizers": both } });
    let exchanges = vec![write(ROLLOUT, body, 200, with(&rollout(), &change))];
    let (result, after) = carried_out(&deployment(), Action::AddFinalizer, exchanges).await;
    result.unwrap();
    assert!(after.rollout.has_finalizer);

    let other = json!(["example.com/other"]);
    let body = json!({ "metadata": { "resourceVersion": "1", "finalizers": other } });
    let change = json!({ "metadata": { "resourceVersion": "2" } });
    let exchanges = vec![write(ROLLOUT, body, 200, with(&rollout(), &change))];
    let (result, _) = carried_out(&deployment(), Action::RemoveFinalizer, exchanges).await;
    result.unwrap();
}

#[tokio::test]
async fn who_does_not_lead_writes_nothing() {
    let world = world(&rollout(), &deployment());
    let (context, script) = with_tenure(world, Vec::new(), Tenure::default());
    let seen = context.with_world(|world| world.observe(&key("web"))).unwrap().unwrap();
    let was = fenced(1, 1);
    for action in [
        Action::AddFinalizer,
        Action::Arm { uid: "uid-web".into() },
        Action::WriteHold(write_hold(Some(&was), None)),
    ] {
        let error = execute(&context, &seen, &action).await.unwrap_err();
        assert_eq!(error.kind(), "not_leading");
    }
    script.played(context).await;
}

#[test]
fn what_the_apiserver_says_has_one_meaning_each() {
    let call = |code: u16, message: &str| {
        let status = serde_json::from_value(status(code, message)).unwrap();
        CallError::from(kube::Error::Api(Box::new(status))).kind()
    };
    assert_eq!(call(404, "not found"), "gone");
    assert_eq!(call(409, "the object has been modified"), "stale");
    assert_eq!(call(422, failed_test()["message"].as_str().unwrap()), "stale");
    let other = "Deployment.apps \"web\" is invalid: metadata.uid: field is immutable";
    assert_eq!(call(422, other), "stale");
    assert_eq!(call(422, DENIED), "refused");
    assert_eq!(call(403, DENIED), "refused");
    assert_eq!(call(400, "admission webhook \"a.b\" denied the request: no"), "refused");
    assert_eq!(call(403, "User \"x\" cannot patch resource \"deployments\""), "forbidden");
    assert_eq!(call(422, "Deployment.apps \"web\" is invalid: spec"), "rejected");
    for code in [429, 500, 503, 504] {
        assert_eq!(call(code, "try again"), "unreachable");
    }
}
