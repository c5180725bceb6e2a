//! Says of every pod that it runs and is ready, as soon as it is there. Nothing else: without a
//! node the apiserver removes a pod at once when it is deleted.

use e2e::clock;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher::Config;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::task::JoinSet;

/// Writes at the same time.
const WRITES: usize = 16;

/// Begins; dropping the answer ends it.
pub fn start(pods: Api<Pod>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let seen = watcher(pods.clone(), Config::default()).default_backoff().applied_objects();
        // A failed watch is begun again by the stream itself.
        let unready = seen.filter_map(async |pod| pod.ok().filter(is_unready));
        unready.for_each_concurrent(WRITES, |pod| ready(&pods, pod)).await;
    });
    tasks
}

fn is_unready(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref()).into_iter().flatten();
    pod.metadata.deletion_timestamp.is_none() && conditions.into_iter().all(|c| c.type_ != "Ready")
}

async fn ready(pods: &Api<Pod>, pod: Pod) {
    let condition =
        json!({ "type": "Ready", "status": "True", "lastTransitionTime": clock::now() });
    let status = json!({ "status": { "phase": "Running", "conditions": [condition] } });
    // One that is gone by now needs it no more.
    let _ =
        pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status)).await;
}
