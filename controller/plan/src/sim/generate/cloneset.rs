//! Stories of a CloneSet by seed. Owns the odds where they are others than a Deployment's: its
//! partition is the user's own, its surge and its pause are never Sluice's.

use super::{Teller, VERSIONS};

const REPLICAS: [i32; 12] = [1, 2, 3, 3, 4, 5, 6, 7, 8, 10, 10, 15];
const LIMITS: [&str; 12] = [
    "",
    "",
    "",
    "",
    " surge=1 unavailable=0",
    " surge=50% unavailable=0",
    " surge=2 unavailable=1",
    " unavailable=1",
    " unavailable=1",
    " unavailable=50%",
    " unavailable=3",
    " surge=30% unavailable=20%",
];
const PARTITIONS: [&str; 10] = [
    "",
    "",
    "",
    "",
    "",
    " partition=1",
    " partition=2",
    " partition=30%",
    " partition=33.3%",
    " partition=95%",
];

impl Teller {
    pub(super) fn cloned_workload(&mut self) {
        let replicas = self.random.pick(&REPLICAS).copied().unwrap_or(3);
        let (limits, partition) = (self.one(&LIMITS), self.one(&PARTITIONS));
        let ready = self.one(&["", "", "", "", " min-ready=1s", " min-ready=3s"]);
        let history = self.one(&["", "", "", "", " history=0", " history=1"]);
        let deadline = self.one(&["", "", "", "", " deadline=30s"]);
        for version in ["v2", "v3"] {
            self.behaviour(version);
        }
        if self.random.chance(10) {
            self.say("server-side");
        }
        let rest = format!("{limits}{partition}{ready}{history}{deadline}");
        if self.random.chance(30) {
            self.say(format!("apply v1 cloneset replicas={replicas}{rest}"));
        } else {
            self.say(format!("apply v1 cloneset{rest}"));
            self.say(format!("scale {replicas}"));
        }
        self.say("tick 20s");
    }

    pub(super) fn act_cloned(&mut self) {
        let line = match self.random.below(100) {
            0..16 => self.apply_cloned(),
            16..30 => {
                format!("scale {}", self.one(&["0", "1", "2", "3", "5", "8", "10", "13", "20"]))
            }
            30..42 => self.ask(),
            42..56 => self.kubectl_cloned(),
            56..66 => self.pods(),
            66..76 => self.fault(),
            76..92 => self.outage(),
            92..97 => self.rollout(),
            _ => self.one(&["rollout-delete", "delete"]).to_owned(),
        };
        self.say(line);
    }

    fn apply_cloned(&mut self) -> String {
        let version = self.one(&VERSIONS);
        let words = [
            "",
            "",
            "",
            "",
            "",
            " min-ready=2s",
            " partition=1",
            " partition=40%",
            " partition=-",
            " surge=2 unavailable=0",
            " paused=true",
        ];
        let more = self.one(&words);
        format!("apply {version}{more}")
    }

    fn kubectl_cloned(&mut self) -> String {
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
            "edit partition=0",
            "edit partition=2",
            "edit partition=50%",
            "edit surge=3 unavailable=1",
            "edit min-ready=4s",
            "set-image v3",
        ];
        self.one(&words).to_owned()
    }
}
