//! A server in the place of Prometheus, for what a real one does only when it is broken. It runs
//! in the test's own process, at this machine's end of the cable to the cluster. Healed, it hands
//! every question on to the real one, until it breaks again.

use std::net::SocketAddr;

use e2e::failure::Outcome;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cable;

/// What it does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers 500 without a word of Prometheus.
    Status500,
    /// Never answers.
    Silent,
    /// Answers with something else.
    Nonsense,
    /// Answers that there are no series.
    Empty,
    /// Answers a number, and warns that not all stores were asked.
    Partial,
}

/// The server; dropping it ends it.
pub struct FaultyPrometheus {
    address: SocketAddr,
    healed: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl FaultyPrometheus {
    /// Starts it, broken.
    ///
    /// # Errors
    /// There is no cluster with a Prometheus.
    pub async fn start(fault: Fault) -> Outcome<Self> {
        let real = cable::prometheus()?;
        let (listener, address) = cable::listen().await?;
        let (healed, state) = watch::channel(false);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, real, fault, state));
        Ok(Self { address, healed, _serving: serving })
    }

    /// Name of its MetricProvider.
    pub fn provider(&self) -> String {
        format!("e2e-faulty-{}", self.address.port())
    }

    /// Its MetricProvider.
    pub fn manifest(&self) -> Value {
        json!({
            "apiVersion": "sluice.dev/v1alpha1", "kind": "MetricProvider",
            "metadata": {"name": self.provider()},
            "spec": {"prometheus": {
                "address": format!("http://{}", self.address), "timeout": "1s",
            }},
        })
    }

    /// From now on every new connection reaches the real one.
    pub fn heal(&self) {
        self.healed.send_replace(true);
    }

    /// From now on no connection reaches it, and those that did are cut.
    pub fn break_again(&self) {
        self.healed.send_replace(false);
    }
}

async fn serve(
    listener: TcpListener,
    real: SocketAddr,
    fault: Fault,
    healed: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = healed.clone();
        connections.spawn(async move {
            let is_healed = *state.borrow();
            // Whoever asks hangs up when it likes.
            let _ = match is_healed {
                true => hand_on(stream, real, state).await,
                false => fail(stream, fault).await,
            };
        });
    }
}

async fn hand_on(
    mut stream: TcpStream,
    real: SocketAddr,
    mut healed: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut onward = TcpStream::connect(real).await?;
    tokio::select! {
        copied = copy_bidirectional(&mut stream, &mut onward) => copied.map(drop),
        _ = healed.wait_for(|healed| !healed) => Ok(()),
    }
}

async fn fail(mut stream: TcpStream, fault: Fault) -> std::io::Result<()> {
    let mut asked = [0; 8192];
    stream.read(&mut asked).await?;
    let (status, body) = match fault {
        Fault::Silent => return stream.read(&mut asked).await.map(drop),
        Fault::Status500 => ("500 Internal Server Error", "out of memory".to_owned()),
        Fault::Nonsense => ("200 OK", "<html>Welcome</html>".to_owned()),
        Fault::Empty => ("200 OK", answer(&json!({"resultType": "vector", "result": []}), &[])),
        Fault::Partial => {
            let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let at = at.unwrap_or_default().as_secs();
            let data = json!({"resultType": "scalar", "result": [at, "0"]});
            ("200 OK", answer(&data, &["a store did not answer"]))
        }
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await
}

fn answer(data: &Value, warnings: &[&str]) -> String {
    json!({"status": "success", "data": data, "warnings": warnings}).to_string()
}
