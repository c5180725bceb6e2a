//! What users do to the Deployment with kubectl and its like.

use std::rc::Rc;
use std::time::Duration;

use crds::Original;
use crds::Revision;
use crds::contract::{
    ARMED_LABEL, DEPLOYMENT_REVISION_ANNOTATION, DESIRED_REPLICAS_ANNOTATION, HOLD_ANNOTATION,
    LAST_APPLIED_ANNOTATION, MAX_REPLICAS_ANNOTATION,
};
use serde_json::{Value, json};

use super::manifest::{self, Manifest, Paths};
use super::{Own, Said, WRITER};
use crate::sim::cluster::{Precondition, Refused, admission};
use crate::sim::stock::kubelet;
use crate::sim::world::queue::Event;
use crate::sim::world::{NAME, World};

/// Annotations that `kubectl rollout undo` leaves as they are.
const NOT_UNDONE: [&str; 4] = [
    LAST_APPLIED_ANNOTATION,
    DEPLOYMENT_REVISION_ANNOTATION,
    DESIRED_REPLICAS_ANNOTATION,
    MAX_REPLICAS_ANNOTATION,
];

impl World {
    /// `kubectl apply`, client-side, or server-side with force.
    pub fn user_apply(&mut self) -> Said {
        let manifest = self.user.manifest.clone();
        let wanted = manifest.json();
        self.name_version(&manifest.version);
        let mut fields = manifest.fields(&self.user.last_stated, self.checks.fields());
        let warnings = match self.cluster.deployment_json(NAME) {
            Ok(live) => {
                let mut raw = manifest::apply(&live, &self.user.last, &wanted);
                if self.user.server_side {
                    if let Some(before) = self.checks.fields() {
                        fields = if self.cluster.admission.webhook {
                            manifest::told(&live, &raw["spec"], before, fields)
                        } else {
                            manifest::sent(&live["spec"], &raw["spec"], before, fields)
                        };
                    }
                    manifest::own(&mut raw, &wanted);
                    self.user_write(raw)?
                } else {
                    manifest::remember(&mut raw, &wanted);
                    if let Some(before) = self.checks.fields()
                        && (self.user.last == wanted || !self.cluster.admission.webhook)
                    {
                        fields = manifest::sent(&live["spec"], &raw["spec"], before, fields);
                    }
                    self.user_update(raw)?
                }
            }
            Err(_) => {
                let mut raw = wanted.clone();
                manifest::remember(&mut raw, &wanted);
                self.checks.user_fields(manifest.stated.or_defaults());
                self.cluster.create_deployment(raw)?;
                self.settle_write();
                self.applied(wanted, &manifest);
                return Ok("created".to_owned());
            }
        };
        self.checks.user_fields(fields);
        self.applied(wanted, &manifest);
        Ok(warnings)
    }

    fn applied(&mut self, json: Value, manifest: &Manifest) {
        self.user.last = json;
        self.user.last_stated = manifest.stated;
    }

    /// `kubectl replace`: the manifest is all there is.
    pub fn user_replace(&mut self) -> Said {
        let manifest = self.user.manifest.clone();
        let wanted = manifest.json();
        self.name_version(&manifest.version);
        let mut raw = wanted.clone();
        manifest::remember(&mut raw, &wanted);
        let mut fields = manifest.stated.or_defaults();
        let waits = manifest.stated.recreate && !manifest.stated.daemon;
        if let Some(before) = self.checks.fields().filter(|_| waits) {
            let (meant, was) = (&mut fields.fields, before.fields);
            (meant.max_surge, meant.max_unavailable) = (was.max_surge, was.max_unavailable);
            fields.partition = before.partition;
        }
        if let (Ok(live), Some(before)) = (self.cluster.deployment(NAME), self.checks.fields())
            && live.annotations.get(LAST_APPLIED_ANNOTATION) == Some(&wanted.to_string())
        {
            fields = manifest::sent(&live.raw["spec"], &raw["spec"], before, fields);
        }
        let warnings = self.user_update(raw)?;
        self.checks.user_fields(fields);
        self.applied(wanted, &manifest);
        Ok(warnings)
    }

    /// Re-applies the same manifest every second until told otherwise.
    pub fn user_reapply(&mut self, on: bool) {
        self.reapply += 1;
        if on {
            let turn = self.reapply;
            self.schedule(Duration::from_millis(100), Event::Reapply(turn));
        }
    }

    /// It is time for that.
    pub(in crate::sim) fn reapply_turn(&mut self, turn: u64) {
        if turn == self.reapply {
            if let Err(refused) = self.user_apply() {
                let now = self.now();
                self.timeline.note(now, "user", || format!("re-apply: {refused:?}"));
            }
            self.schedule(Duration::from_secs(1), Event::Reapply(turn));
        }
    }

    /// `kubectl set image`.
    pub fn user_set_image(&mut self, version: &str) -> Said {
        self.name_version(version);
        let mut raw = self.cluster.deployment_json(NAME)?;
        raw["spec"]["template"] = manifest::template(version);
        self.user_update(raw)
    }

    /// `kubectl rollout restart`.
    pub fn user_restart(&mut self) -> Said {
        let mut raw = self.cluster.deployment_json(NAME)?;
        if raw["spec"]["paused"] == true {
            return Err(Refused::Invalid("can't restart a paused deployment".to_owned()));
        }
        let at = self.now().timestamp().to_string();
        raw["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
            json!(at);
        let revision = Revision::of_template(&raw["spec"]["template"]);
        self.timeline.name(&revision, &format!("restart-{}", self.now().millis()));
        self.user_update(raw)
    }

    /// `kubectl rollout undo`: the template and the annotations of the revision before; of a
    /// StatefulSet (or, with `kubectl kruise`, a CloneSet) the template alone.
    pub fn user_undo(&mut self) -> Said {
        let live = Rc::clone(self.cluster.deployment(NAME)?);
        if live.spec.paused {
            return Err(Refused::Invalid("you cannot rollback a paused deployment".to_owned()));
        }
        let mut sets: Vec<_> =
            self.cluster.sets.iter().filter(|set| set.owner == live.meta.uid).collect();
        sets.sort_by_key(|set| set.number(DEPLOYMENT_REVISION_ANNOTATION));
        let Some(before) = sets.iter().rev().nth(1) else { return Err(Refused::NotFound) };
        let mut raw = Value::clone(&live.raw);
        raw["spec"]["template"] = Value::clone(&before.template);
        if live.is_numbered() {
            return self.user_update(raw);
        }
        let skipped = |key: &str| NOT_UNDONE.contains(&key);
        let kept = live.annotations.iter().filter(|(key, _)| skipped(key));
        let theirs = before.annotations.iter().filter(|(key, _)| !skipped(key));
        raw["metadata"]["annotations"] =
            kept.chain(theirs).map(|(key, text)| (key.clone(), json!(text))).collect();
        self.user_update(raw)
    }

    /// `kubectl rollout pause` and `resume`; of a CloneSet `kubectl kruise`.
    pub fn user_pause(&mut self, paused: bool) -> Said {
        let mut raw = self.cluster.deployment_json(NAME)?;
        let live = self.cluster.deployment(NAME)?;
        if live.stateful.is_some() || live.daemon.is_some() {
            return Err(Refused::Invalid("pausing is not supported".to_owned()));
        }
        if self.cluster.deployment(NAME)?.spec.paused == paused {
            return Err(Refused::Invalid(format!("is {}paused", if paused { "" } else { "not " })));
        }
        let at = Paths::of(&raw["spec"]);
        manifest::put(&mut raw["spec"], at.paused, json!(paused));
        self.user_update(raw)?;
        let fields = self.checks.fields();
        fields.map_or(Ok(String::new()), |own| {
            self.understood(Own { fields: Original { paused, ..own.fields }, ..own })
        })
    }

    /// `kubectl patch` of the fields that a hold projects.
    pub fn user_edit(&mut self, meant: Own) -> Said {
        let mut raw = self.cluster.deployment_json(NAME)?;
        let live = raw["spec"].clone();
        let was = self.checks.fields().unwrap_or(meant);
        let (before, fields) = (was.fields, meant.fields);
        let (spec, at) = (&mut raw["spec"], Paths::of(&live));
        if meant.partition != was.partition {
            manifest::put(spec, at.partition, json!(meant.partition));
        }
        if fields.min_ready_seconds != before.min_ready_seconds {
            spec["minReadySeconds"] = json!(fields.min_ready_seconds);
        }
        if fields.progress_deadline_seconds != before.progress_deadline_seconds {
            spec["progressDeadlineSeconds"] = json!(fields.progress_deadline_seconds);
        }
        if fields.max_surge != before.max_surge {
            manifest::put(spec, at.surge, json!(fields.max_surge));
        }
        if fields.max_unavailable != before.max_unavailable {
            manifest::put(spec, at.unavailable, json!(fields.max_unavailable));
        }
        let meant = manifest::sent(&live, &raw["spec"], was, meant);
        self.user_update(raw)?;
        self.understood(meant)
    }

    /// Takes our annotation and label off.
    pub fn user_strip(&mut self) -> Said {
        let mut raw = self.cluster.deployment_json(NAME)?;
        for (place, key) in [("annotations", HOLD_ANNOTATION), ("labels", ARMED_LABEL)] {
            if let Some(map) = raw["metadata"][place].as_object_mut() {
                map.remove(key);
            }
        }
        self.user_update(raw)
    }

    /// `kubectl scale`, or an HPA.
    pub fn user_scale(&mut self, replicas: i32) -> Said {
        if self.cluster.deployment(NAME)?.daemon.is_some() {
            return Err(Refused::Invalid("a daemonset is not scaled".to_owned()));
        }
        self.cluster.scale_deployment(NAME, replicas)?;
        self.settle_write();
        Ok(format!("scaled to {replicas}"))
    }

    /// `kubectl delete deployment`.
    pub fn user_delete(&mut self) -> Said {
        self.cluster.deployment(NAME)?;
        self.cluster.delete_deployment(NAME);
        self.settle_write();
        Ok("deleted".to_owned())
    }

    /// Evicts so many pods of a version.
    pub fn user_evict(&mut self, version: &str, count: usize) -> Said {
        let revision = Revision::of_template(&manifest::template(version));
        let pods: Vec<_> = self.pods_of(&revision).into_iter().take(count).collect();
        for name in &pods {
            self.checks.user_evicted(name);
            self.cluster.update_pod(name, |pod| pod.meta.deleting = true);
            self.settle_write();
        }
        Ok(format!("evicted {}", pods.len()))
    }

    /// So many ready pods of a version lose readiness for a while.
    pub fn flap(&mut self, version: &str, count: usize, span: Duration) -> Said {
        let revision = Revision::of_template(&manifest::template(version));
        let ready = |name: &Rc<str>| self.cluster.pods.get(name).is_some_and(|pod| pod.is_ready());
        let pods: Vec<_> = self.pods_of(&revision).into_iter().filter(ready).take(count).collect();
        for name in &pods {
            let Some(pod) = self.cluster.pods.get(name).map(|pod| kubelet::Target::of(pod)) else {
                continue;
            };
            kubelet::set_ready(&mut self.cluster, name, false);
            self.settle_write();
            self.schedule(span, Event::Recover(pod));
        }
        Ok(format!("{} lost readiness", pods.len()))
    }

    pub(super) fn pods_of(&self, revision: &Revision) -> Vec<Rc<str>> {
        let mine = self.cluster.pods.iter();
        let mine = mine.filter(|pod| pod.revision == *revision && pod.is_active());
        mine.map(|pod| Rc::clone(&pod.meta.name)).collect()
    }

    fn name_version(&mut self, version: &str) {
        let revision = Revision::of_template(&manifest::template(version));
        self.timeline.name(&revision, version);
    }

    /// An update; what it changes it takes over from a server-side applier.
    fn user_update(&mut self, mut raw: Value) -> Said {
        let live = Rc::clone(&self.cluster.deployment(NAME)?.raw);
        manifest::disown(&live, &mut raw);
        self.user_write(raw)
    }

    fn user_write(&mut self, raw: Value) -> Said {
        let live = self.cluster.deployment(NAME)?;
        let turned = raw["spec"]["paused"] != live.raw["spec"]["paused"];
        let (seen, projected) =
            (self.cluster.admission.webhook, admission::is_projected(&live.raw));
        self.cluster.update_deployment(WRITER, NAME, &Precondition::default(), raw)?;
        if turned {
            self.checks.user_pause(seen, projected);
        }
        let warnings = self.cluster.warnings.join("; ");
        self.settle_write();
        Ok(warnings)
    }

    fn understood(&mut self, own: Own) -> Said {
        self.checks.user_fields(own);
        Ok(self.cluster.warnings.join("; "))
    }
}
