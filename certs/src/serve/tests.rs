//! What is served when, and what stays.

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::Bundle;
use crate::testing::{Apiserver, SECRET_PATH, apiserver, bundle, day, place, secret, status};

const ONE: &str = "/api/v1/namespaces/sluice-system/secrets/cert";

fn parsed(value: Value) -> Secret {
    serde_json::from_value(value).unwrap()
}

fn is_served(served: &Served, bundle: &Bundle) -> bool {
    let current = served.current();
    current.is_some_and(|current| current.cert[0] == bundle.leaf.certificate().der)
}

#[test]
fn the_last_good_certificate_stays() {
    let (publisher, served) = served();
    let metrics = ServeMetrics::default();
    let consider = |secret: Option<Value>, now| {
        publisher.consider(secret.map(parsed).as_ref(), &place(), &metrics, now);
    };
    let (first, second) = (bundle(), bundle());

    consider(None, day(0));
    assert!(served.current().is_none());
    consider(Some(secret(&first, "1")), day(0));
    assert!(is_served(&served, &first));
    assert_eq!(metrics.not_after.get(), first.leaf.certificate().not_after.as_second());

    let mut broken = secret(&second, "2");
    broken["data"]["tls.key"] = secret(&first, "1")["data"]["tls.key"].clone();
    consider(Some(broken), day(0));
    assert!(is_served(&served, &first));
    consider(None, day(0));
    consider(Some(json!({ "metadata": {} })), day(0));
    consider(Some(secret(&second, "2")), day(91));
    assert!(is_served(&served, &first));
    for (kind, count) in [("mismatch", 1), ("absent", 3), ("not-valid", 1)] {
        assert_eq!(metrics.failures.get_or_create(&Failure { kind }).get(), count, "{kind}");
    }

    consider(Some(secret(&second, "3")), day(0));
    assert!(is_served(&served, &second));
}

#[test]
fn the_same_certificate_is_no_news() {
    let (publisher, mut served) = served();
    let metrics = ServeMetrics::default();
    let made = bundle();
    publisher.consider(Some(&parsed(secret(&made, "1"))), &place(), &metrics, day(0));
    served.0.mark_unchanged();
    publisher.consider(Some(&parsed(secret(&made, "2"))), &place(), &metrics, day(0));
    assert!(!served.0.has_changed().unwrap());
}

async fn watched(apiserver: &mut Apiserver, version: &str, event: Value) {
    let (query, _) = apiserver.answer(&Method::GET, SECRET_PATH, 200, event).await;
    assert!(query.contains(&format!("resourceVersion={version}")), "{query}");
    assert!(query.contains("fieldSelector=metadata.name%3Dcert"), "{query}");
}

#[tokio::test(start_paused = true)]
async fn follows_the_secret_from_its_absence_on() {
    let (client, mut apiserver) = apiserver();
    let (publisher, mut served) = served();
    let (place, metrics, stop) = (place(), ServeMetrics::default(), CancellationToken::new());
    let names = place.names();
    let make = || crate::issue::bundle(&names, None, clock::now()).unwrap();
    let (first, second) = (make(), make());
    let event =
        |bundle: &Bundle, version| json!({ "type": "ADDED", "object": secret(bundle, version) });
    let scene = async {
        apiserver.answer(&Method::GET, ONE, 404, status(404, "NotFound")).await;
        watched(&mut apiserver, "0", event(&first, "1")).await;
        // The apiserver fails, and is asked again.
        apiserver.answer(&Method::GET, ONE, 500, status(500, "InternalError")).await;
        apiserver.answer(&Method::GET, ONE, 200, secret(&first, "1")).await;
        served.available().await;
        assert!(is_served(&served, &first));
        watched(&mut apiserver, "1", event(&second, "2")).await;
        apiserver.answer(&Method::GET, ONE, 200, secret(&second, "2")).await;
        watched(&mut apiserver, "2", Value::Null).await;
        assert!(is_served(&served, &second));
        stop.cancel();
    };
    tokio::join!(follow(&client, &place, &publisher, &metrics, &stop), scene);
}
