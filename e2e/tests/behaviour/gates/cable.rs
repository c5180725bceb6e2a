//! This machine's end of the cable to the cluster: where servers in the test's own process listen,
//! so that Sluice's pods reach them.

use std::net::{SocketAddr, UdpSocket};

use e2e::failure::{Failure, Outcome};
use tokio::net::TcpListener;

/// Where Prometheus is, as this machine sees it.
///
/// # Errors
/// There is no cluster with a Prometheus.
pub fn prometheus() -> Outcome<SocketAddr> {
    let real = std::env::var("SLUICE_PROMETHEUS_URL")
        .map_err(|_| Failure::Wrong("SLUICE_PROMETHEUS_URL is not set".to_owned()))?;
    let address = real.trim_start_matches("http://").trim_end_matches('/').parse();
    address.map_err(|error| Failure::Wrong(format!("{real}: {error}")))
}

/// A port that the cluster reaches, and its address.
///
/// # Errors
/// There is no cluster.
pub async fn listen() -> Outcome<(TcpListener, SocketAddr)> {
    let wrong = |error: std::io::Error| Failure::Wrong(format!("listening: {error}"));
    let ours = end_of_cable(prometheus()?).map_err(wrong)?;
    let listener = TcpListener::bind((ours.ip(), 0)).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}

/// The address from which this machine reaches the cluster, and at which that reaches us.
fn end_of_cable(cluster: SocketAddr) -> std::io::Result<SocketAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.connect(cluster)?;
    socket.local_addr()
}
