//! How an object has to look after a write, and the patch that makes it so. Data and its writing;
//! the rules that fill it in are in `user` (people and their tools) and `controller`.

use std::borrow::Cow;

use json_patch::Patch;
use serde_json::{Value, json};

use super::deployment::Deployment;
use super::draft::Draft;
use super::{Fields, Projection, Strategy, Verdict};
use crate::contract::{ARMED_LABEL, HOLD_ANNOTATION, ROLLOUT_LABEL};

pub(super) struct Wanted<'a> {
    /// The annotation's text; None: no annotation.
    pub(super) hold: Option<Cow<'a, str>>,
    pub(super) labels: Labels,
    pub(super) fields: Live,
    /// None: as written.
    pub(super) template: Option<Cow<'a, Value>>,
    pub(super) verdict: Verdict,
    pub(super) warnings: Vec<String>,
}

/// Our two labels.
pub(super) enum Labels {
    AsWritten,
    AsBefore,
}

/// The projected fields.
pub(super) enum Live {
    AsWritten,
    AsBefore,
    Are(Fields),
}

impl<'a> Wanted<'a> {
    /// Everything as the write has it.
    pub(super) fn as_written(new: &Deployment<'a>) -> Self {
        Self {
            hold: new.hold_text.map(Cow::Borrowed),
            labels: Labels::AsWritten,
            fields: Live::AsWritten,
            template: None,
            verdict: Verdict::Untouched,
            warnings: Vec::new(),
        }
    }

    /// Hold and labels as before the write, everything else as the write has it.
    pub(super) fn kept(old: &Deployment<'a>) -> Self {
        Self {
            hold: old.hold_text.map(Cow::Borrowed),
            labels: Labels::AsBefore,
            fields: Live::AsWritten,
            template: None,
            verdict: Verdict::Untouched,
            warnings: Vec::new(),
        }
    }

    pub(super) fn into_projection(self, old: &Deployment, new: &Deployment) -> Projection {
        let patch = self.patch(old, new);
        Projection { patch, warnings: self.warnings, verdict: self.verdict }
    }

    fn patch(&self, old: &Deployment, new: &Deployment) -> Patch {
        let mut draft = Draft::of(new.raw);
        if let Some(template) = &self.template {
            draft.set(&["spec", "template"], template.clone().into_owned());
        }
        match &self.fields {
            Live::AsWritten => {}
            Live::AsBefore => {
                for key in ["paused", "minReadySeconds", "progressDeadlineSeconds", "strategy"] {
                    draft.put(&["spec", key], old.raw["spec"].get(key).cloned());
                }
            }
            Live::Are(fields) => set_fields(&mut draft, &new.fields, fields),
        }
        if matches!(self.labels, Labels::AsBefore) {
            for label in [ARMED_LABEL, ROLLOUT_LABEL] {
                draft.put(&["metadata", "labels", label], old.label(label).cloned());
            }
        }
        let text = self.hold.as_ref().map(|text| Value::String(text.clone().into_owned()));
        draft.put(&["metadata", "annotations", HOLD_ANNOTATION], text);
        draft.into_patch()
    }
}

/// What apps/v1 shows of a default is absent for `paused` and `minReadySeconds`, and present for
/// the others: so it is left, and a user's object comes back exactly.
fn set_fields(draft: &mut Draft, live: &Fields, wanted: &Fields) {
    if wanted.paused != live.paused {
        draft.put(&["spec", "paused"], wanted.paused.then_some(Value::Bool(true)));
    }
    if wanted.min_ready_seconds != live.min_ready_seconds {
        let seconds = Some(wanted.min_ready_seconds).filter(|seconds| *seconds != 0);
        draft.put(&["spec", "minReadySeconds"], seconds.map(Value::from));
    }
    if wanted.progress_deadline_seconds != live.progress_deadline_seconds {
        let seconds = Value::from(wanted.progress_deadline_seconds);
        draft.set(&["spec", "progressDeadlineSeconds"], seconds);
    }
    if wanted.strategy != live.strategy {
        set_strategy(draft, live.strategy, wanted.strategy);
    }
}

fn set_strategy(draft: &mut Draft, live: Strategy, wanted: Strategy) {
    let rolling = ["spec", "strategy", "rollingUpdate"];
    let of_type = ["spec", "strategy", "type"];
    let kind = if wanted == Strategy::Recreate { "Recreate" } else { "RollingUpdate" };
    draft.set(&of_type, json!(kind));
    match (live, wanted) {
        (_, Strategy::Recreate) => draft.remove(&rolling),
        (Strategy::Recreate, Strategy::RollingUpdate { max_surge, max_unavailable }) => {
            let both = json!({ "maxSurge": max_surge, "maxUnavailable": max_unavailable });
            draft.set(&rolling, both);
        }
        (
            Strategy::RollingUpdate { max_surge: surge, max_unavailable: unavailable },
            Strategy::RollingUpdate { max_surge, max_unavailable },
        ) => {
            let [spec, strategy, rolling] = rolling;
            if max_surge != surge {
                draft.set(&[spec, strategy, rolling, "maxSurge"], json!(max_surge));
            }
            if max_unavailable != unavailable {
                draft.set(&[spec, strategy, rolling, "maxUnavailable"], json!(max_unavailable));
            }
        }
    }
}
