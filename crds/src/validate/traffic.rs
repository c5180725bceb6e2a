//! What routes may be. A value of a wrong type is skipped: that is `shape`'s to say.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::Problem;
use super::rules::{cut, span};
use crate::route::Condition;
use crate::route::ingress::{self, Unsayable};

const GATEWAY: &str = "gateway.networking.k8s.io/v1";
/// The kinds of routes, and the version of each.
const KINDS: [(&str, &str); 3] =
    [("HTTPRoute", GATEWAY), ("GRPCRoute", GATEWAY), ("Ingress", "networking.k8s.io/v1")];

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
        let field = format!("spec.strategy.batches[{at}].traffic");
        if routes.is_empty() && batch.get("traffic").is_some() {
            let message =
                "there are no routes to share requests by: give spec.routes, or remove it";
            problems.push(Problem::new(&field, message));
        }
        chosen(&field, &batch["traffic"]["matches"], routes, &mut problems);
    }
    problems
}

/// Every route has to be able to choose requests so.
fn chosen(field: &str, matches: &Value, routes: &[Value], problems: &mut Vec<Problem>) {
    let Ok(conditions) = Vec::<Condition>::deserialize(matches) else { return };
    let refs = || routes.iter().filter_map(|route| route["refs"].as_array()).flatten();
    let is_ingress = |one: &&Value| one["kind"] == "Ingress";
    let names = |one: &Value| cut(one["name"].as_str().unwrap_or_default());
    let unsayable = ingress::sayable(&conditions).err();
    if let (Some(one), Some(unsayable)) = (refs().find(is_ingress), unsayable) {
        let Unsayable { at, field: part, asked, why } = unsayable;
        let message = format!("Ingress {} cannot choose requests by {asked}: {why}", names(one));
        problems.push(Problem::new(format!("{field}.matches[{at}].{part}"), message));
    }
    let cookie = |condition: &Condition| !condition.cookies.is_empty();
    let route = refs().find(|one| !is_ingress(one));
    if let (Some(one), Some(at)) = (route, conditions.iter().position(cookie)) {
        let message = format!(
            "{} {} cannot choose requests by a cookie: match the header cookie by a \
             RegularExpression instead",
            cut(one["kind"].as_str().unwrap_or_default()),
            names(one),
        );
        problems.push(Problem::new(format!("{field}.matches[{at}].cookies"), message));
    }
}

fn misnamed(name: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let wrong = name.is_empty() || !name.bytes().all(known);
    wrong.then(|| format!("\"{}\" is no name: write small letters, digits, -", cut(name)))
}

fn reference(field: &str, one: &Value, problems: &mut Vec<Problem>) {
    let known = KINDS.iter().find(|(kind, _)| one["kind"] == *kind);
    let mut say = |key: &str, message: String| {
        problems.push(Problem::new(format!("{field}.{key}"), message));
    };
    if let (None, Some(kind)) = (known, one["kind"].as_str()) {
        let kinds = KINDS.map(|(kind, version)| format!("{kind} of {version}")).join(", ");
        say("kind", format!("{} is not supported: only {kinds}", cut(kind)));
    }
    if let (Some((kind, wanted)), Some(version)) = (known, one["apiVersion"].as_str())
        && version != *wanted
    {
        say("apiVersion", format!("{} is not supported for {kind}: write {wanted}", cut(version)));
    }
}
