//! Providers as the apiserver has them, and a small server in the place of Prometheus.

use std::net::SocketAddr;

use gate::answer::Data;
use gate::verdict::Trouble;
use serde_json::json;

use super::*;
use crate::testing::server::{http, stand_in_server};
use crate::testing::tls::{ClientPair, with_tls};
use crate::testing::{read as reads, scripted, status};
use crate::world::World;

const GET: &str = "GET /apis/sluice.dev/v1alpha1/metricproviders/default";
const GET_SECRET: &str = "GET /api/v1/namespaces/sluice-system/secrets/login";

fn provider(address: SocketAddr, more: &serde_json::Value) -> serde_json::Value {
    let mut prometheus = json!({ "address": format!("http://{address}/prom/"), "timeout": "2s" });
    prometheus.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "MetricProvider",
        "metadata": { "name": "default" }, "spec": { "prometheus": prometheus } })
}

fn question(query: &str) -> Question<'_> {
    let (window, patience) = (Duration::from_secs(11), Duration::from_secs(30));
    Question { query, window, patience, at: None }
}

async fn asked(answer: String) -> (Asked, String) {
    let (address, mut server) = stand_in_server(answer).await;
    let exchanges = vec![reads(GET, 200, provider(address, &json!({})))];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let asked = context.providers.ask("default", question("up{pod=~\"a|b\"} > 1")).await;
    script.played(context).await;
    (asked, server.join_next().await.unwrap().unwrap())
}

const SUCCESS: &str =
    r#"{"status":"success","data":{"resultType":"scalar","result":[1800000000,"0.5"]}}"#;

#[tokio::test]
async fn a_query_is_posted_and_its_answer_read() {
    let (answer, request) = asked(http("200 OK", SUCCESS)).await;
    assert!(matches!(answer.unwrap().data, Data::Scalar(sample) if sample.value == 0.5));
    assert!(request.starts_with("POST /prom/api/v1/query HTTP/1.1"), "{request}");
    assert!(request.contains("query=up%7Bpod%3D%7E%22a%7Cb%22%7D+%3E+1"), "{request}");
    assert!(request.contains("timeout=2000ms"), "{request}");
    assert!(request.contains("lookback_delta=11s"), "{request}");
}

#[tokio::test]
async fn what_is_no_answer_says_why() {
    let wrong = r#"{"status":"error","errorType":"bad_data","error":"parse error: no"}"#;
    for (answer, says) in [
        (http("400 Bad Request", wrong), "Prometheus says bad_data: parse error: no"),
        (http("500 Internal Server Error", "oops"), "HTTP 500 Internal Server Error"),
        (http("200 OK", "oops"), "the answer cannot be read"),
        (http("500 Internal Server Error", SUCCESS), "HTTP 500 Internal Server Error"),
        (http("302 Found", ""), "HTTP 302 Found"),
        (http("200 OK", &" ".repeat(BODY_BYTES_MAX + 1)), "more than 1 MiB"),
        (String::new(), "Prometheus does not answer"),
    ] {
        let (asked, _) = asked(answer).await;
        let said = asked.unwrap_err().to_string();
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named() {
    let exchanges = vec![reads(GET, 404, status(404, "not found"))];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let asked = context.providers.ask("default", question("up")).await;
    let Err(Trouble::Unasked(why)) = asked else { panic!("{asked:?}") };
    assert_eq!(why, "there is no MetricProvider default: the administrator makes it");
    script.played(context).await;
}

#[tokio::test]
async fn credentials_come_from_the_secret_and_both_are_read_once() {
    for (data, header) in [
        (json!({ "token": "czNjcjN0Cg==" }), "authorization: Bearer s3cr3t\r\n"),
        (json!({ "username": "YW5u", "password": "cHc=" }), "authorization: Basic YW5uOnB3\r\n"),
    ] {
        let (address, mut server) = stand_in_server(http("200 OK", SUCCESS)).await;
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "data": data,
            "metadata": { "name": "login", "resourceVersion": "1" } });
        let exchanges = vec![
            reads(GET, 200, provider(address, &json!({ "secret": "login" }))),
            reads(GET_SECRET, 200, secret),
        ];
        let (context, script) = scripted(World::new("sluice-system"), exchanges);
        context.providers.ask("default", question("up")).await.unwrap();
        // The server is gone, and nothing is read again.
        let again = context.providers.ask("default", question("up")).await;
        assert!(matches!(again, Err(Trouble::Unreachable(_))));
        script.played(context).await;
        let request = server.join_next().await.unwrap().unwrap();
        assert!(request.contains(header), "{request}");
    }
}

#[tokio::test]
async fn a_secret_without_credentials_is_no_secret() {
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "tokn": "eA==" },
        "metadata": { "name": "login", "resourceVersion": "1" } });
    let exchanges = vec![
        reads(GET, 200, provider(address, &json!({ "secret": "login" }))),
        reads(GET_SECRET, 200, secret),
    ];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let said = context.providers.ask("default", question("up")).await.unwrap_err().to_string();
    assert!(said.contains("Secret login has neither token"), "{said}");
    script.played(context).await;
}

#[tokio::test]
async fn a_prometheus_behind_tls_is_shown_a_client_certificate() {
    use base64::Engine;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let client = ClientPair::new();
    let (address, own, server) =
        with_tls(vec![http("200 OK", SUCCESS)], Some(&client.certificate)).await;
    let secret = json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "login", "resourceVersion": "1" },
        "data": { "ca.crt": base64(&own), "tls.crt": base64(&client.certificate),
            "tls.key": base64(&client.key) } });
    let mut object = provider(address, &json!({ "secret": "login" }));
    object["spec"]["prometheus"]["address"] = json!(format!("https://{address}"));
    let exchanges = vec![reads(GET, 200, object), reads(GET_SECRET, 200, secret)];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    context.providers.ask("default", question("up")).await.unwrap();
    script.played(context).await;
    assert!(server.join_all().await.concat()[0].starts_with("POST /api/v1/query"));
}

#[tokio::test]
async fn no_more_questions_at_once_than_the_provider_says() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let more = json!({ "concurrency": 2, "timeout": "1s" });
    let exchanges = vec![reads(GET, 200, provider(address, &more))];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let patient = question("up");
    let soon = Question { patience: Duration::from_millis(50), ..patient };
    let ask = |question| context.providers.ask("default", question);
    // All connections stay open and none is answered, until the first two are given up.
    let asked = async { tokio::join!(ask(patient), ask(patient), ask(soon), ask(patient)) };
    let accepted = async {
        let mut open = Vec::new();
        for _ in 0..2 {
            open.push(listener.accept().await.unwrap());
        }
        let third = listener.accept();
        assert!(timeout(Duration::from_millis(150), third).await.is_err(), "three at once");
        open.push(listener.accept().await.unwrap());
        open
    };
    let ((first, second, crowded, last), open) = tokio::join!(asked, accepted);
    for silent in [first, second, last] {
        assert!(matches!(silent, Err(Trouble::Unreachable(_))), "{silent:?}");
    }
    let said = crowded.unwrap_err().to_string();
    let told = "it was not asked: its turn did not come within 50ms: 2 requests at once";
    assert!(said.starts_with(told), "{said}");
    drop(open);
    script.played(context).await;
}
