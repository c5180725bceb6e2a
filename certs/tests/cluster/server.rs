//! A TLS server as a webhook is one, and the apiserver's side of a connection to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use certs::Served;
use certs::serve::Publisher;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::own::Own;

/// Sends back what it gets. It is made once, and never again.
pub struct Server {
    pub publisher: Publisher,
    pub served: Served,
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
}

/// An open connection to it.
pub struct Line(TlsStream<TcpStream>);

impl Server {
    pub async fn bind((publisher, served): (Publisher, Served)) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(served.clone()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { publisher, served, listener, address, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// Serves all connections; never ends.
    pub async fn serve(&self) {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => open.push(self.echo(accepted.unwrap().0)),
                // The client says what went wrong.
                Some(_) = open.next() => {}
            }
        }
    }

    async fn echo(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = self.acceptor.accept(stream).await?;
        let mut byte = [0];
        while stream.read(&mut byte).await? == 1 {
            stream.write_all(&byte).await?;
            stream.flush().await?;
        }
        Ok(())
    }

    /// A connection of an apiserver that trusts `ca_bundle`.
    pub async fn present(&self, ca_bundle: &str, own: &Own) -> io::Result<Line> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_bundle.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(own.place.names()[0].clone()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(Line)
    }

    /// Whoever trusts what the mutating configuration says gets through; never ends.
    pub async fn is_never_refused(&self, own: &Own) {
        loop {
            let [trusted, _] = own.trusted().await;
            if !trusted.is_empty() {
                let line = self.present(&trusted, own).await;
                assert!(line.is_ok(), "refused: {:?}", line.err());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Line {
    /// The certificate that it was opened with.
    pub fn leaf(&self) -> CertificateDer<'static> {
        self.0.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    }

    /// It is still served.
    pub async fn echoes(&mut self) -> bool {
        let mut byte = [0];
        let (Ok(()), Ok(())) = (self.0.write_all(b"x").await, self.0.flush().await) else {
            return false;
        };
        self.0.read(&mut byte).await.is_ok_and(|count| count == 1 && byte == *b"x")
    }
}
