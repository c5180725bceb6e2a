//! The test application against a raw TCP client.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Server, ServerError, Settings, Share};

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinSet<Result<(), ServerError>>,
}

async fn start(flags: &[&str]) -> Running {
    let settings = Settings::parse_from(["testapp", "--port", "0"].iter().chain(flags));
    let server = Server::bind(settings).await.unwrap();
    let port = server.address().unwrap().port();
    let stop = CancellationToken::new();
    let mut served = JoinSet::new();
    served.spawn(server.run(stop.clone()));
    Running { address: SocketAddr::from(([127, 0, 0, 1], port)), stop, served }
}

impl Running {
    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let text = format!("{request} HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn ask(&self, request: &str) -> String {
        read(self.send(request).await).await
    }

    async fn ended(&mut self) -> Result<(), ServerError> {
        timeout(Duration::from_secs(10), self.served.join_next()).await.unwrap().unwrap().unwrap()
    }
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn answers_with_its_version() {
    let app = start(&["--version", "v7"]).await;
    let answer = app.ask("GET /").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nv7\n"), "{answer}");
}

#[tokio::test]
async fn readiness_is_switched_at_run_time() {
    let app = start(&["--ready", "false"]).await;
    assert!(app.ask("GET /ready").await.starts_with("HTTP/1.1 503"));
    assert!(app.ask("POST /ready?value=true").await.starts_with("HTTP/1.1 200"));
    assert!(app.ask("GET /ready").await.starts_with("HTTP/1.1 200"));
    assert!(app.ask("POST /ready?value=perhaps").await.starts_with("HTTP/1.1 400"));
    assert!(app.ask("GET /ready").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn fails_the_share_it_was_told_and_counts_it() {
    let app = start(&["--error-rate", "0.25"]).await;
    let mut failed = 0;
    for _ in 0..8 {
        failed += usize::from(app.ask("GET /").await.starts_with("HTTP/1.1 500"));
    }
    assert_eq!(failed, 2);
    let metrics = app.ask("GET /metrics").await;
    assert!(metrics.contains("http_requests_total{version=\"v1\",code=\"500\"} 2"), "{metrics}");
    assert!(metrics.contains("http_requests_total{version=\"v1\",code=\"200\"} 6"), "{metrics}");
    assert!(metrics.contains("http_request_duration_seconds_count{version=\"v1\"} 8"), "{metrics}");
}

#[tokio::test]
async fn finishes_what_it_has_begun_and_takes_nothing_new() {
    let mut app = start(&["--latency", "300ms"]).await;
    let mut begun = app.send("GET /").await;
    // A later request answered proves that this one is in hand: connections are taken in order.
    app.ask("GET /ready").await;
    app.stop.cancel();
    app.ended().await.unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("v1\n"), "{answer}");
    assert!(TcpStream::connect(app.address).await.is_err());
}

#[tokio::test]
async fn goes_on_answering_in_its_drain_time() {
    let mut app = start(&["--drain", "500ms"]).await;
    app.stop.cancel();
    let answer = loop {
        let answer = app.ask("GET /ready").await;
        if answer.starts_with("HTTP/1.1 503") {
            break answer;
        }
    };
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(app.ask("GET /").await.ends_with("v1\n"));
    app.ended().await.unwrap();
}

#[tokio::test]
async fn crashes_when_told() {
    let mut app = start(&["--crash-after", "10ms"]).await;
    assert!(matches!(app.ended().await, Err(ServerError::Crash)));
    let mut app = start(&[]).await;
    app.send("POST /crash").await;
    assert!(matches!(app.ended().await, Err(ServerError::Crash)));
}

#[test]
fn a_share_is_between_nothing_and_all() {
    assert_eq!("0.05".parse::<Share>().unwrap().millionths(), 50_000);
    for wrong in ["", "1.01", "-0.1", "NaN", "5%"] {
        assert!(wrong.parse::<Share>().is_err(), "{wrong}");
    }
    let all: Share = "1".parse().unwrap();
    assert!((0..100).all(|served| all.takes(served)));
    let none: Share = "0".parse().unwrap();
    assert!(!(0..100).any(|served| none.takes(served)));
    let some: Share = "0.3".parse().unwrap();
    assert_eq!((0..1000).filter(|served| some.takes(*served)).count(), 300);
}
