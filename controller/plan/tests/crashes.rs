//! Every story once more for every write of ours in it: our controller dies before that write,
//! after it, and before a write that arrives late; or all of its watches stand still after it. No
//! invariant may fail, and the end is the one without the fault.

#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod common;

use std::time::Duration;

use common::{Tale, options, tales};
use plan::sim::{Fault, Outcome, When};

fn with(tale: &Tale, fault: Fault) -> Outcome {
    tale.script.play(&plan::sim::Options { fault: Some(fault), ..options(1) })
}

/// Plays the story with a fault at each write; returns how often, and what went wrong.
fn at_every_write(tale: &Tale, fault: impl Fn(u32) -> Fault) -> (usize, Vec<String>) {
    let whole = tale.script.play(&options(1));
    let mut wrong = Vec::new();
    for write in 1..=whole.writes {
        let fault = fault(write);
        let outcome = with(tale, fault);
        let name = &tale.name;
        if let Some(violation) = &outcome.violation {
            wrong.push(format!("{name}, {fault:?}: {violation}"));
        } else if tale.ends && outcome.summary != whole.summary {
            let (end, expected) = (&outcome.summary, &whole.summary);
            wrong.push(format!("{name}, {fault:?}: ends as {end:?}, not as {expected:?}"));
        }
    }
    (whole.writes as usize, wrong)
}

#[track_caller]
fn survives(fault: impl Fn(u32) -> Fault) {
    let mut played = 0;
    let mut wrong = Vec::new();
    for tale in tales() {
        let (count, more) = at_every_write(&tale, &fault);
        played += count;
        wrong.extend(more);
    }
    println!("{played} stories, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 500 || std::env::var_os("TALES").is_some());
}

#[test]
fn killed_before_every_write() {
    survives(|write| Fault::Crash { write, when: When::Before });
}

#[test]
fn killed_after_every_write() {
    survives(|write| Fault::Crash { write, when: When::After });
}

#[test]
fn killed_in_every_write_which_arrives_late() {
    survives(|write| Fault::Crash { write, when: When::Late });
}

#[test]
fn stale_after_every_write() {
    survives(|write| Fault::Freeze { write, span: Duration::from_secs(3) });
}
