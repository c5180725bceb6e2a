//! Which streams are tried, and what is claimed of each. Owns the list; the README's rows are
//! in its order.

use crate::stream::{Kind, Signal, Stream};

/// What is claimed of the comparison on a stream. All of it is asserted, what speaks against the
/// comparison too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// False aborts are at most alpha; at equal rates of them it is sooner than every usual gate.
    Sooner,
    /// The first holds, and the second does not, for this reason.
    UsualSooner(&'static str),
    /// Its premises do not hold: false aborts are beyond alpha, for this reason.
    Beyond(&'static str),
}

const ONE: Stream = Stream {
    name: "1 % errors, each by itself",
    signal: Signal::Errors(0.01),
    kind: Kind::Alone,
    requests: 100,
    pods: (1, 9),
    turns: 0,
    claim: Claim::Sooner,
};
/// Slower than two and a half times the median: 6 % of a healthy version's requests.
const SLOW: Stream =
    Stream { name: "6 % slow, each by itself", signal: Signal::Latency(2.5), ..ONE };
const HALF: Stream = Stream { name: "5 of 10 pods new", pods: (5, 5), ..ONE };
const WEATHER: Kind = Kind::Weather(0.7);

pub const STREAMS: [Stream; 17] = [
    ONE,
    Stream { name: "20 requests a look", requests: 20, ..ONE },
    Stream { name: "1000 requests a look", requests: 1000, ..ONE },
    Stream { name: "0.05 % errors, 300 requests", signal: RARE, requests: 300, ..ONE },
    Stream { name: "1 of 2 pods new", pods: (1, 1), ..ONE },
    HALF,
    Stream { name: "turns bad after 20 looks", turns: 20, ..ONE },
    Stream { name: "weather hits both", kind: WEATHER, ..ONE },
    Stream { name: "5 of 10 pods new, weather", kind: WEATHER, ..HALF },
    Stream { name: "pods differ, dispersion 3", kind: Kind::Pods(0.02), ..ONE },
    Stream { name: "pods differ, dispersion 6", kind: Kind::Pods(0.05), ..ONE },
    Stream { name: "bursts of 3 errors", kind: Kind::Bursts(3.0), ..ONE },
    Stream { name: "rare bursts of 5 errors", kind: Kind::Bursts(5.0), signal: FEW, ..ONE },
    Stream { name: "a pod stays bad", kind: Kind::Nodes(0.5), ..ONE },
    SLOW,
    Stream { name: "6 % slow, weather hits both", kind: WEATHER, ..SLOW },
    Stream { name: "6 % slow, pods differ", kind: Kind::Neighbours(0.5), ..SLOW },
];

const RARE: Signal = Signal::Errors(0.0005);
const FEW: Signal = Signal::Errors(0.002);
