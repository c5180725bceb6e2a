//! The routes of a Rollout and the Services of ours behind them, as read. Data only.

use crds::route::RouteReading;
use crds::{Revision, RouteRef};

use super::Fact;

/// What requests go through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The routes that the Rollout names, and those that still carry a hold of ours.
    pub routes: Vec<RouteFact>,
    /// The Services of ours.
    pub services: Vec<ServiceSeen>,
    /// Names of the user's Services that the Rollout names and that are there.
    pub users: Vec<String>,
    /// The canary Ingresses of ours.
    pub canaries: Vec<CanarySeen>,
}

/// A route that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteFact {
    /// Which.
    pub route: RouteRef,
    /// What was found.
    pub seen: Fact<RouteSeen>,
}

/// A route as read.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteSeen {
    /// metadata.uid.
    pub uid: String,
    /// metadata.generation, for preconditions.
    pub generation: i64,
    /// The hold annotation.
    pub hold: RouteReading,
    /// Its text, for preconditions.
    pub hold_text: Option<String>,
    /// Services that its rules name, ours among them.
    pub backends: Vec<String>,
    /// The rules are what the hold makes of them; or why they cannot be.
    pub projected: Result<bool, String>,
    /// Every gateway has taken this generation; or what one says. Of an Ingress nobody says so.
    pub taken: Result<(), String>,
    /// The canary Ingress that its hold asks for, where it asks for one.
    pub canary: Option<CanaryWanted>,
}

/// A canary Ingress that has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryWanted {
    /// metadata.name.
    pub name: String,
    /// It is there, and as it has to be.
    pub right: bool,
}

/// A canary Ingress of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanarySeen {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// The route that it was made beside.
    pub route: RouteRef,
    /// The revision that gets requests by it.
    pub revision: Revision,
}

/// A Service of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSeen {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// The user's Service that it was made beside.
    pub service: String,
    /// The revision whose pods it selects.
    pub revision: Revision,
    /// Pods that its EndpointSlices have ready.
    pub ready: i32,
}

impl Traffic {
    /// The Service of ours for a revision beside the user's.
    #[must_use]
    pub fn service(&self, service: &str, revision: &Revision) -> Option<&ServiceSeen> {
        let mut all = self.services.iter();
        all.find(|seen| seen.service == service && seen.revision == *revision)
    }
}
