//! The load generator in a process of its own, as it runs inside the cluster's namespaces; here
//! without them.

#![allow(clippy::unwrap_used, reason = "it is a test")]

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use e2e::load::{Load, Order};
use e2e::testapp::{Server, Settings};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_load");

#[tokio::test]
async fn a_load_in_another_process_is_counted_here() {
    let (order, _served) = served().await;
    let load = Load::within(&["env"], Path::new(PROGRAM), order.requests(50, 500)).unwrap();
    let tally = load.end().await.unwrap();
    assert_eq!((tally.of("v5"), tally.faults.len()), (50, 0), "{tally}");
}

#[tokio::test]
async fn a_load_in_another_process_can_be_stopped() {
    let (order, _served) = served().await;
    let order = order.requests(10_000, 200);
    let mut load = Load::within(&[], Path::new(PROGRAM), order).unwrap();
    let limit = Duration::from_secs(20);
    load.until("some answers", limit, |tally| tally.total() >= 20).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert!((20..10_000).contains(&tally.total()), "{tally}");
    assert_eq!(tally.faults, [], "{tally}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let (order, _served) = served().await;
    let load = Load::within(&[], Path::new("/no/such/program"), order).unwrap();
    assert!(load.end().await.unwrap_err().to_string().contains("/no/such/program"));
}

async fn served() -> (Order, JoinSet<()>) {
    let settings = Settings::parse_from(["testapp", "--port", "0", "--version", "v5"]);
    let server = Server::bind(settings).await.unwrap();
    let port = server.address().unwrap().port();
    let mut served = JoinSet::new();
    served.spawn(async move { server.run(CancellationToken::new()).await.unwrap() });
    (Order::new(&format!("http://127.0.0.1:{port}/")), served)
}
