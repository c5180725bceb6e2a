//! Lives of a Deployment as anybody may write them, with and without a fence, and the ReplicaSets
//! on which the model's stock controllers settle after each write. Real controllers are given the
//! same writes and have to settle on the same ReplicaSets. Compares nothing itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::Revision;
use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use serde_json::{Value, json};

use super::cluster::Precondition;
use super::random::Random;
use super::stock::Behaviour;
use super::user::manifest;
use super::world::{NAME, Options, World};

/// Longer than anything takes to settle; ReplicaSets of different steps are of different seconds.
const SETTLED: Duration = Duration::from_secs(60);
const LIMITS: [(&str, &str); 10] = [
    ("25%", "25%"),
    ("1", "0"),
    ("0", "1"),
    ("0", "20%"),
    ("0", "2"),
    ("2", "1"),
    ("30%", "20%"),
    ("0", "50%"),
    ("100%", "0"),
    ("0", "100%"),
];
/// How fast pods start, and how far watches trail: what a life comes to must not depend on it.
const WEATHERS: [(Duration, (u64, u64)); 4] = [
    (Duration::from_millis(900), (1, 8)),
    (Duration::from_millis(1), (1, 8)),
    (Duration::from_millis(20), (1, 100)),
    (Duration::from_secs(3), (1, 400)),
];

/// A Deployment's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// Name of the Deployment, and of its pods' label.
    pub name: String,
    /// spec.replicas in the beginning.
    pub replicas: i32,
    /// What is written then, each as a merge patch of `spec`, once everything has settled.
    pub patches: Vec<Value>,
}

/// What a ReplicaSet with pods has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// spec.replicas.
    pub replicas: i32,
    /// status.readyReplicas.
    pub ready: i32,
    /// status.availableReplicas.
    pub available: i32,
}

/// The ReplicaSets of a Deployment with pods, by the image of these.
pub type Sizes = BTreeMap<String, Size>;

impl Life {
    /// The life of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Random::stream(seed, "conformance");
        let replicas = random.between(1, 10);
        let mut version = 1;
        let steps = random.between(3, 6);
        let patches = (0..steps).map(|_| patch(&mut random, &mut version)).collect();
        Self { name: format!("{NAME}-{seed}"), replicas, patches }
    }

    /// The lives of all seeds whose course does not depend on chance, and their courses.
    pub fn certain() -> impl Iterator<Item = (Self, Vec<Sizes>)> {
        (0..).map(Self::random).filter_map(|life| {
            let course = life.course()?;
            Some((life, course))
        })
    }

    /// The Deployment in the beginning.
    #[must_use]
    pub fn manifest(&self) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": self.name },
            "spec": {
                "replicas": self.replicas,
                "selector": { "matchLabels": { "app": NAME, "life": self.name } },
                "template": {
                    "metadata": { "labels": { "app": NAME, "life": self.name } },
                    "spec": manifest::template("v1")["spec"],
                },
            },
        })
    }

    /// What the model settles on, in the beginning and after each patch. None where that depends
    /// on which of two things happens first.
    #[must_use]
    pub fn course(&self) -> Option<Vec<Sizes>> {
        let mut courses = (0..).zip(WEATHERS).map(|(seed, (start, lag))| {
            let start = (start, start + start / 2);
            self.course_in(seed, &Behaviour { start, ..Behaviour::default() }, lag)
        });
        let first = courses.next()?;
        courses.all(|course| course == first).then_some(first)
    }

    fn course_in(&self, seed: u64, pods: &Behaviour, lag: (u64, u64)) -> Vec<Sizes> {
        let mut world = World::new(&Options { seed, ..Options::default() });
        world.faults.lag = lag;
        let mut raw = self.manifest();
        raw["metadata"]["name"] = json!(NAME);
        behave(&mut world, &raw, pods);
        // Nothing is in its way in a world of its own.
        drop(world.cluster.create_deployment(raw));
        world.settle_write();
        let mut course = vec![settled(&mut world)];
        for patch in &self.patches {
            let Ok(mut raw) = world.cluster.deployment_json(NAME) else { break };
            json_patch::merge(&mut raw["spec"], patch);
            behave(&mut world, &raw, pods);
            let anything = Precondition::default();
            drop(world.cluster.update_deployment("test", NAME, &anything, raw));
            world.settle_write();
            course.push(settled(&mut world));
        }
        course
    }
}

fn behave(world: &mut World, deployment: &Value, pods: &Behaviour) {
    let revision = Revision::of_template(&deployment["spec"]["template"]);
    world.kubelet.set(&revision, pods.clone());
}

fn settled(world: &mut World) -> Sizes {
    let until = world.now() + SETTLED;
    world.run_until(until);
    let sets = world.cluster.sets.iter().filter(|set| set.replicas > 0);
    sets.map(|set| {
        let (ready, available) = (set.status.ready, set.status.available);
        (image(&set.template), Size { replicas: set.replicas, ready, available })
    })
    .collect()
}

/// The image of a pod template's first container.
#[must_use]
pub fn image(template: &Value) -> String {
    template["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned()
}

fn patch(random: &mut Random, version: &mut i32) -> Value {
    match random.below(100) {
        0..30 => json!({ "replicas": random.between(0, 12) }),
        30..45 => merged(template(random, version), &fence(random)),
        45..60 => template(random, version),
        60..70 => json!({ "paused": random.chance(50) }),
        70..85 => limits(random),
        85..93 => merged(fence(random), &limits(random)),
        _ => unfence(),
    }
}

fn merged(mut one: Value, other: &Value) -> Value {
    json_patch::merge(&mut one, other);
    one
}

/// A new version mostly, or one of those before.
fn template(random: &mut Random, version: &mut i32) -> Value {
    let next = if random.chance(75) { *version + 1 } else { random.between(1, *version) };
    *version = next.max(*version);
    json!({ "template": { "spec": manifest::template(&format!("v{next}"))["spec"] } })
}

fn fence(random: &mut Random) -> Value {
    let fence = json!({
        "minReadySeconds": FENCE_MIN_READY_SECONDS,
        "progressDeadlineSeconds": FENCE_PROGRESS_DEADLINE_SECONDS,
    });
    if random.chance(70) { merged(fence, &limits(random)) } else { fence }
}

fn unfence() -> Value {
    json!({ "minReadySeconds": 0, "progressDeadlineSeconds": 600 })
}

fn limits(random: &mut Random) -> Value {
    let (surge, unavailable) = random.pick(&LIMITS).copied().unwrap_or(LIMITS[0]);
    let quantity = |text: &str| text.parse::<i32>().map_or_else(|_| json!(text), Value::from);
    let rolling = json!({ "maxSurge": quantity(surge), "maxUnavailable": quantity(unavailable) });
    json!({ "strategy": { "rollingUpdate": rolling } })
}

#[cfg(test)]
mod tests;
