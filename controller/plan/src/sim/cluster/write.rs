//! The writes that the model's apiserver serves. Owns what a write does to resourceVersion and
//! generation, and that a write which changes nothing is none.

use std::rc::Rc;

use serde_json::{Value, json};

use super::objects::{
    Deployment, DeploymentStatus, KeptRevision, Node, Pod, ReplicaSet, RolloutObject, SetStatus,
};
use super::{Cluster, Kind, Precondition, Refused, read};

impl Cluster {
    /// Creates a Deployment. No admission of ours: it selects on updates only.
    pub fn create_deployment(&mut self, mut raw: Value) -> Result<Rc<Deployment>, Refused> {
        let name: Rc<str> = raw["metadata"]["name"].as_str().unwrap_or_default().into();
        if self.deployments.get(&name).is_some() {
            return Err(Refused::AlreadyExists);
        }
        read::set_defaults(&mut raw);
        let parts = read::read(&raw)?;
        let meta = self.meta(&name);
        raw["metadata"]["uid"] = json!(&*meta.uid);
        raw["metadata"]["generation"] = json!(1);
        let object = Deployment {
            meta,
            raw: Rc::new(raw),
            spec: parts.spec,
            stateful: parts.stateful,
            cloneset: parts.cloneset,
            daemon: parts.daemon,
            annotations: Rc::new(parts.annotations),
            template: parts.template,
            revision: parts.revision,
            status: DeploymentStatus::default(),
            current: None,
        };
        let stored = self.deployments.put(&name, object);
        self.record(Kind::Deployment);
        Ok(stored)
    }

    /// Updates a Deployment: admission, defaults, validation, the policy, then the store.
    pub fn update_deployment(
        &mut self,
        writer: &str,
        name: &str,
        precondition: &Precondition,
        mut raw: Value,
    ) -> Result<Rc<Deployment>, Refused> {
        let old = Rc::clone(self.deployment(name)?);
        let shown = old.shown();
        precondition.check(&old.meta)?;
        if let Some((key, text)) = &precondition.annotation
            && old.annotations.get(*key) != text.as_ref()
        {
            return Err(Refused::Conflict);
        }
        read::set_defaults(&mut raw);
        read::read(&raw)?;
        self.warnings = self.admission.review(&shown, &mut raw, writer)?;
        read::set_defaults(&mut raw);
        let parts = read::read(&raw)?;
        read::check_immutable(&old.raw, &raw)?;
        self.admission.judge(&shown, &raw, writer)?;
        raw.as_object_mut().map(|raw| raw.remove("status"));
        raw["metadata"]["uid"] = json!(&*old.meta.uid);
        raw["metadata"]["generation"] = json!(old.meta.generation);
        if raw == *old.raw {
            return Ok(old);
        }
        let mut meta = old.meta.clone();
        meta.version = self.next_version();
        // An annotation is news to the Deployment controller alone.
        let annotated = !old.is_numbered() && parts.annotations != *old.annotations;
        if raw["spec"] != old.raw["spec"] || annotated {
            meta.generation += 1;
            raw["metadata"]["generation"] = json!(meta.generation);
        }
        let object = Deployment {
            meta,
            raw: Rc::new(raw),
            spec: parts.spec,
            stateful: parts.stateful,
            cloneset: parts.cloneset,
            daemon: parts.daemon,
            annotations: Rc::new(parts.annotations),
            template: parts.template,
            revision: parts.revision,
            status: old.status,
            current: old.current.clone(),
        };
        Ok(self.put_deployment(object))
    }

    /// Writes /scale, which admission on Deployments never sees.
    pub fn scale_deployment(&mut self, name: &str, replicas: i32) -> Result<(), Refused> {
        let old = Rc::clone(self.deployment(name)?);
        if old.spec.replicas == replicas {
            return Ok(());
        }
        let mut object = Deployment::clone(&old);
        object.meta.version = self.next_version();
        object.meta.generation += 1;
        object.spec.replicas = replicas;
        let raw = Rc::make_mut(&mut object.raw);
        raw["spec"]["replicas"] = json!(replicas);
        raw["metadata"]["generation"] = json!(object.meta.generation);
        self.put_deployment(object);
        Ok(())
    }

    /// Writes /status, with the revision annotation as the stock controller does in one request.
    pub fn update_deployment_status(
        &mut self,
        seen: &Deployment,
        status: DeploymentStatus,
        revision: Option<&String>,
    ) -> Result<(), Refused> {
        const KEY: &str = crds::contract::DEPLOYMENT_REVISION_ANNOTATION;
        let old = Rc::clone(self.deployment(&seen.meta.name)?);
        Precondition::version(seen.meta.version).check(&old.meta)?;
        let same_revision = revision.is_none_or(|text| old.annotations.get(KEY) == Some(text));
        if old.status == status && same_revision {
            return Ok(());
        }
        let mut object = Deployment::clone(&old);
        object.meta.version = self.next_version();
        object.status = status;
        if let Some(text) = revision.filter(|_| !same_revision) {
            Rc::make_mut(&mut object.annotations).insert(KEY.to_owned(), text.clone());
            Rc::make_mut(&mut object.raw)["metadata"]["annotations"][KEY] = json!(text);
        }
        self.put_deployment(object);
        Ok(())
    }

    /// Writes the /status of a StatefulSet, CloneSet or DaemonSet, which has no current revision.
    /// Without precondition: the stock controller repeats what meets a conflict.
    pub fn update_numbered_status(
        &mut self,
        seen: &Deployment,
        status: DeploymentStatus,
        current: Option<&Rc<str>>,
    ) -> Result<(), Refused> {
        let old = Rc::clone(self.deployment(&seen.meta.name)?);
        if old.meta.uid != seen.meta.uid {
            return Err(Refused::Conflict);
        }
        if old.status == status && old.current.as_ref() == current {
            return Ok(());
        }
        let mut object = Deployment::clone(&old);
        object.meta.version = self.next_version();
        object.status = status;
        object.current = current.cloned();
        self.put_deployment(object);
        Ok(())
    }

    fn put_deployment(&mut self, object: Deployment) -> Rc<Deployment> {
        let name = Rc::clone(&object.meta.name);
        let stored = self.deployments.put(&name, object);
        self.record(Kind::Deployment);
        stored
    }

    /// Deletes a Deployment; the garbage collector follows later.
    pub fn delete_deployment(&mut self, name: &str) {
        let version = self.next_version();
        if self.deployments.remove(name, version) {
            self.record(Kind::Deployment);
        }
    }

    /// Creates a ReplicaSet as `build` makes it of its metadata.
    pub fn create_set(
        &mut self,
        name: &Rc<str>,
        build: impl FnOnce(super::objects::Meta) -> ReplicaSet,
    ) -> Result<Rc<ReplicaSet>, Refused> {
        if self.sets.get(name).is_some() {
            return Err(Refused::AlreadyExists);
        }
        let meta = self.meta(name);
        let stored = self.sets.put(name, build(meta));
        self.record(Kind::ReplicaSet);
        Ok(stored)
    }

    /// Replaces a ReplicaSet's spec and annotations.
    pub fn update_set(
        &mut self,
        precondition: &Precondition,
        mut wanted: ReplicaSet,
    ) -> Result<Rc<ReplicaSet>, Refused> {
        let old = Rc::clone(self.sets.get(&wanted.meta.name).ok_or(Refused::NotFound)?);
        precondition.check(&old.meta)?;
        let spec = |set: &ReplicaSet| (set.replicas, set.min_ready_seconds);
        let same_spec = spec(&old) == spec(&wanted);
        if same_spec && old.annotations == wanted.annotations {
            return Ok(old);
        }
        wanted.meta = old.meta.clone();
        wanted.status = old.status;
        wanted.meta.version = self.next_version();
        wanted.meta.generation += i64::from(!same_spec);
        let stored = self.sets.put(&old.meta.name, wanted);
        self.record(Kind::ReplicaSet);
        Ok(stored)
    }

    /// Writes a ReplicaSet's status. Without precondition: the stock controller reads again and
    /// repeats when it meets a conflict.
    pub fn update_set_status(&mut self, name: &str, status: SetStatus) -> Result<(), Refused> {
        let old = Rc::clone(self.sets.get(name).ok_or(Refused::NotFound)?);
        if old.status == status {
            return Ok(());
        }
        let mut object = ReplicaSet::clone(&old);
        object.status = status;
        object.meta.version = self.next_version();
        self.sets.put(&old.meta.name, object);
        self.record(Kind::ReplicaSet);
        Ok(())
    }

    /// Deletes a ReplicaSet; the garbage collector takes its pods later.
    pub fn delete_set(&mut self, name: &str) {
        let version = self.next_version();
        if self.sets.remove(name, version) {
            self.record(Kind::ReplicaSet);
        }
    }

    /// Creates a pod of a ReplicaSet, or of a revision of another kind.
    pub fn create_pod(&mut self, name: &Rc<str>, set: &ReplicaSet) {
        self.create_pod_on(None, name, set);
    }

    /// The same of a DaemonSet's pod, which is for one node.
    pub fn create_pod_on(&mut self, node: Option<&Rc<str>>, name: &Rc<str>, set: &ReplicaSet) {
        let owner = if set.sizeless { &set.owner } else { &set.meta.uid };
        let owner = Rc::clone(owner);
        let pod = Pod {
            meta: self.meta(name),
            owner,
            set: Rc::clone(&set.meta.name),
            revision: set.revision.clone(),
            running: false,
            ready_since: None,
            trouble: None,
            restarts: 0,
            doomed: false,
            node: node.cloned(),
        };
        self.pods.put(name, pod);
        self.record(Kind::Pod);
    }

    /// Changes a pod; false when there is none or nothing changed.
    pub fn update_pod(&mut self, name: &str, change: impl FnOnce(&mut Pod)) -> bool {
        let Some(old) = self.pods.get(name).cloned() else { return false };
        let mut object = Pod::clone(&old);
        change(&mut object);
        let state = |pod: &Pod| {
            let Pod { running, ready_since, trouble, doomed, .. } = pod.clone();
            (pod.meta.deleting, running, ready_since, trouble, doomed)
        };
        if state(&object) == state(&old) {
            return false;
        }
        object.meta.version = self.next_version();
        self.pods.put(&old.meta.name, object);
        self.record(Kind::Pod);
        true
    }

    /// Removes a pod for good.
    pub fn remove_pod(&mut self, name: &str) {
        let version = self.next_version();
        if self.pods.remove(name, version) {
            self.record(Kind::Pod);
        }
    }

    /// A node is there, open or closed.
    pub fn put_node(&mut self, name: &Rc<str>, closed: bool) {
        let meta = match self.nodes.get(name).map(|old| old.meta.clone()) {
            Some(meta) => super::objects::Meta { version: self.next_version(), ..meta },
            None => self.meta(name),
        };
        self.nodes.put(name, Node { meta, closed });
        self.record(Kind::Node);
    }

    /// A node is there no more. Its pods are, until somebody collects them.
    pub fn remove_node(&mut self, name: &str) {
        let version = self.next_version();
        if self.nodes.remove(name, version) {
            self.record(Kind::Node);
        }
    }

    /// Creates a Rollout.
    pub fn create_rollout(
        &mut self,
        name: &Rc<str>,
        spec: crds::RolloutSpec,
    ) -> Result<(), Refused> {
        if self.rollouts.get(name).is_some() {
            return Err(Refused::AlreadyExists);
        }
        let rollout = RolloutObject {
            meta: self.meta(name),
            annotations: std::collections::BTreeMap::new(),
            finalizers: Vec::new(),
            spec,
            status: crds::RolloutStatus::default(),
        };
        self.rollouts.put(name, rollout);
        self.record(Kind::Rollout);
        Ok(())
    }

    /// Changes a Rollout; the last finalizer off a deleted one removes it.
    pub fn update_rollout(
        &mut self,
        name: &str,
        precondition: &Precondition,
        change: impl FnOnce(&mut RolloutObject),
    ) -> Result<(), Refused> {
        let old = Rc::clone(self.rollouts.get(name).ok_or(Refused::NotFound)?);
        precondition.check(&old.meta)?;
        let mut object = RolloutObject::clone(&old);
        change(&mut object);
        let spec = |rollout: &RolloutObject| (rollout.spec.clone(), rollout.meta.deleting);
        if spec(&object) != spec(&old) {
            object.meta.generation += 1;
        } else if object.status == old.status
            && object.annotations == old.annotations
            && object.finalizers == old.finalizers
        {
            return Ok(());
        }
        object.meta.version = self.next_version();
        if object.meta.deleting && object.finalizers.is_empty() {
            let version = self.next_version();
            self.rollouts.remove(name, version);
        } else {
            self.rollouts.put(&old.meta.name, object);
        }
        self.record(Kind::Rollout);
        Ok(())
    }

    /// Creates a ControllerRevision.
    pub fn create_kept(
        &mut self,
        name: &Rc<str>,
        owner: &Rc<str>,
        revision: crds::Revision,
        template: Rc<Value>,
    ) -> Result<(), Refused> {
        if self.kept.get(name).is_some() {
            return Err(Refused::AlreadyExists);
        }
        let meta = self.meta(name);
        let kept = KeptRevision { meta, owner: Rc::clone(owner), revision, template };
        self.kept.put(name, kept);
        self.record(Kind::ControllerRevision);
        Ok(())
    }

    /// Deletes a ControllerRevision.
    pub fn delete_kept(&mut self, name: &str) -> Result<(), Refused> {
        let version = self.next_version();
        if !self.kept.remove(name, version) {
            return Err(Refused::NotFound);
        }
        self.record(Kind::ControllerRevision);
        Ok(())
    }
}
