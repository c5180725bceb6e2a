//! One lane of a load: one request at a time, on one connection where it is kept. Knows HTTP, not
//! how many requests there are.

use std::error::Error;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::order::{Order, Target};
use super::tally::{Answer, End, Exchange};
use crate::clock;

pub(super) struct Lane {
    order: Order,
    target: Target,
    kept: Option<SendRequest<Empty<Bytes>>>,
    connections: JoinSet<()>,
    opened: u32,
}

impl Lane {
    pub(super) fn new(order: Order, target: Target) -> Self {
        Self { order, target, kept: None, connections: JoinSet::new(), opened: 0 }
    }

    /// Sends one request and waits for the end of its answer.
    pub(super) async fn exchange(&mut self) -> Exchange {
        // Ended connections are collected here, or the set would grow for ever.
        while self.connections.try_join_next().is_some() {}
        self.opened = 0;
        let (at, begun, patience) = (clock::now(), Instant::now(), self.order.patience);
        let end = match timeout(patience, self.ask()).await {
            Ok(Ok(answer)) => End::Answered(answer),
            Ok(Err(reason)) => End::Lost(reason),
            Err(_) => End::Lost(format!("no answer within {patience:?}")),
        };
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Exchange { at, took_us, connections: self.opened, end }
    }

    /// A kept connection is taken out before anything is sent on it, and only put back after a
    /// whole answer.
    async fn ask(&mut self) -> Result<Answer, String> {
        if let Some(mut kept) = self.kept.take()
            // The server may have closed it since. Nothing was sent, so nothing is lost.
            && kept.ready().await.is_ok()
        {
            match self.send(kept).await {
                Err(Unanswered { unsent: true, .. }) => {}
                Err(Unanswered { reason, .. }) => return Err(format!("{reason} (kept)")),
                Ok(answer) => return Ok(answer),
            }
        }
        let fresh = self.connect().await?;
        self.send(fresh).await.map_err(|unanswered| unanswered.reason)
    }

    async fn connect(&mut self) -> Result<SendRequest<Empty<Bytes>>, String> {
        self.opened += 1;
        let stream = TcpStream::connect(self.target.address)
            .await
            .map_err(|error| chain("connecting", &error))?;
        // A small request must not wait for the answer to the one before.
        stream.set_nodelay(true).map_err(|error| chain("connecting", &error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| chain("connecting", &error))?;
        self.connections.spawn(async move {
            // What went wrong, the request on it says.
            let _ = connection.await;
        });
        Ok(sender)
    }

    async fn send(&mut self, mut sender: SendRequest<Empty<Bytes>>) -> Result<Answer, Unanswered> {
        let answer = sender.send_request(self.request()).await.map_err(|error| Unanswered {
            unsent: error.is_canceled(),
            reason: chain("asking", &error),
        })?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| Unanswered {
            unsent: false,
            reason: chain("the answer was cut off", &error),
        })?;
        if self.order.keep_alive {
            self.kept = Some(sender);
        }
        let named = head.headers.get("version").and_then(|value| value.to_str().ok());
        let version = named.map_or_else(|| first_word(&body.to_bytes()), str::to_owned);
        Ok(Answer { version, status: head.status.as_u16() })
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.target.path.clone();
        request.headers_mut().extend(self.target.headers.iter().cloned());
        if !self.order.keep_alive {
            let close = HeaderValue::from_static("close");
            request.headers_mut().insert(http::header::CONNECTION, close);
        }
        request
    }
}

/// A request without an answer.
struct Unanswered {
    /// Not a byte of it was sent.
    unsent: bool,
    reason: String,
}

/// An error with everything that caused it.
fn chain(doing: &str, error: &dyn Error) -> String {
    let mut text = format!("{doing}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing into a String has no way to fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn first_word(body: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text = String::from_utf8_lossy(&body[..body.len().min(LONGEST)]);
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
