//! The admin port: `/livez`, `/readyz`, `/metrics`, plain HTTP for the kubelet and Prometheus.
//! It answers questions about the process and changes nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::ready::Readiness;
use crate::server::{Answer, Limits, Plain, Server, ServerMetrics};
use crate::shutdown::Shutdown;

/// Scrapers and probes are few; both come more often than the idle deadline, or anew.
const LIMITS: Limits = Limits {
    connections: 32,
    requests: 32,
    header: Duration::from_secs(5),
    idle: Duration::from_secs(60),
    // hyper's smallest.
    buffer_bytes: 8192,
};
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What the admin port speaks of.
#[derive(Debug)]
pub struct Admin {
    /// `/readyz`.
    pub readiness: Readiness,
    /// `/metrics`.
    pub registry: Registry,
    /// An announced stop is not ready.
    pub shutdown: Shutdown,
}

/// Serves until the process stops; the kubelet sees it not ready from the announcement on.
///
/// # Errors
/// None: a broken connection is the other side's business.
pub async fn serve(listener: TcpListener, admin: Admin) -> Result<(), Infallible> {
    let server = Server {
        open: Plain,
        limits: LIMITS,
        shutdown: admin.shutdown.clone(),
        metrics: ServerMetrics::default(),
    };
    let admin = Arc::new(admin);
    let handler = move |request: Request<Incoming>| {
        let response = answer(&admin, request.method(), request.uri().path());
        async move { response }
    };
    server.serve(listener, handler).await;
    Ok(())
}

/// The answer to a request: the whole of what this port can do.
fn answer(admin: &Admin, method: &Method, path: &str) -> Answer {
    let (status, content_type, body) = match path {
        _ if method != Method::GET && method != Method::HEAD => {
            let mut refused = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "use GET\n".into());
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        "/livez" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => ready(admin),
        "/metrics" => metrics(&admin.registry),
        _ => (StatusCode::NOT_FOUND, TEXT, "try /livez, /readyz or /metrics\n".to_owned()),
    };
    respond(status, content_type, body)
}

fn ready(admin: &Admin) -> (StatusCode, HeaderValue, String) {
    let unmet = admin.readiness.unmet();
    if admin.shutdown.is_announced() {
        (StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n".to_owned())
    } else if unmet.is_empty() {
        (StatusCode::OK, TEXT, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not yet: {}\n", unmet.join(", ")))
    }
}

fn metrics(registry: &Registry) -> (StatusCode, HeaderValue, String) {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => (StatusCode::OK, OPENMETRICS, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
    }
}

fn respond(status: StatusCode, content_type: HeaderValue, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests;
