//! A scripted apiserver for tests: the exact requests that are expected, in order, and the
//! answers to them.

pub mod server;
pub mod tls;

use std::sync::{Arc, Mutex};

use crds::WorkloadKind;
use http::{Request, Response};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use plan::{Observed, Plan};
use prometheus_client::registry::Registry;
use runtime::Shutdown;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tower_test::mock;

use crate::cluster::Cluster;
use crate::hook::Hooks;
use crate::key::Key;
use crate::lease::Tenure;
use crate::metrics::Metrics;
use crate::notify::Outbox;
use crate::provider::Providers;
use crate::publish::{self, News};
use crate::raw::Raw;
use crate::reconcile::Context;
use crate::world::{Source, World};

/// A request that has to come, and the answer to it.
#[derive(Debug)]
pub struct Exchange {
    /// `GET /path?query`; a patch is `PATCH-json` or `PATCH-merge`.
    pub request: &'static str,
    /// Its body; null for none.
    pub body: Value,
    /// The answer's status.
    pub code: u16,
    /// The answer's body.
    pub answer: Value,
}

/// A request without a body.
pub fn read(request: &'static str, code: u16, answer: Value) -> Exchange {
    Exchange { request, body: Value::Null, code, answer }
}

/// A request with a body.
pub fn write(request: &'static str, body: Value, code: u16, answer: Value) -> Exchange {
    Exchange { request, body, code, answer }
}

/// A Status as the apiserver sends it.
pub fn status(code: u16, message: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "message": message })
}

/// What the apiserver says of a JSON patch whose test fails.
pub fn failed_test() -> Value {
    status(422, "the server rejected our request due to an error in our request")
}

/// The tests' own end of a Context.
pub struct Script {
    tasks: JoinSet<()>,
    /// Events on their way.
    pub news: mpsc::Receiver<News>,
}

impl Script {
    /// All exchanges took place, and nothing else.
    pub async fn played(mut self, context: impl Sized) {
        drop(context);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn no_plan(seen: &Observed, _: Timestamp) -> Plan {
    plan::plan(seen, Timestamp::UNIX_EPOCH)
}

/// A leader's Context on a scripted apiserver.
pub fn scripted(world: World, exchanges: Vec<Exchange>) -> (Context, Script) {
    with_tenure(world, exchanges, Tenure::endless())
}

/// The same for somebody who may not be the leader.
pub fn with_tenure(world: World, exchanges: Vec<Exchange>, tenure: Tenure) -> (Context, Script) {
    let (service, handle) = mock::pair::<Request<Body>, Response<Body>>();
    let mut tasks = JoinSet::new();
    tasks.spawn(play(exchanges, handle));
    let metrics = Metrics::register(&mut Registry::default());
    let (sender, news) = publish::channel();
    let client = Client::new(service, "default");
    let context = Context {
        cluster: Cluster::new(client.clone(), tenure, metrics.clone()),
        providers: Providers::new(client.clone(), "sluice-system"),
        hooks: Hooks::new(client, "sluice-system"),
        world: Arc::new(Mutex::new(world)),
        demand: Notify::new(),
        news: sender,
        outbox: Arc::new(Outbox::new(metrics.clone())),
        metrics,
        shutdown: Shutdown::default(),
        decide: no_plan,
    };
    (context, Script { tasks, news })
}

async fn play(exchanges: Vec<Exchange>, mut handle: mock::Handle<Request<Body>, Response<Body>>) {
    for expected in exchanges {
        let Some((request, send)) = handle.next_request().await else {
            panic!("never came: {}", expected.request);
        };
        let (seen, body) = told(request).await;
        assert_eq!(seen, expected.request);
        assert_eq!(body, expected.body, "{seen}");
        let answer = Body::from(expected.answer.to_string().into_bytes());
        send.send_response(Response::builder().status(expected.code).body(answer).unwrap());
    }
    if let Some((request, _)) = handle.next_request().await {
        panic!("nobody expects {:?}", told(request).await);
    }
}

async fn told(request: Request<Body>) -> (String, Value) {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let method = match kind {
        Some("application/json-patch+json") => "PATCH-json",
        Some("application/merge-patch+json") => "PATCH-merge",
        _ => parts.method.as_str(),
    };
    let query = parts.uri.query().unwrap_or_default().trim_start_matches('&');
    let mark = if query.is_empty() { "" } else { "?" };
    let body = body.collect_bytes().await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (format!("{method} {}{mark}{query}", parts.uri.path()), body)
}

/// An object.
pub fn raw(value: &Value) -> Raw {
    Raw::new(value.clone()).unwrap()
}

/// Takes `change` into `value`, as a JSON merge patch does.
pub fn with(value: &Value, change: &Value) -> Value {
    let mut value = value.clone();
    json_patch::merge(&mut value, change);
    value
}

/// Namespace `ns`.
pub fn key(name: &str) -> Key {
    Key::new("ns", name)
}

/// A complete list.
pub fn list(world: &mut World, source: &Source, objects: &[&Value]) {
    world.apply(source, &Event::Init);
    for object in objects {
        world.apply(source, &Event::InitApply(raw(object)));
    }
    world.apply(source, &Event::InitDone);
}

/// Rollout `ns/web`.
pub fn rollout() -> Value {
    json!({
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
        "metadata": { "namespace": "ns", "name": "web", "uid": "uid-rollout", "generation": 1,
            "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["example.com/other"] },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "strategy": { "batches": [{ "replicas": "100%" }] },
        },
    })
}

/// Deployment `ns/web`, armed, at rest.
pub fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": "ns", "name": "web", "uid": "uid-web", "generation": 3,
            "resourceVersion": "10",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web" },
            "annotations": { "deployment.kubernetes.io/revision": "1" } },
        "spec": {
            "replicas": 4,
            "selector": { "matchLabels": { "app": "web" } },
            "progressDeadlineSeconds": 600,
            "strategy": { "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } },
            "template": template("v2"),
        },
    })
}

/// A pod template.
pub fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "app", "image": image }] },
    })
}

/// ReplicaSet `ns/web-1` with the template `v1`.
pub fn stable_set() -> Value {
    let mut template = template("v1");
    template["metadata"]["labels"]["pod-template-hash"] = json!("abc");
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "namespace": "ns", "name": "web-1", "uid": "uid-set",
            "resourceVersion": "20",
            "annotations": { "deployment.kubernetes.io/revision": "1", "sluice.dev/hold": "x" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                "uid": "uid-web", "controller": true }] },
        "spec": { "replicas": 4, "template": template },
    })
}

/// The standing lists with these two, and `deployment` among the armed.
pub fn world(rollout: &Value, deployment: &Value) -> World {
    let mut world = World::default();
    list(&mut world, &Source::Rollouts, &[rollout]);
    list(&mut world, &Source::Armed(WorkloadKind::Deployment), &[deployment]);
    list(&mut world, &Source::Armed(WorkloadKind::StatefulSet), &[]);
    list(&mut world, &Source::Armed(WorkloadKind::DaemonSet), &[]);
    list(&mut world, &Source::Kept, &[]);
    world.take_demands();
    world
}
