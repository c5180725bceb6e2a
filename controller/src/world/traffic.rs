//! What is watched for one Rollout with routes while a plan asks for it: its routes, the Services
//! of its namespace, and the EndpointSlices of ours. Bookkeeping only.

use std::collections::{BTreeMap, BTreeSet};

use crds::contract::ROLLOUT_LABEL;
use crds::route::ingress::corrected;
use crds::{Revision, RolloutSpec, RouteRef};
use kube::runtime::watcher::Event;
use plan::observed::{CanarySeen, CanaryWanted, Fact, RouteFact, RouteSeen, ServiceSeen, Traffic};
use serde_json::Value;

use super::{Demand, Entry, Mirror, Read, Scope, Source, feed};
use crate::key::Key;
use crate::observe::{self, RouteRead, ServiceRead, SliceRead, Unreadable};
use crate::raw::{Raw, RouteKind};

/// The mirrors.
#[derive(Debug, Default)]
pub struct OwnTraffic {
    services: Mirror<Read<ServiceRead>>,
    slices: Mirror<Read<SliceRead>>,
    routes: BTreeMap<RouteKind, Mirror<Read<RouteRead>>>,
}

/// The kinds of routes that a Rollout names; one that names none any more may have left some of
/// them behind.
pub fn kinds_of(spec: &RolloutSpec) -> BTreeSet<RouteKind> {
    let refs = spec.routes.iter().flat_map(|route| &route.refs);
    let named: BTreeSet<_> = refs.filter_map(RouteKind::of).collect();
    let left = || BTreeSet::from([RouteKind::Http, RouteKind::Ingress]);
    if named.is_empty() { left() } else { named }
}

impl OwnTraffic {
    /// Starts the watches.
    pub fn start(key: &Key, demands: &mut Vec<Demand>) -> Self {
        let scope =
            |selector: String| Scope::Selected { namespace: key.namespace.clone(), selector };
        demands.push(Demand::Start(Source::Services(key.clone()), scope(String::new())));
        let mine = format!("{ROLLOUT_LABEL}={}", key.name);
        demands.push(Demand::Start(Source::Slices(key.clone()), scope(mine)));
        Self::default()
    }

    /// Watches these kinds of routes, too.
    pub fn watch(&mut self, key: &Key, kinds: &BTreeSet<RouteKind>, demands: &mut Vec<Demand>) {
        for kind in kinds {
            self.routes.entry(*kind).or_insert_with(|| {
                let namespace = key.namespace.clone();
                let scope = Scope::Selected { namespace, selector: String::new() };
                demands.push(Demand::Start(Source::Routes(*kind, key.clone()), scope));
                Mirror::default()
            });
        }
    }

    /// Stops all watches.
    pub fn stop(self, key: &Key, demands: &mut Vec<Demand>) {
        demands.push(Demand::Stop(Source::Services(key.clone())));
        demands.push(Demand::Stop(Source::Slices(key.clone())));
        for kind in self.routes.into_keys() {
            demands.push(Demand::Stop(Source::Routes(kind, key.clone())));
        }
    }

    /// Takes an event in; true if it changed anything.
    pub fn take_in(&mut self, source: &Source, event: &Event<Raw>) -> bool {
        match source {
            Source::Services(_) => changed(&mut self.services, event, observe::service),
            Source::Slices(_) => changed(&mut self.slices, event, observe::slice),
            Source::Routes(kind, _) => {
                let mirror = self.routes.get_mut(kind);
                mirror.is_some_and(|mirror| changed(mirror, event, observe::route_of(*kind)))
            }
            _ => false,
        }
    }

    /// What a write or a live read of ours returned.
    pub fn put_service(&mut self, raw: &Raw) {
        self.services.put(&raw.key(), Entry::new(raw, observe::service(raw)));
    }

    /// A Service is gone.
    pub fn drop_service(&mut self, key: &Key) {
        self.services.remove_own(key);
    }

    /// What a write or a live read of ours returned.
    pub fn put_route(&mut self, kind: RouteKind, raw: &Raw) {
        if let Some(mirror) = self.routes.get_mut(&kind) {
            mirror.put(&raw.key(), Entry::new(raw, observe::route_of(kind)(raw)));
        }
    }

    /// A route is gone.
    pub fn drop_route(&mut self, kind: RouteKind, key: &Key) {
        if let Some(mirror) = self.routes.get_mut(&kind) {
            mirror.remove_own(key);
        }
    }

    /// There are annotations on the route: a patch may name one of them.
    pub fn is_annotated(&self, kind: RouteKind, key: &Key) -> bool {
        let entry = self.routes.get(&kind).and_then(|mirror| mirror.get(key));
        entry.and_then(|entry| entry.value.as_ref().ok()).is_some_and(|read| read.annotated)
    }

    /// For the planner.
    pub fn facts(&self, key: &Key, spec: &RolloutSpec) -> Fact<Traffic> {
        let synced = self.services.is_synced() && self.slices.is_synced();
        if !synced || !self.routes.values().all(Mirror::is_synced) {
            return Fact::Unknown("routes and Services have not been read yet".into());
        }
        match self.services_of(key) {
            Err(Unreadable(why)) => Fact::Unknown(why),
            Ok(services) => {
                let users = spec.routes.iter().map(|route| &route.service);
                let there =
                    |name: &&String| self.services.get(&Key::new(&key.namespace, name)).is_some();
                let users = users.filter(there).cloned().collect();
                let canaries = self.canaries_of(key);
                Fact::Known(Traffic {
                    routes: self.routes_of(key, spec, &canaries),
                    services,
                    users,
                    canaries,
                })
            }
        }
    }

    fn services_of(&self, key: &Key) -> Read<Vec<ServiceSeen>> {
        let mut services = Vec::new();
        for (_, entry) in self.services.iter() {
            let read = entry.value.as_ref().map_err(Clone::clone)?;
            let Some((rollout, service, revision)) = &read.ours else { continue };
            if *rollout == key.name {
                services.push(ServiceSeen {
                    name: read.name.clone(),
                    uid: read.uid.clone(),
                    service: service.clone(),
                    revision: revision.clone(),
                    ready: self.ready_of(&read.name)?,
                });
            }
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(services)
    }

    /// Pods, each once: one that has addresses of two families is in two slices.
    fn ready_of(&self, service: &str) -> Read<i32> {
        let mut pods = BTreeSet::new();
        for (_, entry) in self.slices.iter() {
            let read = entry.value.as_ref().map_err(Clone::clone)?;
            if read.service == service {
                pods.extend(&read.ready);
            }
        }
        Ok(i32::try_from(pods.len()).unwrap_or(i32::MAX))
    }

    fn routes_of(&self, key: &Key, spec: &RolloutSpec, canaries: &[CanarySeen]) -> Vec<RouteFact> {
        let named = spec.routes.iter().flat_map(|route| route.refs.iter().cloned());
        let mut all: BTreeSet<RouteRef> = named.collect();
        all.extend(canaries.iter().map(|seen| seen.route.clone()));
        for (kind, mirror) in &self.routes {
            let left = reads(mirror).filter(|(_, read)| {
                read.rollout.as_ref() == Some(&key.name) && read.ours.is_none()
            });
            all.extend(left.map(|(route, _)| kind.reference(&route.name)));
        }
        all.into_iter()
            .map(|route| RouteFact { seen: self.route(&key.namespace, &route), route })
            .collect()
    }

    fn route(&self, namespace: &str, route: &RouteRef) -> Fact<RouteSeen> {
        let mirror = RouteKind::of(route).and_then(|kind| self.routes.get(&kind));
        let Some(mirror) = mirror else {
            return Fact::Unknown(format!("{} is not supported", route.kind));
        };
        match mirror.get(&Key::new(namespace, &route.name)).map(|entry| &entry.value) {
            None => Fact::Absent,
            Some(Ok(read)) => {
                let canary =
                    read.wanted.as_ref().and_then(|wanted| beside(mirror, namespace, wanted));
                Fact::Known(RouteSeen { canary, ..read.seen.clone() })
            }
            Some(Err(unreadable)) => Fact::Unknown(unreadable.to_string()),
        }
    }

    fn canaries_of(&self, key: &Key) -> Vec<CanarySeen> {
        let mut all = Vec::new();
        for (kind, mirror) in &self.routes {
            all.extend(reads(mirror).filter_map(|(own, read)| {
                let (marks, _) = read.ours.as_ref()?;
                (marks.rollout == key.name).then(|| CanarySeen {
                    name: own.name.clone(),
                    uid: read.seen.uid.clone(),
                    route: kind.reference(&marks.route),
                    revision: Revision::from(marks.revision.as_str()),
                })
            }));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// Whether the canary Ingress that is wanted is there.
fn beside(
    mirror: &Mirror<Read<RouteRead>>,
    namespace: &str,
    wanted: &Value,
) -> Option<CanaryWanted> {
    let name = wanted["metadata"]["name"].as_str()?.to_owned();
    let entry = mirror.get(&Key::new(namespace, &name));
    let ours = entry.and_then(|entry| entry.value.as_ref().ok()?.ours.as_ref());
    let right = ours.is_some_and(|(_, live)| corrected(live, wanted) == *live);
    Some(CanaryWanted { name, right })
}

fn reads(mirror: &Mirror<Read<RouteRead>>) -> impl Iterator<Item = (&Key, &RouteRead)> {
    mirror.iter().filter_map(|(key, entry)| Some((key, entry.value.as_ref().ok()?)))
}

fn changed<T: PartialEq>(
    mirror: &mut Mirror<Read<T>>,
    event: &Event<Raw>,
    read: fn(&Raw) -> Read<T>,
) -> bool {
    let was = mirror.is_synced();
    !feed(mirror, event, read).is_empty() || was != mirror.is_synced()
}
