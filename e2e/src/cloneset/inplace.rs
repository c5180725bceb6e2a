//! Updates in place: whether two templates allow one, the patches that make it, and when it is
//! over. The kubelet restarts the containers. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::member::{condition, short};
use super::names::{
    INPLACE_GRACE, INPLACE_STATE, LIFECYCLE_STATE, LIFECYCLE_TIME, REVISION, TEMPLATE_HASH,
    UPDATE_READY,
};
use super::pod::whole_second;

/// What an update in place changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    revision: String,
    container_images: BTreeMap<String, String>,
    /// Labels and annotations, as a merge patch.
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
    grace_seconds: i64,
}

/// What is written down in the pod.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    revision: String,
    update_timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    last_container_statuses: BTreeMap<String, LastStatus>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastStatus {
    #[serde(rename = "imageID")]
    image_id: String,
}

/// What a pass does with a pod's update in place before it looks at anything else.
#[derive(Clone, Debug, PartialEq)]
pub enum Refresh {
    Nothing,
    /// The readiness gate opens.
    Open,
    /// The grace period is over, or means nothing any more.
    Patch(Value),
    /// It lasts so much longer.
    Wait(Duration),
}

impl Change {
    /// So long the pod gets no more requests before its containers end.
    pub fn grace(&self) -> Option<Duration> {
        u64::try_from(self.grace_seconds).ok().filter(|left| *left > 0).map(Duration::from_secs)
    }
}

/// From one template to another, where nothing but images and metadata differ.
pub fn change(old: &Value, new: &Value, revision: &str, grace_seconds: i64) -> Option<Change> {
    let (old_images, old_rest) = images(old)?;
    let (new_images, new_rest) = images(new)?;
    if old_rest != new_rest || old_images.keys().ne(new_images.keys()) {
        return None;
    }
    let mut container_images = new_images;
    container_images.retain(|name, image| old_images.get(name) != Some(image));
    Some(Change {
        revision: revision.to_owned(),
        container_images,
        labels: merge(old, new, "/metadata/labels"),
        annotations: merge(old, new, "/metadata/annotations"),
        grace_seconds,
    })
}

/// The containers' images, and the spec without them.
fn images(template: &Value) -> Option<(BTreeMap<String, String>, Value)> {
    let mut rest = template.get("spec")?.clone();
    let mut images = BTreeMap::new();
    for container in rest.get_mut("containers")?.as_array_mut()? {
        let Some(Value::String(image)) = container.as_object_mut()?.remove("image") else {
            return None;
        };
        images.insert(container.get("name")?.as_str()?.to_owned(), image);
    }
    Some((images, rest))
}

fn merge(old: &Value, new: &Value, path: &str) -> Map<String, Value> {
    let fields = |template: &Value| {
        template.pointer(path).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let (old, mut patch) = (fields(old), fields(new));
    patch.retain(|name, value| old.get(name) != Some(value));
    let gone = old.keys().filter(|name| new.pointer(path).is_none_or(|f| f.get(name).is_none()));
    patch.extend(gone.map(|name| (name.clone(), Value::Null)));
    patch
}

/// The first step: the pod gets no more requests.
pub fn close(pod: &Pod, now: Timestamp) -> Value {
    let mut conditions = vec![json!({
        "type": UPDATE_READY,
        "status": "False",
        "reason": "StartInPlaceUpdate",
        "lastTransitionTime": whole_second(now),
    })];
    // The kubelet says this too, but later.
    if condition(pod, "ContainersReady").is_some_and(|condition| condition.status == "True") {
        conditions.push(json!({
            "type": "Ready",
            "status": "False",
            "reason": "ReadinessGatesNotReady",
            "message": format!("corresponding condition of pod readiness gate {UPDATE_READY:?} \
                does not have status \"True\"."),
            "lastTransitionTime": whole_second(now),
        }));
    }
    json!({ "status": { "conditions": conditions } })
}

/// The last step of every pass that has nothing else to do with the pod.
pub fn open(now: Timestamp) -> Value {
    json!({ "status": { "conditions": [{
        "type": UPDATE_READY,
        "status": "True",
        "reason": null,
        "message": null,
        "lastTransitionTime": whole_second(now),
    }] } })
}

/// The second step: the pod is of the new revision at once, its containers follow.
pub fn begin(pod: &Pod, change: &Change, now: Timestamp) -> Value {
    let state = State {
        revision: change.revision.clone(),
        update_timestamp: now,
        last_container_statuses: BTreeMap::new(),
    };
    let mut patch = if change.grace_seconds > 0 {
        let mut patch = json!({ "metadata": { "labels": {}, "annotations": {} } });
        patch["metadata"]["annotations"][INPLACE_STATE] = text(&state);
        patch["metadata"]["annotations"][INPLACE_GRACE] = text(change);
        patch
    } else {
        apply(pod, change, state)
    };
    let labels = &mut patch["metadata"]["labels"];
    labels[REVISION] = json!(change.revision);
    labels[TEMPLATE_HASH] = json!(short(&change.revision));
    labels[LIFECYCLE_STATE] = json!("Updating");
    patch["metadata"]["annotations"][LIFECYCLE_TIME] = json!(whole_second(now));
    patch
}

/// Images and metadata, with a note of what ran before.
fn apply(pod: &Pod, change: &Change, mut state: State) -> Value {
    state.last_container_statuses = statuses(pod)
        .filter(|status| change.container_images.contains_key(&status.name))
        .map(|status| (status.name.clone(), LastStatus { image_id: status.image_id.clone() }))
        .collect();
    let containers: Vec<Value> = change
        .container_images
        .iter()
        .map(|(name, image)| json!({ "name": name, "image": image }))
        .collect();
    let mut annotations = change.annotations.clone();
    annotations.insert(INPLACE_STATE.to_owned(), text(&state));
    annotations.insert(INPLACE_GRACE.to_owned(), Value::Null);
    json!({
        "metadata": { "labels": change.labels, "annotations": annotations },
        "spec": { "containers": containers },
    })
}

/// What has to be done before anything else.
pub fn refresh(pod: &Pod, now: Timestamp) -> Refresh {
    if let Some(grace) = pod.annotations().get(INPLACE_GRACE).filter(|grace| !grace.is_empty()) {
        return in_grace(pod, grace, now);
    }
    if state(pod).is_some_and(|state| !has_restarted(pod, &state)) {
        return Refresh::Nothing;
    }
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_ref());
    let is_gated = gates.into_iter().flatten().any(|gate| gate.condition_type == UPDATE_READY);
    let is_open = condition(pod, UPDATE_READY).is_some_and(|condition| {
        let bare = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        condition.status == "True" && bare(&condition.reason) && bare(&condition.message)
    });
    if is_gated && !is_open { Refresh::Open } else { Refresh::Nothing }
}

fn in_grace(pod: &Pod, grace: &str, now: Timestamp) -> Refresh {
    let drop = json!({ "metadata": { "annotations": { INPLACE_GRACE: null } } });
    let change: Option<Change> = serde_json::from_str(grace).ok();
    let (Some(change), Some(state)) = (change, state(pod)) else { return Refresh::Patch(drop) };
    let revision = pod.labels().get(REVISION).map_or("", String::as_str);
    if short(revision) != short(&change.revision) {
        return Refresh::Patch(drop);
    }
    let waited = now.duration_since(state.update_timestamp).as_secs();
    match u64::try_from(change.grace_seconds - waited) {
        Ok(left) if left > 0 => Refresh::Wait(Duration::from_secs(left)),
        _ => Refresh::Patch(apply(pod, &change, state)),
    }
}

/// The update in place is over, or there was none.
pub fn is_over(pod: &Pod) -> bool {
    let in_grace = pod.annotations().get(INPLACE_GRACE).is_some_and(|grace| !grace.is_empty());
    !in_grace && state(pod).is_none_or(|state| has_restarted(pod, &state))
}

fn state(pod: &Pod) -> Option<State> {
    serde_json::from_str(pod.annotations().get(INPLACE_STATE)?).ok()
}

/// Each container runs another image than before, or says that it runs the one that is asked for.
fn has_restarted(pod: &Pod, state: &State) -> bool {
    let containers = pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
    let wanted = |name: &str| {
        let image = containers.iter().find(|container| container.name == name)?.image.as_deref()?;
        Some(if image.contains(':') { image.to_owned() } else { format!("{image}:latest") })
    };
    state.last_container_statuses.iter().all(|(name, last)| {
        statuses(pod).any(|status| {
            let is_another = status.image_id != last.image_id;
            status.name == *name && (is_another || wanted(name).as_ref() == Some(&status.image))
        })
    })
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten()
}

/// JSON within an annotation.
fn text(value: &impl Serialize) -> Value {
    Value::from(serde_json::to_string(value).unwrap_or_default())
}
