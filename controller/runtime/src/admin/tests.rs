//! The admin port over a real socket.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Admin, serve};
use crate::{Readiness, Shutdown};

async fn get(address: std::net::SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn answers_probes_and_scrapes() {
    let (readiness, shutdown) = (Readiness::default(), Shutdown::default());
    let mut registry = Registry::default();
    let counter: Counter = Counter::default();
    registry.register("turns", "Turns", counter.clone());
    counter.inc();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let condition = readiness.condition("certificate");
    let admin = Admin { readiness, registry, shutdown: shutdown.clone() };

    let asked = async {
        assert!(get(address, "GET /livez").await.starts_with("HTTP/1.1 200"));
        let answer = get(address, "GET /readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("not yet: certificate\n"));
        condition.set(true);
        assert!(get(address, "GET /readyz").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "GET /metrics").await.contains("turns_total 1\n"));
        assert!(get(address, "GET /").await.starts_with("HTTP/1.1 404"));
        assert!(get(address, "POST /livez").await.starts_with("HTTP/1.1 405"));
        shutdown.announce();
        assert!(get(address, "GET /livez").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "GET /readyz").await.ends_with("stopping\n"));
        shutdown.stop();
    };
    let (served, ()) = tokio::join!(serve(listener, admin), asked);
    served.unwrap();
}
