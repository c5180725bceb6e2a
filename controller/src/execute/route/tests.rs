//! Exact requests for the hold of a route, where a webhook answers and where none does.

use crds::route::Share;
use plan::Action;

use super::super::execute;
use super::*;
use crate::testing::{Exchange, deployment, key, list, rollout, scripted, with, world, write};
use crate::world::Source;

const PATCH: &str = "PATCH-json /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web\
                     ?fieldManager=sluice-controller";
const MERGE: &str = "PATCH-merge /apis/networking.k8s.io/v1/namespaces/ns/ingresses/web\
                     ?fieldManager=sluice-controller";

fn hold(weight: u32) -> RouteHold {
    let share = Share {
        service: "web".into(),
        stable: Some("web-aaaaaaaaaa".into()),
        canary: "web-bbbbbbbbbb".into(),
        weight,
        conditions: Vec::new(),
    };
    RouteHold { own: Some(crds::route::Own::default()), ..RouteHold::new(vec![share]) }
}

/// The user's Ingress with a path to this Service, under a hold.
fn ingress(service: &str, hold: Option<&RouteHold>) -> Value {
    let backend = json!({ "service": { "name": service, "port": { "number": 80 } } });
    let annotations = hold.map(|hold| json!({ HOLD_ANNOTATION: hold.to_text() }));
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": { "namespace": "ns", "name": "web", "uid": "uid-ingress", "generation": 4,
            "resourceVersion": "30",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web" },
            "annotations": annotations },
        "spec": { "ingressClassName": "nginx", "rules": [{ "http": {
            "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] } }] },
    })
}

/// Writes `hold` to the Ingress that is held with 20 %.
async fn written(
    hold_now: Option<RouteHold>,
    exchanges: Vec<Exchange>,
) -> Result<(), ExecuteError> {
    let route = RouteKind::Ingress.reference("web");
    let routes = json!({ "spec": { "routes": [
        { "name": "web", "service": "web", "refs": [route] }] } });
    let mut world = world(&with(&rollout(), &routes), &deployment());
    world.want_routes(&key("web"), true);
    let source = Source::Routes(RouteKind::Ingress, key("web"));
    list(&mut world, &source, &[&ingress("web-aaaaaaaaaa", Some(&hold(20)))]);
    let (context, script) = scripted(world, exchanges);
    let seen = context.with_world(|world| world.observe(&key("web"))).unwrap().unwrap();
    let action = Action::WriteRoute {
        route,
        uid: "uid-ingress".into(),
        generation: 4,
        was: Some(hold(20).to_text()),
        hold: hold_now.map(|hold| RouteHold { own: None, ..hold }),
    };
    let result = execute(&context, &seen, &action).await;
    script.played(context).await;
    result
}

fn body(last: &Value) -> Value {
    json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-ingress" },
        { "op": "test", "path": "/metadata/generation", "value": 4 },
        { "op": "test", "path": "/metadata/annotations/sluice.dev~1hold",
            "value": hold(20).to_text() },
        last,
    ])
}

fn another(weight: u32) -> Value {
    body(&json!({ "op": "add", "path": "/metadata/annotations/sluice.dev~1hold",
        "value": hold(weight).to_text() }))
}

fn none() -> Value {
    body(&json!({ "op": "remove", "path": "/metadata/annotations/sluice.dev~1hold" }))
}

#[tokio::test]
async fn another_weight_carries_what_has_to_be_put_back() {
    let answer = ingress("web-aaaaaaaaaa", Some(&hold(50)));
    let exchanges = vec![write(PATCH, another(50), 200, answer)];
    written(Some(hold(50)), exchanges).await.unwrap();
}

#[tokio::test]
async fn a_weight_that_no_webhook_saw_is_a_failure() {
    let answer = ingress("web-aaaaaaaaaa", Some(&hold(100)));
    let exchanges = vec![write(PATCH, another(100), 200, answer)];
    let error = written(Some(hold(100)), exchanges).await.unwrap_err();
    assert_eq!(error.kind(), "webhook_absent");
}

#[tokio::test]
async fn a_hold_that_goes_takes_the_labels_with_it() {
    let labels = json!({ "metadata": { "uid": "uid-ingress",
        "labels": { "sluice.dev/armed": null, "sluice.dev/rollout": null } } });
    let answer = ingress("web", None);
    let exchanges = vec![
        write(PATCH, none(), 200, answer.clone()),
        write(MERGE, labels, 200, with(&answer, &json!({ "metadata": { "labels": null } }))),
    ];
    written(None, exchanges).await.unwrap();
}

/// The paths would name Services of ours for ever, which go.
#[tokio::test]
async fn a_hold_that_no_webhook_saw_go_is_put_back() {
    let back = json!({ "metadata": { "uid": "uid-ingress",
        "annotations": { "sluice.dev/hold": hold(20).to_text() } } });
    let exchanges = vec![
        write(PATCH, none(), 200, ingress("web-aaaaaaaaaa", None)),
        write(MERGE, back, 200, ingress("web-aaaaaaaaaa", Some(&hold(20)))),
    ];
    let error = written(None, exchanges).await.unwrap_err();
    assert_eq!(error.kind(), "webhook_absent");
}
