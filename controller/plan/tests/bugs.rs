//! The simulator finds bugs: each planted one (see [`plan::sim::Bug`]) makes a story fail that
//! holds without it. First the stories as they are, then by seed, then with a crash at every write;
//! where it was found last before all. `BUG=PartitionTooLow` looks for one alone, or for those of a
//! list with commas.

#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod common;

use std::ops::Range;

use common::{Tale, options, tales};
use plan::sim::{Bug, Fault, Options, Script, Violation, When};

/// Seeds that are tried for a bug that no story shows.
const SEEDS_MAX: u64 = 2_000;

/// Those that only a StatefulSet can show.
const STATEFUL: [Bug; 5] = [
    Bug::PartitionTooLow,
    Bug::PartitionStaysDown,
    Bug::OwnPartitionLost,
    Bug::ObstacleStays,
    Bug::BlindDeletes,
];

/// Those that only a CloneSet can show.
const CLONED: [Bug; 5] = [
    Bug::ShareTooLow,
    Bug::SharesAreNumbers,
    Bug::ShareStaysDown,
    Bug::OwnShareLost,
    Bug::TakenBackStays,
];

/// Those that only a DaemonSet can show.
const DAEMON: [Bug; 4] =
    [Bug::NodeBeyond, Bug::NodesAtOnce, Bug::MissingUncounted, Bug::NodesCountedOnce];

/// The stories of the kind of workload that a bug is about.
fn tales_for(bug: Bug) -> Vec<Tale> {
    let mut tales = tales();
    tales.retain(|tale| {
        tale.name.starts_with("sts-") == STATEFUL.contains(&bug)
            && tale.name.starts_with("cs-") == CLONED.contains(&bug)
            && tale.name.starts_with("ds-") == DAEMON.contains(&bug)
    });
    tales
}

/// Where each bug was found last: looked at first, because that is cheap. Without an entry, or
/// where nothing shows there any more, all is looked through.
const SHOWN: [(Bug, Shown); 22] = [
    (Bug::UnavailableFalls, Shown::Seed(111)),
    (Bug::RestoreInTwoWrites, Shown::Seed(85)),
    (Bug::StaleReadiness, Shown::Seed(1419)),
    (Bug::DeadlineReset, Shown::Tale("controller-down")),
    (Bug::UnknownAdvances, Shown::Seed(7)),
    (Bug::SizeAnnotationsStale, Shown::Tale("replicas-unstated")),
    (Bug::NumbersAtRest, Shown::Seed(111)),
    (Bug::FencedStableStays, Shown::Tale("back-and-forth")),
    (Bug::UserPauseSwallowed, Shown::Seed(168)),
    (Bug::ZeroIsNoRetreat, Shown::Seed(42)),
    (Bug::OutageUnheard, Shown::Tale("bake-outage")),
    (Bug::PartitionTooLow, Shown::Seed(459)),
    (Bug::BlindDeletes, Shown::Tale("sts-rollback-undo")),
    (Bug::ShareTooLow, Shown::Tale("cs-release")),
    (Bug::SharesAreNumbers, Shown::Tale("cs-release")),
    (Bug::ShareStaysDown, Shown::Tale("cs-counts")),
    (Bug::OwnShareLost, Shown::Tale("cs-partition")),
    (Bug::TakenBackStays, Shown::Tale("cs-partition-percent")),
    (Bug::NodeBeyond, Shown::Tale("ds-limits")),
    (Bug::NodesAtOnce, Shown::Tale("ds-release")),
    (Bug::MissingUncounted, Shown::Tale("ds-release")),
    (Bug::NodesCountedOnce, Shown::Tale("ds-lost-nodes")),
];

/// A story by its name, with a crash at every write if nothing shows without, or a seed.
#[derive(Clone, Copy)]
enum Shown {
    Tale(&'static str),
    Seed(u64),
}

/// The story in which a bug shows, and how. Cheap ones first.
fn found(bug: Bug) -> Option<(String, Violation)> {
    let tales = tales_for(bug);
    in_hint(bug)
        .or_else(|| in_stories(bug, &tales))
        .or_else(|| in_seeds(bug, 0..200))
        .or_else(|| in_crashes(bug, &tales))
        .or_else(|| in_seeds(bug, 200..SEEDS_MAX))
}

fn in_hint(bug: Bug) -> Option<(String, Violation)> {
    match SHOWN.iter().find(|(known, _)| *known == bug)?.1 {
        Shown::Seed(seed) => in_seeds(bug, seed..seed + 1),
        Shown::Tale(name) => {
            let mut tales = tales_for(bug);
            tales.retain(|tale| tale.name == name);
            in_stories(bug, &tales).or_else(|| in_crashes(bug, &tales))
        }
    }
}

fn with(bug: Bug, seed: u64, fault: Option<Fault>) -> Options {
    Options { bug: Some(bug), fault, ..options(seed) }
}

fn in_stories(bug: Bug, tales: &[Tale]) -> Option<(String, Violation)> {
    tales.iter().find_map(|tale| {
        let violation = tale.script.play(&with(bug, 1, None)).violation?;
        Some((tale.name.clone(), violation))
    })
}

fn in_crashes(bug: Bug, tales: &[Tale]) -> Option<(String, Violation)> {
    tales.iter().find_map(|tale| {
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

fn in_seeds(bug: Bug, mut seeds: Range<u64>) -> Option<(String, Violation)> {
    seeds.find_map(|seed| {
        let violation = Script::random(seed).play(&with(bug, seed, None)).violation?;
        Some((format!("seed {seed}"), violation))
    })
}

/// Those of these bugs that nothing shows.
fn missed(bugs: &[Bug]) -> Vec<Bug> {
    let mut missed = Vec::new();
    for bug in bugs {
        match found(*bug) {
            Some((story, violation)) => println!("{bug:?}: {story}: {violation}"),
            None => missed.push(*bug),
        }
    }
    missed
}

#[test]
fn each_planted_bug_is_found() {
    assert!(Bug::ALL.len() >= 12);
    let only = std::env::var("BUG").unwrap_or_default();
    let wanted =
        |bug: &Bug| only.is_empty() || only.split(',').any(|one| one == format!("{bug:?}"));
    let bugs: Vec<Bug> = Bug::ALL.into_iter().filter(wanted).collect();
    let (one, other) = bugs.split_at(bugs.len() / 2);
    let missed = std::thread::scope(|scope| {
        let halves = [one, other].map(|bugs| scope.spawn(move || missed(bugs)));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(missed.is_empty(), "not found: {missed:?}");
}
