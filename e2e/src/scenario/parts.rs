//! The parts of Sluice that all tests share, and how a test breaks and mends them. Only a test
//! that plays alone may.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::time::Duration;

use crds::contract::{LEASE, NAMESPACE};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use tokio::time::{Instant, sleep, timeout};

use super::PATIENCE;
use crate::cluster;
use crate::failure::{Failure, Outcome, ensure};
use crate::kubectl::Kubectl;

const CONTROLLER: &str = "app.kubernetes.io/component=controller";
const WEBHOOK: &str = "app.kubernetes.io/component=webhook";

/// Sluice's own pods.
pub struct Parts {
    client: Client,
    kubectl: Kubectl,
}

impl Parts {
    /// Finds them.
    ///
    /// # Errors
    /// There is no cluster.
    pub async fn connect() -> Outcome<Self> {
        Ok(Self { client: cluster::connect().await?, kubectl: Kubectl::new(NAMESPACE) })
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// The pod of the controller that leads, if one does.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn leader(&self) -> Outcome<Option<Pod>> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), NAMESPACE);
        let lease = leases.get_opt(LEASE).await.map_err(Failure::doing("reading the lease"))?;
        let spec = lease.and_then(|lease| lease.spec);
        let holder = spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
        let pods = self.pods().list(&ListParams::default().labels(CONTROLLER)).await;
        let pods = pods.map_err(Failure::doing("listing the controller's pods"))?;
        let leads = |pod: &Pod| holder.contains(&pod.name_any()) && container(pod).is_some();
        Ok(pods.into_iter().find(leads))
    }

    /// SIGKILLs a controller's process, and has its pod made anew, so that the kubelet's growing
    /// delay between restarts does not count.
    ///
    /// # Errors
    /// Its process is not to be found on this machine.
    pub async fn kill(&self, pod: &Pod) -> Outcome {
        let name = pod.name_any();
        let processes = processes(&container(pod).unwrap_or_default());
        // A test under fire must not pass because nobody was hit.
        ensure(!processes.is_empty(), || format!("pod {name} has no process on this machine"))?;
        for process in processes {
            // The process may have gone by itself.
            let killed = Command::new("kill").args(["-KILL", &process]).status();
            killed.map_err(|source| Failure::Program { program: "kill".to_owned(), source })?;
        }
        let args = ["delete", "pod", &name, "--force", "--grace-period=0", "--wait=false"];
        self.kubectl.try_run(&args, None).await.map(drop)
    }

    /// Waits until every controller is ready.
    ///
    /// # Errors
    /// They do not come back.
    pub async fn controller_is_back(&self) -> Outcome {
        self.is_ready("sluice-controller").await
    }

    /// Takes the webhook away: no pod, no endpoint.
    ///
    /// # Errors
    /// It stays.
    pub async fn take_webhook(&self) -> Outcome {
        self.take("sluice-webhook", WEBHOOK).await
    }

    /// Brings the webhook back.
    ///
    /// # Errors
    /// It does not come.
    pub async fn bring_webhook(&self) -> Outcome {
        self.bring("sluice-webhook").await
    }

    /// Takes the controller away.
    ///
    /// # Errors
    /// It stays.
    pub async fn take_controller(&self) -> Outcome {
        self.take("sluice-controller", CONTROLLER).await
    }

    /// Brings the controller back.
    ///
    /// # Errors
    /// It does not come.
    pub async fn bring_controller(&self) -> Outcome {
        self.bring("sluice-controller").await
    }

    async fn take(&self, deployment: &str, pods: &str) -> Outcome {
        self.kubectl.run(&["scale", "deployment", deployment, "--replicas=0"]).await?;
        let parameters = ListParams::default().labels(pods);
        let begun = Instant::now();
        // Its pods are few and their end is seconds away: asking again is simpler than a watch.
        while begun.elapsed() < PATIENCE {
            let left = self.pods().list(&parameters).await;
            if left.map_err(Failure::doing("listing Sluice's pods"))?.items.is_empty() {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(Failure::Wrong(format!("the pods of {deployment} do not go")))
    }

    async fn bring(&self, deployment: &str) -> Outcome {
        self.kubectl.run(&["scale", "deployment", deployment, "--replicas=2"]).await?;
        self.is_ready(deployment).await
    }

    async fn is_ready(&self, deployment: &str) -> Outcome {
        let what = format!("deployment/{deployment}");
        let args = ["rollout", "status", what.as_str(), "--timeout=90s"];
        let said = timeout(PATIENCE * 2, self.kubectl.run(&args)).await;
        said.map_err(|_| Failure::Wrong(format!("{deployment} does not come back")))?.map(drop)
    }
}

/// A number that chance chooses, or SLUICE_E2E_SEED, so that a run can be repeated.
///
/// # Errors
/// SLUICE_E2E_SEED is no number.
pub fn seed() -> Outcome<u64> {
    match std::env::var("SLUICE_E2E_SEED") {
        Ok(text) => text.parse().map_err(|_| Failure::Wrong(format!("no seed: {text:?}"))),
        Err(_) => Ok(RandomState::new().hash_one("seed")),
    }
}

/// The id of the pod's running container.
fn container(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    status.state.as_ref()?.running.as_ref()?;
    let id = status.container_id.as_ref()?;
    id.split_once("://").map(|(_, id)| id.to_owned())
}

/// The processes of a container, which this machine's own /proc shows.
fn processes(container: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let numbers = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let within = |id: &String| {
        let groups = fs::read_to_string(format!("/proc/{id}/cgroup")).unwrap_or_default();
        !container.is_empty() && groups.contains(container)
    };
    numbers.filter(within).collect()
}
