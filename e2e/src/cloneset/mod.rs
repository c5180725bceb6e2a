//! A small double of `OpenKruise`'s `CloneSet` controller, for tests on a real apiserver with real
//! pods. It is not Kruise: it does what Kruise's controller (v1alpha1, default feature gates) does
//! with the fields that its CRD has, also where that is inconvenient, and knows nothing of Sluice.
//! Left out: volume claims, lifecycle hooks, scatter, image pre-download, topology spread in the
//! choice of pods, and Kruise's webhook, whose defaults and validation are the CRD's where a schema
//! can say them.

mod act;
mod calls;
mod decide;
mod events;
mod inplace;
mod lifecycle;
mod member;
mod names;
mod order;
mod partition;
mod pod;
mod progress;
mod queue;
mod reconcile;
mod revisions;
mod run;
mod scale;
mod spec;
mod status;
mod update;

#[cfg(test)]
mod tests;

pub use run::{RunError, run};
