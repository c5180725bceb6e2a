//! A service that hooks and notifications are sent to: a real HTTP server in the test's own
//! process, at this machine's end of the cable to the cluster. It keeps what it received, and
//! answers what the test says; with a key it refuses what is not signed with that.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crds::contract::NAMESPACE;
use e2e::failure::{Failure, Outcome};
use e2e::kubectl::Kubectl;
use e2e::scenario::PATIENCE;
use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cable;

/// Nobody sends more.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What it answers.
type Answer = (u16, String);

/// The server; dropping it ends it.
pub struct Receiver {
    address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    received: watch::Receiver<Vec<Value>>,
    _serving: JoinSet<()>,
}

/// What each connection works with.
#[derive(Clone)]
struct Desk {
    key: Option<Arc<hmac::Key>>,
    answer: Arc<Mutex<Answer>>,
    received: watch::Sender<Vec<Value>>,
}

impl Receiver {
    /// Starts it; it answers 200.
    ///
    /// # Errors
    /// There is no cluster.
    pub async fn start(key: Option<&str>) -> Outcome<Self> {
        let (listener, address) = cable::listen().await?;
        let (sender, received) = watch::channel(Vec::new());
        let answer = Arc::new(Mutex::new((200, String::new())));
        let key = key.map(|key| Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())));
        let desk = Desk { key, answer: Arc::clone(&answer), received: sender };
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, desk));
        Ok(Self { address, answer, received, _serving: serving })
    }

    /// A name for its objects that no other test has.
    pub fn name(&self) -> String {
        format!("e2e-receiver-{}", self.address.port())
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }

    /// From now on it answers so.
    pub fn answers(&self, status: u16, words: &str) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, words.to_owned());
    }

    /// The bodies that were properly signed, in the order in which they came.
    pub fn received(&self) -> Vec<Value> {
        self.received.borrow().clone()
    }

    /// Waits until what was received is so.
    ///
    /// # Errors
    /// It does not come.
    pub async fn until(
        &self,
        what: &str,
        mut wanted: impl FnMut(&[Value]) -> bool,
    ) -> Outcome<Vec<Value>> {
        let mut received = self.received.clone();
        let waited = timeout(PATIENCE, received.wait_for(|all| wanted(all))).await;
        match waited {
            Ok(Ok(all)) => Ok(all.clone()),
            _ => Err(Failure::Deadline {
                what: what.to_owned(),
                seconds: PATIENCE.as_secs(),
                state: format!("{:#?}", self.received()),
            }),
        }
    }

    /// A Secret of its name in Sluice's own namespace.
    pub fn secret(&self, data: &Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.name(), "namespace": NAMESPACE}, "stringData": data,
        })
    }

    /// Its HookProvider, which signs with its Secret.
    pub fn provider(&self) -> Value {
        json!({
            "apiVersion": "sluice.dev/v1alpha1", "kind": "HookProvider",
            "metadata": {"name": self.name()},
            "spec": {"address": self.url(), "timeout": "5s", "secret": self.name()},
        })
    }

    /// A gate that asks it, with other fields.
    pub fn gate(&self, confirm: bool, more: &Value) -> Value {
        let mut gate = json!({
            "name": "check", "interval": "1s",
            "hook": {"provider": self.name(), "confirm": confirm},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            gate[key] = value.clone();
        }
        gate
    }

    /// Takes its objects away.
    ///
    /// # Errors
    /// kubectl fails.
    pub async fn leave(&self) -> Outcome {
        let kubectl = Kubectl::new(NAMESPACE);
        for kind in ["hookprovider", "notifier", "secret"] {
            kubectl.run(&["delete", kind, &self.name(), "--ignore-not-found"]).await?;
        }
        Ok(())
    }
}

async fn serve(listener: TcpListener, desk: Desk) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let desk = desk.clone();
        connections.spawn(async move {
            // Whoever asks hangs up when it likes.
            let _ = timeout(Duration::from_secs(10), desk.attend(stream)).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Desk {
    async fn attend(self, mut stream: TcpStream) -> std::io::Result<()> {
        let (head, body) = read(&mut stream).await?;
        let (status, words) = self.judge(&head, &body);
        let length = words.len();
        let head = format!(
            "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(format!("{head}{words}").as_bytes()).await?;
        stream.shutdown().await
    }

    fn judge(&self, head: &str, body: &[u8]) -> Answer {
        if !head.starts_with("POST /told HTTP/1.1\r\n") {
            return (404, "no such path".to_owned());
        }
        if self.key.as_ref().is_some_and(|key| !is_signed(key, head, body)) {
            return (401, "wrong signature".to_owned());
        }
        let Ok(told) = serde_json::from_slice(body) else {
            return (400, "no JSON".to_owned());
        };
        self.received.send_modify(|all| all.push(told));
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn read(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut piece = [0; 8192];
    loop {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&all[..end + 2]).into_owned();
            let length = header(&head, "content-length").and_then(|length| length.parse().ok());
            let body = &all[end + 4..];
            if body.len() >= length.unwrap_or(0) {
                return Ok((head, body.to_vec()));
            }
        }
        let count = stream.read(&mut piece).await?;
        if count == 0 || all.len() > REQUEST_BYTES_MAX {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        all.extend_from_slice(&piece[..count]);
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// As a receiver of anybody's would check it.
fn is_signed(key: &hmac::Key, head: &str, body: &[u8]) -> bool {
    let at = header(head, "X-Sluice-Timestamp").unwrap_or_default();
    let signature = header(head, "X-Sluice-Signature-256").unwrap_or_default();
    let digits = signature.strip_prefix("sha256=").unwrap_or_default();
    let bytes = (0..digits.len() / 2).map(|index| {
        let pair = digits.get(2 * index..2 * index + 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let Some(bytes) = bytes.collect::<Option<Vec<u8>>>() else { return false };
    let signed = [at.as_bytes(), b".", body].concat();
    hmac::verify(key, &signed, &bytes).is_ok()
}
