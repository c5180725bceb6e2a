//! A namespace, a Secret and two webhook configurations of a test's own, which go away with it. The
//! configurations are for a resource that does not exist: no write ever calls them.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use certs::inject::{Registration, inject};
use certs::store::Store;
use certs::{Bundle, Place};
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const NO_CLUSTER: &str = "this test needs a cluster and KUBECONFIG: `make real` runs it";

pub struct Own {
    pub client: Client,
    pub place: Place,
}

impl Own {
    /// Gives `body` an installation of its own, and takes it away whatever happens.
    pub async fn with(name: &str, body: impl AsyncFnOnce(&Self)) {
        let own = Self::install(name).await;
        let ended = AssertUnwindSafe(body(&own)).catch_unwind().await;
        own.remove().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    }

    async fn install(name: &str) -> Self {
        let name = format!("certs-{name}-{}", std::process::id());
        let place = Place {
            namespace: name.clone(),
            secret: "certificate".to_owned(),
            service: "webhook".to_owned(),
            registration: name.clone(),
            manager: "sluice-e2e".to_owned(),
        };
        let own = Self { client: connect().await, place };
        let meta = json!({ "metadata": { "name": name } });
        create(&Api::<Namespace>::all(own.client.clone()), &meta).await;
        let configuration = own.configuration();
        create(&Api::<MutatingWebhookConfiguration>::all(own.client.clone()), &configuration).await;
        create(&Api::<ValidatingWebhookConfiguration>::all(own.client.clone()), &configuration)
            .await;
        own
    }

    /// Of either kind.
    fn configuration(&self) -> Value {
        let Place { namespace, service, registration, .. } = &self.place;
        json!({
            "metadata": { "name": registration },
            "webhooks": [{
                "name": "nothings.sluice.test",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "clientConfig": { "service": { "namespace": namespace, "name": service } },
                "rules": [{ "apiGroups": ["sluice.test"], "apiVersions": ["v1"],
                    "operations": ["CREATE"], "resources": ["nothings"] }],
            }],
        })
    }

    async fn remove(self) {
        let (name, gone) = (&self.place.registration, DeleteParams::background());
        let mutating: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        mutating.delete(name, &gone).await.unwrap();
        let validating: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        validating.delete(name, &gone).await.unwrap();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(&self.place.namespace, &gone).await.unwrap();
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.place.namespace)
    }

    /// What the Secret holds.
    pub async fn stored(&self) -> Option<Bundle> {
        let stored = Store::new(self.client.clone(), &self.place).read().await.unwrap()?;
        Some(stored.bundle.expect("a Secret that can be read"))
    }

    /// Puts this into the Secret, whatever is there and whoever writes besides.
    pub async fn store(&self, bundle: &Bundle) {
        let store = Store::new(self.client.clone(), &self.place);
        until("the Secret is written", async || match store.read().await.unwrap() {
            Some(old) => store.replace(&old, bundle).await.ok(),
            None => store.create(bundle).await.ok(),
        })
        .await;
    }

    /// What happens to the Secret from now on, in one word each; never ends.
    pub async fn history(&self, seen: &mut Vec<&'static str>) {
        let selected = WatchParams::default().fields("metadata.name=certificate");
        let mut events = self.secrets().watch(&selected, "0").await.unwrap().boxed();
        loop {
            match events.next().await {
                Some(Ok(WatchEvent::Added(_))) => seen.push("made"),
                Some(Ok(WatchEvent::Modified(_))) => seen.push("written"),
                Some(Ok(WatchEvent::Deleted(_))) => seen.push("gone"),
                Some(Ok(WatchEvent::Bookmark(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes the Secret away.
    pub async fn remove_secret(&self) {
        self.secrets().delete(&self.place.secret, &DeleteParams::default()).await.unwrap();
    }

    /// What the two configurations trust.
    pub async fn trusted(&self) -> [String; 2] {
        [
            self.trusted_by::<MutatingWebhookConfiguration>().await,
            self.trusted_by::<ValidatingWebhookConfiguration>().await,
        ]
    }

    async fn trusted_by<K: Registration>(&self) -> String {
        let api: Api<K> = Api::all(self.client.clone());
        let read = api.get(&self.place.registration).await.unwrap();
        let bundle = read.entries()[0].ca_bundle.clone();
        String::from_utf8(bundle.map_or_else(Vec::new, |bytes| bytes.0)).unwrap()
    }

    /// Makes both trust it.
    pub async fn trust(&self, bundle: &Bundle) {
        let (client, place, pem) = (&self.client, &self.place, bundle.trusted());
        inject::<MutatingWebhookConfiguration>(client, place, &pem).await.unwrap();
        inject::<ValidatingWebhookConfiguration>(client, place, &pem).await.unwrap();
    }
}

async fn create<K>(api: &Api<K>, object: &Value)
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let object = serde_json::from_value(object.clone()).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

/// By KUBECONFIG alone: no test runs on a cluster that somebody happened to have configured.
async fn connect() -> Client {
    let kubeconfig = Kubeconfig::from_env().expect(NO_CLUSTER).expect(NO_CLUSTER);
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.expect(NO_CLUSTER);
    Client::try_from(config).unwrap()
}

/// Waits until `probe` gives something.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"))
}
