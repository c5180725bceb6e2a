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
    /// Behind a backslash in a literal, or among the digits that follow it.
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
    escape: Escape,
    comment: Comment,
    /// The last two characters that are no space, outside of literals.
    last: [Option<char>; 2],
}

/// Whether one stands within an escape of a literal, such as `\n` or `\x22`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// Behind the backslash.
    Begun,
    /// So many digits are left.
    Digits(u8),
}

/// How a comment may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Comment {
    #[default]
    AtNewline,
    /// Behind a carriage return.
    Returned,
    /// Never: Prometheus ends a comment at a lone carriage return and others do not, so that
    /// nobody knows where one stands behind it.
    Lost,
}

impl Lexer {
    pub fn read(&mut self, text: &str) {
        text.chars().for_each(|char| self.step(char));
    }

    pub fn place(&self) -> Place {
        if self.escape == Escape::None { self.place } else { Place::Escape }
    }

    fn step(&mut self, char: char) {
        match self.place {
            Place::Outside | Place::Escape => self.outside(char),
            Place::Comment => self.comment(char),
            Place::Backticks if char == '`' => self.place = Place::Outside,
            Place::Backticks => {}
            Place::Literal(quote, _) => self.literal(char, quote),
        }
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

    fn comment(&mut self, char: char) {
        self.comment = match (self.comment, char) {
            (Comment::AtNewline, '\r') => Comment::Returned,
            (Comment::AtNewline | Comment::Returned, '\n') => {
                self.place = Place::Outside;
                Comment::AtNewline
            }
            (Comment::Returned, _) => Comment::Lost,
            (comment, _) => comment,
        };
    }

    fn literal(&mut self, char: char, quote: Quote) {
        self.escape = match (self.escape, char) {
            (Escape::None, '\\') => Escape::Begun,
            (Escape::Begun, 'x' | '0'..='7') => Escape::Digits(2),
            (Escape::Begun, 'u') => Escape::Digits(4),
            (Escape::Begun, 'U') => Escape::Digits(8),
            (Escape::Digits(left), _) if left > 1 => Escape::Digits(left - 1),
            (Escape::None, char) if char == quote.char() => {
                self.place = Place::Outside;
                Escape::None
            }
            _ => Escape::None,
        };
    }
}
