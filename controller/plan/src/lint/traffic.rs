//! Rules of the writes that move requests.

use crds::route::{RouteReading, Share};

use super::{Lint, all};
use crate::action::Action;
use crate::observed::{CanarySeen, Fact, Observed, Traffic, Workload};

/// A write to a route, or of a Service or a canary Ingress of ours.
pub(super) fn check(lint: &mut Lint, seen: &Observed, workload: &Workload, action: &Action) {
    let detail = || format!("{action:?} with {:?}", seen.traffic);
    let Fact::Known(traffic) = &seen.traffic else {
        return lint.must(false, "requests are moved only by who sees them", detail);
    };
    match action {
        Action::WriteRoute { hold: Some(hold), .. } => {
            let served = hold.shares.iter().all(|share| is_served(traffic, share));
            lint.must(served, "no requests to a revision without ready endpoints", detail);
        }
        Action::CreateService { revision, pod_hash, .. } => {
            let found = match &workload.sets {
                Fact::Known(sets) => {
                    all(sets).any(|set| set.revision == *revision && set.pod_hash == *pod_hash)
                }
                Fact::Absent | Fact::Unknown(_) => false,
            };
            lint.must(found, "a Service selects pods that are known", detail);
        }
        Action::DeleteService { name, .. } => {
            let needed = shares(traffic).any(|share| names(share, name));
            let revision = traffic.services.iter().find(|seen| seen.name == *name);
            let asked = revision.is_some_and(|seen| {
                traffic.canaries.iter().any(|canary| canary.revision == seen.revision)
            });
            lint.must(!needed && !asked, "a Service goes after the requests to it", detail);
        }
        Action::WriteCanary { route, uid, .. } => {
            let mut routes = traffic.routes.iter();
            let pinned = routes.any(|fact| match &fact.seen {
                Fact::Known(seen) => {
                    fact.route == *route && seen.uid == *uid && seen.projected == Ok(true)
                }
                Fact::Absent | Fact::Unknown(_) => false,
            });
            lint.must(pinned, "a canary comes beside what sends nobody else there", detail);
        }
        Action::DropCanary { name, uid, .. } => {
            let known = |seen: &CanarySeen| seen.name == *name && seen.uid == *uid;
            lint.must(traffic.canaries.iter().any(known), "only a known canary is dropped", detail);
        }
        _ => {}
    }
}

/// The update has no requests by it, or pods that answer; or it has these requests already.
fn is_served(traffic: &Traffic, share: &Share) -> bool {
    let asks = share.weight > 0 || !share.conditions.is_empty();
    let mut services = traffic.services.iter();
    let ready = services.any(|service| service.name == share.canary && service.ready > 0);
    !asks || ready || shares(traffic).any(|held| held == share)
}

fn names(share: &Share, name: &str) -> bool {
    let asked = share.weight > 0 || !share.conditions.is_empty();
    share.stable.as_deref() == Some(name) || (asked && share.canary == name)
}

/// What the routes say now.
fn shares(traffic: &Traffic) -> impl Iterator<Item = &Share> {
    let holds = traffic.routes.iter().filter_map(|fact| match &fact.seen {
        Fact::Known(seen) => match &seen.hold {
            RouteReading::Hold(hold) => Some(hold),
            RouteReading::None | RouteReading::Newer(_) | RouteReading::Malformed(_) => None,
        },
        Fact::Absent | Fact::Unknown(_) => None,
    });
    holds.flat_map(|hold| &hold.shares)
}
