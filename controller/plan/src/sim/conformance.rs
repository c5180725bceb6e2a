//! Sequences of Deployment specs as anybody may write them, with and without a fence, and the
//! ReplicaSet sizes that the model's stock controllers settle on after each. Real controllers are
//! played the same sequence and have to settle on the same sizes.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use serde_json::{Value, json};

use super::cluster::Precondition;
use super::random::Random;
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

/// A Deployment's life.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// spec.replicas in the beginning.
    pub replicas: i32,
    /// What is written then, each as a merge patch of `spec`, once everything has settled.
    pub patches: Vec<Value>,
}

/// Sizes of ReplicaSets by the image of their pods; empty ones are left out.
pub type Sizes = BTreeMap<String, i32>;

impl Sequence {
    /// The sequence of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Random::stream(seed, "conformance");
        let replicas = random.between(1, 12);
        let mut version = 1;
        let steps = random.between(3, 7);
        let patches = (0..steps).map(|_| patch(&mut random, &mut version)).collect();
        Self { replicas, patches }
    }

    /// The Deployment's spec in the beginning.
    #[must_use]
    pub fn spec(&self) -> Value {
        json!({
            "replicas": self.replicas,
            "selector": { "matchLabels": { "app": NAME } },
            "template": manifest::template("v1"),
        })
    }

    /// What the model settles on, in the beginning and after each patch.
    #[must_use]
    pub fn sizes(&self) -> Vec<Sizes> {
        let mut world = World::new(&Options::default());
        let raw = json!({ "metadata": { "name": NAME }, "spec": self.spec() });
        // Nothing is in its way in a world of its own.
        drop(world.cluster.create_deployment(raw));
        world.settle_write();
        let mut sizes = vec![settled(&mut world)];
        for patch in &self.patches {
            let Ok(mut raw) = world.cluster.deployment_json(NAME) else { break };
            json_patch::merge(&mut raw["spec"], patch);
            let anything = Precondition::default();
            drop(world.cluster.update_deployment("test", NAME, &anything, raw));
            world.settle_write();
            sizes.push(settled(&mut world));
        }
        sizes
    }
}

fn settled(world: &mut World) -> Sizes {
    let until = world.now() + SETTLED;
    world.run_until(until);
    let sets = world.cluster.sets.iter().filter(|set| set.replicas > 0);
    sets.map(|set| (image(&set.template), set.replicas)).collect()
}

/// The image of a pod template's first container.
#[must_use]
pub fn image(template: &Value) -> String {
    template["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned()
}

fn patch(random: &mut Random, version: &mut i32) -> Value {
    match random.below(100) {
        0..30 => json!({ "replicas": random.between(0, 16) }),
        30..45 => merged(template(random, version), fence(random)),
        45..60 => template(random, version),
        60..70 => json!({ "paused": random.chance(50) }),
        70..85 => limits(random),
        85..93 => merged(fence(random), limits(random)),
        _ => unfence(),
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    json_patch::merge(&mut one, &other);
    one
}

/// A new version mostly, or one of those before.
fn template(random: &mut Random, version: &mut i32) -> Value {
    let next = if random.chance(75) { *version + 1 } else { random.between(1, *version) };
    *version = next.max(*version);
    json!({ "template": manifest::template(&format!("v{next}")) })
}

fn fence(random: &mut Random) -> Value {
    let fence = json!({
        "minReadySeconds": FENCE_MIN_READY_SECONDS,
        "progressDeadlineSeconds": FENCE_PROGRESS_DEADLINE_SECONDS,
    });
    if random.chance(70) { merged(fence, limits(random)) } else { fence }
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
