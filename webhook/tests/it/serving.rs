//! The server as the apiserver meets it: TLS versions, HTTP versions, bounds, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prometheus_client::registry::Registry;
use runtime::Shutdown;
use runtime::server::{Limits, Server, ServerMetrics, bind};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webhook::metrics::Metrics;
use webhook::run::LIMITS;
use webhook::service::Service;
use webhook::tls::Tls;

use crate::reviews::{NoRivals, review};

const HOST: &str = "sluice-webhook.sluice-system.svc";

/// A server and whoever trusts it.
struct Running {
    address: SocketAddr,
    roots: RootCertStore,
    certificate: watch::Sender<Option<Arc<CertifiedKey>>>,
    shutdown: Shutdown,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Resolver(watch::Receiver<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }
}

fn certified() -> Arc<CertifiedKey> {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let chain = vec![made.cert.der().clone()];
    let key = ring::default_provider().key_provider.load_private_key(key).unwrap();
    Arc::new(CertifiedKey::new(chain, key))
}

async fn run(limits: Limits) -> Running {
    let (certificate, resolver) = watch::channel(Some(certified()));
    let roots = RootCertStore::empty();
    let shutdown = Shutdown::default();
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server {
        open: Tls::new(Arc::new(Resolver(resolver))).unwrap(),
        limits,
        shutdown: shutdown.clone(),
        metrics: ServerMetrics::default(),
    };
    let metrics = Metrics::new(&mut Registry::default());
    let service = Arc::new(Service::new("controller".to_owned(), NoRivals, metrics));
    let mut tasks = JoinSet::new();
    tasks.spawn(server.serve(listener, move |request| Arc::clone(&service).handle(request)));
    let mut running = Running { address, roots, certificate, shutdown, tasks };
    running.trust_current();
    running
}

impl Running {
    fn trust_current(&mut self) {
        let current = self.certificate.borrow().clone().unwrap();
        self.roots.add(current.cert[0].clone()).unwrap();
    }

    async fn tls(&self, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        self.tls_of(&rustls::version::TLS13, alpn).await
    }

    async fn tls_of(
        &self,
        version: &'static SupportedProtocolVersion,
        alpn: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(HOST).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// One request on a connection of its own, HTTP/1.1.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> (StatusCode, String) {
        let stream = self.tls(b"http/1.1").await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        self.tasks.spawn(async move { drop(connection.await) });
        read(sender.send_request(request).await.unwrap()).await
    }

    async fn finish(mut self) {
        self.shutdown.stop();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(10), all).await.expect("drained");
    }
}

async fn read(response: http::Response<hyper::body::Incoming>) -> (StatusCode, String) {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (head.status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", HOST)
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

#[tokio::test]
async fn reviews_are_answered_over_http1_on_one_connection() {
    let mut running = run(LIMITS).await;
    let stream = running.tls(b"http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    running.tasks.spawn(async move { drop(connection.await) });
    for uid in ["u-1", "u-2"] {
        let request = post("/mutate?timeout=2s", review(uid).to_string());
        let (status, body) = read(sender.send_request(request).await.unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains(&format!(r#""uid":"{uid}","allowed":true"#)), "{body}");
    }
    drop(sender);
    running.finish().await;
}

#[tokio::test]
async fn reviews_are_answered_over_http2() {
    let mut running = run(LIMITS).await;
    let stream = running.tls(b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    running.tasks.spawn(async move { drop(connection.await) });
    let mut both = (sender.clone(), sender);
    let request = || {
        let uri = format!("https://{HOST}/validate");
        let body = Full::new(Bytes::from(review("u").to_string()));
        Request::post(uri).header("content-type", "application/json").body(body).unwrap()
    };
    let (first, second) =
        tokio::join!(both.0.send_request(request()), both.1.send_request(request()));
    assert_eq!(read(first.unwrap()).await.0, StatusCode::OK);
    assert_eq!(read(second.unwrap()).await.0, StatusCode::OK);
    drop(both);
    running.finish().await;
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let running = run(LIMITS).await;
    let error = running.tls_of(&rustls::version::TLS12, b"http/1.1").await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn a_new_certificate_is_served_without_a_restart_and_without_one_none() {
    let mut running = run(LIMITS).await;
    running.certificate.send_replace(Some(certified()));
    assert!(running.tls(b"http/1.1").await.is_err(), "the client does not trust the new one yet");
    running.trust_current();
    assert!(running.tls(b"http/1.1").await.is_ok());
    running.certificate.send_replace(None);
    assert!(running.tls(b"http/1.1").await.is_err());
}

#[tokio::test]
async fn what_is_no_review_gets_a_proper_answer() {
    let mut running = run(LIMITS).await;
    let body = review("u").to_string();
    let get = Request::get("/mutate").header("host", HOST).body(Full::default()).unwrap();
    let mut yaml = post("/mutate", body.clone());
    yaml.headers_mut().insert("content-type", "application/yaml".parse().unwrap());
    let mut untyped = post("/mutate", body.clone());
    untyped.headers_mut().remove("content-type");
    let mut parameters = post("/mutate", body.clone());
    let value = "application/json; charset=utf-8".parse().unwrap();
    parameters.headers_mut().insert("content-type", value);
    for (request, status) in [
        (post("/", body), StatusCode::NOT_FOUND),
        (get, StatusCode::METHOD_NOT_ALLOWED),
        (yaml, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (untyped, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (parameters, StatusCode::OK),
        (post("/mutate", ""), StatusCode::BAD_REQUEST),
        (post("/mutate", "{"), StatusCode::BAD_REQUEST),
        (post("/validate", "[]"), StatusCode::BAD_REQUEST),
        (post("/validate", &b"\xff\xfe"[..]), StatusCode::BAD_REQUEST),
    ] {
        let text = format!("{request:?}");
        let (answered, body) = running.send(request).await;
        assert_eq!(answered, status, "{text}: {body}");
    }
}

#[tokio::test]
async fn a_body_too_large_is_refused_however_it_is_announced() {
    let mut running = run(LIMITS).await;
    let most = webhook::body::BODY_BYTES_MAX;
    let (status, _) = running.send(post("/mutate", vec![b' '; most])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "just small enough to be read");

    let mut stream = running.tls(b"http/1.1").await.unwrap();
    let head = format!(
        "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        most + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 413 Payload Too Large");

    let mut stream = running.tls(b"http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 0x10_0000], b"\r\n".to_vec()].concat();
    let (mut reader, mut writer) = tokio::io::split(stream);
    // The server answers and closes somewhere in the eighth chunk, so writing may fail.
    running.tasks.spawn(async move {
        for _ in 0..8 {
            if writer.write_all(&chunk).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(status_line(&mut reader).await, "HTTP/1.1 413 Payload Too Large");
}

async fn status_line(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n") {
        let byte = tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await;
        text.push(byte.expect("an answer in time").expect("an answer"));
    }
    String::from_utf8(text).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let running = run(LIMITS).await;
    let mut stream = running.tls(b"http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 408 Request Timeout");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let running = run(Limits { header: Duration::from_millis(100), ..LIMITS }).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut byte)).await;
    assert_eq!(read.expect("closed in time").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let mut running = run(LIMITS).await;
    let mut request = post("/mutate", "{}");
    let value = "x".repeat(LIMITS.buffer_bytes).parse().unwrap();
    request.headers_mut().insert("x-large", value);
    let (status, _) = running.send(request).await;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn a_drain_answers_what_was_asked() {
    let mut running = run(LIMITS).await;
    let body = review("u").to_string();
    let mut stream = running.tls(b"http/1.1").await.unwrap();
    let head = format!(
        "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server says so when the handler reads: the request is in hand.
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 100 Continue");
    assert_eq!(status_line(&mut stream).await, "");
    running.shutdown.stop();
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 200 OK");
    let drained = tokio::time::timeout(Duration::from_secs(10), running.tasks.join_next()).await;
    drained.expect("drained").unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn methods_that_are_not_allowed_are_told_which_are() {
    let running = run(LIMITS).await;
    let mut stream = running.tls(b"http/1.1").await.unwrap();
    let head = format!("{} /validate HTTP/1.1\r\nhost: x\r\n\r\n", Method::PUT);
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 405 Method Not Allowed");
    let mut rest = vec![0; 256];
    let read = stream.read(&mut rest).await.unwrap();
    assert!(String::from_utf8_lossy(&rest[..read]).contains("allow: POST"));
}
