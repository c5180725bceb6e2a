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

use gate::compare::Noise;
use judges::{Counting, sequential, stakes, terms};
use stream::{Errors, Stream};

const HEALTHY: u64 = 10_000;
const BAD: u64 = 1_000;
const LOOKS: usize = 60;
const PAST: usize = 20;

#[test]
fn explore() {
    let streams = [
        Stream { name: "alone", errors: Errors::Alone, share: 0.01, requests: 100, pods: (1, 9) },
        Stream { name: "few", errors: Errors::Alone, share: 0.01, requests: 20, pods: (1, 9) },
        Stream { name: "many", errors: Errors::Alone, share: 0.01, requests: 1000, pods: (1, 9) },
        Stream { name: "half", errors: Errors::Alone, share: 0.01, requests: 100, pods: (5, 5) },
        Stream { name: "rare", errors: Errors::Alone, share: 0.0005, requests: 300, pods: (1, 9) },
        Stream { name: "often", errors: Errors::Alone, share: 0.1, requests: 100, pods: (1, 9) },
        Stream {
            name: "weather",
            errors: Errors::Weather(0.005),
            share: 0.01,
            requests: 100,
            pods: (1, 9),
        },
        Stream {
            name: "pods1.5",
            errors: Errors::Pods(0.005),
            share: 0.01,
            requests: 100,
            pods: (1, 9),
        },
        Stream {
            name: "pods3",
            errors: Errors::Pods(0.02),
            share: 0.01,
            requests: 100,
            pods: (1, 9),
        },
        Stream {
            name: "pods6",
            errors: Errors::Pods(0.05),
            share: 0.01,
            requests: 100,
            pods: (1, 9),
        },
        Stream {
            name: "pods6h",
            errors: Errors::Pods(0.05),
            share: 0.01,
            requests: 100,
            pods: (5, 5),
        },
        Stream {
            name: "bursts3",
            errors: Errors::Bursts(3.0),
            share: 0.01,
            requests: 100,
            pods: (1, 9),
        },
        Stream {
            name: "bursts5",
            errors: Errors::Bursts(5.0),
            share: 0.002,
            requests: 100,
            pods: (1, 9),
        },
    ];
    let variant = std::env::var("LUMP").is_ok();
    for past in [PAST, 0] {
        for s in &streams {
            let t = terms("0.01", "1", "0", Noise::Learned);
            let lump = |mut r: stream::Release| {
                let sum = |v: &mut Vec<gate::Counts>| {
                    *v = vec![v.iter().fold(gate::Counts::default(), |a, b| a.plus(*b))]
                };
                if variant {
                    r.past.iter_mut().for_each(sum);
                    r.looks.iter_mut().for_each(|l| {
                        sum(&mut l.new);
                        sum(&mut l.stable);
                    });
                }
                r
            };
            let mut levels = [vec![], vec![], vec![]];
            let mut stake = vec![];
            let gates = [
                Counting { above: 3, of: 5 },
                Counting { above: 5, of: LOOKS },
                Counting { above: 1, of: 1 },
            ];
            for seed in 0..HEALTHY {
                let r = lump(s.release(seed, (past, LOOKS), 1.0, 0));
                stake.push(*stakes(&t, &r).last().unwrap());
                for (l, g) in levels.iter_mut().zip(gates) {
                    l.push(g.level(&r));
                }
            }
            let f = stake.iter().filter(|x| **x >= 100.0).count();
            stake.sort_by(|a, b| b.total_cmp(a));
            let tuned = stake[99];
            let thr: Vec<[(f64, f64); 2]> = levels
                .iter_mut()
                .map(|l| {
                    l.sort_by(|a, b| b.total_cmp(a));
                    let low = l[99]; // at or above: >= 100
                    let flow = l.iter().filter(|x| **x >= low).count();
                    let high = low + 1e-9;
                    let fhigh = l.iter().filter(|x| **x >= high).count();
                    let w = if flow == fhigh {
                        1.0
                    } else {
                        (100 - fhigh) as f64 / (flow - fhigh) as f64
                    };
                    [(low, w), (high, 1.0 - w)]
                })
                .collect();
            let look = |d: Option<usize>| d.map_or(LOOKS, |d| d + 1) as f64 / BAD as f64;
            let (mut shipped, mut ours, mut found, mut theirs, mut late) =
                (0.0, 0.0, 0, [0.0; 3], 0.0);
            for seed in 0..BAD {
                let r = lump(s.release(1_000_000 + seed, (past, LOOKS), 2.0, 0));
                let st = stakes(&t, &r);
                shipped += look(st.iter().position(|x| *x >= 100.0));
                found += usize::from(st.iter().any(|x| *x >= 100.0));
                ours += look(st.iter().position(|x| *x >= tuned));
                for ((x, g), th) in theirs.iter_mut().zip(gates).zip(&thr) {
                    for (t, w) in th {
                        *x += w * look(g.aborts(*t, &r));
                    }
                }
                let r = lump(s.release(2_000_000 + seed, (past, LOOKS), 4.0, 30));
                late += look(sequential(&t, &r));
            }
            println!(
                "{:8} past {past:2} false {f:4} shipped {shipped:4.1} {:4.1}% late {late:4.1} | at 1%: tuned {tuned:6.1} ours {ours:4.1} 3of5 {:4.1} cum5 {:4.1} any1 {:4.1}",
                s.name,
                found as f64 * 100.0 / BAD as f64,
                theirs[0],
                theirs[1],
                theirs[2]
            );
        }
    }
}
