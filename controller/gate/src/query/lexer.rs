//! Where in a PromQL text one stands: outside, in which literal, in a comment. Owns that, and
//! reads nothing else of the language.

use std::fmt;

/// What a literal that can be escaped is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// `"`
    Double,
    /// `'`
    Single,
}

impl Quote {
    pub(super) fn char(self) -> char {
        match self {
            Self::Double => '"',
            Self::Single => '\'',
        }
    }
}

/// Where a placeholder stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Not in a literal.
    #[default]
    Outside,
    /// In a literal; it is matched as a regular expression.
    Literal(Quote, bool),
    /// Behind a backslash in a literal.
    Escape,
    /// In a raw literal.
    Backticks,
    /// Behind a `#`.
    Comment,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside => "outside of a string literal",
            Self::Literal(_, true) => "in a literal that is matched as a regular expression",
            Self::Literal(_, false) => "in a string literal",
            Self::Escape => "behind a backslash",
            Self::Backticks => "between backticks",
            Self::Comment => "in a comment",
        })
    }
}

/// Reads text piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexer {
    place: Place,
    /// In a literal, behind a backslash.
    escaped: bool,
    /// The last two characters that are no space, outside of literals.
    last: [Option<char>; 2],
}

impl Lexer {
    pub fn read(&mut self, text: &str) {
        text.chars().for_each(|char| self.step(char));
    }

    pub fn place(&self) -> Place {
        if self.escaped { Place::Escape } else { self.place }
    }

    fn step(&mut self, char: char) {
        self.place = match (self.place, char) {
            (Place::Outside, _) => return self.outside(char),
            (Place::Comment, '\n') | (Place::Backticks, '`') => Place::Outside,
            (Place::Literal(..), _) if self.escaped => {
                self.escaped = false;
                return;
            }
            (Place::Literal(..), '\\') => {
                self.escaped = true;
                return;
            }
            (Place::Literal(quote, _), char) if char == quote.char() => Place::Outside,
            (place, _) => place,
        };
    }

    fn outside(&mut self, char: char) {
        let matched = matches!(self.last, [Some('=' | '!'), Some('~')]);
        self.place = match char {
            '"' => Place::Literal(Quote::Double, matched),
            '\'' => Place::Literal(Quote::Single, matched),
            '`' => Place::Backticks,
            '#' => Place::Comment,
            _ => Place::Outside,
        };
        if !char.is_whitespace() && self.place != Place::Comment {
            self.last = [self.last[1], Some(char)];
        }
    }
}
