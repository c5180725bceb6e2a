//! The user's workload of the test application, as a manifest. Builds JSON only.

use crds::WorkloadKind;
use serde_json::{Map, Value, json};

/// The image that the cluster of these tests has.
pub const IMAGE: &str = "sluice-testapp:e2e";

/// Another image of the same program.
pub const TWIN: &str = "sluice-testapp:twin";

/// The label of nodes that belong to one test.
pub const NODES_LABEL: &str = "e2e-nodes";

/// The taint of nodes without a kubelet.
pub const KWOK_TAINT: &str = "kwok.x-k8s.io/node";

/// A workload's manifest in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Its kind.
    pub kind: WorkloadKind,
    /// The partition of a StatefulSet or CloneSet, where the manifest states it.
    pub partition: Option<Value>,
    /// A CloneSet updates in place where it can.
    pub in_place: bool,
    /// The nodes of a DaemonSet: the value of their label.
    pub nodes: Option<String>,
    /// podManagementPolicy of a StatefulSet, where the manifest states it.
    pub management: Option<String>,
    /// metadata.name, and the value of the label `app`.
    pub name: String,
    /// spec.replicas; of a DaemonSet the number of its nodes.
    pub replicas: i32,
    /// The image.
    pub image: String,
    /// The environment of its container; VERSION among it.
    pub env: Map<String, Value>,
    /// maxSurge and maxUnavailable, where the manifest states them.
    pub rolling: Option<(Value, Value)>,
    /// minReadySeconds, where the manifest states it.
    pub min_ready: Option<i32>,
    /// progressDeadlineSeconds, where the manifest states it.
    pub deadline: Option<i32>,
    /// paused, where the manifest states it.
    pub paused: Option<bool>,
    /// revisionHistoryLimit, where the manifest states it.
    pub history: Option<i32>,
    /// The strategy is Recreate.
    pub recreate: bool,
    /// For so long a pod that is told to end goes on answering: routers take their time.
    pub drain_seconds: u32,
}

impl App {
    /// A Deployment `web` of version v1 with so many replicas.
    #[must_use]
    pub fn new(replicas: i32) -> Self {
        let app = Self {
            kind: WorkloadKind::Deployment,
            partition: None,
            in_place: false,
            nodes: None,
            management: None,
            name: "web".to_owned(),
            replicas,
            image: IMAGE.to_owned(),
            env: Map::new(),
            rolling: None,
            min_ready: None,
            deadline: None,
            paused: None,
            history: None,
            recreate: false,
            drain_seconds: 0,
        };
        app.version("v1")
    }

    /// The same as a StatefulSet.
    #[must_use]
    pub fn stateful(mut self) -> Self {
        self.kind = WorkloadKind::StatefulSet;
        self
    }

    /// The same as a CloneSet, of which one pod at a time is updated.
    #[must_use]
    pub fn cloneset(self) -> Self {
        Self { kind: WorkloadKind::CloneSet, ..self.rolling(0, 1) }
    }

    /// The same as a DaemonSet on the nodes of this name, of which one at a time is updated.
    #[must_use]
    pub fn daemonset(self, nodes: &str) -> Self {
        let nodes = Some(nodes.to_owned());
        Self { kind: WorkloadKind::DaemonSet, nodes, ..self.rolling(0, 1) }
    }

    /// With a partition of the user's own.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<Value>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// A CloneSet that updates pods in place where it can.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.in_place = true;
        self
    }

    /// A StatefulSet whose pods do not wait for each other.
    #[must_use]
    pub fn parallel(mut self) -> Self {
        self.management = Some("Parallel".to_owned());
        self
    }

    /// As kubectl names it: `deployment/web`.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("{}/{}", self.kind.noun(), self.name)
    }

    /// With this version.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.env("VERSION", version)
    }

    /// With this environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), Value::from(value));
        self
    }

    /// Without this environment variable.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// With this image.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        image.clone_into(&mut self.image);
        self
    }

    /// With maxSurge and maxUnavailable, each a number or a percentage.
    #[must_use]
    pub fn rolling(mut self, surge: impl Into<Value>, unavailable: impl Into<Value>) -> Self {
        self.rolling = Some((surge.into(), unavailable.into()));
        self
    }

    /// With minReadySeconds.
    #[must_use]
    pub fn min_ready(mut self, seconds: i32) -> Self {
        self.min_ready = Some(seconds);
        self
    }

    /// With progressDeadlineSeconds.
    #[must_use]
    pub fn deadline(mut self, seconds: i32) -> Self {
        self.deadline = Some(seconds);
        self
    }

    /// With pods that go on answering for so long once they are told to end.
    #[must_use]
    pub fn drain(mut self, seconds: u32) -> Self {
        self.drain_seconds = seconds;
        self.env("DRAIN", &format!("{seconds}s"))
    }

    /// With strategy Recreate.
    #[must_use]
    pub fn recreate(mut self) -> Self {
        self.recreate = true;
        self
    }

    /// With revisionHistoryLimit.
    #[must_use]
    pub fn history(mut self, limit: i32) -> Self {
        self.history = Some(limit);
        self
    }

    /// A manifest that states every field that a release moves, each with the API's default.
    #[must_use]
    pub fn stating_all(mut self) -> Self {
        self.rolling.get_or_insert_with(|| (json!("25%"), json!("25%")));
        self.min_ready.get_or_insert(0);
        self.deadline.get_or_insert(600);
        self.paused.get_or_insert(false);
        self
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> Value {
        let mut spec = json!({
            "selector": {"matchLabels": {"app": self.name}},
            "template": self.template(),
        });
        let mut state = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                spec[name] = value;
            }
        };
        let counted = self.kind != WorkloadKind::DaemonSet;
        state("replicas", counted.then_some(Value::from(self.replicas)));
        state("minReadySeconds", self.min_ready.map(Value::from));
        state("progressDeadlineSeconds", self.deadline.map(Value::from));
        state("revisionHistoryLimit", self.history.map(Value::from));
        state("paused", self.paused.map(Value::from));
        state("podManagementPolicy", self.management.clone().map(Value::from));
        match self.kind {
            WorkloadKind::Deployment => state("strategy", self.rolling_update()),
            WorkloadKind::StatefulSet => {
                let rolling = self.partition.as_ref().map(|partition| {
                    let rolling = json!({"partition": partition});
                    json!({"type": "RollingUpdate", "rollingUpdate": rolling})
                });
                state("updateStrategy", rolling);
            }
            WorkloadKind::CloneSet => state("updateStrategy", Some(self.clone_update())),
            WorkloadKind::DaemonSet => state("updateStrategy", self.rolling_update()),
        }
        if self.kind == WorkloadKind::StatefulSet {
            spec["serviceName"] = json!(self.name);
        }
        if self.recreate {
            spec["strategy"] = json!({"type": "Recreate"});
        }
        json!({
            "apiVersion": self.kind.api_version(),
            "kind": self.kind.as_str(),
            "metadata": {"name": self.name, "labels": {"app": self.name}},
            "spec": spec,
        })
    }

    fn rolling_update(&self) -> Option<Value> {
        let (surge, unavailable) = self.rolling.as_ref()?;
        let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        Some(json!({"type": "RollingUpdate", "rollingUpdate": rolling}))
    }

    fn clone_update(&self) -> Value {
        let kind = if self.in_place { "InPlaceIfPossible" } else { "ReCreate" };
        let mut strategy = json!({"type": kind});
        if let Some((surge, unavailable)) = &self.rolling {
            strategy["maxSurge"] = surge.clone();
            strategy["maxUnavailable"] = unavailable.clone();
        }
        if let Some(partition) = &self.partition {
            strategy["partition"] = partition.clone();
        }
        strategy
    }

    fn template(&self) -> Value {
        let env: Vec<Value> =
            self.env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let scraped = json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080"});
        let mut template = json!({
            "metadata": {"labels": {"app": self.name}, "annotations": scraped},
            "spec": {
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "terminationGracePeriodSeconds": 5 + self.drain_seconds,
                "containers": [{
                    "name": "web",
                    "image": self.image,
                    "imagePullPolicy": "Never",
                    "env": env,
                    "ports": [{"containerPort": 8080}],
                    "readinessProbe": {
                        "httpGet": {"path": "/ready", "port": 8080},
                        "periodSeconds": 1,
                    },
                }],
            },
        });
        if let Some(nodes) = &self.nodes {
            template["spec"]["nodeSelector"] = json!({NODES_LABEL: nodes});
            template["spec"]["tolerations"] = json!([{"key": KWOK_TAINT, "operator": "Exists"}]);
        }
        template
    }
}
