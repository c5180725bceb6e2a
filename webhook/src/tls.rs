//! TLS as the webhook speaks it: 1.3 only, HTTP/2 and HTTP/1.1 by ALPN, the certificate from
//! whoever resolves it at each handshake.

use std::io;
use std::sync::Arc;

use runtime::server::{Open, Protocol};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Opens TLS connections.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// With the certificate that `resolver` has at the moment of each handshake.
    ///
    /// # Errors
    /// The crypto provider does not do TLS 1.3.
    pub fn new(resolver: Arc<dyn ResolvesServerCert>) -> Result<Self, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // The apiserver keeps connections and resumes no sessions: tickets would only cost.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

impl Open for Tls {
    type Io = TlsStream<TcpStream>;

    async fn open(&self, stream: TcpStream) -> io::Result<(Self::Io, Protocol)> {
        let stream = self.0.accept(stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, if is_http2 { Protocol::Http2 } else { Protocol::Http1 }))
    }
}
