//! Hooks from the administrator's object to the answer.

use plan::HookWorkload;
use serde_json::{Value, json};

use super::*;
use crate::testing::server::{body, header, http, serving, stand_in_server};
use crate::testing::{Exchange, read as reads, scripted, status};
use crate::world::World;

const GET: &str = "GET /apis/sluice.dev/v1alpha1/hookproviders/checks";
const GET_SECRET: &str = "GET /api/v1/namespaces/sluice-system/secrets/key";

fn call() -> HookCall {
    HookCall {
        rollout: "web".into(),
        namespace: "shop".into(),
        workload: HookWorkload {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            name: "web".into(),
        },
        revision: "new".into(),
        stable_revision: "old".into(),
        pod_hash: "abc".into(),
        stable_pod_hash: "def".into(),
        batch: 1,
        batches: 3,
        gate: "smoke".into(),
        attempt: 1,
    }
}

fn provider(address: &str, secret: Option<&str>) -> Value {
    json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "HookProvider",
        "metadata": { "name": "checks" },
        "spec": { "address": address, "secret": secret, "timeout": "2s" } })
}

fn secret(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "data": data,
        "metadata": { "name": "key", "resourceVersion": "1" } })
}

async fn sent(exchanges: Vec<Exchange>) -> Heard {
    sent_to("checks", exchanges).await
}

async fn sent_to(provider: &str, exchanges: Vec<Exchange>) -> Heard {
    let (context, script) = scripted(World::new("sluice-system"), exchanges);
    let heard = context.hooks.send(provider, &call(), Duration::from_secs(30)).await;
    script.played(context).await;
    heard
}

#[tokio::test]
async fn the_release_is_posted_and_the_answer_heard() {
    let (address, mut server) = stand_in_server(http("409 Conflict", "frozen\n")).await;
    let address = format!("http://{address}/release");
    let exchanges = vec![
        reads(GET, 200, provider(&address, Some("key"))),
        reads(GET_SECRET, 200, secret(&json!({ "signing-key": "czNjcmV0" }))),
    ];
    let heard = sent(exchanges).await.unwrap();
    assert_eq!(heard, HookAnswer { status: 409, words: "frozen".into() });
    let request = server.join_next().await.unwrap().unwrap();
    let told: Value = serde_json::from_str(body(&request)).unwrap();
    assert_eq!((&told["rollout"], &told["gate"]), (&json!("web"), &json!("smoke")));
    assert!(header(&request, "x-sluice-signature-256").is_some_and(|it| it.len() == 7 + 64));
}

/// What came of these answers, one after the other, and what was asked.
async fn after(answers: &[&str]) -> (HookAnswer, Vec<String>) {
    let answers = answers.iter().map(|status| http(status, "")).collect();
    let (address, server) = serving(answers).await;
    let address = format!("http://{address}/release");
    let heard = sent(vec![reads(GET, 200, provider(&address, None))]).await;
    (heard.unwrap(), server.join_all().await.concat())
}

#[tokio::test]
async fn a_server_that_fails_is_asked_once_more_under_the_same_number() {
    for (answers, status) in [
        (&["500 Internal Server Error", "200 OK"][..], 200),
        (&["503 Service Unavailable", "502 Bad Gateway"], 502),
        (&["504 Gateway Timeout", "409 Conflict"], 409),
        (&["409 Conflict"], 409),
        (&["429 Too Many Requests"], 429),
        (&["200 OK"], 200),
    ] {
        let (answer, asked) = after(answers).await;
        assert_eq!((answer.status, asked.len()), (status, answers.len()), "{answers:?}");
        let bodies: Vec<&str> = asked.iter().map(|request| body(request)).collect();
        assert!(bodies.iter().all(|one| *one == bodies[0] && one.contains("\"attempt\":1")));
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named() {
    let heard = sent(vec![reads(GET, 404, status(404, "not found"))]).await;
    let said = heard.unwrap_err().to_string();
    let expected =
        "the hook was not sent: there is no HookProvider checks: the administrator makes it";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_name_that_no_object_has_is_never_asked_for() {
    for name in ["", "..", "a/b", "a?b=c", "../../../../api/v1/namespaces/x/secrets/y"] {
        let said = sent_to(name, Vec::new()).await.unwrap_err().to_string();
        assert!(said.contains("is no name of a HookProvider"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_secret_says_what_is_wrong_and_nothing_is_sent() {
    let address = "http://127.0.0.1:9/";
    for (code, answer, says) in [
        (404, status(404, "not found"), "there is no Secret key in sluice-system"),
        (403, status(403, "forbidden"), "Secret key of the HookProvider cannot be read"),
        (200, secret(&json!({ "key": "eA==" })), "Secret key has neither signing-key, nor token"),
        (200, secret(&json!({ "signing-key": "" })), "has a signing-key that cannot be used"),
        (200, secret(&json!({ "ca.crt": "eA==" })), "Secret key has"),
    ] {
        let exchanges =
            vec![reads(GET, 200, provider(address, Some("key"))), reads(GET_SECRET, code, answer)];
        let said = sent(exchanges).await.unwrap_err().to_string();
        assert!(said.starts_with("the hook was not sent: ") && said.contains(says), "{said}");
    }
}
