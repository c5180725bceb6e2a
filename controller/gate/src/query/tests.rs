//! What is rendered, what is refused with which cure, and that no value breaks out.

use proptest::prelude::*;

use super::*;

fn values() -> Values {
    Values {
        namespace: "shop".into(),
        workload: "web.v1".into(),
        revision: "aa20cb6525".into(),
        stable_revision: "3c56954f71".into(),
        pods: vec!["web-1".into(), "web-2.x".into()],
        window: Duration::from_secs(90),
    }
}

fn rendered(text: &str) -> String {
    Template::parse(text).unwrap().render(&values()).unwrap()
}

fn refused(text: &str) -> String {
    Template::parse(text).unwrap_err().to_string()
}

#[test]
fn each_placeholder_becomes_its_value() {
    assert_eq!(
        rendered(
            r#"sum(rate(x{ns="{{namespace}}",w='{{ workload }}',p=~"{{pods}}"}[{{window}}]))"#
        ),
        r#"sum(rate(x{ns="shop",w='web.v1',p=~"(?:web-1|web-2\\.x)"}[90s]))"#
    );
    assert_eq!(
        rendered(r#"x{r="{{revision}}"} / x{r="{{stableRevision}}"}"#),
        r#"x{r="aa20cb6525"} / x{r="3c56954f71"}"#
    );
}

#[test]
fn a_name_that_is_matched_is_no_pattern() {
    assert_eq!(rendered(r#"x{pod =~ "{{workload}}-.*"}"#), r#"x{pod =~ "web\\.v1-.*"}"#);
    assert_eq!(rendered(r#"x{pod!~'{{workload}}-.*'}"#), r"x{pod!~'web\\.v1-.*'}");
    assert_eq!(rendered(r#"x{a="=~",w="{{workload}}"}"#), r#"x{a="=~",w="web.v1"}"#);
}

#[test]
fn windows_are_whole_seconds_or_milliseconds() {
    let render = |millis| {
        let values = Values { window: Duration::from_millis(millis), ..values() };
        Template::parse("x[{{window}}]").unwrap().render(&values)
    };
    assert_eq!(render(60_000).unwrap(), "x[60s]");
    assert_eq!(render(1_500).unwrap(), "x[1500ms]");
    assert_eq!(render(0), Err(RenderError::NoWindow));
}

#[test]
fn without_pods_nothing_is_asked() {
    let template = Template::parse(r#"x{pod=~"{{pods}}"}"#).unwrap();
    let none = Values { pods: Vec::new(), ..values() };
    assert_eq!(template.render(&none), Err(RenderError::NoPods));
}

#[test]
fn every_error_names_placeholder_and_cure() {
    assert_eq!(
        refused(r#"x{p="{{pod}}"}"#),
        "{{pod}} is no placeholder: write one of {{namespace}}, {{workload}}, {{revision}}, \
         {{stableRevision}}, {{pods}}, {{window}}"
    );
    assert_eq!(
        refused("x[{{window]"),
        "a placeholder that begins with \"{{window]\" does not end: write }} behind its name"
    );
    for (text, error) in [
        (
            "{{workload}}",
            "{{workload}} stands outside of a string literal: put it in double \
                          quotes, as a label's value",
        ),
        (
            "x{a=`{{workload}}`}",
            "{{workload}} stands between backticks: write the literal in \
                                 double quotes, backticks cannot be escaped",
        ),
        ("x # '{{window}}", "{{window}} stands in a comment: leave it out of the comment"),
        (
            r#"x{a="\{{workload}}"}"#,
            "{{workload}} stands behind a backslash: leave the backslash \
                                     before it out",
        ),
        (
            r#"x{a="{{pods}}"}"#,
            "{{pods}} stands in a string literal: match it with =~ or !~, it \
                                is a regular expression",
        ),
        (
            r#"x{a="{{window}}"}"#,
            "{{window}} stands in a string literal: write it as a range, \
                                  such as [{{window}}]",
        ),
    ] {
        assert_eq!(refused(text), error);
    }
}

#[test]
fn quotes_in_other_literals_and_comments_do_not_count() {
    for text in [
        r#"x{a="'",b="{{workload}}"}"#,
        r#"x{a='"',b="{{workload}}"}"#,
        r#"x{a=`"\`,b="{{workload}}"}"#,
        r#"x{a="\"",b="{{workload}}"}"#,
        r#"x{a="\\",b="{{workload}}"}"#,
        "x # it's \"\n + y{b=\"{{workload}}\"}",
    ] {
        assert!(rendered(text).ends_with(r#"b="web.v1"}"#), "{text}");
    }
}

#[test]
fn as_text_it_is_what_was_written() {
    let text = r#"x{a="{{ workload }}"}"#;
    let template: Template = serde_json::from_value(serde_json::json!(text)).unwrap();
    assert_eq!(serde_json::to_value(&template).unwrap(), serde_json::json!(text));
    assert!(serde_json::from_value::<Template>(serde_json::json!("{{x}}")).is_err());
}

/// What Prometheus reads: the value of the literal at the beginning, and the text behind it. Its
/// rules are those of Go, with both quotes.
fn unquote(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| "\"'".contains(*quote))?;
    let (mut value, mut chars) = (String::new(), text[1..].char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '\n' => return None,
            char if char == quote => return Some((value, &text[at + 2..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                '\\' => value.push('\\'),
                'x' => {
                    let digits: String = [chars.next()?.1, chars.next()?.1].iter().collect();
                    value.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
                }
                escaped if escaped == quote => value.push(quote),
                _ => return None,
            },
            char => value.push(char),
        }
    }
    None
}

/// The alternatives that an expression of escaped characters matches.
fn alternatives(expression: &str) -> Vec<String> {
    let inside = expression.strip_prefix("(?:").unwrap().strip_suffix(')').unwrap();
    let (mut all, mut chars) = (vec![String::new()], inside.chars());
    while let Some(char) = chars.next() {
        match char {
            '|' => all.push(String::new()),
            '\\' => all.last_mut().unwrap().push(chars.next().unwrap()),
            char => {
                assert!(!".+*?()[]{}^$".contains(char), "a pattern: {char}");
                all.last_mut().unwrap().push(char);
            }
        }
    }
    all
}

/// Text of what could break out of something.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r#"["'`\\{}()|.*+?\[\]^$#~= \n\r\ta-c{{}}]{0,12}"#]
}

proptest! {
    #[test]
    fn no_value_breaks_out_of_its_literal(value in hostile(), single in any::<bool>()) {
        let quote = if single { '\'' } else { '"' };
        let text = format!("x{{a={quote}{{{{workload}}}}{quote},b=1}}");
        let template = Template::parse(&text).unwrap();
        let query = template.render(&Values { workload: value.clone(), ..values() }).unwrap();
        let (read, rest) = unquote(query.strip_prefix("x{a=").unwrap()).unwrap();
        prop_assert_eq!(read, value);
        prop_assert_eq!(rest, ",b=1}");
    }

    #[test]
    fn pods_match_their_names_and_nothing_else(names in prop::collection::vec(hostile(), 1..5)) {
        let template = Template::parse(r#"x{a=~"{{pods}}"} + 1"#).unwrap();
        let query = template.render(&Values { pods: names.clone(), ..values() }).unwrap();
        let (read, rest) = unquote(query.strip_prefix("x{a=~").unwrap()).unwrap();
        prop_assert_eq!(alternatives(&read), names);
        prop_assert_eq!(rest, "} + 1");
    }

    #[test]
    fn no_text_panics(text in hostile(), other in hostile()) {
        if let Ok(template) = Template::parse(&format!("{text}{{{{workload}}}}{other}")) {
            let _ = template.render(&values());
        }
    }
}
