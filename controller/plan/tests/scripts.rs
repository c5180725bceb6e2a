//! Stories as scripts, with what happened in them as golden text beside them: what is in
//! `scripts/NAME.txt` has to give `scripts/NAME.out`. `UPDATE_EXPECT=1` writes the latter.

#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod common;

use std::fmt::Write as _;

use common::{Tale, options, tales};
use plan::sim::Options;

fn played(tale: &Tale) -> String {
    let outcome = tale.script.play(&Options { record: true, ..options(1) });
    let mut out = String::new();
    for entry in &outcome.timeline {
        writeln!(out, "{entry}").unwrap();
    }
    writeln!(out, "{} writes of ours", outcome.written).unwrap();
    if let Some(violation) = &outcome.violation {
        writeln!(out, "VIOLATION {violation}").unwrap();
    }
    out
}

/// Writes of ours in a release of 10 replicas in 5 batches: a status and a hold for each batch,
/// both once more at the end, and the stable template kept and dropped.
const RELEASE_WRITES: usize = 14;

#[test]
fn a_release_keeps_its_budget() {
    let tale = tales().into_iter().find(|tale| tale.name == "five-batches").unwrap();
    let timeline = tale.script.play(&Options { record: true, ..options(1) }).timeline;
    let release = timeline.iter().skip_while(|entry| entry.what != "apply v2");
    let writes: Vec<_> = release.filter(|entry| entry.who == "sluice").collect();
    assert_eq!(writes.len(), RELEASE_WRITES, "{writes:#?}");
}

#[test]
fn golden() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for tale in tales() {
        let out = played(&tale);
        let golden = tale.path.with_extension("out");
        if update {
            std::fs::write(&golden, &out).unwrap();
        }
        let known = std::fs::read_to_string(&golden).unwrap_or_default();
        if known != out || out.contains("VIOLATION") {
            wrong.push(format!("{}:\n{out}", tale.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE_EXPECT=1 accepts what is no violation:\n{}",
        wrong.join("\n")
    );
}
