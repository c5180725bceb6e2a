//! What users do with Sluice: Rollouts, and requests as the CLI writes them.

use std::collections::BTreeMap;

use crds::contract::REQUEST_ANNOTATION;
use crds::request::Verb;
use crds::{Request, RolloutSpec};

use super::Said;
use crate::sim::cluster::{Precondition, Refused};
use crate::sim::world::{NAME, World};

impl World {
    /// `kubectl apply` of the Rollout.
    pub fn user_rollout(&mut self, mut spec: RolloutSpec) -> Said {
        let (version, kind) = self.user.manifest.stated.kind();
        version.clone_into(&mut spec.workload_ref.api_version);
        kind.clone_into(&mut spec.workload_ref.kind);
        self.checks.user_rollout(Some(spec.clone()));
        if self.cluster.rollouts.get(NAME).is_some() {
            let anything = Precondition::default();
            self.cluster.update_rollout(NAME, &anything, |rollout| rollout.spec = spec)?;
        } else {
            self.cluster.create_rollout(&NAME.into(), spec)?;
        }
        self.settle_write();
        Ok(String::new())
    }

    /// `kubectl delete rollout`.
    pub fn user_delete_rollout(&mut self) -> Said {
        self.cluster.update_rollout(NAME, &Precondition::default(), |rollout| {
            rollout.meta.deleting = true;
        })?;
        self.checks.user_rollout(None);
        self.settle_write();
        Ok(String::new())
    }

    /// A request, as the CLI makes it of what the status says; or of another batch, by a user who
    /// looked at it long ago.
    pub fn user_request(&mut self, verb: Verb, batch: Option<u32>) -> Said {
        let rollout = self.cluster.rollouts.get(NAME).ok_or(Refused::NotFound)?;
        let status = &rollout.status;
        let meant = match verb {
            Verb::Retry => &status.rejected_revision,
            _ => &status.update_revision,
        };
        let Some(revision) = meant.clone() else {
            return Err(Refused::Invalid("there is no release".to_owned()));
        };
        let shown = status.batch.as_ref().map_or(0, |batch| batch.index);
        let request = Request {
            id: format!("{}-{:?}", self.now().millis(), verb),
            verb,
            revision,
            batch: batch.unwrap_or(shown),
            by: Some(super::WRITER.to_owned()),
        };
        self.checks.user_request(&request);
        let text = serde_json::to_string(&request).unwrap_or_default();
        self.cluster.update_rollout(NAME, &Precondition::default(), |rollout| {
            rollout.annotations = BTreeMap::from([(REQUEST_ANNOTATION.to_owned(), text)]);
        })?;
        self.settle_write();
        Ok(String::new())
    }
}
