//! Stories of a DaemonSet by seed. Owns the odds where they are others than a Deployment's: nodes
//! come, go and are closed; nobody scales or pauses it.

use super::{Teller, VERSIONS};

const NODES: [i32; 10] = [1, 2, 3, 3, 4, 5, 6, 8, 10, 12];
const LIMITS: [&str; 12] = [
    "",
    "",
    "",
    "",
    " unavailable=2",
    " unavailable=3",
    " unavailable=30%",
    " unavailable=50%",
    " unavailable=100%",
    " surge=1 unavailable=0",
    " surge=2 unavailable=0",
    " surge=30% unavailable=0",
];

impl Teller {
    pub(super) fn daemon_workload(&mut self) {
        let nodes = self.random.pick(&NODES).copied().unwrap_or(3);
        let limits = self.one(&LIMITS);
        let ready = self.one(&["", "", "", "", " min-ready=1s", " min-ready=3s"]);
        let history = self.one(&["", "", "", "", " history=0", " history=1"]);
        for version in ["v2", "v3"] {
            self.behaviour(version);
        }
        if self.random.chance(10) {
            self.say("server-side");
        }
        self.say(format!("nodes {nodes}"));
        self.say(format!("apply v1 daemonset{limits}{ready}{history}"));
        self.say("tick 20s");
    }

    pub(super) fn act_daemon(&mut self) {
        let line = match self.random.below(100) {
            0..16 => self.apply_daemon(),
            16..32 => self.nodes(),
            32..44 => self.ask(),
            44..58 => self.kubectl_daemon(),
            58..68 => self.pods(),
            68..76 => self.fault(),
            76..92 => self.outage(),
            92..97 => self.rollout(),
            _ => self.one(&["rollout-delete", "delete", "apply recreate"]).to_owned(),
        };
        self.say(line);
    }

    fn nodes(&mut self) -> String {
        let version = self.one(&["v1", "v1", "v2", "v3", "any"]);
        match self.random.below(10) {
            0..5 => {
                format!("nodes {}", self.one(&["0", "1", "2", "3", "5", "8", "10", "13"]))
            }
            5..7 => format!("lose {version} {}", self.number(1, 2)),
            7..9 => format!("close {version} {}", self.number(1, 2)),
            _ => "open".to_owned(),
        }
    }

    fn apply_daemon(&mut self) -> String {
        let version = self.one(&VERSIONS);
        let words = [
            "",
            "",
            "",
            "",
            " min-ready=2s",
            " surge=0 unavailable=2",
            " surge=1 unavailable=0",
            " recreate=-",
        ];
        let more = self.one(&words);
        format!("apply {version}{more}")
    }

    fn kubectl_daemon(&mut self) -> String {
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
            "strip",
            "apply",
            "apply recreate=-",
            "edit surge=0 unavailable=3",
            "edit surge=1 unavailable=0",
            "edit min-ready=4s",
            "set-image v3",
        ];
        self.one(&words).to_owned()
    }
}
