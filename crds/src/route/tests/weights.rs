//! Shares by weight: exact proportions, the least possible change, and the exact way back.

use super::*;

#[test]
fn a_single_backend_is_split_in_percent() {
    let live = held(&plain(), &[share(20)]);
    assert_eq!(weights(&live, 0), [("web", 80), ("web-canary", 20)]);
    assert_eq!(projected(&live), Ok(true));
    assert_eq!(restored(&live), lifted(&plain()));
}

#[test]
fn the_patch_is_as_small_as_it_can_be() {
    let live = held(&plain(), &[share(20)]);
    let mut next = hold_of(&live);
    next.shares[0].weight = 30;
    let projection = project(&live, &with_text(&live, &next.to_text()), Writer::Controller);
    let operations: Vec<_> = projection.patch.0.iter().map(|one| one.path().to_string()).collect();
    let expected = ["/spec/rules/0/backendRefs/0/weight", "/spec/rules/0/backendRefs/1/weight"];
    assert_eq!(operations, expected, "{}", projection.patch);
    assert_eq!(projection.verdict, Verdict::Written);
}

#[test]
fn at_nought_nothing_is_split_and_at_a_hundred_the_stable_one_keeps_its_place() {
    let none = held(&plain(), &[share(0)]);
    assert_eq!(rules(&none), rules(&plain()));
    assert_eq!(projected(&none), Ok(true));
    let all = held(&none, &[share(100)]);
    assert_eq!(weights(&all, 0), [("web", 0), ("web-canary", 1)]);
    assert_eq!(restored(&all), lifted(&plain()));
}

#[test]
fn the_stable_revisions_service_stands_in_for_the_users() {
    let pinned = |weight| Share { stable: Some("web-stable".to_owned()), ..share(weight) };
    let none = held(&plain(), &[pinned(0)]);
    assert_eq!(weights(&none, 0), [("web-stable", 1)]);
    assert_eq!(projected(&none), Ok(true));
    let some = held(&none, &[pinned(20)]);
    assert_eq!(weights(&some, 0), [("web-stable", 80), ("web-canary", 20)]);
    assert_eq!(projected(&some), Ok(true));
    assert_eq!(restored(&none), lifted(&plain()));
    assert_eq!(restored(&some), lifted(&plain()));
    // The user's own manifest again, in mid release.
    let mut sent = some.clone();
    sent["spec"] = plain()["spec"].clone();
    assert_eq!(written(&some, &sent, Writer::Other).0, some);
}

/// 30 % of 3 of 4 parts: the others keep their proportion to the whole.
#[test]
fn the_users_own_weights_keep_their_proportions() {
    let own = route(json!([{ "backendRefs": [backend("old", 1), backend("web", 3)] }]));
    let live = held(&own, &[share(30)]);
    assert_eq!(weights(&live, 0), [("old", 100), ("web", 210), ("web-canary", 90)]);
    let own = route(json!([{ "backendRefs": [backend("old", 100), backend("web", 300)] }]));
    let live = held(&own, &[share(30)]);
    assert_eq!(weights(&live, 0), [("old", 100), ("web", 210), ("web-canary", 90)]);
    assert_eq!(rules(&live)[0]["backendRefs"][0], rules(&own)[0]["backendRefs"][0]);
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn weights_near_the_bound_stay_within_it() {
    let cases = [(1_000_000, 1), (999_999, 7), (500_000, 33), (1_000_000, 1_000_000)];
    for (large, small) in cases {
        let own = route(json!([{ "backendRefs": [backend("web", large), backend("old", small)] }]));
        for percent in [1, 33, 50, 99] {
            let live = held(&own, &[share(percent)]);
            let found = weights(&live, 0);
            assert!(found.iter().all(|(_, weight)| (1..=1_000_000).contains(weight)), "{found:?}");
            #[expect(clippy::cast_precision_loss, reason = "counts are small")]
            let part = found[2].1 as f64 / (found[0].1 + found[2].1) as f64;
            assert!((part - f64::from(percent) / 100.0).abs() < 1e-5, "{percent}%: {found:?}");
            assert_eq!(restored(&live), lifted(&own));
        }
    }
}

#[test]
fn a_tiny_weight_is_not_rounded_away() {
    let own = route(json!([{ "backendRefs": [backend("old", 999_999), backend("web", 1)] }]));
    let live = held(&own, &[share(50)]);
    assert_eq!(weights(&live, 0)[1..], [("web", 1), ("web-canary", 1)]);
}

#[test]
fn a_backend_without_requests_has_none_to_give() {
    let own = route(json!([{ "backendRefs": [backend("old", 1), backend("web", 0)] }]));
    let live = held(&own, &[share(50)]);
    assert_eq!(rules(&live), rules(&own));
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn an_absent_weight_is_one_and_comes_back_absent() {
    let own = route(json!([{ "backendRefs": [{ "name": "web", "port": 80 }] }]));
    let live = held(&own, &[share(25)]);
    assert_eq!(weights(&live, 0), [("web", 75), ("web-canary", 25)]);
    assert_eq!(restored(&live), lifted(&own));
}

/// Everything else stays: filters, mirrors, timeouts, unknown fields; rules without backends.
#[test]
fn whatever_else_a_rule_has_stays() {
    let mirror = json!({ "type": "RequestMirror", "requestMirror": {
        "backendRef": { "name": "web", "port": 80 } } });
    let own = route(json!([
        { "filters": [{ "type": "RequestRedirect", "requestRedirect": { "scheme": "https" } }],
          "matches": [path("/old")] },
        { "name": "shop", "filters": [mirror], "timeouts": { "request": "10s" }, "x-new": [1, null],
          "matches": [path("/a"), path("/b")],
          "backendRefs": [{ "name": "web", "port": 80, "weight": 1, "x-new": { "y": 1.5 },
            "filters": [{ "type": "RequestHeaderModifier" }] }] },
        { "backendRefs": [backend("other", 7)] },
        { "backendRefs": [] },
    ]));
    let live = held(&own, &[share(10)]);
    for unheld in [0, 2, 3] {
        assert_eq!(rules(&live)[unheld], rules(&own)[unheld]);
    }
    let canary = &rules(&live)[1]["backendRefs"][1];
    let mut expected = rules(&own)[1]["backendRefs"][0].clone();
    expected["name"] = json!("web-canary");
    expected["weight"] = json!(10);
    assert_eq!(*canary, expected);
    let mut rule = rules(&live)[1].clone();
    rule["backendRefs"] = rules(&own)[1]["backendRefs"].clone();
    assert_eq!(rule, rules(&own)[1]);
    assert_eq!(restored(&live), lifted(&own));
}

/// Only a Service of this namespace is the held one, on each of its ports.
#[test]
fn namesakes_are_left_alone() {
    let mut elsewhere = backend("web", 1);
    elsewhere["namespace"] = json!("other");
    let mut here = backend("web", 1);
    here["namespace"] = json!("shop");
    here["port"] = json!(81);
    let bucket = json!({ "group": "x.io", "kind": "Bucket", "name": "web", "weight": 1 });
    let refs = [elsewhere, here, bucket, backend("web", 1)];
    let own = route(json!([{ "backendRefs": refs }]));
    let live = held(&own, &[share(50)]);
    let found = weights(&live, 0);
    assert_eq!(found.iter().filter(|(name, _)| *name == "web-canary").count(), 2, "{found:?}");
    assert_eq!(rules(&live)[0]["backendRefs"][4]["port"], 81);
    assert_eq!(rules(&live)[0]["backendRefs"][5]["port"], 80);
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn several_services_are_split_at_once() {
    let api = Share { service: "api".to_owned(), canary: "api-canary".to_owned(), ..share(50) };
    let own = route(json!([
        { "backendRefs": [backend("web", 1), backend("api", 1)] },
        { "backendRefs": [backend("api", 2)] },
    ]));
    let live = held(&own, &[share(20), api]);
    let expected = [("web", 80), ("api", 50), ("web-canary", 20), ("api-canary", 50)];
    assert_eq!(weights(&live, 0), expected);
    assert_eq!(weights(&live, 1), [("api", 1), ("api-canary", 1)]);
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn a_grpc_route_is_split_by_the_same_code() {
    let mut own = plain();
    own["kind"] = json!("GRPCRoute");
    own["spec"]["rules"][0]["matches"] = json!([{ "method": { "service": "shop.Cart" } }]);
    let conditions = vec![header("user", "beta")];
    let live = held(&own, &[Share { conditions, ..share(5) }]);
    assert_eq!(weights(&live, 0), [("web", 95), ("web-canary", 5)]);
    assert_eq!(rules(&live)[1]["matches"][0]["method"]["service"], "shop.Cart");
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn other_kinds_are_left_alone() {
    for (key, value) in [("kind", "Ingress"), ("apiVersion", "example.com/v1")] {
        let mut object = plain();
        object[key] = json!(value);
        let sent = with_hold(&object, &[share(5)]);
        let projection = project(&object, &sent, Writer::Controller);
        assert_eq!((projection.patch.0.len(), projection.verdict), (0, Verdict::Untouched));
    }
}
