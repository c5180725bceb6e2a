//! Tests that break what all others need. They take the cluster for themselves.

mod crash;
mod dead;
mod kinds;
mod outage;
mod prometheus;
