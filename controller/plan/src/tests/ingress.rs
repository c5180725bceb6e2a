//! Requests through an Ingress: the canary Ingress beside it comes after the Ingress sends the rest
//! to the stable revision alone, and goes before anything that it needs.

use crds::IntOrPercent::{Count, Percent};
use crds::contract::FENCE_MIN_READY_SECONDS;
use crds::request::Verb;
use crds::rollout::Batch;
use crds::route::{Condition, RouteHold};
use crds::status::Phase;
use crds::{Fenced, RouteRef, Target, Traffic as Asked};

use super::scene::{ORIGINAL, Scene, assert_phase, fields, manual, revision, set, waits};
use super::traffic::{holds, perform, route, routed_by, settled, traffic, weight};
use crate::action::{Action, Plan};
use crate::observed::{CanarySeen, CanaryWanted, Fact, Sets};

fn web() -> RouteRef {
    RouteRef {
        api_version: "networking.k8s.io/v1".into(),
        kind: "Ingress".into(),
        name: "web".into(),
    }
}

/// The canary Ingress that a hold asks for: named after the revision that its Service is of.
pub(super) fn asked(route: &RouteRef, hold: &RouteHold) -> Option<CanaryWanted> {
    let share = hold.shares.first()?;
    let some = share.weight < 100 && (share.weight > 0 || !share.conditions.is_empty());
    let name = share.canary.clone();
    (route.kind == "Ingress" && some).then_some(CanaryWanted { name, right: false })
}

/// A canary Ingress as it has to be.
pub(super) fn written(scene: &mut Scene, of: &RouteRef, name: &str) {
    let (_, revision) = name.rsplit_once('-').unwrap();
    let seen = CanarySeen {
        name: name.into(),
        uid: name.into(),
        route: of.clone(),
        revision: revision.into(),
    };
    traffic(scene).canaries = vec![seen];
    route(scene).canary = Some(CanaryWanted { name: name.into(), right: true });
}

fn routed(scene: Scene) -> Scene {
    routed_by(scene, web())
}

/// What a plan writes to the Ingress and beside it, in its order.
fn writes(plan: &Plan) -> Vec<&'static str> {
    let name = |action: &Action| match action {
        Action::WriteRoute { hold: Some(_), .. } => Some("hold"),
        Action::WriteRoute { hold: None, .. } => Some("lift"),
        Action::WriteCanary { .. } => Some("canary"),
        Action::DropCanary { .. } => Some("no canary"),
        Action::CreateService { .. } => Some("service"),
        Action::DeleteService { .. } => Some("no service"),
        _ => None,
    };
    plan.actions.iter().filter_map(name).collect()
}

/// Plans and performs until nothing is written; all writes in their order.
fn story(scene: &mut Scene) -> Vec<&'static str> {
    let mut all = Vec::new();
    for _ in 0..10 {
        let plan = scene.plan();
        *scene.status() = plan.status.clone();
        let now = writes(&plan);
        if now.is_empty() {
            return all;
        }
        all.extend(now);
        perform(scene, &plan);
    }
    panic!("never settles: {all:?}");
}

/// In the first batch with both pods ready and 20 % of the requests.
fn shared() -> Scene {
    let mut scene = routed(Scene::after_first_batch());
    settled(&mut scene);
    scene.later(11);
    settled(&mut scene);
    scene
}

#[test]
fn the_stable_revision_answers_alone_without_a_canary() {
    let mut scene = routed(Scene::announced());
    let (writes, plan) = (story(&mut scene), scene.plan());
    assert_eq!(writes, ["service", "hold"]);
    assert_phase(&plan, Phase::Progressing, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(0), 0));
    scene.later(11);
    assert_eq!(holds(&scene.plan()), 1);
}

#[test]
fn the_canary_comes_last_and_then_its_time_begins() {
    let mut scene = routed(Scene::after_first_batch());
    scene.status().batch.as_mut().unwrap().ready_at = None;
    assert_eq!(story(&mut scene), ["service", "service", "hold", "canary"]);
    assert_phase(&scene.plan(), Phase::Progressing, "RouteSettles");
    scene.later(11);
    assert_phase(&settled(&mut scene), Phase::Paused, "Promotion");
}

#[test]
fn a_canary_that_is_missing_or_changed_is_written_again() {
    let mut scene = shared();
    route(&mut scene).canary.as_mut().unwrap().right = false;
    let plan = scene.plan();
    assert_eq!(writes(&plan), ["canary"]);
    assert_eq!(plan.status.routes[0].seen_at, None);
}

#[test]
fn the_canary_goes_before_the_pods_of_an_abort() {
    let mut scene = shared();
    scene.ask(Verb::Abort, "v2", 1);
    // The first of all: it needs no webhook.
    assert_eq!(story(&mut scene), ["no canary", "hold"]);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Aborting, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(0), 0));
    scene.later(11);
    assert_eq!(holds(&scene.plan()), 1);
}

#[test]
fn at_the_end_the_ingress_is_the_users_own_before_its_services_go() {
    let mut scene = shared();
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.sets(Sets { update: Some(set("v2", 10)), old: Vec::new() });
    assert_eq!(story(&mut scene), ["no canary", "lift"]);
    assert_eq!(waits(&scene.plan()), "RouteSettles");
    scene.later(11);
    assert_eq!(story(&mut scene), ["no service", "no service"]);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert!(plan.status.routes.is_empty() && !plan.watch_routes);
}

#[test]
fn a_canary_of_an_ingress_that_is_gone_goes_too() {
    let mut scene = shared();
    traffic(&mut scene).routes[0].seen = Fact::Absent;
    let plan = scene.plan();
    assert_eq!(writes(&plan), ["no canary"]);
    assert_eq!(waits(&plan), "RouteMissing");
}

#[test]
fn only_the_chosen_ones_come_by_a_canary_of_no_weight() {
    let mut scene = routed(Scene::after_first_batch());
    let condition: Condition =
        serde_json::from_str(r#"{"cookies": [{"name": "beta", "value": "always"}]}"#).unwrap();
    let asked = Asked { weight: None, matches: vec![condition] };
    let batch = Batch { traffic: Some(asked), ..manual(Percent(20)) };
    scene.seen.rollout.spec.strategy.batches[0] = batch.clone();
    scene.status().batch.as_mut().unwrap().definition = Some(batch);
    settled(&mut scene);
    assert_eq!(weight(&mut scene), Some(0));
    assert_eq!(traffic(&mut scene).canaries[0].revision, revision("v2"));
}

/// Before the last old pods go the Ingress itself names the update's Service, and no canary is
/// asked for.
#[test]
fn the_canary_goes_once_the_ingress_sends_everything_itself() {
    let mut scene = shared();
    let batches = scene.seen.rollout.spec.strategy.batches.len();
    scene.seen.rollout.spec.strategy.batches.remove(batches - 2);
    let target = Target { paused: false, max_surge: Count(0), max_unavailable: Percent(90) };
    let fenced = Fenced { batch: 2, target, ..scene.fenced() };
    scene.hold(fenced);
    let mut update = set("v2", 9);
    (update.available, update.min_ready_seconds) = (Some(0), FENCE_MIN_READY_SECONDS);
    scene.sets(Sets { update: Some(update), old: vec![set("v1", 1)] });
    assert_eq!(story(&mut scene), ["hold", "no canary"]);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Progressing, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(100), 0));
    scene.later(11);
    assert_eq!(holds(&scene.plan()), 1);
}

/// An Ingress that is changed until it cannot be shared any more has the user's own rules: what is
/// beside it would take a share of those.
#[test]
fn beside_an_unfit_ingress_there_is_no_canary() {
    let mut scene = shared();
    let seen = route(&mut scene);
    seen.projected = Err("it is of alb, and only class nginx is known".into());
    seen.canary = None;
    let plan = scene.plan();
    assert_eq!(writes(&plan), ["no canary"]);
    assert_eq!(waits(&plan), "RouteUnfit");
}
