//! What the answer to a hook means: a status and some words. Owns which answers are a pass, which
//! are a fail, and which are none at all. Sends nothing.

use std::fmt;

use crate::Verdict;

/// More of an answer's words is not kept.
pub const WORDS_CHARS_MAX: usize = 200;

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookAnswer {
    /// Of HTTP.
    pub status: u16,
    /// What it said, fit to be shown.
    pub words: String,
}

/// Why there is no answer to judge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookTrouble {
    /// No answer came: no connection, a time-out, the end of the connection in the middle of one.
    #[error("the hook does not answer: {0}")]
    Unreachable(String),
    /// There is nobody to send it to, or nothing to sign it with.
    #[error("the hook was not sent: {0}")]
    Unsent(String),
    /// Others were before it for longer than the gate's interval.
    #[error("the hook was not sent: {0}")]
    Queued(String),
}

/// An answer, or why there is none.
pub type Heard = Result<HookAnswer, HookTrouble>;

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFinding {
    /// Pass.
    Accepted(HookAnswer),
    /// Fail.
    Refused(HookAnswer),
    /// Pending: whoever confirms has not done so.
    NotConfirmed(HookAnswer),
    /// Error: it can say nothing now, and says so.
    Unavailable(HookAnswer),
    /// Error: no answer.
    Trouble(HookTrouble),
}

impl HookAnswer {
    /// Of this status, with the words of a body.
    #[must_use]
    pub fn new(status: u16, body: &[u8]) -> Self {
        Self { status, words: words(body) }
    }

    /// The server, or what is before it, has failed.
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self.status, 500..=599)
    }

    /// It speaks of the server or of what is before it, not of the release.
    fn is_unavailable(&self) -> bool {
        self.is_server_error() || matches!(self.status, 408 | 425 | 429)
    }
}

impl HookFinding {
    /// Judges an answer; what `confirms` is waited for, whatever else is answered.
    #[must_use]
    pub fn of(heard: &Heard, confirms: bool) -> Self {
        match heard.clone() {
            Err(trouble) => Self::Trouble(trouble),
            Ok(answer) if (200..300).contains(&answer.status) => Self::Accepted(answer),
            Ok(answer) if answer.is_unavailable() => Self::Unavailable(answer),
            Ok(answer) if confirms => Self::NotConfirmed(answer),
            Ok(answer) => Self::Refused(answer),
        }
    }

    /// What follows.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Accepted(_) => Verdict::Pass,
            Self::Refused(_) => Verdict::Fail,
            Self::NotConfirmed(_) => Verdict::Pending,
            Self::Unavailable(_) | Self::Trouble(_) => Verdict::Error,
        }
    }

    /// A stable CamelCase word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "Accepted",
            Self::Refused(_) => "Refused",
            Self::NotConfirmed(_) => "NotConfirmed",
            Self::Unavailable(_) => "Unavailable",
            Self::Trouble(HookTrouble::Unreachable(_)) => "Unreachable",
            Self::Trouble(HookTrouble::Unsent(_)) => "Unsent",
            Self::Trouble(HookTrouble::Queued(_)) => "Queued",
        }
    }
}

impl fmt::Display for HookAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, ": {}", self.words) }
    }
}

impl fmt::Display for HookFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(answer) => write!(f, "the hook accepts with {answer}"),
            Self::Refused(answer) => write!(f, "the hook refuses with {answer}"),
            Self::NotConfirmed(answer) => write!(f, "not confirmed, {answer}"),
            Self::Unavailable(answer) => write!(f, "the hook is not available, {answer}"),
            Self::Trouble(trouble) => trouble.fmt(f),
        }
    }
}

/// The beginning of a text of somebody else's, in one line, without what hides or turns text.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut words = String::new();
    let mut left = WORDS_CHARS_MAX;
    let parts = text.split(|char: char| char.is_whitespace() || char.is_control());
    for part in parts.filter(|part| !part.chars().all(is_hidden)) {
        let between = if words.is_empty() { "" } else { " " };
        for char in between.chars().chain(part.chars().filter(|char| !is_hidden(*char))) {
            if left == 0 {
                return words + "...";
            }
            words.push(char);
            left -= 1;
        }
    }
    words
}

/// Takes no room, or changes the direction of what follows.
fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests;
