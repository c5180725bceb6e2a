//! Nodes without a kubelet for one test alone: it makes them, and takes them away again. kwok,
//! which has to run, says that they are ready and that their pods run (`e2e/cluster/kwok.sh 1`).

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use serde_json::{Value, json};

use super::{Scenario, play};
use crate::app::{App, KWOK_TAINT, NODES_LABEL};
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::observer::Told;
use crate::plan::Plan;

/// Plays a test of a DaemonSet side by side with others: its nodes are ready, `app` runs on each,
/// `plan` is armed, then `body`.
///
/// # Errors
/// What `body` says, or a broken invariant.
pub async fn play_on_nodes(
    app: App,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    let name = app.nodes.clone().unwrap_or_default();
    let nodes = Nodes { kubectl: Kubectl::new("default"), name: name.clone() };
    // What a run that was killed has left would be counted.
    nodes.remove().await?;
    let played = async {
        nodes.become_so_many(app.replicas).await?;
        play(&name, app, plan, body).await
    };
    let played = AssertUnwindSafe(played).catch_unwind().await;
    let removed = nodes.remove().await;
    match played {
        Ok(outcome) => outcome.and(removed),
        Err(panic) => resume_unwind(panic),
    }
}

impl Scenario {
    /// Adds nodes until the DaemonSet has so many: each gets a pod of the newest template.
    ///
    /// # Errors
    /// They do not come.
    pub async fn has_nodes(&mut self, count: i32) -> Outcome {
        self.app.replicas = count;
        self.tell(&Told::Scale { replicas: count });
        let name = self.app.nodes.clone().unwrap_or_default();
        let nodes = Nodes { kubectl: Kubectl::new("default"), name };
        nodes.become_so_many(count).await?;
        self.until(&format!("{count} nodes to be counted"), |sight| {
            let status = sight.view.daemonsets.get("web")?.status.as_ref()?;
            (status.desired_number_scheduled == count).then_some(())
        })
        .await
    }
}

/// The nodes of one test.
struct Nodes {
    kubectl: Kubectl,
    name: String,
}

impl Nodes {
    fn selector(&self) -> String {
        format!("{NODES_LABEL}={}", self.name)
    }

    async fn become_so_many(&self, count: i32) -> Outcome {
        for index in 0..count {
            self.kubectl.feed(&["apply", "-f", "-"], &self.node(index)).await?;
        }
        let selector = self.selector();
        let args =
            ["wait", "node", "--selector", &selector, "--for=condition=Ready", "--timeout=60s"];
        let waited = self.kubectl.run(&args).await;
        waited.map(drop).map_err(|failure| {
            let cure = "does kwok run? e2e/cluster/kwok.sh 1 starts it";
            Failure::Wrong(format!("the nodes of {}: {failure}; {cure}", self.name))
        })
    }

    async fn remove(&self) -> Outcome {
        let selector = self.selector();
        let args = ["delete", "node", "--selector", &selector, "--ignore-not-found"];
        self.kubectl.run(&args).await.map(drop)
    }

    fn node(&self, index: i32) -> Value {
        let name = format!("e2e-{}-{index}", self.name);
        let room = json!({"cpu": "32", "memory": "256Gi", "pods": "250"});
        let labels = json!({
            "type": "kwok",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            NODES_LABEL: self.name,
        });
        let annotations = json!({"kwok.x-k8s.io/node": "fake"});
        let taint = json!({"key": KWOK_TAINT, "value": "fake", "effect": "NoSchedule"});
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": {"taints": [taint]},
            "status": {"allocatable": room, "capacity": room},
        })
    }
}
