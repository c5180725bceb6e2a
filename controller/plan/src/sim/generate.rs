//! Stories by seed: a Deployment (or one of the other kinds), a Rollout, users who do this and that
//! at any moment, and things that go wrong. Every story ends with `finish`. Owns the odds, nothing
//! else.

mod cloneset;
mod daemonset;
mod stateful;

use std::time::Duration;

use super::random::Random;
use super::script::Script;

const REPLICAS: [i32; 12] = [1, 1, 2, 3, 3, 4, 5, 6, 8, 10, 10, 16];
const LIMITS: [&str; 14] = [
    "",
    "",
    "",
    " surge=1 unavailable=0",
    " surge=1 unavailable=0",
    " surge=0 unavailable=1",
    " surge=0 unavailable=1",
    " surge=100% unavailable=0",
    " surge=30% unavailable=20%",
    " surge=2 unavailable=1",
    " surge=50% unavailable=0",
    " surge=0 unavailable=50%",
    " surge=0 unavailable=3",
    " surge=1 unavailable=1",
];
const SHARES: [&str; 12] =
    ["1", "1", "2", "3", "5", "10%", "20%", "25%", "33%", "50%", "66%", "80%"];
const HEALTH_WORDS: [&str; 8] =
    ["good", "good", "good", "bad", "nothing", "nan", "partial", "down"];
const VERSIONS: [&str; 8] = ["v2", "v2", "v2", "v3", "v3", "v1", "v2+x", "v4"];

/// Of so many seeds one tells of a StatefulSet.
const STATEFUL_EVERY: u64 = 5;
/// Of so many one tells of a CloneSet.
const CLONED_EVERY: u64 = 10;
const CLONED: u64 = 3;
/// And one of a DaemonSet.
const DAEMON: u64 = 6;

impl Script {
    /// The story of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let stateful = seed % STATEFUL_EVERY == STATEFUL_EVERY - 1;
        let cloned = seed % CLONED_EVERY == CLONED;
        let daemon = seed % CLONED_EVERY == DAEMON;
        let name = match (stateful, cloned, daemon) {
            (true, ..) => "stateful",
            (_, true, _) => "cloneset",
            (.., true) => "daemonset",
            _ => "story",
        };
        let mut teller = Teller {
            random: Random::stream(seed, name),
            metrics: Random::stream(seed, "gates"),
            lines: Vec::new(),
        };
        if stateful {
            teller.tell(Teller::stateful_workload, Teller::act_stateful);
        } else if cloned {
            teller.tell(Teller::cloned_workload, Teller::act_cloned);
        } else if daemon {
            teller.tell(Teller::daemon_workload, Teller::act_daemon);
        } else {
            teller.tell(Teller::workload, Teller::act);
        }
        // The lines are built of the language's own words.
        teller.lines.join("\n").parse().unwrap_or(Self(Vec::new()))
    }
}

struct Teller {
    random: Random,
    /// Of gates alone.
    metrics: Random,
    lines: Vec<String>,
}

impl Teller {
    /// A story of the kind of workload that the two are of.
    fn tell(&mut self, workload: fn(&mut Self), act: fn(&mut Self)) {
        workload(self);
        if self.random.chance(30) {
            self.faults();
        }
        let rollout = self.rollout();
        self.say(rollout);
        if self.random.chance(85) {
            self.say("tick 2s");
        }
        let version = self.one(&["v2", "v2", "v2", "v3"]);
        self.say(format!("apply {version}"));
        for _ in 0..self.random.between(1, 9) {
            self.wait();
            act(self);
        }
        self.wait();
        self.say("finish");
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn one(&mut self, choices: &[&'static str]) -> &'static str {
        self.random.pick(choices).copied().unwrap_or_default()
    }

    fn number(&mut self, low: i32, high: i32) -> i32 {
        self.random.between(low, high)
    }

    fn workload(&mut self) {
        let replicas = self.random.pick(&REPLICAS).copied().unwrap_or(3);
        let limits = self.one(&LIMITS);
        let ready = self.one(&["", "", "", "", " min-ready=1s", " min-ready=3s", " min-ready=12s"]);
        let history = self.one(&["", "", "", "", "", " history=0", " history=1", " history=2"]);
        let rest = format!("{limits}{ready}{history}");
        for version in ["v2", "v3"] {
            self.behaviour(version);
        }
        if self.random.chance(10) {
            self.say("server-side");
        }
        if self.random.chance(30) {
            self.say(format!("apply v1 replicas={replicas}{rest}"));
        } else {
            self.say(format!("apply v1{rest}"));
            self.say(format!("scale {replicas}"));
        }
        self.say("tick 20s");
    }

    fn behaviour(&mut self, version: &str) {
        let start = self.one(&["100ms", "500ms", "1s", "1s", "2s", "4s"]);
        let more = match self.random.below(100) {
            0..12 => " broken=ImagePullBackOff",
            12..20 => " flapping=4s",
            20..24 => " flapping=15s",
            _ => "",
        };
        self.say(format!("pods {version} start={start}{more}"));
    }

    fn rollout(&mut self) -> String {
        let mut batches = Vec::new();
        let mut from = 0;
        for _ in 0..self.random.between(0, 3) {
            let left = i32::try_from(SHARES.len()).unwrap_or(0) - 1;
            if from > left {
                break;
            }
            from = self.number(from, left);
            let share = usize::try_from(from).ok().and_then(|index| SHARES.get(index));
            let pause = self.one(&["", "", "", "/manual", "/manual", "/5s", "/20s", "/1m30s"]);
            batches.push(format!("{}{pause}", share.copied().unwrap_or("1")));
            from += 1;
        }
        batches.push("100%".to_owned());
        let deadline = self.one(&["", "", " deadline=20s", " deadline=1m", " deadline=3m"]);
        let failure = self.one(&["", "", "", "", " on-failure=pause"]);
        let paused = self.one(&["", "", "", "", "", "", "", "", "", " paused"]);
        let gates = self.gates();
        format!("rollout batches={}{deadline}{failure}{gates}{paused}", batches.join(","))
    }

    /// Where there are gates, the model Prometheus says this and that of v2 and v3.
    fn gates(&mut self) -> String {
        let pick = |random: &mut Random, words: &[&'static str]| {
            random.pick(words).copied().unwrap_or_default()
        };
        if !self.metrics.chance(25) {
            return String::new();
        }
        for version in ["v2", "v3"] {
            let health = pick(&mut self.metrics, &HEALTH_WORDS);
            self.say(format!("metrics {version} {health}"));
        }
        let random = &mut self.metrics;
        let gates = [
            "a/5s/1",
            "a/10s/3",
            "a/20s/2/background",
            "a/5s/2/dry",
            "a/10s/2/compare",
            "a/8s/2/template",
            "a/10s/2/hook",
            "a/6s/1/confirm",
        ];
        let gate = pick(random, &gates);
        let compare = " gate=b/15s/1/compare/background";
        let more = pick(random, &["", "", " gate=b/7s/2/background", " bake=30s", compare]);
        let unknown = pick(random, &["", "", " on-unknown=abort"]);
        format!("{unknown}{more} gate={gate}")
    }

    fn faults(&mut self) {
        for _ in 0..self.random.between(1, 2) {
            let fault = self.fault();
            self.say(fault);
        }
    }

    fn fault(&mut self) -> String {
        match self.random.below(8) {
            0..4 => {
                let when = self.one(&["before", "after", "late"]);
                format!("crash {when} {}", self.number(1, 16))
            }
            4 => format!("lag {} {}", self.number(1, 50), self.number(51, 1500)),
            5 => format!("unanswered {}", self.number(5, 40)),
            6 => format!("freeze {}s", self.number(1, 20)),
            _ => format!("lag 1 {}", self.number(5, 200)),
        }
    }

    fn wait(&mut self) {
        let millis = match self.random.below(10) {
            0..4 => self.random.millis(1, 900),
            4..7 => self.random.millis(900, 5_000),
            7..9 => self.random.millis(5_000, 40_000),
            _ => self.random.millis(40_000, 300_000),
        };
        let span = crds::GepDuration::from(millis.max(Duration::from_millis(1)));
        self.say(format!("tick {span}"));
    }

    fn act(&mut self) {
        let line = match self.random.below(100) {
            0..16 => self.apply(),
            16..26 => {
                format!("scale {}", self.one(&["0", "1", "2", "3", "5", "8", "10", "13", "20"]))
            }
            26..38 => self.ask(),
            38..54 => self.kubectl(),
            54..62 => self.pods(),
            62..74 => self.fault(),
            74..90 => self.outage(),
            90..96 => self.rollout(),
            _ => self.rare(),
        };
        self.say(line);
    }

    fn apply(&mut self) -> String {
        let version = self.one(&VERSIONS);
        let more =
            self.one(&["", "", "", "", " min-ready=2s", " surge=2 unavailable=0", " paused=true"]);
        format!("apply {version}{more}")
    }

    fn ask(&mut self) -> String {
        let words = [
            "promote",
            "promote",
            "promote",
            "promote 1",
            "promote 2",
            "promote-full",
            "stop",
            "go",
            "abort",
            "abort",
            "retry",
            "retry",
        ];
        self.one(&words).to_owned()
    }

    fn kubectl(&mut self) -> String {
        let words = [
            "reapply on",
            "reapply on",
            "reapply off",
            "server-side",
            "client-side",
            "replace",
            "restart",
            "undo",
            "undo",
            "pause",
            "resume",
            "strip",
            "apply",
            "apply paused=false",
            "edit surge=3 unavailable=1",
            "edit min-ready=4s",
            "set-image v3",
        ];
        self.one(&words).to_owned()
    }

    fn pods(&mut self) -> String {
        let version = self.one(&["v1", "v2", "v2", "v3"]);
        match self.random.below(4) {
            0 => format!("evict {version} {}", self.number(1, 3)),
            1 => format!("pods {version}"),
            _ => format!("flap {version} {} {}s", self.number(1, 4), self.number(1, 20)),
        }
    }

    fn outage(&mut self) -> String {
        let words = [
            "webhook down",
            "webhook down",
            "webhook up",
            "webhook up",
            "controller down",
            "controller up",
            "controller up",
            "stock down",
            "stock up",
            "heal",
        ];
        self.one(&words).to_owned()
    }

    fn rare(&mut self) -> String {
        self.one(&["rollout-delete", "delete", "apply recreate surge=- unavailable=-"]).to_owned()
    }
}
