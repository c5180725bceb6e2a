//! The way to the apiserver: kube's own client, on sockets that fit it. Knows no request, and
//! repeats none: whoever asks has its own way of asking again.

use std::time::Duration;

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tower::{BoxError, ServiceBuilder};

/// A watch only listens: without these it would never notice that its peer is gone. Lost after a
/// minute of silence.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// A client for what `config` names.
///
/// # Errors
/// Its certificates or credentials cannot be used.
pub fn client(config: Config) -> Result<Client, kube::Error> {
    let connector = config.rustls_https_connector_with_connector(sockets(&config))?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(HttpClient::builder(TokioExecutor::new()).build::<_, Body>(connector));
    Ok(Client::new(service, config.default_namespace))
}

fn sockets(config: &Config) -> HttpConnector {
    let mut sockets = HttpConnector::new();
    sockets.enforce_http(false);
    sockets.set_connect_timeout(config.connect_timeout);
    // Otherwise the first request of a connection stays here until the apiserver acknowledges the
    // end of the TLS handshake, which it is in no hurry to do: 45 ms (measured), and a release
    // begins with two new connections.
    sockets.set_nodelay(true);
    sockets.set_keepalive(Some(KEEPALIVE));
    sockets.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    sockets.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    sockets
}

#[cfg(test)]
mod tests;
