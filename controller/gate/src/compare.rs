//! The comparison of a new version with the stable one, valid at every look. Owns its terms, the
//! evidence that grows from look to look, and what it says.
//!
//! Two counts of each version are compared: requests, and those among them that failed (or took
//! longer than a bound). Acted on is a new version that is worse than
//! `ratio x stable + margin`. Each look multiplies a stake by a factor whose expected value is at
//! most 1 as long as the new version is not worse; so the stake hardly ever grows large by
//! chance: it ever reaches `1 / alpha` with probability alpha at most, however often and for
//! however long somebody looks (Ville's inequality).
//!
//! What that needs, and no more:
//! * Given the past, the new version's share of failed requests is at most
//!   `ratio x stable's + margin`. Both may change from look to look, together, as they like.
//! * Given the shares, the two counts of a look are independent and no noisier than negative
//!   binomial counts of dispersion `phi` (variance over mean). Binomial and Poisson counts are
//!   that with `phi` 1, and beta-binomial ones with `1 + n rho / (1 - rho)`: [`factor`] has the
//!   proof.
//!
//! [`factor`]: self::factor

mod dispersion;
mod evidence;
mod factor;
mod finding;
mod kept;
mod look;
mod terms;

pub use dispersion::Noise;
pub use evidence::Evidence;
pub use finding::Finding;
pub use look::{Counted, Pods};
pub use terms::{Counts, CountsError, Look, Terms, TermsError};

#[cfg(test)]
mod tests;
