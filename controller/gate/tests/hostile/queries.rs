//! No value leaves its literal, nor changes what is around it, whatever template it stands in.

use std::cell::Cell;
use std::time::Duration;

use gate::{Template, Values};
use proptest::prelude::*;

use crate::promql::{Word, words};

/// Values that mean nothing anywhere, and that no template has.
const HARMLESS: [&str; 3] = ["QnamespaceQ", "QworkloadQ", "QpodQ"];

fn values([namespace, workload, pod]: [&str; 3]) -> Values {
    Values {
        namespace: namespace.into(),
        workload: workload.into(),
        revision: "QrevisionQ".into(),
        stable_revision: "QstableQ".into(),
        pods: vec![pod.into()],
        window: Duration::from_secs(60),
    }
}

/// Text that could break out of something.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"["'`\\{}()|.*+?\[\]^$#~= \n\r\ta-cnxuU0-7{{}}]{0,12}"#,
        Just("\u{fffd}".to_owned()),
        Just("22\"} or vector(0) #".to_owned()),
    ]
}

/// What is dangerous to misread, in any order.
fn parts(most: usize) -> impl Strategy<Value = String> {
    let parts = [
        "{{workload}}",
        "{{window}}",
        "\"",
        "'",
        "`",
        "\\",
        "\\\\",
        "\\\"",
        "x",
        "u",
        "U000000",
        "4",
        "0",
        "#",
        "\n",
        "\r",
        "\r\n",
        "=",
        "=~",
        "!~",
        "{a=\"",
        " ",
        ",",
        "}",
        "é",
    ];
    let parts = prop::collection::vec(prop::sample::select(parts.to_vec()), 0..most);
    parts.prop_map(|parts| parts.concat())
}

/// A literal with a placeholder, among anything.
fn template() -> impl Strategy<Value = String> {
    let open = prop::sample::select(vec!["{a=\"", "{a=~'", "{a!~ \"", "{a='"]);
    let placeholder = prop::sample::select(vec!["{{workload}}", "{{namespace}}", "{{pods}}"]);
    (parts(6), open, parts(3), placeholder, parts(6)).prop_map(
        |(before, open, inside, placeholder, behind)| {
            format!("{before}{open}{inside}{placeholder}{behind}\"}}")
        },
    )
}

/// A regular expression (RE2) of nothing but this text.
fn matching(text: &str) -> String {
    let escaped = |char: char| {
        let meant = r"\.+*?()|[]{}^$".contains(char);
        if meant { format!("\\{char}") } else { char.to_string() }
    };
    text.chars().map(escaped).collect()
}

/// The bytes with each harmless value replaced.
fn replaced(bytes: &[u8], by: [&str; 3]) -> Vec<u8> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(first) = rest.first() {
        let pairs = HARMLESS.into_iter().zip(by);
        let hit = pairs.into_iter().find(|(name, _)| rest.starts_with(name.as_bytes()));
        let (taken, put) =
            hit.map_or((1, vec![*first]), |(name, value)| (name.len(), value.as_bytes().to_vec()));
        found.extend(put);
        rest = &rest[taken..];
    }
    found
}

/// The words of a query with harmless values, once these are the given ones.
fn expected(words: &[Word], values: [&str; 3]) -> Vec<Word> {
    let patterns = values.map(matching);
    let patterns = patterns.each_ref().map(String::as_str);
    let mut before = [Word::Char(' '), Word::Char(' ')];
    let mut expected = Vec::new();
    for word in words {
        let matched =
            [Word::Char('='), Word::Char('!')].contains(&before[0]) && before[1] == Word::Char('~');
        expected.push(match word {
            Word::Literal(bytes) if matched => Word::Literal(replaced(bytes, patterns)),
            Word::Literal(bytes) => Word::Literal(replaced(bytes, values)),
            other => other.clone(),
        });
        if !matches!(word, Word::Comment(_)) {
            before = [before[1].clone(), word.clone()];
        }
    }
    expected
}

#[test]
fn values_change_their_literals_and_nothing_else() {
    let read = Cell::new(0);
    let all = (template(), hostile(), hostile(), hostile());
    let checked = crate::runner(4_000).run(&all, |(text, namespace, workload, pod)| {
        let Ok(template) = Template::parse(&text) else { return Ok(()) };
        let hostile = [namespace, workload, pod];
        let hostile = hostile.each_ref().map(String::as_str);
        let harmless = words(&template.render(&values(HARMLESS)).unwrap());
        let query = template.render(&values(hostile)).unwrap();
        let expected = harmless.map(|words| expected(&words, hostile));
        read.set(read.get() + usize::from(expected.is_some()));
        prop_assert_eq!(words(&query), expected, "{}", query);
        Ok(())
    });
    checked.unwrap();
    assert!(read.get() > 200, "only {} queries say anything", read.get());
}
