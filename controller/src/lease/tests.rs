//! Tests of lease.

use std::sync::Arc;

use http::{Method, Request, Response};
use kube::client::Body;
use prometheus_client::registry::Registry;
use runtime::Readiness;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tower_test::mock;

use super::*;

const ME: &str = "me_1";

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn the_spans_leave_room() {
    // A leader stops before anybody else may start, and can miss a renewal or two before.
    assert!(DEADLINE + CALL <= LEASE);
    assert!(RENEW + CALL + CALL < DEADLINE);
}

/// Every holder, whether we lead, every age on both sides of each border.
#[test]
fn the_whole_table() {
    use Verdict::{Acquire, Lost, Renew, Wait};
    let start = clock::instant();
    let other = Some("other");
    let table = [
        // holder, lease's own seconds, renewed ago, seen ago, verdict
        (None, 5.0, None, 0.0, Acquire),
        (None, 5.0, None, 9.0, Acquire),
        (None, 5.0, Some(0.0), 0.0, Lost),
        (None, 5.0, Some(9.0), 9.0, Lost),
        (other, 5.0, None, 0.0, Wait(seconds(5.0))),
        (other, 5.0, None, 4.999, Wait(seconds(0.001))),
        (other, 5.0, None, 5.0, Acquire),
        (other, 15.0, None, 5.0, Wait(seconds(10.0))),
        (other, 15.0, None, 15.0, Acquire),
        (other, 5.0, Some(0.0), 0.0, Lost),
        (other, 5.0, Some(9.0), 9.0, Lost),
        (Some(ME), 5.0, None, 0.0, Acquire),
        (Some(ME), 5.0, None, 9.0, Acquire),
        (Some(ME), 5.0, Some(0.0), 0.0, Wait(seconds(1.5))),
        (Some(ME), 5.0, Some(1.499), 1.499, Wait(seconds(0.001))),
        (Some(ME), 5.0, Some(1.5), 1.5, Renew),
        (Some(ME), 5.0, Some(3.999), 3.999, Renew),
        (Some(ME), 5.0, Some(4.0), 4.0, Lost),
        // What was seen last does not matter to the leader, only its own last success.
        (Some(ME), 5.0, Some(4.0), 0.0, Lost),
        (Some(ME), 15.0, Some(4.0), 4.0, Lost),
    ];
    for (holder, duration, renewed_ago, seen_ago, expected) in table {
        let now = start + seconds(100.0);
        let view = LeaseView { holder: holder.map(str::to_owned), duration: seconds(duration) };
        let renewed_at = renewed_ago.map(|ago| now - seconds(ago));
        let verdict = judge(&view, ME, renewed_at, now - seconds(seen_ago), now);
        let case = (holder, duration, renewed_ago, seen_ago);
        assert_eq!(verdict, expected, "{case:?}");
    }
}

/// A Lease on a scripted apiserver: preconditions are checked, and writes can be made to fail.
#[derive(Debug, Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    /// Writes to refuse with 500 before they do anything.
    failing: u32,
    writes: Vec<(Method, Value)>,
}

impl Server {
    fn put(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }

    fn write(&mut self, method: &Method, body: Value) -> (u16, Value) {
        self.writes.push((method.clone(), body.clone()));
        let held = self.lease.as_ref().map(|lease| &lease["metadata"]["resourceVersion"]);
        if self.failing > 0 {
            self.failing -= 1;
            return (500, status(500));
        }
        match (method, held) {
            (&Method::POST, None) => (201, self.put(body)),
            (&Method::PUT, Some(held)) if body["metadata"]["resourceVersion"] == *held => {
                (200, self.put(body))
            }
            (&Method::PUT, None) => (404, status(404)),
            _ => (409, status(409)),
        }
    }

    fn holder(&self) -> Option<&str> {
        self.lease.as_ref()?["spec"]["holderIdentity"].as_str()
    }
}

fn status(code: u16) -> Value {
    json!({ "kind": "Status", "code": code, "message": "no", "reason": "" })
}

type Shared = Arc<Mutex<Server>>;

/// Answers requests until the client is gone. A watch stays open without events.
async fn serve(server: Shared, mut handle: mock::Handle<Request<Body>, Response<Body>>) {
    let mut watches = Vec::new();
    while let Some((request, send)) = handle.next_request().await {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let mut server = server.lock().await;
        let (code, body) = if parts.method != Method::GET {
            let body = body.collect_bytes().await.unwrap();
            server.write(&parts.method, serde_json::from_slice(&body).unwrap())
        } else if query.contains("watch=true") {
            watches.push(send);
            continue;
        } else if parts.uri.path().ends_with("/leases/sluice") {
            match &server.lease {
                Some(lease) => (200, lease.clone()),
                None => (404, status(404)),
            }
        } else {
            assert!(query.contains("metadata.name%3Dsluice"), "{query}");
            let items: Vec<_> = server.lease.iter().cloned().collect();
            let metadata = json!({ "resourceVersion": server.version.max(1).to_string() });
            (200, json!({ "metadata": metadata, "items": items }))
        };
        let body = Body::from(body.to_string().into_bytes());
        send.send_response(Response::builder().status(code).body(body).unwrap());
    }
}

fn elector(server: &Shared) -> (Elector, tokio::task::JoinSet<()>) {
    let (service, handle) = mock::pair::<Request<Body>, Response<Body>>();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(serve(Arc::clone(server), handle));
    let client = Client::new(service, "sluice-system");
    let metrics = Metrics::register(&mut Registry::default());
    let ready = Readiness::default().condition("lease");
    let elector = Elector::new(client, "sluice-system", "sluice", ME.to_owned(), metrics, ready);
    (elector, tasks)
}

fn lease_of(holder: &str, seconds: i32) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "sluice", "namespace": "sluice-system", "resourceVersion": "1",
            "labels": { "kept": "yes" } },
        "spec": { "holderIdentity": holder, "leaseDurationSeconds": seconds,
            "leaseTransitions": 3, "acquireTime": "2020-01-01T00:00:00.000000Z",
            // A holder's wall clock may be years off: nobody asks it.
            "renewTime": "2020-01-01T00:00:00.000000Z" },
    })
}

fn server_with(lease: Option<Value>) -> Shared {
    Arc::new(Mutex::new(Server { version: 1, lease, ..Server::default() }))
}

#[tokio::test(start_paused = true)]
async fn the_first_one_makes_the_lease() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    assert!(!elector.tenure().is_valid());
    let held = elector.acquire().await;
    assert!(elector.tenure().is_valid());
    let server = server.lock().await;
    assert_eq!(server.holder(), Some(ME));
    assert_eq!(server.writes.len(), 1);
    assert_eq!(server.writes[0].0, Method::POST);
    assert_eq!(held.lease.spec.unwrap().lease_duration_seconds, Some(5));
}

#[tokio::test(start_paused = true)]
async fn another_holder_is_waited_for_by_our_own_clock() {
    let server = server_with(Some(lease_of("other", 15)));
    let (elector, _tasks) = elector(&server);
    let begun = clock::instant();
    elector.acquire().await;
    let waited = clock::instant() - begun;
    assert!(waited >= seconds(15.0) && waited < seconds(16.0), "{waited:?}");
    let server = server.lock().await;
    let (method, body) = &server.writes[0];
    assert_eq!(method, Method::PUT);
    assert_eq!(body["metadata"]["resourceVersion"], "1");
    assert_eq!(body["metadata"]["labels"]["kept"], "yes");
    assert_eq!(body["spec"]["holderIdentity"], ME);
    assert_eq!(body["spec"]["leaseTransitions"], 4);
    assert_ne!(body["spec"]["acquireTime"], "2020-01-01T00:00:00.000000Z");
}

#[tokio::test(start_paused = true)]
async fn a_lease_let_go_is_taken_at_once() {
    let server = server_with(Some(lease_of("", 1)));
    let (elector, _tasks) = elector(&server);
    let begun = clock::instant();
    elector.acquire().await;
    assert!(clock::instant() - begun < seconds(0.5));
}

#[tokio::test(start_paused = true)]
async fn the_leader_renews_and_stops_when_another_took_it() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let held = elector.acquire().await;
    let stolen = async {
        sleep(seconds(20.0)).await;
        let mut server = server.lock().await;
        assert!(server.writes.len() >= 13, "{}", server.writes.len());
        server.put(lease_of("other", 5));
    };
    let kept = async {
        elector.keep(held).await;
        clock::instant()
    };
    let begun = clock::instant();
    let ((), lost) = tokio::join!(stolen, kept);
    assert!(lost - begun < seconds(22.5), "{:?}", lost - begun);
    assert!(!elector.tenure().is_valid());
    assert_eq!(server.lock().await.holder(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_in_time() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let held = elector.acquire().await;
    server.lock().await.failing = u32::MAX;
    let begun = clock::instant();
    elector.keep(held).await;
    let took = clock::instant() - begun;
    assert!(took >= seconds(3.5) && took < LEASE, "{took:?}");
    assert!(server.lock().await.writes.len() >= 4);
}

#[tokio::test(start_paused = true)]
async fn two_failed_renewals_cost_nothing() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let held = elector.acquire().await;
    server.lock().await.failing = 2;
    let kept = timeout(seconds(30.0), elector.keep(held)).await;
    assert!(kept.is_err() && elector.tenure().is_valid());
}

#[tokio::test(start_paused = true)]
async fn a_foreign_touch_of_our_lease_is_survived() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let held = elector.acquire().await;
    let touched = async {
        sleep(seconds(5.0)).await;
        let mut server = server.lock().await;
        let lease = server.lease.clone().unwrap();
        server.put(lease);
    };
    let (kept, ()) = tokio::join!(timeout(seconds(30.0), elector.keep(held)), touched);
    assert!(kept.is_err() && elector.tenure().is_valid());
}

#[tokio::test(start_paused = true)]
async fn tenure_ends_by_itself() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let _held = elector.acquire().await;
    // Nobody renews: a process that was frozen must not write when it thaws.
    tokio::time::advance(DEADLINE).await;
    assert!(!elector.tenure().is_valid());
}

#[tokio::test(start_paused = true)]
async fn release_frees_our_lease_and_nobody_elses() {
    let server = server_with(None);
    let (elector, _tasks) = elector(&server);
    let _held = elector.acquire().await;
    server.lock().await.failing = 2;
    elector.release().await;
    assert_eq!(server.lock().await.holder(), Some(""));
    assert!(!elector.tenure().is_valid());

    server.lock().await.put(lease_of("other", 5));
    elector.release().await;
    assert_eq!(server.lock().await.holder(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn of_two_that_try_at_once_one_leads() {
    let server = server_with(Some(lease_of("", 5)));
    let (first, _tasks) = elector(&server);
    let (mut second, _others) = elector(&server);
    second.me = "me_2".to_owned();
    let first = async { timeout(seconds(3.0), first.acquire()).await.is_ok() };
    let second = async { timeout(seconds(3.0), second.acquire()).await.is_ok() };
    let (first, second) = tokio::join!(first, second);
    assert!(first != second, "{first} {second}");
}

#[tokio::test(start_paused = true)]
async fn the_same_lease_seen_again_is_no_sign_of_life() {
    let lease: Lease = serde_json::from_value(lease_of("other", 5)).unwrap();
    let again = lease.clone();
    let watch = futures::stream::iter([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(lease)),
        Ok(watcher::Event::InitDone),
        Ok(watcher::Event::Apply(again)),
    ]);
    let mut sight = Sight::new(watch);
    for _ in 0..3 {
        sight.next().await;
    }
    let (_, first) = sight.seen.clone().unwrap();
    tokio::time::advance(seconds(2.0)).await;
    sight.next().await;
    assert_eq!(sight.seen.unwrap().1, first);
}
