//! The gates of a batch: which question is due, what the answers come to, and what follows. What
//! a sample says is the `gate` crate's; when a batch may end is `release`'s.

mod compared;
mod hooked;
mod trial;
mod unasked;

use std::borrow::Cow;
use std::time::Duration;

use crds::Revision;
use crds::gates::{Gate, GateError, PrometheusGate, Template};
use crds::rollout::OnFailure;
use crds::status::{Comparison, Earlier, GateState, GateStatus};
use gate::history::{Course, Effect, History, KEPT_MAX, Measurement, OnUnknown, State};
use gate::query::Values;
use gate::verdict::{Rules, judge as verdict};
use jiff::Timestamp;

use crate::action::Ask;
use crate::draft::Draft;
use crate::kind::Held;
use crate::measured::measurement;
use crate::observed::{Answered, Observed, Set, Sets};
use crate::revisions::find;
use crate::waiting::Wait;
pub use trial::Trial;
use unasked::Unasked;

/// From one measurement to the next, unless the gate says so.
const INTERVAL: Duration = Duration::from_secs(30);
/// How far back a query looks at most, unless the gate says so.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// So many measurements in a row that say nothing are waited for, unless the gate says so.
const LIMIT: u32 = 3;
/// The provider that is asked, unless the gate says so.
const PROVIDER: &str = "default";

/// The batch that is judged.
pub(crate) struct Judged {
    /// 1 for the first.
    pub(crate) index: u32,
    /// Batches of the release.
    pub(crate) count: u32,
    /// When its pods were ready; None while they are not: gates of the batches before it, that
    /// measure on in the background, go on then.
    pub(crate) ready_at: Option<Timestamp>,
    /// The last batch bakes: all gates measure on after they passed.
    pub(crate) bakes: bool,
    /// When the bake ends, unless a human has ended it.
    pub(crate) until: Option<Timestamp>,
    /// What queries are about.
    pub(crate) values: About,
}

/// What queries are about.
pub(crate) struct About {
    /// What the placeholders stand for, but for the window, which differs from gate to gate.
    values: Values,
    /// The pods of the stable version.
    stable_pods: Vec<String>,
    /// What hooks are told; None where none is sent.
    release: Option<hooked::Release>,
}

/// What the gates say of a batch.
pub(crate) enum Say {
    /// Nothing against its end.
    Open,
    /// Nothing as long as something else keeps the batch; alone it may not end yet.
    Doubtful(Wait),
    /// It may not end yet.
    Closed(Wait),
    /// It has failed.
    Failed(Failure),
}

/// Why a batch failed, and what follows.
pub(crate) struct Failure {
    pub(crate) because: String,
    pub(crate) follows: OnFailure,
}

/// What queries, and hooks, are about, in a release of so many batches.
pub(crate) fn values(seen: &Observed, held: &Held<'_>, sets: &Sets, count: u32) -> About {
    let hash = |revision: &Revision| find(sets, revision).map(|set| set.pod_hash.clone());
    let pods = |set: &Set| set.pods.iter().map(|pod| pod.name.clone()).collect();
    let stable_pods = find(sets, held.stable).map(pods).unwrap_or_default();
    let values = Values {
        namespace: seen.rollout.namespace.clone(),
        workload: seen.rollout.spec.workload_ref.name.clone(),
        revision: hash(held.revision).unwrap_or_default(),
        stable_revision: hash(held.stable).unwrap_or_default(),
        pods: find(sets, held.revision).map(pods).unwrap_or_default(),
        window: Duration::ZERO,
    };
    let hashes = [values.revision.clone(), values.stable_revision.clone()];
    let release = Some(hooked::Release::of(seen, held, hashes, count));
    About { values, stable_pods, release }
}

/// Takes the answers in, asks what is due, and says what follows. Brings the status of the gates up
/// to date.
pub(crate) fn judge(draft: &mut Draft<'_>, batch: &Judged) -> Say {
    let spec = &draft.seen.rollout.spec;
    if draft.status.batch.as_ref().is_some_and(|status| status.gates_skipped.is_some()) {
        return Say::Open;
    }
    let before = std::mem::take(&mut draft.status.gates);
    let mut says = Vec::new();
    for gate in &spec.gates {
        let old = before.iter().find(|status| status.name == gate.name);
        let Some(round) = Round::of(draft, gate, old, batch) else {
            // What it has said stays to be seen, and what a comparison has found is of the whole
            // release.
            draft.status.gates.extend(old.cloned());
            continue;
        };
        let state = round.history.state(&round.course, draft.now);
        says.push(round.say(&state, batch.count));
        draft.status.gates.push(round.status(&state));
    }
    // A failure first, then what a human should look at, then what only takes time.
    says.into_iter().max_by_key(Say::weight).unwrap_or(Say::Open)
}

impl Say {
    fn weight(&self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Doubtful(_) => 1,
            Self::Closed(Wait::Gate { .. }) => 2,
            Self::Closed(Wait::Confirmation { .. }) => 3,
            Self::Closed(_) => 4,
            Self::Failed(Failure { follows: OnFailure::Pause, .. }) => 5,
            Self::Failed(Failure { follows: OnFailure::Abort, .. }) => 6,
        }
    }
}

/// One gate and what it has measured.
struct Round<'a> {
    gate: &'a Gate,
    batch: u32,
    asks: Option<Revision>,
    course: Course,
    on_failure: OnFailure,
    history: History,
    /// What was measured before that, to be shown.
    earlier: Vec<Earlier>,
    comparison: Option<Comparison>,
    /// What it asks; None while its template has not been read.
    prometheus: Option<Cow<'a, PrometheusGate>>,
}

impl<'a> Round<'a> {
    /// None where the gate has nothing to measure now.
    fn of(
        draft: &mut Draft<'a>,
        gate: &'a Gate,
        old: Option<&GateStatus>,
        batch: &Judged,
    ) -> Option<Self> {
        let spec = &draft.seen.rollout.spec;
        let begins = batch.ready_at.filter(|_| gate.judges(batch.index, batch.count));
        let can_go_on = gate.background && !compared::is_over(gate, batch);
        let goes_on = || old.filter(|_| can_go_on);
        let (index, since) = match begins {
            Some(at) => (batch.index, at),
            None => goes_on().map(|old| (old.batch, old.measured.since()))?,
        };
        let asks = asks(gate);
        // A status of before has no hash, and was of this gate.
        let same = |old: &GateStatus| old.asks.is_none() || old.asks == asks;
        let known = old.filter(|old| old.batch == index && old.measured.since() == since);
        let known = known.filter(|old| same(old));
        let history = known.map_or_else(|| History::new(since), |old| old.measured.clone());
        let earlier = old.map_or_else(Vec::new, |old| earlier(old, known.is_some()));
        let mut course = course(gate, spec.on_unknown);
        // What is confirmed is not asked again.
        course.background |= (batch.bakes || begins.is_none()) && !gate.confirms();
        course.until = batch.until.filter(|_| begins.is_some() && !gate.confirms());
        let on_failure = gate.on_failure.unwrap_or(spec.on_failure);
        let comparison = compared::carried(old, known.is_some());
        let prometheus = gate.prometheus.as_ref().map(Cow::Borrowed);
        let mut round = Self {
            gate,
            batch: index,
            asks,
            course,
            on_failure,
            history,
            earlier,
            comparison,
            prometheus,
        };
        round.take_answers(&draft.seen.answers);
        round.ask(draft, &batch.values);
        Some(round)
    }

    fn take_answers(&mut self, answers: &[Answered]) {
        for answered in answers {
            let ask = &answered.ask;
            let mine = (&ask.gate, ask.batch) == (&self.gate.name, self.batch);
            let mine = mine && ask.asks == self.asks;
            if !mine || !self.history.is_new(ask.at) {
                continue;
            }
            if let Some(read) = &answered.template {
                self.take_template(ask, read);
                continue;
            }
            if let Some(hook) = &self.gate.hook {
                let measured = hooked::take(hook, answered);
                measured.into_iter().for_each(|measured| self.history.record(measured));
                continue;
            }
            if ask.hook.is_some() {
                continue;
            }
            let asked = ask.resolved.as_deref().or(self.gate.prometheus.as_ref());
            let measured = match (asked, &ask.both) {
                (None, _) => None,
                (Some(prometheus), Some(both)) => {
                    compared::take(prometheus, &mut self.comparison, answered, both)
                }
                (Some(prometheus), None) => bounded(prometheus, answered),
            };
            measured.into_iter().for_each(|measured| self.history.record(measured));
        }
    }

    fn take_template(&mut self, ask: &Ask, read: &Result<Template, String>) {
        let Some(wanted) =
            self.gate.template.as_ref().filter(|_| ask.template == self.gate.template)
        else {
            return;
        };
        let resolved = match read {
            Ok(template) => template.resolve(&wanted.args).map_err(Unasked::from),
            Err(why) => Err(Unasked::NoTemplate(why.clone())),
        };
        match resolved {
            Ok(prometheus) => self.prometheus = Some(Cow::Owned(prometheus)),
            Err(unasked) => self.history.record(unasked.measurement(ask.at)),
        }
    }

    /// Asks if a measurement is due. What cannot be asked is a measurement, too.
    fn ask(&mut self, draft: &mut Draft<'_>, about: &About) {
        let now = draft.now;
        let Some(due) = self.history.state(&self.course, now).wake() else { return };
        if due > now {
            return draft.wake_at(due);
        }
        match self.question(now, about) {
            Ok(ask) => draft.ask(ask),
            Err(error) => {
                self.history.record(error.measurement(now));
                if let Some(next) = self.history.state(&self.course, now).wake() {
                    draft.wake_at(next);
                }
            }
        }
    }

    fn question(&self, at: Timestamp, about: &About) -> Result<Ask, Unasked> {
        let asking = self.asking(at);
        if let Some(hook) = &self.gate.hook {
            let release = about.release.as_ref().ok_or(Unasked::HookByHand)?;
            return Ok(release.question(hook, self.history.tally().attempts, asking));
        }
        let Some(prometheus) = &self.prometheus else {
            let template = self.gate.template.clone().ok_or(GateError::AsksNothing)?;
            return Ok(Ask { template: Some(template), ..asking });
        };
        if let Some(counts) = prometheus.counts() {
            let since = self.history.since();
            let begun = self.comparison.as_ref();
            let from = begun.map_or(since, |kept| kept.until.0.max(since));
            let interval = compared::Interval { from, since, at };
            return compared::question(&counts?, begun, &interval, about, asking);
        }
        prometheus.bound()?;
        let queries = prometheus.queries()?;
        let window = self.history.window(asking.window, at);
        let values = Values { window, ..about.values.clone() };
        Ok(Ask {
            query: queries.value.render(&values)?,
            requests: queries.requests.map(|query| query.render(&values)).transpose()?,
            window,
            ..asking
        })
    }

    /// A question that asks nothing yet.
    fn asking(&self, at: Timestamp) -> Ask {
        let prometheus = self.prometheus.as_ref();
        let provider = prometheus.and_then(|prometheus| prometheus.provider.as_deref());
        let window = prometheus.and_then(|prometheus| prometheus.window);
        let resolved = prometheus.filter(|_| self.gate.template.is_some());
        Ask {
            gate: self.gate.name.clone(),
            batch: self.batch,
            asks: self.asks.clone(),
            at,
            provider: provider.unwrap_or(PROVIDER).to_owned(),
            query: String::new(),
            requests: None,
            window: window.map_or(WINDOW, |window| window.get()),
            patience: self.course.interval,
            both: None,
            template: None,
            hook: None,
            resolved: resolved.map(|prometheus| Box::new(prometheus.clone().into_owned())),
        }
    }

    fn say(&self, state: &State, count: u32) -> Say {
        let gate = self.gate.name.clone();
        let told = self.told(state);
        let batch = self.batch;
        let failed = |what: &str, follows| {
            let because = format!("gate {gate} {what} in batch {batch} of {count}: {told}");
            Say::Failed(Failure { because, follows })
        };
        match state.effect(&self.course) {
            Effect::Release => Say::Open,
            Effect::Hold if self.pending().is_some() => {
                Say::Closed(Wait::Confirmation { gate, told })
            }
            Effect::Hold if matches!(state, State::Doubtful { .. }) => {
                Say::Doubtful(Wait::Gate { gate, told })
            }
            Effect::Hold => Say::Closed(Wait::Gate { gate, told }),
            Effect::Pause => Say::Closed(Wait::GateUnknown { gate, told }),
            Effect::Fail => failed("failed", self.on_failure),
            Effect::Abort => failed("could not be judged", OnFailure::Abort),
        }
    }

    fn status(self, state: &State) -> GateStatus {
        GateStatus {
            name: self.gate.name.clone(),
            batch: self.batch,
            state: self.word(state),
            message: self.told(state),
            asks: self.asks,
            earlier: newest(self.earlier, KEPT_MAX.saturating_sub(self.history.last().len())),
            measured: self.history,
            comparison: self.comparison,
        }
    }

    /// Waiting until the first measurement is in: that one is due changes nothing yet.
    fn word(&self, state: &State) -> GateState {
        match state {
            State::Waiting { .. } => GateState::Waiting,
            State::Measuring { .. } if self.history.last().is_empty() => GateState::Waiting,
            State::Measuring { .. } | State::Doubtful { .. } => GateState::Measuring,
            State::Passed { .. } => GateState::Passed,
            State::Failed { .. } => GateState::Failed,
            State::UnknownLimit { .. } => GateState::Unknown,
            State::ErrorLimit { .. } => GateState::Error,
        }
    }

    /// The last answer of somebody whose confirmation is waited for.
    fn pending(&self) -> Option<&str> {
        self.history.pending().filter(|_| self.gate.confirms())
    }

    fn told(&self, state: &State) -> String {
        match state {
            State::Waiting { until: first } | State::Measuring { next: first, .. }
                if self.history.last().is_empty() =>
            {
                format!("is measured from {first:.0} on")
            }
            State::Waiting { .. } => "waits".into(),
            State::Measuring { passed, count, .. } => match self.pending() {
                Some(said) => format!("waits for confirmation: {said}"),
                None => format!("{passed} of {count} passes"),
            },
            State::Passed { .. } => match self.history.last().last() {
                Some(last) if self.comparison.is_some() => format!("passed: {}", last.told),
                _ => "passed".into(),
            },
            State::Doubtful { told, .. }
            | State::Failed { told }
            | State::UnknownLimit { told, .. }
            | State::ErrorLimit { told, .. } => told.clone(),
        }
    }
}

/// What an answer comes to under a bound.
fn bounded(prometheus: &PrometheusGate, answered: &Answered) -> Option<Measurement> {
    let ask = &answered.ask;
    let bound = prometheus.bound().ok()?;
    let least_requests = prometheus.min_requests.unwrap_or(0).into();
    let rules = Rules { bound, least_requests, window: ask.window };
    let said = verdict(&rules, &answered.asked, answered.requests.as_ref(), ask.at);
    Some(measurement(answered, &said))
}

/// What was measured before the present start of a gate.
fn earlier(old: &GateStatus, same_start: bool) -> Vec<Earlier> {
    let mut earlier = old.earlier.clone();
    if !same_start {
        let last = old.measured.last().iter().cloned();
        earlier.extend(last.map(|measured| Earlier { batch: old.batch, measured }));
        earlier.iter_mut().for_each(|one| one.measured.shorten());
    }
    earlier
}

fn newest(mut all: Vec<Earlier>, most: usize) -> Vec<Earlier> {
    let beyond = all.len().saturating_sub(most);
    all.drain(..beyond);
    all
}

/// A hash of what a gate asks, and of what is acceptable: not of how often, or what follows.
fn asks(gate: &Gate) -> Option<Revision> {
    let Gate { prometheus, template, hook, .. } = gate;
    let asked = serde_json::json!({"prometheus": prometheus, "template": template, "hook": hook});
    Some(Revision::of_template(&asked))
}

fn course(gate: &Gate, on_unknown: OnUnknown) -> Course {
    Course {
        interval: gate.interval.map_or(INTERVAL, |interval| interval.get()),
        count: gate.count.unwrap_or(1),
        initial_delay: gate.initial_delay.map_or(Duration::ZERO, |delay| delay.get()),
        failed_limit: gate.failed_limit.unwrap_or(0),
        unknown_limit: gate.unknown_limit.unwrap_or(LIMIT),
        error_limit: gate.error_limit.unwrap_or(LIMIT),
        on_unknown: gate.on_unknown.unwrap_or(on_unknown),
        background: gate.background,
        dry_run: gate.dry_run,
        until: None,
    }
}
