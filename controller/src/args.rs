//! The command line, and what it means.

use std::net::SocketAddr;

use clap::Parser;
use crds::contract::{LEASE, NAMESPACE};
use runtime::telemetry::LogFormat;

/// Releases updates of Deployments batch by batch.
#[derive(Clone, Debug, Parser)]
#[command(name = "sluice-controller", version)]
pub struct Args {
    /// Namespace of Sluice itself: the Lease and the webhook's certificate are there.
    #[arg(long, env = "SLUICE_NAMESPACE", default_value = NAMESPACE)]
    pub namespace: String,
    /// Name of this replica, in the Lease and in Events.
    #[arg(long, env = "POD_NAME", default_value = "sluice-controller")]
    pub identity: String,
    /// Where /livez, /readyz and /metrics are.
    #[arg(long, env = "SLUICE_ADMIN_ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_address: SocketAddr,
    /// Rollouts that may have their turns at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Whether the leader issues and renews the webhook's certificate.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    pub certificate: bool,
    /// Log filter, for example `info,controller=debug`. (The client's own words about failures
    /// are left out: whoever calls says them.)
    #[arg(long, env = "SLUICE_LOG", default_value = "info,kube_client=off")]
    pub log: String,
    /// How a log line looks: json or plain.
    #[arg(long, env = "SLUICE_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
}

/// What a controller has to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Namespace of Sluice itself.
    pub namespace: String,
    /// Name of the Lease in it.
    pub lease: String,
    /// Name of this replica.
    pub identity: String,
    /// Of the admin port.
    pub admin_address: SocketAddr,
    /// Turns at the same time.
    pub concurrency: usize,
    /// The leader keeps the webhook's certificate.
    pub certificate: bool,
}

impl From<&Args> for Config {
    fn from(args: &Args) -> Self {
        Self {
            namespace: args.namespace.clone(),
            lease: LEASE.to_owned(),
            identity: args.identity.clone(),
            admin_address: args.admin_address,
            concurrency: usize::from(args.concurrency),
            certificate: args.certificate,
        }
    }
}
