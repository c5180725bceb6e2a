//! `simulate`: plays a Rollout's release without a cluster. Owns reading the file and printing;
//! the world is the planner's own simulator.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use crds::rollout::{Batch, OnFailure, Rollout, RolloutSpec};
use crds::{IntOrPercent, validate};
use plan::sim::{Entry, Options as World, Script};
use serde_json::Value;

use crate::error::Error;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// File with the Rollout (other objects in it are passed over)
    #[arg(long, short, value_name = "FILE")]
    filename: PathBuf,
    /// Replicas of the workload
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=1000))]
    replicas: i32,
    /// maxSurge of the workload: a number or a percentage
    #[arg(long, default_value = "25%", value_parser = quantity)]
    max_surge: IntOrPercent,
    /// maxUnavailable of the workload: a number or a percentage
    #[arg(long, default_value = "25%", value_parser = quantity)]
    max_unavailable: IntOrPercent,
}

/// Plays the release with pods that take a second to start, promoting wherever it waits.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let rollout = read(&options.filename)?;
    let story = story(&rollout.spec, options);
    let script: Script = story.parse().map_err(|error| not_a_rollout(&options.filename, &error))?;
    let world = World { planner: Some(plan::plan), record: true, seed: 1, ..World::default() };
    let outcome = script.play(&world);
    for line in lines(&outcome.timeline) {
        output::line(&line)?;
    }
    Ok(match outcome.violation {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

/// A number, or a percentage.
fn quantity(text: &str) -> Result<IntOrPercent, String> {
    match text.parse::<i32>() {
        Ok(count) if count >= 0 => Ok(IntOrPercent::Count(count)),
        _ => text.parse().map_err(|error: crds::quantity::NotAQuantity| error.to_string()),
    }
}

/// The Rollout of a file.
pub(crate) fn read(path: &Path) -> Result<Rollout, Error> {
    let source = |source| Error::File { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(source)?;
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| not_a_rollout(path, &error))?;
    let found = documents.iter().find(|document| document["kind"] == "Rollout");
    let raw = found.ok_or_else(|| not_a_rollout(path, "it has no object of kind Rollout"))?;
    validate::rollout(raw).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        not_a_rollout(path, &all.join("; "))
    })
}

fn not_a_rollout<R: ToString + ?Sized>(path: &Path, reason: &R) -> Error {
    Error::NotARollout { path: path.to_owned(), reason: reason.to_string() }
}

/// The story in the simulator's own words.
fn story(spec: &RolloutSpec, options: &Options) -> String {
    let Options { replicas, max_surge, max_unavailable, .. } = options;
    let batches: Vec<String> = spec.strategy.batches.iter().map(batch).collect();
    let mut rollout = format!("rollout batches={}", batches.join(","));
    if let Some(deadline) = spec.progress_deadline {
        rollout.push_str(&format!(" deadline={deadline}"));
    }
    if spec.on_failure == OnFailure::Pause {
        rollout.push_str(" on-failure=pause");
    }
    let deployment =
        format!("apply v1 replicas={replicas} surge={max_surge} unavailable={max_unavailable}");
    format!("{deployment}\ntick 10s\n{rollout}\ntick 10s\napply v2\nfinish\n")
}

fn batch(batch: &Batch) -> String {
    let replicas = batch.replicas;
    match batch.pause.as_ref().map(|pause| pause.duration) {
        None => replicas.to_string(),
        Some(None) => format!("{replicas}/manual"),
        Some(Some(span)) => format!("{replicas}/{span}"),
    }
}

/// What a person would follow, from the update on: turns, pods, and what a human does.
fn lines(timeline: &[Entry]) -> Vec<String> {
    let update = |entry: &&Entry| entry.who == ">" && entry.what == "apply v2";
    let began = timeline.iter().find(update).map_or(0, |entry| entry.at.millis());
    timeline
        .iter()
        .filter(|entry| entry.at.millis() >= began)
        .filter(|entry| entry.what != "finish")
        .filter(|entry| matches!(entry.who, ">" | "event" | "pods" | "user"))
        .map(|entry| {
            let after = jiff::SignedDuration::from_millis(entry.at.millis() - began);
            let who = if entry.who == ">" { "human" } else { entry.who };
            let what = entry.what.strip_prefix("helps: ").unwrap_or(&entry.what);
            let what = what.strip_suffix(" 0").unwrap_or(what);
            format!("{:>12}  {who:<5}  {what}", format!("+{after:#}"))
        })
        .collect()
}

#[cfg(test)]
mod tests;
