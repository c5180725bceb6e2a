//! Resident memory and processor time of the real pods' processes, from /proc: what the kernel
//! counts for the process, its program's pages included. The pods' processes are found by the pod's
//! uid in their cgroup, which the kubelet puts there.

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
    let each = each(client, component, "status", resident).await?;
    let none = || unmeasured(format!("memory: there is no pod of the {component}"));
    each.into_iter().reduce(f64::max).ok_or_else(none)
}

/// Seconds of processor time that Sluice's processes with this name have had so far, together.
///
/// # Errors
/// There is a pod without such a process.
pub async fn cpu_seconds(client: &Client, component: &str) -> Outcome<f64> {
    Ok(each(client, component, "stat", processor).await?.into_iter().sum())
}

/// What a file in /proc says of each of a component's processes.
async fn each(
    client: &Client,
    component: &str,
    file: &str,
    read: fn(&str) -> Option<f64>,
) -> Outcome<Vec<f64>> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), crds::contract::NAMESPACE);
    let labels = format!("app.kubernetes.io/component={component}");
    let pods = pods.list(&ListParams::default().labels(&labels)).await;
    let pods = pods.map_err(Failure::doing("listing Sluice's own pods"))?;
    let live = pods.items.iter().filter(|pod| is_live(pod));
    live.map(|pod| {
        let uid = pod.uid().unwrap_or_default();
        let said = process(component, &uid, file).and_then(|text| read(&text));
        let pod = pod.name_any();
        said.ok_or_else(|| unmeasured(format!("no process {component} of pod {pod} in /proc")))
    })
    .collect()
}

/// /proc/PID/`file` of the process of this name in the pod.
fn process(name: &str, uid: &str, file: &str) -> Option<String> {
    let read = |path: &Path, file: &str| fs::read_to_string(path.join(file)).ok();
    let mut all = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    all.find_map(|path| {
        let of_pod = read(&path, "cgroup")?.contains(&format!("pod{uid}"));
        let named = read(&path, "comm")?.trim() == name;
        (of_pod && named).then(|| read(&path, file))?
    })
}

/// MiB of VmRSS in a /proc/PID/status.
#[must_use]
pub fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Seconds of user and system time in a /proc/PID/stat (proc(5), fields 14 and 15), which counts
/// in hundredths on Linux, whatever the kernel's own tick is.
#[must_use]
pub fn processor(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}
