//! The test application's server: what it answers, and how it ends. On SIGTERM it says that it is
//! not ready, goes on answering for the drain time, then takes no new connection and finishes
//! every request that it has begun.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use crds::GepDuration;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::measures::{self, Measures};
use super::settings::{Settings, Share};
use super::switches::Switches;

/// Why the server cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is not to be had.
    #[error("cannot listen on port {port}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was told to crash.
    #[error("told to crash")]
    Crash,
}

impl ServerError {
    /// A stable word for each kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "Listen",
            Self::Crash => "Crash",
        }
    }
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
}

struct App {
    settings: Settings,
    switches: Switches,
    measures: Measures,
    stopping: CancellationToken,
    crash: CancellationToken,
}

impl Server {
    /// Listens. Port 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn bind(settings: Settings) -> Result<Self, ServerError> {
        let port = settings.port;
        let address = SocketAddr::from(([0, 0, 0, 0], port));
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServerError::Listen { port, source })?;
        let switches = Switches::new(&settings);
        let measures = Measures::new(&settings.version);
        let (stopping, crash) = (CancellationToken::new(), CancellationToken::new());
        let app = Arc::new(App { settings, switches, measures, stopping, crash });
        Ok(Self { listener, app })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then drains.
    ///
    /// # Errors
    /// [`ServerError::Crash`] when it was told to crash.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServerError> {
        let crash = self.app.crash.clone();
        tokio::select! {
            biased;
            () = crash.cancelled() => Err(ServerError::Crash),
            () = self.serve(stop) => Ok(()),
        }
    }

    async fn serve(self, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let (app, end) = (&self.app, CancellationToken::new());
        let drained = async {
            stop.cancelled().await;
            app.switches.set_ready(false);
            app.stopping.cancel();
            sleep(app.settings.drain.get()).await;
            end.cancel();
        };
        let crash = async {
            if let Some(after) = app.settings.crash_after {
                sleep(after.get()).await;
                app.crash.cancel();
            }
        };
        let accept = async {
            while let Some(accepted) = end.run_until_cancelled(self.listener.accept()).await {
                // Finished connections are collected here, or the set would grow for ever.
                while connections.try_join_next().is_some() {}
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(app), graceful.watcher()));
                }
            }
        };
        tokio::join!(drained, crash_or(&end, crash), accept);
        drop(self.listener);
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    }
}

/// Waits for `crash` no longer than the server lives.
async fn crash_or(end: &CancellationToken, crash: impl Future<Output = ()>) {
    end.run_until_cancelled(crash).await;
}

async fn connection(
    stream: TcpStream,
    app: Arc<App>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away in mid request is its own affair.
    let _ = watcher.watch(connection).await;
}

impl App {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let mut response = match (request.method(), path) {
            (&Method::GET, "/ready") => self.readiness(),
            (&Method::GET, "/metrics") => self.metrics(),
            (&Method::POST, "/ready" | "/errors" | "/latency") => self.switch(request),
            (&Method::POST, "/crash") => {
                self.crash.cancel();
                text(StatusCode::OK, "crashing\n".to_owned())
            }
            (&Method::GET, _) => self.version().await,
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "GET or a switch\n".to_owned()),
        };
        if self.stopping.is_cancelled() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn version(&self) -> Response<Full<Bytes>> {
        let begun = Instant::now();
        let fails = self.switches.next_fails();
        sleep(self.switches.latency()).await;
        let code = if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        self.measures.answered(code, begun.elapsed());
        let version = &self.settings.version;
        let body = if fails { "failed\n".to_owned() } else { format!("{version}\n") };
        let mut response = text(code, body);
        // A failed answer says whose it is, too.
        if let Ok(version) = HeaderValue::from_str(version) {
            response.headers_mut().insert("version", version);
        }
        response
    }

    fn readiness(&self) -> Response<Full<Bytes>> {
        if self.switches.ready() {
            text(StatusCode::OK, "ready\n".to_owned())
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let mut response = text(StatusCode::OK, self.measures.text());
        let content_type = HeaderValue::from_static(measures::CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }

    /// `POST /ready?value=false` and its like.
    fn switch(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let query = request.uri().query().unwrap_or_default();
        let value = query.strip_prefix("value=").unwrap_or_default();
        let done = match request.uri().path() {
            "/ready" => value.parse().map(|ready| self.switches.set_ready(ready)).is_ok(),
            "/errors" => value.parse::<Share>().map(|s| self.switches.set_error_rate(s)).is_ok(),
            _ => value.parse::<GepDuration>().map(|l| self.switches.set_latency(l.get())).is_ok(),
        };
        if done {
            text(StatusCode::OK, format!("{value}\n"))
        } else {
            text(StatusCode::BAD_REQUEST, format!("no such value: {query:?}\n"))
        }
    }
}

fn text(code: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    response
}
