//! Tests of engine.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crds::RolloutStatus;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use plan::{Fact, Observed, Plan};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tower_test::mock;

use super::*;
use crate::cluster::Cluster;
use crate::hook::Hooks;
use crate::lease::Tenure;
use crate::metrics::Metrics;
use crate::notify::Outbox;
use crate::provider::Providers;
use crate::publish;
use crate::testing::{deployment, rollout, stable_set, with};

type Answer = UnsyncBoxBody<Bytes, std::convert::Infallible>;
type Lines = mpsc::UnboundedReceiver<Value>;

/// An apiserver with lists that stand still and watches that the test feeds.
struct Server {
    /// Items by path.
    lists: BTreeMap<&'static str, Vec<Value>>,
    /// Ends of open watches by path and query.
    watches: Arc<Mutex<BTreeMap<String, mpsc::UnboundedSender<Value>>>>,
    /// Every request, in order.
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn serve(self, mut handle: mock::Handle<Request<Body>, Response<Answer>>) {
        while let Some((request, send)) = handle.next_request().await {
            let (parts, _) = request.into_parts();
            let path = parts.uri.path().to_owned();
            let query = parts.uri.query().unwrap_or_default();
            let selector = query.split('&').find(|pair| pair.contains("Selector="));
            let name = format!("{path}?{}", selector.unwrap_or_default());
            self.log.lock().unwrap().push(format!("{} {name}", parts.method));
            let body = if query.contains("watch=true") {
                let (sender, lines) = mpsc::unbounded_channel();
                self.watches.lock().unwrap().insert(name, sender);
                watch_body(lines)
            } else if parts.method == http::Method::GET {
                let items = self.lists.get(path.as_str()).cloned().unwrap_or_default();
                let list = json!({ "metadata": { "resourceVersion": "1" }, "items": items });
                whole(&list)
            } else {
                whole(&written(&path))
            };
            send.send_response(Response::new(body));
        }
    }
}

/// What a write to this leaves.
fn written(path: &str) -> Value {
    let labels = json!({ "metadata": { "resourceVersion": "41", "labels": null } });
    let said = json!({ "metadata": { "resourceVersion": "5" }, "status": { "phase": "Ready" } });
    match path {
        path if path.contains("/deployments/") => with(&deployment(), &labels),
        path if path.contains("/replicasets/") => stable_set(),
        _ => with(&rollout(), &said),
    }
}

fn whole(body: &Value) -> Answer {
    Full::new(Bytes::from(body.to_string())).boxed_unsync()
}

fn watch_body(lines: Lines) -> Answer {
    let frames = futures::stream::unfold(lines, |mut lines| async move {
        let line: Value = lines.recv().await?;
        let bytes = Bytes::from(format!("{line}\n"));
        Some((Ok::<_, std::convert::Infallible>(Frame::data(bytes)), lines))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Wants the sets of what is there, and says Ready once.
fn decide(seen: &Observed, _: Timestamp) -> Plan {
    let phase = match seen.workload {
        Fact::Known(_) => crds::status::Phase::Ready,
        Fact::Absent | Fact::Unknown(_) => seen.rollout.status.phase,
    };
    Plan {
        asks: Vec::new(),
        actions: Vec::new(),
        status: RolloutStatus { phase, ..RolloutStatus::default() },
        events: Vec::new(),
        wake: None,
        watch_routes: false,
        watch_sets: matches!(seen.workload, Fact::Known(_)),
    }
}

const ROLLOUTS: &str = "/apis/sluice.dev/v1alpha1/rollouts";
const ALONE: &str = "/apis/apps/v1/namespaces/ns/deployments?fieldSelector=metadata.name%3Dweb";
const ARMED: &str = "/apis/apps/v1/deployments?labelSelector=sluice.dev%2Farmed%3Dtrue";
const SETS: &str = "/apis/apps/v1/namespaces/ns/replicasets?labelSelector=app%3Dweb";
const PODS: &str = "/api/v1/namespaces/ns/pods?labelSelector=app%3Dweb";

/// Waits until something holds; time is paused, so that this is no matter of speed.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(start_paused = true)]
async fn a_life() {
    let (service, handle) = mock::pair::<Request<Body>, Response<Answer>>();
    let (watches, log) = (Arc::default(), Arc::<Mutex<Vec<String>>>::default());
    let unarmed = with(&deployment(), &json!({ "metadata": { "labels": null } }));
    let server = Server {
        lists: BTreeMap::from([
            (ROLLOUTS, vec![rollout()]),
            ("/apis/apps/v1/namespaces/ns/deployments", vec![unarmed]),
            ("/apis/apps/v1/namespaces/ns/replicasets", vec![stable_set()]),
        ]),
        watches: Arc::clone(&watches),
        log: Arc::clone(&log),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(server.serve(handle));
    let metrics = Metrics::register(&mut Registry::default());
    let (news, _receiver) = publish::channel();
    let client = Client::new(service, "x");
    let context = Arc::new(Context {
        providers: Providers::new(client.clone(), "sluice-system"),
        hooks: Hooks::new(client.clone(), "sluice-system"),
        outbox: Arc::new(Outbox::new(metrics.clone())),
        cluster: Cluster::new(client, Tenure::endless(), metrics.clone()),
        world: Arc::default(),
        demand: Notify::new(),
        news,
        metrics,
        shutdown: Shutdown::default(),
        decide,
    });
    let world = Arc::clone(&context.world);
    let shutdown = Shutdown::default();
    let stop = shutdown.clone();
    tasks.spawn(async move { run(context, 4, &stop).await });

    // The workload is not armed: it is looked at alone; what is wanted of it is watched.
    let open = |name: &str| watches.lock().unwrap().get(name).is_some_and(is_open);
    until("all watches are open", || {
        [ROLLOUTS_WATCH, ARMED, ALONE, SETS, PODS].iter().all(|name| open(name))
    })
    .await;
    let writes = |kind: &str| {
        let to = |line: &&String| line.starts_with("PATCH") && line.contains(kind);
        log.lock().unwrap().iter().filter(to).count()
    };
    until("the status is said", || writes("/rollouts/") == 1).await;

    // Armed: the look at it alone ends, the rest stays.
    let change = json!({ "metadata": { "resourceVersion": "30" },
        "status": { "observedGeneration": 3 } });
    let armed = with(&deployment(), &change);
    send(&watches, ARMED, json!({ "type": "ADDED", "object": armed }));
    until("the look alone ends", || !open(ALONE)).await;
    assert!(open(SETS) && open(PODS) && open(ARMED));

    // The Rollout goes, and so do its watches. Nobody else names the workload: it is given back.
    let gone = with(&rollout(), &json!({ "metadata": { "resourceVersion": "40" } }));
    send(&watches, ROLLOUTS_WATCH, json!({ "type": "DELETED", "object": gone }));
    until("its watches end", || !open(SETS) && !open(PODS)).await;
    until("the labels are off", || writes("/deployments/web") == 1).await;
    until("nothing is left to do", || world.lock().unwrap().keys().is_empty()).await;
    assert!(open(ARMED));
    assert_eq!(writes("/rollouts/"), 1);

    shutdown.stop();
    until("it stops", || !open(ARMED)).await;
}

const ROLLOUTS_WATCH: &str = "/apis/sluice.dev/v1alpha1/rollouts?";

fn is_open(sender: &mpsc::UnboundedSender<Value>) -> bool {
    !sender.is_closed()
}

fn send(watches: &Mutex<BTreeMap<String, mpsc::UnboundedSender<Value>>>, name: &str, event: Value) {
    watches.lock().unwrap()[name].send(event).unwrap();
}
