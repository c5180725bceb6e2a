//! `get`: the Rollouts of a namespace or of all, as a table or as objects.

use std::process::ExitCode;

use clap::Args;
use crds::Rollout;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use crate::args::Out;
use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of one Rollout; absent: all
    name: Option<String>,
    /// All namespaces
    #[arg(long, short = 'A', conflicts_with = "name")]
    all_namespaces: bool,
    #[command(flatten)]
    out: Out,
}

/// Lists.
pub(crate) async fn run(cluster: &Cluster, options: &Options) -> Result<ExitCode, Error> {
    if let Some(name) = &options.name {
        let one = cluster.rollout(name).await?;
        if let Some(format @ (Format::Json | Format::Yaml)) = options.out.output {
            output::line(&output::document(&one, format == Format::Yaml)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        return print(&[one], options, cluster);
    }
    let api: Api<Rollout> =
        if options.all_namespaces { Api::all(cluster.client.clone()) } else { cluster.rollouts() };
    let all = api.list(&ListParams::default()).await.map_err(call("list the Rollouts"))?;
    print(&all.items, options, cluster)
}

fn print(rollouts: &[Rollout], options: &Options, cluster: &Cluster) -> Result<ExitCode, Error> {
    let text = match options.out.output {
        Some(format @ (Format::Json | Format::Yaml)) => {
            let list = serde_json::json!({
                "apiVersion": "v1", "kind": "List", "metadata": {}, "items": rollouts,
            });
            output::document(&list, format == Format::Yaml)?
        }
        Some(Format::Name) => {
            let names = rollouts.iter().map(|one| format!("rollout.sluice.dev/{}", one.name_any()));
            names.collect::<Vec<_>>().join("\n")
        }
        _ if rollouts.is_empty() => {
            let place = if options.all_namespaces {
                "the cluster".to_owned()
            } else {
                format!("namespace {}", cluster.namespace)
            };
            format!("No Rollouts in {place}.")
        }
        format => table(rollouts, options.all_namespaces, format == Some(Format::Wide)),
    };
    if !text.is_empty() {
        output::line(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rollouts: &[Rollout], namespaces: bool, wide: bool) -> String {
    let mut head = vec!["NAME", "WORKLOAD", "PHASE", "BATCH", "WAITING FOR"];
    if namespaces {
        head.insert(0, "NAMESPACE");
    }
    if wide {
        head.extend(["STABLE", "UPDATE", "REJECTED"]);
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    rows.extend(rollouts.iter().map(|rollout| row(rollout, namespaces, wide)));
    output::table(&rows)
}

fn row(rollout: &Rollout, namespaces: bool, wide: bool) -> Vec<String> {
    let status = rollout.status.clone().unwrap_or_default();
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let target = &rollout.spec.workload_ref;
    let mut cells = vec![
        rollout.name_any(),
        format!("{}/{}", target.kind.to_lowercase(), target.name),
        format!("{:?}", status.phase),
        dash(status.step),
        dash(status.waiting_for.map(|waiting| waiting.reason)),
    ];
    if namespaces {
        cells.insert(0, rollout.namespace().unwrap_or_default());
    }
    if wide {
        let revisions = [status.stable_revision, status.update_revision, status.rejected_revision];
        cells.extend(revisions.map(|revision| dash(revision.map(|known| known.to_string()))));
    }
    cells
}
