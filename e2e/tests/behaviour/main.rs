//! What Sluice promises, on a real cluster with real pods and the real kubectl, each test in a
//! namespace of its own under the independent observer.
//!
//! Two groups: `--skip serial` side by side, then `serial -- --test-threads 1` for those that
//! break what the others need.

mod abort;
mod batches;
mod broken;
mod cli;
mod cloneset;
mod daemonset;
mod gates;
mod ingress;
mod pauses;
mod policy;
mod reapply;
mod restore;
mod rollback;
mod scaling;
mod serial;
mod sizes;
mod statefulset;
mod takeover;
mod traffic;

use e2e::app::App;
use e2e::plan::Plan;

/// Three replicas, one of them first.
fn small() -> (App, Plan) {
    (App::new(3), Plan::new(["1 pause", "100%"]))
}
