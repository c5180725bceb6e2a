//! x
pub mod compare;
pub mod decimal;
pub mod verdict;
pub use compare::{Counts, Evidence, Finding, Look};
pub use decimal::Decimal;
pub use verdict::Verdict;
