//! x
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict { /// x
 Pass, /// x
 Fail, /// x
 Unknown, /// x
 Error }
