//! The language of stories: one command a line, `#` starts a comment. Owns reading and printing;
//! what a command does is `story`'s business.

mod rollout;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crds::request::Verb;
use crds::{GepDuration, IntOrPercent, Kept, RolloutSpec};

use super::metrics::{HEALTHS, Health};
use super::user::Stated;
use super::world::When;

/// A story: what users do and what goes wrong, in order. Read from text and printed as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Script(pub(super) Vec<Command>);

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `apply v2 [replicas=10] [surge=25%] ...`: what is not said stays as it was in the manifest;
    /// `surge=-` takes it out. `apply v1 statefulset [parallel] [partition=2]` makes a StatefulSet,
    /// `apply v1 cloneset [partition=30%]` a CloneSet, `apply v1 daemonset` a DaemonSet.
    Apply { version: Option<String>, changes: Vec<Change> },
    /// `rollout batches=1/manual,20%/30s,100% [deadline=1m] [on-failure=pause] [paused]`
    Rollout(Box<RolloutSpec>),
    /// `nodes 5`: there are so many from now on.
    Nodes(usize),
    /// `lose v1 2`: nodes go, each with a pod of that version, or any: `lose any 1`.
    Lose { version: String, count: usize },
    /// `close v1 2`: nodes are closed to new pods.
    Close { version: String, count: usize },
    /// A verb without anything more.
    Simple(Simple),
    /// `scale 20`
    Scale(i32),
    /// `set-image v2`
    SetImage(String),
    /// `edit surge=1 ...`: kubectl patch, past the manifest.
    Edit(Vec<Change>),
    /// `evict v1 2`
    Evict { version: String, count: usize },
    /// `flap v2 3 5s`: so many ready pods lose readiness for so long.
    Flap { version: String, count: usize, span: Duration },
    /// `pods v3 [start=1s] [broken=ImagePullBackOff] [flapping=10s]`: how a version behaves.
    Pods {
        version: String,
        start: Option<Duration>,
        broken: Option<String>,
        flapping: Option<Duration>,
    },
    /// `metrics v2 bad`: what the model Prometheus knows of a version; `metrics template nothing`:
    /// there is no template.
    Metrics { version: String, health: Health },
    /// `promote [1]`, `promote-full`, `stop`, `go`, `abort`, `retry`
    Ask { verb: Verb, batch: Option<u32> },
    /// `crash after 3`: of our controller, counted from now.
    Crash { when: When, write: u32 },
    /// `freeze 5s`: our watches stand still.
    Freeze(Duration),
    /// `lag 10 500`: all watches trail by so many milliseconds.
    Lag(u64, u64),
    /// `unanswered 10`: percent of our writes.
    Unanswered(u64),
    /// `tick 30s`
    Tick(Duration),
}

/// Commands of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simple {
    Reapply,
    ReapplyStop,
    ServerSide,
    ClientSide,
    Replace,
    Restart,
    Undo,
    Pause,
    Resume,
    Strip,
    Delete,
    RolloutDelete,
    WebhookDown,
    WebhookUp,
    PolicyDown,
    PolicyUp,
    ControllerDown,
    ControllerUp,
    StockDown,
    StockUp,
    Heal,
    Run,
    Finish,
    Show,
    Open,
}

/// A value that a manifest or an edit states.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub key: String,
    pub value: String,
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no command", self.0)
    }
}

impl std::error::Error for Unreadable {}

const WORDS: [(Simple, &str); 25] = [
    (Simple::Reapply, "reapply on"),
    (Simple::ReapplyStop, "reapply off"),
    (Simple::ServerSide, "server-side"),
    (Simple::ClientSide, "client-side"),
    (Simple::Replace, "replace"),
    (Simple::Restart, "restart"),
    (Simple::Undo, "undo"),
    (Simple::Pause, "pause"),
    (Simple::Resume, "resume"),
    (Simple::Strip, "strip"),
    (Simple::Delete, "delete"),
    (Simple::RolloutDelete, "rollout-delete"),
    (Simple::WebhookDown, "webhook down"),
    (Simple::WebhookUp, "webhook up"),
    (Simple::PolicyDown, "policy down"),
    (Simple::PolicyUp, "policy up"),
    (Simple::ControllerDown, "controller down"),
    (Simple::ControllerUp, "controller up"),
    (Simple::StockDown, "stock down"),
    (Simple::StockUp, "stock up"),
    (Simple::Heal, "heal"),
    (Simple::Run, "run"),
    (Simple::Finish, "finish"),
    (Simple::Show, "show"),
    (Simple::Open, "open"),
];

const VERBS: [(Verb, &str); 7] = [
    (Verb::Promote, "promote"),
    (Verb::PromoteFull, "promote-full"),
    (Verb::Pause, "stop"),
    (Verb::Resume, "go"),
    (Verb::Abort, "abort"),
    (Verb::Retry, "retry"),
    (Verb::SkipGates, "skip-gates"),
];

const WHENS: [(When, &str); 3] =
    [(When::Before, "before"), (When::After, "after"), (When::Late, "late")];

/// What a manifest states by the word alone.
const FLAGS: [&str; 6] = ["paused", "recreate", "statefulset", "parallel", "cloneset", "daemonset"];

impl FromStr for Script {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let commands = lines.filter(|line| !line.is_empty()).map(str::parse);
        commands.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|command| writeln!(f, "{command}"))
    }
}

impl FromStr for Command {
    type Err = Unreadable;

    fn from_str(line: &str) -> Result<Self, Unreadable> {
        if let Some((simple, _)) = WORDS.iter().find(|(_, words)| *words == line) {
            return Ok(Self::Simple(*simple));
        }
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        if let Some((verb, _)) = VERBS.iter().find(|(_, word)| *word == verb) {
            let batch = rest.first().map(|word| number(word)).transpose()?;
            return Ok(Self::Ask { verb: *verb, batch });
        }
        match (verb, &rest[..]) {
            ("apply", words) => {
                let is_change = |word: &str| word.contains('=') || FLAGS.contains(&word);
                let version = words.first().filter(|word| !is_change(word));
                let changes = changes(&words[usize::from(version.is_some())..])?;
                Ok(Self::Apply { version: version.map(ToString::to_string), changes })
            }
            ("rollout", words) => Ok(Self::Rollout(Box::new(rollout::read(words)?))),
            ("edit", words) => Ok(Self::Edit(changes(words)?)),
            ("scale", [replicas]) => Ok(Self::Scale(number(replicas)?)),
            ("nodes", [count]) => Ok(Self::Nodes(number(count)?)),
            ("lose", [version, count]) => {
                Ok(Self::Lose { version: (*version).to_owned(), count: number(count)? })
            }
            ("close", [version, count]) => {
                Ok(Self::Close { version: (*version).to_owned(), count: number(count)? })
            }
            ("set-image", [version]) => Ok(Self::SetImage((*version).to_owned())),
            ("evict", [version, count]) => {
                Ok(Self::Evict { version: (*version).to_owned(), count: number(count)? })
            }
            ("flap", [version, count, time]) => Ok(Self::Flap {
                version: (*version).to_owned(),
                count: number(count)?,
                span: span(time)?,
            }),
            ("metrics", [version, word]) => {
                let found = HEALTHS.iter().find(|(_, known)| known == word);
                let (health, _) = found.ok_or_else(|| Unreadable(line.to_owned()))?;
                Ok(Self::Metrics { version: (*version).to_owned(), health: *health })
            }
            ("pods", [version, words @ ..]) => pods(version, words),
            ("crash", [when, write]) => {
                let found = WHENS.iter().find(|(_, word)| word == when);
                let (when, _) = found.ok_or_else(|| Unreadable(line.to_owned()))?;
                Ok(Self::Crash { when: *when, write: number(write)? })
            }
            ("freeze", [time]) => Ok(Self::Freeze(span(time)?)),
            ("lag", [low, high]) => Ok(Self::Lag(number(low)?, number(high)?)),
            ("unanswered", [percent]) => Ok(Self::Unanswered(number(percent)?)),
            ("tick", [time]) => Ok(Self::Tick(span(time)?)),
            _ => Err(Unreadable(line.to_owned())),
        }
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, Unreadable> {
    word.parse().map_err(|_| Unreadable(word.to_owned()))
}

fn span(word: &str) -> Result<Duration, Unreadable> {
    number::<GepDuration>(word).map(GepDuration::get)
}

fn changes(words: &[&str]) -> Result<Vec<Change>, Unreadable> {
    let change = |word: &&str| {
        let (key, value) = word.split_once('=').unwrap_or((word, "true"));
        Ok(Change { key: key.to_owned(), value: value.to_owned() })
    };
    let changes: Vec<Change> = words.iter().map(change).collect::<Result<_, Unreadable>>()?;
    // Said once more when they are applied; here so that a script fails where it is wrong.
    let mut stated = Stated::default();
    changes.iter().try_for_each(|change| change.state(&mut stated))?;
    Ok(changes)
}

impl Change {
    /// Puts the value into what a manifest states.
    pub fn state(&self, stated: &mut Stated) -> Result<(), Unreadable> {
        let value = Some(self.value.as_str()).filter(|value| *value != "-");
        let quantity = || value.map(quantity).transpose();
        let seconds = || {
            let seconds = |span: Duration| i32::try_from(span.as_secs()).unwrap_or(i32::MAX);
            value.map(|value| span(value).map(seconds)).transpose()
        };
        match self.key.as_str() {
            "replicas" => stated.replicas = value.map(number).transpose()?,
            "surge" => stated.surge = quantity()?,
            "unavailable" => stated.unavailable = quantity()?,
            "min-ready" => stated.min_ready_seconds = seconds()?,
            "deadline" => stated.progress_deadline_seconds = seconds()?,
            "history" => stated.history_limit = value.map(number).transpose()?,
            "paused" => stated.paused = value.map(number).transpose()?,
            "recreate" => stated.recreate = value.is_some_and(|value| value == "true"),
            "statefulset" => stated.stateful = value.is_some_and(|value| value == "true"),
            "parallel" => stated.parallel = value.is_some_and(|value| value == "true"),
            "cloneset" => stated.cloneset = value.is_some_and(|value| value == "true"),
            "daemonset" => stated.daemon = value.is_some_and(|value| value == "true"),
            "partition" => stated.partition = value.map(partition).transpose()?,
            _ => return Err(Unreadable(self.key.clone())),
        }
        Ok(())
    }
}

/// `3` or `33.3%`.
fn partition(word: &str) -> Result<Kept, Unreadable> {
    match word.parse() {
        Ok(pods) => Ok(Kept::Pods(pods)),
        Err(_) => number(word),
    }
}

/// `3` or `20%`.
fn quantity(word: &str) -> Result<IntOrPercent, Unreadable> {
    match word.parse() {
        Ok(count) => Ok(IntOrPercent::Count(count)),
        Err(_) => number(word),
    }
}

fn pods(version: &str, words: &[&str]) -> Result<Command, Unreadable> {
    let (mut start, mut broken, mut flapping) = (None, None, None);
    for word in words {
        match word.split_once('=') {
            Some(("start", time)) => start = Some(span(time)?),
            Some(("broken", reason)) => broken = Some(reason.to_owned()),
            Some(("flapping", time)) => flapping = Some(span(time)?),
            _ => return Err(Unreadable((*word).to_owned())),
        }
    }
    Ok(Command::Pods { version: version.to_owned(), start, broken, flapping })
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |span: &Duration| GepDuration::from(*span);
        match self {
            Self::Apply { version, changes } => {
                f.write_str("apply")?;
                version.iter().try_for_each(|version| write!(f, " {version}"))?;
                changes.iter().try_for_each(|change| write!(f, " {change}"))
            }
            Self::Rollout(spec) => rollout::print(f, spec),
            Self::Simple(simple) => {
                let word = WORDS.iter().find(|(one, _)| one == simple);
                f.write_str(word.map_or("", |(_, word)| word))
            }
            Self::Scale(replicas) => write!(f, "scale {replicas}"),
            Self::Nodes(count) => write!(f, "nodes {count}"),
            Self::Lose { version, count } => write!(f, "lose {version} {count}"),
            Self::Close { version, count } => write!(f, "close {version} {count}"),
            Self::SetImage(version) => write!(f, "set-image {version}"),
            Self::Edit(changes) => {
                f.write_str("edit")?;
                changes.iter().try_for_each(|change| write!(f, " {change}"))
            }
            Self::Evict { version, count } => write!(f, "evict {version} {count}"),
            Self::Flap { version, count, span } => {
                write!(f, "flap {version} {count} {}", time(span))
            }
            Self::Pods { version, start, broken, flapping } => {
                write!(f, "pods {version}")?;
                start.iter().try_for_each(|span| write!(f, " start={}", time(span)))?;
                broken.iter().try_for_each(|reason| write!(f, " broken={reason}"))?;
                flapping.iter().try_for_each(|span| write!(f, " flapping={}", time(span)))
            }
            Self::Metrics { version, health } => {
                let word = HEALTHS.iter().find(|(one, _)| one == health);
                write!(f, "metrics {version} {}", word.map_or("", |(_, word)| word))
            }
            Self::Ask { verb, batch } => {
                let word = VERBS.iter().find(|(one, _)| one == verb);
                f.write_str(word.map_or("", |(_, word)| word))?;
                batch.iter().try_for_each(|batch| write!(f, " {batch}"))
            }
            Self::Crash { when, write } => {
                let word = WHENS.iter().find(|(one, _)| one == when);
                write!(f, "crash {} {write}", word.map_or("", |(_, word)| word))
            }
            Self::Freeze(span) => write!(f, "freeze {}", time(span)),
            Self::Lag(low, high) => write!(f, "lag {low} {high}"),
            Self::Unanswered(percent) => write!(f, "unanswered {percent}"),
            Self::Tick(span) => write!(f, "tick {}", time(span)),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_str() {
            "true" => f.write_str(&self.key),
            value => write!(f, "{}={value}", self.key),
        }
    }
}
