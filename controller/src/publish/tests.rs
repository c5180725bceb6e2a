//! Tests of publish.

use crds::status::Phase;
use plan::Plan;
use serde_json::json;

use super::*;
use crate::testing::{deployment, failed_test, key, raw, rollout, scripted, with, world, write};

const STATUS: &str = "PATCH-json /apis/sluice.dev/v1alpha1/namespaces/ns/rollouts/web/status\
                      ?fieldManager=sluice-controller";

fn seen(context: &Context) -> Observed {
    context.with_world(|world| world.observe(&key("web"))).unwrap().unwrap()
}

fn saying(phase: Phase) -> Plan {
    let turn = Turn { reason: "Held", message: "update held".into(), warning: false };
    Plan {
        asks: Vec::new(),
        actions: Vec::new(),
        status: RolloutStatus { phase, ..RolloutStatus::default() },
        events: vec![turn],
        wake: None,
        watch_routes: false,
        watch_sets: false,
    }
}

fn status_body(phase: &str) -> Value {
    json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": "1" },
        { "op": "add", "path": "/status", "value": { "phase": phase } },
    ])
}

#[tokio::test]
async fn a_status_that_differs_is_written_and_known_at_once() {
    let change = json!({ "metadata": { "resourceVersion": "2" }, "status": { "phase": "Held" } });
    let exchanges = vec![write(STATUS, status_body("Held"), 200, with(&rollout(), &change))];
    let (context, mut script) = scripted(world(&rollout(), &deployment()), exchanges);
    let plan = saying(Phase::Held);
    assert!(publish(&context, &seen(&context), &plan).await.unwrap());
    assert_eq!(seen(&context).rollout.status.phase, Phase::Held);
    assert!(
        !publish(&context, &seen(&context), &Plan { events: Vec::new(), ..plan }).await.unwrap()
    );
    let news = script.news.try_recv().unwrap();
    assert_eq!(news.regarding.uid.as_deref(), Some("uid-rollout"));
    assert_eq!(news.related.unwrap().uid.as_deref(), Some("uid-web"));
    assert!(script.news.try_recv().is_err());
    let notices = context.outbox.take();
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].turn, notices[0].message.as_str()), ("Held", "update held"));
    assert_eq!((notices[0].namespace.as_str(), notices[0].rollout.as_deref()), ("ns", Some("web")));
    script.played(context).await;
}

#[tokio::test]
async fn nothing_is_told_before_the_status_says_it() {
    let exchanges = vec![write(STATUS, status_body("Held"), 422, failed_test())];
    let (context, mut script) = scripted(world(&rollout(), &deployment()), exchanges);
    let error = publish(&context, &seen(&context), &saying(Phase::Held)).await.unwrap_err();
    assert_eq!(error.kind(), "stale");
    assert!(script.news.try_recv().is_err() && context.outbox.take().is_empty());
    script.played(context).await;
}

#[test]
fn notes_fit_the_api() {
    let turn = Turn { reason: "Failed", message: "ü".repeat(1000), warning: true };
    let event = event(&turn, None);
    assert_eq!(event.note.unwrap().len(), 1024);
    assert_eq!((event.reason.as_str(), event.type_), ("Failed", EventType::Warning));
}

#[tokio::test]
async fn every_turn_is_an_event_of_its_own() {
    let (service, mut handle) = tower_test::mock::pair::<
        http::Request<kube::client::Body>,
        http::Response<kube::client::Body>,
    >();
    let (sender, receiver) = channel();
    let plan = saying(Phase::Held);
    let (context, script) = scripted(world(&rollout(), &deployment()), Vec::new());
    for _ in 0..2 {
        sender.try_send(news(&seen(&context), plan.events[0].clone())).unwrap();
    }
    drop(sender);
    let client = Client::new(service, "default");
    let told = tell(client, "me", receiver, &context.metrics);
    let served = async {
        for _ in 0..2 {
            let (request, send) = handle.next_request().await.unwrap();
            assert_eq!(request.uri().path(), "/apis/events.k8s.io/v1/namespaces/ns/events");
            assert_eq!(request.method(), http::Method::POST);
            let body = request.into_body().collect_bytes().await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["regarding"]["kind"], "Rollout");
            assert_eq!(body["related"]["kind"], "Deployment");
            assert_eq!(body["reason"], "Held");
            assert_eq!(body["note"], "update held");
            assert_eq!(body["reportingController"], "sluice-controller");
            assert_eq!(body["reportingInstance"], "me");
            let answer = kube::client::Body::from(body.to_string().into_bytes());
            send.send_response(http::Response::builder().status(201).body(answer).unwrap());
        }
    };
    tokio::join!(told, served);
    assert_eq!(raw(&rollout()).key(), key("web"));
    script.played(context).await;
}
