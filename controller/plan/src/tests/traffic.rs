//! Requests follow the pods: what is written to routes and Services, in which order, and what waits
//! for it.

use crds::IntOrPercent::{Count, Percent};
use crds::contract::FENCE_MIN_READY_SECONDS;
use crds::request::Verb;
use crds::rollout::Batch;
use crds::route::{Condition, RouteHold, RouteReading};
use crds::status::Phase;
use crds::{Fenced, RouteRef, Target, Traffic as Asked, TrafficRoute};

use super::ingress;
use super::scene::{ORIGINAL, Scene, assert_phase, fields, manual, revision, set, waits, written};
use crate::action::{Action, Plan};
use crate::observed::{Fact, RouteFact, RouteSeen, ServiceSeen, Sets, Traffic};
use crate::traffic::service_name;

fn web() -> RouteRef {
    RouteRef {
        api_version: "gateway.networking.k8s.io/v1".into(),
        kind: "HTTPRoute".into(),
        name: "web".into(),
    }
}

fn untouched() -> RouteSeen {
    RouteSeen {
        uid: "route-uid".into(),
        generation: 4,
        hold: RouteReading::None,
        hold_text: None,
        backends: vec!["web".into()],
        projected: Ok(true),
        taken: Ok(()),
        canary: None,
    }
}

fn routed(scene: Scene) -> Scene {
    routed_by(scene, web())
}

/// With its requests through this one.
pub(super) fn routed_by(mut scene: Scene, route: RouteRef) -> Scene {
    scene.seen.rollout.spec.routes = vec![TrafficRoute {
        name: "web".into(),
        service: "web".into(),
        refs: vec![route.clone()],
        settle: None,
    }];
    let routes = vec![RouteFact { route, seen: Fact::Known(untouched()) }];
    let users = vec!["web".into()];
    scene.seen.traffic = Fact::Known(Traffic { routes, users, ..Traffic::default() });
    scene
}

pub(super) fn traffic(scene: &mut Scene) -> &mut Traffic {
    match &mut scene.seen.traffic {
        Fact::Known(traffic) => traffic,
        other => panic!("no traffic: {other:?}"),
    }
}

pub(super) fn route(scene: &mut Scene) -> &mut RouteSeen {
    match &mut traffic(scene).routes[0].seen {
        Fact::Known(seen) => seen,
        other => panic!("no route: {other:?}"),
    }
}

/// Does what the plan writes to routes and beside them; a Service has its endpoints at once.
pub(super) fn perform(scene: &mut Scene, plan: &Plan) {
    for action in &plan.actions {
        match action {
            Action::CreateService { name, service, revision, .. } => {
                let (name, service, revision) = (name.clone(), service.clone(), revision.clone());
                let seen = ServiceSeen { uid: name.clone(), name, service, revision, ready: 9 };
                traffic(scene).services.push(seen);
            }
            Action::DeleteService { name, .. } => {
                traffic(scene).services.retain(|seen| seen.name != *name);
            }
            Action::WriteRoute { route: written, hold, .. } => {
                let seen = route(scene);
                seen.canary = hold.as_ref().and_then(|hold| ingress::asked(written, hold));
                seen.hold_text = hold.as_ref().map(RouteHold::to_text);
                seen.hold = hold
                    .as_ref()
                    .map_or(RouteReading::None, |hold| RouteReading::Hold(Box::new(hold.clone())));
            }
            Action::WriteCanary { route, name, .. } => ingress::written(scene, route, name),
            Action::DropCanary { name, .. } => {
                traffic(scene).canaries.retain(|seen| seen.name != *name);
            }
            _ => {}
        }
    }
}

/// Plans and performs until nothing is written to routes and beside them; the last plan.
pub(super) fn settled(scene: &mut Scene) -> Plan {
    for _ in 0..10 {
        let plan = scene.plan();
        *scene.status() = plan.status.clone();
        let moved = |action: &Action| {
            matches!(
                action,
                Action::WriteRoute { .. }
                    | Action::CreateService { .. }
                    | Action::DeleteService { .. }
                    | Action::WriteCanary { .. }
                    | Action::DropCanary { .. }
            )
        };
        if !plan.actions.iter().any(moved) && scene.plan().status == plan.status {
            return plan;
        }
        perform(scene, &plan);
    }
    panic!("never settles: {:?}", scene.plan());
}

pub(super) fn weight(scene: &mut Scene) -> Option<u32> {
    match &route(scene).hold {
        RouteReading::Hold(hold) => Some(hold.shares[0].weight),
        _ => None,
    }
}

pub(super) fn holds(plan: &Plan) -> usize {
    plan.actions.iter().filter(|action| matches!(action, Action::WriteHold(_))).count()
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
fn no_pod_comes_before_the_stable_revision_answers_alone() {
    let mut scene = routed(Scene::announced());
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(0), 0));
    let services = &traffic(&mut scene).services;
    assert_eq!(services[0].name, service_name("web", &revision("v1")));
    assert_eq!(services.len(), 1);
    scene.later(11);
    assert_eq!(holds(&scene.plan()), 1);
}

#[test]
fn a_batch_counts_once_its_requests_are_there() {
    let mut scene = routed(Scene::after_first_batch());
    scene.status().batch.as_mut().unwrap().ready_at = None;
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "RouteSettles");
    assert_eq!(weight(&mut scene), Some(20));
    scene.later(11);
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Paused, "Promotion");
    assert_eq!(plan.status.routes[0].weight, 20);
}

#[test]
fn no_requests_without_ready_endpoints() {
    let mut scene = routed(Scene::after_first_batch());
    let plan = scene.plan();
    perform(&mut scene, &plan);
    traffic(&mut scene).services.iter_mut().for_each(|seen| seen.ready = 1);
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "Endpoints");
    assert_eq!(weight(&mut scene), None);
}

#[test]
fn only_the_chosen_ones_come_where_no_weight_is_given() {
    let mut scene = routed(Scene::after_first_batch());
    let condition: Condition =
        serde_json::from_str(r#"{"headers": [{"name": "user", "value": "beta"}]}"#).unwrap();
    let asked = Asked { weight: None, matches: vec![condition] };
    let batch = Batch { traffic: Some(asked), ..manual(Percent(20)) };
    scene.seen.rollout.spec.strategy.batches[0] = batch.clone();
    scene.status().batch.as_mut().unwrap().definition = Some(batch);
    settled(&mut scene);
    assert_eq!(weight(&mut scene), Some(0));
    assert!(scene.status().routes[0].chosen);
}

#[test]
fn requests_leave_before_the_pods_of_an_abort() {
    let mut scene = shared();
    scene.ask(Verb::Abort, "v2", 1);
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Aborting, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(0), 0));
    scene.later(11);
    assert_eq!(holds(&scene.plan()), 1);
}

#[test]
fn an_abort_does_not_wait_for_a_dead_gateway_for_ever() {
    let mut scene = shared();
    route(&mut scene).taken = Err("no gateway has said anything of it".into());
    scene.ask(Verb::Abort, "v2", 1);
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Aborting, "Route");
    assert_eq!(holds(&plan), 0);
    scene.later(59);
    assert_eq!(holds(&scene.plan()), 0);
    scene.later(2);
    assert_eq!(holds(&scene.plan()), 1);
}

#[test]
fn a_route_that_no_gateway_takes_fails_its_batch() {
    let mut scene = routed(Scene::after_first_batch());
    scene.status().batch.as_mut().unwrap().ready_at = None;
    settled(&mut scene);
    route(&mut scene).taken = Err("sluice: not Accepted: no such listener".into());
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "Route");
    scene.later(601);
    let plan = scene.plan();
    assert_eq!(plan.status.phase, Phase::Aborting);
    let failure = plan.status.failure.unwrap();
    assert!(failure.contains("no such listener"), "{failure}");
}

/// Long after its batch began, in a pause, the user's own edit of the route is no failure.
#[test]
fn a_route_that_changes_in_a_pause_has_a_time_of_its_own() {
    let mut scene = shared();
    scene.later(86_400);
    assert_phase(&settled(&mut scene), Phase::Paused, "Promotion");
    route(&mut scene).taken = Err("sluice has not seen it yet".into());
    assert_phase(&settled(&mut scene), Phase::Progressing, "Route");
    scene.later(599);
    assert_phase(&settled(&mut scene), Phase::Progressing, "Route");
    scene.later(2);
    assert_eq!(scene.plan().status.phase, Phase::Aborting);
}

#[test]
fn the_last_old_pod_stays_until_all_requests_are_with_the_new_ones() {
    let mut scene = shared();
    let batches = scene.seen.rollout.spec.strategy.batches.len();
    scene.seen.rollout.spec.strategy.batches.remove(batches - 2);
    let target = Target { paused: false, max_surge: Count(0), max_unavailable: Percent(90) };
    let fenced = Fenced { batch: 2, target, ..scene.fenced() };
    scene.hold(fenced);
    let mut update = set("v2", 9);
    (update.available, update.min_ready_seconds) = (Some(0), FENCE_MIN_READY_SECONDS);
    scene.sets(Sets { update: Some(update), old: vec![set("v1", 1)] });
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "RouteSettles");
    assert_eq!((weight(&mut scene), holds(&plan)), (Some(100), 0));
    scene.later(11);
    let write = written(&scene.plan());
    let hold = write.hold.unwrap();
    let target = hold.as_fenced().unwrap().target;
    assert_eq!((target.max_surge, target.max_unavailable), (Count(1), Percent(90)));
}

#[test]
fn at_the_end_the_route_is_the_users_own_and_nothing_of_ours_is_left() {
    let mut scene = shared();
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.sets(Sets { update: Some(set("v2", 10)), old: Vec::new() });
    let plan = settled(&mut scene);
    assert_eq!(waits(&plan), "RouteSettles");
    assert_eq!(route(&mut scene).hold, RouteReading::None);
    assert!(!traffic(&mut scene).services.is_empty());
    scene.later(11);
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Ready, "");
    assert!(traffic(&mut scene).services.is_empty());
    assert!(plan.status.routes.is_empty() && !scene.plan().watch_routes);
}

#[test]
fn a_service_stays_as_long_as_a_route_names_it() {
    let mut scene = shared();
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.sets(Sets { update: Some(set("v2", 10)), old: Vec::new() });
    settled(&mut scene);
    let name = traffic(&mut scene).services[0].name.clone();
    route(&mut scene).backends = vec![name];
    scene.later(11);
    let plan = settled(&mut scene);
    assert_eq!((waits(&plan), traffic(&mut scene).services.len()), ("RouteUnfit", 2));
    route(&mut scene).backends = vec!["web".into()];
    assert_phase(&settled(&mut scene), Phase::Ready, "");
}

#[test]
fn a_route_that_is_not_there_is_said() {
    let mut scene = routed(Scene::announced());
    traffic(&mut scene).routes[0].seen = Fact::Absent;
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "RouteMissing");
    assert_eq!(holds(&plan), 0);
}

#[test]
fn a_route_that_sends_nothing_to_the_service_is_said() {
    let mut scene = routed(Scene::announced());
    route(&mut scene).backends = vec!["other".into()];
    let plan = settled(&mut scene);
    assert_phase(&plan, Phase::Progressing, "RouteUnfit");
    let said = plan.status.waiting_for.unwrap().message;
    assert!(said.contains("no rule of it sends requests to service web"), "{said}");
}

#[test]
fn names_of_services_fit_and_differ() {
    let long = "a".repeat(63);
    let name = service_name(&long, &revision("0123456789"));
    assert_eq!((name.len(), name.ends_with("-0123456789")), (63, true));
    assert_eq!(service_name("web", &revision("0123456789")), "web-0123456789");
}
