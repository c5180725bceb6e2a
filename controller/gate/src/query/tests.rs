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
fn a_sample_is_looked_for_as_far_back_as_the_window() {
    for (millis, says) in [(300_000, "300s"), (1_500, "1500ms"), (400, "1s"), (0, "1s")] {
        assert_eq!(lookback(Duration::from_millis(millis)), says);
    }
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
fn no_value_completes_an_escape_or_stands_where_nobody_knows() {
    for text in [r#""\x{{workload}}""#, r#""\x4{{workload}}""#, r#""\u00e{{workload}}""#] {
        assert!(refused(text).contains("stands behind a backslash"), "{text}");
    }
    assert!(refused(r#""\U0000004{{workload}}""#).contains("stands behind a backslash"));
    assert!(refused(r#""\04{{workload}}""#).contains("stands behind a backslash"));
    for text in [r#""\x41{{workload}}""#, r#""\101{{workload}}""#, r#""\n{{workload}}""#] {
        assert!(rendered(text).ends_with(r#"web.v1""#), "{text}");
    }
    assert!(refused("# a\r `\n + x{a=\"{{workload}}\"}").contains("stands in a comment"));
    assert_eq!(rendered("# a\r\nx{a=\"{{workload}}\"}"), "# a\r\nx{a=\"web.v1\"}");
}

#[test]
fn as_text_it_is_what_was_written() {
    let text = r#"x{a="{{ workload }}"}"#;
    let template: Template = serde_json::from_value(serde_json::json!(text)).unwrap();
    assert_eq!(serde_json::to_value(&template).unwrap(), serde_json::json!(text));
    assert!(serde_json::from_value::<Template>(serde_json::json!("{{x}}")).is_err());
}

/// The value of a literal that has no other escapes than ours.
fn unquoted(literal: &str) -> String {
    let inside = literal.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let (mut value, mut chars) = (String::new(), inside.chars());
    while let Some(char) = chars.next() {
        let escaped = (char == '\\').then(|| chars.next().unwrap());
        let mut code = |digits| {
            let digits: String = chars.by_ref().take(digits).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        };
        value.push(match escaped {
            None => char,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('x') => code(2),
            Some('u') => code(4),
            Some(escaped) => escaped,
        });
    }
    value
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
    fn pods_match_their_names_and_nothing_else(names in prop::collection::vec(hostile(), 1..5)) {
        let template = Template::parse(r#"x{a=~"{{pods}}"} + 1"#).unwrap();
        let query = template.render(&Values { pods: names.clone(), ..values() }).unwrap();
        let literal = query.strip_prefix("x{a=~").unwrap().strip_suffix("} + 1").unwrap();
        prop_assert_eq!(alternatives(&unquoted(literal)), names);
    }

    #[test]
    fn no_text_panics(text in hostile(), other in hostile()) {
        if let Ok(template) = Template::parse(&format!("{text}{{{{workload}}}}{other}")) {
            let _ = template.render(&values());
        }
    }
}
