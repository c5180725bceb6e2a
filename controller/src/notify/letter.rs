//! What a Notifier is sent of a turn: a JSON object of its facts, or a line for Slack. Words only.

use crds::notifier::Format;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use plan::Turn;
use serde_json::{Value, json};

/// The longest message; longer than an Event's.
const MESSAGE_CHARS_MAX: usize = 2000;

/// A turn, as it is told outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its word.
    pub turn: &'static str,
    /// The sentence.
    pub message: String,
    /// Somebody should look.
    pub warning: bool,
    /// When.
    pub at: Timestamp,
    /// Of the Rollout and the workload.
    pub namespace: String,
    /// None of a workload that has none.
    pub rollout: Option<String>,
    /// Kind and name.
    pub workload: (String, String),
}

impl Notice {
    /// About these objects: a Rollout and its workload, or a workload that has no Rollout.
    pub fn new(
        turn: &Turn,
        regarding: &ObjectReference,
        related: Option<&ObjectReference>,
        at: Timestamp,
    ) -> Self {
        let name = |object: &ObjectReference| object.name.clone().unwrap_or_default();
        let (rollout, workload) = match related {
            Some(workload) => (Some(name(regarding)), workload),
            None => (None, regarding),
        };
        let kind = workload.kind.clone().unwrap_or_default();
        Self {
            turn: turn.reason,
            message: turn.message.chars().take(MESSAGE_CHARS_MAX).collect(),
            warning: turn.warning,
            at,
            namespace: regarding.namespace.clone().unwrap_or_default(),
            rollout,
            workload: (kind, name(workload)),
        }
    }

    /// The body in this format.
    pub(super) fn written(&self, format: Format) -> Vec<u8> {
        let body = match format {
            Format::Json => self.facts(),
            Format::Slack => json!({ "text": self.line() }),
        };
        body.to_string().into_bytes()
    }

    fn facts(&self) -> Value {
        json!({
            "event": self.turn,
            "type": if self.warning { "Warning" } else { "Normal" },
            "message": self.message,
            "time": self.at.to_string(),
            "namespace": self.namespace,
            "rollout": self.rollout,
            "workload": { "kind": self.workload.0, "name": self.workload.1 },
        })
    }

    fn line(&self) -> String {
        let sign = if self.warning { ":warning: " } else { "" };
        let (kind, name) = &self.workload;
        let (kind, name) = match &self.rollout {
            Some(rollout) => ("Rollout", rollout),
            None => (kind.as_str(), name),
        };
        let whose = escaped(&format!("{kind} {}/{name}", self.namespace));
        format!("{sign}*{}* {whose}: {}", self.turn, escaped(&self.message))
    }
}

/// Slack reads links, mentions and entities out of these three.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A notice of Rollout `shop/web`.
    pub(in crate::notify) fn notice(message: &str) -> Notice {
        Notice {
            turn: "Failed",
            message: message.to_owned(),
            warning: true,
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            namespace: "shop".into(),
            rollout: Some("web".into()),
            workload: ("Deployment".into(), "web".into()),
        }
    }

    fn written(notice: &Notice, format: Format) -> Value {
        serde_json::from_slice(&notice.written(format)).unwrap()
    }

    #[test]
    fn json_has_a_field_for_each_fact() {
        let expected = json!({
            "event": "Failed", "type": "Warning", "message": "gate \"a\" <failed>",
            "time": "2027-01-15T08:00:00Z", "namespace": "shop", "rollout": "web",
            "workload": { "kind": "Deployment", "name": "web" },
        });
        assert_eq!(written(&notice("gate \"a\" <failed>"), Format::Json), expected);
    }

    #[test]
    fn slack_gets_a_line_in_which_nobody_is_called_and_nothing_linked() {
        let said = "<!channel> a & b: <https://evil.example|click> &lt;";
        let expected = json!({ "text": ":warning: *Failed* Rollout shop/web: &lt;!channel&gt; a \
            &amp; b: &lt;https://evil.example|click&gt; &amp;lt;" });
        assert_eq!(written(&notice(said), Format::Slack), expected);
    }

    #[test]
    fn a_workload_without_a_rollout_is_named() {
        let turn = Turn { reason: "Disarmed", message: "given back".into(), warning: false };
        let workload = ObjectReference {
            kind: Some("Deployment".into()),
            namespace: Some("shop".into()),
            name: Some("web".into()),
            ..ObjectReference::default()
        };
        let notice = Notice::new(&turn, &workload, None, Timestamp::UNIX_EPOCH);
        let expected = json!({ "text": "*Disarmed* Deployment shop/web: given back" });
        assert_eq!(written(&notice, Format::Slack), expected);
        assert_eq!(written(&notice, Format::Json)["rollout"], Value::Null);
    }
}
