//! Stands in for the webhook and keeps every review that it answers: the source of the recorded
//! fixtures. `record DIRECTORY ADDRESS` listens there and prints the caBundle to register it with;
//! `tests/record.sh` drives it against a real apiserver.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crds::rollout::WorkloadRef;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use prometheus_client::registry::Registry;
use runtime::Shutdown;
use runtime::server::{Answer, Server, ServerMetrics, bind};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde_json::Value;
use webhook::metrics::Metrics;
use webhook::rivals::{Rivals, RivalsError};
use webhook::service::{Route, Service};
use webhook::tls::Tls;

const CONTROLLER: &str = "system:serviceaccount:sluice-system:sluice-controller";

struct Nobody;

impl Rivals for Nobody {
    async fn naming(&self, _: &str, _: &WorkloadRef) -> Result<Option<String>, RivalsError> {
        Ok(None)
    }
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

struct Recorder {
    service: Service<Nobody>,
    directory: PathBuf,
    count: AtomicU32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(directory), Some(address)) = (args.next(), args.next()) else {
        return Err("usage: record DIRECTORY ADDRESS".into());
    };
    let address: SocketAddr = address.parse()?;
    let made = rcgen::generate_simple_self_signed([address.ip().to_string()])?;
    print(&STANDARD.encode(made.cert.pem()));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let key = ring::default_provider().key_provider.load_private_key(key)?;
    let certified = CertifiedKey::new(vec![made.cert.der().clone()], key);
    let server = Server {
        open: Tls::new(Arc::new(Fixed(Arc::new(certified))))?,
        limits: webhook::run::LIMITS,
        shutdown: Shutdown::default(),
        metrics: ServerMetrics::default(),
    };
    let metrics = Metrics::new(&mut Registry::default());
    let recorder = Arc::new(Recorder {
        service: Service::new(CONTROLLER.to_owned(), Nobody, metrics),
        directory: PathBuf::from(directory),
        count: AtomicU32::new(1),
    });
    std::fs::create_dir_all(&recorder.directory)?;
    let listener = bind(address).await?;
    server.serve(listener, move |request| answer(Arc::clone(&recorder), request)).await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the script reads it")]
fn print(text: &str) {
    println!("{text}");
}

async fn answer(recorder: Arc<Recorder>, request: http::Request<Incoming>) -> Answer {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let answered = match body {
        Ok(bytes) => record(&recorder, &bytes).await,
        Err(error) => Err(error.into()),
    };
    match answered {
        Ok(answer) => Answer::new(Full::new(Bytes::from(answer))),
        Err(error) => {
            let mut answer = Answer::new(Full::new(Bytes::from(error.to_string())));
            *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}

async fn record(recorder: &Recorder, bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let review: Value = serde_json::from_slice(bytes)?;
    let count = recorder.count.fetch_add(1, Ordering::Relaxed);
    let file = recorder.directory.join(format!("{count:02}.json"));
    std::fs::write(file, serde_json::to_string_pretty(&review)? + "\n")?;
    Ok(recorder.service.review(Route::Mutate, bytes).await?)
}
