//! The judge of metrics, pure: somebody else fetches, this crate decides. No IO, no clock, no
//! randomness, no logging.
//!
//! ```text
//!   Template --render--> query text ~~somebody asks Prometheus~~> bytes --parse--> Answer
//!                                                                                   |
//!      Judgement <--judge-- bound, window, least requests, now ---------------------+
//!          |                                                                        |
//!          v                                                                        v
//!      History --state--> Waiting, Measuring, Passed, Failed, ...     Evidence --> Finding
//! ```
//!
//! A hook's answer (`hook`) is judged by its status, into the same History.
//!
//! Absent: a way from anything but real samples to a pass. What is missing or doubtful is
//! Unknown, what is broken is an Error, and neither lets a batch through or takes it back.

pub mod answer;
pub mod compare;
pub mod decimal;
pub mod history;
pub mod hook;
pub mod query;
pub mod ready;
pub mod verdict;

pub use answer::{Answer, AnswerError};
pub use compare::{Counts, Evidence, Finding, Look};
pub use decimal::Decimal;
pub use history::{History, State, Tally};
pub use hook::{HookAnswer, HookFinding, HookTrouble};
pub use query::{Template, Values};
pub use verdict::{Judgement, Verdict, judge};
