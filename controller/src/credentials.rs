//! What a Secret says of who asks, of whom to trust, and of how a body is signed. Owns the client
//! that follows from it: no redirect, no proxy, no authority that nobody named.

use http::{HeaderMap, HeaderValue, header};
use k8s_openapi::api::core::v1::Secret;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity};
use ring::hmac;

/// Why a Secret is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Nothing of it is known here.
    #[error("Secret {0} has neither {1}")]
    Empty(String, &'static str),
    /// No header or address can hold it, or it is empty.
    #[error("Secret {0} has a {1} that cannot be used")]
    Unusable(String, &'static str),
    /// Nobody can be trusted by it.
    #[error("Secret {0} has a ca.crt that is no certificate")]
    Authority(String, #[source] reqwest::Error),
    /// One of the two proves nothing.
    #[error("Secret {0} has {1} without {2}: give both or neither")]
    Half(String, &'static str, &'static str),
    /// Nobody can prove who asks by it.
    #[error("Secret {0} has a tls.crt and tls.key that are no certificate and its key, as PEM")]
    Identity(String, #[source] reqwest::Error),
}

/// What a Secret says.
#[derive(Debug, Default)]
pub struct Credentials {
    headers: HeaderMap,
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
    /// `signing-key`.
    pub signing_key: Option<hmac::Key>,
    /// `address`.
    pub address: Option<String>,
}

impl Credentials {
    /// Reads a Secret.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn of(secret: &Secret) -> Result<Self, CredentialError> {
        let name = || secret.metadata.name.clone().unwrap_or_default();
        let value = |key| secret.data.as_ref()?.get(key).map(|bytes| bytes.0.trim_ascii());
        let unusable = |what| CredentialError::Unusable(name(), what);
        let mut headers = HeaderMap::new();
        let (token, user, password) = (value("token"), value("username"), value("password"));
        let proof = match (token, user, password) {
            (Some(token), ..) => Some(("token", [b"Bearer ", token].concat())),
            (None, Some(user), Some(password)) => Some(("password", basic(user, password))),
            _ => None,
        };
        if let Some((what, proof)) = proof {
            let mut proof = HeaderValue::from_bytes(&proof).map_err(|_| unusable(what))?;
            proof.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, proof);
        }
        let authorities = value("ca.crt").map_or(Ok(Vec::new()), Certificate::from_pem_bundle);
        let authorities = authorities.map_err(|error| CredentialError::Authority(name(), error))?;
        let identity = identity(name, value("tls.crt"), value("tls.key"))?;
        let signing_key = match value("signing-key") {
            // Anybody could sign with it.
            Some([]) => return Err(unusable("signing-key")),
            key => key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key)),
        };
        let address = value("address").map(|address| String::from_utf8(address.to_vec()));
        let address = address.transpose().map_err(|_| unusable("address"))?;
        Ok(Self { headers, authorities, identity, signing_key, address })
    }

    /// It says who asks, or whom to trust.
    pub fn is_known(&self) -> bool {
        !self.headers.is_empty() || !self.authorities.is_empty() || self.identity.is_some()
    }

    /// A client that asks at `address`.
    ///
    /// # Errors
    /// There is nobody to trust, or the key is not that of the certificate.
    pub fn client(&self, address: &str) -> reqwest::Result<Client> {
        let builder = Client::builder().redirect(Policy::none()).no_proxy();
        let builder = builder.default_headers(self.headers.clone());
        let builder = match self.identity.clone() {
            Some(identity) => builder.identity(identity),
            None => builder,
        };
        // Without TLS nobody has to be trusted, and the image need not know whom.
        let plain = address.starts_with("http://");
        let builder = if plain || !self.authorities.is_empty() {
            builder.tls_certs_only(self.authorities.clone())
        } else {
            builder
        };
        builder.build()
    }
}

/// What a server is shown that wants to know who asks.
fn identity(
    name: impl Fn() -> String,
    certificate: Option<&[u8]>,
    key: Option<&[u8]>,
) -> Result<Option<Identity>, CredentialError> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(CredentialError::Half(name(), "tls.crt", "tls.key")),
        (None, Some(_)) => Err(CredentialError::Half(name(), "tls.key", "tls.crt")),
        (Some(certificate), Some(key)) => {
            let identity = Identity::from_pem(&[certificate, b"\n", key].concat());
            identity.map(Some).map_err(|error| CredentialError::Identity(name(), error))
        }
    }
}

fn basic(user: &[u8], password: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let pair = [user, b":", password].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)).into_bytes()
}
