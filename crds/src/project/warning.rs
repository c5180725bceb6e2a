//! What a write is told that does not simply go through. Owns the wording; each is one line of less
//! than 120 characters, which is what clients show without breaking it.

use super::field::Field;

const LIMIT: usize = 120;

/// Speaks of one Rollout.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    rollout: Option<&'a str>,
}

impl<'a> Voice<'a> {
    /// `rollout` as the workload's label has it.
    pub(super) fn of(rollout: Option<&'a str>) -> Self {
        let is_name = |name: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !name.is_empty() && name.len() <= 63 && name.bytes().all(plain)
        };
        Self { rollout: rollout.filter(is_name) }
    }

    pub(super) fn held(self) -> String {
        self.point("held by {}", "status")
    }

    pub(super) fn replaced(self) -> String {
        self.point("this version replaces the one in release, held by {}", "status")
    }

    pub(super) fn rolled_back(self) -> String {
        self.point("{} goes back to this version at once", "status")
    }

    pub(super) fn put_back(self) -> String {
        self.point("this version was rejected; {} keeps the stable one", "retry")
    }

    /// Of a release that waits until there are pods to release to, and begins again by itself.
    pub(super) fn dormant(self, replicas: i64) -> String {
        let prose = match replicas {
            0 => "put back while at zero replicas; scale up, and {} starts this version again",
            _ => "put back until stable pods run; {} then starts this version again",
        };
        self.point(prose, "explain")
    }

    pub(super) fn still_paused(self) -> String {
        self.say("stays paused until {} starts its first batch")
    }

    pub(super) fn refused(self, strategy: &str) -> String {
        self.say(&format!("strategy {strategy} was not applied: apply it again when {{}} is done"))
    }

    pub(super) fn kept(self) -> String {
        self.say("labels and annotations of sluice.dev stay as {} has them")
    }

    pub(super) fn newer(self) -> String {
        self.say("held by a newer version of Sluice: what belongs to {} stays as it was")
    }

    pub(super) fn unfenced(self) -> String {
        self.say("values of an export that {} held were not applied")
    }

    pub(super) fn overridden(self, fields: &[Field]) -> String {
        let names: Vec<_> = fields.iter().map(|field| field.name()).collect();
        self.say(&format!("applied when {{}} is done: {}", names.join(", ")))
    }

    /// With the command that tells or does more.
    fn point(self, prose: &str, verb: &str) -> String {
        let command = format!("kubectl sluice {verb} {}", self.rollout.unwrap_or_default());
        let command = command.trim_end();
        let line = format!("{}: {command}", self.say(prose));
        match prose.split_once(';') {
            _ if line.len() < LIMIT => line,
            Some((gist, _)) => format!("{gist}: {command}"),
            None => format!("held by its Rollout: {command}"),
        }
    }

    fn say(self, prose: &str) -> String {
        let name =
            self.rollout.map_or("its Rollout".into(), |rollout| format!("Rollout {rollout}"));
        let line = prose.replace("{}", &name);
        if line.len() < LIMIT { line } else { prose.replace("{}", "its Rollout") }
    }
}
