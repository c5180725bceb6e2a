//! Chosen requests, by header or query parameter: they get the update revision, all others what
//! the weights say.

use super::*;

fn ab(conditions: Vec<Condition>) -> Share {
    Share { conditions, ..share(0) }
}

#[test]
fn chosen_requests_have_a_rule_of_their_own_after_the_users() {
    let live = held(&plain(), &[ab(vec![header("user", "beta")])]);
    assert_eq!(rules(&live)[0], rules(&plain())[0]);
    let expected = json!({
        "matches": [{
            "path": { "type": "PathPrefix", "value": "/" },
            "headers": [{ "type": "Exact", "name": "user", "value": "beta" }],
        }],
        "backendRefs": [backend("web-canary", 1)],
    });
    assert_eq!(rules(&live)[1], expected);
    assert_eq!(projected(&live), Ok(true));
    assert_eq!(restored(&live), lifted(&plain()));
}

/// Each of the user's matches with each condition; what the user asks is asked still.
#[test]
fn conditions_narrow_every_match_of_the_users() {
    let own = route(json!([{
        "name": "shop",
        "filters": [{ "type": "URLRewrite" }],
        "matches": [
            { "path": { "type": "Exact", "value": "/a" }, "method": "GET" },
            { "headers": [{ "type": "Exact", "name": "lang", "value": "en" }] },
        ],
        "backendRefs": [backend("web", 2), backend("old", 1)],
    }]));
    let live = held(&own, &[ab(vec![header("user", "beta"), query("v", "2")])]);
    let ours = &rules(&live)[1];
    assert_eq!(ours["matches"].as_array().unwrap().len(), 4);
    assert_eq!(ours["matches"][0]["method"], "GET");
    assert_eq!(ours["matches"][1]["queryParams"][0]["name"], "v");
    assert_eq!(ours["matches"][2]["headers"].as_array().unwrap().len(), 2);
    assert!(ours.get("name").is_none(), "names of rules are unique");
    assert_eq!(ours["filters"], rules(&own)[0]["filters"]);
    assert_eq!(weights(&live, 1), [("web-canary", 2), ("old", 1)]);
    assert_eq!(restored(&live), lifted(&own));
}

#[test]
fn a_rule_for_every_request_is_narrowed_too() {
    for matches in [json!([]), json!([{}])] {
        let own = route(json!([{ "matches": matches, "backendRefs": [backend("web", 1)] }]));
        let live = held(&own, &[ab(vec![header("user", "beta")])]);
        assert_eq!(rules(&live)[1]["matches"][0]["headers"][0]["value"], "beta");
        assert_eq!(restored(&live), lifted(&own));
    }
}

#[test]
fn weight_and_conditions_go_together() {
    let live = held(&plain(), &[Share { weight: 10, ..ab(vec![header("user", "beta")]) }]);
    assert_eq!(weights(&live, 0), [("web", 90), ("web-canary", 10)]);
    assert_eq!(weights(&live, 1), [("web-canary", 1)]);
    assert_eq!(restored(&live), lifted(&plain()));
}

#[test]
fn chosen_requests_of_one_service_keep_the_weights_of_another() {
    let api = Share { service: "api".to_owned(), canary: "api-canary".to_owned(), ..share(25) };
    let own = route(json!([{ "backendRefs": [backend("web", 1), backend("api", 1)] }]));
    let live = held(&own, &[ab(vec![header("user", "beta")]), api]);
    assert_eq!(weights(&live, 0), [("web", 100), ("api", 75), ("api-canary", 25)]);
    assert_eq!(weights(&live, 1), [("web-canary", 100), ("api", 75), ("api-canary", 25)]);
    assert_eq!(restored(&live), lifted(&own));
}

/// A header is asked once: a second entry of the name would be ignored by the gateway.
#[test]
fn a_condition_that_the_match_contradicts_chooses_nothing() {
    let own = |value: &str| {
        let asked = json!([{ "headers": [{ "name": "User", "value": value }] }]);
        route(json!([{ "matches": asked, "backendRefs": [backend("web", 1)] }]))
    };
    let conditions = vec![header("user", "beta")];
    let other = held(&own("alpha"), &[ab(conditions)]);
    assert_eq!(rules(&other), rules(&own("alpha")));
}

/// A rule for just the chosen requests: a second one of the same matches would never win.
#[test]
fn a_rule_that_asks_for_the_condition_itself_goes_to_the_update_as_a_whole() {
    let asked = json!({ "headers": [{ "name": "User", "value": "beta" }] });
    let own = route(json!([
        { "matches": [asked], "backendRefs": [backend("web", 3), backend("old", 1)] },
        { "backendRefs": [backend("web", 1)] },
    ]));
    let live = held(&own, &[ab(vec![header("user", "beta")])]);
    assert_eq!(weights(&live, 0), [("web", 0), ("old", 1), ("web-canary", 3)]);
    assert_eq!(weights(&live, 2), [("web-canary", 1)]);
    assert_eq!(restored(&live), lifted(&own));
    let mut partly = own;
    partly["spec"]["rules"][0]["matches"].as_array_mut().unwrap().push(path("/"));
    let live = held(&partly, &[ab(vec![header("user", "beta")])]);
    assert_eq!(rules(&live), rules(&partly));
    assert_eq!(projected(&live), Err(super::super::Unfit::Asks(0)));
}

#[test]
fn rules_without_the_service_choose_nothing() {
    let own = route(json!([
        { "backendRefs": [backend("other", 1)] },
        { "filters": [{ "type": "RequestRedirect" }] },
        { "backendRefs": [backend("web", 0)] },
    ]));
    let live = held(&own, &[ab(vec![header("user", "beta")])]);
    assert_eq!(rules(&live), rules(&own));
}
