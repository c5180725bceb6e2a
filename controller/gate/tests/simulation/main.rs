//! The comparison on simulated releases: how many healthy ones it takes back, and how soon it
//! takes back a bad one, beside the usual gates. The tables are those of the crate's README.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test"
)]

mod judges;
mod rng;
mod stream;
mod streams;
mod table;
mod trial;

use std::sync::OnceLock;
use std::thread;

use judges::USUAL;
use streams::{Claim, STREAMS};
use trial::Trial;

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
            let parts: Vec<_> =
                (0..workers).map(|worker| scope.spawn(move || part(worker))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, trial)| trial).collect()
    })
}

#[test]
fn explore() {
    for t in trials() {
        println!("{:28} {:>5} | proved {:?} learned {:?} | found {:?} {:?} | ours {:?} | {}", t.stream.name, t.stream.proved_dispersion().unwrap_or_default(), t.healthy.proved, t.healthy.learned, t.bad.found, t.bad.shipped.map(|x|x.round()), t.bad.equal.map(|x|x.round()),
            t.bad.usual.iter().zip(USUAL).map(|(v, u)| format!("{} {v:.0}", u.name)).collect::<Vec<_>>().join("; "));
    }
}
