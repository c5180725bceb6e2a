//! Plays a story: commands, one after the other, in a world of its own, and what came of it.

use std::time::Duration;

use crds::request::Verb;
use crds::status::Phase;
use crds::{Kept, Revision};

use super::check::{Summary, Violation};
use super::metrics::TEMPLATE;
use super::script::{Change, Command, Script, Simple};
use super::stock::Behaviour;
use super::timeline::Entry;
use super::user::{Own, Said, Stated, manifest};
use super::world::{Fault, NAME, Options, World};
use crate::observed::Strategy;

/// After the last command a release ends within so many turns of a helpful user.
const TURNS_MAX: u32 = 40;
/// No wait in a story is longer.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

/// What came of a story.
#[derive(Debug)]
pub struct Outcome {
    /// The invariant that did not hold, if one did not.
    pub violation: Option<Violation>,
    /// The world at the end.
    pub summary: Summary,
    /// Writes that our controller began.
    pub writes: u32,
    /// Writes that it did.
    pub written: u32,
    /// What happened, if it was recorded; commands among it.
    pub timeline: Vec<Entry>,
}

impl Script {
    /// Plays the story to its end or to the first violation.
    #[must_use]
    pub fn play(&self, options: &Options) -> Outcome {
        play(&self.0, options)
    }
}

fn play(commands: &[Command], options: &Options) -> Outcome {
    let mut story = Story { world: World::new(options) };
    let names = ["v1", "v2", "v3", "v4"];
    for version in names {
        let revision = Revision::of_template(&manifest::template(version));
        story.world.timeline.name(&revision, version);
    }
    for command in commands {
        let now = story.world.now();
        story.world.timeline.note(now, ">", || command.to_string());
        let said = story.obey(command);
        let now = story.world.now();
        match said {
            Ok(said) if said.is_empty() => {}
            Ok(said) => story.world.timeline.note(now, "user", || said),
            Err(refused) => story.world.timeline.note(now, "user", || format!("{refused:?}")),
        }
        if story.world.checks.violation().is_some() {
            break;
        }
    }
    let world = story.world;
    Outcome {
        violation: world.checks.violation().cloned(),
        summary: Summary::of(&world.cluster, &world.checks),
        writes: world.writes(),
        written: world.written,
        timeline: world.timeline.entries().to_vec(),
    }
}

struct Story {
    world: World,
}

impl Story {
    fn obey(&mut self, command: &Command) -> Said {
        let world = &mut self.world;
        match command {
            Command::Apply { version, changes } => {
                let manifest = &mut world.user.manifest;
                if let Some(version) = version {
                    manifest.version.clone_from(version);
                }
                for change in changes {
                    state(change, &mut manifest.stated);
                }
                world.user_apply()
            }
            Command::Rollout(spec) => world.user_rollout(RolloutSpecOf::clone(spec)),
            Command::Simple(simple) => self.simple(*simple),
            Command::Scale(replicas) => world.user_scale(*replicas),
            Command::Nodes(count) => world.user_nodes(*count),
            Command::Lose { version, count } => world.user_lose(version, *count),
            Command::Close { version, count } => world.user_close(version, *count),
            Command::SetImage(version) => world.user_set_image(version),
            Command::Edit(changes) => {
                let (before, kind) = (world.checks.fields(), world.user.manifest.stated);
                before.map_or(Ok(String::new()), |before| {
                    world.user_edit(edited(before, kind, changes))
                })
            }
            Command::Evict { version, count } => world.user_evict(version, *count),
            Command::Flap { version, count, span } => world.flap(version, *count, *span),
            Command::Pods { version, start, broken, flapping } => {
                let (broken, flapping) = (broken.clone(), *flapping);
                let mut behaviour = Behaviour { broken, flapping, ..Behaviour::default() };
                if let Some(start) = start {
                    behaviour.start = (*start, *start + Duration::from_millis(200));
                }
                let revision = Revision::of_template(&manifest::template(version));
                world.kubelet.set(&revision, behaviour);
                Ok(String::new())
            }
            Command::Metrics { version, health } => {
                let revision = Revision::of_template(&manifest::template(version));
                let name = if version == TEMPLATE { TEMPLATE } else { revision.as_str() };
                world.prometheus.set(name, *health);
                Ok(String::new())
            }
            Command::Ask { verb, batch } => world.user_request(*verb, *batch),
            Command::Crash { when, write } => {
                let write = world.writes() + write;
                world.faults.at_writes.push(Fault::Crash { write, when: *when });
                Ok(String::new())
            }
            Command::Freeze(span) => {
                world.freeze_all(*span);
                Ok(String::new())
            }
            Command::Lag(low, high) => {
                world.faults.lag = (*low, *high);
                Ok(String::new())
            }
            Command::Unanswered(percent) => {
                world.faults.unanswered = *percent;
                Ok(String::new())
            }
            Command::Tick(span) => {
                let until = world.now() + *span;
                world.run_until(until);
                Ok(String::new())
            }
        }
    }

    fn simple(&mut self, simple: Simple) -> Said {
        let world = &mut self.world;
        match simple {
            Simple::Reapply => world.user_reapply(true),
            Simple::ReapplyStop => world.user_reapply(false),
            Simple::ServerSide => world.user.server_side = true,
            Simple::ClientSide => world.user.server_side = false,
            Simple::Replace => return world.user_replace(),
            Simple::Restart => return world.user_restart(),
            Simple::Undo => return world.user_undo(),
            Simple::Pause => return world.user_pause(true),
            Simple::Resume => return world.user_pause(false),
            Simple::Strip => return world.user_strip(),
            Simple::Delete => return world.user_delete(),
            Simple::RolloutDelete => return world.user_delete_rollout(),
            Simple::WebhookDown => world.cluster.admission.webhook = false,
            Simple::WebhookUp => world.cluster.admission.webhook = true,
            Simple::PolicyDown => world.cluster.admission.policy = false,
            Simple::PolicyUp => world.cluster.admission.policy = true,
            Simple::ControllerDown => world.stop_controller(),
            Simple::ControllerUp => world.start_controller(),
            Simple::StockDown => world.stop_stock(),
            Simple::StockUp => world.start_stock(),
            Simple::Heal => world.heal(),
            Simple::Run => {
                if world.run_for(PATIENCE) && !world.faults.ours_down {
                    world.checks.quiet(&world.cluster);
                }
            }
            Simple::Finish => self.finish(),
            Simple::Open => world.open_nodes(),
            Simple::Show => return Ok(self.shown()),
        }
        Ok(String::new())
    }

    /// Faults end, the user helps where the status asks for it: so the release ends. Afterwards
    /// nothing is written any more.
    fn finish(&mut self) {
        self.world.heal();
        self.world.user_reapply(false);
        for _ in 0..TURNS_MAX {
            if !self.world.run_for(PATIENCE) {
                return;
            }
            let now = self.world.now();
            self.world.checks.rest(&self.world.cluster);
            if self.world.checks.violation().is_some() {
                return;
            }
            let Some(help) = self.help() else { return self.stays_at_rest() };
            self.world.timeline.note(now, ">", || format!("helps: {help}"));
            if let Err(refused) = self.obey(&help) {
                let what = format!("{help}: {refused:?}");
                return self.world.checks.fail(now, 8, what);
            }
        }
        let now = self.world.now();
        let summary = Summary::of(&self.world.cluster, &self.world.checks);
        self.world.checks.fail(now, 8, format!("the release does not end: {:?}", summary.phase));
    }

    /// What a user would do who reads what the Rollout waits for; None: it is over.
    fn help(&mut self) -> Option<Command> {
        let is_stable_broken = self.is_stable_broken();
        let world = &mut self.world;
        let rollout = world.cluster.rollouts.get(NAME)?;
        let status = &rollout.status;
        let workload = world.cluster.deployments.get(NAME)?;
        let waits = status.waiting_for.as_ref().map_or("", |waits| waits.reason.as_str());
        let ask = |verb| Some(Command::Ask { verb, batch: None });
        match (status.phase, waits) {
            (Phase::Ready | Phase::Rejected, _) if !workload.spec.paused => None,
            (_, "RecreateStrategy" | "OnDeleteStrategy" | "WorkloadMissing") => None,
            (_, "Promotion") => ask(Verb::Promote),
            (_, "GateUnknown" | "Confirmation") => ask(Verb::SkipGates),
            (_, "Paused") => ask(Verb::Resume),
            (_, "Failed") => ask(Verb::Abort),
            (_, "SpecPaused") => {
                let spec = RolloutSpecOf { paused: false, ..rollout.spec.clone() };
                Some(Command::Rollout(Box::new(spec)))
            }
            (_, "DeploymentPaused") | (Phase::Ready | Phase::Rejected, _) => {
                Some(Command::Simple(Simple::Resume))
            }
            (_, "ScaledToZero") if workload.daemon.is_some() => Some(Command::Nodes(3)),
            // To zero, or to what its partition keeps from every update.
            (_, "ScaledToZero") => Some(Command::Scale(beyond_partition(world))),
            // There is nothing to wait for where the stable version itself is broken.
            (_, "StablePods" | "MovingBack") if is_stable_broken => None,
            // Nor where the stock controller is stuck: it ends no scaling under Recreate.
            (_, "StablePods") if workload.spec.strategy == Strategy::Recreate => None,
            // It says so, and only another template helps.
            (_, "StableTemplateLost") => None,
            (phase, waits) => {
                let what = format!("no fault is on, yet {phase:?} waits for {waits:?}");
                let now = world.now();
                world.checks.fail(now, 8, what);
                None
            }
        }
    }

    fn is_stable_broken(&self) -> bool {
        let stable = self.world.checks.stable();
        stable.is_some_and(|stable| self.world.kubelet.behaviour(stable).broken.is_some())
    }

    fn stays_at_rest(&mut self) {
        if self.world.checks.violation().is_some() {
            return;
        }
        let before = self.world.writes();
        self.world.run_for(PATIENCE);
        let more = self.world.writes() - before;
        if more > 0 {
            let now = self.world.now();
            self.world.checks.fail(now, 8, format!("{more} writes at rest"));
        }
    }

    /// The state of things in a few lines.
    fn shown(&self) -> String {
        let world = &self.world;
        let summary = Summary::of(&world.cluster, &world.checks);
        let (phase, waits) = summary.phase.unwrap_or_default();
        let pods: Vec<_> =
            summary.pods.iter().map(|(revision, count)| format!("{count} of {revision}")).collect();
        let hold = if summary.hold.is_empty() { "none" } else { &summary.hold };
        format!(
            "{phase:?}, waits for {waits:?}; pods {}; {}; hold {hold}",
            pods.join(" and "),
            summary.fields
        )
    }
}

/// Replicas of which the user's own partition leaves some to updates.
fn beyond_partition(world: &World) -> i32 {
    match world.checks.fields().map(|own| own.partition) {
        Some(Kept::Pods(pods)) => 3 + pods,
        Some(Kept::Percent(_)) | None => 3,
    }
}

type RolloutSpecOf = crds::RolloutSpec;

fn state(change: &Change, stated: &mut Stated) {
    // It was read as a whole before.
    drop(change.state(stated));
}

fn edited(was: Own, kind: Stated, changes: &[Change]) -> Own {
    let before = was.fields;
    let mut stated = Stated {
        surge: Some(before.max_surge),
        unavailable: Some(before.max_unavailable),
        min_ready_seconds: Some(before.min_ready_seconds),
        progress_deadline_seconds: Some(before.progress_deadline_seconds),
        paused: Some(before.paused),
        partition: Some(was.partition),
        stateful: kind.stateful,
        cloneset: kind.cloneset,
        daemon: kind.daemon,
        ..Stated::default()
    };
    for change in changes {
        state(change, &mut stated);
    }
    stated.or_defaults()
}
