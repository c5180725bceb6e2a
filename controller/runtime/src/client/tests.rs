//! The stack does what kube's own does with a configuration.

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn requests_carry_the_base_the_token_and_the_headers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = Config::new(format!("http://{address}/base").parse().unwrap());
    config.headers.push((USER_AGENT, HeaderValue::from_static("sluice/1")));
    config.auth_info.token = Some("secret".to_owned().into());
    let served = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(ANSWER).await.unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    };
    let client = client(config).unwrap();
    let request = http::Request::get("/version").body(Vec::new()).unwrap();
    let (head, answer) = tokio::join!(served, client.request_text(request));
    assert_eq!(answer.unwrap(), "{}");
    assert!(head.starts_with("get /base/version http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: bearer secret\r\n"), "{head}");
    assert!(head.contains("\r\nuser-agent: sluice/1\r\n"), "{head}");
}
