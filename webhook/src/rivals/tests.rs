//! The list as the apiserver sees it, and what becomes of each of its answers.

use std::pin::pin;

use http::{Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use tower_test::mock;

use super::*;

type Server = mock::Handle<Request<Body>, Response<Body>>;

fn live() -> (Live, Server) {
    let (service, server) = mock::pair();
    (Live::new(Client::new(service, "default")), server)
}

fn web() -> WorkloadRef {
    WorkloadRef { api_version: "apps/v1".into(), kind: "Deployment".into(), name: "web".into() }
}

fn rollout(name: &str, workload: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
            "strategy": {"somethingNewer": true},
        },
    })
}

/// Answers one request and returns its path and query.
async fn answer(server: &mut Server, status: StatusCode, body: Value) -> String {
    let (request, send) = pin!(server).next_request().await.unwrap();
    let body = Body::from(serde_json::to_vec(&body).unwrap());
    send.send_response(Response::builder().status(status).body(body).unwrap());
    request.uri().to_string()
}

#[tokio::test]
async fn pages_are_followed_until_one_names_the_workload() {
    let (live, mut server) = live();
    let served = async {
        let other = json!({"metadata": {"continue": "n"}, "items": [rollout("a", "api")]});
        let first = answer(&mut server, StatusCode::OK, other).await;
        let found = json!({"metadata": {}, "items": [rollout("b", "web")]});
        let second = answer(&mut server, StatusCode::OK, found).await;
        (first, second)
    };
    let workload = web();
    let (found, (first, second)) = tokio::join!(live.naming("shop", &workload), served);
    assert_eq!(found.unwrap().as_deref(), Some("b"));
    assert_eq!(first, "/apis/sluice.dev/v1alpha1/namespaces/shop/rollouts?&limit=500");
    assert_eq!(second, "/apis/sluice.dev/v1alpha1/namespaces/shop/rollouts?&limit=500&continue=n");
}

#[tokio::test]
async fn nobody_names_it() {
    let (live, mut server) = live();
    let empty = json!({"metadata": {"continue": ""}, "items": [rollout("a", "api")]});
    let workload = web();
    let served = answer(&mut server, StatusCode::OK, empty);
    let (found, _) = tokio::join!(live.naming("shop", &workload), served);
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_is_an_error() {
    let (live, mut server) = live();
    let workload = web();
    let forbidden = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": "no", "reason": "Forbidden", "code": 403});
    let served = answer(&mut server, StatusCode::FORBIDDEN, forbidden);
    let (found, _) = tokio::join!(live.naming("shop", &workload), served);
    assert_eq!(found.unwrap_err().kind(), "list");
}

#[tokio::test(start_paused = true)]
async fn an_apiserver_that_hangs_is_not_waited_for() {
    let (live, _server) = live();
    let begun = runtime::clock::instant();
    assert_eq!(live.naming("shop", &web()).await.unwrap_err().kind(), "timeout");
    assert_eq!(begun.elapsed(), TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_questions_does_not_reach_the_apiserver() {
    let (live, _server) = live();
    let workload = web();
    let hanging = async {
        let all = (0..LOOKUPS_MAX).map(|_| live.naming("shop", &workload));
        let mut all: Vec<_> = all.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            let mut pending = 0;
            for one in &mut all {
                pending += usize::from(one.as_mut().poll(context).is_pending());
            }
            assert_eq!(pending, LOOKUPS_MAX);
            std::task::Poll::Ready(())
        })
        .await;
        live.naming("shop", &workload).await.unwrap_err().kind()
    };
    assert_eq!(hanging.await, "busy");
}

#[tokio::test]
async fn a_namespace_that_would_change_the_address_is_not_asked_for() {
    let (live, _server) = live();
    for namespace in ["", "../kube-system", "a/b", "a?x=", "A", &"a".repeat(64)] {
        assert_eq!(live.naming(namespace, &web()).await.unwrap_err().kind(), "namespace");
    }
}
