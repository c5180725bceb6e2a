//! Random numbers of a fixed seed, and the distributions that streams are made of.

/// xorshift64*, seeded through splitmix64 so that near seeds give far streams.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Between 0 and 1, never either.
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (one, other) = (self.uniform(), self.uniform());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// Of mean `shape` (Marsaglia and Tsang).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let root = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * root;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// A share of this mean; `rho` is the correlation of two requests that have it in common.
    pub fn beta(&mut self, mean: f64, rho: f64) -> f64 {
        let both = 1.0 / rho - 1.0;
        let (one, other) = (self.gamma(mean * both), self.gamma((1.0 - mean) * both));
        one / (one + other)
    }

    /// By inversion, in pieces whose first probability is no underflow.
    pub fn binomial(&mut self, count: u64, share: f64) -> u64 {
        if share <= 0.0 || count == 0 {
            return 0;
        }
        if share > 0.5 {
            return count - self.binomial(count, (1.0 - share).max(0.0));
        }
        if count as f64 * share > 200.0 {
            let half = count / 2;
            return self.binomial(half, share) + self.binomial(count - half, share);
        }
        let odds = share / (1.0 - share);
        let mut left = self.uniform();
        let mut probability = (count as f64 * (-share).ln_1p()).exp();
        let mut hits = 0;
        while left > probability && hits < count {
            left -= probability;
            hits += 1;
            probability *= odds * (count - hits + 1) as f64 / hits as f64;
        }
        hits
    }

    /// At least 1, of this mean.
    pub fn geometric(&mut self, mean: f64) -> u64 {
        if mean <= 1.0 {
            return 1;
        }
        1 + (self.uniform().ln() / (-1.0 / mean).ln_1p()) as u64
    }
}
