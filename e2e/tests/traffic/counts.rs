//! Requests sent inside the cluster, and what Prometheus has counted of them by revision.

use e2e::failure::{Failure, Outcome, ensure};
use e2e::scenario::PATIENCE;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stage::{self, Stage, address};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_by_revision() -> Outcome {
    stage::play("counts", async |stage: &Stage| {
        let tally = stage.within("web", 120).await?;
        ensure(tally.of("v1") == 120 && tally.faults.is_empty(), || tally.to_string())?;
        let pods = stage.kubectl.json(&["get", "pods", "-l", "app=web"], None).await?;
        let labels = &pods["items"][0]["metadata"]["labels"];
        let hash = labels["pod-template-hash"].as_str().unwrap_or_default().to_owned();
        let namespace = &stage.namespace;
        let series = format!(
            "http_requests_total{{namespace=\"{namespace}\",app=\"web\",code=\"200\",\
             revision_hash=\"{hash}\"}}"
        );
        let mut last = Value::Null;
        let counted = async {
            loop {
                last = query(&format!("sum({series})")).await?;
                if last["data"]["result"][0]["value"][1] == "120" {
                    return Ok(());
                }
            }
        };
        timeout(PATIENCE, counted).await.unwrap_or_else(|_| {
            Err(Failure::Deadline {
                what: format!("120 requests in {series}"),
                seconds: PATIENCE.as_secs(),
                state: last.to_string(),
            })
        })
    })
    .await
}

/// An instant query over a connection of its own; the version of HTTP without chunks.
async fn query(query: &str) -> Outcome<Value> {
    let url = address("SLUICE_PROMETHEUS_URL")?;
    let host = url.trim_start_matches("http://");
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let query: String = query.bytes().map(escape).collect();
    let request = format!("GET /api/v1/query?query={query} HTTP/1.0\r\nhost: {host}\r\n\r\n");
    let failed = |source| Failure::Program { program: url.clone(), source };
    let mut stream = TcpStream::connect(host).await.map_err(failed)?;
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(failed)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body)
        .map_err(|error| Failure::Wrong(format!("no JSON from Prometheus ({error}): {answer}")))
}
