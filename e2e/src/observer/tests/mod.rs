//! The judge against hand-made events: every rule is shown to hold its peace in a correct release
//! and to speak up in a wrong one.

mod releases;
mod requests;
mod scaling;
mod sequence;

use std::time::Duration;

use crds::RolloutSpec;
use serde_json::json;

use super::judge::Rule;
use super::seen::{DeploymentSeen, PodSeen, SetSeen};
use super::{Judge, Sighting, Told, Wishes};

/// A made-up cluster whose events go straight to a judge.
struct Play {
    judge: Judge,
    now: Duration,
    deployment: DeploymentSeen,
}

impl Play {
    /// `replicas` ready pods of v1 under these wishes, at rest.
    fn at_rest(replicas: i32, surge: &str, unavailable: &str, batches: &serde_json::Value) -> Self {
        let wishes = wishes(surge, unavailable, 0, batches);
        Self::with(wishes, replicas)
    }

    fn with(wishes: Wishes, replicas: i32) -> Self {
        let deployment = DeploymentSeen {
            generation: 1,
            replicas: Some(replicas),
            template: "v1".to_owned(),
            spec: String::new(),
            fields: String::new(),
        };
        let judge = Judge::new(wishes, replicas);
        let mut play = Self { judge, now: Duration::ZERO, deployment };
        play.see(Sighting::Deployment(play.deployment.clone()));
        play.come("v1", 0..replicas);
        play
    }

    fn see(&mut self, sighting: Sighting) {
        self.now += Duration::from_millis(10);
        self.judge.see(self.now, sighting);
    }

    fn tell(&mut self, told: &Told) {
        self.now += Duration::from_millis(10);
        self.judge.tell(self.now, told);
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn pod(&mut self, hash: &str, number: i32, ready: bool, ending: bool) {
        let name = format!("{hash}-{number}");
        self.see(Sighting::Pod(PodSeen {
            name,
            hash: hash.to_owned(),
            ready,
            ready_for: Duration::ZERO,
            ending,
        }));
    }

    /// Pods are created.
    fn create(&mut self, hash: &str, numbers: std::ops::Range<i32>) {
        numbers.for_each(|number| self.pod(hash, number, false, false));
    }

    /// Pods become ready.
    fn ready(&mut self, hash: &str, numbers: std::ops::Range<i32>) {
        numbers.for_each(|number| self.pod(hash, number, true, false));
    }

    /// Pods are created and become ready.
    fn come(&mut self, hash: &str, numbers: std::ops::Range<i32>) {
        self.create(hash, numbers.clone());
        self.ready(hash, numbers);
    }

    /// Pods end and are gone.
    fn go(&mut self, hash: &str, numbers: std::ops::Range<i32>) {
        for number in numbers {
            self.pod(hash, number, true, true);
            self.see(Sighting::PodGone(format!("{hash}-{number}")));
        }
    }

    /// Pods are replaced one by one, the new one ready before the old one goes.
    fn replace(&mut self, from: &str, to: &str, numbers: std::ops::Range<i32>) {
        for number in numbers {
            self.come(to, number..number + 1);
            self.go(from, number..number + 1);
        }
    }

    /// The Deployment's spec is written.
    fn write(&mut self, template: &str, replicas: i32) {
        self.deployment.generation += 1;
        template.clone_into(&mut self.deployment.template);
        self.deployment.replicas = Some(replicas);
        self.deployment.spec = self.deployment.generation.to_string();
        self.see(Sighting::Deployment(self.deployment.clone()));
    }

    fn set(&mut self, hash: &str, replicas: i32) {
        let set = SetSeen { name: format!("web-{hash}"), hash: hash.to_owned(), replicas };
        self.see(Sighting::Set(set));
    }

    /// A new template is written.
    fn begin(&mut self, template: &str) {
        self.tell(&Told::Begin);
        let replicas = self.deployment.replicas.unwrap_or_default();
        self.write(template, replicas);
    }

    fn scale(&mut self, replicas: i32) {
        self.tell(&Told::Scale { replicas });
        let template = self.deployment.template.clone();
        self.write(&template, replicas);
    }

    #[track_caller]
    fn fine(&self) {
        if let Some(violation) = self.judge.violation() {
            panic!("{violation}\n{}", self.judge.timeline());
        }
    }

    #[track_caller]
    fn breaks(&self, rule: Rule) {
        let broken = self.judge.violation().map(|violation| violation.rule);
        assert_eq!(broken, Some(rule), "\n{}", self.judge.timeline());
    }
}

fn wishes(surge: &str, unavailable: &str, min_ready: u64, batches: &serde_json::Value) -> Wishes {
    let quantity = |text: &str| text.parse::<i32>().map_or_else(|_| json!(text), |n| json!(n));
    let rolling = json!({"maxSurge": quantity(surge), "maxUnavailable": quantity(unavailable)});
    let deployment = json!({"spec": {
        "minReadySeconds": min_ready,
        "strategy": {"rollingUpdate": rolling},
    }});
    let rollout = json!({
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "strategy": {"batches": batches},
    });
    let rollout: RolloutSpec = serde_json::from_value(rollout).unwrap();
    Wishes::new(&deployment, &rollout)
}

/// As its stock controller does; and in a release no node has two pods.
#[test]
fn a_daemonset_rounds_up() {
    let rollout = json!({
        "workloadRef": {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web"},
        "strategy": {"batches": careful()},
    });
    let rollout: RolloutSpec = serde_json::from_value(rollout).unwrap();
    let of = |rolling: serde_json::Value| {
        let manifest =
            json!({"kind": "DaemonSet", "spec": {"updateStrategy": {"rollingUpdate": rolling}}});
        let wishes = Wishes::new(&manifest, &rollout);
        (wishes.surge_of(5), wishes.unavailable_of(5))
    };
    assert_eq!(of(json!({"maxSurge": 0, "maxUnavailable": "30%"})), (0, 2));
    assert_eq!(of(json!({"maxSurge": 2, "maxUnavailable": 0})), (0, 1));
    assert_eq!(of(json!({})), (0, 1));
}

/// One pod, then 20 %, each until promoted, then all.
fn careful() -> serde_json::Value {
    json!([
        {"replicas": 1, "pause": {}},
        {"replicas": "20%", "pause": {}},
        {"replicas": "100%"},
    ])
}
