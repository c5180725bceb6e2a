//! What a test tells the observer. Every word is said before the deed, except those that narrow
//! what is allowed: these are said once the deed is done.

use std::fmt;

use super::Wishes;

/// A word of the test.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// About to write another pod template: a release begins, or the running one is superseded.
    Begin,
    /// About to promote the release from batch `batch`, 1 for the first.
    Promote {
        /// The batch that is left.
        batch: usize,
    },
    /// About to promote to the end, past all pauses.
    PromoteFull,
    /// Not a single pod of the update may start before the test resumes the release.
    Held,
    /// The release was stopped and must not reach another batch.
    Paused,
    /// About to write other wishes into Deployment or Rollout.
    Wishes(Wishes),
    /// About to take that stop back.
    Resume,
    /// About to bring the stable template back: rollback or abort.
    Return,
    /// The release may be aborted by itself from now on (`onFailure: Abort`).
    MayReturn,
    /// About to scale.
    Scale {
        /// The new spec.replicas.
        replicas: i32,
    },
    /// The scalings so far are through: Sluice and the stock controller have answered them.
    Rested,
    /// About to write something else into the Deployment's spec.
    Edit,
    /// About to end these pods, which no one else is to be blamed for.
    Excuse {
        /// Their names.
        pods: Vec<String>,
    },
    /// The Deployment's spec must not move at all from now on.
    Freeze,
    /// About to do something: the spec may move again.
    Thaw,
    /// The release is over: nothing may move from now on.
    Settled,
    /// No deed; a line for the timeline.
    Note(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("a new template is coming"),
            Self::Promote { batch } => write!(f, "promote from batch {batch}"),
            Self::PromoteFull => f.write_str("promote to the end"),
            Self::Held => f.write_str("held: not a single pod"),
            Self::Wishes(wishes) => write!(f, "other wishes: {wishes:?}"),
            Self::Paused => f.write_str("paused: no further batch"),
            Self::Resume => f.write_str("resume"),
            Self::Return => f.write_str("back to the stable template"),
            Self::MayReturn => f.write_str("an abort may come by itself"),
            Self::Scale { replicas } => write!(f, "scale to {replicas}"),
            Self::Rested => f.write_str("at rest again after scaling"),
            Self::Edit => f.write_str("another edit of the spec"),
            Self::Excuse { pods } => write!(f, "about to end {}", pods.join(", ")),
            Self::Freeze => f.write_str("the spec must not move"),
            Self::Thaw => f.write_str("the spec may move"),
            Self::Settled => f.write_str("settled: nothing may move"),
            Self::Note(text) => f.write_str(text),
        }
    }
}
