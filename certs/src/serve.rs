//! The webhook's side: reads the serving certificate from the Secret and gives it to rustls,
//! again whenever it changes. The last good one stays; nothing is ever written.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube::{Client, ResourceExt};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use runtime::{Backoff, clock};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Place;
use crate::bundle::{Broken, Certificate, Pair};
use crate::changed::changed;

/// A read that hangs is given up and begun again.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The certificate that is served now. Clones see the same.
#[derive(Clone, Debug)]
pub struct Served(watch::Receiver<Option<Arc<CertifiedKey>>>);

/// The hand that changes it.
#[derive(Debug)]
pub struct Publisher(watch::Sender<Option<Arc<CertifiedKey>>>);

/// What the reader tells.
#[derive(Clone, Debug, Default)]
pub struct ServeMetrics {
    not_after: Gauge,
    failures: Family<Failure, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    kind: &'static str,
}

/// Why the Secret did not give a certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The controller has not made it yet.
    #[error("there is no Secret {0} yet")]
    Absent(String),
    /// What is in it cannot be served.
    #[error("read the serving certificate")]
    Broken(#[source] Broken),
    /// It is not valid at this moment: no better than the one that is served.
    #[error("the certificate is valid from {not_before} to {not_after} only")]
    NotValid {
        /// Begin of its validity.
        not_before: Timestamp,
        /// End of its validity.
        not_after: Timestamp,
    },
    /// The apiserver refused, or did not answer.
    #[error("read the Secret")]
    Api(#[source] kube::Error),
    /// The apiserver took too long.
    #[error("the Secret was not read within {} s", READ_TIMEOUT.as_secs())]
    Timeout,
}

impl ServeError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Absent(_) => "absent",
            Self::Broken(broken) => broken.kind(),
            Self::NotValid { .. } => "not-valid",
            Self::Api(_) => "api",
            Self::Timeout => "timeout",
        }
    }
}

impl ServeMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("certificate");
        registry.register_with_unit(
            "served_not_after",
            "End of the served certificate's validity, since 1970",
            Unit::Seconds,
            self.not_after.clone(),
        );
        registry.register(
            "read_failures",
            "Reads of the Secret that gave no certificate to serve",
            self.failures.clone(),
        );
    }
}

/// A certificate to come: nothing is served before [`follow`] has read it.
#[must_use]
pub fn served() -> (Publisher, Served) {
    let (sender, receiver) = watch::channel(None);
    (Publisher(sender), Served(receiver))
}

impl Served {
    /// The certificate, or `None` before the first one.
    #[must_use]
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }

    /// Completes when there is a certificate to serve. Cancel-safe.
    pub async fn available(&mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            // The reader is gone, which ends the process; until then nothing becomes available.
            std::future::pending::<()>().await;
        }
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}

/// Keeps `publisher` at what the Secret holds, until `stop`. May be dropped at any point.
pub async fn follow(
    client: &Client,
    place: &Place,
    publisher: &Publisher,
    metrics: &ServeMetrics,
    stop: &CancellationToken,
) {
    let api: Api<Secret> = Api::namespaced(client.clone(), &place.namespace);
    let endless = async {
        let mut backoff = Backoff::default();
        loop {
            let read = tokio::time::timeout(READ_TIMEOUT, api.get_opt(&place.secret)).await;
            let read = match read {
                Ok(read) => read.map_err(ServeError::Api),
                Err(_) => Err(ServeError::Timeout),
            };
            match read {
                Ok(secret) => {
                    backoff.reset();
                    let version = secret.as_ref().and_then(ResourceExt::resource_version);
                    publisher.consider(secret.as_ref(), place, metrics, clock::now());
                    changed(&api, &place.secret, version.as_deref()).await;
                }
                Err(error) => {
                    metrics.failed(&error);
                    tokio::time::sleep(backoff.next_delay()).await;
                }
            }
        }
    };
    stop.run_until_cancelled(endless).await;
}

impl Publisher {
    /// Publishes what the Secret holds, if it can be served now.
    fn consider(
        &self,
        secret: Option<&Secret>,
        place: &Place,
        metrics: &ServeMetrics,
        now: Timestamp,
    ) {
        match leaf(secret, place, now) {
            Ok(leaf) => self.publish(&leaf, metrics),
            Err(error) => metrics.failed(&error),
        }
    }

    fn publish(&self, leaf: &Pair, metrics: &ServeMetrics) {
        let Certificate { not_after, der, .. } = leaf.certificate();
        let changed = self.0.send_if_modified(|current| {
            let same = current.as_ref().is_some_and(|current| current.cert.first() == Some(der));
            if !same {
                *current = Some(Arc::clone(leaf.certified()));
            }
            !same
        });
        if changed {
            metrics.not_after.set(not_after.as_second());
            tracing::info!(%not_after, "serving a new certificate");
        }
    }
}

impl ServeMetrics {
    fn failed(&self, error: &ServeError) {
        let kind = error.kind();
        self.failures.get_or_create(&Failure { kind }).inc();
        tracing::warn!(kind, error = %runtime::chain(error), "no certificate from the Secret");
    }
}

fn leaf(secret: Option<&Secret>, place: &Place, now: Timestamp) -> Result<Pair, ServeError> {
    let absent = || ServeError::Absent(place.secret.clone());
    let data = secret.and_then(|secret| secret.data.as_ref()).ok_or_else(absent)?;
    let leaf = Pair::read_leaf(data).map_err(ServeError::Broken)?;
    let &Certificate { not_before, not_after, .. } = leaf.certificate();
    if leaf.certificate().is_valid_at(now) {
        Ok(leaf)
    } else {
        Err(ServeError::NotValid { not_before, not_after })
    }
}

#[cfg(test)]
mod tests;
