//! How an object has to look after a write, and the patch that makes it so. Data and its writing;
//! the rules that fill it in are in `user` (people and their tools) and `controller`.

use std::borrow::Cow;

use json_patch::Patch;
use serde_json::Value;

use super::draft::Draft;
use super::kind::Projected;
use super::workload::Workload;
use super::{Projection, Verdict};
use crate::contract::{ARMED_LABEL, HOLD_ANNOTATION, ROLLOUT_LABEL};

pub(super) struct Wanted<'a, F> {
    /// The annotation's text; None: no annotation.
    pub(super) hold: Option<Cow<'a, str>>,
    pub(super) labels: Labels,
    pub(super) fields: Live<F>,
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
pub(super) enum Live<F> {
    AsWritten,
    AsBefore,
    Are(F),
}

impl<'a, F: Projected> Wanted<'a, F> {
    /// Everything as the write has it.
    pub(super) fn as_written(new: &Workload<'a, F>) -> Self {
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
    pub(super) fn kept(old: &Workload<'a, F>) -> Self {
        Self {
            hold: old.hold_text.map(Cow::Borrowed),
            labels: Labels::AsBefore,
            fields: Live::AsWritten,
            template: None,
            verdict: Verdict::Untouched,
            warnings: Vec::new(),
        }
    }

    pub(super) fn into_projection(self, old: &Workload<F>, new: &Workload<F>) -> Projection {
        let patch = self.patch(old, new);
        Projection { patch, warnings: self.warnings, verdict: self.verdict }
    }

    fn patch(&self, old: &Workload<F>, new: &Workload<F>) -> Patch {
        let mut draft = Draft::of(new.raw);
        if let Some(template) = &self.template {
            draft.set(&["spec", "template"], template.clone().into_owned());
        }
        match &self.fields {
            Live::AsWritten => {}
            Live::AsBefore => {
                for key in F::KEYS.iter().copied() {
                    draft.put(&["spec", key], old.raw["spec"].get(key).cloned());
                }
            }
            Live::Are(fields) => fields.write(&new.fields, &mut draft),
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
