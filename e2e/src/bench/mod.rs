//! What Sluice costs, measured beside a native rollout in one run on the real cluster. This file
//! owns the order of the measurements; each part says in its own file how it measures. What cannot
//! be measured is said and fails the run; a target that is missed is only marked.
//!
//! ```text
//!   apiserver --watch, one client--> record --> course   times of a release
//!             --audit log----------> audit              writes, and who made them when
//!             --paired UPDATEs-----> admission          what the webhook adds
//!   /proc of the real pods --------> memory
//! ```

pub mod admission;
pub mod audit;
pub mod course;
pub mod figures;
pub mod memory;
pub mod quantile;
pub mod record;
pub mod releases;
pub mod stage;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use kube::Client;

use self::audit::Audit;
use self::figures::{Key, Report};
use crate::cluster;
use crate::failure::{Failure, Outcome};

/// What to measure, and where to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Releases of each kind.
    pub releases: usize,
    /// The apiserver's audit log.
    pub audit_log: PathBuf,
    /// Where the timeline of the last release goes.
    pub timeline: PathBuf,
}

/// Measures everything.
///
/// # Errors
/// There is no cluster to measure. What fails later is in the report.
pub async fn run(settings: &Settings) -> Outcome<Report> {
    let client = cluster::connect().await?;
    let mut audit = Audit::open(&settings.audit_log)?;
    let mut report = Report::default();
    say("releases");
    report.take(releases::measure(&client, &mut audit, settings).await);
    say("updates with the webhook and without");
    report.take(admission::measure(&client, &mut audit).await);
    // Last, so that the processes have worked.
    report.take(memories(&client).await);
    Ok(report)
}

async fn memories(client: &Client) -> Outcome<Vec<(Key, f64)>> {
    let controller = memory::resident_mib(client, "controller").await?;
    let webhook = memory::resident_mib(client, "webhook").await?;
    Ok(vec![(Key::ControllerRss, controller), (Key::WebhookRss, webhook)])
}

/// Tells whoever watches how far it is; the figures themselves go elsewhere.
#[expect(clippy::print_stderr, reason = "progress of a command that takes a minute")]
fn say(what: &str) {
    eprintln!("bench: {what} ...");
}

/// A failure that says what could not be measured.
fn unmeasured(what: impl Into<String>) -> Failure {
    Failure::Wrong(format!("not measured: {}", what.into()))
}
