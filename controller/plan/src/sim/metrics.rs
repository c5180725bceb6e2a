//! The model Prometheus: what it knows of the versions' requests, and what it answers; and so does
//! the service that hooks are sent to. Queries in stories name the revision; nothing else of them
//! is read.

use std::collections::BTreeMap;

use crds::gates::{PrometheusTemplate, Template, TemplateArg};
use gate::Answer;
use gate::answer::{Data, Sample, Series};
use gate::hook::{Heard, HookAnswer, HookTrouble};
use gate::verdict::{Asked, Trouble};
use jiff::Timestamp;

use crate::action::{Ask, Both};
use crate::observed::{Answered, Past};

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
/// The one template of stories, as `metrics` names it.
pub const TEMPLATE: &str = "template";
/// The HookProvider of stories.
pub const HOOK: &str = "checks";
/// The label of pods in counts for a comparison, as the ready-made queries have it.
const POD_LABEL: &str = "pod";
/// Requests a second that each pod serves.
pub const RATE: i64 = 10;

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

    /// How the version is that a question is about. Of a comparison: whether the new version
    /// passes beside the stable one.
    pub fn health(&self, ask: &Ask) -> Health {
        if let Some(call) = &ask.hook {
            return self.of(&call.revision.to_string());
        }
        let Some(Both { pods, .. }) = &ask.both else { return self.of(&ask.query) };
        let of = |pods: &mut dyn Iterator<Item = &String>| {
            pods.next().map_or(Health::Nothing, |pod| self.of(pod))
        };
        match (of(&mut pods.new.iter()), of(&mut pods.stable.iter())) {
            (Health::Bad, Health::Bad) | (Health::Good, Health::Bad) => Health::Good,
            (Health::Good | Health::Bad, stable) if stable != Health::Good => stable,
            (new, _) => new,
        }
    }

    /// How the version is that a text names.
    fn of(&self, text: &str) -> Health {
        let named = self.healths.iter().find(|(name, _)| text.contains(name.as_str()));
        named.map(|(_, health)| *health).unwrap_or_default()
    }

    /// The answer.
    pub fn answer(&self, ask: Ask, at: Timestamp) -> Answered {
        if ask.template.is_some() {
            return Answered::of_template(ask, self.template());
        }
        if ask.hook.is_some() {
            let heard = self.heard(&ask);
            return Answered::of_hook(ask, heard);
        }
        match ask.both.clone() {
            Some(both) => self.counts(ask, &both),
            None => Answered::new(ask.clone(), self.ratio(&ask, at)),
        }
    }

    /// The one template, whose argument is the bound.
    fn template(&self) -> Result<Template, String> {
        if self.of(TEMPLATE) == Health::Nothing {
            return Err(format!("there is no GateTemplate {TEMPLATE}"));
        }
        let prometheus = PrometheusTemplate {
            query: Some(QUERY.to_owned()),
            max: Some("{{args.max}}".to_owned()),
            ..PrometheusTemplate::default()
        };
        let max = TemplateArg { name: "max".to_owned(), default: None };
        Ok(Template { args: vec![max], prometheus })
    }

    /// What a hook is answered.
    fn heard(&self, ask: &Ask) -> Heard {
        let answer = |status, words: &str| Ok(HookAnswer::new(status, words.as_bytes()));
        match self.health(ask) {
            Health::Good => answer(200, ""),
            Health::Bad => answer(409, "no"),
            Health::Nothing => Err(HookTrouble::Unsent("there is no HookProvider".into())),
            Health::NotANumber => answer(429, ""),
            Health::Partial => answer(503, "starting"),
            Health::Down => Err(HookTrouble::Unreachable("connection refused".into())),
        }
    }

    fn ratio(&self, ask: &Ask, at: Timestamp) -> Asked {
        let sample = |value| Data::Scalar(Sample { at, value });
        match self.health(ask) {
            Health::Good => answer(sample(0.001), Vec::new()),
            Health::Bad => answer(sample(0.05), Vec::new()),
            Health::Nothing => answer(Data::Vector(Vec::new()), Vec::new()),
            Health::NotANumber => answer(sample(f64::NAN), Vec::new()),
            Health::Partial => answer(sample(0.001), partial()),
            Health::Down => down(),
        }
    }

    /// Counts of both versions, pod by pod.
    fn counts(&self, ask: Ask, both: &Both) -> Answered {
        let window = i64::try_from(ask.window.as_secs()).unwrap_or(i64::MAX);
        let of = |at: Timestamp, bad: bool| self.count(both, at, window, bad);
        let past = both.past.iter().map(|at| Past {
            at: *at,
            asked: of(*at, true),
            requests: of(*at, false),
        });
        let (asked, requests) = (of(both.until, true), Some(of(both.until, false)));
        let past = if asked.is_ok() { past.collect() } else { Vec::new() };
        Answered { requests, past, ..Answered::new(ask, asked) }
    }

    fn count(&self, both: &Both, at: Timestamp, window: i64, bad: bool) -> Asked {
        let pods = || both.pods.new.iter().chain(&both.pods.stable);
        let is = |health| pods().any(|pod| self.of(pod) == health);
        if is(Health::Down) {
            return down();
        }
        let series = pods().filter(|pod| self.of(pod) != Health::Nothing).map(|pod| {
            let health = self.of(pod);
            let value = match health {
                Health::NotANumber => f64::NAN,
                _ => served(at, window, if bad { badness(health) } else { 1 }),
            };
            let labels = [(POD_LABEL.to_owned(), pod.clone())].into();
            Series { labels, sample: Sample { at, value } }
        });
        let warnings = if is(Health::Partial) { partial() } else { Vec::new() };
        answer(Data::Vector(series.collect()), warnings)
    }
}

fn answer(data: Data, warnings: Vec<String>) -> Asked {
    Ok(Answer { data, warnings, infos: Vec::new() })
}

fn partial() -> Vec<String> {
    vec!["a store did not answer".into()]
}

fn down() -> Asked {
    Err(Trouble::Unreachable("connection refused".into()))
}

/// Of so many requests one is bad.
fn badness(health: Health) -> i64 {
    if health == Health::Bad { 2 } else { 1000 }
}

/// Every so manieth request of a pod in a window: counters grow steadily, so that windows which
/// follow each other add up.
fn served(at: Timestamp, window: i64, every: i64) -> f64 {
    let until = |second: i64| (second.saturating_mul(RATE)).div_euclid(every);
    let count = until(at.as_second()) - until(at.as_second().saturating_sub(window));
    i32::try_from(count).map_or(f64::INFINITY, f64::from)
}
