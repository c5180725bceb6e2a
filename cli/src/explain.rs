//! `explain`: why is nothing happening, and what to do. Reads what a user may read anyway; the
//! words for each reason are in `advice`.

mod advice;

use std::process::ExitCode;

use crds::{Rollout, contract};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::{output, tree};

pub(crate) async fn run(cluster: &Cluster, name: &str) -> Result<ExitCode, Error> {
    let rollout = cluster.rollout(name).await?;
    let workload = cluster.workload(&rollout).await?;
    for sentence in sentences(&rollout, workload.as_ref()) {
        output::line(&sentence)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is waited for, why, and what to do, most specific first.
fn sentences(rollout: &Rollout, workload: Option<&Deployment>) -> Vec<String> {
    let name = rollout.name_any();
    let Some(status) = &rollout.status else {
        return vec![
            format!("Rollout {name} has no status: no controller has seen it."),
            controller_cure(),
        ];
    };
    let mut said = Vec::new();
    if status.observed_generation != rollout.metadata.generation {
        said.push(format!("The status of Rollout {name} is older than its spec."));
        said.push(controller_cure());
    }
    if let Some(unseen) = workload.and_then(|workload| unseen_release(rollout, workload)) {
        said.push(unseen);
        said.push(controller_cure());
    }
    match &status.waiting_for {
        Some(waiting) => {
            said.push(format!("Rollout {name} is {:?}: {}.", status.phase, waiting.message));
            let does = advice::of(&waiting.reason);
            said.extend(does.map(|does| does.replace("NAME", &name)));
        }
        None => said.push(format!("Rollout {name} is {:?} and waits for nothing.", status.phase)),
    }
    said
}

/// A hold that the status does not speak of yet.
fn unseen_release(rollout: &Rollout, workload: &Deployment) -> Option<String> {
    let hold = tree::hold_of(workload)?;
    let update = hold.state.update()?;
    let known = rollout.status.as_ref().and_then(|status| status.update_revision.as_ref());
    let (kind, name) = (&rollout.spec.workload_ref.kind, workload.name_any());
    (known != Some(update)).then(|| {
        format!("{kind} {name} is held at revision {update}, which no controller has taken up yet.")
    })
}

fn controller_cure() -> String {
    format!(
        "If this stays, look at the controller: kubectl -n {} get pods; kubectl -n {} logs \
         deployment/{}",
        contract::NAMESPACE,
        contract::NAMESPACE,
        contract::CONTROLLER_SERVICE_ACCOUNT
    )
}

#[cfg(test)]
mod tests;
