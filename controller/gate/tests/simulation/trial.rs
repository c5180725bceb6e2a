//! One stream's trial: healthy releases set the judges to one rate of false aborts, and bad ones
//! show how soon each aborts then. Owns what is measured; says nothing of it.

use gate::compare::{Noise, Terms};

use crate::judges::{Measured, USUAL, evidence, found, terms};
use crate::shipped::Shipped;
use crate::stream::{LOOKS, Release, Source, Stream};

/// Of each stream.
pub const HEALTHY: u64 = 10_000;
/// Of each stream.
pub const BAD: u64 = 1_000;
/// Of the healthy ones, the false aborts that alpha allows and that every judge is set to.
pub const FALSE: usize = 100;
/// How much worse a bad version is.
pub const WORSE: f64 = 2.0;

/// Of something learned with stable's past and without it.
pub type Learned<T> = [T; 2];

/// What was measured.
pub struct Trial {
    pub stream: Stream,
    pub healthy: Healthy,
    pub bad: Bad,
    pub shipped: Shipped,
}

/// False aborts.
pub struct Healthy {
    /// At the dispersion that the proof asks for, where it covers the stream.
    pub proved: Option<usize>,
    pub learned: Learned<usize>,
}

impl Healthy {
    /// The false aborts by alpha, with a past. Usual gates cannot be set to none at all.
    pub fn by_alpha(&self) -> usize {
        self.learned[0].max(1)
    }
}

/// Bad releases.
#[derive(Default)]
pub struct Bad {
    /// How many were found by alpha, at ratio 1 and margin 0.
    pub found: Learned<usize>,
    /// After how many requests of the new version, all of them where it was not found.
    pub by_alpha: Learned<f64>,
    /// The same at equal rates of false aborts.
    pub equal: Learned<f64>,
    /// The same of the usual gates.
    pub usual: PerUsual<f64>,
    /// The same, set to the false aborts of the comparison by alpha, with a past.
    pub usual_by_alpha: PerUsual<f64>,
}

/// Something of each usual gate.
type PerUsual<T> = [T; USUAL.len()];

/// What all judges are set to.
struct Settings {
    terms: Terms,
    learned: Learned<Setting>,
    usual: PerUsual<Setting>,
    usual_by_alpha: PerUsual<Setting>,
}

/// A threshold and the next one above it, with the weights that make the rate exact. Shares come
/// in steps, and no single threshold may have just that rate.
pub struct Setting(pub [(f64, f64); 2]);

impl Setting {
    /// Of the highest levels of healthy releases.
    pub fn new(levels: &[f64], aborted: usize) -> Self {
        let mut levels = levels.to_vec();
        levels.sort_by(|one, other| other.total_cmp(one));
        let low = levels[aborted - 1];
        let above = levels.iter().take_while(|level| **level > low).count();
        let least = levels.iter().take_while(|level| **level >= low).count();
        let weight = (aborted - above) as f64 / (least - above) as f64;
        Self([(low, weight), (low.next_up(), 1.0 - weight)])
    }

    /// Looks until the level is reached, or all.
    fn looks(&self, levels: &[f64]) -> f64 {
        let until = |threshold: f64| {
            levels.iter().position(|level| *level >= threshold).map_or(LOOKS, |at| at + 1)
        };
        self.0.iter().map(|(threshold, weight)| weight * until(*threshold) as f64).sum()
    }
}

impl Trial {
    pub fn new(stream: Stream) -> Self {
        let (healthy, settings) = healthy(stream);
        let bad = Bad::new(stream, &settings);
        Self { stream, healthy, bad, shipped: Shipped::new(stream) }
    }
}

fn healthy(stream: Stream) -> (Healthy, Settings) {
    let source = stream.source(1.0);
    let most = stream.proved_dispersion().map(|most| Noise::AtMost(most.parse().unwrap()));
    let given = most.map(|most| terms(most, stream.ratio));
    let learned = terms(Noise::Learned, stream.ratio);
    let mut healthy = Healthy { proved: most.map(|_| 0), learned: [0; 2] };
    let (mut stakes, mut levels) = ([const { Vec::new() }; 2], USUAL.map(|_| Vec::new()));
    for seed in 0..HEALTHY {
        let release = source.release(seed);
        if let (Some(aborts), Some(given)) = (&mut healthy.proved, &given) {
            *aborts += usize::from(end(given, &release, false).0);
        }
        for (at, past) in [true, false].into_iter().enumerate() {
            let (aborted, stake) = end(&learned, &release, past);
            healthy.learned[at] += usize::from(aborted);
            stakes[at].push(stake);
        }
        let measured = Measured::new(&release.looks);
        for (levels, usual) in levels.iter_mut().zip(USUAL) {
            levels.push(usual.levels(&measured).fold(f64::NEG_INFINITY, f64::max));
        }
    }
    let by_alpha = healthy.by_alpha();
    let stakes = stakes.map(|stakes| Setting::new(&stakes, FALSE));
    let usual = |aborted| levels.each_ref().map(|levels| Setting::new(levels, aborted));
    (
        healthy,
        Settings {
            terms: learned,
            learned: stakes,
            usual: usual(FALSE),
            usual_by_alpha: usual(by_alpha),
        },
    )
}

/// Whether it was aborted by the last look, and the highest evidence.
pub fn end(terms: &Terms, release: &Release, past: bool) -> (bool, f64) {
    let mut evidence = evidence(terms, release, past);
    release.looks.iter().for_each(|look| evidence.add(look));
    found(&evidence)
}

impl Bad {
    fn new(stream: Stream, settings: &Settings) -> Self {
        let (mut bad, source) = (Self::default(), stream.source(WORSE));
        for seed in 0..BAD {
            bad.add(&source.release(HEALTHY + seed), settings, &source);
        }
        let requests = stream.new_requests() as f64;
        let learned = bad.by_alpha.iter_mut().chain(&mut bad.equal);
        let all = learned.chain(&mut bad.usual).chain(&mut bad.usual_by_alpha);
        all.for_each(|looks| *looks *= requests / BAD as f64);
        bad
    }

    /// Adds looks.
    fn add(&mut self, release: &Release, settings: &Settings, source: &Source) {
        let since = |looks: f64| (looks - source.turns as f64).max(0.0);
        for (at, past) in [true, false].into_iter().enumerate() {
            let setting = &settings.learned[at];
            let (aborted, stakes) = stakes(&settings.terms, release, past, setting.0[1].0);
            self.found[at] += usize::from(aborted.is_some());
            self.by_alpha[at] += since(aborted.unwrap_or(LOOKS) as f64);
            self.equal[at] += since(setting.looks(&stakes));
        }
        let measured = Measured::new(&release.looks);
        for (at, gate) in USUAL.into_iter().enumerate() {
            let levels: Vec<_> = gate.levels(&measured).collect();
            self.usual[at] += since(settings.usual[at].looks(&levels));
            self.usual_by_alpha[at] += since(settings.usual_by_alpha[at].looks(&levels));
        }
    }
}

/// After how many looks it was aborted, and the evidence at each until that and `enough`.
pub fn stakes(
    terms: &Terms,
    release: &Release,
    past: bool,
    enough: f64,
) -> (Option<usize>, Vec<f64>) {
    let mut evidence = evidence(terms, release, past);
    let (mut aborted, mut stakes) = (None, Vec::with_capacity(LOOKS));
    for look in &release.looks {
        evidence.add(look);
        let (worse, stake) = found(&evidence);
        stakes.push(stake);
        if worse {
            aborted = aborted.or(Some(stakes.len()));
        }
        if worse && stake >= enough {
            break;
        }
    }
    (aborted, stakes)
}
