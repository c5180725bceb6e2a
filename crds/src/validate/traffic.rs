//! What routes may be. A value of a wrong type is skipped: that is `shape`'s to say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problem;
use super::rules::{cut, span};

const API_VERSION: &str = "gateway.networking.k8s.io/v1";
const KINDS: [&str; 2] = ["HTTPRoute", "GRPCRoute"];

pub(super) fn problems(spec: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut names, mut services) = (BTreeSet::new(), BTreeSet::new());
    let routes = spec["routes"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, route) in routes.iter().enumerate() {
        let field = |key: &str| format!("spec.routes[{at}].{key}");
        for (key, seen) in [("name", &mut names), ("service", &mut services)] {
            let Some(name) = route[key].as_str() else { continue };
            if let Some(message) = misnamed(name) {
                problems.push(Problem::new(field(key), message));
            } else if !seen.insert(name) {
                let message = format!("{} is there twice: put the refs together", cut(name));
                problems.push(Problem::new(field(key), message));
            }
        }
        span(&field("settle"), &route["settle"], "to take 10s", &mut problems);
        for (number, one) in route["refs"].as_array().into_iter().flatten().enumerate() {
            reference(&field(&format!("refs[{number}]")), one, &mut problems);
        }
    }
    for (at, batch) in spec["strategy"]["batches"].as_array().into_iter().flatten().enumerate() {
        if routes.is_empty() && batch.get("traffic").is_some() {
            let message =
                "there are no routes to share requests by: give spec.routes, or remove it";
            let field = format!("spec.strategy.batches[{at}].traffic");
            problems.push(Problem::new(field, message));
        }
    }
    problems
}

fn misnamed(name: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let wrong = name.is_empty() || !name.bytes().all(known);
    wrong.then(|| format!("\"{}\" is no name: write small letters, digits, -", cut(name)))
}

fn reference(field: &str, one: &Value, problems: &mut Vec<Problem>) {
    let is_known = |key: &str, value: &str| match key {
        "kind" => KINDS.contains(&value),
        _ => value == API_VERSION,
    };
    for key in ["apiVersion", "kind"] {
        if let Some(value) = one[key].as_str().filter(|value| !is_known(key, value)) {
            let message = format!(
                "{} is not supported: only HTTPRoute and GRPCRoute of {API_VERSION} are",
                cut(value)
            );
            problems.push(Problem::new(format!("{field}.{key}"), message));
        }
    }
}
