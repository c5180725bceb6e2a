//! The acts of one pass: pods created, deleted, marked and patched as decided. Each is one line of
//! the log.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::json;

use super::calls::{Called, Cluster};
use super::decide::{self, Diff, Revisions, Wish};
use super::events::Note;
use super::inplace::{self, Change, Refresh};
use super::lifecycle;
use super::member::{Member, short};
use super::names::SPECIFIED_DELETE;
use super::pod;
use super::queue::Key;
use super::revisions;
use super::scale::{self, Scale};
use super::spec::{CloneSet, UpdateKind};
use super::update;

/// What a pass has read.
pub struct Seen<'a> {
    pub set: &'a CloneSet,
    pub pods: &'a [Pod],
    /// The same pods, in the same order.
    pub members: &'a [Member],
    pub history: &'a [ControllerRevision],
}

/// The two revisions that count, and how often a name was taken.
pub struct Active {
    pub current: ControllerRevision,
    pub update: ControllerRevision,
    pub collisions: i32,
}

/// A pass that acts.
pub struct Act<'a> {
    cluster: &'a Cluster,
    key: &'a Key,
    set: &'a CloneSet,
    pods: &'a [Pod],
    members: &'a [Member],
    history: &'a [ControllerRevision],
    active: &'a Active,
    revisions: Revisions<'a>,
    wish: Wish,
    now: Timestamp,
    /// What went wrong, by the condition that says so.
    pub failures: Vec<(&'static str, String)>,
    /// What the events are to say.
    pub notes: Vec<Note>,
    /// When to look again.
    pub wait: Option<Duration>,
}

impl<'a> Act<'a> {
    pub fn new(
        cluster: &'a Cluster,
        key: &'a Key,
        seen: &Seen<'a>,
        active: &'a Active,
        revisions: Revisions<'a>,
        now: Timestamp,
    ) -> Self {
        let Seen { set, pods, members, history } = *seen;
        let wish = Wish::of(&set.spec);
        Self {
            cluster,
            key,
            set,
            pods,
            members,
            history,
            active,
            revisions,
            wish,
            now,
            failures: Vec::new(),
            notes: Vec::new(),
            wait: None,
        }
    }

    /// Scales, or else updates.
    pub async fn act(&mut self) -> Called {
        let mut changed = 0;
        let scaled = self.scale(&mut changed).await;
        if let Err(error) = &scaled {
            self.failures.push(("FailedScale", error.to_string()));
        }
        if changed > 0 {
            return scaled;
        }
        let updated = self.update().await;
        if let Err(error) = &updated {
            self.failures.push(("FailedUpdate", error.to_string()));
        }
        scaled.and(updated)
    }

    fn diff(&self) -> Diff {
        decide::decide(&self.wish, self.members, self.revisions, self.now)
    }

    async fn scale(&mut self, changed: &mut usize) -> Called {
        let diff = self.diff();
        if diff.up > diff.up_limit {
            let limit = diff.up_limit;
            let why = "scaleUp is limited because of scaleStrategy.maxUnavailable";
            self.note("ScaleUpLimited", format!("{why}, limit: {limit}"));
        }
        match scale::scale(&self.wish, self.members, &diff, self.revisions, self.now) {
            Scale::Nothing => Ok(()),
            Scale::Create { old, new } => {
                for place in 0..old + new {
                    let is_old = place < old;
                    let active = self.active;
                    let of = if is_old { &active.current } else { &active.update };
                    self.create(of).await?;
                    *changed += 1;
                }
                Ok(())
            }
            Scale::Delete(names) => {
                for name in names {
                    self.delete(&name).await?;
                    *changed += 1;
                }
                Ok(())
            }
        }
    }

    async fn create(&mut self, revision: &ControllerRevision) -> Called {
        let template = revisions::template(revision).unwrap_or_default();
        let id = pod::id(RandomState::new().build_hasher().finish());
        let of = revision.name_any();
        let pod = pod::pod(self.set, &of, &template, &id, self.now);
        let created = self.cluster.create_pod(self.key, &pod).await;
        let name = format!("{}-{id}", self.key.name);
        match &created {
            Ok(()) => {
                tracing::info!(set = %self.key, pod = name, revision = of, "created");
                self.note("SuccessfulCreate", format!("succeed to create pod {name}"));
            }
            Err(error) => self.note("FailedCreate", format!("failed to {error}")),
        }
        created
    }

    async fn delete(&mut self, name: &str) -> Called {
        let deleted = self.cluster.delete_pod(self.key, name).await;
        match &deleted {
            Ok(()) => {
                tracing::info!(set = %self.key, pod = name, "deleted");
                self.note("SuccessfulDelete", format!("succeed to delete pod {name}"));
            }
            Err(error) => {
                self.note("FailedDelete", format!("failed to delete pod {name}: {error}"));
            }
        }
        deleted
    }

    /// What has begun goes on, paused or not; only then new pods are taken up.
    async fn update(&mut self) -> Called {
        if self.refresh().await? || self.set.spec.update_strategy.paused {
            return Ok(());
        }
        let diff = self.diff();
        if diff.update == 0 {
            return Ok(());
        }
        let priority = &self.set.spec.update_strategy.priority_strategy;
        let members = self.members;
        let chosen = update::choose(&self.wish, members, &diff, self.revisions, priority, self.now);
        let active = self.active;
        let target = if diff.update > 0 { &active.update } else { &active.current };
        for member in chosen {
            if !self.update_one(member, target).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether a pod has come into another state of its life: then the pass is over.
    async fn refresh(&mut self) -> Called<bool> {
        let mut moved = false;
        for (pod, member) in self.pods.iter().zip(self.members) {
            let name = &member.name;
            match inplace::refresh(pod, self.now) {
                Refresh::Nothing => {}
                Refresh::Open => {
                    tracing::info!(set = %self.key, pod = name, "InPlaceUpdateReady");
                    let patch = inplace::open(self.now);
                    self.cluster.patch_pod_status(self.key, name, &patch).await?;
                }
                Refresh::Patch(patch) => {
                    tracing::info!(set = %self.key, pod = name, "the grace period is over");
                    self.cluster.patch_pod(self.key, name, &patch).await?;
                }
                Refresh::Wait(left) => self.look_after(left),
            }
            if let Some(patch) = lifecycle::next(pod, member, self.revisions.update, self.now) {
                tracing::info!(set = %self.key, pod = name, "Normal");
                self.cluster.patch_pod(self.key, name, &patch).await?;
                moved = true;
            }
        }
        Ok(moved)
    }

    fn look_after(&mut self, wait: Duration) {
        self.wait = Some(self.wait.map_or(wait, |known| known.min(wait)));
    }

    /// Whether the next pod may follow.
    async fn update_one(&mut self, member: &Member, target: &ControllerRevision) -> Called<bool> {
        let (name, of) = (&member.name, target.name_any());
        let kind = self.set.spec.update_strategy.kind;
        let change = if kind == UpdateKind::ReCreate { None } else { self.change(member, target) };
        if let Some(change) = change {
            let updated = self.update_in_place(name, &change).await;
            self.note_in_place(name, &of, &updated);
            return updated.map(|()| true);
        }
        if kind == UpdateKind::InPlaceOnly {
            let why = "update strategy is InPlaceOnly but can not update in-place";
            self.failures.push(("FailedUpdate", format!("find Pod {name} {why}")));
            self.look_after(Duration::from_secs(1));
            return Ok(false);
        }
        tracing::info!(set = %self.key, pod = name, revision = of, "marked for deletion");
        let patch = json!({ "metadata": { "labels": { SPECIFIED_DELETE: "true" } } });
        self.cluster.patch_pod(self.key, name, &patch).await?;
        let message =
            format!("successfully patch pod {name} specified-delete for update(revision {of})");
        self.note("SuccessfulUpdatePodReCreate", message);
        Ok(true)
    }

    /// The way in place from the pod's revision, if there is one.
    fn change(&self, member: &Member, target: &ControllerRevision) -> Option<Change> {
        let is_its = |entry: &&ControllerRevision| short(&entry.name_any()) == member.revision;
        let old = revisions::template(self.history.iter().find(is_its)?)?;
        let new = revisions::template(target)?;
        let grace = self.set.spec.update_strategy.in_place_update_strategy.grace_period_seconds;
        inplace::change(&old, &new, &target.name_any(), grace)
    }

    async fn update_in_place(&mut self, name: &str, change: &Change) -> Called {
        let pods = self.pods;
        let Some(pod) = pods.iter().find(|pod| pod.name_any() == name) else { return Ok(()) };
        let closed = inplace::close(pod, self.now);
        let closed = self.cluster.patch_pod_status(self.key, name, &closed).await?;
        tracing::info!(set = %self.key, pod = name, "updated in place");
        let patch = inplace::begin(&closed, change, self.now);
        self.cluster.patch_pod(self.key, name, &patch).await?;
        if let Some(grace) = change.grace() {
            self.look_after(grace);
        }
        Ok(())
    }

    fn note_in_place(&mut self, name: &str, revision: &str, updated: &Called) {
        let what = format!("update pod {name} in-place(revision {revision})");
        match updated {
            Ok(()) => self.note("SuccessfulUpdatePodInPlace", format!("successfully {what}")),
            Err(error) => self.note("FailedUpdatePodInPlace", format!("failed to {what}: {error}")),
        }
    }

    fn note(&mut self, reason: &'static str, message: String) {
        self.notes.push(Note { reason, message });
    }
}
