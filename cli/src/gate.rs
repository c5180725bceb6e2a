//! `gate test`: measures a Rollout's gates once, now, and shows what came and what it would mean.
//! Owns the command and its exit code; the question and the verdict are the planner's own.

mod prometheus;
mod scene;
mod show;
mod template;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crds::{Gate, MetricProvider, Rollout};
use gate::Verdict;
use gate::history::Measurement;
use gate::verdict::Trouble;
use jiff::Timestamp;
use kube::api::Api;
use plan::observed::Answered;
use plan::{Ask, Trial};

use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::{output, simulate};
use prometheus::Prometheus;

/// Exit code: a gate failed.
const FAILED: u8 = 1;
/// Exit code: none failed, and one could not be judged.
const UNJUDGED: u8 = 2;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure gates once, now; exit code 0 all pass, 1 one fails, 2 one cannot be judged
    Test(Options),
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the Rollout
    #[arg(required_unless_present = "filename")]
    name: Option<String>,
    /// Only the gate of this name
    #[arg(long)]
    gate: Option<String>,
    /// File with a Rollout whose gates are measured instead; its workload has to exist
    #[arg(long, short, value_name = "FILE", conflicts_with = "name")]
    filename: Option<PathBuf>,
    #[command(flatten)]
    way: Way,
}

/// How Prometheus is reached.
#[derive(Debug, Args)]
pub(crate) struct Way {
    /// Where Prometheus is as seen from here, such as a port-forward; default: through the
    /// apiserver, at the provider's address, which needs the right to get services/proxy there
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// With --address: a file with a bearer token; Sluice's own Secrets are not read
    #[arg(long, value_name = "FILE", requires = "address")]
    token_file: Option<PathBuf>,
}

/// Measures. What goes wrong on the way is no verdict either.
pub(crate) async fn run(cluster: &Cluster, command: &Command) -> Result<ExitCode, Error> {
    let Command::Test(options) = command;
    match test(cluster, options).await {
        Ok(worst) => Ok(ExitCode::from(worst)),
        Err(error) => {
            output::complaint(&error.chain());
            Ok(ExitCode::from(UNJUDGED))
        }
    }
}

async fn test(cluster: &Cluster, options: &Options) -> Result<u8, Error> {
    let rollout = match (&options.filename, &options.name) {
        (Some(path), _) => simulate::read(path)?,
        (None, name) => cluster.rollout(name.as_deref().unwrap_or_default()).await?,
    };
    let gates = chosen(&rollout, options.gate.as_deref())?;
    let trial = scene::of(cluster, &rollout, now()).await?;
    let mut worst = None;
    for gate in gates {
        if let Some(hook) = &gate.hook {
            output::line(&show::unsent(gate, hook))?;
            continue;
        }
        let gate = template::resolved(cluster, gate).await?;
        let tried = try_one(cluster, &options.way, &trial, &gate).await?;
        output::line(&show::tried(&gate, &tried))?;
        worst = Some(graver(worst.unwrap_or_default(), tried.measurement.verdict));
    }
    Ok(worst.unwrap_or(UNJUDGED))
}

/// A fail before what cannot be judged, and that before passes.
fn graver(worst: u8, verdict: Verdict) -> u8 {
    match (worst, verdict) {
        (FAILED, _) | (_, Verdict::Fail) => FAILED,
        (UNJUDGED, _) | (_, Verdict::Unknown | Verdict::Error | Verdict::Pending) => UNJUDGED,
        (_, Verdict::Pass) => worst,
    }
}

fn chosen<'a>(rollout: &'a Rollout, name: Option<&str>) -> Result<Vec<&'a Gate>, Error> {
    let all = &rollout.spec.gates;
    let gates: Vec<&Gate> =
        all.iter().filter(|gate| name.is_none_or(|name| name == gate.name)).collect();
    if gates.is_empty() {
        let known: Vec<&str> = all.iter().map(|gate| gate.name.as_str()).collect();
        return Err(Error::Refused(match (name, known.is_empty()) {
            (Some(name), false) => {
                format!("the Rollout has no gate {name:?}: it has {}", known.join(", "))
            }
            _ => "the Rollout has no gates: give it some in spec.gates".to_owned(),
        }));
    }
    Ok(gates)
}

/// A gate that was tried.
struct Tried {
    /// What was asked, unless it could not be.
    answered: Option<Answered>,
    measurement: Measurement,
}

async fn try_one(cluster: &Cluster, way: &Way, trial: &Trial, gate: &Gate) -> Result<Tried, Error> {
    let ask = match trial.ask(gate) {
        Ok(ask) => ask,
        Err(measurement) => return Ok(Tried { answered: None, measurement: *measurement }),
    };
    let answered = answer(cluster, way, ask).await?;
    let measurement = trial.judge(gate, &answered).ok_or_else(|| {
        Error::Refused(format!("gate {}: the answer is that of another question", gate.name))
    })?;
    Ok(Tried { answered: Some(answered), measurement })
}

async fn answer(cluster: &Cluster, way: &Way, ask: Ask) -> Result<Answered, Error> {
    let api: Api<MetricProvider> = Api::all(cluster.client.clone());
    let found = api.get_opt(&ask.provider).await.map_err(call("read the MetricProvider"))?;
    let Some(provider) = found else {
        let missing = format!("there is no MetricProvider {}", ask.provider);
        let asked = Err(Trouble::Unasked(missing));
        return Ok(Answered::new(ask, asked));
    };
    let prometheus = Prometheus::of(cluster, &provider, way)?;
    let at = ask.both.as_ref().map(|both| both.until);
    let asked = prometheus.ask(&ask.query, ask.window, at).await;
    let requests = match &ask.requests {
        Some(query) => Some(prometheus.ask(query, ask.window, at).await),
        None => None,
    };
    Ok(Answered { requests, ..Answered::new(ask, asked) })
}

fn now() -> Timestamp {
    runtime::clock::now()
}

#[cfg(test)]
mod tests;
