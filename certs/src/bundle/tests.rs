//! What counts as a bundle, and what must never be shown.

use super::*;
use crate::testing::{bundle, day, place};

#[test]
fn survives_the_secret() {
    let mut written = bundle();
    written.previous_ca = Some(bundle().ca.certificate().clone());
    let read = Bundle::read(&written.data()).unwrap();
    assert_eq!(read.data(), written.data());
    assert_eq!(read.trusted().matches("BEGIN CERTIFICATE").count(), 2);
    assert!(read.trusted().starts_with(&read.ca.certificate().pem));
}

#[test]
fn says_which_part_is_broken() {
    let good = bundle().data();
    let other = bundle().data();
    let check = |part: &str, value: Option<&[u8]>, expected: &str| {
        let mut data = good.clone();
        match value {
            Some(value) => drop(data.insert(part.to_owned(), ByteString(value.to_vec()))),
            None => drop(data.remove(part)),
        }
        assert_eq!(Bundle::read(&data).unwrap_err().to_string(), expected);
    };
    for part in [CA_CERTIFICATE, CA_KEY, LEAF_CERTIFICATE, LEAF_KEY] {
        check(part, None, &format!("{part} is missing"));
        check(part, Some(b""), &format!("{part} is missing"));
        check(part, Some(b"nonsense"), &format!("{part} cannot be read"));
        check(part, Some(&[0xff, 0xfe]), &format!("{part} cannot be read"));
    }
    check(PREVIOUS_CA, Some(b"nonsense"), "ca-previous.crt cannot be read");
    check(LEAF_KEY, Some(&other[LEAF_KEY].0), "the key does not fit tls.crt");
    check(CA_KEY, Some(&other[CA_KEY].0), "the key does not fit ca.crt");
}

#[test]
fn a_webhook_reads_the_leaf_without_the_ca() {
    let mut data = bundle().data();
    data.retain(|part, _| part.starts_with("tls."));
    assert!(Pair::read_leaf(&data).unwrap().certificate().is_valid_at(day(1)));
}

#[test]
fn no_key_gets_into_a_log() {
    let bundle = bundle();
    let shown = format!("{bundle:?}");
    for pair in [&bundle.ca, &bundle.leaf] {
        let key = pair.key().expose().lines().nth(1).unwrap();
        assert!(!shown.contains(key), "{shown}");
    }
    assert_eq!(place().names()[0], "sluice-webhook.sluice-system.svc");
}
