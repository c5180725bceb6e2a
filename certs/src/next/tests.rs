//! The life of a bundle on a clock of our own.

use super::*;
use crate::issue;
use crate::testing::{bundle, day, place};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn at(bundle: &Bundle, now: Timestamp) -> Next {
    next(bundle, &place().names(), now)
}

fn stepped(bundle: &Bundle, now: Timestamp) -> Bundle {
    step(bundle, at(bundle, now), &place().names(), now).unwrap().unwrap()
}

#[test]
fn a_new_bundle_is_kept_until_two_thirds_of_the_leaf_are_over() {
    let bundle = bundle();
    for days in [0, 1, 30, 59] {
        assert_eq!(at(&bundle, day(days)), Next::Keep, "day {days}");
        assert!(step(&bundle, Next::Keep, &place().names(), day(days)).unwrap().is_none());
    }
    for days in [60, 75, 89] {
        assert_eq!(at(&bundle, day(days)), Next::RenewLeaf(LeafReason::Due), "day {days}");
    }
}

#[test]
fn clocks_may_differ_by_an_hour_and_no_more() {
    let bundle = bundle();
    assert_eq!(at(&bundle, day(0) - MINUTE * 59), Next::Keep);
    let early = at(&bundle, day(0) - MINUTE * 61);
    assert_eq!(early, Next::Repair(RepairReason::CaNotValid));
}

#[test]
fn a_renewed_leaf_is_of_the_same_ca() {
    let old = bundle();
    let renewed = stepped(&old, day(60));
    assert_eq!(renewed.ca.certificate(), old.ca.certificate());
    assert_eq!(renewed.trusted(), old.trusted());
    assert_eq!(at(&renewed, day(60)), Next::Keep);
    assert_eq!(at(&renewed, day(119)), Next::Keep);
    assert_eq!(at(&renewed, day(120)), Next::RenewLeaf(LeafReason::Due));
}

#[test]
fn an_expired_or_foreign_leaf_is_renewed_at_once() {
    let refused = Next::RenewLeaf(LeafReason::Refused);
    assert_eq!(at(&bundle(), day(91)), refused);
    let mut foreign = bundle();
    foreign.leaf = bundle().leaf;
    assert_eq!(at(&foreign, day(1)), refused);
    assert_eq!(at(&stepped(&foreign, day(1)), day(1)), Next::Keep);
}

#[test]
fn other_names_need_another_ca() {
    let names = vec!["webhook.elsewhere.svc".to_owned()];
    let old = bundle();
    let seen = next(&old, &names, day(1));
    assert_eq!(seen, Next::RenewLeaf(LeafReason::Refused));
    let new = step(&old, seen, &names, day(1)).unwrap().unwrap();
    assert_eq!(next(&new, &names, day(1)), Next::Keep);
    assert_ne!(new.ca.certificate(), old.ca.certificate());
    assert_eq!(new.previous_ca.as_ref(), Some(old.ca.certificate()));
}

#[test]
fn an_expired_ca_is_replaced_with_everything_under_it() {
    let old = bundle();
    assert_eq!(at(&old, day(3654)), Next::Repair(RepairReason::CaNotValid));
    let new = stepped(&old, day(3654));
    assert_ne!(at(&new, day(3654)), Next::Repair(RepairReason::CaNotValid));
    assert!(is_accepted(
        new.leaf.certificate(),
        [new.ca.certificate()],
        &place().names(),
        day(3654)
    ));
}

/// The whole rotation: at every moment the certificate that is served is trusted by an apiserver
/// that has seen the last caBundle, and by one that has not yet.
#[test]
fn the_ca_rotates_without_a_moment_of_mistrust() {
    let names = place().names();
    let old = bundle();
    // A leaf that is not due, under a CA that is.
    let old = issue::renew_leaf(&old, true, &names, day(3280)).unwrap();
    let now = day(3300);
    assert_eq!(at(&old, now), Next::RotateCa);
    let both = stepped(&old, now);
    assert_eq!(both.leaf.certificate(), old.leaf.certificate());
    assert_eq!(both.trusted().matches("BEGIN").count(), 2);
    // The old leaf stays while somebody may not know the new CA, even one that is due.
    assert_eq!(at(&both, now + MINUTE * 9), Next::Keep);
    let settled = now + MINUTE * 10;
    assert_eq!(at(&both, settled), Next::RenewLeaf(LeafReason::CaRotated));
    let renewed = stepped(&both, settled);
    assert_eq!(renewed.trusted(), both.trusted());
    assert!(is_accepted(renewed.leaf.certificate(), [both.ca.certificate()], &names, settled));
    assert_eq!(at(&renewed, day(3359)), Next::Keep);
    // The old CA leaves with the next renewal.
    let last = stepped(&renewed, day(3361));
    assert_eq!(last.previous_ca, None);
    assert_eq!(last.ca.certificate(), both.ca.certificate());
    assert_eq!(at(&last, day(3361)), Next::Keep);
}

#[test]
fn a_due_leaf_waits_for_a_new_ca_to_settle() {
    let names = place().names();
    let old = issue::renew_leaf(&bundle(), true, &names, day(3280)).unwrap();
    let both = issue::rotate_ca(&old, &names, day(3345)).unwrap();
    assert_eq!(at(&both, day(3345) + MINUTE), Next::Keep);
    let after = at(&both, day(3345) + MINUTE * 10);
    assert_eq!(after, Next::RenewLeaf(LeafReason::CaRotated));
}
