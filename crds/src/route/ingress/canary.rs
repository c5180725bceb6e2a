//! The canary Ingress: an object of ours beside the user's, by which the update revision gets its
//! share. Made of the user's live Ingress and its hold alone, so that whoever looks knows whether
//! it is as it has to be. Owns its form; who owns it and when it is written are others' business.

use serde_json::{Map, Value, json};

use super::super::hold::{RouteHold, RouteReading, Share};
use super::super::object::{Kind, Route};
use super::super::projected;
use super::chosen::Chosen;
use super::dialect::{self, CLASS_ANNOTATION, Dialect};
use super::{ALL, service};
use crate::contract::{REVISION_LABEL, ROLLOUT_LABEL, ROUTE_ANNOTATION};

/// Longest name of an Ingress.
const NAME_MAX: usize = 253;
/// Names of Services of ours end so, and those of canary Ingresses too.
const BEFORE_REVISION: char = '-';

/// Whose canary Ingress an object is, if it is one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The Rollout.
    pub rollout: String,
    /// The user's Ingress.
    pub route: String,
    /// The revision that gets requests by it.
    pub revision: String,
}

impl Canary {
    /// Reads the marks on an Ingress.
    #[must_use]
    pub fn of(ingress: &Value) -> Option<Self> {
        let metadata = &ingress["metadata"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            rollout: text(&metadata["labels"][ROLLOUT_LABEL])?,
            route: text(&metadata["annotations"][ROUTE_ANNOTATION])?,
            revision: text(&metadata["labels"][REVISION_LABEL])?,
        })
    }
}

/// The canary Ingress that a live Ingress needs beside it; None where it needs none. Without the
/// user's labels, and without annotations that are not the class's own: those belong to their
/// tools, which would take ours for a stray of theirs.
#[must_use]
pub fn canary(user: &Value) -> Option<Value> {
    let route = Route::read(user).filter(|route| route.place().kind == Kind::Ingress)?;
    let RouteReading::Hold(hold) = &route.hold else { return None };
    let share = hold.shares.first().filter(|share| needs(share))?;
    if projected(user) != Ok(true) {
        return None;
    }
    let (_, revision) = share.canary.rsplit_once(BEFORE_REVISION)?;
    let own = user["metadata"]["name"].as_str()?;
    let most = NAME_MAX.saturating_sub(revision.len() + 1);
    let head: String = own.chars().take(most).collect();
    let head = head.trim_end_matches(['-', '.']);
    let rules = Some(rules(route.rules, hold)).filter(|rules| !rules.is_empty())?;
    let mut spec = Map::from_iter([("rules".to_owned(), Value::from(rules))]);
    for key in ["ingressClassName", "tls"] {
        spec.extend(user["spec"].get(key).map(|value| (key.to_owned(), value.clone())));
    }
    Some(json!({
        "apiVersion": user["apiVersion"],
        "kind": "Ingress",
        "metadata": {
            "name": format!("{head}{BEFORE_REVISION}{revision}"),
            "namespace": user["metadata"]["namespace"],
            "labels": { ROLLOUT_LABEL: route.rollout()?, REVISION_LABEL: revision },
            "annotations": annotations(user, own, share)?,
        },
        "spec": spec,
    }))
}

/// A live canary Ingress as it has to be: the same object where nothing is wrong. What others
/// add to it is theirs, as far as it shapes no requests.
#[must_use]
pub fn corrected(live: &Value, wanted: &Value) -> Value {
    let mut object = live.clone();
    object["spec"] = wanted["spec"].clone();
    let prefix = Dialect::of(wanted).map(|dialect| dialect.prefix);
    for part in ["annotations", "labels"] {
        let mut map = live["metadata"][part].as_object().cloned().unwrap_or_default();
        map.retain(|key, _| prefix.is_none_or(|prefix| !key.starts_with(prefix)));
        map.extend(wanted["metadata"][part].as_object().cloned().unwrap_or_default());
        object["metadata"][part] = Value::Object(map);
    }
    object
}

/// None of the requests need no canary, all of them stand in the path itself.
fn needs(share: &Share) -> bool {
    share.weight < ALL && (share.weight > 0 || !share.conditions.is_empty())
}

/// The rules with paths to a held Service, these paths alone, to the update revision.
fn rules(live: &[Value], hold: &RouteHold) -> Vec<Value> {
    let ours = |path: &Value| {
        let name = service(path)?;
        let mut shares = hold.shares.iter();
        let share = shares.find(|one| one.stable.as_deref().unwrap_or(&one.service) == name)?;
        let mut path = path.clone();
        path["backend"]["service"]["name"] = Value::from(share.canary.as_str());
        Some(path)
    };
    let rule = |rule: &Value| {
        let paths: Vec<Value> = rule["http"]["paths"].as_array()?.iter().filter_map(ours).collect();
        let mut rule = rule.clone();
        rule["http"]["paths"] = Value::from(paths);
        Some(rule)
    };
    let rules = live.iter().filter_map(rule);
    rules.filter(|rule| rule["http"]["paths"] != json!([])).collect()
}

/// Those of the user's that shape requests, and those that make it a canary.
fn annotations(user: &Value, own: &str, share: &Share) -> Option<Map<String, Value>> {
    let dialect = Dialect::of(user)?;
    let chosen = Chosen::of(&share.conditions).ok()?;
    let shapes = |key: &str| {
        key == CLASS_ANNOTATION
            || key.starts_with(dialect.prefix) && !dialect.is_about_canaries(key)
    };
    let mut all = user["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    all.retain(|key, _| shapes(key));
    let mut say = |key: &str, value: &str| drop(all.insert(key.to_owned(), Value::from(value)));
    say(ROUTE_ANNOTATION, own);
    say(&dialect.key(dialect::CANARY), "true");
    say(&dialect.key(dialect::WEIGHT), &share.weight.to_string());
    if let Some(pair) = chosen.header {
        say(&dialect.key(dialect::HEADER), &pair.name);
        say(&dialect.key(dialect::header_key(pair.compare)), &pair.value);
    }
    if let Some(pair) = chosen.cookie {
        say(&dialect.key(dialect::COOKIE), &pair.name);
    }
    Some(all)
}
