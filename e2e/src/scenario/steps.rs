//! What a user does, by the real kubectl. Whatever changes what is allowed is told to the
//! observer first.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use serde_json::Value;

use super::Scenario;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Said;
use crate::observer::{Told, Wishes};

impl Scenario {
    /// Creates Deployment and Rollout, and waits until all pods are ready and it is armed.
    ///
    /// # Errors
    /// It does not come so far.
    pub async fn create(&self) -> Outcome {
        self.apply().await?;
        self.apply_plan().await?;
        self.comes_up().await?;
        self.is_armed().await
    }

    /// `kubectl apply` of the Deployment's manifest.
    ///
    /// # Errors
    /// It fails.
    pub async fn apply(&self) -> Outcome<Said> {
        self.kubectl.feed(&["apply", "-f", "-"], &self.app.manifest()).await
    }

    /// `kubectl apply` of the Rollout's manifest.
    ///
    /// # Errors
    /// It fails.
    pub async fn apply_plan(&self) -> Outcome<Said> {
        self.kubectl.feed(&["apply", "-f", "-"], &self.plan.manifest()).await
    }

    /// Tells the observer that the user's wishes are those of the manifests as they are now.
    ///
    /// # Errors
    /// They are no manifests.
    pub fn wish_anew(&self) -> Outcome {
        let wishes = Wishes::new(&self.app.manifest(), &self.plan.spec()?);
        self.tell(&Told::Wishes(wishes));
        Ok(())
    }

    /// `kubectl apply` of another version.
    ///
    /// # Errors
    /// It fails.
    pub async fn release(&mut self, version: &str) -> Outcome<Said> {
        self.app = self.app.clone().version(version);
        self.tell(&Told::Begin);
        self.apply().await
    }

    /// `kubectl sluice ...` on the Rollout, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be run.
    pub async fn try_sluice(&self, args: &[&str]) -> Outcome<Said> {
        let mut all = vec!["sluice"];
        all.extend(args);
        self.kubectl.try_run(&all, None).await
    }

    /// `kubectl sluice ...`, which has to end well.
    ///
    /// # Errors
    /// It does not.
    pub async fn sluice(&self, args: &[&str]) -> Outcome<Said> {
        self.try_sluice(args).await?.fine()
    }

    /// Promotes the release from the batch that it is in.
    ///
    /// # Errors
    /// It is refused, or there is no release.
    pub async fn promote(&self) -> Outcome<Said> {
        let batch = self.observer.look(|sight| sight.judge.batch());
        let batch = batch.ok_or_else(|| Failure::Wrong("no release to promote".to_owned()))?;
        self.tell(&Told::Promote { batch });
        self.sluice(&["promote", "web"]).await
    }

    /// `kubectl sluice ...` while the controller may be away: a request that nobody has answered
    /// yet stands.
    ///
    /// # Errors
    /// It is refused.
    pub async fn request(&self, args: &[&str]) -> Outcome<Said> {
        let said = self.try_sluice(args).await?;
        if said.mentions("has not answered yet") { Ok(said) } else { said.fine() }
    }

    /// Aborts the release.
    ///
    /// # Errors
    /// It is refused.
    pub async fn abort(&self) -> Outcome<Said> {
        self.tell(&Told::Return);
        self.sluice(&["abort", "web"]).await
    }

    /// `kubectl rollout undo`.
    ///
    /// # Errors
    /// It is refused.
    pub async fn undo(&self) -> Outcome<Said> {
        self.tell(&Told::Return);
        self.kubectl.run(&["rollout", "undo", &self.app.resource()]).await
    }

    /// `kubectl apply` of the version before.
    ///
    /// # Errors
    /// It fails.
    pub async fn reapply_old(&mut self, version: &str) -> Outcome<Said> {
        self.app = self.app.clone().version(version);
        self.tell(&Told::Return);
        self.apply().await
    }

    /// `kubectl scale`.
    ///
    /// # Errors
    /// It fails.
    pub async fn scale(&mut self, replicas: i32) -> Outcome<Said> {
        self.app.replicas = replicas;
        self.tell(&Told::Scale { replicas });
        let flag = format!("--replicas={replicas}");
        self.kubectl.run(&["scale", &self.app.resource(), &flag]).await
    }

    /// Deletes pods, for which nobody else is to be blamed.
    ///
    /// # Errors
    /// It fails.
    pub async fn delete_pods(&self, pods: &[String]) -> Outcome<Said> {
        self.tell(&Told::Excuse { pods: pods.to_vec() });
        let mut args = vec!["delete", "pod", "--wait=false"];
        args.extend(pods.iter().map(String::as_str));
        self.kubectl.run(&args).await
    }

    /// Turns a switch of the test application in one pod, e.g. `ready?value=false`.
    ///
    /// # Errors
    /// The pod does not answer.
    pub async fn switch(&self, pod: &str, switch: &str) -> Outcome<String> {
        let path =
            format!("/api/v1/namespaces/{}/pods/{pod}:8080/proxy/{switch}", self.namespace());
        let request = http::Request::post(path).body(Vec::new());
        let request = request.map_err(|error| Failure::Wrong(error.to_string()))?;
        let answer = self.client().request_text(request).await;
        answer.map_err(Failure::doing(format!("turning {switch} in pod {pod}")))
    }

    /// Names of the live pods.
    #[must_use]
    pub fn pods(&self) -> Vec<String> {
        self.pods_that(|_| true)
    }

    /// Names of the live pods that `wanted` says yes to.
    pub fn pods_that(&self, wanted: impl Fn(&Pod) -> bool) -> Vec<String> {
        self.observer.look(|sight| sight.view.live(wanted))
    }

    /// The Deployment as the apiserver has it.
    ///
    /// # Errors
    /// It is not there.
    pub async fn deployment(&self) -> Outcome<Value> {
        self.kubectl.json(&["get", &self.app.resource()], None).await
    }

    /// Names of those who own a field of the Deployment's spec.
    ///
    /// # Errors
    /// It is not there.
    pub async fn owners(&self) -> Outcome<BTreeSet<String>> {
        let resource = self.app.resource();
        let args = ["get", resource.as_str(), "--show-managed-fields"];
        let live = self.kubectl.json(&args, None).await?;
        let entries = live["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let of_spec = entries.iter().filter(|entry| entry["fieldsV1"]["f:spec"].is_object());
        Ok(of_spec.filter_map(|entry| entry["manager"].as_str()).map(str::to_owned).collect())
    }

    /// The Rollout as the apiserver has it.
    ///
    /// # Errors
    /// It is not there.
    pub async fn rollout(&self) -> Outcome<Value> {
        self.kubectl.json(&["get", "rollout", "web"], None).await
    }

    /// Reads the pods afresh.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn pod(&self, name: &str) -> Outcome<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.client().clone(), self.namespace());
        pods.get(name).await.map_err(Failure::doing(format!("reading pod {name}")))
    }
}
