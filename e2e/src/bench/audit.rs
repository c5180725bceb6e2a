//! The apiserver's audit log: who asked for what, and when. It is at level Metadata: every request
//! once, without bodies.
//!
//! Spans of time are cut out of it by marks: a mark is a read of an object that does not exist and
//! has the mark's name. So everything is on the apiserver's clock, and no clock is compared with
//! another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use kube::{Client, Error as KubeError};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::unmeasured;
use crate::failure::{Failure, Outcome};

/// How long a request may take to get into the log.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A request in the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    stage: String,
    /// What was asked.
    pub verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    /// What it was about.
    #[serde(default)]
    pub object_ref: ObjectRef,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct User {
    username: String,
}

/// The object of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// `deployments`.
    pub resource: String,
    /// `status`, `scale`, or empty.
    pub subresource: String,
    /// Empty where it has none.
    pub namespace: String,
    /// Empty in a creation.
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl Entry {
    /// Whoever asked changes something, or tried to.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let verbs = ["create", "update", "patch", "delete", "deletecollection"];
        self.stage == "ResponseComplete" && verbs.contains(&self.verb.as_str())
    }

    /// A write of Sluice itself that counts: refused ones too, Events and the Lease not.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        let free = ["events", "leases"].contains(&self.object_ref.resource.as_str());
        self.is_write() && self.is_ours() && !free
    }

    /// Sluice itself asked.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let ours = format!("system:serviceaccount:{}:", crds::contract::NAMESPACE);
        self.user.username.starts_with(&ours)
    }

    /// When the apiserver got it.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.request_received_timestamp
    }

    /// It is about this object itself.
    #[must_use]
    pub fn is_of(&self, namespace: &str, resource: &str, name: &str) -> bool {
        let object = &self.object_ref;
        object.subresource.is_empty()
            && (object.namespace.as_str(), object.resource.as_str(), object.name.as_str())
                == (namespace, resource, name)
    }

    /// The webhook of this name was called for it.
    #[must_use]
    pub fn was_reviewed_by(&self, webhook: &str) -> bool {
        let name = format!("\"webhook\":\"{webhook}\"");
        self.annotations.iter().any(|(key, value)| {
            key.starts_with("mutation.webhook.admission.k8s.io/") && value.contains(&name)
        })
    }
}

/// The log, from a moment on.
pub struct Audit {
    path: PathBuf,
    reader: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    partial: String,
    pub(super) entries: Vec<Entry>,
}

/// A moment in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(Timestamp);

impl Audit {
    /// The log from now on.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Outcome<Self> {
        let failed = |error| unmeasured(format!("the audit log {}: {error}", path.display()));
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let reader = BufReader::new(file);
        let path = path.to_owned();
        Ok(Self { path, reader, partial: String::new(), entries: Vec::new() })
    }

    /// Sets a mark and waits until the log has it, and with it all that was answered before.
    ///
    /// # Errors
    /// The apiserver does not answer, or the log does not show it.
    pub async fn mark(&mut self, client: &Client) -> Outcome<Mark> {
        let name = format!("sluice-bench-mark-{}-{}", std::process::id(), self.entries.len());
        let path = format!("/api/v1/namespaces/default/configmaps/{name}");
        let request = http::Request::get(path).body(Vec::new());
        let request = request.map_err(|error| unmeasured(error.to_string()))?;
        match client.request_text(request).await {
            Err(KubeError::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(Failure::doing("setting a mark in the audit log")(error)),
            Ok(_) => return Err(unmeasured(format!("there is a configmap {name}"))),
        }
        let late = Instant::now() + PATIENCE;
        let seen = self.entries.len();
        loop {
            self.read_on()?;
            let mark = self.entries[seen..].iter().find(|entry| entry.object_ref.name == name);
            if let Some(entry) = mark {
                return Ok(Mark(entry.request_received_timestamp));
            }
            if Instant::now() > late {
                return Err(unmeasured(format!("{} has no mark", self.path.display())));
            }
            // Another program writes the file: there is nothing to be woken by.
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What was asked between two marks and `wanted` says yes to, in the order of the asking.
    pub fn between(&self, marks: (Mark, Mark), wanted: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        let span = marks.0.0..marks.1.0;
        let within = |entry: &&Entry| span.contains(&entry.request_received_timestamp);
        let mut found: Vec<&Entry> =
            self.entries.iter().filter(within).filter(|entry| wanted(entry)).collect();
        found.sort_by_key(|entry| entry.request_received_timestamp);
        found
    }

    pub(super) fn read_on(&mut self) -> Outcome {
        let failed = |error| unmeasured(format!("the audit log: {error}"));
        while self.reader.read_line(&mut self.partial).map_err(failed)? > 0 {
            if !self.partial.ends_with('\n') {
                continue;
            }
            let line = std::mem::take(&mut self.partial);
            let entry = serde_json::from_str(&line);
            self.entries.push(entry.map_err(|error| {
                unmeasured(format!("the audit log has a line that is none: {error}"))
            })?);
        }
        Ok(())
    }
}

/// Who wrote when: milliseconds since the first entry, how long it took, and what came of it.
#[must_use]
pub fn timeline(entries: &[&Entry]) -> String {
    let mut text = String::from("     at ms   took ms  code  who  what\n");
    let Some(first) = entries.first() else { return text };
    let zero = first.request_received_timestamp;
    for entry in entries {
        let ms = |span: jiff::SignedDuration| span.as_secs_f64() * 1000.0;
        let at = ms(entry.request_received_timestamp.duration_since(zero));
        let took = ms(entry.stage_timestamp.duration_since(entry.request_received_timestamp));
        let code = entry.response_status.as_ref().map_or(0, |status| status.code);
        let user = entry.user.username.trim_start_matches("system:");
        let agent = entry.user_agent.split('/').next().unwrap_or_default();
        let ObjectRef { resource, subresource, name, .. } = &entry.object_ref;
        let resource = [resource.as_str(), subresource].join("/");
        let resource = resource.trim_end_matches('/');
        // Writing to a String has no way to fail.
        let _ = writeln!(
            text,
            "{at:10.1}{took:10.1}  {code:4}  {user} ({agent})  {} {resource} {name}",
            entry.verb
        );
    }
    text
}
