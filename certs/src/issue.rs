//! Makes keys and certificates: ECDSA P-256, the CA confined to the webhook's own names. Decides
//! nothing: `next` says what is to be made.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};

use crate::bundle::{
    Broken, Bundle, CA_CERTIFICATE, CA_KEY, Certificate, LEAF_CERTIFICATE, LEAF_KEY, Pair,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Life of a CA.
pub const CA_LIFE: Duration = DAY.saturating_mul(3653);
/// Life of a serving certificate: short, so that the way of renewal is walked often.
pub const LEAF_LIFE: Duration = DAY.saturating_mul(90);
/// Certificates begin so much before they are made: the clocks of apiserver and maker differ.
pub const BACKDATE: Duration = Duration::from_secs(60 * 60);

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The generator refused.
    #[error("make a certificate")]
    Generate(#[source] rcgen::Error),
    /// What was made cannot be read back.
    #[error("read back a certificate")]
    ReadBack(#[source] Broken),
}

impl IssueError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Generate(_) => "generate",
            Self::ReadBack(_) => "read-back",
        }
    }
}

/// A new CA and a new leaf under it. `trusted` is a CA that may still be in use somewhere.
///
/// # Errors
/// The generator refused.
pub fn bundle(
    names: &[String],
    trusted: Option<Certificate>,
    now: Timestamp,
) -> Result<Bundle, IssueError> {
    let ca = ca(names, now)?;
    let leaf = leaf(&ca, names, now)?;
    Ok(Bundle { ca, previous_ca: trusted, leaf })
}

/// A new CA beside the old one, which stays trusted and whose leaf stays in use.
///
/// # Errors
/// The generator refused.
pub fn rotate_ca(old: &Bundle, names: &[String], now: Timestamp) -> Result<Bundle, IssueError> {
    let previous_ca = Some(old.ca.certificate().clone());
    Ok(Bundle { ca: ca(names, now)?, previous_ca, leaf: old.leaf.clone() })
}

/// A new leaf under the present CA. The CA before it goes when `forget_previous`.
///
/// # Errors
/// The generator refused.
pub fn renew_leaf(
    old: &Bundle,
    forget_previous: bool,
    names: &[String],
    now: Timestamp,
) -> Result<Bundle, IssueError> {
    let leaf = leaf(&old.ca, names, now)?;
    let previous_ca = old.previous_ca.clone().filter(|_| !forget_previous);
    Ok(Bundle { ca: old.ca.clone(), previous_ca, leaf })
}

fn ca(names: &[String], now: Timestamp) -> Result<Pair, IssueError> {
    let key = KeyPair::generate().map_err(IssueError::Generate)?;
    let mut params = params("Sluice webhook CA", CA_LIFE, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever gets hold of this key can be the webhook, and nobody else.
    let permitted_subtrees = names.iter().cloned().map(GeneralSubtree::DnsName).collect();
    let constraints = NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() };
    params.name_constraints = Some(constraints);
    let certificate = params.self_signed(&key).map_err(IssueError::Generate)?;
    pair(&certificate, &key, CA_CERTIFICATE, CA_KEY)
}

fn leaf(ca: &Pair, names: &[String], now: Timestamp) -> Result<Pair, IssueError> {
    let ca_key = KeyPair::from_pem(ca.key().expose()).map_err(IssueError::Generate)?;
    let issuer =
        Issuer::from_ca_cert_der(&ca.certificate().der, ca_key).map_err(IssueError::Generate)?;
    let key = KeyPair::generate().map_err(IssueError::Generate)?;
    let mut params = params("Sluice webhook", LEAF_LIFE, now);
    params.subject_alt_names =
        CertificateParams::new(names).map_err(IssueError::Generate)?.subject_alt_names;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer).map_err(IssueError::Generate)?;
    pair(&certificate, &key, LEAF_CERTIFICATE, LEAF_KEY)
}

fn params(common_name: &str, life: Duration, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // A clock before 1970 makes a certificate that is of no use; the next pass makes another.
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let moment = Duration::from_secs(seconds);
    params.not_before = epoch + moment.saturating_sub(BACKDATE);
    params.not_after = epoch + (moment + life);
    params
}

fn pair(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    part: &'static str,
    key_part: &'static str,
) -> Result<Pair, IssueError> {
    Pair::new(&certificate.pem(), &key.serialize_pem(), part, key_part)
        .map_err(IssueError::ReadBack)
}

#[cfg(test)]
mod tests;
