//! Text that a user wrote, made fit to be shown to people: in warnings, in logs.

use std::fmt::Write;

/// client-go and the apiserver promise to carry a warning of this size whole.
const WARNING_BYTES_MAX: usize = 256;
/// Names, namespaces and user names fit; nothing else belongs into a log line.
const LOGGED_BYTES_MAX: usize = 256;
const ELLIPSIS: &str = "...";

/// A text as an admission warning: one bounded line without control characters, which an HTTP
/// header could not carry.
#[must_use]
pub fn warning(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shortened(spaced, WARNING_BYTES_MAX)
}

/// A text for a log line: bounded, with control characters and quotes escaped.
#[must_use]
pub fn logged(text: &str) -> String {
    shortened(text.chars().flat_map(char::escape_debug), LOGGED_BYTES_MAX)
}

fn shortened(chars: impl Iterator<Item = char>, bytes_max: usize) -> String {
    let mut text = String::new();
    for c in chars {
        if text.len() + c.len_utf8() > bytes_max {
            let mut end = bytes_max - ELLIPSIS.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            // Writing to a String has no way to fail.
            let _ = text.write_str(ELLIPSIS);
            break;
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_and_escapes_do_not_get_through() {
        assert_eq!(warning("a\r\nb\u{1b}[31m\0"), "a  b [31m ");
        assert_eq!(logged("a\n\"b\""), "a\\n\\\"b\\\"");
    }

    #[test]
    fn long_texts_end_in_dots() {
        let text = warning(&"é".repeat(200));
        assert!(text.ends_with("é...") && text.len() <= WARNING_BYTES_MAX, "{text}");
        assert_eq!(warning(&"x".repeat(256)), "x".repeat(256));
    }

    proptest! {
        #[test]
        fn every_text_is_bounded_and_printable(text in any::<String>()) {
            for made in [warning(&text), logged(&text)] {
                prop_assert!(made.len() <= 256 && !made.chars().any(char::is_control));
            }
        }
    }
}
