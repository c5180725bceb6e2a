//! The webhook from outside: reviews over TLS, recorded reviews with golden answers, and bytes that
//! nobody would send on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests, all of it")]

mod fixtures;
mod properties;
mod reviews;
mod rollouts;
mod routes;
mod serving;
