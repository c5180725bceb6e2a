//! People and their tools: a manifest that is applied, kubectl's verbs, requests to Sluice. Each
//! write goes the way that the tool's goes, and the checks are told what the user means by it.

mod kubectl;
pub mod manifest;
mod nodes;
mod sluice;

pub use manifest::{Manifest, Own, Stated};

use super::cluster::Refused;

/// The name under which users write.
pub const WRITER: &str = "alice";

/// What a user's command said.
pub type Said = Result<String, Refused>;

/// What a user has in hand: the manifest, how it is applied, and what the tool remembers.
#[derive(Clone, Debug)]
pub struct User {
    pub manifest: Manifest,
    /// What was applied last, as JSON.
    pub last: serde_json::Value,
    /// What was stated then.
    pub last_stated: Stated,
    /// Apply server-side, with force.
    pub server_side: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            manifest: Manifest { stated: Stated::default(), version: "v1".to_owned() },
            last: serde_json::Value::Null,
            last_stated: Stated::default(),
            server_side: false,
        }
    }
}
