//! A small HTTP server in the place of somebody else's: each connection gets the next answer, as
//! it is written.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server that answers one request with this text; returns what it was asked.
pub async fn stand_in_server(answer: String) -> (SocketAddr, JoinSet<String>) {
    let (address, mut all) = serving(vec![answer]).await;
    let mut server = JoinSet::new();
    server.spawn(async move { all.join_next().await.unwrap().unwrap().remove(0) });
    (address, server)
}

/// A server that answers a request of each connection with one of these texts after the other;
/// returns what it was asked.
pub async fn serving(answers: Vec<String>) -> (SocketAddr, JoinSet<Vec<String>>) {
    let (listener, address) = listening().await;
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            asked.push(answered(stream, &answer).await);
        }
        asked
    });
    (address, server)
}

/// A listener of this machine's own, and its address.
pub async fn listening() -> (TcpListener, SocketAddr) {
    // Clients need it, and in the controller the process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads a request, and answers it.
pub async fn answered(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut asked = Vec::new();
    let mut piece = [0; 4096];
    while !is_whole(&asked) {
        let count = stream.read(&mut piece).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&asked));
        asked.extend_from_slice(&piece[..count]);
    }
    // Who has seen enough hangs up.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    String::from_utf8(asked).unwrap()
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// An answer.
pub fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// The value of a header of a request.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = request.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The body of a request.
pub fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
