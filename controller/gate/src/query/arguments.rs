//! Arguments of a query that many gates share: `{{args.name}}` becomes its value, once, and what
//! comes out is a query with placeholders. Owns that no value breaks out of its literal, or is
//! read as a placeholder.

use std::collections::BTreeMap;

use super::escape;
use super::lexer::{Lexer, Place};

/// What the name of a placeholder begins with that stands for an argument.
pub const PREFIX: &str = "args.";

/// Why a query with arguments cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// The query names one that there is not.
    #[error("{{{{args.{name}}}}} is no argument of the template: declare it in spec.args")]
    Undeclared {
        /// What was written.
        name: String,
    },
    /// Its value could be read as something else there.
    #[error(
        "{{{{args.{name}}}}} stands {place}: put it in a literal of double quotes, as a label's \
         value"
    )]
    Misplaced {
        /// The argument.
        name: String,
        /// Where it stands.
        place: Place,
    },
}

/// The query with the values in place. Other placeholders stay as they are; where the value is
/// matched as a regular expression, it matches itself and nothing else.
///
/// # Errors
/// [`ArgumentError`]
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String, ArgumentError> {
    let (mut lexer, mut filled, mut rest) = (Lexer::default(), String::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        lexer.read(before);
        filled.push_str(before);
        // What does not end is for the query itself to say.
        let Some((name, after)) = behind.split_once("}}") else {
            filled.push_str("{{");
            rest = behind;
            break;
        };
        match name.trim().strip_prefix(PREFIX) {
            Some(name) => filled.push_str(&value(name, lexer.place(), values)?),
            None => {
                filled.push_str(&format!("{{{{{name}}}}}"));
                // As a duration or a text would; it changes nothing within a literal.
                lexer.read("1s");
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(
    name: &str,
    place: Place,
    values: &BTreeMap<String, String>,
) -> Result<String, ArgumentError> {
    let shown = || name.chars().take(40).collect();
    let value = values.get(name).ok_or_else(|| ArgumentError::Undeclared { name: shown() })?;
    let Place::Literal(quote, matched) = place else {
        return Err(ArgumentError::Misplaced { name: shown(), place });
    };
    let value = if matched { escape::regex(value) } else { value.clone() };
    // A brace is escaped as well, so that nothing in it is a placeholder.
    Ok(escape::literal(&value, quote).replace('{', "\\x7b"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Template;

    fn filled(text: &str, value: &str) -> Result<String, ArgumentError> {
        fill(text, &[("route".to_owned(), value.to_owned())].into())
    }

    #[test]
    fn a_value_stays_in_its_literal() {
        let query = "sum(x{pod=~\"{{pods}}\",route=\"{{args.route}}\"}[{{window}}])";
        assert_eq!(
            filled(query, "/a\"b").unwrap(),
            "sum(x{pod=~\"{{pods}}\",route=\"/a\\\"b\"}[{{window}}])"
        );
        assert_eq!(filled("x{r=~'{{ args.route }}'}", "a.b'").unwrap(), "x{r=~'a\\\\.b\\''}");
    }

    #[test]
    fn a_value_is_no_placeholder() {
        for value in ["{{pods}}", "{{", "{{args.route}}", "}}"] {
            for query in ["x{r=\"{{args.route}}\"}", "x{r=~\"{{args.route}}\"}"] {
                let text = filled(query, value).unwrap();
                let template = Template::parse(&text).unwrap();
                assert!(!text.contains("{{"), "{text}");
                assert_eq!(template.text(), text);
            }
        }
    }

    #[test]
    fn an_argument_stands_in_a_literal_and_is_declared() {
        for query in ["{{args.route}}", "x[{{args.route}}]", "`{{args.route}}`", "# {{args.route}}"]
        {
            assert!(matches!(filled(query, "a"), Err(ArgumentError::Misplaced { .. })), "{query}");
        }
        let missing = filled("x{r=\"{{args.rout}}\"}", "a").unwrap_err().to_string();
        assert!(missing.starts_with("{{args.rout}} is no argument"), "{missing}");
    }

    #[test]
    fn what_is_no_argument_stays_for_the_query_to_judge() {
        for query in ["x{r=\"{{pod}}\"}", "x{r=\"{{", "x > {{window}}", "x"] {
            assert_eq!(filled(query, "a").unwrap(), query);
        }
    }
}
