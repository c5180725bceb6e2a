//! The loop of the controller's leader: keeps the Secret and the apiserver's trust as they have
//! to be, one step a pass. Decides nothing: that is `next`.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::Client;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use runtime::{Backoff, clock};
use tokio_util::sync::CancellationToken;

use crate::Place;
use crate::bundle::Bundle;
use crate::inject::{self, InjectError};
use crate::issue::{self, IssueError};
use crate::next::{Next, next, step};
use crate::store::{Store, StoreError, Stored};

/// A pass is a handful of calls; one that hangs is given up and begun again.
const PASS_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the wall clock is asked whether something is due. No long sleep instead: it stands
/// still while a machine sleeps.
const TICK: Duration = Duration::from_secs(60);

/// What the keeper tells.
#[derive(Clone, Debug, Default)]
pub struct KeepMetrics {
    not_after: Family<Of, Gauge>,
    failures: Family<Failure, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    certificate: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    kind: &'static str,
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A certificate could not be made.
    #[error("issue")]
    Issue(#[source] IssueError),
    /// The Secret.
    #[error("store")]
    Store(#[source] StoreError),
    /// The caBundle.
    #[error("inject")]
    Inject(#[source] InjectError),
    /// The apiserver took too long.
    #[error("a pass took longer than {} s", PASS_TIMEOUT.as_secs())]
    Timeout,
}

/// What a pass has left behind.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) bundle: Bundle,
    secret: Option<String>,
    mutating: Option<String>,
    validating: Option<String>,
}

impl KeepError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Issue(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Inject(error) => error.kind(),
            Self::Timeout => "timeout",
        }
    }
}

impl KeepMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("certificate");
        registry.register_with_unit(
            "not_after",
            "End of the stored certificate's validity, since 1970",
            Unit::Seconds,
            self.not_after.clone(),
        );
        registry.register(
            "keep_failures",
            "Passes over certificate and caBundle that failed",
            self.failures.clone(),
        );
    }

    fn kept(&self, bundle: &Bundle) {
        for (certificate, pair) in [("ca", &bundle.ca), ("leaf", &bundle.leaf)] {
            let not_after = pair.certificate().not_after.as_second();
            self.not_after.get_or_create(&Of { certificate }).set(not_after);
        }
    }
}

/// Keeps certificate and trust until `stop`. For the leader alone, though nothing breaks if two
/// do it. May be dropped at any point.
pub async fn keep(client: &Client, place: &Place, metrics: &KeepMetrics, stop: &CancellationToken) {
    let endless = async {
        let mut backoff = Backoff::default();
        loop {
            let passed = tokio::time::timeout(PASS_TIMEOUT, pass(client, place, clock::now()));
            match passed.await.unwrap_or(Err(KeepError::Timeout)) {
                Ok(kept) => {
                    metrics.kept(&kept.bundle);
                    backoff.reset();
                    until_due(client, place, &kept).await;
                }
                Err(error) => {
                    metrics.failures.get_or_create(&Failure { kind: error.kind() }).inc();
                    let (kind, delay) = (error.kind(), backoff.next_delay());
                    let error = runtime::chain(&error).to_string();
                    tracing::warn!(kind, error, ?delay, "certificate not kept, will retry");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    };
    stop.run_until_cancelled(endless).await;
}

/// One step at most, then the trust that belongs to it.
pub(crate) async fn pass(
    client: &Client,
    place: &Place,
    now: Timestamp,
) -> Result<Kept, KeepError> {
    let stored = settle(&Store::new(client.clone(), place), &place.names(), now).await?;
    let secret = stored.version();
    let bundle = stored.bundle.map_err(|broken| KeepError::Issue(IssueError::ReadBack(broken)))?;
    let trusted = bundle.trusted();
    // Both are tried: one that is not installed must not keep the other from being trusted.
    let mutating = inject::inject::<MutatingWebhookConfiguration>(client, place, &trusted).await;
    let validating =
        inject::inject::<ValidatingWebhookConfiguration>(client, place, &trusted).await;
    let (mutating, validating) =
        (mutating.map_err(KeepError::Inject)?, validating.map_err(KeepError::Inject)?);
    Ok(Kept { bundle, secret, mutating, validating })
}

async fn settle(store: &Store, names: &[String], now: Timestamp) -> Result<Stored, KeepError> {
    let Some(stored) = store.read().await.map_err(KeepError::Store)? else {
        tracing::info!("making CA and certificate");
        let bundle = issue::bundle(names, None, now).map_err(KeepError::Issue)?;
        return store.create(&bundle).await.map_err(KeepError::Store);
    };
    let stepped = match &stored.bundle {
        Ok(bundle) => {
            let next = next(bundle, names, now);
            if next != Next::Keep {
                tracing::info!(?next, "certificate");
            }
            step(bundle, next, names, now)
        }
        Err(broken) => {
            tracing::warn!(error = %runtime::chain(broken), "Secret unusable, making all anew");
            issue::bundle(names, None, now).map(Some)
        }
    };
    match stepped.map_err(KeepError::Issue)? {
        Some(bundle) => store.replace(&stored, &bundle).await.map_err(KeepError::Store),
        None => Ok(stored),
    }
}

/// Completes when something may have changed, or the clock says that something is due.
async fn until_due(client: &Client, place: &Place, kept: &Kept) {
    let store = Store::new(client.clone(), place);
    let names = place.names();
    let due = async {
        while next(&kept.bundle, &names, clock::now()) == Next::Keep {
            tokio::time::sleep(TICK).await;
        }
    };
    // All arms only wait: nothing is lost with the ones that are dropped.
    tokio::select! {
        biased;
        () = due => {}
        () = store.changed(kept.secret.as_deref()) => {}
        () = inject::changed::<MutatingWebhookConfiguration>(
            client, place, kept.mutating.as_deref()) => {}
        () = inject::changed::<ValidatingWebhookConfiguration>(
            client, place, kept.validating.as_deref()) => {}
    }
}

#[cfg(test)]
mod tests;
