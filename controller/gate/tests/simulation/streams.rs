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
    ratio: "1",
    claim: Claim::Sooner,
};
/// Slower than two and a half times the median: 6 % of a healthy version's requests.
const SLOW: Stream =
    Stream { name: "6 % slow, each by itself", signal: Signal::Latency(2.5), ..ONE };
const HALF: Stream = Stream { name: "5 of 10 pods new", pods: (5, 5), ..ONE };
const WEATHER: Kind = Kind::Weather(0.7);
const HEAVY: Kind = Kind::Pods(0.02);
const HEAVIER: Kind = Kind::Pods(0.005);

const ORACLE: Claim = Claim::UsualSooner(
    "stable has no more pods than the new version, so that its share is known no better. A \
     threshold that was set to its true share, as here and nowhere else, has the advantage; \
     where that share moves, it is gone.",
);
const LATE: Claim = Claim::UsualSooner(
    "most of the stake was put down before the version turned bad, and dwindled; a gate that \
     looks at the last five looks alone has nothing to make up for.",
);
const HIDDEN: Claim = Claim::UsualSooner(
    "so few bursts are so noisy that within these looks hardly any gate finds a bad version \
     more often than a healthy one.",
);
const NODES: Claim = Claim::Beyond(
    "the new pod has bad luck for the whole release, such as a bad node. Its share is worse \
     than stable's, which is what is tested; that the version is not to blame cannot be seen \
     in its requests. Several new pods and a ratio above 1 help, as the next row shows.",
);
const WORTH: Claim = Claim::UsualSooner(
    "little is left of twice the errors above a ratio of 1.5, and the threshold was set to \
     stable's true share.",
);

pub const STREAMS: [Stream; 18] = [
    ONE,
    Stream { name: "5 % errors, 20 requests", signal: Signal::Errors(0.05), requests: 20, ..ONE },
    Stream { name: "1 % errors, 1000 requests", requests: 1000, ..ONE },
    Stream { name: "1 of 2 pods new", pods: (1, 1), claim: ORACLE, ..ONE },
    Stream { claim: ORACLE, ..HALF },
    Stream { name: "turns bad after 15 looks", turns: 15, claim: LATE, ..ONE },
    Stream { name: "weather hits both", kind: WEATHER, ..ONE },
    Stream { name: "5 of 10 pods new, weather", kind: WEATHER, ..HALF },
    Stream { name: "pods differ, dispersion 3", kind: HEAVY, ..ONE },
    Stream { name: "pods differ, dispersion 6", kind: HEAVIER, requests: 1000, ..ONE },
    Stream { name: "bursts of 3 errors", kind: Kind::Bursts(3.0), requests: 300, ..ONE },
    FEW_BURSTS,
    Stream { name: "pods stay 20 % apart", kind: Kind::Nodes(0.2), ..ONE },
    APART,
    Stream { name: "these, 5 of 10, ratio 1.5", pods: (5, 5), ratio: "1.5", claim: WORTH, ..APART },
    SLOW,
    Stream { name: "6 % slow, weather hits both", kind: WEATHER, ..SLOW },
    Stream { name: "6 % slow, pods differ", kind: Kind::Neighbours(0.5), ..SLOW },
];

const APART: Stream =
    Stream { name: "pods stay 50 % apart", kind: Kind::Nodes(0.5), claim: NODES, ..ONE };
const FEW_BURSTS: Stream = Stream {
    name: "0.2 %, bursts of 5 errors",
    kind: Kind::Bursts(5.0),
    signal: Signal::Errors(0.002),
    claim: HIDDEN,
    ..ONE
};
