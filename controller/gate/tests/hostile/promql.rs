//! How Prometheus splits a query into words, of which only literals are read closely. Written
//! after its lexer and not after ours, to find where they differ.

use std::iter::Peekable;
use std::str::Chars;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A character outside of literals that is no space.
    Char(char),
    /// What a literal stands for, in bytes.
    Literal(Vec<u8>),
    /// A comment, without its end.
    Comment(String),
}

/// The words of a query, unless Prometheus refuses its literals.
pub fn words(query: &str) -> Option<Vec<Word>> {
    let (mut words, mut chars) = (Vec::new(), query.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\n' | '\r' => {}
            '"' | '\'' => words.push(Word::Literal(literal(char, &mut chars)?)),
            '`' => words.push(Word::Literal(raw(&mut chars)?)),
            '#' => words.push(Word::Comment(comment(&mut chars))),
            char => words.push(Word::Char(char)),
        }
    }
    Some(words)
}

fn raw(chars: &mut Peekable<Chars>) -> Option<Vec<u8>> {
    let mut value = String::new();
    loop {
        match chars.next()? {
            '`' => return Some(value.into_bytes()),
            char::REPLACEMENT_CHARACTER => return None,
            char => value.push(char),
        }
    }
}

fn comment(chars: &mut Peekable<Chars>) -> String {
    let mut text = String::new();
    while let Some(char) = chars.next_if(|char| !"\r\n".contains(*char)) {
        text.push(char);
    }
    text
}

fn literal(quote: char, chars: &mut Peekable<Chars>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    loop {
        match chars.next()? {
            '\n' | char::REPLACEMENT_CHARACTER => return None,
            '\\' => escape(quote, chars, &mut value)?,
            char if char == quote => return Some(value),
            char => push(&mut value, char),
        }
    }
}

fn push(value: &mut Vec<u8>, char: char) {
    value.extend(char.encode_utf8(&mut [0; 4]).bytes());
}

fn escape(quote: char, chars: &mut Peekable<Chars>, value: &mut Vec<u8>) -> Option<()> {
    let known = [
        ('a', 7),
        ('b', 8),
        ('t', 9),
        ('n', 10),
        ('v', 11),
        ('f', 12),
        ('r', 13),
        ('\\', b'\\'),
        ('\'', b'\''),
        ('"', b'"'),
    ];
    match chars.next()? {
        other @ ('\'' | '"') if other != quote => None,
        'x' => {
            value.push(u8::try_from(number(chars, 16, 2)?).ok()?);
            Some(())
        }
        'u' => {
            push(value, char::from_u32(number(chars, 16, 4)?)?);
            Some(())
        }
        'U' => {
            push(value, char::from_u32(number(chars, 16, 8)?)?);
            Some(())
        }
        first @ '0'..='7' => {
            let high = first.to_digit(8)? * 64;
            value.push(u8::try_from(high + number(chars, 8, 2)?).ok()?);
            Some(())
        }
        char => {
            let (_, byte) = known.into_iter().find(|(name, _)| *name == char)?;
            value.push(byte);
            Some(())
        }
    }
}

fn number(chars: &mut Peekable<Chars>, base: u32, digits: usize) -> Option<u32> {
    (0..digits)
        .try_fold(0_u32, |sum, _| sum.checked_mul(base)?.checked_add(chars.next()?.to_digit(base)?))
}

#[test]
fn words_are_read_as_prometheus_reads_them() {
    let literal = |text: &str| Word::Literal(text.as_bytes().to_vec());
    assert_eq!(words(r#""a\"\x41\101é\n""#), Some(vec![literal("a\"AAé\n")]));
    assert_eq!(words("`\\x41\n`'\"'"), Some(vec![literal("\\x41\n"), literal("\"")]));
    assert_eq!(words("#a\"\ry"), Some(vec![Word::Comment("a\"".into()), Word::Char('y')]));
    for refused in [r#"""""#, "\"\n\"", r#""\'""#, r#""\x4g""#, r#""\400""#, r#""\ud800""#, "`"] {
        assert_eq!(words(refused), None, "{refused}");
    }
}
