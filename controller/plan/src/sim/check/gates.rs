//! Invariant 6: no batch is left without its gates' passes, counted from what the model Prometheus
//! said, whatever the status makes of it.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::{Revision, RolloutSpec};

use crate::sim::metrics::Health;
use crate::sim::moment::Moment;

/// What was said of gates.
#[derive(Default)]
pub struct Gates {
    /// Gate, batch, when it was said, and whether it was a pass.
    said: Vec<(String, u32, Moment, bool)>,
    skipped: BTreeSet<(Revision, u32)>,
}

impl Gates {
    /// An answer was delivered.
    pub fn answered(&mut self, gate: &str, batch: u32, health: Health, at: Moment) {
        self.said.push((gate.to_owned(), batch, at, health == Health::Good));
    }

    /// The user let a batch go on without its gates.
    pub fn skip(&mut self, revision: Revision, batch: u32) {
        self.skipped.insert((revision, batch));
    }

    /// By one of the specs that may be in force the batch, ready since `since`, has all its passes.
    pub fn passed(
        &self,
        specs: &[RolloutSpec],
        revision: &Revision,
        batch: u32,
        since: Moment,
    ) -> bool {
        let skipped = self.skipped.contains(&(revision.clone(), batch));
        skipped || specs.is_empty() || specs.iter().any(|spec| self.fulfils(spec, batch, since))
    }

    fn fulfils(&self, spec: &RolloutSpec, batch: u32, since: Moment) -> bool {
        let mut gates = spec.gates.iter().filter(|gate| gate.judges(batch) && !gate.dry_run);
        gates.all(|gate| {
            let passes = |(name, of, at, good): &&(String, u32, Moment, bool)| {
                *name == gate.name && *of == batch && *good && *at + Duration::from_secs(1) >= since
            };
            let count = self.said.iter().filter(passes).count();
            count >= gate.count.unwrap_or(1) as usize
        })
    }
}
