//! Where the requests of a release go, and whether they are there yet. Brings routes to a split, or
//! home to the user's own rules, one step a plan; when which split is wanted is `release`'s and
//! `retreat`'s to say.
//!
//! ```text
//!   Services of ours -> their endpoints -> the holds of the routes -> canary Ingresses
//!     -> taken by all gateways -> settled -> Services of nobody deleted
//! ```

mod canary;

use std::collections::BTreeSet;
use std::time::Duration;

use crds::route::{Condition, RouteHold, RouteReading, Share};
use crds::status::RouteStatus;
use crds::{Revision, RouteRef, TrafficRoute};
use jiff::Timestamp;

use crate::action::Action;
use crate::draft::{Draft, later};
use crate::observed::{Fact, RouteFact, RouteSeen, Sets, Traffic};
use crate::revisions::{find, ready_of};
use crate::waiting::Wait;

/// How long a gateway takes to act on what it has, unless the route says so.
const SETTLE: Duration = Duration::from_secs(10);
/// So long the way back waits for a gateway: an abort is always possible.
const BACK_SECONDS: i64 = 60;
/// All requests.
pub(crate) const ALL: u32 = 100;
/// A name of a Service is a DNS label.
const NAME_MAX: usize = 63;

/// Whether requests are where they are to be.
pub(crate) enum Flow {
    There,
    Moving(Wait),
}

impl Flow {
    /// What has been waited for long enough is waited for no more.
    fn for_a_while(self, draft: &mut Draft<'_>) -> Self {
        let Self::Moving(wait) = self else { return self };
        let said = draft.before().waiting_for.as_ref();
        let since = said.filter(|said| wait.reason(draft.kind()) == said.reason);
        let until = later(since.map_or(draft.now, |said| said.since.0), BACK_SECONDS);
        draft.wake_at(until);
        if draft.now < until { Self::Moving(wait) } else { Self::There }
    }
}

/// A division of the requests.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    pub(crate) stable: &'a Revision,
    pub(crate) update: &'a Revision,
    /// Percent that the update has.
    pub(crate) weight: u32,
    /// Requests that it has whatever the weight.
    pub(crate) chosen: &'a [Condition],
    /// Pods of it that have to be ready endpoints before it gets any.
    pub(crate) pods: i32,
}

impl Split<'_> {
    fn reaches_update(&self) -> bool {
        self.weight > 0 || !self.chosen.is_empty()
    }
}

/// The Rollout has routes, or left some behind.
pub(crate) fn is_wanted(draft: &Draft<'_>) -> bool {
    !draft.seen.rollout.spec.routes.is_empty() || !draft.status.routes.is_empty()
}

/// The Service of ours for a revision.
pub(crate) fn service_name(service: &str, revision: &Revision) -> String {
    let revision = revision.to_string();
    let most = NAME_MAX.saturating_sub(revision.len() + 1);
    let head: String = service.chars().take(most).collect();
    format!("{}-{revision}", head.trim_end_matches('-'))
}

/// Brings the requests to a split.
pub(crate) fn bring(draft: &mut Draft<'_>, sets: &Sets, split: &Split<'_>) -> Flow {
    let routes = &draft.seen.rollout.spec.routes;
    if routes.is_empty() {
        return home(draft);
    }
    note(draft, routes, split);
    let traffic = match known(draft) {
        Ok(traffic) => traffic,
        Err(wait) => return Flow::Moving(wait),
    };
    if let Some(wait) = services(draft, traffic, sets, split) {
        return Flow::Moving(wait);
    }
    if let Some(wait) = write_routes(draft, traffic, |route| shares(routes, route, split)) {
        return Flow::Moving(wait);
    }
    if let Some(wait) = settle(draft) {
        return Flow::Moving(wait);
    }
    let needed: BTreeSet<_> = routes.iter().flat_map(|route| names(route, split)).collect();
    drop_services(draft, traffic, &needed);
    Flow::There
}

/// All requests to the stable revision, before pods of the update go. What no gateway takes in time
/// does not keep them.
pub(crate) fn withdraw(draft: &mut Draft<'_>, sets: &Sets, stable: &Revision) -> Flow {
    let moved = draft.status.routes.iter().find_map(|route| route.revision.clone());
    let Some(update) = moved.filter(|update| update != stable) else { return Flow::There };
    let split = Split { stable, update: &update, weight: 0, chosen: &[], pods: 0 };
    bring(draft, sets, &split).for_a_while(draft)
}

/// The same as [`home`] for a Rollout that is being deleted: neither a gateway that is gone nor a
/// kind of route that is not installed any more keeps it.
pub(crate) fn let_go(draft: &mut Draft<'_>) -> Flow {
    home(draft).for_a_while(draft)
}

/// The user's own rules, and nothing of ours left.
pub(crate) fn home(draft: &mut Draft<'_>) -> Flow {
    if draft.status.routes.is_empty() {
        return Flow::There;
    }
    for route in &mut draft.status.routes {
        if route.revision.take().is_some() {
            route.seen_at = None;
        }
    }
    let traffic = match known(draft) {
        Ok(traffic) => traffic,
        Err(wait) => return Flow::Moving(wait),
    };
    if let Some(wait) = write_routes(draft, traffic, |_| None) {
        return Flow::Moving(wait);
    }
    if let Some(wait) = settle(draft) {
        return Flow::Moving(wait);
    }
    if let Some(wait) = still_named(traffic) {
        return Flow::Moving(wait);
    }
    if drop_services(draft, traffic, &BTreeSet::new()) {
        return Flow::Moving(Wait::Disarming);
    }
    draft.status.routes.clear();
    Flow::There
}

/// All requests are with the update, and the gateways have acted on it: the last old pods may go.
pub(crate) fn is_all_over(draft: &Draft<'_>, update: &Revision) -> bool {
    let routes = &draft.before().routes;
    let over = |route: &RouteStatus| {
        let mine = route.weight == ALL && route.revision.as_ref() == Some(update);
        let until = route.seen_at.as_ref().map(|at| settled_at(draft, &route.name, at.0));
        mine && until.is_some_and(|until| until <= draft.now)
    };
    !routes.is_empty() && routes.iter().all(over)
}

/// Percent that the update has by the last plan.
pub(crate) fn weight_now(draft: &Draft<'_>, update: &Revision) -> u32 {
    let mine = draft.status.routes.iter().filter(|route| route.revision.as_ref() == Some(update));
    mine.map(|route| route.weight).min().unwrap_or(0)
}

/// Says in the status what is wanted.
fn note(draft: &mut Draft<'_>, routes: &[TrafficRoute], split: &Split<'_>) {
    let before = std::mem::take(&mut draft.status.routes);
    let wanted = |route: &TrafficRoute| RouteStatus {
        name: route.name.clone(),
        weight: split.weight,
        chosen: !split.chosen.is_empty(),
        revision: Some(split.update.clone()),
        seen_at: None,
    };
    for route in routes {
        let wanted = wanted(route);
        let same = |old: &&RouteStatus| RouteStatus { seen_at: None, ..(*old).clone() } == wanted;
        let old = before.iter().find(same).cloned();
        draft.status.routes.push(old.unwrap_or(wanted));
    }
}

fn known<'a>(draft: &mut Draft<'a>) -> Result<&'a Traffic, Wait> {
    draft.watch_routes = true;
    match &draft.seen.traffic {
        Fact::Known(traffic) => Ok(traffic),
        Fact::Absent => Err(Wait::FactsUnknown { why: "routes have not been read yet".into() }),
        Fact::Unknown(why) => Err(Wait::FactsUnknown { why: why.clone() }),
    }
}

/// Names of the Services that a split needs.
fn names(route: &TrafficRoute, split: &Split<'_>) -> Vec<String> {
    let stable = service_name(&route.service, split.stable);
    let update = split.reaches_update().then(|| service_name(&route.service, split.update));
    update.into_iter().chain([stable]).collect()
}

/// Makes the Services of ours that a split needs, and waits for their endpoints.
fn services(
    draft: &mut Draft<'_>,
    traffic: &Traffic,
    sets: &Sets,
    split: &Split<'_>,
) -> Option<Wait> {
    let mut wait = None;
    // Where no stable pod is ready nobody is served, and waiting helps nobody.
    let serves = find(sets, split.stable).is_some_and(|set| ready_of(set) > 0);
    let sides = [(split.stable, i32::from(serves)), (split.update, split.pods.max(1))];
    let sides = &sides[..if split.reaches_update() { 2 } else { 1 }];
    for route in &draft.seen.rollout.spec.routes {
        if !traffic.users.contains(&route.service) {
            wait = wait.or(Some(Wait::ServiceMissing { service: route.service.clone() }));
            continue;
        }
        for (revision, want) in sides {
            let name = service_name(&route.service, revision);
            let ready = match traffic.service(&route.service, revision) {
                Some(seen) => seen.ready,
                None => {
                    // Without pods there is nothing to select, and nobody who answers.
                    let Some(set) = find(sets, revision) else { continue };
                    draft.act(Action::CreateService {
                        name: name.clone(),
                        service: route.service.clone(),
                        revision: (*revision).clone(),
                        pod_hash: set.pod_hash.clone(),
                    });
                    0
                }
            };
            // Once it has requests, only pods that are lost make fewer of them.
            let has = split.stable != *revision && is_split(traffic, route, split);
            let stays =
                split.stable == *revision && (is_pinned(traffic, route) || split.weight == ALL);
            if ready < *want && !has && !stays {
                wait = wait.or(Some(Wait::Endpoints { service: name, want: *want }));
            }
        }
    }
    wait
}

/// Every route has this split already.
fn is_split(traffic: &Traffic, route: &TrafficRoute, split: &Split<'_>) -> bool {
    let wanted = share(route, split);
    holds_of(traffic, route).all(|hold| hold.is_some_and(|hold| hold.shares.contains(&wanted)))
}

/// The stable revision's Service answers already.
fn is_pinned(traffic: &Traffic, route: &TrafficRoute) -> bool {
    let pinned = |hold: &RouteHold| hold.shares.iter().any(|one| one.service == route.service);
    holds_of(traffic, route).all(|hold| hold.is_some_and(pinned))
}

fn holds_of<'a>(
    traffic: &'a Traffic,
    route: &'a TrafficRoute,
) -> impl Iterator<Item = Option<&'a RouteHold>> {
    let mine = traffic.routes.iter().filter(|fact| route.refs.contains(&fact.route));
    mine.map(|fact| match &fact.seen {
        Fact::Known(seen) => seen.held(),
        Fact::Absent | Fact::Unknown(_) => None,
    })
}

fn share(route: &TrafficRoute, split: &Split<'_>) -> Share {
    Share {
        service: route.service.clone(),
        stable: Some(service_name(&route.service, split.stable)),
        canary: service_name(&route.service, split.update),
        weight: split.weight,
        conditions: split.chosen.to_vec(),
    }
}

/// What the hold of a route has to say of all Services that are released with it.
fn shares(routes: &[TrafficRoute], route: &RouteRef, split: &Split<'_>) -> Option<RouteHold> {
    let mine = routes.iter().filter(|one| one.refs.contains(route));
    let shares: Vec<_> = mine.map(|one| share(one, split)).collect();
    (!shares.is_empty()).then(|| RouteHold::new(shares))
}

/// Writes the holds that are not as wanted (None: the route is to be the user's own), and says what
/// the first route waits for.
fn write_routes(
    draft: &mut Draft<'_>,
    traffic: &Traffic,
    wanted: impl Fn(&RouteRef) -> Option<RouteHold>,
) -> Option<Wait> {
    let mut wait = None;
    for fact in &traffic.routes {
        wait = wait.or(write_one(draft, traffic, fact, wanted(&fact.route)));
    }
    if wait.is_some() {
        draft.status.routes.iter_mut().for_each(|route| route.seen_at = None);
    }
    wait
}

/// A canary that is not to be goes first: for that nobody needs the webhook.
fn write_one(
    draft: &mut Draft<'_>,
    traffic: &Traffic,
    fact: &RouteFact,
    hold: Option<RouteHold>,
) -> Option<Wait> {
    let (route, title) = (&fact.route, fact.route.title());
    let seen = match &fact.seen {
        Fact::Known(seen) => seen,
        Fact::Unknown(why) => return Some(Wait::FactsUnknown { why: why.clone() }),
        Fact::Absent => {
            let dropped = canary::drop_all(draft, traffic, route);
            return hold.map(|_| Wait::RouteMissing { route: title }).or(dropped);
        }
    };
    if let Some(why) = hold.as_ref().and_then(|hold| unfit(seen, hold)) {
        canary::drop_all(draft, traffic, route);
        return Some(Wait::RouteUnfit { route: title, why });
    }
    if !hold.as_ref().is_some_and(reaches_update) {
        let dropped = canary::drop_all(draft, traffic, route);
        let written = write_route(draft, route, seen, hold);
        return written.or(dropped).or_else(|| taken(route, seen));
    }
    write_route(draft, route, seen, hold)
        .or_else(|| canary::bring(draft, traffic, route, seen))
        .or_else(|| taken(route, seen))
}

fn taken(route: &RouteRef, seen: &RouteSeen) -> Option<Wait> {
    let why = seen.taken.clone().err()?;
    Some(Wait::Route { route: route.title(), why })
}

fn reaches_update(hold: &RouteHold) -> bool {
    hold.shares.iter().any(|share| share.weight > 0 || !share.conditions.is_empty())
}

/// The route sends nothing to a Service that is to be shared, or cannot be shared so.
fn unfit(seen: &RouteSeen, hold: &RouteHold) -> Option<String> {
    if let (true, Err(why)) = (holds(seen, Some(hold)), &seen.projected) {
        return Some(why.clone());
    }
    let asked = |share: &Share| {
        let names = [Some(&share.service), share.stable.as_ref(), Some(&share.canary)];
        seen.backends.iter().any(|backend| names.contains(&Some(backend)))
    };
    let share = hold.shares.iter().find(|share| !asked(share))?;
    Some(format!("no rule of it sends requests to service {}", share.service))
}

/// The route's annotation says this.
fn holds(seen: &RouteSeen, hold: Option<&RouteHold>) -> bool {
    seen.held().map(|held| &held.shares) == hold.map(|hold| &hold.shares)
        && (hold.is_some() || seen.hold_text.is_none())
}

fn write_route(
    draft: &mut Draft<'_>,
    route: &RouteRef,
    seen: &RouteSeen,
    hold: Option<RouteHold>,
) -> Option<Wait> {
    let same = holds(seen, hold.as_ref());
    if same && seen.projected == Ok(true) {
        return None;
    }
    draft.act(Action::WriteRoute {
        route: route.clone(),
        uid: seen.uid.clone(),
        generation: seen.generation,
        was: seen.hold_text.clone(),
        hold,
    });
    // A write that is repeated did not pass the webhook.
    let why = "it is being written".to_owned();
    Some(if same { Wait::Webhook } else { Wait::Route { route: route.title(), why } })
}

/// Says since when all gateways have it, and waits until they have acted on it: what a condition
/// says is not yet so.
fn settle(draft: &mut Draft<'_>) -> Option<Wait> {
    let stamp = draft.stamp_after();
    for route in &mut draft.status.routes {
        route.seen_at.get_or_insert_with(|| stamp.clone());
    }
    let routes = draft.status.routes.iter();
    let ends =
        routes.filter_map(|route| Some(settled_at(draft, &route.name, route.seen_at.as_ref()?.0)));
    let until = ends.max()?;
    draft.wake_at(until);
    (draft.now < until).then_some(Wait::RouteSettles { until })
}

fn settled_at(draft: &Draft<'_>, name: &str, seen_at: Timestamp) -> Timestamp {
    let mut routes = draft.seen.rollout.spec.routes.iter();
    let own = routes.find(|route| route.name == name).and_then(|route| route.settle);
    seen_at.checked_add(own.map_or(SETTLE, |own| own.get())).unwrap_or(Timestamp::MAX)
}

/// A route without a hold names a Service of ours all the same, by whatever happened to it: its
/// requests would go nowhere.
fn still_named(traffic: &Traffic) -> Option<Wait> {
    traffic.routes.iter().find_map(|fact| {
        let Fact::Known(seen) = &fact.seen else { return None };
        let ours = traffic.services.iter().find(|ours| seen.backends.contains(&ours.name))?;
        let why = format!("it names service {} still: apply its own rules again", ours.name);
        Some(Wait::RouteUnfit { route: fact.route.title(), why })
    })
}

/// True if any had to go.
fn drop_services(draft: &mut Draft<'_>, traffic: &Traffic, needed: &BTreeSet<String>) -> bool {
    let mut others = traffic.services.iter().filter(|seen| !needed.contains(&seen.name)).peekable();
    let any = others.peek().is_some();
    for seen in others {
        let (name, uid) = (seen.name.clone(), seen.uid.clone());
        draft.act(Action::DeleteService { name, uid });
    }
    any
}

impl RouteSeen {
    fn held(&self) -> Option<&RouteHold> {
        match &self.hold {
            RouteReading::Hold(hold) => Some(hold),
            RouteReading::None | RouteReading::Newer(_) | RouteReading::Malformed(_) => None,
        }
    }
}
