//! What cannot be split within the API's limits is left as the user has it, all of it.

use super::super::Unfit;
use super::*;

#[track_caller]
fn check_unfit(own: &Value, share: &Share, expected: &Unfit) {
    let (live, projection) =
        written(own, &with_hold(own, std::slice::from_ref(share)), Writer::Controller);
    assert_eq!(rules(&live), rules(own));
    assert_eq!(hold_of(&live).own, None);
    assert_eq!(projected(&live).unwrap_err(), *expected);
    assert!(projection.warnings[0].contains(&expected.to_string()), "{:?}", projection.warnings);
    assert_eq!(restored(&live), lifted(own));
}

fn nine_rules() -> Value {
    let rule = |n: usize| {
        let matches = [path(&format!("/{n}"))];
        json!({ "matches": matches, "backendRefs": [backend("web", 1)] })
    };
    route(Value::from_iter((0..9).map(rule)))
}

#[test]
fn a_route_with_no_room_is_left_alone() {
    let own = nine_rules();
    let chosen = Share { conditions: vec![header("user", "beta")], ..share(0) };
    check_unfit(&own, &chosen, &Unfit::Limit { what: "rules", max: 16 });
    assert_eq!(weights(&held(&own, &[share(1)]), 8), [("web", 99), ("web-canary", 1)]);

    let own = route(json!([{ "backendRefs": vec![backend("web", 1); 9] }]));
    check_unfit(&own, &share(1), &Unfit::Limit { what: "backends in a rule", max: 16 });

    let many: Vec<_> = (0..33).map(|n| path(&format!("/{n}"))).collect();
    let own = route(json!([{ "matches": many, "backendRefs": [backend("web", 1)] }]));
    let two = Share { conditions: vec![header("a", "1"), header("b", "2")], ..share(0) };
    check_unfit(&own, &two, &Unfit::Limit { what: "matches in a rule", max: 64 });
}

#[test]
fn a_route_that_names_the_canary_itself_is_left_alone() {
    let own = route(json!([
        { "backendRefs": [backend("web", 1)] },
        { "matches": [path("/next")], "backendRefs": [backend("web-canary", 1)] },
    ]));
    check_unfit(&own, &share(10), &Unfit::NamesOurs("web-canary".to_owned()));
}

#[test]
fn a_grpc_route_has_no_query_parameters() {
    let mut own = plain();
    own["kind"] = json!("GRPCRoute");
    let chosen = Share { conditions: vec![query("v", "2")], ..share(0) };
    check_unfit(&own, &chosen, &Unfit::NoQuery);
}

#[test]
fn what_the_apiserver_refuses_is_left_to_it() {
    let own = route(json!([{ "backendRefs": [{ "name": "web", "weight": -1 }] }]));
    check_unfit(&own, &share(10), &Unfit::Strange(0));
}

/// In a release a user's rules may outgrow it: they are taken, unsplit, and nothing is refused.
#[test]
fn rules_that_outgrow_the_limits_are_the_users_own() {
    let chosen = Share { conditions: vec![header("user", "beta")], ..share(10) };
    let live = held(&plain(), &[chosen]);
    let own = nine_rules();
    let (after, projection) = written(&live, &own, Writer::Other);
    assert_eq!(rules(&after), rules(&own));
    assert!(projection.warnings.iter().any(|line| line.contains("cannot split")), "{projection:?}");
    assert!(projected(&after).is_err());
    // And are split once they fit again.
    let (fits, _) = written(&after, &plain(), Writer::Other);
    assert_eq!(weights(&fits, 0), [("web", 90), ("web-canary", 10)]);
    assert_eq!(projected(&fits), Ok(true));
}
