//! What the certificates say.

use jiff::SignedDuration;
use x509_parser::prelude::*;

use super::*;
use crate::testing::{bundle, day, place};

#[test]
fn the_ca_is_confined_and_lives_ten_years() {
    let bundle = bundle();
    let ca = bundle.ca.certificate();
    assert_eq!(ca.not_before, day(0) - SignedDuration::from_hours(1));
    assert_eq!(ca.not_after, day(3653));
    let (_, parsed) = parse_x509_certificate(&ca.der).unwrap();
    let basic = parsed.basic_constraints().unwrap().unwrap().value;
    assert_eq!((basic.ca, basic.path_len_constraint), (true, Some(0)));
    assert!(parsed.key_usage().unwrap().unwrap().value.key_cert_sign());
    let constraints = parsed.name_constraints().unwrap().unwrap().value;
    let permitted = constraints.permitted_subtrees.as_ref().unwrap();
    let names: Vec<_> = permitted.iter().map(|subtree| subtree.base.clone()).collect();
    let wanted = place().names();
    assert_eq!(names, wanted.iter().map(|name| GeneralName::DNSName(name)).collect::<Vec<_>>());
}

#[test]
fn the_leaf_is_a_p256_server_certificate_of_ninety_days() {
    let bundle = bundle();
    let leaf = bundle.leaf.certificate();
    assert_eq!(leaf.not_after, day(90));
    let (_, parsed) = parse_x509_certificate(&leaf.der).unwrap();
    assert!(!parsed.is_ca());
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
    let wanted = place().names();
    assert_eq!(*names, wanted.iter().map(|name| GeneralName::DNSName(name)).collect::<Vec<_>>());
    let key = parsed.public_key().parsed().unwrap();
    assert_eq!(key.key_size(), 256);
    assert!(bundle.leaf.certified().keys_match().is_ok());
}

#[test]
fn every_key_is_a_new_one() {
    let first = bundle();
    let renewed = renew_leaf(&first, true, &place().names(), day(60)).unwrap();
    let keys = [first.ca.key(), first.leaf.key(), renewed.leaf.key(), bundle().leaf.key()]
        .map(|key| key.expose().to_owned());
    assert_eq!(std::collections::BTreeSet::from(keys).len(), 4);
    assert_eq!(renewed.ca.key(), first.ca.key());
}
