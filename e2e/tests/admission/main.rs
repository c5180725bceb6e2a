//! What the apiserver does with a write while no webhook answers: the admission policy and the
//! webhooks' match conditions, on a real apiserver.
//!
//! Both manifests are installed as copies that speak of labels and annotations of their own, so
//! that nothing of Sluice in the cluster stands in the way, and nothing there is disturbed. Every
//! judged write is a dry run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails so")]

mod copy;
mod policy;
mod registration;
mod rollouts;
mod script;
mod workload;
