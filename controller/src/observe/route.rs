//! Reads a route, down to what the planner needs of it.

use crds::contract::{HOLD_ANNOTATION, ROLLOUT_LABEL};
use crds::route::ingress::{Canary, canary};
use crds::route::{RouteHold, projected};
use kube::Resource;
use plan::observed::RouteSeen;
use serde::Deserialize;
use serde_json::Value;

use super::Unreadable;
use crate::raw::{Raw, RouteKind};

/// Conditions that say that a gateway serves a route as it is.
const TAKEN: [&str; 2] = ["Accepted", "ResolvedRefs"];

/// A route as read.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteRead {
    /// Name of the Rollout on its label.
    pub rollout: Option<String>,
    /// For the planner.
    pub seen: RouteSeen,
    /// There are annotations, ours or others.
    pub annotated: bool,
    /// The canary Ingress that has to be beside it.
    pub wanted: Option<Value>,
    /// It is a canary Ingress of ours: whose, and how it is.
    pub ours: Option<(Canary, Value)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    #[serde(default)]
    parent_ref: Value,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    observed_generation: i64,
    #[serde(default)]
    message: String,
}

/// Reads routes of this kind.
pub fn route_of(kind: RouteKind) -> fn(&Raw) -> Result<RouteRead, Unreadable> {
    match kind {
        RouteKind::Http | RouteKind::Grpc => route,
        RouteKind::Ingress => ingress,
    }
}

/// In a list of a kind that is the apiserver's own, no item says of which kind it is.
fn ingress(raw: &Raw) -> Result<RouteRead, Unreadable> {
    let mut value = raw.value().clone();
    let reference = RouteKind::Ingress.reference("");
    value["apiVersion"] = Value::from(reference.api_version);
    value["kind"] = Value::from(reference.kind);
    route(&Raw::new(value)?)
}

fn route(raw: &Raw) -> Result<RouteRead, Unreadable> {
    let value = raw.value();
    let status = match value.get("status") {
        Some(status) => Status::deserialize(status)?,
        None => Status::default(),
    };
    let generation = raw.meta().generation.unwrap_or_default();
    let parents = value["spec"]["parentRefs"].as_array().map_or(0, Vec::len);
    let seen = RouteSeen {
        uid: raw.uid().to_owned(),
        generation,
        hold: RouteHold::of(value),
        hold_text: raw.annotation(HOLD_ANNOTATION).map(str::to_owned),
        backends: backends(value),
        projected: projected(value).map_err(|unfit| unfit.to_string()),
        taken: taken(&status, parents, generation),
        // Whether it is there is not to be seen here.
        canary: None,
    };
    Ok(RouteRead {
        rollout: raw.label(ROLLOUT_LABEL).map(str::to_owned),
        seen,
        annotated: raw.meta().annotations.is_some(),
        wanted: canary(value),
        ours: Canary::of(value).map(|marks| (marks, value.clone())),
    })
}

/// Names of Services in its rules, or in the paths of an Ingress.
fn backends(value: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let rules = list(&value["spec"]["rules"]);
    let refs = rules.iter().flat_map(|rule| list(&rule["backendRefs"]));
    let paths = rules.iter().flat_map(|rule| list(&rule["http"]["paths"]));
    let services = paths.map(|path| path["backend"]["service"].clone());
    let mut names: Vec<String> =
        refs.chain(services).filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Every parent has taken this generation. A gateway that does not know a parent says nothing, and
/// an Ingress has none.
fn taken(status: &Status, parents: usize, generation: i64) -> Result<(), String> {
    if status.parents.len() < parents.min(1) {
        return Err("no gateway has said anything of it".to_owned());
    }
    for parent in &status.parents {
        let gateway = parent.parent_ref["name"].as_str().unwrap_or("a parent");
        for kind in TAKEN {
            let found = parent.conditions.iter().find(|condition| condition.kind == kind);
            match found {
                Some(one) if one.observed_generation < generation => {
                    return Err(format!("{gateway} has not seen it yet"));
                }
                Some(one) if one.status == "True" => {}
                Some(one) => return Err(format!("{gateway}: not {kind}: {}", one.message)),
                None => return Err(format!("{gateway} has not said whether it is {kind}")),
            }
        }
    }
    Ok(())
}
