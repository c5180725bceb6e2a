//! Releases through Sluice and native ones in turn: the same application, 10 replicas, the API's
//! own maxSurge and maxUnavailable of 25 %, 5 batches of 2 without a pause. Medians of several.

use std::time::Duration;

use kube::Client;
use tokio::time::sleep;

use super::audit::{Audit, Entry, Mark, timeline};
use super::course::{Course, course};
use super::figures::Key;
use super::quantile::median;
use super::stage::Stage;
use super::{Settings, say, unmeasured};
use crate::app::App;
use crate::failure::Outcome;
use crate::plan::Plan;

const REPLICAS: i32 = 10;
const BATCHES: [usize; 5] = [2, 4, 6, 8, 10];
/// How long rest is watched.
const REST: Duration = Duration::from_secs(10);

/// Measures the releases.
///
/// # Errors
/// One of them could not be measured.
pub async fn measure(
    client: &Client,
    audit: &mut Audit,
    settings: &Settings,
) -> Outcome<Vec<(Key, f64)>> {
    let app = || App::new(REPLICAS).rolling("25%", "25%");
    let plan = Plan::new(["2", "4", "6", "8", "100%"]);
    let mut native = Stage::raise(client, "bench-native", app(), None).await?;
    let played = match Stage::raise(client, "bench-sluice", app(), Some(&plan)).await {
        Ok(mut sluice) => {
            let played = play(client, audit, settings, (&mut sluice, &mut native)).await;
            sluice.clear().await;
            played
        }
        Err(failure) => Err(failure),
    };
    native.clear().await;
    played?.figures()
}

/// What was seen of all of them.
#[derive(Default)]
struct Played {
    sluice: Vec<Course>,
    native: Vec<Course>,
    /// Writes of each release, until the next one began.
    writes: Vec<f64>,
    rest: f64,
}

async fn play(
    client: &Client,
    audit: &mut Audit,
    settings: &Settings,
    (sluice, native): (&mut Stage, &mut Stage),
) -> Outcome<Played> {
    let mut played = Played::default();
    let mut marks = vec![audit.mark(client).await?];
    for number in 1..=settings.releases {
        say(&format!("release {number} of {}", settings.releases));
        let version = format!("v{}", number + 1);
        let seen = sluice.release(&version).await?;
        played.sluice.push(course(seen.sent, &seen.arrivals, &version, &BATCHES)?);
        let seen = native.release(&version).await?;
        let all = [BATCHES[BATCHES.len() - 1]];
        played.native.push(course(seen.sent, &seen.arrivals, &version, &all)?);
        // After the native one: what Sluice still writes when its release is over counts too.
        marks.push(audit.mark(client).await?);
    }
    say("rest");
    // Rest is what happens in a time in which nothing is asked for: there is nothing to wait for.
    sleep(REST).await;
    marks.push(audit.mark(client).await?);
    let counted = |entry: &Entry| entry.is_counted() && concerns(entry, sluice.namespace());
    let mut counts: Vec<f64> = spans(&marks)
        .map(|span| audit.between(span, |entry| counted(entry)).len() as f64)
        .collect();
    played.rest = counts.pop().unwrap_or_default();
    played.writes = counts;
    if let Some(span) = spans(&marks).rev().nth(1) {
        let concerned = |entry: &Entry| entry.is_write() && concerns(entry, sluice.namespace());
        let told = timeline(&audit.between(span, concerned));
        let path = &settings.timeline;
        std::fs::write(path, told)
            .map_err(|error| unmeasured(format!("{}: {error}", path.display())))?;
    }
    Ok(played)
}

fn spans(marks: &[Mark]) -> impl DoubleEndedIterator<Item = (Mark, Mark)> {
    marks.windows(2).map(|pair| (pair[0], pair[1]))
}

/// It is about this namespace, Sluice's own, or none: other tests on the cluster do not count.
fn concerns(entry: &Entry, namespace: &str) -> bool {
    let own = [namespace, crds::contract::NAMESPACE, ""];
    own.contains(&entry.object_ref.namespace.as_str())
}

impl Played {
    fn figures(&self) -> Outcome<Vec<(Key, f64)>> {
        let of = |courses: &[Course], value: fn(&Course) -> f64| {
            let values: Vec<f64> = courses.iter().map(value).collect();
            median(&values).ok_or_else(|| unmeasured("no release"))
        };
        let next: Vec<f64> = self.sluice.iter().flat_map(|c| c.next_batch.clone()).collect();
        let none = || unmeasured("no release");
        Ok(vec![
            (Key::FirstPod, of(&self.sluice, |c| c.first_pod * 1000.0)?),
            (Key::NativeFirstPod, of(&self.native, |c| c.first_pod * 1000.0)?),
            (Key::NextBatch, median(&next).ok_or_else(none)? * 1000.0),
            (Key::Release, of(&self.sluice, |c| c.whole)?),
            (Key::NativeRelease, of(&self.native, |c| c.whole)?),
            (Key::Readiness, of(&self.sluice, |c| c.readiness)?),
            (Key::Overhead, of(&self.sluice, |c| (c.whole / c.readiness - 1.0) * 100.0)?),
            (Key::Writes, median(&self.writes).ok_or_else(none)?),
            (Key::RestWrites, self.rest),
        ])
    }
}
