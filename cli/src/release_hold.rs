//! `release-hold`: breaks the glass. Takes label, annotation and fence off a workload with the
//! user's own rights, for the day on which Sluice is dead and a release has to go out.

use std::process::ExitCode;

use clap::Args;
use crds::project::DEFAULT_PROGRESS_DEADLINE_SECONDS;
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
    /// Say what would be written and what would come of it, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What comes of the write.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing of Sluice is left.
    Freed,
    /// The fence is gone that nobody could lift, and Sluice guards the Deployment as before.
    Unfenced,
    /// Sluice lives, and it is as it was.
    PutBack,
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
    // A living Sluice answers a dry run as it would the write, and nothing has happened yet.
    let mut outcome = Outcome::of(&workload, &write(cluster, name, &patch, true).await?);
    if options.dry_run {
        for step in patch.0.iter().filter_map(told) {
            output::line(&format!("  {step}"))?;
        }
    } else if outcome != Outcome::PutBack {
        outcome = Outcome::of(&workload, &write(cluster, name, &patch, false).await?);
    }
    let end = match outcome {
        Outcome::Freed => "freed".to_owned(),
        Outcome::Unfenced => "the fence is off; Sluice is alive and guards it as before".to_owned(),
        Outcome::PutBack if options.dry_run => format!("not freed: {}", alive(&workload)),
        Outcome::PutBack => return Err(Error::Refused(alive(&workload))),
    };
    let suffix = if options.dry_run { " (dry run)" } else { "" };
    output::line(&format!("deployment.apps/{name}: {end}{suffix}"))?;
    Ok(ExitCode::SUCCESS)
}

async fn write(
    cluster: &Cluster,
    name: &str,
    patch: &json_patch::Patch,
    dry_run: bool,
) -> Result<Deployment, Error> {
    let params = PatchParams {
        field_manager: Some(contract::CLI_MANAGER.to_owned()),
        dry_run,
        ..PatchParams::default()
    };
    let patch = Patch::<Deployment>::Json(patch.clone());
    let written = cluster.deployments().patch(name, &params, &patch).await;
    written.map_err(call("write the Deployment"))
}

impl Outcome {
    fn of(before: &Deployment, after: &Deployment) -> Self {
        let held = tree::hold_of(after).is_some() || is_fenced(after);
        if !held && !after.labels().contains_key(contract::ARMED_LABEL) {
            Self::Freed
        } else if !held && is_lost(before) {
            Self::Unfenced
        } else {
            Self::PutBack
        }
    }
}

fn is_fenced(workload: &Deployment) -> bool {
    let seconds = workload.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
    seconds == Some(contract::FENCE_MIN_READY_SECONDS)
}

/// Fenced, and nothing says what its own fields were.
fn is_lost(workload: &Deployment) -> bool {
    let hold = tree::hold_of(workload);
    is_fenced(workload) && hold.is_none_or(|hold| hold.as_fenced().is_none())
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
    if is_lost(workload) {
        sentences.push(
            "Nothing says what its own fields were: minReadySeconds and progressDeadlineSeconds \
             get their defaults, and paused is taken off. Apply its manifest afterwards."
                .to_owned(),
        );
    }
    sentences
}

/// Why nothing comes of it, and the better ways.
fn alive(workload: &Deployment) -> String {
    let rollout = workload.labels().get(contract::ROLLOUT_LABEL).map_or("NAME", String::as_str);
    let fenced = tree::hold_of(workload).is_some_and(|hold| hold.as_fenced().is_some());
    let release = if fenced {
        format!(
            "to go back: kubectl sluice abort {rollout}; to go on: kubectl sluice promote \
             {rollout} --full; "
        )
    } else {
        String::new()
    };
    format!(
        "Sluice is alive and puts its hold back; {release}to be rid of it: kubectl delete rollout \
         {rollout}; if its webhook is all that lives: kubectl -n {} scale deployment {} \
         --replicas=0",
        contract::NAMESPACE,
        contract::WEBHOOK_SERVICE
    )
}

/// An operation in words; a test writes nothing.
fn told(operation: &PatchOperation) -> Option<String> {
    let path = |path: &PointerBuf| {
        path.tokens().map(|token| token.decoded().into_owned()).collect::<Vec<_>>().join(".")
    };
    match operation {
        PatchOperation::Remove(remove) => Some(format!("remove {}", path(&remove.path))),
        PatchOperation::Add(add) => Some(format!("set {} to {}", path(&add.path), add.value)),
        PatchOperation::Replace(replace) => {
            Some(format!("set {} to {}", path(&replace.path), replace.value))
        }
        PatchOperation::Test(_) | PatchOperation::Move(_) | PatchOperation::Copy(_) => None,
    }
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
    if is_lost(workload) {
        let deadline = DEFAULT_PROGRESS_DEADLINE_SECONDS;
        operations.push(set("paused", json!(false)));
        operations.push(set("minReadySeconds", json!(0)));
        operations.push(set("progressDeadlineSeconds", json!(deadline)));
    } else if let Some(hold) = tree::hold_of(workload) {
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

#[cfg(test)]
mod tests;
