//! Readiness as named conditions: the process is ready when all of them are met. Owns no HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All conditions of a process.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, bool>>>);

/// One condition, held by whoever knows whether it is met.
#[derive(Clone, Debug)]
pub struct Condition {
    name: &'static str,
    all: Readiness,
}

impl Readiness {
    /// A condition that is not met yet. The same name twice is the same condition.
    #[must_use]
    pub fn condition(&self, name: &'static str) -> Condition {
        self.lock().entry(name).or_insert(false);
        Condition { name, all: self.clone() }
    }

    /// The conditions that are not met; none means ready.
    #[must_use]
    pub fn unmet(&self) -> Vec<&'static str> {
        self.lock().iter().filter(|(_, met)| !**met).map(|(name, _)| *name).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, bool>> {
        // The map is whole between any two statements, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// Says whether the condition is met.
    pub fn set(&self, met: bool) {
        if self.all.lock().insert(self.name, met) != Some(met) {
            tracing::info!(condition = self.name, met, "readiness");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[test]
    fn ready_when_all_are_met() {
        let readiness = Readiness::default();
        let (first, second) = (readiness.condition("a"), readiness.condition("b"));
        assert_eq!(readiness.unmet(), ["a", "b"]);
        second.set(true);
        first.set(true);
        assert!(readiness.unmet().is_empty());
        first.set(false);
        assert_eq!(readiness.unmet(), ["a"]);
    }
}
