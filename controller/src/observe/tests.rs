//! Reads what a real 1.34 apiserver served: recorded, not written.

use crds::hold::Reading;
use crds::status::Phase;
use crds::{IntOrPercent, Revision};
use plan::observed::{Fact, Live, Strategy};
use serde_json::{Value, json};

use super::*;
use crate::raw::{Raw, RouteKind};

const HELD: &str = include_str!("fixtures/held.json");
const ROLLOUT: &str = include_str!("fixtures/rollout.json");
const KEPT: &str = include_str!("fixtures/kept.json");
const SETS: &str = include_str!("fixtures/sets.jsonl");
const PODS: &str = include_str!("fixtures/pods.jsonl");

fn raw(text: &str) -> Raw {
    serde_json::from_str(text).unwrap()
}

fn changed(text: &str, change: impl FnOnce(&mut Value)) -> Raw {
    let mut value = serde_json::from_str(text).unwrap();
    change(&mut value);
    Raw::new(value).unwrap()
}

/// The recorded pod of the Deployment of this name.
fn line(lines: &'static str, name: &str) -> &'static str {
    let start = format!("\"name\":\"{name}-");
    lines.lines().find(|line| line.contains(&start)).unwrap()
}

#[track_caller]
fn fields(seen: &WorkloadSeen) -> &plan::observed::Fields {
    match &seen.fields {
        Live::Deployment(fields) => fields,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_held_deployment() {
    let seen = workload(&raw(HELD)).unwrap();
    assert_eq!(seen.replicas, 4);
    assert!(seen.armed && seen.projected && seen.annotated && !seen.retreated);
    assert_eq!(seen.rollout.as_deref(), Some("web"));
    assert_eq!(seen.selector, "app=web");
    assert_eq!(seen.revision, Revision::from("d7ec17c0ad"));
    assert_eq!(seen.generation, seen.observed_generation);
    let Reading::Hold(hold) = &seen.hold else { panic!("{:?}", seen.hold) };
    assert_eq!(hold.as_fenced().unwrap().revision, seen.revision);
    assert_eq!(seen.hold_text.as_deref(), Some(hold.to_text().as_str()));
    assert_eq!(fields(&seen).min_ready_seconds, crds::contract::FENCE_MIN_READY_SECONDS);
    let max_surge = IntOrPercent::Count(0);
    let max_unavailable = IntOrPercent::Percent(25);
    assert_eq!(fields(&seen).strategy, Strategy::RollingUpdate { max_surge, max_unavailable });
}

#[test]
fn armed_for_another_rollout_is_not_armed_for_this_one() {
    let seen = workload(&raw(HELD)).unwrap();
    let sets = || Fact::Unknown(String::new());
    assert!(seen.workload("web", sets()).armed);
    assert!(!seen.workload("other", sets()).armed);
    let stripped = changed(HELD, |value| {
        value["metadata"]["labels"]["sluice.dev/armed"] = json!("false");
    });
    assert!(!workload(&stripped).unwrap().workload("web", sets()).armed);
}

#[test]
fn a_field_of_a_newer_server_counts_in_the_revision() {
    let newer = changed(HELD, |value| {
        value["spec"]["template"]["spec"]["fieldOfTomorrow"] = json!({ "on": true });
    });
    let seen = workload(&newer).unwrap();
    assert_ne!(seen.revision, Revision::from("d7ec17c0ad"));
}

#[test]
fn status_writes_of_the_stock_controller_are_no_news() {
    let later = changed(HELD, |value| {
        value["metadata"]["resourceVersion"] = json!("999999");
        value["status"]["readyReplicas"] = json!(1);
        value["status"]["conditions"] = json!([]);
    });
    assert_eq!(workload(&later).unwrap(), workload(&raw(HELD)).unwrap());
}

#[test]
fn a_fence_without_hold_and_a_hold_without_fence_are_not_projected() {
    let bare = changed(HELD, |value| {
        value["metadata"]["annotations"].as_object_mut().unwrap().remove("sluice.dev/hold");
    });
    assert!(!workload(&bare).unwrap().projected);
    let open = changed(HELD, |value| value["spec"]["minReadySeconds"] = json!(0));
    assert!(!workload(&open).unwrap().projected);
}

#[test]
fn what_a_retreat_left_is_seen() {
    let left = changed(HELD, |value| {
        let entry = json!({ "manager": "sluice-retreat", "operation": "Update" });
        value["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
    });
    assert!(workload(&left).unwrap().retreated);
}

#[test]
fn defaults_and_strategies_of_a_deployment() {
    let plain = json!({
        "metadata": { "name": "web", "namespace": "a", "uid": "u" },
        "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": {} },
    });
    let seen = workload(&Raw::new(plain.clone()).unwrap()).unwrap();
    assert_eq!((seen.replicas, fields(&seen).progress_deadline_seconds), (1, 600));
    assert!(!seen.armed && !seen.annotated && seen.projected);
    let with = |kind: &str| {
        let mut value = plain.clone();
        value["spec"]["strategy"] = json!({ "type": kind });
        workload(&Raw::new(value).unwrap())
    };
    assert_eq!(fields(&with("Recreate").unwrap()).strategy, Strategy::Recreate);
    assert!(with("Sideways").is_err());
    let mut strange = plain.clone();
    strange["spec"]["replicas"] = json!("many");
    assert!(workload(&Raw::new(strange).unwrap()).is_err());
}

#[test]
fn replica_sets_have_the_revisions_of_their_templates() {
    let sets: Vec<SetSeen> = SETS.lines().map(|line| set(&raw(line)).unwrap().unwrap()).collect();
    let by_number = |number| sets.iter().find(|set| set.number == number).unwrap();
    let (stable, update) = (by_number(1), by_number(2));
    assert_eq!(stable.revision, Revision::from("1727e72ef4"));
    assert_eq!(update.revision, Revision::from("d7ec17c0ad"));
    assert_eq!((stable.replicas, update.replicas), (3, 1));
    assert_eq!(update.min_ready_seconds, crds::contract::FENCE_MIN_READY_SECONDS);
    assert_eq!((stable.available, update.available), (Some(3), Some(0)));
    assert_eq!((stable.desired, update.desired), (Some(4), Some(4)));
    assert_eq!(stable.owner, raw(HELD).uid());
}

#[test]
fn a_status_of_an_older_generation_says_nothing_of_availability() {
    let line = SETS.lines().next().unwrap();
    let older = changed(line, |value| value["status"]["observedGeneration"] = json!(0));
    assert_eq!(set(&older).unwrap().unwrap().available, None);
    let orphan = changed(line, |value| value["metadata"]["ownerReferences"] = json!([]));
    assert_eq!(set(&orphan).unwrap(), None);
}

#[track_caller]
fn check_trouble(pod: &PodSeen, container: &str, reason: &str, message: &str) {
    let trouble = pod.pod.trouble.as_ref().unwrap();
    assert_eq!((trouble.container.as_str(), trouble.reason.as_str()), (container, reason));
    assert!(trouble.message.contains(message), "{}", trouble.message);
    assert_eq!(pod.pod.ready_since, None);
}

#[test]
fn pods_say_what_is_wrong_in_the_kubelets_words() {
    let read = |name| pod(&raw(line(PODS, name))).unwrap().unwrap();
    let ready = read("ready");
    assert!(ready.pod.ready_since.is_some());
    assert_eq!(ready.pod.trouble, None);
    check_trouble(&read("image"), "app", "ImagePullBackOff", "no.such/image:1");
    check_trouble(&read("crash"), "app", "CrashLoopBackOff", "back-off 40s");
    check_trouble(&read("configmap"), "app", "CreateContainerConfigError", "missing");
    check_trouble(&read("init"), "prepare", "CrashLoopBackOff", "container=prepare");
    check_trouble(&read("pending"), "", "Unschedulable", "nodes are available");
    let unready = read("unready");
    assert_eq!((unready.pod.ready_since, unready.pod.trouble), (None, None));
}

#[test]
fn a_container_that_runs_again_still_says_why_it_ended() {
    let again = changed(line(PODS, "crash"), |value| {
        let status = &mut value["status"]["containerStatuses"][0];
        status["state"] = json!({ "running": { "startedAt": "2026-11-20T23:53:38Z" } });
    });
    check_trouble(&pod(&again).unwrap().unwrap(), "app", "Error", "exit code 1");
}

#[test]
fn an_init_container_that_is_done_is_no_trouble() {
    let done = changed(line(PODS, "init"), |value| {
        let ended = json!({ "terminated": { "exitCode": 0, "reason": "Completed" } });
        value["status"]["initContainerStatuses"][0]["state"] = ended;
    });
    assert_eq!(pod(&done).unwrap().unwrap().pod.trouble, None);
    let failed = changed(line(PODS, "init"), |value| {
        let ended = json!({ "terminated": { "exitCode": 7, "reason": "Error", "message": "no" } });
        value["status"]["initContainerStatuses"][0]["state"] = ended;
    });
    check_trouble(&pod(&failed).unwrap().unwrap(), "prepare", "Error", "exit code 7: no");
}

#[test]
fn pods_that_are_going_or_ended_do_not_count() {
    let going = changed(line(PODS, "ready"), |value| {
        value["metadata"]["deletionTimestamp"] = json!("2026-11-20T23:53:38Z");
    });
    assert_eq!(pod(&going).unwrap(), None);
    let evicted = changed(line(PODS, "ready"), |value| {
        value["status"] = json!({ "phase": "Failed", "reason": "Evicted" });
    });
    assert_eq!(pod(&evicted).unwrap(), None);
    let orphan = changed(line(PODS, "ready"), |value| {
        value["metadata"]["ownerReferences"] = json!([]);
    });
    assert_eq!(pod(&orphan).unwrap(), None);
}

#[test]
fn long_messages_are_cut() {
    let long = changed(line(PODS, "image"), |value| {
        let waiting = json!({ "reason": "ErrImagePull", "message": "ü".repeat(1000) });
        value["status"]["containerStatuses"][0]["state"] = json!({ "waiting": waiting });
    });
    let trouble = pod(&long).unwrap().unwrap().pod.trouble.unwrap();
    assert_eq!(trouble.message.chars().count(), 201);
}

#[test]
fn a_rollout_in_a_release() {
    let seen = rollout(&raw(ROLLOUT)).unwrap();
    assert_eq!(seen.status.phase, Phase::Paused);
    assert_eq!(seen.workload().unwrap().key.to_string(), "t3/web");
    let facts = seen.facts(Some("elder".into()), true, false);
    assert!(facts.has_finalizer && !facts.deleting && facts.request.is_none());
    assert_eq!(facts.rival.as_deref(), Some("elder"));
}

#[test]
fn a_request_that_cannot_be_read_is_none() {
    let with = |text: &str| {
        changed(ROLLOUT, |value| {
            value["metadata"]["annotations"]["sluice.dev/request"] = json!(text);
        })
    };
    let request = r#"{"id":"1","verb":"promote","revision":"d7ec17c0ad","batch":1}"#;
    assert_eq!(rollout(&with(request)).unwrap().request.unwrap().batch, 1);
    assert_eq!(rollout(&with("promote!")).unwrap().request, None);
}

#[test]
fn a_status_that_cannot_be_read_is_not_taken_for_none() {
    let strange = changed(ROLLOUT, |value| value["status"]["phase"] = json!("Levitating"));
    assert!(rollout(&strange).is_err());
    let fresh = changed(ROLLOUT, |value| {
        value.as_object_mut().unwrap().remove("status");
    });
    assert_eq!(rollout(&fresh).unwrap().status.phase, Phase::Pending);
}

#[test]
fn kept_templates_say_whose_and_which_they_are() {
    let seen = kept(&raw(KEPT)).unwrap();
    assert_eq!(seen.rollout.to_string(), "t3/web");
    assert_eq!(seen.owner, raw(ROLLOUT).uid());
    assert_eq!(seen.template.revision, Revision::of_template(&raw(KEPT).value()["data"]));
    let foreign = changed(KEPT, |value| value["metadata"]["labels"] = json!({}));
    assert!(kept(&foreign).is_err());
}

/// A route as Traefik 3.7 reports it.
fn parents(generation: i64, resolved: &str) -> Value {
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "observedGeneration": generation,
            "reason": kind, "message": "no such service", "lastTransitionTime": null,
        })
    };
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "generation": 3,
            "labels": { "sluice.dev/rollout": "web" },
        },
        "spec": {
            "parentRefs": [{ "name": "gateway" }],
            "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }],
        },
        "status": { "parents": [{
            "controllerName": "traefik.io/gateway-controller",
            "parentRef": { "name": "gateway" },
            "conditions": [condition("Accepted", "True"), condition("ResolvedRefs", resolved)],
        }] },
    })
}

fn taken(value: Value) -> Result<(), String> {
    route_of(RouteKind::Http)(&Raw::new(value).unwrap()).unwrap().seen.taken
}

#[test]
fn a_route_is_taken_once_every_gateway_has_this_generation() {
    assert_eq!(taken(parents(3, "True")), Ok(()));
    assert_eq!(taken(parents(2, "True")), Err("gateway has not seen it yet".into()));
    let refused = "gateway: not ResolvedRefs: no such service";
    assert_eq!(taken(parents(3, "False")), Err(refused.into()));
    let mut silent = parents(3, "True");
    silent["status"]["parents"][0]["conditions"] = json!([]);
    assert_eq!(taken(silent), Err("gateway has not said whether it is Accepted".into()));
    let mut unseen = parents(3, "True");
    unseen["status"] = json!({ "parents": [] });
    assert_eq!(taken(unseen), Err("no gateway has said anything of it".into()));
    let seen = route_of(RouteKind::Http)(&Raw::new(parents(3, "True")).unwrap()).unwrap();
    assert_eq!((seen.rollout.as_deref(), seen.annotated), (Some("web"), false));
    assert_eq!((seen.seen.generation, seen.seen.projected), (3, Ok(true)));
}

/// The apiserver's own lists say of no item which kind it is.
#[test]
fn an_ingress_is_read_with_and_without_its_kind() {
    let path = |name: &str| json!({ "backend": { "service": { "name": name } } });
    let hold = r#"{"schema":1,"shares":[{"service":"web","stable":"web-aaaaaaaaaa",
        "canary":"web-bbbbbbbbbb","weight":20}],"own":{}}"#;
    let bare = json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "generation": 3,
            "labels": { "sluice.dev/rollout": "web", "sluice.dev/armed": "true" },
            "annotations": { "sluice.dev/hold": hold },
        },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{ "http": { "paths": [path("web-aaaaaaaaaa"), path("api")] } }],
        },
    });
    let mut whole = bare.clone();
    whole["apiVersion"] = json!("networking.k8s.io/v1");
    whole["kind"] = json!("Ingress");
    let read = |value: Value| route_of(RouteKind::Ingress)(&Raw::new(value).unwrap()).unwrap();
    let (seen, again) = (read(bare), read(whole));
    assert_eq!(seen, again);
    assert_eq!((seen.seen.projected, seen.seen.taken), (Ok(true), Ok(())));
    assert_eq!(seen.seen.backends, ["api", "web-aaaaaaaaaa"]);
    let wanted = seen.wanted.unwrap();
    assert_eq!(wanted["metadata"]["name"], "web-bbbbbbbbbb");
    assert_eq!(seen.ours, None);
    let (marks, _) = read(wanted).ours.unwrap();
    assert_eq!((&*marks.rollout, &*marks.route), ("web", "web"));
}

#[test]
fn only_ready_endpoints_answer() {
    let slice_of = |value: Value| slice(&Raw::new(value).unwrap()).unwrap();
    let pod = |name: &str, ready: Value| {
        json!({
            "addresses": ["10.0.0.1"], "conditions": { "ready": ready },
            "targetRef": { "kind": "Pod", "name": name },
        })
    };
    let labels = json!({ "kubernetes.io/service-name": "web-fb4072b603" });
    let endpoints = [pod("a", json!(true)), pod("b", json!(false)), pod("c", Value::Null)];
    let read = slice_of(json!({
        "metadata": { "name": "s", "namespace": "shop", "labels": labels },
        "endpoints": endpoints,
    }));
    assert_eq!(
        (read.service.as_str(), read.ready),
        ("web-fb4072b603", vec!["a".into(), "c".into()])
    );
    let empty = slice_of(json!({ "metadata": { "name": "s" }, "endpoints": null }));
    assert!(empty.ready.is_empty());
}

#[test]
fn a_service_of_ours_says_whose_it_is() {
    let labels = json!({
        "sluice.dev/rollout": "web", "sluice.dev/service": "web",
        "sluice.dev/revision": "fb4072b603",
    });
    let mut value = json!({ "metadata": { "name": "web-fb4072b603", "labels": labels } });
    let read = service(&Raw::new(value.clone()).unwrap()).unwrap();
    assert_eq!(read.ours, Some(("web".into(), "web".into(), Revision::from("fb4072b603"))));
    value["metadata"]["labels"] = json!({ "sluice.dev/rollout": "web" });
    assert_eq!(service(&Raw::new(value).unwrap()).unwrap().ours, None);
}
