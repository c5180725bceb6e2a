//! The query of a gate: PromQL with placeholders. Owns which placeholders there are, where each
//! may stand, and that no value breaks out of its string literal. Knows no other PromQL.

mod arguments;
mod escape;
mod lexer;

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use arguments::{ArgumentError, PREFIX as ARGUMENT_PREFIX, fill};
use lexer::Lexer;
pub use lexer::{Place, Quote};

/// A query with placeholders, each known and in its place. As text it is what the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A value, within a literal of this quote; as a regular expression if that is matched.
    Value(Placeholder, Quote, bool),
    Window,
}

/// What stands for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The workload's namespace.
    Namespace,
    /// The workload's name.
    Workload,
    /// The new revision.
    Revision,
    /// The stable revision.
    StableRevision,
    /// A regular expression that matches the names of the batch's pods and nothing else.
    Pods,
    /// A PromQL duration.
    Window,
}

/// All placeholders by the names that users write.
pub const PLACEHOLDERS: [(&str, Placeholder); 6] = [
    ("namespace", Placeholder::Namespace),
    ("workload", Placeholder::Workload),
    ("revision", Placeholder::Revision),
    ("stableRevision", Placeholder::StableRevision),
    ("pods", Placeholder::Pods),
    ("window", Placeholder::Window),
];

/// What the placeholders stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The workload's namespace.
    pub namespace: String,
    /// The workload's name.
    pub workload: String,
    /// The new revision.
    pub revision: String,
    /// The stable revision.
    pub stable_revision: String,
    /// Names of the pods asked about: the batch's, or for a comparison the stable ones.
    pub pods: Vec<String>,
    /// How far back the query looks, in whole milliseconds.
    pub window: Duration,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A misspelt placeholder.
    #[error("{{{{{name}}}}} is no placeholder: write one of {known}", known = known())]
    UnknownPlaceholder {
        /// What was written.
        name: String,
    },
    /// `{{` without `}}`.
    #[error(
        "a placeholder that begins with \"{{{{{after}\" does not end: write }}}} behind its name"
    )]
    Unclosed {
        /// What follows.
        after: String,
    },
    /// Its value could be read as something else there.
    #[error("{{{{{name}}}}} stands {place}: {cure}")]
    Misplaced {
        /// The placeholder.
        name: &'static str,
        /// Where it stands.
        place: Place,
        /// What to write instead.
        cure: &'static str,
    },
}

/// Why a query cannot be asked now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A regular expression of no pods would match every series without a pod.
    #[error("the query names {{{{pods}}}}, and there are no pods yet: it is asked once there are")]
    NoPods,
    /// A window of nothing.
    #[error("the query names {{{{window}}}}, and no time has passed yet: it is asked later")]
    NoWindow,
}

/// The inside of a double-quoted literal that is this text.
pub(crate) fn escape_double(text: &str) -> String {
    escape::literal(text, Quote::Double)
}

fn known() -> String {
    PLACEHOLDERS.map(|(name, _)| format!("{{{{{name}}}}}")).join(", ")
}

impl Template {
    /// Reads a query with placeholders such as `{{pods}}`.
    ///
    /// # Errors
    /// A placeholder that is not known, does not end, or must not stand where it does.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let (mut lexer, mut pieces, mut rest) = (Lexer::default(), Vec::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            lexer.read(before);
            pieces.push(Piece::Text(before.into()));
            let (name, after) = behind
                .split_once("}}")
                .ok_or_else(|| QueryError::Unclosed { after: behind.chars().take(20).collect() })?;
            let piece = piece(name.trim(), &lexer)?;
            if piece == Piece::Window {
                // Any duration: what stands behind it does not stand behind what is before it.
                lexer.read("1s");
            }
            pieces.push(piece);
            rest = after;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self { text: text.into(), pieces })
    }

    /// What the user wrote.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The query to ask.
    ///
    /// # Errors
    /// It names pods or a window, and there are none yet.
    pub fn render(&self, values: &Values) -> Result<String, RenderError> {
        let mut query = String::with_capacity(self.text.len() * 2);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => query.push_str(text),
                Piece::Window => query.push_str(&window(values.window)?),
                Piece::Value(placeholder, quote, matched) => {
                    let value = value(*placeholder, *matched, values)?;
                    query.push_str(&escape::literal(&value, *quote));
                }
            }
        }
        Ok(query)
    }
}

fn piece(name: &str, lexer: &Lexer) -> Result<Piece, QueryError> {
    let Some((name, placeholder)) = PLACEHOLDERS.into_iter().find(|(known, _)| *known == name)
    else {
        return Err(QueryError::UnknownPlaceholder { name: name.chars().take(40).collect() });
    };
    let place = lexer.place();
    let misplaced = |cure| Err(QueryError::Misplaced { name, place, cure });
    match (placeholder, place) {
        (_, Place::Comment) => misplaced("leave it out of the comment"),
        (_, Place::Backticks) => {
            misplaced("write the literal in double quotes, backticks cannot be escaped")
        }
        (_, Place::Escape) => misplaced("leave the backslash before it out"),
        (Placeholder::Window, Place::Outside) => Ok(Piece::Window),
        (Placeholder::Window, _) => misplaced("write it as a range, such as [{{window}}]"),
        (_, Place::Outside) => misplaced("put it in double quotes, as a label's value"),
        (Placeholder::Pods, Place::Literal(_, false)) => {
            misplaced("match it with =~ or !~, it is a regular expression")
        }
        (_, Place::Literal(quote, matched)) => Ok(Piece::Value(placeholder, quote, matched)),
    }
}

fn value(placeholder: Placeholder, matched: bool, v: &Values) -> Result<String, RenderError> {
    let name = match placeholder {
        Placeholder::Namespace => &v.namespace,
        Placeholder::Workload => &v.workload,
        Placeholder::Revision => &v.revision,
        Placeholder::StableRevision => &v.stable_revision,
        Placeholder::Window => return window(v.window),
        Placeholder::Pods => return pods(&v.pods),
    };
    Ok(if matched { escape::regex(name) } else { name.clone() })
}

/// One of the names and nothing else. Prometheus itself anchors what it matches at both ends; the
/// group keeps that true beside other text of the literal.
fn pods(names: &[String]) -> Result<String, RenderError> {
    if names.is_empty() {
        return Err(RenderError::NoPods);
    }
    let names: Vec<String> = names.iter().map(|name| escape::regex(name)).collect();
    Ok(format!("(?:{})", names.join("|")))
}

/// How old the sample of a plain selector may be, as Prometheus reads it: as old as the window,
/// and not its own five minutes. Nobody scrapes oftener than each second, and 0 would mean those
/// five minutes.
#[must_use]
pub fn lookback(longest: Duration) -> String {
    const LEAST: Duration = Duration::from_secs(1);
    window(longest.max(LEAST)).unwrap_or_default()
}

fn window(window: Duration) -> Result<String, RenderError> {
    match window.as_millis() {
        0 => Err(RenderError::NoWindow),
        millis if millis % 1000 == 0 => Ok(format!("{}s", millis / 1000)),
        millis => Ok(format!("{millis}ms")),
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
