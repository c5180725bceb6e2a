//! HTTP in, HTTP out: paths, methods, content types, bodies, and the clock around a decision.
//! What is decided is decided in [`crate::mutate`] and [`crate::validate`].

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use runtime::server::Answer;
use runtime::{chain, clock};

use crate::body::Buffered;
use crate::decision::Decision;
use crate::metrics::Metrics;
use crate::review::{self, ReviewError};
use crate::rivals::Rivals;
use crate::text::logged;
use crate::{mutate, validate};

/// Answers reviews.
pub struct Service<R> {
    controller: String,
    rivals: R,
    metrics: Metrics,
    buffered: Buffered,
}

/// What a review is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/mutate`
    Mutate,
    /// `/validate`
    Validate,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/mutate" => Some(Self::Mutate),
            "/validate" => Some(Self::Validate),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

/// A request that gets no review for an answer.
struct Refused {
    status: StatusCode,
    reason: &'static str,
    text: String,
}

impl<R: Rivals> Service<R> {
    /// `controller` is the user name that alone may change what is ours.
    #[must_use]
    pub fn new(controller: String, rivals: R, metrics: Metrics) -> Self {
        Self { controller, rivals, metrics, buffered: Buffered::default() }
    }

    /// Answers one HTTP request.
    pub async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        match self.answer(request).await {
            Ok(review) => {
                respond(StatusCode::OK, HeaderValue::from_static("application/json"), review)
            }
            Err(Refused { status, reason, text }) => {
                self.metrics.refused(reason);
                tracing::debug!(reason, text = logged(&text), "request refused");
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                let mut answer = respond(status, plain, format!("{text}\n").into());
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                }
                answer
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Vec<u8>, Refused> {
        let route = route(&request)?;
        let body = self.buffered.read(request).await.map_err(|error| Refused {
            status: error.status(),
            reason: error.kind(),
            text: chain(&error).to_string(),
        })?;
        self.review(route, &body.bytes).await.map_err(|error| Refused {
            status: StatusCode::BAD_REQUEST,
            reason: error.kind(),
            text: chain(&error).to_string(),
        })
    }

    /// Answers one review.
    ///
    /// # Errors
    /// The bytes are no review, so there is nothing that an answer could belong to.
    pub async fn review(&self, route: Route, bytes: &[u8]) -> Result<Vec<u8>, ReviewError> {
        let begun = clock::instant();
        let request = review::Request::read(bytes)?;
        let decision = match route {
            Route::Mutate => mutate::mutate(&request, &self.controller),
            Route::Validate => validate::validate(&request, &self.rivals).await,
        };
        let verdict = decision.verdict;
        log(&request, &decision);
        let answer = review::answer(&request, decision);
        self.metrics.answered(route.as_str(), request.known(), verdict, begun.elapsed());
        Ok(answer)
    }
}

/// One line for each write that we changed, refused or could not read.
fn log(request: &review::Request<'_>, decision: &Decision) {
    if decision.verdict.is_plain() {
        return;
    }
    tracing::info!(
        uid = logged(&request.uid),
        kind = request.known().as_str(),
        namespace = logged(&request.namespace),
        name = logged(&request.name),
        user = logged(&request.user_info.username),
        dry_run = request.dry_run,
        verdict = decision.verdict.as_str(),
        warnings = decision.warnings.len(),
        "admission"
    );
}

fn route(request: &Request<Incoming>) -> Result<Route, Refused> {
    let refused = |status, reason, text: &str| Refused { status, reason, text: text.to_owned() };
    let Some(route) = Route::of(request.uri().path()) else {
        return Err(refused(StatusCode::NOT_FOUND, "path", "use /mutate or /validate"));
    };
    if request.method() != Method::POST {
        return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "method", "use POST"));
    }
    if !is_json(request.headers().get(CONTENT_TYPE)) {
        let text = "send application/json";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", text));
    }
    Ok(route)
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let media_type =
        content_type.and_then(|value| value.to_str().ok()).and_then(|text| text.split(';').next());
    media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"))
}

fn respond(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}
