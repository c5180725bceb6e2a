//! Notifications: the turns of releases, told to the addresses of the administrator's Notifiers.
//! One task beside the leader's work, which no release waits for. Owns who is told what; when one
//! is tried again is `lines`' to say, and what is written `letter`'s.

mod letter;
mod lines;
mod outbox;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crds::Notifier;
use crds::notifier::NotifierSpec;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use runtime::{chain, clock};
use tokio::time::{sleep, sleep_until};

use crate::configured::{ConfigError, Configured, Known};
use crate::credentials::{CredentialError, Credentials};
use crate::endpoint::Endpoint;
use crate::engine::is_no_such_kind;
use crate::metrics::Metrics;
pub use letter::Notice;
use lines::{Ended, Lines};
pub use outbox::Outbox;

/// What was told last may take so long when the process stops.
const LAST: Duration = Duration::from_secs(3);
/// A watch is renewed so often.
const WATCH_SECONDS: u32 = 60;
const WANTED: &str = "address, nor signing-key, nor token, nor username and password, nor \
                      tls.crt and tls.key, nor ca.crt";

/// All that the task needs.
pub struct Crier {
    client: Client,
    endpoints: Known<Notifier>,
    metrics: Metrics,
}

/// The Notifiers as a watch tells of them.
#[derive(Default)]
struct Notifiers {
    known: BTreeMap<String, NotifierSpec>,
    /// A list that is coming in.
    coming: BTreeMap<String, NotifierSpec>,
    synced: bool,
}

type Delivery<'a> = BoxFuture<'a, (String, Ended)>;

impl Crier {
    /// Notifiers read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str, metrics: Metrics) -> Self {
        Self { endpoints: Known::new(client.clone(), namespace), client, metrics }
    }

    /// Tells what comes into the outbox until that is closed, and then what is left of it, for a
    /// moment. Dropping it stops everything.
    pub async fn run(&self, outbox: &Outbox) {
        let last = async {
            outbox.closed().await;
            sleep(LAST).await;
        };
        tokio::select! {
            biased;
            () = self.tell(outbox) => {}
            () = last => {}
        }
    }

    async fn tell(&self, outbox: &Outbox) {
        let api: Api<Notifier> = Api::all(self.client.clone());
        let config = watcher::Config::default().timeout(WATCH_SECONDS);
        let mut watch = std::pin::pin!(watcher(api, config).default_backoff());
        let mut notifiers = Notifiers::default();
        let mut lines = Lines::default();
        let mut deliveries: FuturesUnordered<Delivery<'_>> = FuturesUnordered::new();
        loop {
            if notifiers.synced {
                let dropped = lines.stand(&notifiers.known, outbox.take());
                self.metrics.notified("dropped", dropped);
            }
            for (name, notice) in lines.take_due(clock::instant()) {
                if let Some(spec) = notifiers.known.get(&name) {
                    deliveries.push(Box::pin(self.deliver(name, spec.clone(), notice)));
                }
            }
            if outbox.is_closed() && deliveries.is_empty() {
                return;
            }
            let due = lines.next_due();
            tokio::select! {
                // All arms are cancel-safe: stream and set keep what was not taken, the others
                // hold nothing.
                Some((name, ended)) = deliveries.next() => self.ended(&mut lines, &name, &ended),
                Some(event) = watch.next() => self.take_in(&mut notifiers, event),
                () = outbox.changed() => {}
                () = sleep_until(due.unwrap_or_else(clock::instant)), if due.is_some() => {}
            }
        }
    }

    fn take_in(&self, notifiers: &mut Notifiers, event: watcher::Result<Event<Notifier>>) {
        match event {
            Ok(event) => notifiers.take_in(event),
            Err(error) if is_no_such_kind(&error) => {
                tracing::debug!("there are no Notifiers: their CRD is not installed");
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "watch of Notifiers interrupted, resuming");
                self.metrics.error("watch");
            }
        }
    }

    fn ended(&self, lines: &mut Lines, name: &str, ended: &Ended) {
        if let Some(why) = ended.why() {
            tracing::warn!(notifier = name, why, "notification not delivered");
        }
        if let Some(result) = lines.ended(name, ended, clock::instant()) {
            self.metrics.notified(result, 1);
        }
    }

    /// One attempt.
    async fn deliver(
        &self,
        name: String,
        spec: NotifierSpec,
        notice: Arc<Notice>,
    ) -> (String, Ended) {
        let ended = match self.endpoints.find(&name).await {
            Ok(endpoint) => Ended::of(&endpoint.post(notice.written(spec.format)).await),
            Err(error) => Ended::Later(chain(&error).to_string()),
        };
        (name, ended)
    }
}

impl Notifiers {
    fn take_in(&mut self, event: Event<Notifier>) {
        match event {
            Event::Init => self.coming.clear(),
            Event::InitApply(one) => {
                self.coming.insert(one.name_any(), one.spec);
            }
            Event::InitDone => {
                self.known = std::mem::take(&mut self.coming);
                self.synced = true;
            }
            Event::Apply(one) => {
                self.known.insert(one.name_any(), one.spec);
            }
            Event::Delete(one) => {
                self.known.remove(&one.name_any());
            }
        }
    }
}

impl Configured for Notifier {
    type Spec = NotifierSpec;
    type Client = Endpoint;

    fn spec(&self) -> &NotifierSpec {
        &self.spec
    }

    fn secret(spec: &NotifierSpec) -> Option<&str> {
        spec.secret.as_deref()
    }

    fn client(
        spec: &NotifierSpec,
        name: &str,
        mut credentials: Credentials,
    ) -> Result<Endpoint, ConfigError> {
        let own = credentials.address.take();
        let empty = own.is_none() && credentials.signing_key.is_none() && !credentials.is_known();
        if spec.secret.is_some() && empty {
            return Err(CredentialError::Empty(name.to_owned(), WANTED).into());
        }
        let address = spec.address.clone().or(own);
        let address = address.ok_or_else(|| {
            ConfigError::Address(format!("neither the Notifier nor Secret {name} has one"))
        })?;
        Endpoint::new(&address, credentials, spec.timeout, 1)
    }
}

#[cfg(test)]
mod tests;
