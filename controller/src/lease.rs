//! Leading: at most one controller writes. Owns the Lease, its reading, writing and letting go;
//! when what is `judge`'s decision. Every write carries the resourceVersion that was read.

mod judge;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Error as KubeError};
use runtime::ready::Condition;
use runtime::{Backoff, chain, clock};
use tokio::time::{Instant, sleep, timeout};

use self::judge::{DEADLINE, LEASE, LeaseView, RENEW, Verdict, judge};
use crate::metrics::Metrics;

/// A renewal that takes longer is tried again: several fit before [`DEADLINE`].
const CALL: Duration = Duration::from_secs(1);

/// How long we may still take ourselves for the leader. Checked before every write.
#[derive(Clone, Debug, Default)]
pub struct Tenure(Arc<Mutex<Option<Instant>>>);

impl Tenure {
    /// We lead.
    pub fn is_valid(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| clock::instant() < until)
    }

    fn set(&self, renewed_at: Option<Instant>) {
        let until = renewed_at.map(|at| at + DEADLINE);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// One that holds until it is dropped, for tests of writes.
    #[cfg(test)]
    pub fn endless() -> Self {
        Self(Arc::new(Mutex::new(Some(clock::instant() + Duration::from_secs(86_400)))))
    }
}

/// The candidate that this process is.
#[derive(Debug)]
pub struct Elector {
    api: Api<Lease>,
    name: String,
    me: String,
    tenure: Tenure,
    metrics: Metrics,
    ready: Condition,
}

/// A Lease that is ours.
#[derive(Debug)]
pub struct Held {
    lease: Lease,
    renewed_at: Instant,
}

/// Why the Lease could not be written.
#[derive(Debug, thiserror::Error)]
enum LeaseError {
    #[error("somebody else wrote it")]
    Conflict,
    #[error("no answer in time")]
    Timeout,
    #[error("the apiserver refused or cannot be reached")]
    Call(#[source] KubeError),
}

impl Elector {
    /// A candidate called `me`, unique among all processes that ever were.
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        me: String,
        metrics: Metrics,
        ready: Condition,
    ) -> Self {
        let api = Api::namespaced(client, namespace);
        Self { api, name: name.to_owned(), me, tenure: Tenure::default(), metrics, ready }
    }

    /// What our writes check.
    pub fn tenure(&self) -> Tenure {
        self.tenure.clone()
    }

    /// Waits until the Lease is ours. A standby that sees the Lease is ready.
    pub async fn acquire(&self) -> Held {
        let fields = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        let watch = watcher(self.api.clone(), fields).default_backoff();
        let mut sight = Sight::new(watch);
        let mut backoff = Backoff::default();
        loop {
            let Some((lease, seen_at)) = &sight.seen else {
                sight.next().await;
                if sight.seen.is_some() {
                    self.ready.set(true);
                }
                continue;
            };
            let now = clock::instant();
            let wait = match judge(&view(lease.as_ref()), &self.me, None, *seen_at, now) {
                Verdict::Wait(wait) => wait,
                Verdict::Acquire | Verdict::Renew | Verdict::Lost => {
                    match self.write(lease.clone(), Some(&self.me)).await {
                        Ok(lease) => return self.hold(lease, now),
                        Err(error) => {
                            tracing::info!(error = %chain(&error), "cannot take the lease yet");
                            backoff.next_delay()
                        }
                    }
                }
            };
            tokio::select! {
                // Both are cancel-safe: an event not taken stays in the watch.
                () = sight.next() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Renews the Lease; returns when it is lost.
    pub async fn keep(&self, mut held: Held) {
        loop {
            let now = clock::instant();
            let seen = view(Some(&held.lease));
            match judge(&seen, &self.me, Some(held.renewed_at), held.renewed_at, now) {
                Verdict::Wait(wait) => sleep(wait).await,
                Verdict::Renew => match self.renew(&held.lease).await {
                    Ok(lease) => held = self.hold(lease, now),
                    Err(error) => {
                        tracing::warn!(error = %chain(&error), "lease not renewed yet");
                        self.metrics.error("lease");
                        sleep(runtime::retry::jittered(RENEW / 5)).await;
                        if let Ok(Ok(lease)) = timeout(CALL, self.api.get_opt(&self.name)).await {
                            held.lease = lease.unwrap_or_default();
                        }
                    }
                },
                Verdict::Lost | Verdict::Acquire => break,
            }
        }
        self.tenure.set(None);
        self.metrics.leading(false);
        tracing::warn!(me = self.me, "lease lost");
    }

    /// Lets the Lease go, so that another one can lead at once. Endless: the caller has a time.
    pub async fn release(&self) {
        self.tenure.set(None);
        self.metrics.leading(false);
        let mut backoff = Backoff::default();
        loop {
            let failed = match timeout(CALL, self.api.get_opt(&self.name)).await {
                Ok(Ok(Some(lease))) if view(Some(&lease)).holder.as_ref() == Some(&self.me) => {
                    self.write(Some(lease), None).await.err()
                }
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(LeaseError::Call(error)),
                Err(_) => Some(LeaseError::Timeout),
            };
            let Some(error) = failed else { break };
            tracing::warn!(error = %chain(&error), "lease not released yet");
            sleep(backoff.next_delay()).await;
        }
        tracing::info!(me = self.me, "lease released");
    }

    fn hold(&self, lease: Lease, renewed_at: Instant) -> Held {
        if !self.tenure.is_valid() {
            tracing::info!(me = self.me, "leading");
        }
        self.tenure.set(Some(renewed_at));
        self.metrics.leading(true);
        Held { lease, renewed_at }
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        self.write(Some(lease.clone()), Some(&self.me)).await
    }

    /// Writes the Lease for `holder` (none: free) over `old`, or for the first time.
    async fn write(&self, old: Option<Lease>, holder: Option<&str>) -> Result<Lease, LeaseError> {
        let exists = old.is_some();
        let lease = written(&self.name, old.unwrap_or_default(), holder, MicroTime(clock::now()));
        let params = PostParams::default();
        let call = async {
            if exists {
                self.api.replace(&self.name, &params, &lease).await
            } else {
                self.api.create(&params, &lease).await
            }
        };
        match timeout(CALL, call).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(KubeError::Api(status))) if status.code == 409 => Err(LeaseError::Conflict),
            Ok(Err(error)) => Err(LeaseError::Call(error)),
            Err(_) => Err(LeaseError::Timeout),
        }
    }
}

/// The Lease as a candidate sees it, and since when it has been so.
struct Sight<S> {
    watch: std::pin::Pin<Box<S>>,
    listed: Option<Lease>,
    seen: Option<(Option<Lease>, Instant)>,
}

impl<S: Stream<Item = watcher::Result<watcher::Event<Lease>>>> Sight<S> {
    fn new(watch: S) -> Self {
        Self { watch: Box::pin(watch), listed: None, seen: None }
    }

    async fn next(&mut self) {
        match self.watch.next().await {
            Some(Ok(watcher::Event::Init)) => self.listed = None,
            Some(Ok(watcher::Event::InitApply(lease))) => self.listed = Some(lease),
            Some(Ok(watcher::Event::InitDone)) => {
                let lease = self.listed.take();
                self.see(lease);
            }
            Some(Ok(watcher::Event::Apply(lease))) => self.see(Some(lease)),
            Some(Ok(watcher::Event::Delete(_))) => self.see(None),
            Some(Err(error)) => {
                tracing::warn!(error = %chain(&error), "the lease cannot be watched now");
            }
            // A watcher does not end; were it to, nothing would be seen any more.
            None => std::future::pending().await,
        }
    }

    /// The same object seen again says nothing of its holder's life.
    fn see(&mut self, lease: Option<Lease>) {
        let version = |lease: &Option<Lease>| lease.as_ref()?.metadata.resource_version.clone();
        let same = |(held, _): &(Option<Lease>, Instant)| version(held) == version(&lease);
        if !self.seen.as_ref().is_some_and(same) {
            self.seen = Some((lease, clock::instant()));
        }
    }
}

fn view(lease: Option<&Lease>) -> LeaseView {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
    LeaseView {
        holder: spec
            .and_then(|spec| spec.holder_identity.clone())
            .filter(|holder| !holder.is_empty()),
        duration: seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(LEASE, Duration::from_secs),
    }
}

/// The Lease to write: labels and all of `old` stay.
fn written(name: &str, old: Lease, holder: Option<&str>, now: MicroTime) -> Lease {
    let spec = old.spec.unwrap_or_default();
    let taken_over = holder.is_some() && spec.holder_identity.as_deref() != holder;
    let transitions = spec.lease_transitions.unwrap_or_default() + i32::from(taken_over);
    let acquire_time = if taken_over { Some(now.clone()) } else { spec.acquire_time.clone() };
    Lease {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..old.metadata },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.unwrap_or_default().to_owned()),
            lease_duration_seconds: Some(i32::try_from(LEASE.as_secs()).unwrap_or(i32::MAX)),
            acquire_time,
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..spec
        }),
    }
}

#[cfg(test)]
mod tests;
