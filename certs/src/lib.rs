//! The webhook's keys and the apiserver's trust in them: makes, keeps, renews and serves one CA
//! and one serving certificate. Owns the Secret that holds them and the caBundle of our own
//! webhook configurations; knows nothing of what is served.
//!
//! ```text
//!   controller's leader:  Secret --read--> next(bundle, now) --> one step --> Secret
//!      (keep)                                                      then caBundle of both
//!                                                                  webhook configurations
//!   every webhook:        Secret --read--> key and certificate match? --> resolver of rustls
//!      (serve)                             no: the last good one stays
//! ```
//!
//! The order of a rotation of the CA follows from one step a pass, trust before use: the new CA
//! joins the caBundle first, the leaf follows once that has settled, and the old CA leaves with
//! the leaf's next renewal.

pub mod bundle;
mod changed;
pub mod inject;
pub mod issue;
pub mod keep;
pub mod next;
pub mod place;
pub mod serve;
pub mod store;

#[cfg(test)]
mod testing;

pub use bundle::Bundle;
pub use keep::{KeepMetrics, keep};
pub use next::{Next, next};
pub use place::Place;
pub use serve::{ServeMetrics, Served, follow, served};
