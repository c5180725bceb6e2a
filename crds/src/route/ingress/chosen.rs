//! Requests that are chosen, in the words of a canary Ingress: one header and one cookie, of which
//! a request has to have one. Owns what can be said so; a batch that asks for more is refused.

use super::super::hold::{Compare, Condition, Pair};

/// The one value of a cookie by which requests can be chosen.
pub(super) const ALWAYS: &str = "always";

/// What a canary Ingress chooses requests by.
#[derive(Debug, Default)]
pub(super) struct Chosen<'a> {
    pub(super) header: Option<&'a Pair>,
    pub(super) cookie: Option<&'a Pair>,
}

/// Conditions that no canary Ingress can express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot choose requests by {asked}: {why}")]
pub struct Unsayable {
    /// Number of the condition.
    pub at: usize,
    /// The part of it.
    pub field: &'static str,
    /// What is asked for there.
    pub asked: String,
    /// Why not, and what to write instead.
    pub why: &'static str,
}

/// Whether a canary Ingress can choose requests so.
///
/// # Errors
/// The first thing that it cannot say.
pub fn sayable(conditions: &[Condition]) -> Result<(), Unsayable> {
    Chosen::of(conditions).map(drop)
}

impl<'a> Chosen<'a> {
    pub(super) fn of(conditions: &'a [Condition]) -> Result<Self, Unsayable> {
        let mut chosen = Self::default();
        for (at, condition) in conditions.iter().enumerate() {
            chosen.take(at, condition)?;
        }
        Ok(chosen)
    }

    fn take(&mut self, at: usize, condition: &'a Condition) -> Result<(), Unsayable> {
        let Condition { headers, query_params, cookies } = condition;
        let no = |field, pair: &Pair, why| Err(Unsayable { at, field, asked: shown(pair), why });
        if let Some(pair) = query_params.first() {
            return no("queryParams", pair, "match a header or a cookie instead");
        }
        if let Some(pair) = headers.get(1) {
            return no("headers", pair, "an Ingress asks for one header: give one");
        }
        if let Some(pair) = cookies.get(1) {
            return no("cookies", pair, "an Ingress asks for one cookie: give one");
        }
        if let (Some(_), Some(pair)) = (headers.first(), cookies.first()) {
            return no(
                "cookies",
                pair,
                "not with a header at once: give two matches, of which one does",
            );
        }
        if let Some(pair) = headers.first() {
            if self.header.replace(pair).is_some() {
                return no(
                    "headers",
                    pair,
                    "an Ingress has one header for all matches: remove one",
                );
            }
        }
        if let Some(pair) = cookies.first() {
            if pair.value != ALWAYS || pair.compare != Compare::Exact {
                return no("cookies", pair, "a cookie of an Ingress is Exact, its value always");
            }
            if self.cookie.replace(pair).is_some() {
                return no(
                    "cookies",
                    pair,
                    "an Ingress has one cookie for all matches: remove one",
                );
            }
        }
        Ok(())
    }
}

/// Short: it is part of a line.
fn shown(pair: &Pair) -> String {
    let cut = |text: &str| text.chars().take(20).collect::<String>();
    format!("{}={}", cut(&pair.name), cut(&pair.value))
}
