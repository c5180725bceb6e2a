//! The comparison on simulated releases: how many healthy ones it takes back, and how soon it
//! takes back a bad one, beside the usual gates. The tables are those of the crate's README.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test"
)]

mod judges;
mod report;
mod rng;
mod shipped;
mod stream;
mod streams;
mod table;
mod trial;

use std::sync::OnceLock;
use std::thread;

use stream::{Kind, Signal};
use streams::{Claim, STREAMS};
use trial::{FALSE, Setting, Trial};

/// All trials, played once.
fn trials() -> &'static [Trial] {
    static TRIALS: OnceLock<Vec<Trial>> = OnceLock::new();
    TRIALS.get_or_init(|| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let part = |worker| {
            let mine = STREAMS.into_iter().enumerate().skip(worker).step_by(workers);
            mine.map(|(number, stream)| (number, Trial::new(stream))).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = thread::scope(|scope| {
            let parts = (0..workers).map(|worker| scope.spawn(move || part(worker)));
            let parts: Vec<_> = parts.collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, trial)| trial).collect()
    })
}

/// Those of which something is claimed.
fn claimed(claim: impl Fn(Claim) -> bool) -> impl Iterator<Item = &'static Trial> {
    trials().iter().filter(move |trial| claim(trial.stream.claim))
}

fn least(requests: &[f64]) -> f64 {
    requests.iter().copied().fold(f64::INFINITY, f64::min)
}

#[test]
fn at_most_alpha_of_the_healthy_releases_are_aborted() {
    for trial in claimed(|claim| !matches!(claim, Claim::Beyond(_))) {
        let (name, healthy) = (trial.stream.name, &trial.healthy);
        assert!(healthy.proved.is_none_or(|aborts| aborts <= FALSE), "{name}: proved");
        let [past, none] = healthy.learned;
        assert!(past.max(none) <= FALSE, "{name}: {past} with a past, {none} without");
    }
}

#[test]
fn a_pod_that_is_worse_by_itself_is_beyond_alpha() {
    let beyond: Vec<_> = claimed(|claim| matches!(claim, Claim::Beyond(_))).collect();
    assert!(!beyond.is_empty());
    for trial in beyond {
        let [past, none] = trial.healthy.learned;
        let name = trial.stream.name;
        assert!(past.min(none) > FALSE, "{name} is within alpha: {past}, {none}; tell it");
    }
}

/// With a ratio and a margin above stable's share there is less to abort for. Where pods stay half
/// their share apart that is too little.
#[test]
fn as_shipped_at_most_alpha_of_the_healthy_releases_are_aborted() {
    let apart = |trial: &Trial| matches!(trial.stream.kind, Kind::Nodes(apart) if apart > 0.2);
    assert!(trials().iter().any(apart));
    for trial in trials() {
        let [past, none] = trial.shipped.aborts;
        if apart(trial) {
            assert!(past.min(none) > FALSE, "{} is within alpha; tell it", trial.stream.name);
            continue;
        }
        let name = trial.stream.name;
        assert!(past.max(none) <= FALSE, "{name}: {past} with a past, {none} without");
    }
}

#[track_caller]
fn assert_sooner(signal: fn(Signal) -> bool) {
    let sooner = claimed(|claim| claim == Claim::Sooner);
    let sooner: Vec<_> = sooner.filter(|trial| signal(trial.stream.signal)).collect();
    assert!(!sooner.is_empty());
    for trial in sooner {
        let (name, bad) = (trial.stream.name, &trial.bad);
        let (ours, usual) = (bad.equal[0], least(&bad.usual));
        assert!(ours < usual, "{name}: {ours} requests, a usual gate {usual}");
        let (ours, usual) = (bad.by_alpha[0], least(&bad.usual_by_alpha));
        assert!(ours < usual, "{name}, by alpha: {ours} requests, a usual gate {usual}");
    }
}

#[test]
fn twice_the_errors_are_found_in_fewer_requests_than_by_usual_gates() {
    assert_sooner(|signal| matches!(signal, Signal::Errors(_)));
}

#[test]
fn slow_requests_are_found_in_fewer_requests_than_by_usual_gates() {
    assert_sooner(|signal| matches!(signal, Signal::Latency(_)));
}

#[test]
fn where_a_usual_gate_is_said_to_be_sooner_it_is() {
    for trial in claimed(|claim| matches!(claim, Claim::UsualSooner(_))) {
        let (ours, usual) = (trial.bad.equal[0], least(&trial.bad.usual));
        assert!(usual < ours, "{} is found sooner, by {ours}; tell it", trial.stream.name);
    }
}

#[test]
fn the_readme_tells_what_was_measured() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let marker = "<!-- UPDATE_EXPECT=1 cargo test -p gate writes what follows. -->\n\n";
    let (head, _) = readme.split_once(marker).unwrap();
    let expected = format!("{head}{marker}{}", report::report(trials()));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert!(found == expected, "write it again with: UPDATE_EXPECT=1 cargo test -p gate");
}

/// So that equal rates are equal.
#[test]
fn a_setting_aborts_just_as_many_as_it_should() {
    let levels: Vec<f64> = (0..1000).map(|number| f64::from(number / 7 % 50)).collect();
    for wanted in [1, 3, 10, 14, 15, 77, 700] {
        let Setting(thresholds) = Setting::new(&levels, wanted);
        let aborted = |threshold| levels.iter().filter(|level| **level >= threshold).count();
        let weighted = thresholds.map(|(threshold, weight)| weight * aborted(threshold) as f64);
        let all: f64 = weighted.iter().sum();
        assert!((all - wanted as f64).abs() < 1e-9, "{all} for {wanted}");
    }
}
