//! What the values of a Rollout may be, alone and together. A value of a wrong type is skipped:
//! that is `shape`'s to say.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Problem, shown};
use crate::cel::{MAX_NAME, MAX_SPAN};
use crate::{GepDuration, IntOrPercent, WorkloadKind};

pub(super) fn problems(raw: &Value) -> Vec<Problem> {
    let spec = &raw["spec"];
    let mut problems = Vec::new();
    name(&raw["metadata"]["name"], &mut problems);
    workload(&spec["workloadRef"], &mut problems);
    if let Some(batches) = spec["strategy"]["batches"].as_array() {
        judge_batches(batches, &mut problems);
    }
    span(
        "spec.progressDeadline",
        &spec["progressDeadline"],
        "to take the workload's",
        &mut problems,
    );
    span("spec.bake", &spec["bake"], "to end with the last batch", &mut problems);
    problems
}

fn name(name: &Value, problems: &mut Vec<Problem>) {
    let length = name.as_str().unwrap_or_default().len();
    if length > MAX_NAME {
        let message = format!(
            "has {length} characters, and {MAX_NAME} fit the label that names the Rollout on its \
             workload: shorten it"
        );
        problems.push(Problem::new("metadata.name", message));
    }
}

fn workload(workload: &Value, problems: &mut Vec<Problem>) {
    let only = WorkloadKind::list();
    match (workload["apiVersion"].as_str(), workload["kind"].as_str()) {
        (Some(version), Some(kind)) if WorkloadKind::named(version, kind).is_none() => {
            let versions = WorkloadKind::ALL.iter().filter(|one| one.as_str() == kind);
            // A known kind of another version: the version is what has to be corrected.
            let (field, value) = match versions.count() {
                0 => ("kind", kind),
                _ => ("apiVersion", version),
            };
            let message = format!("{} is not supported: only {only} are", cut(value));
            problems.push(Problem::new(format!("spec.workloadRef.{field}"), message));
        }
        _ => {}
    }
    let Some(name) = workload["name"].as_str() else { return };
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if name.is_empty() || !name.bytes().all(known) {
        let message = format!("\"{}\" is no name of a workload: correct it", cut(name));
        problems.push(Problem::new("spec.workloadRef.name", message));
    }
}

pub(super) fn cut(text: &str) -> String {
    shown(&Value::from(text))
}

fn judge_batches(batches: &[Value], problems: &mut Vec<Problem>) {
    let field = |at: usize, key: &str| format!("spec.strategy.batches[{at}].{key}");
    let sizes: Vec<_> = batches.iter().map(|batch| size(&batch["replicas"])).collect();
    for (at, batch) in batches.iter().enumerate() {
        let replicas = &batch["replicas"];
        if let Err(message) = &sizes[at] {
            problems.push(Problem::new(field(at, "replicas"), message));
        } else if let Some(message) = smaller(&sizes, at) {
            problems.push(Problem::new(field(at, "replicas"), message));
        }
        if let Some(message) = asks_nothing(&batch["traffic"]["matches"]) {
            problems.push(Problem::new(field(at, "traffic.matches"), message));
        }
        let duration = &batch["pause"]["duration"];
        span(&field(at, "pause.duration"), duration, "to wait until promoted", problems);
        if at + 1 < batches.len() {
            continue;
        }
        if !matches!(&sizes[at], Ok(None | Some(IntOrPercent::Percent(100)))) {
            let message = format!(
                "{} is not 100%, and the release would never end: add a last batch of 100%",
                shown(replicas)
            );
            problems.push(Problem::new(field(at, "replicas"), message));
        }
        if batch.get("traffic").is_some() {
            let message = "the last batch gets all requests: remove the traffic";
            problems.push(Problem::new(field(at, "traffic"), message));
        }
        if batch.get("pause").is_some() {
            let message = "the last batch ends the release, nothing follows it: remove the pause";
            problems.push(Problem::new(field(at, "pause"), message));
        }
    }
}

fn asks_nothing(matches: &Value) -> Option<&'static str> {
    let none = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let parts = ["headers", "queryParams", "cookies"];
    let empty = |one: &Value| parts.iter().all(|part| none(&one[part]));
    let found = matches.as_array()?.iter().any(empty);
    found.then_some(
        "a match asks for nothing: give it headers, queryParams or cookies, or remove it",
    )
}

/// A batch's size. Ok(None) where there is none of a type that could be one.
fn size(replicas: &Value) -> Result<Option<IntOrPercent>, String> {
    if !replicas.is_number() && !replicas.is_string() {
        return Ok(None);
    }
    let wrong = || {
        format!(
            "{} is no batch: write a number of pods from 1 (without quotes), or a percentage from \
             1% to 100%",
            shown(replicas)
        )
    };
    let size = IntOrPercent::deserialize(replicas).map_err(|_| wrong())?;
    let written = match replicas {
        Value::String(text) => *text == size.to_string(),
        _ => true,
    };
    match size {
        IntOrPercent::Count(1..) => Ok(Some(size)),
        IntOrPercent::Percent(1..=100) if written => Ok(Some(size)),
        _ => Err(wrong()),
    }
}

/// Two counts or two percentages can be compared; a mixed pair depends on the replicas.
fn smaller(sizes: &[Result<Option<IntOrPercent>, String>], at: usize) -> Option<String> {
    let number = |size: &IntOrPercent| match *size {
        IntOrPercent::Count(number) | IntOrPercent::Percent(number) => number,
    };
    let of = |at: usize| sizes[at].as_ref().ok().copied().flatten();
    let size = of(at)?;
    let alike = |other: &IntOrPercent| {
        matches!(other, IntOrPercent::Count(_)) == matches!(size, IntOrPercent::Count(_))
    };
    let (before, largest) = (0..at)
        .filter_map(|before| Some((before, of(before).filter(alike)?)))
        .max_by_key(|(before, other)| (number(other), *before))?;
    if number(&size) > number(&largest) {
        return None;
    }
    let than = if number(&size) < number(&largest) { "less than" } else { "no more than" };
    let place =
        if before + 1 == at { "the batch before".to_owned() } else { format!("batches[{before}]") };
    Some(format!("{size} is {than} {place} ({largest}): raise it or remove the batch"))
}

pub(super) fn span(field: &str, value: &Value, otherwise: &str, problems: &mut Vec<Problem>) {
    let Some(text) = value.as_str() else { return };
    let mut say = |message: String| problems.push(Problem::new(field, message));
    match text.parse::<GepDuration>().map(GepDuration::get) {
        Err(_) => say(format!("{} is no duration: write it like 30s, 10m or 1h30m", cut(text))),
        Ok(Duration::ZERO) => {
            say(format!("{} is no time: give more, or remove it {otherwise}", cut(text)));
        }
        Ok(span) if span > MAX_SPAN => say(format!(
            "{} is more than {}h (30 days): give less, or remove it {otherwise}",
            cut(text),
            MAX_SPAN.as_secs() / 3600
        )),
        Ok(_) => {}
    }
}
