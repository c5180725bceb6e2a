//! `release-hold`: breaks the glass. Takes label, annotation and fence off a workload with the
//! user's own rights, for the day on which Sluice is dead and a release has to go out.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use crds::project::DEFAULT_PROGRESS_DEADLINE_SECONDS;
use crds::{Hold, HoldState, WorkloadKind, contract};
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, TestOperation};
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::{output, tree};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the Deployment, or KIND/NAME, such as statefulset/db
    workload: String,
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

/// What is freed.
struct Target<'a> {
    kind: WorkloadKind,
    name: &'a str,
}

impl<'a> Target<'a> {
    /// Reads `NAME` and `KIND/NAME`; a kind that nobody knows is part of a name that nobody has.
    fn named(text: &'a str) -> Self {
        let known = text.split_once('/').and_then(|(noun, name)| {
            let kind = WorkloadKind::ALL.into_iter().find(|kind| kind.noun() == noun)?;
            Some(Self { kind, name })
        });
        known.unwrap_or(Self { kind: WorkloadKind::Deployment, name: text })
    }
}

/// As kubectl prints it: `deployment.apps/web`.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.kind.api_version().split_once('/').map_or("", |(group, _)| group);
        write!(f, "{}.{group}/{}", self.kind.noun(), self.name)
    }
}

/// Frees the workload and says what that means.
pub(crate) async fn run(cluster: &Cluster, options: &Options) -> Result<ExitCode, Error> {
    let target = Target::named(&options.workload);
    let read = cluster.of_kind(target.kind).get_opt(target.name).await;
    let workload = read.map_err(call("read the workload"))?.ok_or_else(|| Error::NoWorkload {
        name: options.workload.clone(),
        namespace: cluster.namespace.clone(),
    })?;
    let patch = freeing(&workload);
    if patch.0.is_empty() {
        output::line(&format!("{target}: nothing of Sluice is on it"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for sentence in meaning(&target, &workload) {
        output::line(&sentence)?;
    }
    // A living Sluice answers a dry run as it would the write, and nothing has happened yet.
    let mut outcome = Outcome::of(&workload, &write(cluster, &target, &patch, true).await?);
    if options.dry_run {
        for step in patch.0.iter().filter_map(told) {
            output::line(&format!("  {step}"))?;
        }
    } else if outcome != Outcome::PutBack {
        outcome = Outcome::of(&workload, &write(cluster, &target, &patch, false).await?);
    }
    let end = match outcome {
        Outcome::Freed => "freed".to_owned(),
        Outcome::Unfenced => "the fence is off; Sluice is alive and guards it as before".to_owned(),
        Outcome::PutBack if options.dry_run => format!("not freed: {}", alive(&workload)),
        Outcome::PutBack => return Err(Error::Refused(alive(&workload))),
    };
    let suffix = if options.dry_run { " (dry run)" } else { "" };
    output::line(&format!("{target}: {end}{suffix}"))?;
    Ok(ExitCode::SUCCESS)
}

async fn write(
    cluster: &Cluster,
    target: &Target<'_>,
    patch: &json_patch::Patch,
    dry_run: bool,
) -> Result<DynamicObject, Error> {
    let params = PatchParams {
        field_manager: Some(contract::CLI_MANAGER.to_owned()),
        dry_run,
        ..PatchParams::default()
    };
    let patch = Patch::<DynamicObject>::Json(patch.clone());
    let written = cluster.of_kind(target.kind).patch(target.name, &params, &patch).await;
    written.map_err(call("write the workload"))
}

impl Outcome {
    fn of(before: &DynamicObject, after: &DynamicObject) -> Self {
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

fn is_fenced(workload: &DynamicObject) -> bool {
    // A partition that forbids every update, or OnDelete, may be the user's own: no fence without a
    // hold.
    workload.data["spec"]["minReadySeconds"] == contract::FENCE_MIN_READY_SECONDS
}

/// Fenced, and nothing says what its own fields were.
fn is_lost(workload: &DynamicObject) -> bool {
    let hold = tree::hold_of(workload);
    is_fenced(workload) && hold.is_none_or(|hold| hold.as_fenced().is_none())
}

fn meaning(target: &Target<'_>, workload: &DynamicObject) -> Vec<String> {
    let noun = target.kind.as_str();
    let mut sentences = vec![format!(
        "{target}: taking Sluice's labels and annotation off; its controller, once it runs again, \
         arms the {noun} again as long as the Rollout exists."
    )];
    let hold = tree::hold_of(workload).map(|hold| hold.state);
    if let Some((stable, update)) = hold.as_ref().and_then(|hold| hold.stable().zip(hold.update()))
    {
        let back = match target.kind {
            WorkloadKind::CloneSet => "apply the manifest before".to_owned(),
            kind => format!("kubectl rollout undo {}/{}", kind.noun(), target.name),
        };
        sentences.push(format!(
            "A release is on ({stable} to {update}): the user's own fields come back, and the new \
             version goes out at native speed. To go back instead: {back}"
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
fn alive(workload: &DynamicObject) -> String {
    let rollout = workload.labels().get(contract::ROLLOUT_LABEL).map_or("NAME", String::as_str);
    let release = if tree::hold_of(workload).is_some_and(|hold| hold.is_release()) {
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
fn freeing(workload: &DynamicObject) -> json_patch::Patch {
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
        operations.push(set(&["paused"], json!(false)));
        operations.push(set(&["minReadySeconds"], json!(0)));
        operations.push(set(&["progressDeadlineSeconds"], json!(deadline)));
    } else if let Some(hold) = tree::hold_of(workload) {
        operations.extend(restoring(&hold));
    }
    json_patch::Patch(operations)
}

fn restoring(hold: &Hold) -> Vec<PatchOperation> {
    const PARTITION: &str = "partition";
    match &hold.state {
        HoldState::Fenced(held) => {
            let own = &held.original;
            let rolling =
                json!({ "maxSurge": own.max_surge, "maxUnavailable": own.max_unavailable });
            vec![
                set(&["paused"], json!(own.paused)),
                set(&["minReadySeconds"], json!(own.min_ready_seconds)),
                set(&["progressDeadlineSeconds"], json!(own.progress_deadline_seconds)),
                set(&["strategy", "rollingUpdate"], rolling),
            ]
        }
        HoldState::Partitioned(held) => {
            let place = ["updateStrategy", "rollingUpdate", PARTITION];
            vec![set(&place, json!(held.original.partition))]
        }
        HoldState::Portioned(held) => {
            vec![set(&["updateStrategy", PARTITION], json!(held.original.partition))]
        }
        HoldState::Withheld(held) => {
            vec![set(&["updateStrategy", "type"], json!(held.original.by))]
        }
        HoldState::Barred(_) => Vec::new(),
    }
}

fn set(field: &[&str], value: Value) -> PatchOperation {
    let path = pointer(&[&["spec"], field].concat());
    PatchOperation::Add(AddOperation { path, value })
}

fn remove(path: &[&str]) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path: pointer(path) })
}

fn pointer(tokens: &[&str]) -> PointerBuf {
    PointerBuf::from_tokens(tokens.iter().copied())
}

#[cfg(test)]
mod tests;
