//! The server over real sockets. Deadlines are short instead of virtual: paused time would run
//! ahead of the sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

const LIMITS: Limits = Limits {
    connections: 4,
    requests: 2,
    header: Duration::from_millis(300),
    idle: Duration::from_secs(600),
    buffer_bytes: 8192,
};

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    metrics: ServerMetrics,
    /// Each request takes a permit before it is answered.
    gate: Arc<Semaphore>,
    /// Each request that reached its handler leaves one here.
    arrived: Arc<Semaphore>,
    server: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the server under test")]
async fn run(limits: Limits, permits: usize) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, metrics) = (Shutdown::default(), ServerMetrics::default());
    let (gate, arrived) = (Arc::new(Semaphore::new(permits)), Arc::new(Semaphore::new(0)));
    let server =
        Server { open: Plain, limits, shutdown: shutdown.clone(), metrics: metrics.clone() };
    let (at_gate, arrivals) = (Arc::clone(&gate), Arc::clone(&arrived));
    let handler = move |_| {
        let gate = Arc::clone(&at_gate);
        arrivals.add_permits(1);
        async move {
            gate.acquire().await.unwrap().forget();
            Response::new(Full::new(Bytes::from_static(b"done")))
        }
    };
    let server = tokio::spawn(server.serve(listener, handler));
    Running { address, shutdown, metrics, gate, arrived, server }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn closed(&self, reason: Closed) -> u64 {
        self.metrics.closed.get_or_create(&ClosedLabels { reason: reason.reason() }).get()
    }
}

async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
}

/// Reads one answer; its body is always `done` (or the refusal's text).
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"done") && !text.ends_with(b"once\n") {
        let read = stream.read_buf(&mut text).await.unwrap();
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&text));
    }
    String::from_utf8(text).unwrap()
}

async fn is_closed(stream: &mut TcpStream) {
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte)).await;
    assert!(matches!(read.unwrap(), Ok(0) | Err(_)), "still open");
}

#[tokio::test]
async fn a_kept_alive_connection_outlives_the_header_deadline() {
    let running = run(LIMITS, 2).await;
    let mut stream = running.connect().await;
    ask(&mut stream).await;
    answer(&mut stream).await;
    // Idle for longer than a header may take: that is what has to pass.
    tokio::time::sleep(LIMITS.header * 2).await;
    ask(&mut stream).await;
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_slow_header_is_cut_off() {
    let running = run(LIMITS, 2).await;
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HT").await.unwrap();
    is_closed(&mut stream).await;
    while running.closed(Closed::SlowHeader) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_header_that_drips_is_cut_off_too() {
    let running = run(LIMITS, 2).await;
    let mut stream = running.connect().await;
    let begun = crate::clock::instant();
    // The deadline counts from the first byte, whatever follows.
    while stream.write_all(b"G").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "still open");
        tokio::time::sleep(LIMITS.header / 10).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_at_its_deadline() {
    let running = run(Limits { idle: Duration::from_millis(50), ..LIMITS }, 2).await;
    let mut stream = running.connect().await;
    is_closed(&mut stream).await;
    while running.closed(Closed::Idle) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_house_makes_room_by_the_longest_idle() {
    let running = run(LIMITS, 9).await;
    let mut first = running.connect().await;
    ask(&mut first).await;
    answer(&mut first).await;
    let mut second = running.connect().await;
    ask(&mut second).await;
    answer(&mut second).await;
    // A request makes the first the less idle of the two.
    ask(&mut first).await;
    answer(&mut first).await;
    let mut later = [running.connect().await, running.connect().await];
    for stream in &mut later {
        ask(stream).await;
        answer(stream).await;
    }
    is_closed(&mut second).await;
    ask(&mut first).await;
    answer(&mut first).await;
    assert_eq!(running.closed(Closed::Evicted), 1);
}

#[tokio::test]
async fn a_request_too_many_is_refused_at_once() {
    let running = run(LIMITS, 0).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    ask(&mut first).await;
    ask(&mut second).await;
    running.arrived.acquire_many(2).await.unwrap().forget();
    let mut third = running.connect().await;
    ask(&mut third).await;
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 503"));
    running.gate.add_permits(2);
    assert!(answer(&mut first).await.starts_with("HTTP/1.1 200"));
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_announced_stop_asks_clients_to_close() {
    let running = run(LIMITS, 2).await;
    let mut stream = running.connect().await;
    ask(&mut stream).await;
    assert!(!answer(&mut stream).await.contains("connection: close"));
    running.shutdown.announce();
    ask(&mut stream).await;
    assert!(answer(&mut stream).await.contains("connection: close"));
    // New connections are still served: others need a moment to notice.
    let mut late = running.connect().await;
    running.gate.add_permits(1);
    ask(&mut late).await;
    assert!(answer(&mut late).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_hand_and_closes_the_rest() {
    let running = run(LIMITS, 1).await;
    let (mut idle, mut busy) = (running.connect().await, running.connect().await);
    ask(&mut idle).await;
    answer(&mut idle).await;
    ask(&mut busy).await;
    running.arrived.acquire_many(2).await.unwrap().forget();
    running.shutdown.stop();
    is_closed(&mut idle).await;
    assert!(!running.server.is_finished());
    running.gate.add_permits(1);
    assert!(answer(&mut busy).await.starts_with("HTTP/1.1 200"));
    tokio::time::timeout(Duration::from_secs(5), running.server).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}
