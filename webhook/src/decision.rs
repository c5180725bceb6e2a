//! What the webhook has decided on a request. Data only.

use crds::project;
use json_patch::Patch;
use serde_json::{Value, json};

/// A decision: what happens, what is said about it, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// For metrics and logs.
    pub verdict: Verdict,
    /// What happens.
    pub outcome: Outcome,
    /// What `kubectl` tells the user.
    pub warnings: Vec<String>,
}

/// What happens to the request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It goes through as it is.
    Allow,
    /// It goes through, changed.
    Patch(Patch),
    /// It does not go through.
    Refuse(Refusal),
}

/// One word for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing to do with us.
    Untouched,
    /// What became of an update of a Deployment.
    Projected(project::Verdict),
    /// The asker's name was put on a request.
    Stamped,
    /// A Rollout was checked and is good.
    Valid,
    /// A Rollout was refused.
    Invalid,
    /// An object could not be read: let through, with a warning.
    Unread,
}

impl Verdict {
    /// A stable word for metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untouched => project::Verdict::Untouched.as_str(),
            Self::Projected(verdict) => verdict.as_str(),
            Self::Stamped => "stamped",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unread => "unread",
        }
    }

    /// Nothing was changed, refused or left unread.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Untouched | Self::Projected(project::Verdict::Untouched) | Self::Valid)
    }
}

/// All that is wrong with a Rollout, at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Name of the Rollout.
    pub name: String,
    /// At least one.
    pub causes: Vec<Cause>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Path of the field.
    pub field: String,
    /// What is wrong with which value, and the cure.
    pub message: String,
}

impl Refusal {
    /// The Status of the refusal: `kubectl` prints each cause on a line of its own, clients that
    /// show the message only show all of them too.
    #[must_use]
    pub fn to_status(&self) -> Value {
        let mut causes = Vec::new();
        let mut message = String::new();
        for Cause { field, message: text } in &self.causes {
            causes.push(json!({"reason": "FieldValueInvalid", "field": field, "message": text}));
            let separator = if message.is_empty() { "" } else { "; " };
            message += &format!("{separator}{field}: {text}");
        }
        json!({
            "status": "Failure",
            "code": 422,
            "reason": "Invalid",
            "message": message,
            "details": {
                "group": crds::contract::GROUP,
                "kind": "Rollout",
                "name": self.name,
                "causes": causes,
            },
        })
    }
}

impl Decision {
    /// The request goes through as it is, without a word.
    #[must_use]
    pub fn allow(verdict: Verdict) -> Self {
        Self { verdict, outcome: Outcome::Allow, warnings: Vec::new() }
    }

    /// An object could not be read. It is let through: what it must not do is judged by the
    /// apiserver's own policy, and nobody is stopped by what we do not understand.
    #[must_use]
    pub fn unread(what: &str, error: &serde_json::Error) -> Self {
        let warning = format!("sluice: {what} could not be read and is not looked at: {error}");
        Self { verdict: Verdict::Unread, outcome: Outcome::Allow, warnings: vec![warning] }
    }
}
