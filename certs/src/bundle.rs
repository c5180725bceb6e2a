//! What the Secret holds: its keys, and its reading into certificates that have been looked at.
//! Makes nothing and decides nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The CA that signs: PEM.
pub const CA_CERTIFICATE: &str = "ca.crt";
/// Its key: PEM, PKCS#8.
pub const CA_KEY: &str = "ca.key";
/// The CA before a rotation, still trusted: PEM.
pub const PREVIOUS_CA: &str = "ca-previous.crt";
/// The serving certificate: PEM.
pub const LEAF_CERTIFICATE: &str = "tls.crt";
/// Its key: PEM, PKCS#8.
pub const LEAF_KEY: &str = "tls.key";

/// All keys and certificates of an installation. Each key has been found to fit its certificate.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The CA that signs.
    pub ca: Pair,
    /// The CA before a rotation, still trusted.
    pub previous_ca: Option<Certificate>,
    /// What the webhook serves with.
    pub leaf: Pair,
}

/// A certificate and the key that fits it.
#[derive(Clone, Debug)]
pub struct Pair {
    certificate: Certificate,
    key: SecretText,
    certified: Arc<CertifiedKey>,
}

/// A certificate that has been parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// As stored.
    pub pem: String,
    /// As TLS wants it.
    pub der: CertificateDer<'static>,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
}

/// A text that must not get into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

/// Why the Secret's content is no [`Bundle`]. `part` is the key of the Secret.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Missing or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Not PEM, not X.509, or not a key.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// The key belongs to another certificate.
    #[error("the key does not fit {part}")]
    Mismatch {
        /// The certificate.
        part: &'static str,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
}

impl Broken {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Unreadable(_) => "unreadable",
            Self::Mismatch { .. } => "mismatch",
        }
    }
}

impl Bundle {
    /// Reads the data of the Secret.
    ///
    /// # Errors
    /// [`Broken`] names the first part that is not as it has to be.
    pub fn read(data: &BTreeMap<String, ByteString>) -> Result<Self, Broken> {
        Ok(Self {
            ca: Pair::read(data, CA_CERTIFICATE, CA_KEY)?,
            previous_ca: match data.contains_key(PREVIOUS_CA) {
                true => Some(Certificate::read(text(data, PREVIOUS_CA)?, PREVIOUS_CA)?),
                false => None,
            },
            leaf: Pair::read(data, LEAF_CERTIFICATE, LEAF_KEY)?,
        })
    }

    /// The data of the Secret.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, ByteString> {
        let previous = self.previous_ca.as_ref().map(|ca| (PREVIOUS_CA, &ca.pem));
        [
            (CA_CERTIFICATE, &self.ca.certificate.pem),
            (CA_KEY, &self.ca.key.0),
            (LEAF_CERTIFICATE, &self.leaf.certificate.pem),
            (LEAF_KEY, &self.leaf.key.0),
        ]
        .into_iter()
        .chain(previous)
        .map(|(key, pem)| (key.to_owned(), ByteString(pem.clone().into_bytes())))
        .collect()
    }

    /// What the apiserver has to trust: the CA, and the one before it while there is one.
    #[must_use]
    pub fn trusted(&self) -> String {
        let previous = self.previous_ca.as_ref().map_or("", |ca| &ca.pem);
        format!("{}{previous}", self.ca.certificate.pem)
    }
}

impl Pair {
    /// Reads the serving certificate alone: all that a webhook needs.
    ///
    /// # Errors
    /// [`Broken`], as for the whole bundle.
    pub fn read_leaf(data: &BTreeMap<String, ByteString>) -> Result<Self, Broken> {
        Self::read(data, LEAF_CERTIFICATE, LEAF_KEY)
    }

    fn read(
        data: &BTreeMap<String, ByteString>,
        part: &'static str,
        key_part: &'static str,
    ) -> Result<Self, Broken> {
        Self::new(text(data, part)?, text(data, key_part)?, part, key_part)
    }

    /// Puts a certificate and its key together, both PEM; the parts are what an error calls them.
    ///
    /// # Errors
    /// [`Broken`]: one cannot be read, or the key does not fit.
    pub(crate) fn new(
        certificate: &str,
        key: &str,
        part: &'static str,
        key_part: &'static str,
    ) -> Result<Self, Broken> {
        let certificate = Certificate::read(certificate, part)?;
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| Broken::Unreadable(key_part))?;
        let provider = rustls::crypto::ring::default_provider();
        let certified = CertifiedKey::from_der(vec![certificate.der.clone()], der, &provider)
            .map_err(|source| Broken::Mismatch { part, source })?;
        let key = SecretText::new(key);
        Ok(Self { certificate, key, certified: Arc::new(certified) })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &SecretText {
        &self.key
    }

    /// Both as rustls serves them.
    #[must_use]
    pub fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }
}

impl Certificate {
    /// Reads one certificate; `part` is what an error calls it.
    ///
    /// # Errors
    /// [`Broken::Unreadable`].
    pub fn read(pem: &str, part: &'static str) -> Result<Self, Broken> {
        let unreadable = || Broken::Unreadable(part);
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| unreadable())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|_| unreadable())?;
        let moment = |time: x509_parser::time::ASN1Time| {
            Timestamp::from_second(time.timestamp()).map_err(|_| unreadable())
        };
        let validity = parsed.validity();
        let (not_before, not_after) = (moment(validity.not_before)?, moment(validity.not_after)?);
        Ok(Self { pem: pem.to_owned(), der, not_before, not_after })
    }

    /// Valid at that moment.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

impl SecretText {
    /// Takes a text that is from now on kept out of logs.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

fn text<'a>(data: &'a BTreeMap<String, ByteString>, part: &'static str) -> Result<&'a str, Broken> {
    let bytes = data.get(part).filter(|bytes| !bytes.0.is_empty()).ok_or(Broken::Missing(part))?;
    std::str::from_utf8(&bytes.0).map_err(|_| Broken::Unreadable(part))
}

#[cfg(test)]
mod tests;
