//! The admission webhook: HTTP around two decisions. It has no state, no cache and no leader; any
//! number of replicas give the same answers.
//!
//! ```text
//!   apiserver --TLS--> runtime::server --> service --> body, review (raw objects)
//!                                            |--> mutate:   crds::project, stamp       pure
//!                                            '--> validate: crds::validate, rivals     one list
//! ```
//!
//! Whatever cannot be understood goes through with a warning: the apiserver's own policy judges
//! the final object, so a fault here never blocks anybody and never lets a template out unheld.

pub mod args;
pub mod body;
pub mod decision;
pub mod metrics;
pub mod mutate;
pub mod review;
pub mod rivals;
pub mod run;
pub mod service;
pub mod stamp;
pub mod text;
pub mod tls;
pub mod validate;
