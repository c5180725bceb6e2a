//! The identity of a pod template. Owns the hash; knows nothing of releases.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::contract::POD_TEMPLATE_HASH_LABEL;

/// A hash of a pod template, short enough to be read aloud. Equal templates have equal revisions
/// whatever the order of their keys.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Default,
)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// The revision of a `spec.template` as the apiserver shows it. The label that the stock
    /// controller adds to the templates of its ReplicaSets does not count.
    #[must_use]
    pub fn of_template(template: &Value) -> Self {
        let mut hasher = Sha256::new();
        feed(&mut hasher, template, &["metadata", "labels", POD_TEMPLATE_HASH_LABEL]);
        let digest = hasher.finalize();
        Self(digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The revision as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Revision {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Feeds `value` with every part delimited, keys sorted, and nothing that the stock controller
/// treats as absent: null and empty lists. An empty map counts: what the apiserver still shows as
/// `{}` is a pointer that is set (`securityContext: {}`), and to set it is a new ReplicaSet.
/// `skip` is the path of the one key that does not count.
fn feed(hasher: &mut Sha256, value: &Value, skip: &[&str]) {
    match value {
        Value::Object(map) => {
            hasher.update(b"{");
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            for key in keys {
                let rest = match skip {
                    [last] if last == key => continue,
                    [first, rest @ ..] if first == key => rest,
                    _ => &[],
                };
                if is_absent(&map[key], rest) {
                    continue;
                }
                hasher.update(key.len().to_le_bytes());
                hasher.update(key.as_bytes());
                feed(hasher, &map[key], rest);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| feed(hasher, item, &[]));
            hasher.update(b"]");
        }
        leaf => {
            let text = leaf.to_string();
            hasher.update(text.len().to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
}

fn is_absent(value: &Value, skip: &[&str]) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => skip.len() == 1 && map.keys().all(|key| key == skip[0]),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
