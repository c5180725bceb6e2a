//! What somebody may try: values that would break out of their literal, and answers that would
//! pass without a real sample. Independent readings of PromQL and of Prometheus' JSON are the
//! judges.

#![allow(clippy::unwrap_used, reason = "a test")]

mod answers;
mod promql;
mod queries;

use proptest::test_runner::{Config, TestRunner};

/// Plays so many cases.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}
