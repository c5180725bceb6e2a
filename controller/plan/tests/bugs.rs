//! The simulator finds bugs: each planted one (see [`plan::sim::Bug`]) makes a story fail that
//! holds without it. First the stories as they are, then with a crash at every write, then by
//! seed.

mod common;

use common::{options, tales};
use plan::sim::{Bug, Fault, Options, Script, Violation, When};

/// Seeds that are tried for a bug that no story shows.
const SEEDS_MAX: u64 = 3_000;

/// The story in which a bug shows, and how.
fn found(bug: Bug) -> Option<(String, Violation)> {
    in_stories(bug).or_else(|| in_crashes(bug)).or_else(|| in_seeds(bug))
}

fn with(bug: Bug, seed: u64, fault: Option<Fault>) -> Options {
    Options { bug: Some(bug), fault, ..options(seed) }
}

fn in_stories(bug: Bug) -> Option<(String, Violation)> {
    tales().into_iter().find_map(|tale| {
        let violation = tale.script.play(&with(bug, 1, None)).violation?;
        Some((tale.name, violation))
    })
}

fn in_crashes(bug: Bug) -> Option<(String, Violation)> {
    tales().into_iter().find_map(|tale| {
        let writes = tale.script.play(&with(bug, 1, None)).writes;
        (1..=writes).find_map(|write| {
            [When::Before, When::After, When::Late].into_iter().find_map(|when| {
                let fault = Fault::Crash { write, when };
                let violation = tale.script.play(&with(bug, 1, Some(fault))).violation?;
                Some((format!("{}, {fault:?}", tale.name), violation))
            })
        })
    })
}

fn in_seeds(bug: Bug) -> Option<(String, Violation)> {
    (0..SEEDS_MAX).find_map(|seed| {
        let violation = Script::random(seed).play(&with(bug, seed, None)).violation?;
        Some((format!("seed {seed}"), violation))
    })
}

#[test]
fn each_planted_bug_is_found() {
    assert!(Bug::ALL.len() >= 12);
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        match found(bug) {
            Some((story, violation)) => println!("{bug:?}: {story}: {violation}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
