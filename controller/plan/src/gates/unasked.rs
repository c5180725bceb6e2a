//! Why a gate's question cannot be asked now, and what that says. Never a pass, never a fail.

use crds::gates::{GateError, TemplateError};
use gate::history::Measurement;
use gate::query::RenderError;
use gate::verdict::Verdict;
use jiff::Timestamp;

const NO_STABLE_PODS: &str = "there are no pods of the stable version to compare with";

const HOOK_BY_HAND: &str = "only a release sends a hook";

/// Why a question cannot be asked.
pub(super) enum Unasked {
    Gate(GateError),
    Render(RenderError),
    /// Only a release sends a hook.
    HookByHand,
    /// Nothing to compare with.
    NoStablePods,
    /// Its template cannot be read.
    NoTemplate(String),
    /// Its template makes no gate with these arguments.
    Template(TemplateError),
}

impl From<TemplateError> for Unasked {
    fn from(error: TemplateError) -> Self {
        Self::Template(error)
    }
}

impl From<GateError> for Unasked {
    fn from(error: GateError) -> Self {
        Self::Gate(error)
    }
}

impl From<RenderError> for Unasked {
    fn from(error: RenderError) -> Self {
        Self::Render(error)
    }
}

impl Unasked {
    /// What cannot be asked says nothing, or is wrong.
    pub(super) fn measurement(&self, at: Timestamp) -> Measurement {
        let (verdict, reason, told) = match self {
            Self::Gate(error) => (Verdict::Error, "GateInvalid", error.to_string()),
            Self::Render(RenderError::NoPods) => {
                (Verdict::Unknown, "NoPods", RenderError::NoPods.to_string())
            }
            Self::NoTemplate(why) => (Verdict::Error, "NoTemplate", why.clone()),
            Self::Template(error) => (Verdict::Error, "TemplateInvalid", error.to_string()),
            Self::HookByHand => (Verdict::Error, "Unsent", HOOK_BY_HAND.to_owned()),
            Self::NoStablePods => (Verdict::Unknown, "NoStablePods", NO_STABLE_PODS.to_owned()),
            Self::Render(error) => (Verdict::Unknown, "NoWindow", error.to_string()),
        };
        let (query, values) = (String::new(), Vec::new());
        Measurement { at, verdict, reason: reason.into(), told, query, values, requests: None }
    }
}
