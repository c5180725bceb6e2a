//! The model Prometheus: what it knows of the versions' requests, and what it answers. Queries in
//! stories name the revision; nothing else of them is read.

use std::collections::BTreeMap;

use gate::Answer;
use gate::answer::{Data, Sample};
use gate::verdict::{Asked, Trouble};
use jiff::Timestamp;

use crate::action::Ask;
use crate::observed::Answered;

/// What the model knows of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Few requests fail.
    #[default]
    Good,
    /// Many do.
    Bad,
    /// There is no series.
    Nothing,
    /// 0 / 0.
    NotANumber,
    /// A number, but Prometheus warns that it is partial.
    Partial,
    /// Nobody answers.
    Down,
}

/// The words of stories.
pub const HEALTHS: [(Health, &str); 6] = [
    (Health::Good, "good"),
    (Health::Bad, "bad"),
    (Health::Nothing, "nothing"),
    (Health::NotANumber, "nan"),
    (Health::Partial, "partial"),
    (Health::Down, "down"),
];

/// The query of all gates in stories.
pub const QUERY: &str = "ratio{hash=\"{{revision}}\",pod=~\"{{pods}}\"}";
/// What their values must not exceed.
pub const MAX: &str = "0.01";

/// The model.
#[derive(Debug, Default)]
pub struct Prometheus {
    healths: BTreeMap<String, Health>,
}

impl Prometheus {
    /// From now on a version is so.
    pub fn set(&mut self, revision: &str, health: Health) {
        self.healths.insert(revision.to_owned(), health);
    }

    /// How the version is that a question is about.
    pub fn health(&self, ask: &Ask) -> Health {
        let named = self.healths.iter().find(|(name, _)| ask.query.contains(name.as_str()));
        named.map(|(_, health)| *health).unwrap_or_default()
    }

    /// The answer.
    pub fn answer(&self, ask: Ask, at: Timestamp) -> Answered {
        let sample = |value| Data::Scalar(Sample { at, value });
        let answer = |data, warnings| Answer { data, warnings, infos: Vec::new() };
        let asked: Asked = match self.health(&ask) {
            Health::Good => Ok(answer(sample(0.001), Vec::new())),
            Health::Bad => Ok(answer(sample(0.05), Vec::new())),
            Health::Nothing => Ok(answer(Data::Vector(Vec::new()), Vec::new())),
            Health::NotANumber => Ok(answer(sample(f64::NAN), Vec::new())),
            Health::Partial => Ok(answer(sample(0.001), vec!["a store did not answer".into()])),
            Health::Down => Err(Trouble::Unreachable("connection refused".into())),
        };
        Answered { ask, asked, requests: None }
    }
}
