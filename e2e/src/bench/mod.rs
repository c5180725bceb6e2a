//! What Sluice costs, measured beside a native rollout in one run on the real cluster. This file
//! owns the order of the measurements; each part says in its own file how it measures. What cannot
//! be measured is said and fails the run; a target that is missed is only marked.
//!
//! ```text
//!   apiserver --watch, one client--> record --> course   times of a release
//!             --audit log----------> audit              writes, and who made them when
//!             --paired UPDATEs-----> admission          what the webhook adds
//!   /proc of the real pods --------> memory
//!   a metric that gets bad, audit -> bad_metric
//!   statuses of 100 Rollouts ------> gates
//!   100 releases at once, audit ---> hundred
//!   1,000 and 10,000 at rest ------> rest
//! ```

pub mod admission;
pub mod audit;
pub mod bad_metric;
pub mod course;
pub mod crowd;
pub mod figures;
pub mod gates;
pub mod hundred;
pub mod memory;
pub mod quantile;
pub mod record;
pub mod releases;
pub mod rest;
pub mod stage;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, DeleteParams};

use self::audit::Audit;
use self::figures::{Key, Report};
use self::rest::Crowd;
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
    /// This part alone.
    pub only: Option<Part>,
}

/// Measures everything.
///
/// # Errors
/// There is no cluster to measure. What fails later is in the report.
pub async fn run(settings: &Settings) -> Outcome<Report> {
    let client = cluster::connect().await?;
    let mut audit = Audit::open(&settings.audit_log)?;
    let mut report = Report::default();
    // Memory late, so that the processes have worked, and before it is filled with gates.
    for part in Part::ALL.into_iter().filter(|part| settings.only.is_none_or(|one| one == *part)) {
        say(part.as_str());
        report.take(match part {
            Part::Releases => releases::measure(&client, &mut audit, settings).await,
            Part::Admission => admission::measure(&client, &mut audit).await,
            Part::Memory => memories(&client).await,
            Part::BadMetric => bad_metric::measure(&client, &mut audit).await,
            Part::Gates => gates::measure(&client).await,
            Part::Hundred => hundred::measure(&client, &mut audit).await,
            Part::Thousand => rest::measure(&client, &mut audit, THOUSAND).await,
            Part::TenThousand => rest::measure(&client, &mut audit, TEN_THOUSAND).await,
        });
    }
    Ok(report)
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Releases beside native ones.
    Releases,
    /// What the webhook adds.
    Admission,
    /// Memory.
    Memory,
    /// From a bad metric to the abort.
    BadMetric,
    /// A thousand gates.
    Gates,
    /// A hundred releases at once.
    Hundred,
    /// A thousand workloads at rest.
    Thousand,
    /// Ten thousand workloads at rest.
    TenThousand,
}

const THOUSAND: Crowd = Crowd {
    count: 1_000,
    controller: Key::Rss1000,
    webhook: Key::WebhookRss1000,
    calls: Key::Calls1000,
};

const TEN_THOUSAND: Crowd = Crowd {
    count: 10_000,
    controller: Key::Rss10000,
    webhook: Key::WebhookRss10000,
    calls: Key::Calls10000,
};

impl Part {
    /// In the order of measuring.
    pub const ALL: [Self; 8] = [
        Self::Releases,
        Self::Admission,
        Self::Memory,
        Self::BadMetric,
        Self::Gates,
        Self::Hundred,
        Self::Thousand,
        Self::TenThousand,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Releases => "releases",
            Self::Admission => "admission",
            Self::Memory => "memory",
            Self::BadMetric => "bad-metric",
            Self::Gates => "gates",
            Self::Hundred => "hundred",
            Self::Thousand => "thousand",
            Self::TenThousand => "ten-thousand",
        }
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|part| part.as_str() == name);
        found.ok_or_else(|| format!("there is {known}"))
    }
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

/// Deletes a namespace without waiting for it: one that stays behind is untidy, not wrong.
async fn discard(client: &Client, namespace: &str) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let _ = namespaces.delete(namespace, &DeleteParams::default()).await;
}

/// A failure that says what could not be measured.
fn unmeasured(what: impl Into<String>) -> Failure {
    Failure::Wrong(format!("not measured: {}", what.into()))
}
