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
        if let Some((field, pair, why)) = self.wrong(condition) {
            return Err(Unsayable { at, field, asked: shown(pair), why });
        }
        self.header = condition.headers.first().or(self.header);
        self.cookie = condition.cookies.first().or(self.cookie);
        Ok(())
    }

    /// What cannot be said beside what was taken before.
    fn wrong<'b>(
        &self,
        condition: &'b Condition,
    ) -> Option<(&'static str, &'b Pair, &'static str)> {
        let Condition { headers, query_params, cookies } = condition;
        let odd = |pair: &&Pair| pair.value != ALWAYS || pair.compare != Compare::Exact;
        let other = |pair: &&Pair| self.header.is_some_and(|taken| taken != *pair);
        let another = |pair: &&Pair| self.cookie.is_some_and(|taken| taken != *pair);
        let (header, cookie) = (headers.first(), cookies.first());
        let both = cookie.filter(|_| header.is_some());
        let found = [
            ("queryParams", query_params.first(), "match a header or a cookie instead"),
            ("headers", headers.get(1), "a match of an Ingress has one header: give one"),
            ("cookies", cookies.get(1), "a match of an Ingress has one cookie: give one"),
            ("cookies", both, "not with a header at once: give two matches, and either is enough"),
            ("cookies", cookie.filter(odd), "a cookie of an Ingress is Exact, its value always"),
            ("headers", header.filter(other), "an Ingress has one header for all: remove a match"),
            (
                "cookies",
                cookie.filter(another),
                "an Ingress has one cookie for all: remove a match",
            ),
        ];
        found.into_iter().find_map(|(field, pair, why)| Some((field, pair?, why)))
    }
}

/// Short: it is part of a line.
fn shown(pair: &Pair) -> String {
    let cut = |text: &str| text.chars().take(20).collect::<String>();
    format!("{}={}", cut(&pair.name), cut(&pair.value))
}
