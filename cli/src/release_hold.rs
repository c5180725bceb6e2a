//! `release-hold`: breaks the glass. Takes label, annotation and fence off a workload with the
//! user's own rights, for the day on which Sluice is dead and a release has to go out.

use std::process::ExitCode;

use clap::Args;
use crds::{Hold, HoldState, contract};
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::{output, tree};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the Deployment
    deployment: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Frees the Deployment and says what that means.
pub(crate) async fn run(cluster: &Cluster, options: &Options) -> Result<ExitCode, Error> {
    let name = options.deployment.trim_start_matches("deployment/");
    let read = cluster.deployments().get_opt(name).await.map_err(call("read the Deployment"))?;
    let workload = read.ok_or_else(|| Error::NoWorkload {
        name: name.to_owned(),
        namespace: cluster.namespace.clone(),
    })?;
    let patch = freeing(&workload);
    if patch.0.is_empty() {
        output::line(&format!("deployment.apps/{name}: nothing of Sluice is on it"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for sentence in meaning(&workload) {
        output::line(&sentence)?;
    }
    let params = PatchParams {
        field_manager: Some(contract::CLI_MANAGER.to_owned()),
        dry_run: options.dry_run,
        ..PatchParams::default()
    };
    let written = cluster
        .deployments()
        .patch(name, &params, &Patch::<Deployment>::Json(patch))
        .await
        .map_err(call("write the Deployment"))?;
    if tree::hold_of(&written).is_some() || written.labels().contains_key(contract::ARMED_LABEL) {
        let cure = "Sluice is alive and put its hold back: use kubectl sluice abort or promote \
                    --full, or delete the Rollout";
        return Err(Error::Refused(cure.to_owned()));
    }
    let suffix = if options.dry_run { " (dry run)" } else { "" };
    output::line(&format!("deployment.apps/{name}: freed{suffix}"))?;
    Ok(ExitCode::SUCCESS)
}

fn meaning(workload: &Deployment) -> Vec<String> {
    let name = workload.name_any();
    let mut sentences = vec![format!(
        "deployment.apps/{name}: taking Sluice's labels and annotation off; its controller, once \
         it runs again, arms the Deployment again as long as the Rollout exists."
    )];
    if let Some(HoldState::Fenced(fenced)) = tree::hold_of(workload).map(|hold| hold.state) {
        sentences.push(format!(
            "A release is on ({} to {}): the user's own fields come back, and the new version goes \
             out at native speed. To go back instead: kubectl rollout undo deployment/{name}",
            fenced.stable, fenced.revision
        ));
    }
    sentences
}

/// Everything of ours off in one write, which fails if anything of it changed meanwhile.
fn freeing(workload: &Deployment) -> json_patch::Patch {
    let mut operations = Vec::new();
    for label in [contract::ARMED_LABEL, contract::ROLLOUT_LABEL] {
        if workload.labels().contains_key(label) {
            operations.push(remove(&["metadata", "labels", label]));
        }
    }
    if let Some(text) = workload.annotations().get(contract::HOLD_ANNOTATION) {
        let path = ["metadata", "annotations", contract::HOLD_ANNOTATION];
        let value = Value::String(text.clone());
        operations.insert(0, PatchOperation::Test(TestOperation { path: pointer(&path), value }));
        operations.push(remove(&path));
    }
    if let Some(hold) = tree::hold_of(workload) {
        operations.extend(restoring(&hold));
    }
    json_patch::Patch(operations)
}

fn restoring(hold: &Hold) -> Vec<PatchOperation> {
    let Some(fenced) = hold.as_fenced() else { return Vec::new() };
    let original = &fenced.original;
    let strategy =
        json!({ "maxSurge": original.max_surge, "maxUnavailable": original.max_unavailable });
    vec![
        set("paused", json!(original.paused)),
        set("minReadySeconds", json!(original.min_ready_seconds)),
        set("progressDeadlineSeconds", json!(original.progress_deadline_seconds)),
        PatchOperation::Replace(ReplaceOperation {
            path: pointer(&["spec", "strategy", "rollingUpdate"]),
            value: strategy,
        }),
    ]
}

fn set(field: &str, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: pointer(&["spec", field]), value })
}

fn remove(path: &[&str]) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path: pointer(path) })
}

fn pointer(tokens: &[&str]) -> PointerBuf {
    PointerBuf::from_tokens(tokens.iter().copied())
}
