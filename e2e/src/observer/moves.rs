//! How often the Deployment's spec may move, and where its replicas may go: nobody scales but the
//! test, the spec moves as often as a release needs and no more, and the template never
//! goes to and fro.

use std::collections::VecDeque;

use super::seen::DeploymentSeen;
use super::{Rule, Violation};

/// Moves of the spec that one word of the test may bring: what it writes, and Sluice's answer.
const PER_WORD: i64 = 4;

/// What the spec may still do.
#[derive(Clone, Debug)]
pub struct Moves {
    specs: i64,
    templates: i64,
    frozen: bool,
    /// The replicas that were told and may still be seen; the last one rules.
    replicas: VecDeque<i32>,
    last: Option<DeploymentSeen>,
}

/// What a move of the spec was.
pub struct Moved {
    /// It, for the timeline.
    pub line: String,
    /// It brought another template.
    pub turned: bool,
    /// The rules that it broke.
    pub broken: Vec<Violation>,
}

impl Moves {
    /// A spec with so many replicas that does not move.
    #[must_use]
    pub fn new(replicas: i32) -> Self {
        let replicas = VecDeque::from([replicas]);
        Self { specs: 0, templates: 0, frozen: false, replicas, last: None }
    }

    /// A word was told that may move the spec.
    pub fn allow_some(&mut self) {
        self.frozen = false;
        self.specs += PER_WORD;
    }

    /// A release begins: every batch may take a write for its beginning and one for each pod.
    pub fn allow_release(&mut self, batches: usize, replicas: i32) {
        self.specs = 2 * i64::try_from(batches).unwrap_or(0) + i64::from(replicas);
        self.templates += 1;
    }

    /// The template may change once more.
    pub fn allow_template(&mut self) {
        self.templates += 1;
    }

    /// The replicas may become these.
    pub fn allow_replicas(&mut self, replicas: i32) {
        self.replicas.push_back(replicas);
    }

    /// Not a single move from now on.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    /// The release is over, and with it what it was allowed.
    pub fn settle(&mut self) {
        (self.specs, self.templates, self.frozen) = (0, 0, true);
    }

    /// Takes in the Deployment. None if its spec did not move.
    pub fn see(&mut self, seen: &DeploymentSeen) -> Option<Moved> {
        let last = self.last.replace(seen.clone());
        if last.as_ref().is_some_and(|last| last.spec == seen.spec) {
            return None;
        }
        let moved = last.is_some();
        let turned = last.is_some_and(|last| last.template != seen.template);
        self.specs -= i64::from(moved);
        self.templates -= i64::from(turned);
        let DeploymentSeen { generation, replicas, fields, .. } = seen;
        let size = replicas.map(|replicas| format!("N={replicas} ")).unwrap_or_default();
        let mut line = format!("deployment generation {generation}: {size}{fields}");
        if turned {
            line.push_str(", another template");
        }
        Some(Moved { line, turned, broken: self.judge(seen, moved) })
    }

    fn judge(&mut self, seen: &DeploymentSeen, moved: bool) -> Vec<Violation> {
        let mut broken = Vec::new();
        let generation = seen.generation;
        if let Some(replicas) = seen.replicas {
            match self.replicas.iter().position(|told| *told == replicas) {
                Some(earlier) => drop(self.replicas.drain(..earlier)),
                None => broken.push(Violation {
                    rule: Rule::Replicas,
                    detail: format!("spec.replicas became {replicas}, told by nobody"),
                }),
            }
        }
        let flap = if moved && self.frozen {
            format!("the spec moved to generation {generation} where nothing may move")
        } else if self.specs < 0 {
            format!("generation {generation} is one more than the release needs")
        } else if self.templates < 0 {
            "the pod template changed once too often".to_owned()
        } else {
            return broken;
        };
        broken.push(Violation { rule: Rule::Flap, detail: flap });
        broken
    }
}
