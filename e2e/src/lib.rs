//! The black-box side of Sluice: a test application, an independent observer of the design's
//! invariants, and what the tests and the demo need to drive a real cluster as a user does. Of our
//! own crates only the contract (`crds`) is known here.

pub mod app;
pub mod bench;
pub mod clock;
pub mod cloneset;
pub mod cluster;
pub mod crd;
pub mod demo;
pub mod failure;
pub mod kubectl;
pub mod load;
pub mod observer;
pub mod plan;
pub mod scenario;
pub mod testapp;
pub mod view;
