//! How a release ends: all pods of one revision, every field of the user's back, nothing of
//! Sluice's left where a user would find it.

use std::collections::BTreeSet;

use crds::contract::{ARMED_LABEL, HOLD_ANNOTATION, PREFIX, ROLLOUT_LABEL};
use crds::status::Phase;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::counts::Counts;
use super::waits::{has_condition, status};
use super::{PATIENCE, Scenario};
use crate::app::App;
use crate::failure::{Outcome, ensure};
use crate::observer::{Sight, Told};

impl Scenario {
    /// Waits until the release is over with the manifest's version everywhere, and checks what
    /// it left.
    ///
    /// # Errors
    /// It does not end so.
    pub async fn completes(&self) -> Outcome {
        let app = self.app.clone();
        self.ends(Phase::Ready, &app).await
    }

    /// Waits until the user's rollback to `app` is over, and checks what it left.
    ///
    /// # Errors
    /// It does not end so.
    pub async fn is_back_at(&self, app: &App) -> Outcome {
        self.ends(Phase::Ready, app).await
    }

    /// Waits until an abort has brought `app` back, and checks what it left. The manifest still
    /// carries the rejected version, and yet a diff of it is empty.
    ///
    /// # Errors
    /// It does not end so.
    pub async fn is_rejected_for(&self, app: &App) -> Outcome {
        self.ends(Phase::Rejected, app).await
    }

    async fn ends(&self, phase: Phase, app: &App) -> Outcome {
        self.settles(phase).await?;
        self.is_restored(app).await?;
        self.diff_is_empty(&self.app.manifest()).await
    }

    /// Waits until the release is over in this phase, all pods of one revision and nothing of
    /// ours left; from then on nothing may move.
    ///
    /// # Errors
    /// It does not end so.
    pub async fn settles(&self, phase: Phase) -> Outcome {
        let rejected = phase == Phase::Rejected;
        let replicas = self.app.replicas;
        self.until(&format!("the release to end {phase:?}"), |sight| {
            let status = status(sight)?;
            let told = status.phase == phase && has_condition(status, "Reconciling", "False");
            let pods = one_revision(sight, replicas);
            (told && pods && is_tidy(sight, rejected)).then_some(())
        })
        .await?;
        self.observer.catch_up(PATIENCE).await?;
        self.tell(&Told::Settled);
        Ok(())
    }

    /// Checks that the Deployment's spec is what the apiserver makes of `app`'s manifest, field
    /// for field, and that its metadata carries nothing of ours but what arms it.
    ///
    /// # Errors
    /// It is not.
    pub async fn is_restored(&self, app: &App) -> Outcome {
        let labels = self.has_spec_of(app).await?;
        let ours = [ARMED_LABEL, ROLLOUT_LABEL, "app"].map(str::to_owned);
        ensure(labels == BTreeSet::from(ours), || format!("labels {labels:?}"))
    }

    /// Waits until the Deployment carries nothing of ours at all, and checks that its spec is
    /// what the apiserver makes of `app`'s manifest.
    ///
    /// # Errors
    /// It is not.
    pub async fn is_given_back(&self, app: &App) -> Outcome {
        let replicas = app.replicas;
        self.until("the Deployment to be given back", |sight| {
            let labels = sight.view.settled("web")?.labels();
            let sets = sight.view.sets.values().map(ours).sum::<usize>();
            let clean = sets == 0 && !labels.keys().any(|key| key.starts_with(PREFIX));
            (clean && one_revision(sight, replicas) && is_tidy(sight, false)).then_some(())
        })
        .await?;
        self.observer.catch_up(PATIENCE).await?;
        self.tell(&Told::Settled);
        self.has_spec_of(app).await.map(drop)
    }

    /// Checks the spec, and gives the labels.
    async fn has_spec_of(&self, app: &App) -> Outcome<BTreeSet<String>> {
        let mut manifest = app.manifest();
        // A Deployment of another name, never created: no Rollout has anything to say to it.
        manifest["metadata"]["name"] = json!("expected");
        let args = ["create", "--dry-run=server", "-f", "-"];
        let expected = self.kubectl.json(&args, Some(&manifest)).await?;
        let live = self.deployment().await?;
        let (wanted, found) = (&expected["spec"], &live["spec"]);
        ensure(wanted == found, || {
            format!("the spec is not the user's\nwanted {wanted}\nfound  {found}")
        })?;
        Ok(keys(&live["metadata"]["labels"]))
    }

    /// Checks that `kubectl diff` of a manifest shows nothing.
    ///
    /// # Errors
    /// It shows something.
    pub async fn diff_is_empty(&self, manifest: &Value) -> Outcome {
        self.kubectl.feed(&["diff", "-f", "-"], manifest).await.map(drop)
    }

    /// Checks that these pods still live and none of their containers was ever restarted.
    ///
    /// # Errors
    /// One is gone or was restarted.
    pub async fn are_untouched(&self, pods: &[String]) -> Outcome {
        for name in pods {
            let pod = self.pod(name).await?;
            ensure(pod.metadata.deletion_timestamp.is_none(), || format!("pod {name} is going"))?;
            let statuses = pod.status.and_then(|status| status.container_statuses);
            let restarts: i32 = statuses.iter().flatten().map(|status| status.restart_count).sum();
            ensure(restarts == 0, || format!("pod {name} was restarted {restarts} times"))?;
        }
        Ok(())
    }
}

fn keys(map: &Value) -> BTreeSet<String> {
    map.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// All live pods are ready and of one revision.
fn one_revision(sight: &Sight<'_>, replicas: i32) -> bool {
    let counts = Counts::of(sight);
    let one = [counts.stable, counts.update, counts.given_up];
    let revisions = one.iter().filter(|count| count.live > 0).count();
    counts.all().is(replicas) && revisions <= 1
}

/// No annotation of ours is on the Deployment but the bar of a rejected revision, and the stock
/// controller is through.
fn is_tidy(sight: &Sight<'_>, rejected: bool) -> bool {
    let Some(deployment) = sight.view.settled("web") else { return false };
    let barred = deployment.annotations().contains_key(HOLD_ANNOTATION);
    barred == rejected && ours(deployment) == usize::from(rejected)
}

fn ours(object: &impl ResourceExt) -> usize {
    object.annotations().keys().filter(|key| key.starts_with(PREFIX)).count()
}
