//! Providers as the apiserver has them, and a small server in the place of Prometheus.

use std::net::SocketAddr;

use gate::answer::Data;
use gate::verdict::Trouble;
use serde_json::json;

use super::*;
use crate::testing::server::{http, stand_in_server};
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

async fn asked(answer: String) -> (Asked, String) {
    let (address, mut server) = stand_in_server(answer).await;
    let exchanges = vec![reads(GET, 200, provider(address, &json!({})))];
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let asked = context.providers.ask("default", "up{pod=~\"a|b\"} > 1", None).await;
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
    let asked = context.providers.ask("default", "up", None).await;
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
        context.providers.ask("default", "up", None).await.unwrap();
        // The server is gone, and nothing is read again.
        let again = context.providers.ask("default", "up", None).await;
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
    let said = context.providers.ask("default", "up", None).await.unwrap_err().to_string();
    assert!(said.contains("Secret login has neither token"), "{said}");
    script.played(context).await;
}
