//! The Secret: read, made, replaced, each with a precondition, so that of two makers one wins and
//! the other reads what the first has made. Decides nothing.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, ResourceExt};

use crate::Place;
use crate::bundle::{Broken, Bundle};

/// The Secret of an installation.
#[derive(Clone, Debug)]
pub struct Store {
    api: Api<Secret>,
    name: String,
    params: PostParams,
}

/// The Secret as read: what a replacement is compared with.
#[derive(Debug)]
pub struct Stored {
    secret: Secret,
    /// Its content.
    pub bundle: Result<Bundle, Broken>,
}

/// Why the Secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote it first: read again.
    #[error("the Secret {0} was written by somebody else")]
    Lost(String),
    /// The apiserver refused, or did not answer.
    #[error("{verb} the Secret {name}")]
    Api {
        /// What was tried.
        verb: &'static str,
        /// Name of the Secret.
        name: String,
        /// The answer.
        #[source]
        source: kube::Error,
    },
}

impl StoreError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lost(_) => "lost",
            Self::Api { .. } => "api",
        }
    }
}

impl Store {
    /// The Secret of that place.
    #[must_use]
    pub fn new(client: Client, place: &Place) -> Self {
        let params =
            PostParams { field_manager: Some(place.manager.clone()), ..PostParams::default() };
        let api = Api::namespaced(client, &place.namespace);
        Self { api, name: place.secret.clone(), params }
    }

    /// The Secret as it is now; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Api`].
    pub async fn read(&self) -> Result<Option<Stored>, StoreError> {
        let read = self.api.get_opt(&self.name).await;
        Ok(read.map_err(|error| self.failed("read", error))?.map(Stored::new))
    }

    /// Makes the Secret.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if there is one by now.
    pub async fn create(&self, bundle: &Bundle) -> Result<Stored, StoreError> {
        let secret = Secret {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            type_: Some("kubernetes.io/tls".to_owned()),
            data: Some(bundle.data()),
            ..Secret::default()
        };
        let created = self.api.create(&self.params, &secret).await;
        created.map(Stored::new).map_err(|error| self.failed("create", error))
    }

    /// Replaces the content of the Secret that was read.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it is no longer that one.
    pub async fn replace(&self, old: &Stored, bundle: &Bundle) -> Result<Stored, StoreError> {
        // The resourceVersion that was read goes with it: the precondition.
        let secret = Secret { data: Some(bundle.data()), ..old.secret.clone() };
        let replaced = self.api.replace(&self.name, &self.params, &secret).await;
        replaced.map(Stored::new).map_err(|error| self.failed("replace", error))
    }

    /// Completes when the Secret may have changed since it was read.
    pub(crate) async fn changed(&self, seen: Option<&str>) {
        crate::changed::changed(&self.api, &self.name, seen).await;
    }

    fn failed(&self, verb: &'static str, source: kube::Error) -> StoreError {
        match &source {
            kube::Error::Api(status) if status.code == 409 => StoreError::Lost(self.name.clone()),
            kube::Error::Api(status) if verb == "replace" && status.code == 404 => {
                StoreError::Lost(self.name.clone())
            }
            _ => StoreError::Api { verb, name: self.name.clone(), source },
        }
    }
}

impl Stored {
    fn new(secret: Secret) -> Self {
        let bundle = Bundle::read(secret.data.as_ref().unwrap_or(&Default::default()));
        Self { secret, bundle }
    }

    /// Its resourceVersion.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.secret.resource_version()
    }
}

#[cfg(test)]
mod tests;
