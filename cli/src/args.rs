//! The command line: names, flags and help, and which room answers each command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Parser, Subcommand};
use crds::request::Verb;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::output::Format;
use crate::{explain, gate, get, release_hold, request, simulate, status};

/// Release ordinary workloads batch by batch
#[derive(Debug, Parser)]
#[command(name = "kubectl-sluice", bin_name = "kubectl sluice", version)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

/// How to reach the cluster, as kubectl says it.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Connection {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// Namespace; default: the context's
    #[arg(long, short, global = true)]
    pub(crate) namespace: Option<String>,
}

/// Which Rollout is meant.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Named {
    /// Name of the Rollout
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List Rollouts
    Get(get::Options),
    /// Show the release of a Rollout; exit code 0 done, 1 aborted or failed, 2 time-out
    Status(status::Options),
    /// Let the release go on to its next batch
    Promote {
        #[command(flatten)]
        named: Named,
        /// Go on to the last batch, without further pauses
        #[arg(long)]
        full: bool,
    },
    /// Stop the release before its next batch
    Pause(Named),
    /// Take a pause back
    Resume(Named),
    /// Take the release back to the stable version and reject this one
    Abort(Named),
    /// Let a rejected version in again, from the first batch
    Retry(Named),
    /// Let the batch go on without its gates; who asked is recorded
    SkipGates(Named),
    /// Try gates out
    #[command(subcommand)]
    Gate(gate::Command),
    /// Play a Rollout's release without a cluster
    Simulate(simulate::Options),
    /// Say why nothing is happening, and what to do
    Explain(Named),
    /// Break glass: free a workload with your own rights while Sluice is dead
    ReleaseHold(release_hold::Options),
}

impl Args {
    /// Runs the command; the exit code is part of the answer.
    pub(crate) async fn run(self) -> Result<ExitCode, Error> {
        let command = match self.command {
            Command::Simulate(options) => return simulate::run(&options),
            command => command,
        };
        let cluster = Cluster::connect(&self.connection).await?;
        match command {
            Command::Simulate(_) => Ok(ExitCode::SUCCESS),
            Command::Get(options) => get::run(&cluster, &options).await,
            Command::Status(options) => status::run(&cluster, &options).await,
            Command::Promote { named, full } => {
                let verb = if full { Verb::PromoteFull } else { Verb::Promote };
                request::run(&cluster, &named.name, verb).await
            }
            Command::Pause(named) => request::run(&cluster, &named.name, Verb::Pause).await,
            Command::Resume(named) => request::run(&cluster, &named.name, Verb::Resume).await,
            Command::Abort(named) => request::run(&cluster, &named.name, Verb::Abort).await,
            Command::Retry(named) => request::run(&cluster, &named.name, Verb::Retry).await,
            Command::SkipGates(named) => request::run(&cluster, &named.name, Verb::SkipGates).await,
            Command::Gate(command) => gate::run(&cluster, &command).await,
            Command::Explain(named) => explain::run(&cluster, &named.name).await,
            Command::ReleaseHold(options) => release_hold::run(&cluster, &options).await,
        }
    }
}

/// The formats that `-o` knows.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Out {
    /// Output format
    #[arg(long, short, value_enum)]
    pub(crate) output: Option<Format>,
}

#[cfg(test)]
mod tests;
