//! What holds for any rules, any hold and any write.

use proptest::prelude::*;

use super::super::RouteHold;
use super::*;

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["web", "api", "old"])
}

fn weight() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        1 => Just(None),
        4 => (0..12_u64).prop_map(Some),
        2 => prop::sample::select(vec![100, 999, 10_000, 500_001, 1_000_000]).prop_map(Some),
    ]
}

fn own_backend() -> impl Strategy<Value = Value> {
    (name(), weight(), 80..83, any::<bool>()).prop_map(|(name, weight, port, filtered)| {
        let mut backend = json!({ "name": name, "port": port });
        if let Some(weight) = weight {
            backend["weight"] = json!(weight);
        }
        if filtered {
            backend["filters"] = json!([{ "type": "ResponseHeaderModifier", "x": [1.5, null] }]);
        }
        backend
    })
}

fn own_match() -> impl Strategy<Value = Value> {
    let header = prop::option::of(prop::sample::select(vec!["user", "Lang"]));
    (header, "[a-c]{0,1}").prop_map(|(header, value)| {
        let mut one = path(&format!("/{value}"));
        if let Some(name) = header {
            one["headers"] = json!([{ "name": name, "value": value }]);
        }
        one
    })
}

fn own_rule() -> impl Strategy<Value = Value> {
    let backends = prop::option::weighted(0.9, prop::collection::vec(own_backend(), 0..5));
    let matches = prop::option::of(prop::collection::vec(own_match(), 0..4));
    (backends, matches, any::<bool>()).prop_map(|(backends, matches, named)| {
        let mut rule = json!({ "x-unknown": { "a": [] } });
        if let Some(backends) = backends {
            rule["backendRefs"] = json!(backends);
        }
        if let Some(matches) = matches {
            rule["matches"] = json!(matches);
        }
        if named {
            rule["name"] = json!("rule");
        }
        rule
    })
}

fn own() -> impl Strategy<Value = Value> {
    prop::collection::vec(own_rule(), 0..6).prop_map(|rules| route(json!(rules)))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(header("user", "b")),
        Just(header("canary", "always")),
        Just(query("v", "2")),
        Just(Condition { query_params: query("v", "2").query_params, ..header("lang", "a") }),
    ]
}

fn shares() -> impl Strategy<Value = Vec<Share>> {
    let of = |service: &'static str| {
        let canary = format!("{service}-canary");
        let conditions = prop::collection::vec(condition(), 0..3);
        let shares = (0..=100_u32, any::<bool>(), conditions);
        shares.prop_map(move |(weight, pinned, conditions)| Share {
            service: service.to_owned(),
            stable: pinned.then(|| format!("{service}-stable")),
            canary: canary.clone(),
            weight,
            conditions,
        })
    };
    prop_oneof![
        of("web").prop_map(|share| vec![share]),
        (of("web"), of("api")).prop_map(|(web, api)| vec![web, api]),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A held route with something unheard of at one of the places that are read.
fn strange() -> impl Strategy<Value = Value> {
    let places = vec![
        "/kind",
        "/metadata",
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/annotations/sluice.dev~1hold",
        "/metadata/namespace",
        "/spec",
        "/spec/rules",
        "/spec/rules/0",
        "/spec/rules/0/matches",
        "/spec/rules/0/matches/0",
        "/spec/rules/0/matches/0/headers",
        "/spec/rules/0/backendRefs",
        "/spec/rules/0/backendRefs/0",
        "/spec/rules/0/backendRefs/0/weight",
        "/spec/rules/0/backendRefs/0/name",
    ];
    (own(), shares(), prop::sample::select(places), json_value(), any::<bool>()).prop_map(
        |(own, shares, at, value, live)| {
            let mut object = if live { held(&own, &shares) } else { with_hold(&own, &shares) };
            if let Some(place) = object.pointer_mut(at) {
                *place = value;
            }
            object
        },
    )
}

/// The text of a hold, or of nothing like it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        shares().prop_map(|shares| RouteHold::new(shares).to_text()),
        (own(), shares()).prop_map(|(own, shares)| hold_of(&held(&own, &shares)).to_text()),
        Just(r#"{"schema":7}"#.to_owned()),
        Just(r#"{"schema":1,"shares":[],"own":{"backends":{"0":7,"x":1}}}"#.to_owned()),
        "[a-z{}]{0,6}",
    ]
}

fn check(old: &Value, new: &Value, writer: Writer) -> Result<Value, TestCaseError> {
    let projection = project(old, new, writer);
    prop_assert_eq!(&projection, &project(old, new, writer));
    let mut result = new.clone();
    let applied = json_patch::patch(&mut result, &projection.patch);
    prop_assert!(applied.is_ok(), "{:?} of {}", applied, projection.patch);
    let again = project(old, &result, writer).patch;
    prop_assert!(again.0.is_empty(), "a second pass changes {} after {}", again, projection.patch);
    for line in &projection.warnings {
        prop_assert!(line.len() < 120 && !line.contains('\n'), "{}", line);
    }
    Ok(result)
}

/// Within the API's limits, where the user's own rules are.
fn is_acceptable(object: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let rules = list(rules(object));
    let weights = rules.iter().flat_map(|rule| list(&rule["backendRefs"]));
    let fits =
        |rule: &Value| list(&rule["backendRefs"]).len() <= 16 && list(&rule["matches"]).len() <= 64;
    let named = rules.iter().filter(|rule| rule.get("name").is_some()).count();
    rules.len() <= 16
        && rules.iter().all(fits)
        && named <= 6
        && weights.into_iter().all(|raw| raw["weight"].as_u64().unwrap_or(1) <= 1_000_000)
}

proptest! {
    // PROPTEST_CASES=100000 for a long run.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases * 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any number of holds one after another, then none: the user's route exactly.
    #[test]
    fn lifting_gives_back_exactly_what_the_user_wrote(
        own in own(), holds in prop::collection::vec(shares(), 1..4), copied in any::<bool>(),
    ) {
        let mut live = own.clone();
        for shares in holds {
            let mut next = RouteHold::new(shares);
            if let RouteReading::Hold(hold) = RouteHold::of(&live) && copied {
                next.own = hold.own;
            }
            live = check(&live, &with_text(&live, &next.to_text()), Writer::Controller)?;
            prop_assert!(is_acceptable(&live), "{}", rules(&live));
            prop_assert_ne!(projected(&live), Ok(false));
        }
        prop_assert_eq!(check(&live, &lifted(&live), Writer::Controller)?, lifted(&own));
    }

    /// The user applies a manifest again, or another one: it lands as if it had been held so.
    #[test]
    fn a_reapply_lands_projected(
        first in own(), second in own(), shares in shares(), stripping in any::<bool>(),
    ) {
        let live = held(&first, &shares);
        let mut sent = if stripping { lifted(&live) } else { live.clone() };
        sent["spec"] = second["spec"].clone();
        let after = check(&live, &sent, Writer::Other)?;
        prop_assert_eq!(&after, &held(&second, &shares));
        prop_assert_eq!(check(&after, &lifted(&after), Writer::Controller)?, lifted(&second));
    }

    /// Shares are exact wherever whole numbers allow it, and never off by more than the rounding.
    #[test]
    fn proportions_are_kept(own in own(), percent in 0..=100_u32) {
        let live = held(&own, &[share(percent)]);
        if projected(&live).is_err() {
            return Ok(());
        }
        for (number, rule) in rules(&own).as_array().unwrap().iter().enumerate() {
            if rule.get("backendRefs").is_none() {
                continue;
            }
            let sum = |object: &Value, of: Option<&str>| {
                let found = weights(object, number).into_iter();
                found.filter(|(name, _)| of.is_none_or(|of| of == *name)).map(|(_, w)| w).sum()
            };
            let share = |object: &Value, of: &str| -> f64 {
                let (part, all): (u64, u64) = (sum(object, Some(of)), sum(object, None));
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let share = part as f64 / all.max(1) as f64;
                share
            };
            let whole = share(&own, "web");
            let canary = share(&live, "web-canary");
            prop_assert!((canary - whole * f64::from(percent) / 100.0).abs() < 1e-4);
            for other in ["old", "api"] {
                prop_assert!((share(&live, other) - share(&own, other)).abs() < 1e-4);
            }
        }
    }

    /// Pure, idempotent, applicable, whatever is in the objects and whoever writes.
    #[test]
    fn strange_objects_are_survived(
        old in strange(), new in strange(), controller in any::<bool>(),
    ) {
        let writer = if controller { Writer::Controller } else { Writer::Other };
        check(&old, &new, writer)?;
        let _ = projected(&new);
    }

    /// The same with any text for an annotation, and rules of any origin.
    #[test]
    fn any_annotation_is_survived(
        old in own(), new in own(), shares in shares(), texts in (text(), text()),
        live in any::<bool>(), controller in any::<bool>(),
    ) {
        let writer = if controller { Writer::Controller } else { Writer::Other };
        let new = if live { held(&new, &shares) } else { new };
        let old = with_text(&held(&old, &shares), &texts.0);
        check(&old, &with_text(&new, &texts.1), writer)?;
        check(&old, &lifted(&new), writer)?;
    }

    #[test]
    fn anything_at_all_is_survived(old in json_value(), new in json_value()) {
        for writer in [Writer::Controller, Writer::Other] {
            prop_assert!(project(&old, &new, writer).patch.0.is_empty());
        }
    }
}
