//! The times of one release, read out of a record. Pure.
//!
//! * first pod: from the moment before the user's write is sent to the first pod of the new
//!   version.
//! * readiness of a batch: from its first pod's creation to its last pod being ready. What the
//!   kubelet and the container take by themselves; neither Sluice nor the stock controller is in
//!   it. The sum over the batches is what no tool that goes batch by batch can be faster than.
//! * next batch: from a batch's last pod being ready to the write of the next batch's hold.
//! * whole: from the moment before the user's write is sent to the moment at which `kubectl rollout
//!   status` ends and no hold is left, so the restoring of the user's fields is in it.

use tokio::time::Instant;

use super::record::{Arrival, Named, News};
use super::unmeasured;
use crate::failure::Outcome;

/// The times of one release, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The user's write to the first new pod.
    pub first_pod: f64,
    /// The sum of the batches' own pod readiness.
    pub readiness: f64,
    /// A batch's pods ready to the next batch's write: one less than there are batches.
    pub next_batch: Vec<f64>,
    /// The user's write to the end.
    pub whole: f64,
}

/// Reads the release of `version`, whose write was sent at `sent` and whose batches end with so
/// many pods.
///
/// # Errors
/// Something of it was not seen.
pub fn course(
    sent: Instant,
    arrivals: &[Arrival],
    version: &str,
    batches: &[usize],
) -> Outcome<Course> {
    let created = firsts(arrivals, |news| match news {
        News::Created(pod) if pod.version == version => Some(pod),
        _ => None,
    });
    let ready = firsts(arrivals, |news| match news {
        News::Ready(pod) if pod.version == version => Some(pod),
        _ => None,
    });
    let seen = |all: &[Instant], index: usize, what: &str| {
        let at = all.get(index).copied();
        at.ok_or_else(|| unmeasured(format!("pod {} of {version} was not seen {what}", index + 1)))
    };
    let (mut readiness, mut next_batch, mut begin) = (0.0, Vec::new(), 0);
    for (index, end) in batches.iter().copied().enumerate() {
        let filled = seen(&ready, end - 1, "ready")?;
        readiness += seconds(seen(&created, begin, "created")?, filled);
        if index + 1 < batches.len() {
            next_batch.push(seconds(filled, opened(arrivals, index + 2)?));
        }
        begin = end;
    }
    let first_pod = seconds(sent, seen(&created, 0, "created")?);
    Ok(Course { first_pod, readiness, next_batch, whole: seconds(sent, ended(arrivals, version)?) })
}

/// The first moment of each pod that `of` picks, in order.
fn firsts(arrivals: &[Arrival], of: impl Fn(&News) -> Option<&Named>) -> Vec<Instant> {
    let mut names: Vec<&str> = Vec::new();
    let mut moments = Vec::new();
    for Arrival { at, news } in arrivals {
        let Some(pod) = of(news) else { continue };
        if !names.contains(&pod.name.as_str()) {
            names.push(&pod.name);
            moments.push(*at);
        }
    }
    moments
}

/// When batch `wanted` (1 for the first) was written.
fn opened(arrivals: &[Arrival], wanted: usize) -> Outcome<Instant> {
    let opens = |news: &News| match news {
        News::Deployment { batch: Some(batch), .. } => *batch as usize >= wanted,
        _ => false,
    };
    let arrival = arrivals.iter().find(|arrival| opens(&arrival.news));
    let missing = || unmeasured(format!("batch {wanted} was not seen written"));
    arrival.map(|arrival| arrival.at).ok_or_else(missing)
}

fn ended(arrivals: &[Arrival], wanted: &str) -> Outcome<Instant> {
    let ends = |news: &News| match news {
        News::Deployment { version, batch: None, complete: true } => version == wanted,
        _ => false,
    };
    let arrival = arrivals.iter().find(|arrival| ends(&arrival.news));
    arrival.map(|arrival| arrival.at).ok_or_else(|| unmeasured(format!("no end of {wanted} seen")))
}

/// From `from` to `to`, negative if it was the other way round: two watches of one client are not
/// in step to the millisecond.
fn seconds(from: Instant, to: Instant) -> f64 {
    if to >= from { (to - from).as_secs_f64() } else { -(from - to).as_secs_f64() }
}
