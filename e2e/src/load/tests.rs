//! The load generator against the test application, in this process.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Load, Order, Refused};
use crate::testapp::{Server, ServerError, Settings};

const PATIENCE: Duration = Duration::from_secs(20);

struct App {
    address: SocketAddr,
    stop: CancellationToken,
    _served: JoinSet<Result<(), ServerError>>,
}

async fn app(flags: &[&str]) -> App {
    let settings = Settings::parse_from(["testapp", "--port", "0"].iter().chain(flags));
    let server = Server::bind(settings).await.unwrap();
    let port = server.address().unwrap().port();
    let (stop, mut served) = (CancellationToken::new(), JoinSet::new());
    served.spawn(server.run(stop.clone()));
    App { address: SocketAddr::from(([127, 0, 0, 1], port)), stop, _served: served }
}

impl App {
    fn order(&self) -> Order {
        Order::new(&format!("http://{}/", self.address)).requests(200, 1_000)
    }
}

#[tokio::test]
async fn every_request_is_counted_by_version_and_status() {
    let app = app(&["--version", "v7", "--error-rate", "0.25"]).await;
    let tally = Load::start(app.order()).unwrap().end().await.unwrap();
    assert_eq!(tally.total(), 200, "{tally}");
    assert_eq!(tally.of("v7"), 200, "a failed answer has a version, too: {tally}");
    assert_eq!((tally.with(200), tally.with(500)), (150, 50), "{tally}");
    assert_eq!(tally.faults.len(), 50, "{tally}");
    assert!(tally.faults[0].reason.contains("500"), "{tally}");
    assert!((tally.share("v7") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_kept_connection_serves_a_whole_lane() {
    let app = app(&[]).await;
    let order = Order { lanes: 3, ..app.order() };
    let tally = Load::start(order).unwrap().end().await.unwrap();
    assert_eq!((tally.total(), tally.faults.len()), (200, 0), "{tally}");
    assert!(tally.connections <= 3, "{tally}");
}

#[tokio::test]
async fn a_request_has_a_connection_of_its_own_where_none_is_kept() {
    let app = app(&[]).await;
    let tally = Load::start(app.order().new_connections()).unwrap().end().await.unwrap();
    assert_eq!((tally.total(), tally.faults.len()), (200, 0), "{tally}");
    assert_eq!(tally.connections, 200, "{tally}");
}

#[tokio::test]
async fn a_refused_connection_is_a_failure_with_its_time_and_reason() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let order = Order::new(&format!("http://{gone}/")).requests(5, 100);
    let before = crate::clock::now();
    let tally = Load::start(order).unwrap().end().await.unwrap();
    assert_eq!((tally.total(), tally.faults.len()), (5, 5), "{tally}");
    let fault = &tally.faults[0];
    assert!(fault.reason.contains("connecting"), "{fault}");
    assert!(fault.at >= before && fault.at <= crate::clock::now(), "{fault}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_failure() {
    let app = app(&["--latency", "10s"]).await;
    let order = Order { patience: Duration::from_millis(50), ..app.order().requests(2, 100) };
    let tally = Load::start(order).unwrap().end().await.unwrap();
    assert_eq!(tally.faults.len(), 2, "{tally}");
    assert!(tally.faults[0].reason.contains("no answer within 50ms"), "{tally}");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let order = Order::new(&format!("http://{}/", listener.local_addr().unwrap())).requests(1, 1);
    let mut server = JoinSet::new();
    server.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    });
    let tally = Load::start(order).unwrap().end().await.unwrap();
    assert!(tally.faults[0].reason.contains("cut off"), "{tally}");
}

#[tokio::test]
async fn a_load_that_is_stopped_sends_no_more_and_loses_nothing() {
    let app = app(&["--latency", "20ms"]).await;
    let mut load = Load::start(app.order().requests(10_000, 200)).unwrap();
    load.until("some answers", PATIENCE, |tally| tally.total() >= 20).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert!((20..10_000).contains(&tally.total()), "{tally}");
    assert_eq!(tally.faults.len(), 0, "what was sent is waited for: {tally}");
}

#[tokio::test]
async fn a_load_ends_when_its_time_is_over() {
    let app = app(&[]).await;
    let order = Order { time: Duration::from_millis(100), ..app.order().requests(10_000, 100) };
    let tally = Load::start(order).unwrap().end().await.unwrap();
    assert_eq!(tally.total(), 11, "one each 10 ms, the first at once: {tally}");
}

#[tokio::test]
async fn a_wait_for_what_cannot_come_ends_with_the_load() {
    let app = app(&[]).await;
    let mut load = Load::start(app.order().requests(3, 1_000)).unwrap();
    let waited = load.until("v2", PATIENCE, |tally| tally.of("v2") > 0).await;
    assert!(waited.unwrap_err().to_string().contains("the load ended"));
}

/// The application drains, so a client that keeps its connections and one that does not see it go
/// between two requests only.
#[tokio::test]
async fn a_server_that_drains_costs_no_request() {
    let first = app(&["--version", "v1", "--drain", "100ms"]).await;
    let mut load = Load::start(first.order().requests(10_000, 300)).unwrap();
    load.until("the first answers", PATIENCE, |tally| tally.of("v1") >= 30).await.unwrap();
    first.stop.cancel();
    let seen = load.seen();
    let closed = |tally: &super::Tally| tally.since(&seen).connections > 8;
    let tally = load.until("connections of one request each", PATIENCE, closed).await.unwrap();
    let draining = tally.since(&seen);
    assert_eq!(draining.faults, [], "{draining}");
}

#[tokio::test]
async fn what_came_since_a_moment_is_told_apart() {
    let app = app(&["--version", "v3"]).await;
    let mut load = Load::start(app.order().requests(60, 1_000)).unwrap();
    let first = load.until("ten", PATIENCE, |tally| tally.total() >= 10).await.unwrap();
    let all = load.end().await.unwrap();
    let rest = all.since(&first);
    assert_eq!((rest.total(), rest.of("v3")), (60 - first.total(), 60 - first.total()));
}

#[test]
fn nothing_is_asked_but_this_machine_and_its_cluster() {
    let ours = ["127.0.0.1:1", "[::1]:1", "198.18.7.2:80", "10.88.0.9:80", "10.96.0.90"];
    for address in ours {
        assert!(Order::new(&format!("http://{address}/")).target().is_ok(), "{address}");
    }
    let others = ["192.0.2.1:80", "10.0.0.1:80", "[2001:db8::1]:80", "localhost:80"];
    for address in others {
        let url = format!("http://{address}/");
        assert_eq!(Order::new(&url).target().unwrap_err(), Refused::Url(url.clone()));
    }
}

#[test]
fn an_order_beyond_the_bounds_is_refused() {
    let order = Order::new("http://127.0.0.1:1/");
    let wrong = [
        Order { count: 0, ..order.clone() },
        Order { count: 1_000_000, ..order.clone() },
        Order { rate: 0, ..order.clone() },
        Order { rate: 100_000, ..order.clone() },
        Order { lanes: 0, ..order.clone() },
        Order { lanes: 1_000, ..order.clone() },
        Order { time: Duration::from_hours(1), ..order.clone() },
        Order { patience: Duration::ZERO, ..order.clone() },
        order.clone().header("no header", "x"),
    ];
    for order in wrong {
        assert!(order.target().is_err(), "{order:?}");
    }
    assert!(order.header("host", "web.example").target().is_ok());
}
