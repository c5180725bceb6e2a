//! Exact requests for canary Ingresses, and what is known of them afterwards.

use plan::Action;
use plan::observed::{CanaryWanted, Fact, Observed, Traffic};

use super::super::{ExecuteError, execute};
use super::*;
use crate::testing::{
    Exchange, deployment, key, list, read, rollout, scripted, status, with, world, write,
};
use crate::world::Source;

const USER: &str = "GET /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web";
const CANARY: &str = "GET /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web-bbbbbbbbbb";
const CREATE: &str =
    "POST /apis/networking.k8s.io/v1/namespaces/ns/ingresses?fieldManager=sluice-controller";
const PATCH: &str = "PATCH-json /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web-bbbbbbbbbb\
                     ?fieldManager=sluice-controller";
const DELETE: &str = "DELETE /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web-bbbbbbbbbb";

fn reference() -> RouteRef {
    RouteKind::Ingress.reference("web")
}

/// The user's Ingress, held with this weight.
fn ingress(weight: u32) -> Value {
    let backend = json!({ "service": { "name": "web-aaaaaaaaaa", "port": { "number": 80 } } });
    let hold = json!({
        "schema": 1,
        "shares": [{ "service": "web", "stable": "web-aaaaaaaaaa", "canary": "web-bbbbbbbbbb",
            "weight": weight }],
        "own": {},
    });
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": { "namespace": "ns", "name": "web", "uid": "uid-ingress", "generation": 4,
            "resourceVersion": "30",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web" },
            "annotations": { "sluice.dev/hold": hold.to_string() } },
        "spec": { "ingressClassName": "nginx", "rules": [{ "host": "web.example", "http": {
            "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] } }] },
    })
}

/// The canary Ingress as the apiserver has it.
fn made(weight: u32, version: u32) -> Value {
    let made =
        json!({ "metadata": { "uid": "uid-canary", "resourceVersion": version.to_string() } });
    with(&canary(&ingress(weight)).unwrap(), &made)
}

fn wanted() -> Action {
    let (uid, name) = ("uid-ingress".into(), "web-bbbbbbbbbb".into());
    Action::WriteCanary { route: reference(), uid, name }
}

/// Carries `action` out where these Ingresses are; returns how it went and what is known then.
async fn carried_out(
    live: &[&Value],
    action: Action,
    exchanges: Vec<Exchange>,
) -> (Result<(), ExecuteError>, Traffic) {
    let routes = json!({ "spec": { "routes": [
        { "name": "web", "service": "web", "refs": [reference()] }] } });
    let mut world = world(&with(&rollout(), &routes), &deployment());
    world.want_routes(&key("web"), true);
    list(&mut world, &Source::Services(key("web")), &[]);
    list(&mut world, &Source::Slices(key("web")), &[]);
    // As in a list of the apiserver's.
    let bare = json!({ "apiVersion": null, "kind": null });
    let live: Vec<Value> = live.iter().map(|value| with(value, &bare)).collect();
    let live: Vec<&Value> = live.iter().collect();
    list(&mut world, &Source::Routes(RouteKind::Ingress, key("web")), &live);
    let (context, script) = scripted(world, exchanges);
    let observe = || context.with_world(|world| world.observe(&key("web"))).unwrap().unwrap();
    let result = execute(&context, &observe(), &action).await;
    let after = traffic(observe());
    script.played(context).await;
    (result, after)
}

#[track_caller]
fn traffic(seen: Observed) -> Traffic {
    match seen.traffic {
        Fact::Known(traffic) => traffic,
        other => panic!("{other:?}"),
    }
}

/// What the user's Ingress asks for beside it.
#[track_caller]
fn asked(traffic: &Traffic) -> Option<CanaryWanted> {
    assert_eq!(traffic.routes.len(), 1, "{:?}", traffic.routes);
    match &traffic.routes[0].seen {
        Fact::Known(seen) => seen.canary.clone(),
        other => panic!("{other:?}"),
    }
}

fn right(right: bool) -> Option<CanaryWanted> {
    Some(CanaryWanted { name: "web-bbbbbbbbbb".into(), right })
}

#[tokio::test]
async fn one_is_made_and_owned_by_the_rollout() {
    let mut body = canary(&ingress(20)).unwrap();
    body["metadata"]["ownerReferences"] = json!([{ "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Rollout", "name": "web", "uid": "uid-rollout", "controller": true,
        "blockOwnerDeletion": false }]);
    let exchanges = vec![read(USER, 200, ingress(20)), write(CREATE, body, 201, made(20, 40))];
    let (result, after) = carried_out(&[&ingress(20)], wanted(), exchanges).await;
    result.unwrap();
    assert_eq!(asked(&after), right(true));
    assert_eq!(after.canaries[0].revision, crds::Revision::from("bbbbbbbbbb"));
}

#[tokio::test]
async fn another_weight_is_a_patch_of_it_alone() {
    let mut body = canary(&ingress(50)).unwrap();
    body["metadata"]["ownerReferences"] = json!([owner_of_web()]);
    let patch = json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-canary" },
        { "op": "replace",
            "path": "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight",
            "value": "50" },
    ]);
    let exchanges = vec![
        read(USER, 200, ingress(50)),
        write(CREATE, body, 409, status(409, "already exists")),
        read(CANARY, 200, made(20, 40)),
        write(PATCH, patch, 200, made(50, 41)),
    ];
    let live = [&ingress(50), &made(20, 40)];
    let (result, after) = carried_out(&live, wanted(), exchanges).await;
    result.unwrap();
    assert_eq!(asked(&after), right(true));
}

fn owner_of_web() -> Value {
    json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "name": "web",
        "uid": "uid-rollout", "controller": true, "blockOwnerDeletion": false })
}

#[tokio::test]
async fn somebody_elses_of_that_name_stays() {
    let mut body = canary(&ingress(20)).unwrap();
    body["metadata"]["ownerReferences"] = json!([owner_of_web()]);
    let other = with(&made(20, 40), &json!({ "metadata": { "labels": null } }));
    let exchanges = vec![
        read(USER, 200, ingress(20)),
        write(CREATE, body, 409, status(409, "already exists")),
        read(CANARY, 200, other.clone()),
    ];
    let (result, after) = carried_out(&[&ingress(20), &other], wanted(), exchanges).await;
    assert!(matches!(result, Err(ExecuteError::Call { source: CallError::Stale(_), .. })));
    assert_eq!((asked(&after), after.canaries.len()), (right(false), 0));
}

/// The plan was made of an older Ingress.
#[tokio::test]
async fn nothing_is_made_that_the_ingress_does_not_ask_for_any_more() {
    let exchanges = vec![read(USER, 200, ingress(0))];
    let (result, _) = carried_out(&[&ingress(20)], wanted(), exchanges).await;
    let error = result.unwrap_err();
    assert_eq!(error.outdated().map(|(_, key)| key.name.as_str()), Some("web"));
}

#[tokio::test]
async fn one_that_goes_is_told_by_its_uid() {
    let body = json!({ "propagationPolicy": "Background",
        "preconditions": { "uid": "uid-canary" } });
    let exchanges = vec![write(DELETE, body, 200, status(200, ""))];
    let (uid, name) = ("uid-canary".into(), "web-bbbbbbbbbb".into());
    let action = Action::DropCanary { route: reference(), name, uid };
    let live = [&ingress(0), &made(20, 40)];
    let (result, after) = carried_out(&live, action, exchanges).await;
    result.unwrap();
    assert_eq!((asked(&after), after.canaries.len()), (None, 0));
}

/// A canary Ingress is none of the user's, and one whose own Ingress is gone is still known.
#[tokio::test]
async fn a_canary_without_its_ingress_is_known() {
    let exchanges = vec![read(USER, 404, status(404, "not found"))];
    let (result, after) = carried_out(&[&made(20, 40)], wanted(), exchanges).await;
    assert!(result.is_err());
    assert_eq!(after.canaries.len(), 1);
    assert_eq!((after.routes.len(), &after.routes[0].seen), (1, &Fact::Absent));
}
