//! An HTTP server that nobody can wear out: bounded connections with fair accept, header and idle
//! deadlines, bounded requests, graceful drain. It knows nothing of what is served, nor of TLS.
//!
//! hyper's own header deadline runs while a kept-alive connection is idle too, so it would close
//! what a client means to use again; the two are told apart here ([`life`]).

mod book;
mod life;
mod streams;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::book::Book;
use self::life::{Life, Watched};
use self::streams::Streams;
use crate::shutdown::Shutdown;

/// What comes back for a request. Bodies are small and whole.
pub type Answer = Response<Full<Bytes>>;

/// After a failed accept (no descriptor left, mostly) waiting is all that helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Flow-control windows of HTTP/2: a stream may send this much before anything is read.
const WINDOW_BYTES: u32 = 64 * 1024;

/// Bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. Near it, the one that has been idle longest is closed for a new one.
    pub connections: usize,
    /// Requests being answered; more are refused at once with 503.
    pub requests: usize,
    /// From accept to the end of the TLS handshake, and from a request's first byte to its
    /// handler.
    pub header: Duration,
    /// From the end of one request to the first byte of the next.
    pub idle: Duration,
    /// Read buffer of a connection, which bounds the size of a request's head.
    pub buffer_bytes: usize,
}

/// What the handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Makes of a TCP connection what HTTP is spoken over.
pub trait Open: Clone + Send + Sync + 'static {
    /// The opened connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Does the handshake. Its deadline is the server's business.
    fn open(
        &self,
        stream: TcpStream,
    ) -> impl Future<Output = io::Result<(Self::Io, Protocol)>> + Send;
}

/// HTTP/1.1 without TLS.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Open for Plain {
    type Io = TcpStream;

    async fn open(&self, stream: TcpStream) -> io::Result<(TcpStream, Protocol)> {
        Ok((stream, Protocol::Http1))
    }
}

/// Connections of a server, counted.
#[derive(Clone, Debug, Default)]
pub struct ServerMetrics {
    open: Gauge,
    closed: Family<ClosedLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    reason: &'static str,
}

impl ServerMetrics {
    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Open connections", self.open.clone());
        registry.register("connections_closed", "Closed connections", self.closed.clone());
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    /// The other side was done, or the drain.
    Done,
    /// A protocol or socket error.
    Broken,
    /// No or a broken TLS handshake.
    Handshake,
    /// A request's head took too long.
    SlowHeader,
    /// No request for too long.
    Idle,
    /// Idle, and its place was needed.
    Evicted,
}

impl Closed {
    fn reason(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Broken => "broken",
            Self::Handshake => "handshake",
            Self::SlowHeader => "slow_header",
            Self::Idle => "idle",
            Self::Evicted => "evicted",
        }
    }
}

/// A server, ready to serve.
#[derive(Debug)]
pub struct Server<O> {
    /// The handshake.
    pub open: O,
    /// Its bounds.
    pub limits: Limits,
    /// When to end.
    pub shutdown: Shutdown,
    /// Where connections are counted.
    pub metrics: ServerMetrics,
}

impl<O: Open> Server<O> {
    /// Serves until [`Shutdown::stopping`], then lets every request in hand finish.
    pub async fn serve<H, F>(self, listener: TcpListener, handler: H)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let book = Book::default();
        let requests = Arc::new(Semaphore::new(self.limits.requests));
        let mut connections = JoinSet::new();
        while let Some(stream) = self.next_stream(&listener, &mut connections).await {
            // One place is kept free, so that whoever comes next finds the door open.
            if connections.len() + 1 >= self.limits.connections {
                book.evict_longest_idle();
            }
            let connection = Connection {
                open: self.open.clone(),
                limits: self.limits,
                shutdown: self.shutdown.clone(),
                requests: Arc::clone(&requests),
                life: book.enter(),
            };
            let (metrics, handler) = (self.metrics.clone(), handler.clone());
            connections.spawn(async move {
                metrics.open.inc();
                let closed = connection.serve(stream, handler).await;
                metrics.open.dec();
                metrics.closed.get_or_create(&ClosedLabels { reason: closed.reason() }).inc();
            });
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// The next connection, or none once the process stops. Ended connections are reaped meanwhile.
    async fn next_stream(
        &self,
        listener: &TcpListener,
        connections: &mut JoinSet<()>,
    ) -> Option<TcpStream> {
        loop {
            // All arms are cancel-safe: accept leaves the connection in the kernel's queue, and
            // a connection that ended stays in the set.
            tokio::select! {
                biased;
                () = self.shutdown.stopping() => return None,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < self.limits.connections => {
                    match accepted {
                        Ok((stream, _)) => return Some(stream),
                        Err(error) => pause(&error).await,
                    }
                }
            }
        }
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "cannot accept connections");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Binds a listener. All addresses (`[::]`) mean those of IPv4 where there is no IPv6.
///
/// # Errors
/// As the system says, with the address in the text.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = match TcpListener::bind(address).await {
        Err(_) if address.ip() == Ipv6Addr::UNSPECIFIED => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    };
    bound.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

struct Connection<O> {
    open: O,
    limits: Limits,
    shutdown: Shutdown,
    requests: Arc<Semaphore>,
    life: Arc<Life>,
}

impl<O: Open> Connection<O> {
    async fn serve<H, F>(self, stream: TcpStream, handler: H) -> Closed
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        // Answers are small and whole: waiting to fill a segment only delays them. A socket that
        // refuses the option is about to fail anyway.
        let _ = stream.set_nodelay(true);
        let opening = tokio::time::timeout(self.limits.header, self.open.open(stream));
        let opened = tokio::select! {
            biased;
            // Dropping a handshake loses nothing that anybody could use.
            () = self.life.evicted() => return Closed::Evicted,
            opened = opening => opened,
        };
        let Ok(Ok((io, protocol))) = opened else { return Closed::Handshake };
        self.life.opened();
        let service = self.service(handler);
        match protocol {
            Protocol::Http1 => {
                let io = TokioIo::new(Watched::new(io, Arc::clone(&self.life)));
                let mut builder = http1::Builder::new();
                builder.header_read_timeout(None).max_buf_size(self.limits.buffer_bytes);
                self.drive(builder.serve_connection(io, service_fn(service))).await
            }
            Protocol::Http2 => {
                // HTTP/2 has frames between requests, so bytes are no sign of one: a head that
                // never ends counts as idle.
                let mut builder = http2::Builder::new(Streams::default());
                builder
                    .timer(TokioTimer::new())
                    .initial_stream_window_size(WINDOW_BYTES)
                    .initial_connection_window_size(4 * WINDOW_BYTES)
                    .max_concurrent_streams(u32::try_from(self.limits.requests).ok())
                    .max_header_list_size(u32::try_from(self.limits.buffer_bytes).unwrap_or(0))
                    .max_send_buf_size(self.limits.buffer_bytes);
                self.drive(builder.serve_connection(TokioIo::new(io), service_fn(service))).await
            }
        }
    }

    /// The handler with what every request needs: a place, the connection kept alive while it is
    /// answered, and the word that no more should come.
    fn service<H, F>(
        &self,
        handler: H,
    ) -> impl Fn(Request<Incoming>) -> Served + Clone + Send + 'static
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let (life, requests) = (Arc::clone(&self.life), Arc::clone(&self.requests));
        let shutdown = self.shutdown.clone();
        move |request| {
            let busy = life.busy();
            let is_http1 = request.version() < Version::HTTP_2;
            let place = Arc::clone(&requests).try_acquire_owned();
            let answering = place.is_ok().then(|| handler(request));
            let shutdown = shutdown.clone();
            Box::pin(async move {
                let mut answer = match answering {
                    Some(answering) => answering.await,
                    None => overloaded(),
                };
                if is_http1 && shutdown.is_announced() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                drop((busy, place));
                Ok(answer)
            })
        }
    }

    /// Runs a connection to its end, or to a deadline.
    async fn drive<C: GracefulConnection>(&self, connection: C) -> Closed {
        let mut connection = pin!(connection);
        let mut stopping = pin!(self.shutdown.stopping());
        let mut evicted = pin!(self.life.evicted());
        let mut alarm = pin!(tokio::time::sleep(self.limits.idle));
        let mut draining = false;
        let step = |context: &mut Context<'_>| {
            // The deadline is read after the connection has moved: both happen in one poll, so
            // nobody need be woken when a deadline changes.
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(if ended.is_ok() { Closed::Done } else { Closed::Broken });
            }
            if !draining && stopping.as_mut().poll(context).is_ready() {
                draining = true;
                connection.as_mut().graceful_shutdown();
                context.waker().wake_by_ref();
            }
            if evicted.as_mut().poll(context).is_ready() {
                return Poll::Ready(Closed::Evicted);
            }
            let Some((at, why)) = self.life.deadline(&self.limits) else { return Poll::Pending };
            if alarm.deadline() != at {
                alarm.as_mut().reset(at);
            }
            alarm.as_mut().poll(context).map(|()| why)
        };
        let closed = std::future::poll_fn(step).await;
        if closed != Closed::Done {
            tracing::debug!(reason = closed.reason(), "connection closed");
        }
        closed
    }
}

type Served = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

fn overloaded() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"too many requests at once\n")));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}
