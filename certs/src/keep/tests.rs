//! Passes of the keeper against a scripted apiserver.

use http::Method;
use serde_json::Value;

use super::*;
use crate::bundle::CA_CERTIFICATE;
use crate::testing::{
    ADMISSION_PATH, Apiserver, SECRET_PATH, apiserver, bundle, day, place, registration, secret,
    status,
};

const ONE: &str = "/api/v1/namespaces/sluice-system/secrets/cert";
const MUTATING: &str = "MutatingWebhookConfiguration";
const VALIDATING: &str = "ValidatingWebhookConfiguration";

fn path_of(kind: &str) -> String {
    format!("{ADMISSION_PATH}/{}s/sluice", kind.to_lowercase())
}

/// Both configurations are found trusting nobody, and written.
async fn trusts(apiserver: &mut Apiserver, ca_bundle: &str) {
    for kind in [MUTATING, VALIDATING] {
        let path = path_of(kind);
        apiserver.answer(&Method::GET, &path, 200, registration(kind, "3", None)).await;
        let after = registration(kind, "4", Some(ca_bundle));
        let (_, sent) = apiserver.answer(&Method::PATCH, &path, 200, after.clone()).await;
        assert_eq!(sent[1]["value"], after["webhooks"][1]["clientConfig"]["caBundle"]);
    }
}

/// Gives what was sent back as what was stored.
fn stored(mut sent: Value, version: &str) -> (Bundle, Value) {
    sent["metadata"]["resourceVersion"] = version.into();
    let data = serde_json::from_value(sent["data"].clone()).unwrap();
    (Bundle::read(&data).unwrap(), sent)
}

#[tokio::test(start_paused = true)]
async fn a_first_pass_makes_the_secret_then_the_trust() {
    let (client, mut apiserver) = apiserver();
    let made = bundle();
    let place = place();
    let (kept, ()) = tokio::join!(pass(&client, &place, day(0)), async {
        apiserver.answer(&Method::GET, ONE, 404, status(404, "NotFound")).await;
        // The apiserver answers with what the other maker might have made: that counts.
        apiserver.answer(&Method::POST, SECRET_PATH, 201, secret(&made, "1")).await;
        trusts(&mut apiserver, &made.trusted()).await;
        apiserver.idles().await;
    });
    let kept = kept.unwrap();
    assert_eq!(kept.bundle.data(), made.data());
    assert_eq!(kept.mutating.as_deref(), Some("4"));
}

#[tokio::test(start_paused = true)]
async fn a_pass_over_a_good_state_only_reads() {
    let (client, mut apiserver) = apiserver();
    let made = bundle();
    let place = place();
    let (kept, ()) = tokio::join!(pass(&client, &place, day(59)), async {
        apiserver.answer(&Method::GET, ONE, 200, secret(&made, "1")).await;
        for kind in [MUTATING, VALIDATING] {
            let good = registration(kind, "4", Some(&made.trusted()));
            apiserver.answer(&Method::GET, &path_of(kind), 200, good).await;
        }
        apiserver.idles().await;
    });
    assert!(kept.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_due_leaf_is_replaced_under_the_version_read() {
    let (client, mut apiserver) = apiserver();
    let made = bundle();
    let place = place();
    let (kept, ()) = tokio::join!(pass(&client, &place, day(61)), async {
        apiserver.answer(&Method::GET, ONE, 200, secret(&made, "1")).await;
        let (_, sent) = apiserver.answer(&Method::PUT, ONE, 409, status(409, "Conflict")).await;
        let (renewed, sent) = stored(sent, "1");
        assert_eq!(sent["metadata"]["resourceVersion"], "1");
        assert_eq!(renewed.data()[CA_CERTIFICATE], made.data()[CA_CERTIFICATE]);
        assert_ne!(renewed.leaf.certificate(), made.leaf.certificate());
        apiserver.idles().await;
    });
    assert_eq!(kept.unwrap_err().kind(), "lost");
}

#[tokio::test(start_paused = true)]
async fn a_broken_secret_is_mended() {
    let (client, mut apiserver) = apiserver();
    let mut broken = secret(&bundle(), "1");
    broken["data"]["tls.key"] = "AAAA".into();
    let good = bundle();
    let place = place();
    let (kept, ()) = tokio::join!(pass(&client, &place, day(0)), async {
        apiserver.answer(&Method::GET, ONE, 200, broken).await;
        apiserver.answer(&Method::PUT, ONE, 200, secret(&good, "2")).await;
        trusts(&mut apiserver, &good.trusted()).await;
    });
    assert!(kept.is_ok());
}

/// The loop: a failed pass is tried again, a good one waits for one of four things.
#[tokio::test(start_paused = true)]
async fn the_loop_retries_then_waits_and_stops_when_told() {
    let (client, mut apiserver) = apiserver();
    let (place, metrics, stop) = (place(), KeepMetrics::default(), CancellationToken::new());
    let now = clock::now();
    let made = issue::bundle(&place.names(), None, now).unwrap();
    let scene = async {
        apiserver.answer(&Method::GET, ONE, 500, status(500, "InternalError")).await;
        apiserver.answer(&Method::GET, ONE, 200, secret(&made, "1")).await;
        for kind in [MUTATING, VALIDATING] {
            let good = registration(kind, "4", Some(&made.trusted()));
            apiserver.answer(&Method::GET, &path_of(kind), 200, good).await;
        }
        // Three watches from the versions that were read; the first says that something changed.
        let changed = registration(VALIDATING, "5", None);
        let event = serde_json::json!({ "type": "MODIFIED", "object": changed });
        for (path, version) in [(SECRET_PATH, "1"), ("mutating", "4"), ("validating", "4")] {
            let path = match path {
                SECRET_PATH => SECRET_PATH.to_owned(),
                kind => format!("{ADMISSION_PATH}/{kind}webhookconfigurations"),
            };
            let body = if path.contains("validating") { event.clone() } else { Value::Null };
            let (query, _) = apiserver.answer(&Method::GET, &path, 200, body).await;
            assert!(query.contains(&format!("resourceVersion={version}")), "{query}");
            assert!(query.contains("watch=true"), "{query}");
        }
        apiserver.answer(&Method::GET, ONE, 200, secret(&made, "1")).await;
        stop.cancel();
    };
    tokio::join!(keep(&client, &place, &metrics, &stop), scene);
    assert_eq!(metrics.failures.get_or_create(&Failure { kind: "api" }).get(), 1);
    let leaf = metrics.not_after.get_or_create(&Of { certificate: "leaf" }).get();
    assert_eq!(leaf, made.leaf.certificate().not_after.as_second());
}
