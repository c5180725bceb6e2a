//! What the tests of several modules share: a place, moments, and an apiserver that plays a
//! written scene.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower_test::mock::{Handle, pair};

use crate::{Bundle, Place};

pub(crate) const SECRET_PATH: &str = "/api/v1/namespaces/sluice-system/secrets";
pub(crate) const ADMISSION_PATH: &str = "/apis/admissionregistration.k8s.io/v1";

pub(crate) fn place() -> Place {
    Place {
        namespace: "sluice-system".to_owned(),
        secret: "cert".to_owned(),
        service: "sluice-webhook".to_owned(),
        registration: "sluice".to_owned(),
        manager: "sluice-controller".to_owned(),
    }
}

/// A moment so many days after the bundles of the tests are made.
pub(crate) fn day(days: i64) -> Timestamp {
    let birth: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    birth + SignedDuration::from_hours(24 * days)
}

pub(crate) fn bundle() -> Bundle {
    crate::issue::bundle(&place().names(), None, day(0)).unwrap()
}

/// The Secret as the apiserver shows it.
pub(crate) fn secret(bundle: &Bundle, version: &str) -> Value {
    let mut secret =
        serde_json::to_value(Secret { data: Some(bundle.data()), ..Secret::default() }).unwrap();
    secret["metadata"] = json!({ "name": "cert", "resourceVersion": version });
    secret
}

/// A webhook configuration as the apiserver shows it: one entry of ours, one of somebody else's.
pub(crate) fn registration(kind: &str, version: &str, ca_bundle: Option<&str>) -> Value {
    let entry = |service: &str| {
        json!({
            "name": format!("{service}.sluice.dev"),
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": { "service": { "namespace": "sluice-system", "name": service } },
        })
    };
    let mut ours = entry("sluice-webhook");
    if let Some(pem) = ca_bundle {
        ours["clientConfig"]["caBundle"] = json!(ByteString(pem.as_bytes().to_vec()));
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": "sluice", "resourceVersion": version },
        "webhooks": [entry("other"), ours],
    })
}

/// An apiserver that expects one request after another.
pub(crate) struct Apiserver(Handle<Request<Body>, Response<Body>>);

pub(crate) fn apiserver() -> (Client, Apiserver) {
    let (service, handle) = pair();
    (Client::new(service, "default"), Apiserver(handle))
}

impl Apiserver {
    /// Expects that request, answers it, and gives its query and body.
    #[track_caller]
    pub(crate) fn answer<'a>(
        &'a mut self,
        method: &'a Method,
        path: &'a str,
        status: u16,
        body: Value,
    ) -> impl Future<Output = (String, Value)> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let request = tokio::time::timeout(Duration::from_secs(1), self.0.next_request());
            let (request, send) = request
                .await
                .unwrap_or_else(|_| panic!("{caller}: no request where {method} {path} is due"))
                .unwrap();
            assert_eq!((request.method(), request.uri().path()), (method, path), "{caller}");
            let query = request.uri().query().unwrap_or_default().to_owned();
            let sent = request.into_body().collect().await.unwrap().to_bytes();
            let sent = serde_json::from_slice(&sent).unwrap_or(Value::Null);
            let body = Body::from(Bytes::from(body.to_string()));
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            send.send_response(response);
            (query, sent)
        }
    }

    /// Nothing more is asked for.
    #[track_caller]
    pub(crate) fn idles(mut self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let next = tokio::time::timeout(Duration::from_secs(1), self.0.next_request()).await;
            if let Ok(Some((request, _))) = next {
                panic!("{caller}: {} {}", request.method(), request.uri());
            }
        }
    }
}

/// The answer to a request that failed.
pub(crate) fn status(code: u16, reason: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code, "reason": reason, "message": reason, "metadata": {},
    })
}
