//! A gate measured once, by hand: the question that a release would ask now, and what its answer
//! would come to. Decides nothing about a release and keeps nothing.

use std::borrow::Cow;
use std::time::Duration;

use crds::Gate;
use gate::History;
use gate::history::{Measurement, OnUnknown};
use gate::query::Values;
use jiff::Timestamp;

use super::{About, Round, course};
use crate::action::Ask;
use crate::observed::Answered;

/// What a gate is tried on.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What the placeholders stand for; the window is reckoned from `since`.
    pub values: Values,
    /// The pods of the stable version; none where only one version runs.
    pub stable_pods: Vec<String>,
    /// When the pods were ready: a window looks no further back.
    pub since: Timestamp,
    /// The present.
    pub now: Timestamp,
}

impl Trial {
    /// The question.
    ///
    /// # Errors
    /// It cannot be asked: what a release would take that for.
    pub fn ask(&self, gate: &Gate) -> Result<Ask, Box<Measurement>> {
        let values = Values { window: Duration::ZERO, ..self.values.clone() };
        let about = About { values, stable_pods: self.stable_pods.clone(), release: None };
        let round = self.round(gate);
        round.question(self.now, &about).map_err(|unasked| Box::new(unasked.measurement(self.now)))
    }

    /// What an answer comes to; None if it is that of another question.
    #[must_use]
    pub fn judge(&self, gate: &Gate, answered: &Answered) -> Option<Measurement> {
        let mut round = self.round(gate);
        round.take_answers(std::slice::from_ref(answered));
        round.history.last().last().cloned()
    }

    fn round<'a>(&self, gate: &'a Gate) -> Round<'a> {
        Round {
            gate,
            batch: 1,
            asks: None,
            course: course(gate, OnUnknown::Pause),
            on_failure: gate.on_failure.unwrap_or_default(),
            history: History::new(self.since),
            earlier: Vec::new(),
            comparison: None,
            prometheus: gate.prometheus.as_ref().map(Cow::Borrowed),
        }
    }
}
