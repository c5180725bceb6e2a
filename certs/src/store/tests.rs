//! The calls to the apiserver, and who wins.

use http::Method;
use serde_json::json;

use super::*;
use crate::testing::{SECRET_PATH, apiserver, bundle, place, secret, status};

const ONE: &str = "/api/v1/namespaces/sluice-system/secrets/cert";

#[tokio::test(start_paused = true)]
async fn reads_what_is_there() {
    let (client, mut apiserver) = apiserver();
    let store = Store::new(client, &place());
    let bundle = bundle();
    let (read, _) =
        tokio::join!(store.read(), apiserver.answer(&Method::GET, ONE, 200, secret(&bundle, "7")));
    let read = read.unwrap().unwrap();
    assert_eq!(read.version().as_deref(), Some("7"));
    assert_eq!(read.bundle.unwrap().data(), bundle.data());

    let gone = status(404, "NotFound");
    let (read, _) = tokio::join!(store.read(), apiserver.answer(&Method::GET, ONE, 404, gone));
    assert!(read.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn creates_with_all_keys_in_one_write() {
    let (client, mut apiserver) = apiserver();
    let store = Store::new(client, &place());
    let bundle = bundle();
    let (created, (query, sent)) = tokio::join!(
        store.create(&bundle),
        apiserver.answer(&Method::POST, SECRET_PATH, 201, secret(&bundle, "1")),
    );
    assert!(created.unwrap().bundle.is_ok());
    assert!(query.contains("fieldManager=sluice-controller"), "{query}");
    assert_eq!(sent["type"], "kubernetes.io/tls");
    let expected = serde_json::to_value(bundle.data()).unwrap();
    assert_eq!(sent["data"], expected);
}

#[tokio::test(start_paused = true)]
async fn the_second_maker_loses() {
    let (client, mut apiserver) = apiserver();
    let store = Store::new(client, &place());
    let exists = status(409, "AlreadyExists");
    let bundle = bundle();
    let (created, _) = tokio::join!(
        store.create(&bundle),
        apiserver.answer(&Method::POST, SECRET_PATH, 409, exists),
    );
    assert!(matches!(created, Err(StoreError::Lost(_))));
}

#[tokio::test(start_paused = true)]
async fn replaces_only_the_version_that_was_read() {
    let (client, mut apiserver) = apiserver();
    let store = Store::new(client, &place());
    let (old, new) = (bundle(), bundle());
    let mut shown = secret(&old, "7");
    shown["metadata"]["labels"] = json!({ "kept": "yes" });
    let (read, _) = tokio::join!(store.read(), apiserver.answer(&Method::GET, ONE, 200, shown));
    let read = read.unwrap().unwrap();
    let conflict = status(409, "Conflict");
    let (replaced, (_, sent)) = tokio::join!(
        store.replace(&read, &new),
        apiserver.answer(&Method::PUT, ONE, 409, conflict),
    );
    assert!(matches!(replaced, Err(StoreError::Lost(_))));
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(sent["metadata"]["labels"]["kept"], "yes");
    assert_eq!(sent["data"], serde_json::to_value(new.data()).unwrap());
}
