//! From two answers to a look: the counts of both versions, pod by pod. Owns which samples count
//! at all; compares nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{Counts, Look};
use crate::answer::{Data, Series};
use crate::verdict::{Asked, Reason, fresh};

/// The pods of both versions, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// Of the new version.
    pub new: BTreeSet<String>,
    /// Of the stable one.
    pub stable: BTreeSet<String>,
}

/// What was counted of both versions over one window.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Bad requests, a sample for each pod.
    pub errors: &'a Asked,
    /// All requests, likewise.
    pub requests: &'a Asked,
    /// The label that holds the pod's name.
    pub label: &'a str,
    /// Whose they are.
    pub pods: &'a Pods,
    /// How far back the queries looked.
    pub window: Duration,
}

impl Counted<'_> {
    /// The look, of the samples of this moment.
    ///
    /// # Errors
    /// Why it is none. A pod that one of the answers leaves out served nothing.
    pub fn look(&self, now: Timestamp) -> Result<Look, Reason> {
        let (errors, requests) =
            (self.samples(self.errors, now)?, self.samples(self.requests, now)?);
        let of = |pods: &BTreeSet<String>| -> Result<Vec<Counts>, Reason> {
            let both = pods.iter().filter_map(|pod| {
                let pod = pod.as_str();
                Some((*errors.get(pod)?, *requests.get(pod)?))
            });
            let counts = both.map(|(errors, requests)| Counts::from_samples(errors, requests));
            counts.collect::<Result<_, _>>().map_err(Reason::NoCounts)
        };
        Ok(Look { new: of(&self.pods.new)?, stable: of(&self.pods.stable)? })
    }

    /// The samples by pod. What is broken comes before what is doubtful.
    fn samples<'s>(
        &self,
        asked: &'s Asked,
        now: Timestamp,
    ) -> Result<BTreeMap<&'s str, f64>, Reason> {
        let answer = asked.as_ref().map_err(|trouble| Reason::Trouble(trouble.clone()))?;
        let not_by_pod = || Reason::NotByPod { label: self.label.to_owned() };
        let Data::Vector(series) = &answer.data else { return Err(not_by_pod()) };
        let mut samples = BTreeMap::new();
        for Series { labels, sample } in series {
            let pod = labels.get(self.label).ok_or_else(not_by_pod)?;
            if sample.value.is_infinite() {
                return Err(Reason::Infinite { value: sample.value });
            }
            if samples.insert(pod.as_str(), sample.value).is_some() {
                return Err(not_by_pod());
            }
        }
        if let Some(warning) = answer.warnings.first() {
            return Err(Reason::Partial { warning: warning.clone() });
        }
        for Series { sample, .. } in series {
            if sample.value.is_nan() {
                return Err(Reason::NotANumber);
            }
            fresh(*sample, self.window, now)?;
        }
        Ok(samples)
    }
}

impl Look {
    /// Both versions had requests; only then does it say anything.
    ///
    /// # Errors
    /// The version that had none.
    pub fn of_both(self) -> Result<Self, Reason> {
        let (new, stable) = self.sums();
        match (new.requests(), stable.requests()) {
            (0, _) => Err(Reason::Silent { version: "new" }),
            (_, 0) => Err(Reason::Silent { version: "stable" }),
            _ => Ok(self),
        }
    }
}
