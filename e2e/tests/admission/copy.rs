//! A copy of a manifest under other names, in a namespace of its own that goes away with it.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use crds::Rollout;
use futures::FutureExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};

/// Instead of `sluice.dev/` in labels and annotations.
pub const PREFIX: &str = "copy.sluice.test/";
/// Must name the ServiceAccount of `manifests/rbac.yaml`.
pub const CONTROLLER: &str = "system:serviceaccount:sluice-system:sluice-controller";

const PARAMS: &str = "sluice-e2e";

/// Somebody who writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    /// Sluice's controller.
    Controller,
    /// May do everything.
    ClusterAdmin,
    /// `admin` of the namespace.
    Admin,
    /// `edit` in the namespace.
    Editor,
}

/// A namespace with the copy of a manifest.
pub struct Copy {
    admin: Client,
    pub namespace: String,
    installed: Vec<(ApiResource, String)>,
}

impl Copy {
    /// Gives `body` a copy of `manifest`, and takes it away whatever happens.
    pub async fn with(
        name: &str,
        manifest: &str,
        change: impl Fn(&mut Value, &str) -> bool,
        body: impl AsyncFnOnce(&Self),
    ) {
        let copy = Self::install(name, manifest, change).await;
        let ended = AssertUnwindSafe(body(&copy)).catch_unwind().await;
        copy.remove().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    }

    /// Installs the documents of `manifest` that `change` keeps, in a new namespace.
    async fn install(
        name: &str,
        manifest: &str,
        change: impl Fn(&mut Value, &str) -> bool,
    ) -> Self {
        let admin = Client::try_from(config().await).expect("a client");
        let namespace = format!("admission-{name}-{}", std::process::id());
        let meta = json!({ "metadata": { "name": namespace } });
        let object: Namespace = serde_json::from_value(meta).unwrap();
        Api::all(admin.clone()).create(&PostParams::default(), &object).await.unwrap();
        let mut copy = Self { admin, namespace, installed: Vec::new() };
        for role in ["admin", "edit"] {
            copy.bind(role).await;
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/");
        let text = std::fs::read_to_string(format!("{path}{manifest}")).unwrap();
        let text = text.replace("sluice.dev/", PREFIX);
        for document in text.split("\n---\n") {
            let mut object: Value = serde_saphyr::from_str(document).unwrap();
            object["metadata"]["name"] = json!(copy.namespace);
            if change(&mut object, &copy.namespace) {
                copy.apply(object).await;
            }
        }
        copy
    }

    async fn apply(&mut self, object: Value) {
        let (group, version) = object["apiVersion"].as_str().unwrap().split_once('/').unwrap();
        let kind = object["kind"].as_str().unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::all_with(self.admin.clone(), &resource);
        let params = PatchParams::apply(PARAMS).force();
        api.patch(&self.namespace, &params, &Patch::Apply(&object)).await.unwrap();
        self.installed.push((resource, self.namespace.clone()));
    }

    async fn bind(&self, role: &str) {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(
            "rbac.authorization.k8s.io",
            "v1",
            "RoleBinding",
        ));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.admin.clone(), &self.namespace, &resource);
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": { "name": role },
            "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": group, "kind": "User", "name": role }],
        });
        api.patch(role, &PatchParams::apply(PARAMS), &Patch::Apply(binding)).await.unwrap();
    }

    /// Deployments of the namespace, as `who`.
    pub async fn deployments(&self, who: Who) -> Api<Deployment> {
        let mut config = config().await;
        let (user, groups) = match who {
            // RBAC is not what is judged here.
            Who::Controller => (CONTROLLER, vec!["system:masters".to_owned()]),
            Who::ClusterAdmin => ("root", vec!["system:masters".to_owned()]),
            Who::Admin => ("admin", vec![]),
            Who::Editor => ("edit", vec![]),
        };
        config.auth_info.impersonate = Some(user.to_owned());
        config.auth_info.impersonate_groups = Some(groups);
        Api::namespaced(Client::try_from(config).unwrap(), &self.namespace)
    }

    /// Makes a Deployment.
    pub async fn create(&self, object: &Value) {
        let api: Api<Deployment> = Api::namespaced(self.admin.clone(), &self.namespace);
        let object = serde_json::from_value(object.clone()).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    }

    /// Rollouts of the namespace.
    pub fn rollouts(&self) -> Api<Rollout> {
        Api::namespaced(self.admin.clone(), &self.namespace)
    }

    /// Labels the namespace.
    pub async fn label_namespace(&self, label: &str) {
        let api: Api<Namespace> = Api::all(self.admin.clone());
        let body = json!({ "metadata": { "labels": { label: "true" } } });
        api.patch(&self.namespace, &PatchParams::default(), &Patch::Merge(body)).await.unwrap();
    }

    /// The Deployment as stored, as a client sends it back.
    pub async fn stored(&self, name: &str) -> Value {
        let api: Api<Deployment> = Api::namespaced(self.admin.clone(), &self.namespace);
        let mut object = serde_json::to_value(api.get(name).await.unwrap()).unwrap();
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
        object
    }

    async fn remove(self) {
        for (resource, name) in &self.installed {
            let api: Api<DynamicObject> = Api::all_with(self.admin.clone(), resource);
            api.delete(name, &DeleteParams::default()).await.unwrap();
        }
        let namespaces: Api<Namespace> = Api::all(self.admin.clone());
        namespaces.delete(&self.namespace, &DeleteParams::background()).await.unwrap();
    }
}

/// The outcome of a dry run: nothing, or what the apiserver says.
pub async fn dry_run(api: &Api<Deployment>, object: &Value, manager: &str) -> Result<(), String> {
    let object: Deployment = serde_json::from_value(object.clone()).unwrap();
    let params = PostParams { dry_run: true, field_manager: Some(manager.to_owned()) };
    let written = api.replace(&object.name_any(), &params, &object).await;
    written.map(|_| ()).map_err(said)
}

/// What the apiserver says.
pub fn said(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        other => panic!("{other}"),
    }
}

/// Waits until `probe` holds: the apiserver takes up a policy within a second or two.
pub async fn until<F: Future<Output = bool>>(what: impl Debug, mut probe: impl FnMut() -> F) {
    let waiting = async {
        while !probe().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("never: {what:?}"));
}

async fn config() -> Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Config::infer().await.expect("a cluster: eval \"$(make -s cluster)\"")
}
