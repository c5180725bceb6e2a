//! The rules of a Rollout that the apiserver itself checks, in CEL. The same rules with more to say
//! are in `validate`; here is what holds when no webhook answers.

use std::time::Duration;

use kube::core::{Message, Rule};

use crate::WorkloadKind;

/// Most batches that a strategy may have.
pub const MAX_BATCHES: u32 = 50;
/// Longest name of a Rollout: it is the value of a label on the workload.
pub const MAX_NAME: usize = 63;
/// Longest pause or deadline: whoever means more means "until promoted".
pub const MAX_SPAN: Duration = Duration::from_secs(720 * 3600);
/// From one measurement of a gate to the next.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Longest name of an object.
pub const MAX_OBJECT_NAME: u32 = 253;
/// Most gates of a Rollout.
pub const MAX_GATES: u32 = 10;
/// Most routes of a Rollout, and most references of one.
pub const MAX_ROUTES: u32 = 8;
/// Most matches of a batch.
pub const MAX_MATCHES: u32 = 8;
/// Most headers, and most query parameters, of a match.
pub const MAX_PAIRS: u32 = 16;
/// Longest value of a header or query parameter.
pub const MAX_VALUE: u32 = 1024;
/// Most arguments of a template.
pub const MAX_ARGS: u32 = 20;
/// Longest query.
pub const MAX_QUERY: u32 = 4000;
/// Longest address of a provider.
pub const MAX_ADDRESS: u32 = 500;
/// Longest text of a duration: four parts of five digits.
pub const MAX_DURATION: u32 = 28;

fn rule(rule: &str, message: &str) -> Rule {
    Rule::new(rule).message(message)
}

pub(crate) fn name_fits_a_label() -> Rule {
    rule(
        &format!("size(self.metadata.name) <= {MAX_NAME}"),
        &format!("metadata.name may have at most {MAX_NAME} characters: it becomes a label"),
    )
}

pub(crate) fn immutable() -> Rule {
    rule("self == oldSelf", "is immutable: delete this Rollout and make another")
}

pub(crate) fn is_a_known_kind() -> Rule {
    let message = format!(
        "'only {} are supported, not ' + self.apiVersion + ' ' + self.kind",
        WorkloadKind::list()
    );
    let known = WorkloadKind::ALL.map(|kind| format!("'{} {}'", kind.api_version(), kind.as_str()));
    Rule::new(format!("self.apiVersion + ' ' + self.kind in [{}]", known.join(", ")))
        .message(Message::Expression(message))
}

pub(crate) fn is_some_pods() -> Rule {
    rule(
        "type(self) == int ? int(self) >= 1 : string(self).matches('^([1-9][0-9]?|100)%$')",
        "must be a number of pods from 1 or a percentage from 1% to 100%",
    )
}

pub(crate) fn last_batch_is_all() -> Rule {
    rule(
        "size(self) == 0 || string(self[size(self) - 1].replicas) == '100%'",
        "the last batch must be 100%, or the release never ends",
    )
}

pub(crate) fn last_batch_has_no_pause() -> Rule {
    rule(
        "size(self) == 0 || !has(self[size(self) - 1].pause)",
        "the last batch must have no pause: nothing follows it",
    )
}

pub(crate) fn last_batch_has_no_traffic() -> Rule {
    rule(
        "size(self) == 0 || !has(self[size(self) - 1].traffic)",
        "the last batch must have no traffic: it gets all requests",
    )
}

pub(crate) fn traffic_has_a_route() -> Rule {
    rule(
        "(has(self.spec.routes) && size(self.spec.routes) > 0) \
         || self.spec.strategy.batches.all(b, !has(b.traffic))",
        "traffic of a batch needs spec.routes: say which routes",
    )
}

pub(crate) fn is_a_known_route() -> Rule {
    let message = "'only HTTPRoute and GRPCRoute of gateway.networking.k8s.io/v1 and Ingress of \
                   networking.k8s.io/v1 are supported, not ' + self.apiVersion + ' ' + self.kind";
    Rule::new(
        "(self.apiVersion == 'gateway.networking.k8s.io/v1' \
         && self.kind in ['HTTPRoute', 'GRPCRoute']) \
         || (self.apiVersion == 'networking.k8s.io/v1' && self.kind == 'Ingress')",
    )
    .message(Message::Expression(message.to_owned()))
}

/// Numbers with numbers and percentages with percentages; a mixed pair depends on the replicas.
///
/// A percentage is looked up in a map of all: whatever takes a text of an int-or-string field apart
/// exceeds the cost budget, because the apiserver reckons with a text as long as a request.
pub(crate) fn batches_increase() -> Rule {
    let all: Vec<String> = (1..=100).map(|percent| format!("'{percent}%':{percent}")).collect();
    let numbers = "self.filter(b, type(b.replicas) == int).map(b, int(b.replicas))";
    let percentages = "self.filter(b, b.replicas in m).map(b, m[b.replicas])";
    let increase = "l.isSorted() && l.all(x, l.exists_one(y, y == x))";
    let all = all.join(",");
    rule(
        &format!("[{{{all}}}].all(m, [{numbers}, {percentages}].all(l, {increase}))"),
        "each batch must be larger than the one before: sort them, or remove one",
    )
}

/// An empty `pause:` in YAML is null, and looks like a pause. Without the schema's `nullable` the
/// apiserver drops it silently, and the release would go on. `has` is false for a null; only the
/// list of keys shows it.
pub(crate) fn pause_is_not_null() -> Rule {
    rule(
        "dyn(self).all(key, key != 'pause' || has(self.pause))",
        "pause: null is no pause: write {} to wait until promoted, or remove it",
    )
}

pub(crate) fn duration_is_not_null() -> Rule {
    rule(
        "dyn(self).all(key, key != 'duration' || has(self.duration))",
        "duration: null is no duration: give one, or remove it to wait until promoted",
    )
}

pub(crate) fn is_a_sane_span() -> Rule {
    let most = MAX_SPAN.as_secs() / 3600;
    rule(
        &format!("duration(self) > duration('0s') && duration(self) <= duration('{most}h')"),
        &format!("must be longer than nothing and at most {most}h (30 days)"),
    )
}

pub(crate) fn is_an_interval() -> Rule {
    let least = MIN_INTERVAL.as_secs();
    rule(
        &format!("duration(self) >= duration('{least}s')"),
        &format!("must be at least {least}s: each measurement is a question, and a write"),
    )
}

pub(crate) fn asks_one_thing() -> Rule {
    rule(
        "[has(self.query), has(self.errorRatio), has(self.latency)].exists_one(given, given)",
        "give exactly one of query, errorRatio and latency",
    )
}

pub(crate) fn has_a_bound() -> Rule {
    rule(
        "has(self.max) || has(self.min) || has(self.compare)",
        "without a bound everything passes: give max, min or compare",
    )
}

pub(crate) fn has_a_largest_or_smallest() -> Rule {
    rule("has(self.max) || has(self.min)", "without a bound everything passes: give max or min")
}

pub(crate) fn measures_one_way() -> Rule {
    rule(
        "[has(self.prometheus), has(self.template), has(self.hook)].exists_one(given, given)",
        "give exactly one of prometheus, template and hook",
    )
}

pub(crate) fn hook_is_never_unknown() -> Rule {
    rule(
        "!has(self.hook) || !has(self.unknownLimit)",
        "a hook is never Unknown: remove unknownLimit, errorLimit is what bounds its errors",
    )
}

pub(crate) fn confirmation_never_fails() -> Rule {
    rule(
        "!(has(self.hook) && has(self.hook.confirm) && self.hook.confirm) \
         || !(has(self.failedLimit) || has(self.onFailure) \
         || (has(self.background) && self.background))",
        "a hook with confirm never fails, and ends with its confirmation: remove failedLimit, \
         onFailure and background",
    )
}

pub(crate) fn compares_what_can_be() -> Rule {
    rule(
        "!has(self.compare) || !(has(self.max) || has(self.min) || has(self.query)) && \
         (!has(self.latency) || has(self.latency.slowerThan))",
        "compare stands alone, without max and min, with errorRatio or latency.slowerThan",
    )
}

pub(crate) fn is_a_quantile_or_a_share() -> Rule {
    rule("has(self.quantile) != has(self.slowerThan)", "give one of quantile and slowerThan")
}

pub(crate) fn counts_its_requests() -> Rule {
    rule(
        "!has(self.minRequests) || !has(self.query) || has(self.requests)",
        "minRequests with a query needs requests: the query that counts them",
    )
}

/// The whole of it is used, its query too.
pub(crate) fn is_a_target() -> Rule {
    rule(
        "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ''",
        "must be an http or https address, such as https://checks.shop.svc/release",
    )
}

/// Whoever may read the object would read them.
pub(crate) fn has_no_credentials() -> Rule {
    rule(
        "!self.matches('^[a-zA-Z]+://[^/?#]*@')",
        "must have no user and password in it: put them into a Secret, and name that",
    )
}

pub(crate) fn has_a_target() -> Rule {
    rule(
        "has(self.spec.address) || has(self.spec.secret)",
        "give address, or a secret that has one",
    )
}

pub(crate) fn is_an_http_address() -> Rule {
    rule(
        "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getQuery() == {}",
        "must be an http or https address, such as http://prometheus.monitoring:9090",
    )
}
