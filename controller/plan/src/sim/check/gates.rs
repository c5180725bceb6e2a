//! Invariant 6: no batch is left without its gates' passes, counted from what the model Prometheus
//! said, whatever the status makes of it. And no request counts twice in a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crds::status::GateStatus;
use crds::{Revision, RolloutSpec};
use gate::Evidence;

use crate::action::Ask;
use crate::sim::metrics::{Health, RATE};
use crate::sim::moment::Moment;

/// Times are kept in whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Whether a batch is the last of its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It is not.
    No,
    /// It is, and a human has let it go without its bake.
    Promoted,
    /// It is.
    Baked,
}

/// What was said of gates.
#[derive(Default)]
pub struct Gates {
    /// Gate, batch, when it was said, and whether it was a pass.
    said: Vec<(String, u32, Moment, bool)>,
    skipped: BTreeSet<(Revision, u32)>,
    /// Seconds that were counted for each gate, with the most new pods that were asked about.
    counted: BTreeMap<String, (BTreeSet<i64>, usize)>,
}

impl Gates {
    /// An answer was delivered.
    pub fn answered(&mut self, ask: &Ask, health: Health, at: Moment) {
        if ask.template.is_some() {
            return;
        }
        self.said.push((ask.gate.clone(), ask.batch, at, health == Health::Good));
        let Some(both) = &ask.both else { return };
        let (seconds, pods) = self.counted.entry(ask.gate.clone()).or_default();
        let until = both.until.as_second();
        let window = i64::try_from(ask.window.as_secs()).unwrap_or(i64::MAX);
        seconds.extend(until.saturating_sub(window)..until);
        *pods = both.pods.new.len().max(*pods);
    }

    /// The evidence of a gate has no more requests than there can have been.
    pub fn is_counted_once(&self, said: &GateStatus) -> bool {
        let Some(kept) = &said.comparison else { return true };
        let Some(evidence) = Evidence::from_text(&kept.evidence) else { return false };
        let (seconds, pods) = match self.counted.get(&said.name) {
            Some((seconds, pods)) => (seconds.len(), *pods),
            None => (0, 0),
        };
        let most = u64::try_from(RATE).unwrap_or(0).saturating_mul((seconds * pods) as u64);
        evidence.counts().0.requests() <= most
    }

    /// The user let a batch go on without its gates.
    pub fn skip(&mut self, revision: Revision, batch: u32) {
        self.skipped.insert((revision, batch));
    }

    /// By one of the specs that may be in force the batch, ready since `since` and the last of its
    /// release or not, has all its passes.
    pub fn passed(
        &self,
        specs: &[RolloutSpec],
        revision: &Revision,
        (batch, last): (u32, Last),
        since: Moment,
    ) -> bool {
        let skipped = self.skipped.contains(&(revision.clone(), batch));
        skipped
            || specs.is_empty()
            || specs.iter().any(|spec| self.fulfils(spec, (batch, last), since))
    }

    fn fulfils(&self, spec: &RolloutSpec, (batch, last): (u32, Last), since: Moment) -> bool {
        // As it was when the batch began: an edit of the batches counts from the next one on.
        let count = if last == Last::No { u32::MAX } else { batch };
        let mut gates = spec.gates.iter().filter(|gate| gate.judges(batch, count) && !gate.dry_run);
        gates.all(|gate| {
            let said = self.said_of(&gate.name, batch, since);
            let passes = said.iter().filter(|(_, good)| *good).count();
            // A controller that crashed has not kept the last answer.
            let now = said.iter().rev().take(2).any(|(_, good)| *good);
            let bake = spec.bake.filter(|_| last == Last::Baked && !gate.confirms());
            let baked = bake.is_none_or(|bake| {
                said.iter().any(|(at, good)| *good && *at + SECOND >= since + bake.get())
            });
            passes >= gate.count.unwrap_or(1) as usize && now && baked
        })
    }

    /// What was said of a gate since then, and whether it was a pass.
    fn said_of(&self, gate: &str, batch: u32, since: Moment) -> Vec<(Moment, bool)> {
        let of = |said: &&(String, u32, Moment, bool)| {
            said.0 == gate && said.1 == batch && said.2 + SECOND >= since
        };
        self.said.iter().filter(of).map(|(_, _, at, good)| (*at, *good)).collect()
    }
}
