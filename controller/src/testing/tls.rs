//! A small HTTPS server in the place of somebody else's, with a certificate of its own; it may want
//! to see one.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::server::{answered, listening};

/// A certificate and its key, as PEM.
pub struct ClientPair {
    /// It signs itself, so that a server that trusts it lets nobody else in.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl ClientPair {
    /// A new one.
    pub fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["sluice".to_owned()]).unwrap();
        Self { certificate: cert.pem(), key: signing_key.serialize_pem() }
    }
}

/// A server that answers a request of each connection with one of these texts after the other,
/// and wants to see this client's certificate, if any; its address, its certificate, and what it
/// was asked.
pub async fn with_tls(
    answers: Vec<String>,
    client: Option<&str>,
) -> (SocketAddr, String, JoinSet<Vec<String>>) {
    let (listener, address) = listening().await;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = match client {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(pem) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            // One who does not trust it, or whom it does not trust, hangs up.
            if let Ok(stream) = acceptor.accept(stream).await {
                asked.push(answered(stream, &answer).await);
            }
        }
        asked
    });
    (address, cert.pem(), server)
}
