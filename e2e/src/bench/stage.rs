//! The test application in a namespace of its own, native or with a Rollout, and its releases one
//! after the other. Knows what a user knows; times are read elsewhere.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::Api;
use tokio::time::Instant;

use super::record::{Arrival, Record, batch, is_complete, version};
use super::{crowd, discard};
use crate::app::App;
use crate::failure::Outcome;
use crate::kubectl::Kubectl;
use crate::plan::Plan;
use crate::scenario::create_namespace;
use crate::scenario::waits::has_condition;
use crate::view::{self, View};

/// No release of the benchmark takes so long, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// An application under measurement.
pub struct Stage {
    client: Client,
    namespace: String,
    app: App,
    record: Record,
    rollout: bool,
}

/// What was seen of one release.
pub struct Release {
    /// The moment before the user's write was sent.
    pub sent: Instant,
    /// What happened since.
    pub arrivals: Vec<Arrival>,
}

impl Stage {
    /// The application runs, all pods ready; with a plan it is armed.
    ///
    /// # Errors
    /// It does not come so far.
    pub async fn raise(
        client: &Client,
        name: &str,
        app: App,
        plan: Option<&Plan>,
    ) -> Outcome<Self> {
        let namespace = create_namespace(client, name).await?;
        let record = Record::start(client, &namespace);
        let rollout = plan.is_some();
        let stage = Self { client: client.clone(), namespace, app, record, rollout };
        match stage.fill(plan).await {
            Ok(()) => Ok(stage),
            Err(failure) => {
                stage.clear().await;
                Err(failure)
            }
        }
    }

    async fn fill(&self, plan: Option<&Plan>) -> Outcome {
        let kubectl = Kubectl::new(&self.namespace);
        kubectl.feed(&["apply", "-f", "-"], &self.app.manifest()).await?;
        if let Some(plan) = plan {
            kubectl.feed(&["apply", "-f", "-"], &plan.manifest()).await?;
        }
        self.rests().await
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Releases another version as `kubectl apply` sends it (a strategic merge patch), by a client
    /// that is already connected: a process's start is no part of what is measured. Returns when
    /// nothing moves any more.
    ///
    /// # Errors
    /// The write is refused, or the release does not end.
    pub async fn release(&mut self, version: &str) -> Outcome<Release> {
        self.app = self.app.clone().version(version);
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), &self.namespace);
        let manifest = self.app.manifest();
        self.record.begin();
        let sent = Instant::now();
        crowd::apply(&api, &self.app.name, manifest).await?;
        self.rests().await?;
        Ok(Release { sent, arrivals: self.record.arrivals() })
    }

    /// Waits until all pods there are, terminating ones included, are ready ones of the manifest,
    /// and nobody has anything left to do.
    async fn rests(&self) -> Outcome {
        let what = format!("{} at rest in {}", self.app.name, self.namespace);
        self.record.until(PATIENCE, &what, |view| self.is_at_rest(view)).await
    }

    fn is_at_rest(&self, view: &View) -> bool {
        let wanted = self.app.env.get("VERSION").and_then(|version| version.as_str());
        let Some(deployment) = view.deployments.get(&self.app.name) else { return false };
        let complete = Some(version(deployment)) == wanted
            && is_complete(deployment)
            && batch(deployment).is_none();
        let mut pods = view.pods.values();
        let new = pods.all(|pod| view::is_ready(pod) && view::version(pod.spec.as_ref()) == wanted);
        let count = view.pods.len() == usize::try_from(self.app.replicas).unwrap_or_default();
        complete && new && count && (!self.rollout || told_ready(view))
    }

    /// Deletes the namespace, without waiting for it.
    pub async fn clear(self) {
        discard(&self.client, &self.namespace).await;
    }
}

fn told_ready(view: &View) -> bool {
    view.rollouts.values().all(|rollout| {
        rollout.status.as_ref().is_some_and(|status| {
            status.observed_generation == rollout.metadata.generation
                && ["Armed", "Ready"].iter().all(|kind| has_condition(status, kind, "True"))
        })
    }) && !view.rollouts.is_empty()
}
