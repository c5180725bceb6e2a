//! `status`: shows a release, once or until it is over. The exit code says how it ended.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use crds::{GepDuration, Rollout};
use futures::{StreamExt, pin_mut, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::runtime::watcher::{self, watch_object};

use crate::args::{Named, Out};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::output::{self, Format};
use crate::paint::Paint;
use crate::tree::{Outcome, Seen};

/// Exit code: aborted, rejected or failed.
const FAILED: u8 = 1;
/// Exit code: not over yet.
const TIMED_OUT: u8 = 2;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    named: Named,
    /// Follow the release until it is over
    #[arg(long, short)]
    watch: bool,
    /// With --watch: give up after this time (30s, 10m, 1h); default: never
    #[arg(long, requires = "watch")]
    timeout: Option<GepDuration>,
    #[command(flatten)]
    out: Out,
}

/// Shows. Without --watch a release that is still on its way exits like one that timed out.
pub(crate) async fn run(cluster: &Cluster, options: &Options) -> Result<ExitCode, Error> {
    // The workload first: its hold is written by the user's own apply, so a status read later
    // can only know more.
    let rollout = cluster.rollout(&options.named.name).await?;
    let workload = cluster.workload(&rollout).await?;
    let rollout = cluster.rollout(&options.named.name).await?;
    if let Some(format @ (Format::Json | Format::Yaml)) = options.out.output {
        output::line(&output::document(&rollout.status, format == Format::Yaml)?)?;
        return Ok(code(seen(&rollout, workload.as_ref(), &[]).outcome()));
    }
    let mut screen = Screen::new(Paint::for_stdout());
    if !options.watch {
        return show(cluster, &mut screen, &rollout, workload.as_ref()).await.map(code);
    }
    let following = follow(cluster, &mut screen, rollout, workload);
    match options.timeout {
        None => following.await,
        Some(limit) => match tokio::time::timeout(limit.get(), following).await {
            Ok(ended) => ended,
            Err(_) => Ok(ExitCode::from(TIMED_OUT)),
        },
    }
}

fn code(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::from(FAILED),
        Outcome::Running => ExitCode::from(TIMED_OUT),
    }
}

enum Change {
    Rollout(Box<Option<Rollout>>),
    Workload(Box<Option<Deployment>>),
    /// Something could not be read; the watch goes on by itself.
    Fault,
}

async fn follow(
    cluster: &Cluster,
    screen: &mut Screen,
    mut rollout: Rollout,
    mut workload: Option<Deployment>,
) -> Result<ExitCode, Error> {
    let name = rollout.name_any();
    let target = rollout.spec.workload_ref.name.clone();
    let rollouts = watch_object(cluster.rollouts(), &name).map(
        |event: Result<_, watcher::Error>| match event {
            Ok(object) => Change::Rollout(Box::new(object)),
            Err(_) => Change::Fault,
        },
    );
    let workloads =
        watch_object(cluster.deployments(), &target).map(|event: Result<_, watcher::Error>| {
            match event {
                Ok(object) => Change::Workload(Box::new(object)),
                Err(_) => Change::Fault,
            }
        });
    let changes = stream::select(rollouts, workloads);
    pin_mut!(changes);
    loop {
        let outcome = show(cluster, screen, &rollout, workload.as_ref()).await?;
        if outcome != Outcome::Running {
            return Ok(code(outcome));
        }
        match changes.next().await {
            Some(Change::Rollout(object)) => match *object {
                Some(newer) => rollout = newer,
                None => {
                    return Err(Error::NoRollout { name, namespace: cluster.namespace.clone() });
                }
            },
            Some(Change::Workload(object)) => workload = *object,
            // A fault is usually a lost connection: the watch backs off and comes back.
            Some(Change::Fault) => tokio::time::sleep(Duration::from_millis(500)).await,
            None => return Ok(ExitCode::from(TIMED_OUT)),
        }
    }
}

async fn show(
    cluster: &Cluster,
    screen: &mut Screen,
    rollout: &Rollout,
    workload: Option<&Deployment>,
) -> Result<Outcome, Error> {
    let sets = match workload {
        Some(workload) => cluster.revisions(rollout, workload).await?,
        None => Vec::new(),
    };
    let seen = seen(rollout, workload, &sets);
    screen.show(&seen)?;
    Ok(seen.outcome())
}

fn seen<'a>(
    rollout: &'a Rollout,
    workload: Option<&'a Deployment>,
    sets: &'a [k8s_openapi::api::apps::v1::ReplicaSet],
) -> Seen<'a> {
    Seen { rollout, workload, sets, now: runtime::clock::now() }
}

/// Redraws the tree in place on a terminal, and prints a tree and then changed lines elsewhere.
struct Screen {
    paint: Paint,
    lines: usize,
    last: String,
}

impl Screen {
    fn new(paint: Paint) -> Self {
        Self { paint, lines: 0, last: String::new() }
    }

    fn show(&mut self, seen: &Seen<'_>) -> Result<(), Error> {
        let first = self.last.is_empty();
        let text = if self.paint.is_on() || first { seen.draw(self.paint) } else { seen.line() };
        let key = seen.line();
        if self.last == key {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        if self.paint.is_on() && self.lines > 0 {
            write!(out, "\u{1b}[{}A\u{1b}[J", self.lines).map_err(Error::Output)?;
        }
        writeln!(out, "{text}").map_err(Error::Output)?;
        self.lines = text.lines().count();
        self.last = key;
        Ok(())
    }
}
