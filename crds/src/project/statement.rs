//! What a write states without changing it. A user's value may happen to be the projected one; then
//! there is nothing to change, but the user's manifest or the new owner of the path tells. Owns the
//! reading of last-applied-configuration and of managedFields.

use serde_json::Value;

use super::field::Field;
use super::kind::Projected;
use super::workload::Workload;
use crate::contract::{CONTROLLER_MANAGER, LAST_APPLIED_ANNOTATION, RETREAT_MANAGER};

/// The statements of one write.
pub(super) struct Statement<'a, F> {
    new: &'a Workload<'a, F>,
    /// The spec in last-applied-configuration, where this write changed that.
    manifest: Option<Manifest<F>>,
    owners_before: Vec<Owner<'a>>,
    owners: Vec<Owner<'a>>,
}

struct Manifest<F> {
    spec: Value,
    /// What the manifest before stated.
    before: Value,
    fields: F,
}

/// A server-side applier and what it applied.
pub(super) struct Owner<'a> {
    manager: &'a str,
    /// Of fieldsV1.
    pub(super) spec: &'a Value,
}

impl<'a, F: Projected> Statement<'a, F> {
    pub(super) fn of(old: &'a Workload<'a, F>, new: &'a Workload<'a, F>) -> Self {
        Self {
            new,
            manifest: manifest(old, new),
            owners_before: owners(old.raw),
            owners: owners(new.raw),
        }
    }

    /// The value that the write leaves in this field is somebody's own.
    pub(super) fn claims(&self, field: Field) -> bool {
        self.in_manifest(field) || self.in_new_ownership(field)
    }

    fn in_manifest(&self, field: Field) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| {
            // What it states no more is the apiserver's default from now on.
            let speaks =
                |spec: &Value| !field.path().iter().fold(spec, |value, key| &value[*key]).is_null();
            (speaks(&manifest.spec) || speaks(&manifest.before))
                && manifest.fields.get(field) == self.new.fields.get(field)
        })
    }

    /// Only an apply makes an owner of an unchanged value; an update owns what it changed.
    fn in_new_ownership(&self, field: Field) -> bool {
        let before = |manager: &str| {
            self.owners_before.iter().any(|one| one.manager == manager && one.has(field.path()))
        };
        self.owners.iter().any(|owner| {
            // Who owns the fence's field in a fenced object applied an export of it.
            let exported = self.new.fields.is_fenced() && owner.has(F::FENCE.path());
            !exported && owner.has(field.path()) && !before(owner.manager)
        })
    }
}

impl Owner<'_> {
    fn has(&self, path: &[&str]) -> bool {
        let at = path.iter().fold(self.spec, |value, key| &value[format!("f:{key}")]);
        !at.is_null()
    }
}

fn manifest<F: Projected>(old: &Workload<F>, new: &Workload<F>) -> Option<Manifest<F>> {
    if old.annotation(LAST_APPLIED_ANNOTATION) == new.annotation(LAST_APPLIED_ANNOTATION) {
        return None;
    }
    let spec = last_applied(new.raw)?.get_mut("spec")?.take();
    let fields = F::read(&spec)?;
    let before = last_applied(old.raw).map_or(Value::Null, |mut before| before["spec"].take());
    // A manifest that states the fence is an export: nothing in it is the user's own.
    (!fields.is_fenced()).then_some(Manifest { spec, before, fields })
}

/// The manifest that `kubectl apply` left in an object.
pub(super) fn last_applied(object: &Value) -> Option<Value> {
    let text = object["metadata"]["annotations"].get(LAST_APPLIED_ANNOTATION)?.as_str()?;
    serde_json::from_str(text).ok()
}

/// Who applied an object server-side.
pub(super) fn owners(object: &Value) -> Vec<Owner<'_>> {
    let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    let applied = |entry: &&Value| entry["operation"] == "Apply";
    let owner = |entry| owner(entry).filter(|owner| !owner.is_ours());
    entries.iter().filter(applied).filter_map(owner).collect()
}

fn owner(entry: &Value) -> Option<Owner<'_>> {
    Some(Owner { manager: entry["manager"].as_str()?, spec: &entry["fieldsV1"]["f:spec"] })
}

impl Owner<'_> {
    fn is_ours(&self) -> bool {
        [CONTROLLER_MANAGER, RETREAT_MANAGER].contains(&self.manager)
    }
}
