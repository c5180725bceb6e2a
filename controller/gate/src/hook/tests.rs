//! Each status, and the words of strangers.

use proptest::prelude::*;

use super::*;

fn found(status: u16, confirms: bool) -> (Verdict, &'static str) {
    let finding = HookFinding::of(&Ok(HookAnswer::new(status, b"so")), confirms);
    (finding.verdict(), finding.word())
}

#[test]
fn every_status_has_its_verdict() {
    for status in 100..600 {
        let (plain, confirms) = match status {
            200..=299 => ((Verdict::Pass, "Accepted"), (Verdict::Pass, "Accepted")),
            408 | 425 | 429 | 500..=599 => {
                ((Verdict::Error, "Unavailable"), (Verdict::Error, "Unavailable"))
            }
            _ => ((Verdict::Fail, "Refused"), (Verdict::Pending, "NotConfirmed")),
        };
        assert_eq!((found(status, false), found(status, true)), (plain, confirms), "{status}");
    }
}

#[test]
fn no_answer_is_an_error_and_says_why() {
    for confirms in [false, true] {
        let finding = HookFinding::of(&Err(HookTrouble::Unreachable("refused".into())), confirms);
        assert_eq!((finding.verdict(), finding.word()), (Verdict::Error, "Unreachable"));
        assert_eq!(finding.to_string(), "the hook does not answer: refused");
    }
}

#[test]
fn an_answer_is_told_with_its_words() {
    let told = |body: &[u8]| HookFinding::of(&Ok(HookAnswer::new(409, body)), false).to_string();
    assert_eq!(told(b""), "the hook refuses with HTTP 409");
    assert_eq!(
        told(b" frozen\r\n\tuntil  Monday\n"),
        "the hook refuses with HTTP 409: frozen until Monday"
    );
}

#[test]
fn words_of_strangers_are_one_short_visible_line() {
    let said = |body: &str| HookAnswer::new(500, body.as_bytes()).words;
    assert_eq!(said("\u{1b}[31mred\u{1b}[0m"), "[31mred [0m");
    assert_eq!(said("user\u{202e}gpj.exe \u{200b} \u{feff}"), "usergpj.exe");
    assert_eq!(HookAnswer::new(500, b"\xff\xfeok").words, "\u{fffd}\u{fffd}ok");
    let long = said(&"ü".repeat(1000));
    assert_eq!((long.chars().count(), long.ends_with("ü...")), (WORDS_CHARS_MAX + 3, true));
    assert_eq!(said(&"ü".repeat(WORDS_CHARS_MAX)), "ü".repeat(WORDS_CHARS_MAX));
}

proptest! {
    #[test]
    fn no_body_breaks_the_line(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let words = HookAnswer::new(200, &body).words;
        prop_assert!(words.chars().count() <= WORDS_CHARS_MAX + 3);
        prop_assert!(!words.chars().any(|char| char.is_control() || is_hidden(char)));
    }
}
