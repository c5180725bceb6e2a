//! The way to the cluster: KUBECONFIG and nothing else, so that no test ever runs against a
//! cluster that somebody happened to have configured.

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::failure::{Failure, Outcome};

/// A client for the cluster that KUBECONFIG names.
///
/// # Errors
/// There is none, or it cannot be used.
pub async fn connect() -> Outcome<Client> {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty());
    if !named {
        return Err(Failure::NoCluster);
    }
    let kubeconfig = Kubeconfig::from_env().map_err(Failure::Kubeconfig)?;
    let kubeconfig = kubeconfig.ok_or(Failure::NoCluster)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(Failure::Kubeconfig)?;
    Client::try_from(config).map_err(Failure::doing("connecting to the cluster"))
}
