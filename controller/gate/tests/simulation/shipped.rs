//! The comparison with every default as it is shipped, on the same streams: what `compare: {}`
//! does. Owns what is measured; says nothing of it.

use gate::compare::{Noise, Terms};

use crate::judges::ALPHA;
use crate::stream::{LOOKS, Stream};
use crate::trial::{BAD, HEALTHY, Learned, WORSE, end, stakes};

/// Acceptable is so many times stable's share.
pub const RATIO: &str = "1.2";
/// And so large a share more.
pub const MARGIN: &str = "0.001";
/// Fewer requests of the new version say nothing.
pub const LEAST: u64 = 100;

/// What was measured.
pub struct Shipped {
    /// Healthy releases that were aborted.
    pub aborts: Learned<usize>,
    /// Bad ones that were found.
    pub found: Learned<usize>,
    /// After how many requests of the new version, all of them where it was not found.
    pub requests: Learned<f64>,
}

impl Shipped {
    pub fn new(stream: Stream) -> Self {
        let terms = terms();
        let mut shipped = Self { aborts: [0; 2], found: [0; 2], requests: [0.0; 2] };
        let (healthy, bad) = (stream.source(1.0), stream.source(WORSE));
        for seed in 0..HEALTHY {
            let release = healthy.release(seed);
            for (at, past) in [true, false].into_iter().enumerate() {
                shipped.aborts[at] += usize::from(end(&terms, &release, past).0);
            }
        }
        for seed in HEALTHY..HEALTHY + BAD {
            let release = bad.release(seed);
            for (at, past) in [true, false].into_iter().enumerate() {
                let (until, _) = stakes(&terms, &release, past, f64::NEG_INFINITY);
                shipped.found[at] += usize::from(until.is_some());
                let looks = until.unwrap_or(LOOKS).saturating_sub(bad.turns);
                shipped.requests[at] += looks as f64;
            }
        }
        let requests = stream.new_requests() as f64 / BAD as f64;
        shipped.requests.iter_mut().for_each(|looks| *looks *= requests);
        shipped
    }
}

fn terms() -> Terms {
    let [alpha, ratio, margin] = [ALPHA, RATIO, MARGIN].map(|text| text.parse().unwrap());
    Terms::new(alpha, (ratio, margin), LEAST, Noise::Learned).unwrap()
}
