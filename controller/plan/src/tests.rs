//! Plans of states that no story reaches by itself, or only by chance: each transition alone.
//! Whole releases are in `tests/scripts`.

mod comparison;
mod deadline;
mod gates;
mod holds;
mod hooks;
mod ingress;
mod orphan;
mod record;
mod requests;
mod rest;
pub(crate) mod scene;
mod stale;
mod start;
mod traffic;
