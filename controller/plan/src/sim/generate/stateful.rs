//! Stories of a StatefulSet by seed. Owns the odds where they are others than a Deployment's:
//! nothing is paused, no pod is ever beside another.

use super::{Teller, VERSIONS};

const REPLICAS: [i32; 10] = [1, 2, 3, 3, 4, 5, 5, 6, 8, 12];

impl Teller {
    pub(super) fn stateful_workload(&mut self) {
        let replicas = self.random.pick(&REPLICAS).copied().unwrap_or(3);
        let policy = self.one(&["", "", " parallel"]);
        let partition = self.one(&["", "", "", "", " partition=1", " partition=2", " partition=5"]);
        let ready = self.one(&["", "", "", "", " min-ready=1s", " min-ready=3s"]);
        let history = self.one(&["", "", "", "", " history=0", " history=1"]);
        for version in ["v2", "v3"] {
            self.behaviour(version);
        }
        if self.random.chance(10) {
            self.say("server-side");
        }
        let rest = format!("{policy}{partition}{ready}{history}");
        if self.random.chance(30) {
            self.say(format!("apply v1 statefulset replicas={replicas}{rest}"));
        } else {
            self.say(format!("apply v1 statefulset{rest}"));
            self.say(format!("scale {replicas}"));
        }
        self.say("tick 1m30s");
    }

    pub(super) fn act_stateful(&mut self) {
        let line = match self.random.below(100) {
            0..16 => self.apply_stateful(),
            16..28 => {
                format!("scale {}", self.one(&["0", "1", "2", "3", "5", "8", "10", "13"]))
            }
            28..40 => self.ask(),
            40..54 => self.kubectl_stateful(),
            54..64 => self.pods(),
            64..76 => self.fault(),
            76..92 => self.outage(),
            92..97 => self.rollout(),
            _ => self.one(&["rollout-delete", "delete"]).to_owned(),
        };
        self.say(line);
    }

    fn apply_stateful(&mut self) -> String {
        let version = self.one(&VERSIONS);
        let words = ["", "", "", "", "", " min-ready=2s", " partition=1", " partition=-"];
        let more = self.one(&words);
        format!("apply {version}{more}")
    }

    fn kubectl_stateful(&mut self) -> String {
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
            "edit partition=0",
            "edit partition=2",
            "edit min-ready=4s",
            "set-image v3",
        ];
        self.one(&words).to_owned()
    }
}
