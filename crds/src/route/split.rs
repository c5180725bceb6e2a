//! The way there: the user's own rules, split as a hold wants it. All of a route or nothing: where
//! the API's limits do not allow it the rules stay the user's own.

use serde_json::{Map, Value};

use super::backend::{self, Backend};
use super::hold::{RouteHold, Share};
use super::ingress::{self, Unsayable};
use super::matches;
use super::object::{Kind, Place};
use super::pin;

/// Limits of the API: what lies beyond would have a user's write refused.
const RULES_MAX: usize = 16;
const BACKENDS_MAX: usize = 16;
const MATCHES_MAX: usize = 64;
const MATCHES_IN_ALL_MAX: usize = 128;
const PAIRS_MAX: usize = 16;

/// Why the rules of a route stay as the user has them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The user's own rules name a Service of ours.
    #[error("it names the Service {0} itself")]
    NamesOurs(String),
    /// The split route would have more of something than the API takes.
    #[error("it would have more than {max} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A rule is of a shape that the apiserver refuses anyway.
    #[error("rule {0} is not understood")]
    Strange(usize),
    /// The kind of route knows no query parameters.
    #[error("a GRPCRoute knows no query parameters")]
    NoQuery,
    /// The Gateway API knows no cookies.
    #[error("it knows no cookies")]
    NoCookies,
    /// The annotations of this class of Ingresses are not known.
    #[error("it is of {0}, and only class nginx is known")]
    Class(String),
    /// The user's Ingress is a canary itself.
    #[error("it is a canary Ingress itself")]
    IsCanary,
    /// Controllers give no share of what no path asks for.
    #[error("service {0} is its defaultBackend: give it a rule with path / instead")]
    Fallback(String),
    /// Two Services of one Ingress are to be shared in different ways.
    #[error("its Services are to get different shares")]
    Differ,
    /// An Ingress cannot choose requests so.
    #[error(transparent)]
    Unsayable(#[from] Unsayable),
    /// Some of its matches ask for what requests are chosen by and others do not, and the API has
    /// no order for that.
    #[error("rule {0} asks itself for what requests are chosen by")]
    Asks(usize),
}

/// The rules as the hold wants them, each held Service replaced by that of the stable revision.
pub(super) fn rules(own: &[Value], hold: &RouteHold, place: Place) -> Result<Vec<Value>, Unfit> {
    if place.kind == Kind::Ingress {
        return ingress::rules(own, hold, place);
    }
    let mut live = unpinned(own, hold, place)?;
    pin::pin(&mut live, hold, place);
    Ok(live)
}

/// The same with the user's own Service for the stable revision: the user's own rules in their
/// order, with their held backends split; after them one of ours for each rule and each Service
/// with conditions. A narrowed match always wins over the one that it was made of; at the end of
/// the list it wins over no other.
pub(super) fn unpinned(own: &[Value], hold: &RouteHold, place: Place) -> Result<Vec<Value>, Unfit> {
    let queries = |share: &Share| share.conditions.iter().any(|one| !one.query_params.is_empty());
    if place.kind == Kind::Grpc && hold.shares.iter().any(queries) {
        return Err(Unfit::NoQuery);
    }
    if hold.shares.iter().any(|share| share.conditions.iter().any(|one| !one.cookies.is_empty())) {
        return Err(Unfit::NoCookies);
    }
    let mut live = Vec::new();
    let mut ours = Vec::new();
    for (number, rule) in own.iter().enumerate() {
        let strange = || Unfit::Strange(number);
        let fields = rule.as_object().ok_or_else(strange)?;
        let Some(list) = fields.get("backendRefs").filter(|list| !list.is_null()) else {
            live.push(rule.clone());
            continue;
        };
        let list = list.as_array().ok_or_else(strange)?;
        names_none_of_ours(list, hold, place)?;
        let backends = read(fields, list, hold, place).ok_or_else(strange)?;
        if backends.iter().all(|backend| backend.share.is_none()) {
            live.push(rule.clone());
            continue;
        }
        live.push(with_backends(fields, backend::split(&backends)));
        for share in hold.shares.iter().filter(|share| !share.conditions.is_empty()) {
            match matches::asking(fields, &share.conditions) {
                (0, _) => ours.extend(chosen(fields, &backends, share).ok_or_else(strange)?),
                (some, all) if some < all => return Err(Unfit::Asks(number)),
                // The whole rule is for chosen requests.
                _ => {}
            }
        }
    }
    live.append(&mut ours);
    within_limits(own, &live)?;
    Ok(live)
}

/// The rule for chosen requests: the user's, narrowed, with the update revision in the place of
/// the Service. None (inside) where no request can be chosen from it.
fn chosen(rule: &Map<String, Value>, backends: &[Backend], share: &Share) -> Option<Option<Value>> {
    let of_share = |backend: &Backend| backend.share == Some(share);
    let has_requests = backends.iter().any(|backend| of_share(backend) && backend.weight > 0);
    let matches = matches::narrowed(rule, &share.conditions)?;
    if !has_requests || matches.is_empty() {
        return Some(None);
    }
    let mut rule = rule.clone();
    // Names of rules are unique.
    rule.remove("name");
    rule.insert("matches".to_owned(), Value::Array(matches));
    Some(Some(with_backends(&rule, backend::chosen(backends, share))))
}

/// The live backends of a rule that has these itself; None where the apiserver refuses them anyway.
pub(super) fn backends(
    rule: &Value,
    own: &Value,
    hold: &RouteHold,
    place: Place,
) -> Option<Vec<Value>> {
    Some(backend::split(&read(rule.as_object()?, own.as_array()?, hold, place)?))
}

/// What the user's match asks already, all requests of the rule are chosen by.
fn read<'a>(
    rule: &Map<String, Value>,
    list: &'a [Value],
    hold: &'a RouteHold,
    place: Place,
) -> Option<Vec<Backend<'a>>> {
    let whole = |share: &Share| {
        let (asking, all) = matches::asking(rule, &share.conditions);
        asking > 0 && asking == all
    };
    let read = |raw| {
        let backend = Backend::read(raw, hold, place)?;
        Some(if backend.share.is_some_and(whole) { backend.whole() } else { backend })
    };
    list.iter().map(read).collect()
}

fn with_backends(rule: &Map<String, Value>, list: Vec<Value>) -> Value {
    let mut rule = rule.clone();
    rule.insert("backendRefs".to_owned(), Value::Array(list));
    Value::Object(rule)
}

fn names_none_of_ours(list: &[Value], hold: &RouteHold, place: Place) -> Result<(), Unfit> {
    let names = list.iter().filter_map(|raw| backend::service(raw, place));
    match names.into_iter().find(|name| hold.is_canary(name) || hold.is_stable(name)) {
        Some(name) => Err(Unfit::NamesOurs(name.to_owned())),
        None => Ok(()),
    }
}

/// What the user's own rules exceed themselves is the apiserver's to refuse.
fn within_limits(own: &[Value], live: &[Value]) -> Result<(), Unfit> {
    let beyond = |what, max, of: fn(&[Value]) -> usize| {
        let grown = of(live) > max && of(live) > of(own);
        if grown { Err(Unfit::Limit { what, max }) } else { Ok(()) }
    };
    beyond("rules", RULES_MAX, <[Value]>::len)?;
    beyond("backends in a rule", BACKENDS_MAX, |rules| most(rules, "backendRefs"))?;
    beyond("matches in a rule", MATCHES_MAX, |rules| most(rules, "matches"))?;
    beyond("matches", MATCHES_IN_ALL_MAX, |rules| lists(rules, "matches").map(<[_]>::len).sum())?;
    let what = "headers or query parameters in a match";
    beyond(what, PAIRS_MAX, |rules| lists(rules, "matches").map(pairs).max().unwrap_or(0))
}

fn pairs(matches: &[Value]) -> usize {
    most(matches, "headers").max(most(matches, "queryParams"))
}

fn lists<'a>(objects: &'a [Value], key: &'a str) -> impl Iterator<Item = &'a [Value]> {
    objects.iter().filter_map(move |object| object[key].as_array().map(Vec::as_slice))
}

fn most(objects: &[Value], key: &str) -> usize {
    lists(objects, key).map(<[_]>::len).max().unwrap_or(0)
}
