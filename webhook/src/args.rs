//! The command line and environment of the webhook.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Parser;
use crds::contract::{
    CERTIFICATE_SECRET, CONTROLLER_SERVICE_ACCOUNT, NAMESPACE, REGISTRATION, WEBHOOK_SERVICE,
};
use runtime::shutdown::Grace;
use runtime::telemetry::LogFormat;

/// Holds updates of armed workloads, and judges Rollouts.
#[derive(Clone, Debug, Parser)]
#[command(version, about)]
pub struct Args {
    /// Where the apiserver calls.
    #[arg(long, env = "SLUICE_LISTEN", default_value_t = any(9443))]
    pub listen: SocketAddr,
    /// Where probes and scrapes come.
    #[arg(long, env = "SLUICE_ADMIN_LISTEN", default_value_t = any(8080))]
    pub admin_listen: SocketAddr,
    /// Namespace of Sluice itself.
    #[arg(long, env = "SLUICE_NAMESPACE", default_value = NAMESPACE)]
    pub namespace: String,
    /// Secret in that namespace with the serving certificate.
    #[arg(long, env = "SLUICE_CERTIFICATE_SECRET", default_value = CERTIFICATE_SECRET)]
    pub certificate_secret: String,
    /// User name of the controller; default: its ServiceAccount in the namespace.
    #[arg(long, env = "SLUICE_CONTROLLER_USERNAME")]
    pub controller_username: Option<String>,
    /// "json" or "plain".
    #[arg(long, env = "SLUICE_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
    /// Which logs, as directives: `info,webhook=debug`.
    #[arg(long, env = "SLUICE_LOG", default_value = "info")]
    pub log: String,
    /// Seconds from a signal until no new connections are taken: the apiserver must have noticed.
    #[arg(long, env = "SLUICE_LAME_DUCK_SECONDS", default_value_t = 5)]
    pub lame_duck_seconds: u16,
    /// Seconds from then until requests in hand are abandoned.
    #[arg(long, env = "SLUICE_DRAIN_SECONDS", default_value_t = 10)]
    pub drain_seconds: u16,
}

/// All addresses, IPv4's too where the system is dual-stack.
fn any(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

impl Args {
    /// Who may set and clear what is ours on a workload.
    #[must_use]
    pub fn controller(&self) -> String {
        self.controller_username.clone().unwrap_or_else(|| {
            format!("system:serviceaccount:{}:{CONTROLLER_SERVICE_ACCOUNT}", self.namespace)
        })
    }

    /// Where the certificate stands.
    #[must_use]
    pub fn place(&self) -> certs::Place {
        certs::Place {
            namespace: self.namespace.clone(),
            secret: self.certificate_secret.clone(),
            service: WEBHOOK_SERVICE.to_owned(),
            registration: REGISTRATION.to_owned(),
            manager: crds::contract::CONTROLLER_MANAGER.to_owned(),
        }
    }

    /// How long a stop may take.
    #[must_use]
    pub fn grace(&self) -> Grace {
        Grace {
            lame_duck: Duration::from_secs(self.lame_duck_seconds.into()),
            drain: Duration::from_secs(self.drain_seconds.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_controller_is_a_service_account_of_our_namespace_unless_named() {
        let args = Args::parse_from(["webhook", "--namespace", "x"]);
        assert_eq!(args.controller(), "system:serviceaccount:x:sluice-controller");
        let args = Args::parse_from(["webhook", "--controller-username", "ann"]);
        assert_eq!(args.controller(), "ann");
    }
}
