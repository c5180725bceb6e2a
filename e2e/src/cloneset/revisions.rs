//! The history of a set's template: what a revision holds, how it is named, which one a template
//! is, and which ones may go. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::member::{Member, short};
use super::names::{API_VERSION, HISTORY_HASH, KIND, LETTERS};
use super::spec::CloneSet;

/// What the template of a set is in its history.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The newest entry.
    Newest,
    /// An older entry, which becomes the newest again under this number.
    Again { name: String, number: i64 },
    /// No entry yet; the next number.
    Missing(i64),
}

/// What a revision holds: the template and nothing else.
pub fn snapshot(template: &Value) -> Value {
    let mut template = template.clone();
    template["$patch"] = json!("replace");
    json!({ "spec": { "template": template } })
}

/// The template that a revision holds.
pub fn template(revision: &ControllerRevision) -> Option<Value> {
    let mut template = revision.data.as_ref()?.0.get("spec")?.get("template")?.clone();
    template.as_object_mut()?.remove("$patch");
    Some(template)
}

/// Oldest first.
pub fn sort(history: &mut [ControllerRevision]) {
    let created =
        |entry: &ControllerRevision| entry.metadata.creation_timestamp.as_ref().map(|time| time.0);
    history.sort_by(|a, b| {
        let by_time = || created(a).cmp(&created(b));
        a.revision.cmp(&b.revision).then_with(by_time).then_with(|| a.name_any().cmp(&b.name_any()))
    });
}

/// Where this data stands in a sorted history.
pub fn place(history: &[ControllerRevision], data: &Value) -> Place {
    let number = history.last().map_or(1, |newest| newest.revision + 1);
    let holds = |entry: &&ControllerRevision| entry.data.as_ref().is_some_and(|d| d.0 == *data);
    if history.last().as_ref().is_some_and(holds) {
        return Place::Newest;
    }
    match history.iter().rev().find(holds) {
        Some(entry) => Place::Again { name: entry.name_any(), number },
        None => Place::Missing(number),
    }
}

/// A new entry. Where another one has its name, a higher count of collisions gives it another.
pub fn entry(set: &CloneSet, data: Value, number: i64, collisions: i32) -> ControllerRevision {
    let hash = hash(&data, collisions);
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let template = set.spec.template.pointer("/metadata/labels").and_then(Value::as_object);
    for (name, value) in template.into_iter().flatten() {
        labels.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    labels.insert(HISTORY_HASH.to_owned(), hash.clone());
    let metadata = ObjectMeta {
        name: Some(format!("{}-{hash}", set.metadata.name.as_deref().unwrap_or_default())),
        namespace: set.metadata.namespace.clone(),
        labels: Some(labels),
        owner_references: Some(vec![owner(set)]),
        ..ObjectMeta::default()
    };
    ControllerRevision { data: Some(RawExtension(data)), metadata, revision: number }
}

/// What everything that a set makes says of it.
pub fn owner(set: &CloneSet) -> OwnerReference {
    OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        name: set.metadata.name.clone().unwrap_or_default(),
        uid: set.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The owner's set is this one.
pub fn is_owned(metadata: &ObjectMeta, uid: &str) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.controller == Some(true) && owner.uid == uid)
}

/// FNV-1 of the text and the count, in letters.
fn hash(data: &Value, collisions: i32) -> String {
    let text = format!("{data}{collisions}");
    let sum = text
        .bytes()
        .fold(0x811c_9dc5_u32, |sum, byte| sum.wrapping_mul(0x0100_0193) ^ u32::from(byte));
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    sum.to_string().bytes().map(letter).collect()
}

/// Entries of a sorted history that nobody uses, beyond the limit: the oldest.
pub fn superfluous(
    history: &[ControllerRevision],
    members: &[Member],
    in_use: [&str; 2],
    limit: Option<i32>,
) -> Vec<String> {
    let names = history.iter().map(ResourceExt::name_any);
    let is_used = |name: &String| {
        in_use.contains(&name.as_str())
            || members.iter().any(|member| member.revision == short(name))
    };
    let mut unused: Vec<String> = names.filter(|name| !is_used(name)).collect();
    let limit = usize::try_from(limit.unwrap_or(10)).unwrap_or(0);
    unused.truncate(unused.len().saturating_sub(limit));
    unused
}
