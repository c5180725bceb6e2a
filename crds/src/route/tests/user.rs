//! Writes of people and their tools to a route in a release.

use super::*;

/// What `kubectl apply` and GitOps tools send: the manifest's rules, ours gone.
fn reapplied(live: &Value, own: &Value) -> Value {
    let mut sent = live.clone();
    sent["spec"] = own["spec"].clone();
    sent
}

fn both() -> Share {
    Share { conditions: vec![header("user", "beta")], ..share(20) }
}

#[test]
fn the_manifest_applied_again_lands_split_and_silently() {
    let live = held(&plain(), &[both()]);
    let (after, projection) = written(&live, &reapplied(&live, &plain()), Writer::Other);
    assert_eq!(after, live);
    assert_eq!(projection.verdict, Verdict::Overridden);
    assert_eq!(projection.warnings, Vec::<String>::new());
}

/// `kubectl replace` and forced applies take annotation and labels away.
#[test]
fn a_replace_of_everything_lands_split_too() {
    let live = held(&plain(), &[both()]);
    let mut sent = plain();
    sent["metadata"]["labels"] = json!({});
    let (after, projection) = written(&live, &sent, Writer::Other);
    assert_eq!(after, live);
    assert!(projection.warnings[0].contains("Rollout web"), "{:?}", projection.warnings);
}

#[test]
fn a_write_to_something_else_passes_untouched() {
    let live = held(&plain(), &[both()]);
    let mut sent = live.clone();
    sent["metadata"]["labels"]["team"] = json!("shop");
    let (after, projection) = written(&live, &sent, Writer::Other);
    assert_eq!(after, sent);
    assert_eq!((projection.patch.0.len(), projection.verdict), (0, Verdict::Untouched));
    assert_eq!(projection.warnings, Vec::<String>::new());
}

#[test]
fn other_rules_are_the_users_own_from_now_on() {
    let live = held(&plain(), &[both()]);
    let other = route(json!([
        { "matches": [path("/new")], "backendRefs": [backend("other", 1)] },
        { "matches": [path("/")], "backendRefs": [backend("web", 3), backend("old", 1)] },
    ]));
    let (after, projection) = written(&live, &reapplied(&live, &other), Writer::Other);
    assert_eq!(weights(&after, 1), [("web", 240), ("old", 100), ("web-canary", 60)]);
    assert_eq!(rules(&after).as_array().unwrap().len(), 3);
    assert!(projection.warnings[0].contains("until it is done"), "{:?}", projection.warnings);
    assert_eq!(restored(&after), lifted(&other));
}

/// `kubectl edit` of the live route, whose rules are split.
#[test]
fn an_edit_of_the_live_route_is_taken_but_for_the_weights() {
    let live = held(&plain(), &[both()]);
    let mut sent = live.clone();
    sent["spec"]["rules"][0]["timeouts"] = json!({ "request": "5s" });
    sent["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(50);
    let (after, projection) = written(&live, &sent, Writer::Other);
    assert_eq!(weights(&after, 0), [("web", 80), ("web-canary", 20)]);
    assert_eq!(rules(&after)[1]["timeouts"]["request"], "5s", "and so has the chosen rule");
    assert!(projection.warnings[0].contains("weights"), "{:?}", projection.warnings);
    let mut expected = plain();
    expected["spec"]["rules"][0]["timeouts"] = json!({ "request": "5s" });
    assert_eq!(restored(&after), lifted(&expected));
}

#[test]
fn a_rule_put_in_front_of_a_live_route_moves_nothing() {
    let own = route(json!([
        { "matches": [path("/a")], "backendRefs": [backend("web", 1), backend("old", 2)] },
        { "matches": [path("/b")], "backendRefs": [backend("web", 3), backend("old", 4)] },
    ]));
    let live = held(&own, &[both()]);
    let mut sent = live.clone();
    let first = json!({ "matches": [path("/c")], "backendRefs": [backend("web", 7)] });
    let list = sent["spec"]["rules"].as_array_mut().unwrap();
    list.insert(0, first.clone());
    let (after, _) = written(&live, &sent, Writer::Other);
    let mut expected = own;
    expected["spec"]["rules"].as_array_mut().unwrap().insert(0, first);
    assert_eq!(restored(&after), lifted(&expected));
}

#[test]
fn a_backend_added_to_a_live_rule_keeps_the_proportions() {
    let live = held(&plain(), &[share(20)]);
    let mut sent = live.clone();
    let refs = sent["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap();
    refs.push(backend("old", 100));
    let (after, _) = written(&live, &sent, Writer::Other);
    assert_eq!(weights(&after, 0), [("web", 80), ("old", 100), ("web-canary", 20)]);
    assert_eq!(weights(&restored(&after), 0), [("web", 100), ("old", 100)]);
}

#[test]
fn a_rule_of_ours_comes_back_when_it_is_taken_away_or_edited() {
    let live = held(&plain(), &[both()]);
    let mut gone = live.clone();
    gone["spec"]["rules"].as_array_mut().unwrap().pop();
    assert_eq!(written(&live, &gone, Writer::Other).0, live);
    let mut edited = live.clone();
    edited["spec"]["rules"][1]["filters"] = json!([{ "type": "URLRewrite" }]);
    let (after, projection) = written(&live, &edited, Writer::Other);
    assert_eq!(after, live);
    assert!(projection.warnings[0].contains("weights and rules"), "{:?}", projection.warnings);
}

/// An export of another moment, weights and all.
#[test]
fn an_old_export_is_told_by_its_own_annotation() {
    let early = held(&plain(), &[share(5)]);
    let live = held(&early, &[share(60)]);
    let (after, _) = written(&live, &early, Writer::Other);
    assert_eq!(after, live);
    let rest = restored(&live);
    let (after, _) = written(&rest, &early, Writer::Other);
    assert_eq!(RouteHold::of(&after), RouteReading::None, "nobody but the controller holds");
    assert_eq!(rules(&after), rules(&rest));
}

#[test]
fn nobody_else_arms_or_holds_a_route() {
    let mut unarmed = plain();
    unarmed["metadata"]["labels"] = json!({});
    let (after, projection) = written(&unarmed, &plain(), Writer::Other);
    assert_eq!(after["metadata"]["labels"], json!({}));
    assert_eq!(projection.verdict, Verdict::Kept);
    let (after, _) = written(&plain(), &with_hold(&plain(), &[share(50)]), Writer::Other);
    assert_eq!(RouteHold::of(&after), RouteReading::None);
    assert_eq!(rules(&after), rules(&plain()));
}

#[test]
fn rules_of_a_newer_hold_stay_as_they_are() {
    let live = with_text(&plain(), r#"{"schema":99}"#);
    let other = route(json!([{ "backendRefs": [backend("other", 1)] }]));
    let (after, projection) = written(&live, &reapplied(&live, &other), Writer::Other);
    assert_eq!(after, live);
    assert!(projection.warnings[0].contains("newer"), "{:?}", projection.warnings);
    let (after, _) = written(&live, &with_hold(&live, &[share(5)]), Writer::Controller);
    assert_eq!(after, live);
}

/// The controller's write went in while no webhook answered: the next one sets it right.
#[test]
fn a_hold_that_no_webhook_saw_is_projected_by_the_next_write() {
    let live = held(&plain(), &[share(20)]);
    let mut next = hold_of(&live);
    next.shares = vec![share(60)];
    let unseen = with_text(&live, &next.to_text());
    assert_eq!(projected(&unseen), Ok(false));
    let (after, _) = written(&unseen, &unseen, Writer::Controller);
    assert_eq!(weights(&after, 0), [("web", 40), ("web-canary", 60)]);
    assert_eq!(restored(&after), lifted(&plain()));
    let (after, _) = written(&unseen, &reapplied(&unseen, &plain()), Writer::Other);
    assert_eq!(restored(&after), lifted(&plain()));
}
