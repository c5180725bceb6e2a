//! What is to be done about a bundle, at a moment: pure. The order of the checks is the order of
//! the arms.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use crate::bundle::{Bundle, Certificate};
use crate::issue::{self, BACKDATE, IssueError};

/// A CA is replaced when it has less than this left: far more than any leaf's life.
const CA_REMAINING_MIN: SignedDuration = SignedDuration::from_hours(365 * 24);
/// A new CA is used only when everybody has had this long to trust it. Apiservers learn of a new
/// caBundle within seconds; an apiserver that is cut off from its etcd for longer serves nobody.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Keep,
    /// A new leaf under the present CA.
    RenewLeaf(LeafReason),
    /// A new CA beside the present one.
    RotateCa,
    /// Everything new.
    Repair(RepairReason),
}

/// Why a leaf is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafReason {
    /// A third of its life is left.
    Due,
    /// An apiserver would not accept it now.
    Refused,
    /// It is of the previous CA, and the new one is trusted everywhere by now.
    CaRotated,
}

/// Why everything is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairReason {
    /// The Secret's content cannot be read as a bundle.
    Unreadable,
    /// The CA is not valid now.
    CaNotValid,
    /// Even a new leaf of this CA is refused: it is no CA, or one for other names.
    CaOfNoUse,
}

/// Says what is to be done about `bundle` at `now`, for a certificate with these `names`.
#[must_use]
pub fn next(bundle: &Bundle, names: &[String], now: Timestamp) -> Next {
    let (ca, leaf) = (bundle.ca.certificate(), bundle.leaf.certificate());
    let of_current = is_accepted(leaf, [ca], names, now);
    let of_previous = || is_accepted(leaf, &bundle.previous_ca, names, now);
    if !ca.is_valid_at(now) {
        Next::Repair(RepairReason::CaNotValid)
    } else if !of_current && !of_previous() {
        Next::RenewLeaf(LeafReason::Refused)
    } else if ca.not_after.duration_since(now) < CA_REMAINING_MIN {
        Next::RotateCa
    } else if is_settling(bundle, now) {
        Next::Keep
    } else if !of_current {
        Next::RenewLeaf(LeafReason::CaRotated)
    } else if is_due(leaf, now) {
        Next::RenewLeaf(LeafReason::Due)
    } else {
        Next::Keep
    }
}

/// The bundle after that step; `None` where there is none to take.
///
/// # Errors
/// A certificate could not be made.
pub fn step(
    bundle: &Bundle,
    next: Next,
    names: &[String],
    now: Timestamp,
) -> Result<Option<Bundle>, IssueError> {
    let stepped = match next {
        Next::Keep => return Ok(None),
        Next::RotateCa => issue::rotate_ca(bundle, names, now)?,
        Next::Repair(_) => issue::bundle(names, Some(bundle.ca.certificate().clone()), now)?,
        Next::RenewLeaf(reason) => {
            let forget_previous = reason == LeafReason::Due;
            let renewed = issue::renew_leaf(bundle, forget_previous, names, now)?;
            match self::next(&renewed, names, now) {
                Next::RenewLeaf(LeafReason::Refused) => {
                    let repair = Next::Repair(RepairReason::CaOfNoUse);
                    return step(bundle, repair, names, now);
                }
                _ => renewed,
            }
        }
    };
    Ok(Some(stepped))
}

/// Two thirds of its life are over.
fn is_due(leaf: &Certificate, now: Timestamp) -> bool {
    let life = leaf.not_after.duration_since(leaf.not_before);
    now.duration_since(leaf.not_before) >= life / 3 * 2
}

/// The CA is so young beside an older one that somebody may not trust it yet.
fn is_settling(bundle: &Bundle, now: Timestamp) -> bool {
    let begun = bundle.ca.certificate().not_before + BACKDATE;
    bundle.previous_ca.is_some() && now.duration_since(begun) < SETTLING
}

/// An apiserver that trusts `roots` accepts the leaf now, under every name.
fn is_accepted<'a>(
    leaf: &Certificate,
    roots: impl IntoIterator<Item = &'a Certificate>,
    names: &[String],
    now: Timestamp,
) -> bool {
    let mut store = RootCertStore::empty();
    let added = roots.into_iter().try_for_each(|root| store.add(root.der.clone()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider);
    let (Ok(()), Ok(verifier)) = (added, builder.build()) else { return false };
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    names.iter().all(|name| {
        let Ok(name) = ServerName::try_from(name.as_str()) else { return false };
        verifier.verify_server_cert(&leaf.der, &[], &name, &[], now).is_ok()
    })
}

#[cfg(test)]
mod tests;
