//! From an administrator's object to a client: reads the object and its Secret when somebody wants
//! the client, and keeps it as long as both stay as they are. Sends nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crds::contract::is_object_name;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, Resource};
use runtime::clock;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::credentials::{CredentialError, Credentials};

/// Object and Secret are read again after so long: a new password is used soon, and gates do not
/// read them each time.
const KNOWN: Duration = Duration::from_secs(15);
/// How long the reading may take.
const READ: Duration = Duration::from_secs(10);
/// Characters of a wrong name that an error shows.
const NAME_SHOWN: usize = 60;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No object of this kind and name.
    #[error("there is no {0} {1}: the administrator makes it")]
    Missing(Cow<'static, str>, String),
    /// The apiserver says no.
    #[error("{0} {1} cannot be read")]
    Unread(Cow<'static, str>, String, #[source] kube::Error),
    /// No answer in time.
    #[error("reading {0} {1} takes too long")]
    Slow(Cow<'static, str>, String),
    /// No object can have this name.
    #[error("{1:?} is no name of a {0}: correct it")]
    Name(Cow<'static, str>, String),
    /// No Secret of this name.
    #[error("there is no Secret {0} in {1}: the administrator makes it")]
    NoSecret(String, String),
    /// The Secret cannot be read.
    #[error("Secret {0} of the {1} cannot be read")]
    Secret(String, Cow<'static, str>, #[source] kube::Error),
    /// The Secret is of no use.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// There is nobody to trust, or the like.
    #[error("its client cannot be made")]
    Client(#[source] reqwest::Error),
    /// Nothing can be sent there.
    #[error("its address cannot be used: {0}")]
    Address(String),
}

/// An administrator's object that says where something is sent.
pub trait Configured: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned {
    /// What it says.
    type Spec: Clone + PartialEq + Send;
    /// What is made of that.
    type Client: Send + Sync;

    /// What this one says.
    fn spec(&self) -> &Self::Spec;

    /// Name of its Secret.
    fn secret(spec: &Self::Spec) -> Option<&str>;

    /// Makes the client; `name` is that of the Secret.
    ///
    /// # Errors
    /// [`ConfigError`]
    fn client(
        spec: &Self::Spec,
        name: &str,
        credentials: Credentials,
    ) -> Result<Self::Client, ConfigError>;
}

/// All of a kind that were asked for lately.
pub struct Known<K: Configured> {
    client: Client,
    /// Sluice's own: where Secrets are.
    namespace: String,
    known: Mutex<HashMap<String, Entry<K>>>,
}

struct Entry<K: Configured> {
    spec: K::Spec,
    /// resourceVersion of the Secret.
    secret: Option<String>,
    made: Arc<K::Client>,
    until: Instant,
}

impl<K: Configured> Known<K> {
    /// Read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), known: Mutex::default() }
    }

    /// The client of the one with this name.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub async fn find(&self, name: &str) -> Result<Arc<K::Client>, ConfigError> {
        if !is_object_name(name) {
            let name = name.chars().take(NAME_SHOWN).collect();
            return Err(ConfigError::Name(K::kind(&()), name));
        }
        let found = timeout(READ, self.read(name)).await;
        found.unwrap_or_else(|_| Err(ConfigError::Slow(K::kind(&()), name.to_owned())))
    }

    async fn read(&self, name: &str) -> Result<Arc<K::Client>, ConfigError> {
        // Held while it is read: whoever asks at the same time wants to know the same.
        let mut known = self.known.lock().await;
        let now = clock::instant();
        if let Some(entry) = known.get(name).filter(|entry| now < entry.until) {
            return Ok(Arc::clone(&entry.made));
        }
        let old = known.remove(name);
        let read = self.get(name).await?;
        let spec = read.spec().clone();
        let secret = self.secret(K::secret(&spec)).await?;
        let version = secret.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
        let old = old.filter(|old| old.spec == spec && old.secret == version);
        let made = match old {
            Some(old) => old.made,
            None => {
                let credentials = secret.as_ref().map(Credentials::of).transpose()?;
                let name = K::secret(&spec).unwrap_or_default();
                Arc::new(K::client(&spec, name, credentials.unwrap_or_default())?)
            }
        };
        let entry = Entry { spec, secret: version, made: Arc::clone(&made), until: now + KNOWN };
        known.insert(name.to_owned(), entry);
        Ok(made)
    }

    async fn get(&self, name: &str) -> Result<K, ConfigError> {
        // All of these kinds are the cluster's.
        let api: Api<K> = Api::all(self.client.clone());
        api.get(name).await.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 404 => {
                ConfigError::Missing(K::kind(&()), name.to_owned())
            }
            error => ConfigError::Unread(K::kind(&()), name.to_owned(), error),
        })
    }

    async fn secret(&self, name: Option<&str>) -> Result<Option<Secret>, ConfigError> {
        let Some(name) = name else { return Ok(None) };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.get(name).await.map(Some).map_err(|error| match error {
            kube::Error::Api(status) if status.code == 404 => {
                ConfigError::NoSecret(name.to_owned(), self.namespace.clone())
            }
            error => ConfigError::Secret(name.to_owned(), K::kind(&()), error),
        })
    }
}
