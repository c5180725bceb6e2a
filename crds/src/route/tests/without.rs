//! Writes of the controller's that no webhook saw, and the next one that one did see.

use super::super::restored as is_restored;
use super::*;

/// As the controller sends it: with what the hold before remembered.
fn sent(live: &Value, shares: &[Share]) -> Value {
    let hold = RouteHold { own: hold_of(live).own, ..RouteHold::new(shares.to_vec()) };
    with_text(live, &hold.to_text())
}

fn pinned(weight: u32) -> Share {
    Share { stable: Some("web-a".to_owned()), canary: "web-b".to_owned(), ..share(weight) }
}

fn three() -> Value {
    route(json!([
        { "matches": [path("/")], "backendRefs": [backend("web", 3), backend("old", 7)] },
        { "matches": [path("/x")], "backendRefs": [backend("web", 1)] },
    ]))
}

#[test]
fn another_weight_that_no_webhook_saw_is_made_good_by_the_next_write() {
    for own in [plain(), three()] {
        let unseen = sent(&held(&own, &[pinned(20)]), &[pinned(50)]);
        assert_eq!(projected(&unseen), Ok(false));
        // Forgotten, what is split could not be told from what is the user's.
        assert!(projected(&with_hold(&unseen, &[pinned(50)])).is_err());
        let (seen, _) = written(&unseen, &sent(&unseen, &[pinned(50)]), Writer::Controller);
        assert_eq!(projected(&seen), Ok(true));
        assert_eq!(rules(&seen), rules(&held(&own, &[pinned(50)])));
        assert_eq!(restored(&seen), lifted(&own));
    }
}

#[test]
fn a_hold_that_was_lifted_without_a_webhook_is_found_out_and_put_back() {
    for own in [plain(), three()] {
        let live = held(&own, &[pinned(20)]);
        let hold = hold_of(&live);
        let mut unseen = live.clone();
        unseen["metadata"].as_object_mut().unwrap().remove("annotations");
        assert!(!is_restored(&hold, &unseen));
        let (back, _) = written(&unseen, &with_text(&unseen, &hold.to_text()), Writer::Controller);
        assert_eq!(back, live);
        assert!(is_restored(&hold, &restored(&back)));
        assert_eq!(restored(&back), lifted(&own));
    }
}
