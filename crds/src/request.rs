//! A human's one-shot wish, as the CLI writes it on the Rollout. Owns the schema; whether a
//! request is granted is the planner's decision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Revision;

/// What a human asks for. It names the revision and batch that the human saw, so that a late
/// click never approves another batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Chosen by the asker; a request is answered once for each id.
    pub id: String,
    /// What is asked.
    pub verb: Verb,
    /// The update revision that is meant (for retry: the rejected one).
    pub revision: Revision,
    /// The batch that is meant, 1 for the first; 0 where no batch is meant.
    #[serde(default)]
    pub batch: u32,
    /// Who asked: stamped by the webhook, not claimed by the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The things that a human can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Go on to the next batch.
    Promote,
    /// Go on to the last batch, without further pauses.
    PromoteFull,
    /// Stop before the next batch.
    Pause,
    /// Take a pause back.
    Resume,
    /// Go back to the stable revision and reject this one.
    Abort,
    /// Let the rejected revision in again, from the first batch.
    Retry,
    /// Let the batch go on without its gates.
    SkipGates,
}
