//! One life on the real cluster: each write, and whether everything settles as the model says.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams, PostParams};
use plan::sim::conformance::{Life, Sizes};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::stage::{Seen, Stage};

/// No write takes longer to settle, with many others at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
/// What has not moved for so long has settled: nothing tells that nothing more will happen. Also
/// longer than a second, in which the stock controller cannot tell which ReplicaSet is the older.
const QUIET: Duration = Duration::from_millis(1500);

/// Plays a life.
///
/// # Errors
/// Where it differs from `course`.
pub async fn play(stage: &Stage, life: Life, course: Vec<Sizes>) -> Result<(), String> {
    let mut seen = stage.watch(&life.name);
    let mut points = course.into_iter();
    let mut generation = create(stage, &life).await?;
    let mut written = json!({ "replicas": life.replicas });
    for (step, expected) in points.by_ref().enumerate() {
        settles(&mut seen, generation, &expected).await.map_err(|found| {
            let name = &life.name;
            format!("{name}, step {step}, {written}: {found}, not {expected:?}; {life:?}")
        })?;
        let Some(patch) = life.patches.get(step) else { break };
        generation = write(stage, &life, patch).await?;
        written = patch.clone();
    }
    Ok(())
}

async fn create(stage: &Stage, life: &Life) -> Result<i64, String> {
    let mut manifest = life.manifest();
    // Nobody schedules them.
    manifest["spec"]["template"]["spec"]["schedulerName"] = json!("nobody");
    manifest["spec"]["template"]["spec"]["automountServiceAccountToken"] = json!(false);
    let deployment: Deployment =
        serde_json::from_value(manifest).map_err(|error| format!("{}: {error}", life.name))?;
    let created = stage.deployments.create(&PostParams::default(), &deployment).await;
    generation(life, created)
}

async fn write(stage: &Stage, life: &Life, spec: &Value) -> Result<i64, String> {
    let patch = Patch::Merge(json!({ "spec": spec }));
    let patched = stage.deployments.patch(&life.name, &PatchParams::default(), &patch).await;
    generation(life, patched)
}

fn generation(life: &Life, stored: kube::Result<Deployment>) -> Result<i64, String> {
    let stored = stored.map_err(|error| format!("{}: {error}", life.name))?;
    Ok(stored.metadata.generation.unwrap_or(0))
}

/// Waits until everything is as `expected` and stays so.
///
/// # Errors
/// What there is instead.
async fn settles(
    seen: &mut watch::Receiver<Seen>,
    generation: i64,
    expected: &Sizes,
) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = seen.borrow_and_update().settled(generation);
        if found.as_ref() == Some(expected) {
            match timeout(QUIET, seen.changed()).await {
                Err(_) => return Ok(()),
                Ok(_) => continue,
            }
        }
        if timeout_at(deadline, seen.changed()).await.is_err() {
            return Err(found.map_or("nothing settles".to_owned(), |found| format!("{found:?}")));
        }
    }
}
