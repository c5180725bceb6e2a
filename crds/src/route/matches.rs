//! The matches of a rule narrowed by a condition: what the user's rule asks of a request, and the
//! condition besides. Owns that product; knows no backends.

use serde_json::{Map, Value};

use super::hold::{Compare, Condition, Pair};

/// Every match of a rule with every condition. What cannot be met by any request, or cannot be
/// asked in one match, is left out.
pub(super) fn narrowed(rule: &Map<String, Value>, conditions: &[Condition]) -> Option<Vec<Value>> {
    let everything = [Value::Object(Map::new())];
    let matches = match rule.get("matches") {
        None | Some(Value::Null) => &everything[..],
        Some(matches) => matches.as_array()?,
    };
    // The API takes an empty list for every request, too.
    let matches = if matches.is_empty() { &everything[..] } else { matches };
    let mut found = Vec::new();
    for one in matches {
        for condition in conditions {
            found.extend(both(one.as_object()?, condition));
        }
    }
    Some(found)
}

/// A match asks for all of a condition already.
pub(super) fn asks(one: &Value, condition: &Condition) -> bool {
    let has = |key: &str, pair: &Pair| {
        let list = one[key].as_array().map_or(&[][..], Vec::as_slice);
        named(list, pair, key == "headers").is_some_and(|entry| is(entry, pair))
    };
    condition.headers.iter().all(|pair| has("headers", pair))
        && condition.query_params.iter().all(|pair| has("queryParams", pair))
}

/// How many matches of a rule ask for one of the conditions already, of how many.
pub(super) fn asking(rule: &Map<String, Value>, conditions: &[Condition]) -> (usize, usize) {
    let matches = rule.get("matches").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let asks = |one: &&Value| conditions.iter().any(|condition| asks(one, condition));
    (matches.iter().filter(asks).count(), matches.len())
}

fn both(one: &Map<String, Value>, condition: &Condition) -> Option<Value> {
    let mut both = one.clone();
    let parts = [("headers", &condition.headers), ("queryParams", &condition.query_params)];
    for (key, pairs) in parts.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
        let list = both.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        let list = list.as_array_mut()?;
        for pair in pairs {
            join(list, pair, key == "headers")?;
        }
    }
    Some(Value::Object(both))
}

/// A name is asked once only: a second entry of it would be ignored. So two that differ cannot be
/// asked together.
fn join(list: &mut Vec<Value>, pair: &Pair, is_header: bool) -> Option<()> {
    if let Some(there) = named(list, pair, is_header) {
        return is(there, pair).then_some(());
    }
    // Plain structs: serialisation has no way to fail.
    list.push(serde_json::to_value(pair).unwrap_or_default());
    Some(())
}

/// The entry of a pair's name; those of headers are without case.
fn named<'a>(list: &'a [Value], pair: &Pair, is_header: bool) -> Option<&'a Value> {
    list.iter().find(|entry| {
        entry["name"].as_str().is_some_and(|name| {
            name == pair.name || is_header && name.eq_ignore_ascii_case(&pair.name)
        })
    })
}

/// An entry asks for the very same of its name.
fn is(entry: &Value, pair: &Pair) -> bool {
    let exact = entry["type"].is_null() || entry["type"] == "Exact";
    let compare = match pair.compare {
        Compare::Exact => exact,
        Compare::RegularExpression => entry["type"] == "RegularExpression",
    };
    compare && entry["value"] == pair.value.as_str()
}
