//! What one look does to a stake: pure arithmetic.
//!
//! The stake is multiplied by `exp(a E_new - b E_stable - margin n_new g(a))`, with `E` the failed
//! and `n` the requests of a look, `a` and `b` positive and chosen from the requests and the past
//! alone.
//!
//! Why its expected value is at most 1 if the new version is not worse: a negative binomial count
//! of mean `m` and dispersion `phi = 1 + t` has the moment generating function
//! `E[exp(a X)] = exp(m g(a))` with `g(a) = -ln(1 - t (e^a - 1)) / t`. It is linear in the mean,
//! which is why the unknown rate can be made to cancel: with shares `p` and `q <= ratio p + margin`
//! the expected factor is at most
//! `exp(p [ratio n_new g(a) + n_stable g(-b)])`, and `b` is chosen so that the bracket is 0.
//! Nothing is assumed of `p`: it may be any, and another at every look.
//!
//! The same bound holds for whatever has no greater moment generating functions at `a` and `-b`:
//! * less dispersion: `g` grows with `t` on both sides of 0;
//! * Poisson: the limit `t -> 0`; binomial: `(1 + p (e^a - 1))^n <= exp(n p (e^a - 1))`;
//! * beta-binomial with shapes `(u, v)`: given its share it is binomial, hence below Poisson; and
//!   a beta variable `X / (X + Y)`, made of gamma variables, is the conditional mean of the gamma
//!   variable `X / (u + v)` given it, so that by Jensen every convex function of it has a smaller
//!   mean: a gamma-Poisson count, which is negative binomial, with `t = n / (u + v)`. In terms of
//!   the correlation `rho = 1 / (u + v + 1)` of two requests: `t = n rho / (1 - rho)`;
//! * bursts of geometric size, of mean `s`, each request beginning one by itself: with `z` for
//!   `e^a - 1` their number is below Poisson, which makes `exp(m z / (1 - (s - 1) z))` of a mean
//!   `m`, and `z / (1 - (s - 1) z) <= -ln(1 - t z) / t` if `ln(1 + t) <= t / s`. For `z > 0` by
//!   the coefficients of both series, since then `t >= 2 (s - 1)`. For `z = -x` because
//!   `ln(1 + t x) (1 + (s - 1) x) - t x` begins at 0, without slope, first bends down and then
//!   up, and is not above 0 at `x = 1`.

use super::Counts;

/// How many times worse than the null bound a version might be: one stake is put on each, in
/// equal parts.
pub(super) const TILTS: [f64; 5] = [1.5, 2.0, 3.0, 6.0, 20.0];

/// Below it the limit of no overdispersion is as good, and nothing is divided by zero.
const EXCESS_MIN: f64 = 1e-6;

/// What is acted on: more than `ratio` times stable's share plus `margin`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Null {
    pub ratio: f64,
    pub margin: f64,
}

/// The logarithm of the factor, for a version `tilt` times worse than the bound. Looks without
/// requests of both versions say nothing.
pub(super) fn ln_factor(
    (new, stable): (Counts, Counts),
    null: Null,
    dispersion: f64,
    tilt: f64,
) -> f64 {
    if new.requests() == 0 || stable.requests() == 0 {
        return 0.0;
    }
    let [requests, errors] = [new.requests(), new.errors()].map(float);
    let [stable_requests, stable_errors] = [stable.requests(), stable.errors()].map(float);
    let excess = (dispersion - 1.0).max(EXCESS_MIN);
    let odds = null.ratio * requests / stable_requests;
    // The part that the pooled rate, which the new version drives up itself, leaves of the tilt:
    // without overdispersion this is the likelihood ratio of how the errors fall to the two.
    let lift = (tilt - 1.0) / (1.0 + odds * tilt);
    // e^a - 1, of the exponential tilt that makes the mean of a negative binomial count
    // (1 + lift) times as large.
    let rise = lift / (1.0 + (1.0 + lift) * excess);
    let up = rise.ln_1p();
    let cost = -(-excess * rise).ln_1p() / excess;
    // 1 - e^-b, from g(-b) = -odds g(a); below 1 since odds * cost < ln(1 + excess) / excess.
    let fall = (excess * odds * cost).exp_m1() / excess;
    let down = -(-fall).ln_1p();
    up * errors - down * stable_errors - null.margin * requests * cost
}

/// Counts of requests are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
