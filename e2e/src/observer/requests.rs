//! Where requests may go: no route and no Ingress names a Service that nobody answers for. Pure;
//! knows routes as anybody reads them, and nothing of who wrote them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::ResourceExt;
use serde_json::Value;

use crate::crd::HttpRoute;

/// The user's own Service, which is there before its first pod is.
const USERS: &str = "web";
/// The label that names the Service of an EndpointSlice.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// What makes an Ingress of class nginx send requests to its Service: any of them, with a value.
const CANARY: [&str; 3] = ["canary-weight", "canary-by-header", "canary-by-cookie"];

/// A traffic object as an event showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// A route or an Ingress, and the Services that it sends requests to.
    Route(String, BTreeSet<String>),
    /// A route or an Ingress is gone.
    RouteGone(String),
    /// An EndpointSlice: its Service, and how many endpoints are ready.
    Endpoints(String, String, usize),
    /// An EndpointSlice is gone.
    EndpointsGone(String),
}

/// All of them.
#[derive(Debug, Default)]
pub struct Requests {
    routes: BTreeMap<String, BTreeSet<String>>,
    slices: BTreeMap<String, (String, usize)>,
    /// Services that somebody has answered for.
    answered: BTreeSet<String>,
}

impl Requests {
    /// Takes an event in; says what is new of it, and which Service gets requests in vain.
    pub fn see(&mut self, seen: Traffic) -> (Option<String>, Option<String>) {
        let news = self.take_in(seen);
        let ready = |name: &String| {
            self.slices.values().any(|(service, ready)| service == name && *ready > 0)
        };
        let owed = |name: &&String| name.as_str() != USERS || self.answered.contains(*name);
        let named = self.routes.iter().flat_map(|(route, to)| to.iter().map(move |to| (route, to)));
        let mut vain = named.filter(|(_, service)| owed(service) && !ready(service));
        let vain = vain.next().map(|(route, service)| format!("{route} sends to {service}"));
        (news, vain)
    }

    fn take_in(&mut self, seen: Traffic) -> Option<String> {
        match seen {
            Traffic::Route(name, services) => {
                let line = format!("{name} sends to {services:?}");
                let same = self.routes.get(&name) == Some(&services);
                self.routes.insert(name, services);
                (!same).then_some(line)
            }
            Traffic::RouteGone(name) => self.routes.remove(&name).map(|_| format!("{name} gone")),
            Traffic::Endpoints(slice, service, ready) => {
                if ready > 0 {
                    self.answered.insert(service.clone());
                }
                let line = format!("service {service}: {ready} ready endpoints");
                let last = self.slices.insert(slice, (service, ready));
                last.is_none_or(|(_, was)| was != ready).then_some(line)
            }
            Traffic::EndpointsGone(slice) => {
                self.slices.remove(&slice).map(|(service, _)| format!("service {service}: gone"))
            }
        }
    }
}

impl From<&HttpRoute> for Traffic {
    fn from(route: &HttpRoute) -> Self {
        let rules = route.spec["rules"].as_array().into_iter().flatten();
        let backends = rules.filter_map(|rule| rule["backendRefs"].as_array()).flatten();
        let sends = |backend: &&Value| backend["weight"].as_u64().is_none_or(|weight| weight > 0);
        let services = backends.filter(sends).filter_map(|backend| backend["name"].as_str());
        Self::Route(format!("route {}", route.name_any()), services.map(str::to_owned).collect())
    }
}

impl From<&Ingress> for Traffic {
    fn from(ingress: &Ingress) -> Self {
        let key = |name: &str| format!("nginx.ingress.kubernetes.io/{name}");
        let annotations = ingress.annotations();
        let sends = |name: &&str| annotations.get(&key(name)).is_some_and(|value| value != "0");
        let canary = annotations.get(&key("canary")).is_some_and(|value| value == "true");
        let idle = canary && !CANARY.iter().any(sends);
        let rules = ingress.spec.iter().flat_map(|spec| spec.rules.iter().flatten());
        let paths = rules.flat_map(|rule| rule.http.iter().flat_map(|http| &http.paths));
        let services = paths.filter_map(|path| path.backend.service.as_ref());
        let services = services.filter(|_| !idle).map(|service| service.name.clone());
        Self::Route(format!("ingress {}", ingress.name_any()), services.collect())
    }
}

impl From<&EndpointSlice> for Traffic {
    fn from(slice: &EndpointSlice) -> Self {
        let service = slice.labels().get(SERVICE_LABEL).cloned().unwrap_or_default();
        let is_ready = |conditions: Option<bool>| conditions.unwrap_or(true);
        let ready = slice.endpoints.iter().filter(|endpoint| {
            is_ready(endpoint.conditions.as_ref().and_then(|conditions| conditions.ready))
        });
        Self::Endpoints(slice.name_any(), service, ready.count())
    }
}
