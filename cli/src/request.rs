//! promote, pause, resume, abort, retry, skip-gates: writes a request on the Rollout and waits for
//! the controller's answer. Whether it is granted is the controller's decision.

use std::process::ExitCode;
use std::time::Duration;

use crds::request::Verb;
use crds::status::Answer;
use crds::{HoldState, Request, Revision, Rollout, contract};
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};

use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::{output, tree};

/// How long the controller may take to answer; it takes some milliseconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Asks, waits, prints the answer; a refusal is an error.
pub(crate) async fn run(cluster: &Cluster, name: &str, verb: Verb) -> Result<ExitCode, Error> {
    let rollout = cluster.rollout(name).await?;
    let workload = cluster.workload(&rollout).await?;
    let request = compose(&rollout, workload.as_ref(), verb).map_err(Error::Refused)?;
    let body = serde_json::json!({
        "metadata": { "annotations": { contract::REQUEST_ANNOTATION: text_of(&request)? } }
    });
    let name = rollout.name_any();
    cluster
        .rollouts()
        .patch(&name, &PatchParams::apply(contract::CLI_MANAGER), &Patch::Merge(body))
        .await
        .map_err(call("write the request on the Rollout"))?;
    let waited = tokio::time::timeout(ANSWER_TIMEOUT, answer(cluster, &name, &request.id)).await;
    let Ok(waited) = waited else {
        let why = "the controller has not answered yet; the request stands and is answered when it \
                   runs again (kubectl sluice explain says more)";
        return Err(Error::Refused(why.to_owned()));
    };
    let message = match waited {
        Outcome::Answered(answer) if answer.granted => answer.message,
        Outcome::Answered(answer) => return Err(Error::Refused(answer.message)),
        // A deletion that waited for the release completes with it, and may take the answer along.
        Outcome::Gone if rollout.metadata.deletion_timestamp.is_some() => {
            "the release has ended, and the Rollout is deleted".to_owned()
        }
        Outcome::Gone => {
            return Err(Error::Refused(format!("Rollout {name} was deleted before it answered")));
        }
    };
    output::line(&format!("rollout.sluice.dev/{name}: {message}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What became of a request.
enum Outcome {
    Answered(Answer),
    Gone,
}

fn text_of(request: &Request) -> Result<String, Error> {
    serde_json::to_string(request).map_err(|error| Error::Print(error.to_string()))
}

/// The request that means what the human sees now, or a sentence why there is nothing to ask.
fn compose(
    rollout: &Rollout,
    workload: Option<&Deployment>,
    verb: Verb,
) -> Result<Request, String> {
    let (revision, batch) = meant(rollout, workload, verb).ok_or_else(|| {
        let phase = rollout.status.as_ref().map(|status| status.phase).unwrap_or_default();
        let name = rollout.name_any();
        match verb {
            Verb::Retry => format!("Rollout {name} has no rejected version to retry"),
            _ => format!("Rollout {name} is {phase:?}: there is no release that could {verb:?}"),
        }
    })?;
    let id = format!("{:x}", runtime::clock::now().as_nanosecond());
    Ok(Request { id, verb, revision, batch, by: None })
}

/// The workload's own hold is newer than any status: right after an apply it alone knows the
/// release that is meant.
fn meant(rollout: &Rollout, workload: Option<&Deployment>, verb: Verb) -> Option<(Revision, u32)> {
    let status = rollout.status.clone().unwrap_or_default();
    let hold = workload.and_then(tree::hold_of).map(|hold| hold.state);
    if verb == Verb::Retry {
        let barred = match hold {
            Some(HoldState::Barred(barred)) => Some(barred.revision),
            _ => status.rejected_revision.or(status.update_revision),
        };
        return barred.map(|revision| (revision, 0));
    }
    let revision = match hold {
        Some(held) if held.update().is_some() => held.update().cloned(),
        _ => status.update_revision.clone(),
    }?;
    let same = status.update_revision.as_ref() == Some(&revision);
    let batch = status.batch.filter(|_| same).map_or(0, |batch| batch.index);
    Some((revision, batch))
}

async fn answer(cluster: &Cluster, name: &str, id: &str) -> Outcome {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let stream = watcher(cluster.rollouts(), config).default_backoff();
    pin_mut!(stream);
    let mut there = false;
    while let Some(event) = stream.next().await {
        let (rollout, gone) = match event {
            Ok(Event::Apply(rollout) | Event::InitApply(rollout)) => (rollout, false),
            Ok(Event::Delete(rollout)) => (rollout, true),
            Ok(Event::Init) => {
                there = false;
                continue;
            }
            Ok(Event::InitDone) if there => continue,
            Ok(Event::InitDone) => break,
            // The watcher retries by itself; a lost connection is not the answer.
            Err(_) => continue,
        };
        there = true;
        let given = rollout.status.and_then(|status| status.answer);
        if let Some(answer) = given.filter(|answer| answer.id == id) {
            return Outcome::Answered(answer);
        }
        if gone {
            break;
        }
    }
    Outcome::Gone
}
