//! Resident memory of the real pods' processes, from /proc: what the kernel counts for the process
//! (VmRSS), its program's pages included. The pods' processes are found by the pod's uid in their
//! cgroup, which the kubelet puts there.

use std::fs;
use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use super::unmeasured;
use crate::failure::{Failure, Outcome};
use crate::view::is_live;

/// MiB of the largest of Sluice's processes with this name, which is the component's too.
///
/// # Errors
/// There is a pod without such a process, or none at all.
pub async fn resident_mib(client: &Client, component: &str) -> Outcome<f64> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), crds::contract::NAMESPACE);
    let labels = format!("app.kubernetes.io/component={component}");
    let pods = pods.list(&ListParams::default().labels(&labels)).await;
    let pods = pods.map_err(Failure::doing("listing Sluice's own pods"))?;
    let mut largest: Option<f64> = None;
    for pod in pods.items.iter().filter(|pod| is_live(pod)) {
        let uid = pod.uid().unwrap_or_default();
        let mib = process(component, &uid).map(|status| resident(&status));
        let mib = mib.flatten().ok_or_else(|| {
            unmeasured(format!("no process {component} of pod {} in /proc", pod.name_any()))
        })?;
        largest = Some(largest.map_or(mib, |known| known.max(mib)));
    }
    largest.ok_or_else(|| unmeasured(format!("memory: there is no pod of the {component}")))
}

/// /proc/PID/status of the process of this name in the pod.
fn process(name: &str, uid: &str) -> Option<String> {
    let read = |path: &Path, file: &str| fs::read_to_string(path.join(file)).ok();
    let mut all = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    all.find_map(|path| {
        let of_pod = read(&path, "cgroup")?.contains(&format!("pod{uid}"));
        let named = read(&path, "comm")?.trim() == name;
        (of_pod && named).then(|| read(&path, "status"))?
    })
}

/// MiB of VmRSS in a /proc/PID/status.
#[must_use]
pub fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
