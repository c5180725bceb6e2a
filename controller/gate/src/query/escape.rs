//! Escaping of values: into a PromQL string literal, and into a regular expression. Pure text.

use std::fmt::Write;

use super::lexer::Quote;

/// The inside of a literal that is this value. PromQL knows Go's escapes, and of the quotes only
/// the one that the literal has.
pub(super) fn literal(value: &str, quote: Quote) -> String {
    let mut escaped = String::with_capacity(value.len() + 2);
    for char in value.chars() {
        match char {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            char if char == quote.char() => {
                escaped.push('\\');
                escaped.push(char);
            }
            char if char.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\x{:02x}", u32::from(char));
            }
            // As itself it is what Prometheus takes for broken UTF-8.
            char::REPLACEMENT_CHARACTER => escaped.push_str("\\ufffd"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// A regular expression (RE2) that matches this value alone.
pub(super) fn regex(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 2);
    for char in value.chars() {
        if r"\.+*?()|[]{}^$".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
