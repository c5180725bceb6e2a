//! What is said of a set in the cluster's events: the reasons and words. Builds objects only.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::names::{API_VERSION, KIND};
use super::spec::CloneSet;

const COMPONENT: &str = "cloneset-controller";

/// An act, well done or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub reason: &'static str,
    pub message: String,
}

impl Note {
    fn kind(&self) -> &'static str {
        if self.reason.starts_with("Successful") { "Normal" } else { "Warning" }
    }
}

/// The event of a note on a set; its place keeps those of one pass apart.
pub fn event(set: &CloneSet, note: &Note, place: usize, now: Timestamp) -> Event {
    let name = set.metadata.name.clone().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}.{place}", now.as_nanosecond())),
            namespace: set.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(KIND.to_owned()),
            namespace: set.metadata.namespace.clone(),
            uid: set.metadata.uid.clone(),
            resource_version: set.metadata.resource_version.clone(),
            name: Some(name),
            field_path: None,
        },
        reason: Some(note.reason.to_owned()),
        message: Some(note.message.clone()),
        type_: Some(note.kind().to_owned()),
        source: Some(EventSource { component: Some(COMPONENT.to_owned()), host: None }),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        reporting_component: Some(COMPONENT.to_owned()),
        ..Event::default()
    }
}
