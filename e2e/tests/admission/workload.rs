//! Deployments in every state that a release knows, as they are stored. Their pods fit no node.

use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use crds::hold::Bar;
use crds::{Fenced, Hold, IntOrPercent, Original, Revision, Target};
use serde_json::{Value, json};

use crate::copy::PREFIX;

/// A state that a workload can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Unarmed,
    AtRest,
    Recreate,
    AtZero,
    /// Held, before the first batch.
    Held,
    /// In a batch: unpaused.
    InBatch,
    /// In a batch, and the user has paused the Deployment.
    PausedByUser,
    /// In a batch, scaled to nothing.
    HeldAtZero,
    Rejected,
    /// Fenced without a hold: what the policy never lets come to be.
    Stray,
}

pub const ALL: [State; 10] = [
    State::Unarmed,
    State::AtRest,
    State::Recreate,
    State::AtZero,
    State::Held,
    State::InBatch,
    State::PausedByUser,
    State::HeldAtZero,
    State::Rejected,
    State::Stray,
];

impl State {
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// The Deployment in this state.
    pub fn object(self) -> Value {
        let mut object = at_rest(&self.name());
        match self {
            Self::AtRest => {}
            Self::Unarmed => object["metadata"]["labels"] = json!({ "app": "web" }),
            Self::Recreate => object["spec"]["strategy"] = json!({ "type": "Recreate" }),
            Self::AtZero => object["spec"]["replicas"] = json!(0),
            Self::Held => hold(&mut object, &held()),
            Self::InBatch => hold(&mut object, &in_batch(1)),
            Self::PausedByUser => {
                let mut fenced = in_batch(1);
                fenced.original.paused = true;
                hold(&mut object, &fenced);
            }
            Self::HeldAtZero => {
                hold(&mut object, &in_batch(1));
                object["spec"]["replicas"] = json!(0);
            }
            Self::Rejected => {
                let bar = Hold::barred(Revision::from("bbbbbbbbbb"), Bar::Rejected);
                annotate(&mut object, &bar.to_text());
            }
            Self::Stray => fence(&mut object),
        }
        object
    }
}

fn at_rest(name: &str) -> Value {
    let labels = json!({
        "app": "web",
        key("armed"): "true",
        key("rollout"): "web",
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": labels, "annotations": { "note": "mine" } },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": name } },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 },
            },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "nodeSelector": { "sluice.test/no-such-node": "true" },
                    "containers": [{ "name": "web", "image": "sluice.test/web:1" }],
                },
            },
        },
    })
}

/// Held, before the first batch.
pub fn held() -> Fenced {
    let own = IntOrPercent::Percent(25);
    let none = IntOrPercent::Count(0);
    let original = Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: own,
        max_unavailable: none,
    };
    let target = Target { paused: true, max_surge: own, max_unavailable: none };
    let (revision, stable) = (Revision::from("bbbbbbbbbb"), Revision::from("aaaaaaaaaa"));
    Fenced { revision, stable, rollback: false, batch: 0, target, original }
}

/// In a batch.
pub fn in_batch(batch: u32) -> Fenced {
    let (max_surge, max_unavailable) = (IntOrPercent::Count(0), IntOrPercent::Percent(20));
    let target = Target { paused: false, max_surge, max_unavailable };
    Fenced { batch, target, ..held() }
}

/// Puts hold and fence on, as the webhook does.
pub fn hold(object: &mut Value, fenced: &Fenced) {
    annotate(object, &Hold::fenced(fenced.clone()).to_text());
    fence(object);
    object["spec"]["strategy"]["rollingUpdate"] = json!({
        "maxSurge": fenced.target.max_surge,
        "maxUnavailable": fenced.target.max_unavailable,
    });
    object["spec"]["paused"] = json!(fenced.target.paused || fenced.original.paused);
}

/// Puts the fence on.
pub fn fence(object: &mut Value) {
    object["spec"]["minReadySeconds"] = json!(FENCE_MIN_READY_SECONDS);
    object["spec"]["progressDeadlineSeconds"] = json!(FENCE_PROGRESS_DEADLINE_SECONDS);
}

/// Puts a hold's text on.
pub fn annotate(object: &mut Value, text: &str) {
    object["metadata"]["annotations"][key("hold")] = json!(text);
}

/// Takes fence and hold off, as a user's own manifest would have it.
pub fn lift(object: &mut Value) {
    unannotate(object);
    let spec = object["spec"].as_object_mut().unwrap();
    for field in ["minReadySeconds", "paused"] {
        spec.remove(field);
    }
    object["spec"]["progressDeadlineSeconds"] = json!(600);
    let rolling = json!({ "maxSurge": "25%", "maxUnavailable": 0 });
    object["spec"]["strategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": rolling });
}

/// Takes the hold's text off.
pub fn unannotate(object: &mut Value) {
    object["metadata"]["annotations"].as_object_mut().unwrap().remove(&key("hold"));
}

/// Takes our labels off.
pub fn unlabel(object: &mut Value) {
    object["metadata"]["labels"] = json!({ "app": "web" });
}

/// Another version of the application.
pub fn new_template(object: &mut Value) {
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("sluice.test/web:2");
}

/// A label or annotation of ours, under the copy's name.
pub fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}
