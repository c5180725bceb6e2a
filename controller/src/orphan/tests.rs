//! Tests of orphan: the exact requests that give an armed workload back.

use crds::hold::Bar;
use crds::{Fenced, Hold, IntOrPercent, Original, Revision, WorkloadKind};
use kube::runtime::watcher::Event;
use plan::{Observed, Plan};
use serde_json::{Value, json};

use crate::key::Target;
use crate::queue::Next;
use crate::reconcile::reconcile;
use crate::testing::{
    Exchange, Script, deployment, key, list, raw, read, rollout, scripted, stable_set, status,
    template, with, write,
};
use crate::world::{Source, World};

const ROLLOUTS: &str = "GET /apis/sluice.dev/v1alpha1/namespaces/ns/rollouts?labelSelector=";
const SETS: &str = "GET /apis/apps/v1/namespaces/ns/replicasets?labelSelector=app%3Dweb";
const STRIP: &str =
    "PATCH-merge /apis/apps/v1/namespaces/ns/replicasets/web-1?fieldManager=sluice-controller";
const LABELS: &str =
    "PATCH-merge /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller";
const HOLD: &str =
    "PATCH-json /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller";

/// Nobody is named, and these are armed.
fn world_of(rollouts: &[&Value], armed: &Value) -> World {
    let mut world = World::default();
    list(&mut world, &Source::Rollouts, rollouts);
    list(&mut world, &Source::Armed(WorkloadKind::Deployment), &[armed]);
    list(&mut world, &Source::Kept, &[]);
    world.take_demands();
    world
}

fn none_names_it() -> Exchange {
    read(ROLLOUTS, 200, json!({ "metadata": {}, "items": [] }))
}

fn disarmed(version: u32) -> Value {
    let bare = json!({ "metadata": { "resourceVersion": version.to_string(), "labels": null } });
    with(&deployment(), &bare)
}

/// The copies of the hold go, then the labels.
fn disarming(answer: Value) -> Vec<Exchange> {
    let sets = json!({ "metadata": {}, "items": [stable_set()] });
    let copied = json!({ "metadata": { "uid": "uid-set",
        "annotations": { "sluice.dev/hold": null } } });
    let labels = json!({ "metadata": { "uid": "uid-web",
        "labels": { "sluice.dev/armed": null, "sluice.dev/rollout": null } } });
    vec![
        none_names_it(),
        read(SETS, 200, sets),
        write(STRIP, copied, 200, stable_set()),
        write(LABELS, labels, 200, answer),
    ]
}

fn held(hold: &Hold) -> Value {
    let change = json!({
        "metadata": { "annotations": { "sluice.dev/hold": hold.to_text() } },
        "spec": { "paused": true, "minReadySeconds": 2_147_483_646,
            "progressDeadlineSeconds": 2_147_483_647 },
    });
    let change = match hold.as_fenced() {
        Some(_) => change,
        None => json!({ "metadata": change["metadata"] }),
    };
    with(&deployment(), &change)
}

fn fenced() -> Hold {
    let quarter = IntOrPercent::Percent(25);
    let original = Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: quarter,
        max_unavailable: quarter,
    };
    let [new, old] = ["v2", "v1"].map(|image| Revision::of_template(&template(image)));
    Hold::fenced(Fenced::first(new, old, original))
}

fn lifting(was: &Hold, code: u16, answer: Value) -> Vec<Exchange> {
    let body = json!([
        { "op": "test", "path": "/metadata/uid", "value": "uid-web" },
        { "op": "test", "path": "/metadata/generation", "value": 3 },
        { "op": "test", "path": "/metadata/annotations/sluice.dev~1hold", "value": was.to_text() },
        { "op": "remove", "path": "/metadata/annotations/sluice.dev~1hold" },
    ]);
    vec![none_names_it(), write(HOLD, body, code, answer)]
}

fn seen_through(live: &Value) -> Value {
    let generation = live["metadata"]["generation"].clone();
    with(live, &json!({ "status": { "observedGeneration": generation } }))
}

fn told(script: &mut Script) -> Vec<String> {
    std::iter::from_fn(|| script.news.try_recv().ok()).map(|news| format!("{news:?}")).collect()
}

#[tokio::test]
async fn at_rest_it_is_disarmed_at_once() {
    let world = world_of(&[], &seen_through(&deployment()));
    assert_eq!(world.keys(), [key("web")]);
    let (context, mut script) = scripted(world, disarming(disarmed(11)));
    // Whether there is a Rollout of that name or not, it is its turn.
    assert_eq!(reconcile(&context, &key("web")).await, Next::Forget);
    assert!(context.with_world(|world| world.keys()).is_empty());
    let said = told(&mut script);
    assert!(said.len() == 1 && said[0].contains("not held any more"), "{said:?}");
    script.played(context).await;
}

#[tokio::test(start_paused = true)]
async fn its_own_fields_come_first_and_their_copies_pass() {
    for was in [fenced(), Hold::barred(Revision::from("bbbbbbbbbb"), Bar::Rejected)] {
        let lifted = with(&deployment(), &json!({ "metadata": { "resourceVersion": "11" } }));
        let mut exchanges = lifting(&was, 200, seen_through(&lifted));
        exchanges.extend(disarming(disarmed(12)));
        let (context, mut script) = scripted(world_of(&[], &held(&was)), exchanges);
        let Next::At(at) = reconcile(&context, &key("web")).await else { panic!() };
        // Whatever makes it due before that moment, nothing is written.
        assert_eq!(reconcile(&context, &key("web")).await, Next::At(at));
        tokio::time::sleep_until(at).await;
        assert_eq!(reconcile(&context, &key("web")).await, Next::Forget);
        assert_eq!(told(&mut script).len(), 2);
        script.played(context).await;
    }
}

#[tokio::test]
async fn labels_stay_until_the_stock_controller_has_seen_the_lift() {
    let (context, script) = scripted(world_of(&[], &deployment()), vec![none_names_it()]);
    assert!(matches!(reconcile(&context, &key("web")).await, Next::At(_)));
    script.played(context).await;
}

#[tokio::test]
async fn what_a_rollout_names_on_the_apiserver_is_no_orphan() {
    // The watch has yet to show it.
    let listed = json!({ "metadata": {}, "items": [rollout()] });
    let world = world_of(&[], &seen_through(&deployment()));
    let (context, script) = scripted(world, vec![read(ROLLOUTS, 200, listed)]);
    assert!(matches!(reconcile(&context, &key("web")).await, Next::At(_)));
    script.played(context).await;
}

#[tokio::test]
async fn a_fence_without_a_hold_is_left_alone() {
    let bare = with(&deployment(), &json!({ "spec": { "minReadySeconds": 2_147_483_646 } }));
    let (context, script) = scripted(world_of(&[], &bare), vec![none_names_it()]);
    assert_eq!(reconcile(&context, &key("web")).await, Next::Forget);
    script.played(context).await;
}

fn content(seen: &Observed, _: jiff::Timestamp) -> Plan {
    Plan {
        asks: Vec::new(),
        actions: Vec::new(),
        status: seen.rollout.status.clone(),
        events: Vec::new(),
        wake: None,
        watch_routes: false,
        watch_sets: false,
    }
}

/// A copy of an armed workload carries the label of a Rollout that names another one.
#[tokio::test]
async fn a_copy_is_given_back_and_stands_in_nobodys_way() {
    let copy = json!({ "metadata": { "name": "copy", "uid": "uid-copy" } });
    let copy = with(&seen_through(&deployment()), &copy);
    let mut world = world_of(&[&rollout()], &seen_through(&deployment()));
    let due = world.apply(&Source::Armed(WorkloadKind::Deployment), &Event::Apply(raw(&copy)));
    assert_eq!(due, [key("web")]);
    let (mut context, script) = scripted(world, vec![read(ROLLOUTS, 503, status(503, "no"))]);
    context.decide = content;
    // The Rollout's own turn has ended by then, and ended well.
    assert!(matches!(reconcile(&context, &key("web")).await, Next::At(_)));
    script.played(context).await;
}

#[tokio::test]
async fn a_rollout_that_goes_makes_its_workload_due() {
    let mut world = world_of(&[&rollout()], &seen_through(&deployment()));
    assert!(world.orphans(&key("web")).is_empty());
    let other = with(&rollout(), &json!({ "metadata": { "name": "other", "uid": "uid-other" } }));
    world.apply(&Source::Rollouts, &Event::Apply(raw(&other)));
    world.apply(&Source::Rollouts, &Event::Delete(raw(&rollout())));
    assert!(world.orphans(&key("web")).is_empty(), "the other one names it too");
    let due = world.apply(&Source::Rollouts, &Event::Delete(raw(&other)));
    assert_eq!(due, [key("other"), key("web")]);
    assert_eq!(
        world.orphans(&key("web")),
        [(Target::new(WorkloadKind::Deployment, key("web")), None)]
    );
    world.apply(&Source::Rollouts, &Event::Apply(raw(&rollout())));
    assert!(world.orphans(&key("web")).is_empty());
}
