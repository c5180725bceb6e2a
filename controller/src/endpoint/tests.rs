//! What is sent, and what a server may do instead of answering well.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use tokio::net::TcpListener;

use super::*;
use crate::testing::server::{body, header, http, stand_in_server};
use crate::testing::tls::{ClientPair, with_tls};

fn of_data(data: &[(&str, &[u8])]) -> Secret {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec())));
    let mut secret = Secret { data: Some(data.collect()), ..Secret::default() };
    secret.metadata.name = Some("login".to_owned());
    secret
}

fn secret(data: &[(&str, &[u8])]) -> Credentials {
    Credentials::of(&of_data(data)).unwrap()
}

fn endpoint(address: &str, credentials: Credentials, millis: u64) -> Endpoint {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut endpoint = Endpoint::new(address, credentials, None, 1).unwrap();
    endpoint.answer = Duration::from_millis(millis);
    endpoint
}

async fn posted(answer: String) -> (Result<Said, String>, String) {
    let (address, mut server) = stand_in_server(answer).await;
    let endpoint = endpoint(&format!("http://{address}/hook?a=b"), Credentials::default(), 5000);
    let said = endpoint.post(b"{}".to_vec()).await;
    (said, server.join_next().await.unwrap().unwrap())
}

#[test]
fn a_signature_is_the_hmac_of_timestamp_point_and_body() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let (told, signature) = signed(&key, at, b"{\"a\":1}");
    assert_eq!(told, "1800000000");
    let (algorithm, digest) = signature.split_once('=').unwrap();
    let bytes: Vec<u8> = (0..digest.len() / 2)
        .map(|at| u8::from_str_radix(&digest[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    assert_eq!((algorithm, bytes.len()), ("sha256", 32));
    hmac::verify(&key, b"1800000000.{\"a\":1}", &bytes).unwrap();
    // As Python's hmac has it.
    assert_eq!(digest, "7330c9cf7d886970cbebbbb5494c04d2aeff06a990adb7d7a75abfeb0159d291");
}

#[tokio::test]
async fn it_is_signed_with_what_proves_who_asks() {
    let (address, mut server) = stand_in_server(http("204 No Content", "")).await;
    let credentials = secret(&[("signing-key", b"s3cret\n"), ("token", b"t0ken")]);
    let endpoint = endpoint(&format!("http://{address}/hook"), credentials, 5000);
    let said = endpoint.post(b"{\"a\":1}".to_vec()).await.unwrap();
    assert_eq!(said, Said { status: 204, body: Vec::new() });
    let request = server.join_next().await.unwrap().unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "authorization"), Some("Bearer t0ken"));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    let at: i64 = header(&request, TIMESTAMP_HEADER).unwrap().parse().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
    let at = Timestamp::from_second(at).unwrap();
    let (_, signature) = signed(&key, at, body(&request).as_bytes());
    assert_eq!(header(&request, SIGNATURE_HEADER), Some(signature.as_str()));
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let (said, request) = posted(http("200 OK", "ok")).await;
    assert_eq!(said.unwrap(), Said { status: 200, body: b"ok".to_vec() });
    assert!(request.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, SIGNATURE_HEADER), None);
    assert_eq!(header(&request, TIMESTAMP_HEADER), None);
}

#[tokio::test]
async fn a_status_is_an_answer_whatever_it_is_and_no_redirect_is_followed() {
    for status in ["500 Internal Server Error", "404 Not Found", "302 Found", "307 Temporary"] {
        let answer = http(status, "no").replace("connection", "location: /other\r\nconnection");
        let (said, _) = posted(answer).await;
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!(said.unwrap(), Said { status: code, body: b"no".to_vec() });
    }
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_kept_and_a_longer_one_is_none() {
    let (said, _) = posted(http("200 OK", &"x".repeat(ANSWER_BYTES_MAX))).await;
    assert_eq!(said.unwrap(), Said { status: 200, body: vec![b'x'; KEPT_BYTES_MAX] });
    let (said, _) = posted(http("200 OK", &"x".repeat(10_000_000))).await;
    assert!(said.unwrap_err().contains("longer than 1048576 bytes"));
}

#[tokio::test]
async fn a_connection_that_ends_is_no_answer() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    for answer in [String::new(), cut] {
        let (said, _) = posted(answer).await;
        let why = said.unwrap_err();
        // The address may be a secret.
        assert!(!why.is_empty() && !why.contains("hook?a=b"), "{why}");
    }
}

#[tokio::test]
async fn whoever_waits_behind_a_silent_server_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let endpoint = endpoint(&address, Credentials::default(), 2_000);
    let soon = Duration::from_millis(100);
    let (first, second) = tokio::join!(
        endpoint.post_within(soon, Vec::new()),
        endpoint.post_within(soon, Vec::new()),
    );
    assert_eq!(first, Ok(Err("no answer within 2 s".into())));
    let told = second.unwrap_err().to_string();
    assert!(told.starts_with("its turn did not come within 100ms: 1 requests at once"), "{told}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    // Connections wait in its backlog for ever.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = endpoint(&format!("http://{address}/"), Credentials::default(), 100);
    let said = endpoint.post(Vec::new()).await;
    assert_eq!(said, Err("no answer within 0.1 s".into()));
    drop(listener);
    let why = endpoint.post(Vec::new()).await.unwrap_err();
    assert!(why.to_lowercase().contains("refused"), "{why}");
}

#[tokio::test]
async fn only_the_authority_that_was_named_is_trusted() {
    let (address, own, server) = with_tls(vec![http("200 OK", ""); 2], None).await;
    let (_, other, _) = with_tls(Vec::new(), None).await;
    let address = format!("https://{address}/");
    let trusting = secret(&[("ca.crt", own.as_bytes())]);
    let said = endpoint(&address, trusting, 5000).post(Vec::new()).await;
    assert_eq!(said.unwrap().status, 200);
    let distrusting = secret(&[("ca.crt", other.as_bytes())]);
    let why = endpoint(&address, distrusting, 5000).post(Vec::new()).await.unwrap_err();
    assert!(why.contains("certificate"), "{why}");
    server.join_all().await;
}

#[tokio::test]
async fn a_server_is_shown_the_client_certificate_that_it_wants() {
    let (client, stranger) = (ClientPair::new(), ClientPair::new());
    let answers = vec![http("200 OK", ""); 3];
    let (address, own, server) = with_tls(answers, Some(&client.certificate)).await;
    let address = format!("https://{address}/");
    let with = |pair: &ClientPair| {
        secret(&[
            ("ca.crt", own.as_bytes()),
            ("tls.crt", pair.certificate.as_bytes()),
            ("tls.key", pair.key.as_bytes()),
        ])
    };
    let said = endpoint(&address, with(&client), 5000).post(Vec::new()).await;
    assert_eq!(said.unwrap().status, 200);
    for other in [with(&stranger), secret(&[("ca.crt", own.as_bytes())])] {
        endpoint(&address, other, 5000).post(Vec::new()).await.unwrap_err();
    }
    assert_eq!(server.join_all().await.concat().len(), 1);
}

#[test]
fn half_a_client_certificate_is_none() {
    let pair = ClientPair::new();
    let (certificate, key) = (pair.certificate.as_bytes(), pair.key.as_bytes());
    for (data, says) in [
        (vec![("tls.crt", certificate)], "Secret login has tls.crt without tls.key: give both"),
        (vec![("tls.key", key)], "Secret login has tls.key without tls.crt: give both"),
        (vec![("tls.crt", key), ("tls.key", key)], "are no certificate and its key"),
        (vec![("tls.crt", certificate), ("tls.key", b"x")], "are no certificate and its key"),
    ] {
        let said = Credentials::of(&of_data(&data)).unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
    }
    let stranger = ClientPair::new();
    let mixed = secret(&[("tls.crt", certificate), ("tls.key", stranger.key.as_bytes())]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let error = Endpoint::new("https://checks.example/", mixed, None, 1).unwrap_err();
    assert!(matches!(error, ConfigError::Client(_)), "{error}");
}

#[test]
fn an_address_that_is_none_says_so_without_itself() {
    for address in ["ftp://secret.example", "secret", "http://"] {
        let error = Endpoint::new(address, Credentials::default(), None, 1).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("its address cannot be used"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
