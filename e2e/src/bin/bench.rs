//! `make bench`: measures Sluice on the cluster of KUBECONFIG, writes the figures to a file and
//! prints them beside their targets. Fails only if something could not be measured.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use e2e::bench::figures::Report;
use e2e::bench::{Part, Settings, run};
use serde_json::Value;

/// Measures Sluice beside a native rollout on a real cluster
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Args {
    /// Where the figures go, as flat JSON; the last release's timeline goes beside it
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    /// Releases of each kind
    #[arg(long, default_value_t = 5)]
    releases: usize,
    /// The apiserver's audit log
    #[arg(long, env = "SLUICE_AUDIT_LOG")]
    audit_log: PathBuf,
    /// This part alone
    #[arg(long)]
    only: Option<Part>,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command says why it failed")]
async fn main() -> ExitCode {
    let Args { out, releases, audit_log, only } = Args::parse();
    let timeline = out.with_extension("timeline.txt");
    let partly = only.is_some();
    let settings = Settings { releases, audit_log, timeline, only };
    match run(&settings).await {
        Ok(report) => tell(&report, &out, partly),
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is its purpose")]
fn tell(report: &Report, out: &Path, partly: bool) -> ExitCode {
    println!("{}{report}", machine());
    report.failures().iter().for_each(|failure| eprintln!("bench: {failure}"));
    if let Err(error) = write(&report.to_json(), out) {
        eprintln!("bench: {}: {error}", out.display());
        return ExitCode::FAILURE;
    }
    let all = report.is_complete() || (partly && report.failures().is_empty());
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(figures: &Value, out: &Path) -> std::io::Result<()> {
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(out, format!("{figures:#}\n"))
}

/// What else the machine does: times measured on a busy one say little.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    format!("{processors} processors, load {}\n", load.join(" "))
}
