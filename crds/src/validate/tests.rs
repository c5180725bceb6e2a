//! Valid and invalid Rollouts, and what is said about them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{rollout, spec, update};
use crate::RolloutSpec;

fn with_batches(batches: &Value) -> Value {
    json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": { "name": "web" },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "strategy": { "batches": batches },
        },
    })
}

fn valid() -> Value {
    with_batches(&json!([
        { "replicas": 1, "pause": {} },
        { "replicas": "20%", "pause": { "duration": "1h30m" } },
        { "replicas": "100%" },
    ]))
}

fn with(pointer: &str, value: Value) -> Value {
    let mut raw = valid();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    raw.pointer_mut(parent).unwrap()[key] = value;
    raw
}

#[track_caller]
fn check(raw: &Value, expected: &[&str]) {
    let said = match rollout(raw) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(said, expected);
}

/// Sizes of batches, and what is said about them.
#[track_caller]
fn check_sizes(sizes: &Value, expected: &[&str]) {
    let batches =
        sizes.as_array().unwrap().iter().map(|size| json!({ "replicas": size })).collect();
    check(&with_batches(&batches), expected);
}

#[test]
fn valid_ones_are_read() {
    let read = rollout(&valid()).unwrap();
    assert_eq!(read.spec.strategy.batches.len(), 3);
    assert_eq!(spec("web", &read.spec), []);
    check_sizes(&json!(["100%"]), &[]);
    check_sizes(&json!(["10%", 3, "50%", 5, "100%"]), &[]);
    let fifty: Vec<Value> = (1..50).map(Value::from).chain([json!("100%")]).collect();
    check_sizes(&json!(fifty), &[]);
}

#[test]
fn batches_increase_where_they_can_be_compared() {
    check_sizes(
        &json!(["20%", "10%", "100%"]),
        &["spec.strategy.batches[1].replicas: 10% is less than the batch before (20%): raise it \
           or remove the batch"],
    );
    check_sizes(
        &json!([3, 3, "100%"]),
        &["spec.strategy.batches[1].replicas: 3 is no more than the batch before (3): raise it \
           or remove the batch"],
    );
    check_sizes(
        &json!(["30%", 4, "20%", 2, "100%"]),
        &[
            "spec.strategy.batches[2].replicas: 20% is less than batches[0] (30%): raise it or \
             remove the batch",
            "spec.strategy.batches[3].replicas: 2 is less than batches[1] (4): raise it or remove \
             the batch",
        ],
    );
}

#[test]
fn the_last_batch_is_everything() {
    for (size, shown) in [(json!("50%"), "50%"), (json!(10), "10")] {
        let message = format!(
            "spec.strategy.batches[0].replicas: {shown} is not 100%, and the release would never \
             end: add a last batch of 100%"
        );
        check_sizes(&json!([size]), &[&message]);
    }
    check(
        &with_batches(&json!([{ "replicas": "100%", "pause": {} }])),
        &["spec.strategy.batches[0].pause: the last batch ends the release, nothing follows it: \
           remove the pause"],
    );
}

#[test]
fn a_batch_is_some_pods() {
    for (size, shown) in [
        (json!(0), "0"),
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!("0%"), "0%"),
        (json!("101%"), "101%"),
        (json!("020%"), "020%"),
        (json!("5"), "5"),
        (json!("some"), "some"),
    ] {
        let message = format!(
            "spec.strategy.batches[0].replicas: {shown} is no batch: write a number of pods from 1 \
             (without quotes), or a percentage from 1% to 100%"
        );
        check_sizes(&json!([size, "100%"]), &[&message]);
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let mut raw = with_batches(&json!([
        { "replicas": "20%", "pauze": {} },
        { "replicas": "10%", "pause": { "duration": "0s" } },
        { "replicas": true },
        { "pause": null },
    ]));
    raw["spec"]["workloadRef"] = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet" });
    raw["spec"]["onFailure"] = json!("Explode");
    raw["spec"]["progressDeadline"] = json!("1d");
    raw["metadata"]["name"] = json!("x".repeat(64));
    raw["kind"] = json!("RollOut");
    check(
        &raw,
        &[
            "kind: is RollOut: write Rollout",
            "spec.onFailure: Explode is unknown: write Abort or Pause",
            "spec.strategy.batches[0].pauze: is unknown; known here: pause, replicas, \
             traffic",
            "spec.strategy.batches[2].replicas: true is not a number or a percentage: write one",
            "spec.strategy.batches[3].pause: null is no value: give a map ({} is an empty one), \
             or remove the field",
            "spec.strategy.batches[3].replicas: is missing: give a number or a percentage",
            "spec.workloadRef.name: is missing: give a text",
            "metadata.name: has 64 characters, and 63 fit the label that names the Rollout on its \
             workload: shorten it",
            "spec.workloadRef.kind: ReplicaSet is not supported: only apps/v1 Deployment, \
             apps/v1 StatefulSet, apps.kruise.io/v1alpha1 CloneSet and apps/v1 DaemonSet are",
            "spec.strategy.batches[1].replicas: 10% is less than the batch before (20%): raise it \
             or remove the batch",
            "spec.strategy.batches[1].pause.duration: 0s is no time: give more, or remove it to \
             wait until promoted",
            "spec.strategy.batches[3].pause: the last batch ends the release, nothing follows it: \
             remove the pause",
            "spec.progressDeadline: 1d is no duration: write it like 30s, 10m or 1h30m",
        ],
    );
}

#[test]
fn forms_are_those_of_the_schema() {
    for (pointer, value, expected) in [
        ("/spec/strategy", json!([]), "spec.strategy: a list is not a map ({} is an empty one)"),
        ("/spec/strategy/batches", json!([]), "spec.strategy.batches: is empty"),
        ("/spec/strategy/batches", json!({}), "spec.strategy.batches: a map is not a list"),
        ("/spec/paused", json!("yes"), "spec.paused: yes is not true or false"),
        ("/spec/progressDeadline", json!(600), "spec.progressDeadline: 600 is not a text"),
        ("/spec/progressDeadline", json!(null), "spec.progressDeadline: null is no value"),
        ("/spec/progressDeadline", json!("721h"), "spec.progressDeadline: 721h is more than 720h"),
        ("/spec/workloadRef/name", json!(""), "spec.workloadRef.name: \"\" is no name"),
        ("/spec/workloadRef/name", json!("Web"), "spec.workloadRef.name: \"Web\" is no name"),
        ("/spec/shoes", json!([]), "spec.shoes: is unknown; known here: bake, gates, onFailure"),
        ("/spec", json!(null), "spec: null is no value"),
        ("/kind", json!(null), "kind: is null: write Rollout"),
    ] {
        let problems = rollout(&with(pointer, value)).unwrap_err();
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|line| line.starts_with(expected)), "{expected}: {said:#?}");
    }
    let many: Vec<Value> = (1..=51).map(Value::from).chain([json!("100%")]).collect();
    check_sizes(
        &json!(many),
        &["spec.strategy.batches: has 52 items, and at most 50 can be: join some"],
    );
}

#[test]
fn long_values_are_cut() {
    let problems = rollout(&with("/spec/progressDeadline", json!("é".repeat(99)))).unwrap_err();
    assert!(problems.iter().all(|problem| problem.message.len() < 150), "{problems:?}");
}

#[test]
fn the_workload_is_immutable() {
    let new = with("/spec/workloadRef/name", json!("other"));
    let said: Vec<_> = update(&valid(), &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["spec.workloadRef: is immutable and names web: put that back, or delete Rollout web and \
          make another"]
    );
    assert_eq!(update(&valid(), &with("/spec/paused", json!(true))), []);
}

/// Whatever was let in once must not stop a label, nor the removal of a finalizer.
#[test]
fn an_unchanged_spec_is_not_judged_again() {
    let old = with("/spec/strategy/batches", json!([]));
    let mut new = old.clone();
    new["metadata"]["finalizers"] = json!([]);
    assert_eq!(update(&old, &new), []);
    assert!(!update(&old, &with("/spec/strategy/batches", json!([{}]))).is_empty());
}

/// The types and the schema agree on what a Rollout is.
#[test]
fn what_passes_can_be_read_and_written() {
    let read: RolloutSpec = rollout(&valid()).unwrap().spec;
    let written = serde_json::to_value(&read).unwrap();
    let mut expected = valid()["spec"].clone();
    expected["onFailure"] = json!("Abort");
    assert_eq!(written, expected);
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..120_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{0,3}[%smh]?".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("duration|replicas|pause|x", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// The judgement is total, and nothing that it lets through fails to be read as the types.
    #[test]
    fn any_spec_is_judged(
        pointer in prop::sample::select(vec![
            "/spec",
            "/spec/onFailure",
            "/spec/paused",
            "/spec/progressDeadline",
            "/spec/workloadRef/name",
            "/spec/strategy/batches",
            "/spec/strategy/batches/0",
            "/spec/strategy/batches/0/pause",
            "/spec/strategy/batches/0/pause/duration",
            "/spec/strategy/batches/1/replicas",
        ]),
        value in anything(),
    ) {
        let mut raw = valid();
        *raw.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value;
        match rollout(&raw) {
            Ok(read) => prop_assert_eq!(spec("web", &read.spec), []),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|problem| problem.field != "metadata"));
            }
        }
    }
}

#[test]
fn gates_are_read() {
    let gates = json!([
        { "name": "errors", "interval": "10s", "count": 3, "batches": [1, 3],
          "prometheus": { "errorRatio": { "codeLabel": "status" }, "max": "0.01",
                          "minRequests": 20 } },
        { "name": "slow", "background": true,
          "prometheus": { "latency": { "quantile": "0.99" }, "max": "0.5" } },
        { "name": "tail", "prometheus": { "latency": { "slowerThan": "0.25" }, "max": "0.01" } },
        { "name": "own", "dryRun": true, "onFailure": "Pause", "onUnknown": "Abort",
          "prometheus": { "provider": "other", "min": "1", "max": "2",
                          "query": "sum(up{pod=~\"{{pods}}\"})" } },
    ]);
    let read = rollout(&with("/spec/gates", gates)).unwrap();
    assert_eq!(spec("web", &read.spec), []);
    for gate in &read.spec.gates {
        let prometheus = gate.prometheus.as_ref().unwrap();
        prometheus.queries().unwrap();
        prometheus.bound().unwrap();
    }
}

#[test]
fn all_that_is_wrong_with_gates_is_said() {
    let gates = json!([
        { "name": "Errors", "interval": "0s", "batches": [4], "count": 0,
          "prometheus": { "query": "sum({{pod}})", "max": 0.01 } },
        { "name": "a", "prometheus": { "query": "1", "latency": { "quantile": "2" },
                                       "minRequests": 5, "min": "2", "max": "1" } },
        { "name": "a", "prometheus": { "errorRatio": { "metric": "no-metric" } } },
        { "name": "b", "prometheus": { "max": "1", "provider": "p", "window": "long" } },
        { "name": "often", "interval": "999ms", "hook": { "provider": "checks" } },
    ]);
    let expected = "\
spec.gates[0].count: 0 is no number of these: write one from 1 to 1000
spec.gates[0].prometheus.max: 0.01 is not a text: write it in quotes, \"0.01\"
spec.gates[0].name: \"Errors\" is no name: write small letters, digits, -
spec.gates[0].batches: 4 is no batch, there are 3: correct it
spec.gates[0].interval: 0s is no time: give more, or remove it to measure every 30s
spec.gates[0].prometheus.query: {{pod}} is no placeholder: write one of {{namespace}}, \
{{workload}}, {{revision}}, {{stableRevision}}, {{pods}}, {{window}}
spec.gates[1].prometheus: gives query and latency: keep one of them
spec.gates[1].prometheus.latency: 2 is no quantile: write one between 0 and 1, such as \"0.99\"
spec.gates[1].prometheus.requests: is missing: give the query that counts the requests, or drop \
minRequests
spec.gates[1].prometheus: min 2 is above max 1, so that no value can pass: exchange them
spec.gates[2].name: a names two gates: rename one
spec.gates[2].prometheus.errorRatio: \"no-metric\" is no name of a metric or label: use letters, \
digits and _, no digit first
spec.gates[2].prometheus: there is no bound: write max, min or both
spec.gates[3].prometheus.window: long is no duration: write it like 30s, 10m or 1h30m
spec.gates[3].prometheus: asks nothing: give query, errorRatio or latency
spec.gates[4].interval: 999ms is less than 1s: give 1s or more";
    let expected: Vec<&str> = expected.lines().collect();
    check(&with("/spec/gates", gates), &expected);
    assert!(rollout(&with("/spec/gates", json!([{ "name": "a" }]))).is_err());
}

#[test]
fn templates_are_named_with_their_arguments() {
    let template = json!({ "kind": "ClusterGateTemplate", "name": "http", "args": { "a": "1" } });
    let read = rollout(&with("/spec/gates", json!([{ "name": "a", "template": template }])));
    assert_eq!(spec("web", &read.unwrap().spec), []);
    let gates = json!([
        { "name": "a" },
        { "name": "b", "template": { "name": "x", "args": { "max": 5 } },
          "prometheus": { "query": "1", "max": "1" } },
    ]);
    let expected = [
        "spec.gates[1].template.args.max: 5 is not a text: write it in quotes, \"5\"",
        "spec.gates[0].prometheus: is missing: give it, or a template, or a hook",
        "spec.gates[1].template: does not go with prometheus: keep one",
    ];
    check(&with("/spec/gates", gates), &expected);
}

#[test]
fn hooks_are_read() {
    let gates = json!([
        { "name": "smoke", "hook": { "provider": "checks" }, "interval": "5s", "count": 2,
          "failedLimit": 1, "errorLimit": 5, "background": true, "onFailure": "Pause",
          "onUnknown": "Abort", "batches": [1, 2], "initialDelay": "1m", "dryRun": true },
        { "name": "approve", "hook": { "provider": "people", "confirm": true }, "count": 1 },
    ]);
    let read = rollout(&with("/spec/gates", gates)).unwrap();
    assert_eq!(spec("web", &read.spec), []);
    let confirms: Vec<bool> = read.spec.gates.iter().map(crate::Gate::confirms).collect();
    assert_eq!(confirms, [false, true]);
}

#[test]
fn what_makes_no_sense_with_a_hook_is_said() {
    let gates = json!([
        { "name": "a", "hook": { "url": "http://example.com" } },
        { "name": "b", "hook": { "provider": "A b" }, "unknownLimit": 1 },
        { "name": "c", "hook": { "provider": "a", "confirm": true }, "failedLimit": 0,
          "onFailure": "Pause", "background": true },
        { "name": "d", "hook": { "provider": "a" }, "template": { "name": "x" },
          "prometheus": { "query": "1", "max": "1" } },
    ]);
    let expected = "\
spec.gates[0].hook.url: is unknown; known here: confirm, provider
spec.gates[0].hook.provider: is missing: give a text
spec.gates[1].unknownLimit: does not go with a hook, which is never Unknown: remove it, errorLimit \
bounds its errors
spec.gates[1].hook.provider: \"A b\" is no name of a HookProvider: correct it
spec.gates[2].failedLimit: does not go with hook.confirm, which never fails: remove it
spec.gates[2].onFailure: does not go with hook.confirm, which never fails: remove it
spec.gates[2].background: does not go with hook.confirm, which ends once it is confirmed: remove it
spec.gates[3].template: does not go with prometheus: keep one
spec.gates[3].hook: does not go with prometheus: keep one";
    let mut expected: Vec<&str> = expected.lines().collect();
    expected.sort_unstable();
    let mut said: Vec<String> =
        rollout(&with("/spec/gates", gates)).unwrap_err().iter().map(ToString::to_string).collect();
    said.sort_unstable();
    assert_eq!(said, expected);
}

#[test]
fn comparisons_are_read() {
    let gates = json!([
        { "name": "errors", "prometheus": { "errorRatio": {}, "compare": {} } },
        { "name": "slow", "background": true, "batches": [1, 2],
          "prometheus": { "latency": { "slowerThan": "0.25" }, "minRequests": 500,
                          "compare": { "alpha": "0.05", "ratio": "1", "margin": "0",
                                       "dispersion": "3" } } },
    ]);
    let read = rollout(&with("/spec/gates", gates)).unwrap();
    assert_eq!(spec("web", &read.spec), []);
    for gate in &read.spec.gates {
        gate.prometheus.as_ref().unwrap().counts().unwrap().unwrap();
        assert_eq!([1, 2, 3].map(|batch| gate.judges(batch, 3)), [true, true, false]);
    }
}

#[test]
fn all_that_is_wrong_with_comparisons_is_said() {
    let gates = json!([
        { "name": "a", "batches": [3], "prometheus": { "errorRatio": {}, "max": "1",
              "compare": { "alpha": "0.7", "ratio": 2, "sigma": "1" } } },
        { "name": "b", "prometheus": { "query": "1", "compare": { "ratio": "0.5" } } },
        { "name": "c", "prometheus": { "latency": { "quantile": "0.9" },
              "compare": { "margin": "ten" } } },
        { "name": "d", "prometheus": { "latency": {}, "max": "1" } },
    ]);
    let expected = "\
spec.gates[0].prometheus.compare.ratio: 2 is not a text: write it in quotes, \"2\"
spec.gates[0].prometheus.compare.sigma: is unknown; known here: alpha, dispersion, margin, ratio
spec.gates[0].prometheus.max: does not go with compare: remove one of them
spec.gates[0].prometheus.compare: leaves no stable pods in the last batch to compare with: name \
batches before it
spec.gates[1].prometheus.query: does not go with compare: remove one of them
spec.gates[1].prometheus.compare: ratio 0.5 is below 1: write how many times stable's share is \
acceptable, \"1.2\"
spec.gates[2].prometheus.latency.slowerThan: is missing: give the bound of a bucket, whose \
requests are compared
spec.gates[2].prometheus.compare.margin: \"ten\" is no decimal number: write digits, with a point \
if need be, such as \"0.01\" or \"250\"
spec.gates[3].prometheus.latency: asks nothing of the latency, or too much: give one of quantile \
and slowerThan";
    let expected: Vec<&str> = expected.lines().collect();
    check(&with("/spec/gates", gates), &expected);
}

fn with_routes(routes: Value, traffic: Value) -> Vec<String> {
    let mut raw = with("/spec/routes", routes);
    raw["spec"]["strategy"]["batches"][0]["traffic"] = traffic;
    let problems = rollout(&raw).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

fn web() -> Value {
    let one = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "name": "web",
    });
    json!({ "name": "web", "service": "web", "refs": [one] })
}

#[test]
fn routes_and_the_traffic_of_a_batch() {
    assert_eq!(with_routes(json!([web()]), json!({ "weight": 5 })), Vec::<String>::new());
    let mut strange = web();
    strange["refs"][0]["kind"] = json!("TCPRoute");
    strange["settle"] = json!("soon");
    let said = with_routes(json!([web(), strange]), json!({ "weight": 101, "matches": [{}] }));
    for expected in [
        "spec.strategy.batches[0].traffic.weight: 101 is no number of these",
        "spec.strategy.batches[0].traffic.matches: a match asks for nothing",
        "spec.routes[1].name: web is there twice",
        "spec.routes[1].service: web is there twice",
        "spec.routes[1].settle: soon is no duration",
        "spec.routes[1].refs[0].kind: TCPRoute is not supported",
    ] {
        assert!(said.iter().any(|line| line.starts_with(expected)), "{expected}: {said:#?}");
    }
    let said = with_routes(json!([]), json!({ "weight": 5 }));
    let none = "spec.strategy.batches[0].traffic: there are no routes to share requests by";
    assert!(said.iter().any(|line| line.starts_with(none)), "{said:#?}");
}

fn chosen_by(refs: &[(&str, &str)], matches: &Value) -> Vec<String> {
    let one = |(version, kind): &(&str, &str)| {
        let fields = [("apiVersion", *version), ("kind", *kind), ("name", "web")];
        Value::from_iter(fields)
    };
    let refs: Vec<Value> = refs.iter().map(one).collect();
    let routes = json!([{ "name": "web", "service": "web", "refs": refs }]);
    with_routes(routes, json!({ "matches": matches }))
}

const INGRESS: (&str, &str) = ("networking.k8s.io/v1", "Ingress");
const HTTP: (&str, &str) = ("gateway.networking.k8s.io/v1", "HTTPRoute");

#[test]
fn an_ingress_chooses_by_one_header_and_one_cookie() {
    let header = json!({ "headers": [{ "name": "user", "value": "beta" }] });
    let cookie = json!({ "cookies": [{ "name": "beta", "value": "always" }] });
    let said = chosen_by(&[INGRESS], &json!([header, cookie]));
    assert_eq!(said, Vec::<String>::new());
    let said = chosen_by(&[HTTP], &json!([header]));
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn what_a_route_cannot_choose_by_is_refused_with_field_value_and_cure() {
    let pair = |value: &str| json!([{ "name": "a", "value": value }]);
    let two = json!([{ "name": "a", "value": "1" }, { "name": "b", "value": "2" }]);
    let cases = [
        (INGRESS, json!([{ "queryParams": pair("1") }]), "[0].queryParams: Ingress web", "a=1"),
        (INGRESS, json!([{ "headers": two }]), "[0].headers: Ingress web", "b=2"),
        (
            INGRESS,
            json!([{ "headers": pair("1") }, { "headers": pair("2") }]),
            "[1].headers",
            "a=2",
        ),
        (INGRESS, json!([{ "cookies": pair("1") }]), "[0].cookies", "a=1"),
        (
            INGRESS,
            json!([{ "headers": pair("1"), "cookies": pair("always") }]),
            "[0].cookies",
            "give two matches",
        ),
        (
            HTTP,
            json!([{ "cookies": pair("always") }]),
            "[0].cookies: HTTPRoute web",
            "header cookie",
        ),
    ];
    for (kind, matches, field, part) in cases {
        let said = chosen_by(&[kind], &matches);
        let field = format!("spec.strategy.batches[0].traffic.matches{field}");
        let found = said.iter().any(|line| line.starts_with(&field) && line.contains(part));
        assert!(found && said.len() == 1, "{field}, {part}: {said:#?}");
    }
    // Where requests come by both, both have to be able to.
    let said = chosen_by(&[INGRESS, HTTP], &json!([{ "cookies": pair("always") }]));
    assert_eq!(said.len(), 1, "{said:#?}");
}

#[test]
fn a_kind_of_route_has_its_own_version() {
    let said =
        chosen_by(&[(HTTP.0, INGRESS.1)], &json!([{ "headers": [{ "name": "a", "value": "1" }] }]));
    assert_eq!(
        said,
        ["spec.routes[0].refs[0].apiVersion: gateway.networking.k8s.io/v1 is not supported for \
          Ingress: write networking.k8s.io/v1"]
    );
}
