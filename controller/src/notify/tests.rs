//! The task on an apiserver that has Notifiers, and small servers in the place of those who are
//! told.

use http::{Request, Response};
use kube::client::Body;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_test::mock;

use super::letter::tests::notice;
use super::*;
use crate::testing::server::{answered, body, header, http, serving};
use crate::testing::status;

/// Answers the reads of these Notifiers, and of a Secret with a key, however often they come.
fn apiserver(notifiers: Vec<Value>) -> (Client, JoinSet<()>) {
    let (service, mut handle) = mock::pair::<Request<Body>, Response<Body>>();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut watches = Vec::new();
        while let Some((request, send)) = handle.next_request().await {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            let last = path.rsplit('/').next().unwrap_or_default();
            let one = notifiers.iter().find(|one| one["metadata"]["name"] == last);
            let (code, answer) = match (last, one) {
                ("notifiers", _) if query.contains("watch=true") => {
                    watches.push(send);
                    continue;
                }
                ("notifiers", _) => (200, list(&notifiers)),
                ("key", _) => (200, secret()),
                (_, Some(one)) => (200, one.clone()),
                _ => (404, status(404, "not found")),
            };
            let answer = Body::from(answer.to_string().into_bytes());
            send.send_response(Response::builder().status(code).body(answer).unwrap());
        }
    });
    (Client::new(service, "default"), tasks)
}

fn list(notifiers: &[Value]) -> Value {
    json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "NotifierList",
        "metadata": { "resourceVersion": "1" }, "items": notifiers })
}

fn secret() -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "data": { "signing-key": "czNjcmV0" },
        "metadata": { "name": "key", "resourceVersion": "1" } })
}

fn notifier(name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "Notifier",
        "metadata": { "name": name, "resourceVersion": "1" }, "spec": spec })
}

fn crier(client: Client) -> (Crier, Outbox) {
    let metrics = Metrics::register(&mut Registry::default());
    let outbox = Outbox::new(metrics.clone());
    (Crier::new(client, "sluice-system", metrics), outbox)
}

#[tokio::test]
async fn each_notifier_is_told_in_its_format_and_again_until_it_takes_it() {
    let (json_at, mut json_server) =
        serving(vec![http("503 Busy", ""), http("200 OK", ""), http("200 OK", "")]).await;
    let (slack_at, mut slack_server) = serving(vec![http("200 OK", "ok")]).await;
    let to = |address| format!("http://{address}/");
    let (client, _apiserver) = apiserver(vec![
        notifier("json", &json!({ "address": to(json_at), "secret": "key", "format": "JSON" })),
        notifier(
            "slack",
            &json!({ "address": to(slack_at), "format": "Slack",
            "namespaces": ["shop"], "events": ["Failed"] }),
        ),
        notifier("other", &json!({ "address": "http://127.0.0.1:9/", "namespaces": ["bank"] })),
    ]);
    let (crier, outbox) = crier(client);
    outbox.push(notice("a < b"));
    outbox.push(Notice { turn: "Released", ..notice("all") });
    let told = async {
        let asked = json_server.join_next().await.unwrap().unwrap();
        (asked, slack_server.join_next().await.unwrap().unwrap())
    };
    let (json_asked, slack_asked) = tokio::select! {
        () = crier.run(&outbox) => panic!("it ends by itself"),
        told = told => told,
    };
    let said: Vec<Value> =
        json_asked.iter().map(|asked| serde_json::from_str(body(asked)).unwrap()).collect();
    let messages: Vec<_> = said.iter().map(|said| said["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["a < b", "a < b", "all"]);
    assert!(json_asked.iter().all(|asked| header(asked, "x-sluice-signature-256").is_some()));
    let said: Value = serde_json::from_str(body(&slack_asked[0])).unwrap();
    assert_eq!(said, json!({ "text": ":warning: *Failed* Rollout shop/web: a &lt; b" }));
    assert_eq!(header(&slack_asked[0], "x-sluice-signature-256"), None);
}

/// A Notifier whose server is the test itself.
async fn listening() -> (tokio::net::TcpListener, Client, JoinSet<()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let spec = json!({ "address": format!("http://{address}/"), "timeout": "1h" });
    let (client, tasks) = apiserver(vec![notifier("a", &spec)]);
    (listener, client, tasks)
}

#[tokio::test]
async fn what_waits_when_the_process_stops_is_told_and_then_it_ends() {
    let (listener, client, _apiserver) = listening().await;
    let (crier, outbox) = crier(client);
    outbox.push(notice("1"));
    outbox.push(notice("2"));
    let server = async {
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            outbox.close();
            answered(stream, &http("200 OK", "")).await;
        }
    };
    tokio::join!(crier.run(&outbox), server);
}

#[tokio::test]
async fn a_stop_waits_for_nobody_who_is_silent() {
    let (listener, client, _apiserver) = listening().await;
    let (crier, outbox) = crier(client);
    outbox.push(notice("1"));
    let server = async {
        let accepted = listener.accept().await.unwrap();
        outbox.close();
        accepted
    };
    let began = clock::instant();
    let _ = tokio::join!(crier.run(&outbox), server);
    assert!(clock::instant() - began < LAST * 10);
}

#[test]
fn the_address_is_the_spec_s_or_the_secret_s() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let of = |spec: Value, address: Option<&str>| {
        let spec: NotifierSpec = serde_json::from_value(spec).unwrap();
        let mut credentials = Credentials::default();
        credentials.address = address.map(str::to_owned);
        Notifier::client(&spec, "key", credentials).map_err(|error| error.to_string())
    };
    assert!(of(json!({ "address": "http://a.example" }), None).is_ok());
    assert!(of(json!({ "secret": "key" }), Some("http://a.example")).is_ok());
    let said = of(json!({ "secret": "key" }), None).unwrap_err();
    assert!(said.starts_with("Secret key has neither address, nor"), "{said}");
    let said = of(json!({ "secret": "key" }), Some("b0rken")).unwrap_err();
    assert!(said.starts_with("its address cannot be used") && !said.contains("b0rken"), "{said}");
}
