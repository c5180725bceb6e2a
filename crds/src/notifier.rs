//! Notifiers: who is told of releases. Types and their schema, and which turns there are; who tells
//! them, and when, is the controller's.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GepDuration, cel};

/// Every turn that can be told of: the reasons of Sluice's Events.
pub const TURNS: [&str; 29] = [
    "Aborting",
    "Armed",
    "BatchReady",
    "BatchStarted",
    "DeploymentPaused",
    "Disarmed",
    "Escaped",
    "Failed",
    "GateError",
    "GateFailed",
    "GatePassed",
    "GatePending",
    "GateUnknown",
    "GatesPassed",
    "MovingBack",
    "PodTrouble",
    "Rejected",
    "ReleaseHeld",
    "Released",
    "RequestGranted",
    "RequestRefused",
    "RolledBack",
    "RollingBack",
    "ScaledToZero",
    "Stalled",
    "SurgeNotKept",
    "TemplateLost",
    "WebhookMissing",
    "WorkloadReplaced",
];

/// Somebody who is told of releases. Administrators make it.
#[derive(
    CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "Notifier",
    plural = "notifiers",
    derive = "PartialEq",
    category = "sluice",
    doc = "An HTTP address that is told of the turns of releases.",
    printcolumn(name = "Format", type_ = "string", json_path = ".spec.format"),
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.address"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = cel::has_a_target()
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotifierSpec {
    /// What is posted to. An address that is itself a secret, as Slack's are, belongs into the
    /// Secret instead.
    #[schemars(length(min = 1, max = cel::MAX_ADDRESS))]
    #[x_kube(validation = cel::is_a_target())]
    #[x_kube(validation = cel::has_no_credentials())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The Secret, in Sluice's own namespace: `address`, unless the spec has one; `signing-key`,
    /// `token`, or `username` and `password`, `tls.crt` with `tls.key`, and `ca.crt`, as of a
    /// HookProvider.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// How a turn is written; default JSON.
    #[serde(default)]
    pub format: Format,
    /// Only these turns; default: all.
    #[schemars(
        length(min = 1, max = 100),
        extend("items" = serde_json::json!({ "type": "string", "enum": TURNS }))
    )]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Only of Rollouts in these namespaces; default: all.
    #[schemars(
        length(min = 1, max = 1000),
        inner(length(min = 1, max = cel::MAX_NAME), regex(pattern = "^[a-z0-9-]*$"))
    )]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// How long an answer may take; default 10s.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GepDuration>,
}

/// How a turn is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Format {
    /// An object with a field for each fact.
    #[default]
    #[serde(rename = "JSON")]
    Json,
    /// What Slack's incoming webhooks take, and whatever takes the same.
    Slack,
}

impl NotifierSpec {
    /// It wants to be told of this turn in this namespace.
    #[must_use]
    pub fn wants(&self, turn: &str, namespace: &str) -> bool {
        let all_or =
            |list: &[String], one: &str| list.is_empty() || list.iter().any(|it| it == one);
        all_or(&self.events, turn) && all_or(&self.namespaces, namespace)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn turns_and_namespaces_are_chosen_or_all() {
        let wants = |spec, turn, namespace| {
            serde_json::from_value::<NotifierSpec>(spec).unwrap().wants(turn, namespace)
        };
        assert!(wants(json!({}), "Failed", "shop"));
        let some = json!({ "events": ["Failed", "Released"], "namespaces": ["shop"] });
        assert!(wants(some.clone(), "Released", "shop"));
        assert!(!wants(some.clone(), "Armed", "shop"));
        assert!(!wants(some, "Failed", "bank"));
    }

    #[test]
    fn turns_are_sorted_and_each_is_there_once() {
        assert!(TURNS.is_sorted_by(|one, next| one < next));
    }
}
