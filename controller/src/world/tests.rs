//! Tests of world.

use crds::contract::{ARMED_LABEL, REVISION_LABEL, ROLLOUT_LABEL};
use plan::observed::Workload;
use serde_json::{Value, json};

use super::*;

fn key(name: &str) -> Key {
    Key::new("ns", name)
}

fn raw(value: Value) -> Raw {
    Raw::new(value).unwrap()
}

fn rollout_of(name: &str, workload: &str, created: &str, version: u32) -> Raw {
    raw(json!({
        "metadata": { "namespace": "ns", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(), "generation": 1,
            "creationTimestamp": format!("2026-01-01T00:00:{created}Z") },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": workload },
            "strategy": { "batches": [{ "replicas": "100%" }] },
        },
    }))
}

fn deployment(name: &str, armed_for: Option<&str>, version: u32) -> Raw {
    let labels = match armed_for {
        Some(rollout) => json!({ ARMED_LABEL: "true", ROLLOUT_LABEL: rollout }),
        None => json!({}),
    };
    raw(json!({
        "metadata": { "namespace": "ns", "name": name, "uid": "uid-web", "labels": labels,
            "resourceVersion": version.to_string(), "generation": version },
        "spec": { "selector": { "matchLabels": { "app": name } }, "template": template("v2") },
    }))
}

fn template(version: &str) -> Value {
    json!({ "spec": { "containers": [{ "name": "app", "image": version }] } })
}

fn set_of(name: &str, owner: &str, image: &str, number: u32, version: u32) -> Raw {
    raw(json!({
        "metadata": { "namespace": "ns", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(),
            "creationTimestamp": format!("2026-01-01T00:00:{:02}Z", version % 60),
            "annotations": { "deployment.kubernetes.io/revision": number.to_string() },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                "uid": owner, "controller": true }] },
        "spec": { "replicas": 1, "template": template(image) },
    }))
}

fn pod_of(name: &str, set: &str) -> Raw {
    raw(json!({
        "metadata": { "namespace": "ns", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": "50",
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set,
                "uid": format!("uid-{set}"), "controller": true }] },
        "status": { "phase": "Running" },
    }))
}

fn kept_of(name: &str, rollout: &str, version: u32) -> Raw {
    raw(json!({
        "metadata": { "namespace": "ns", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(),
            "labels": { ROLLOUT_LABEL: rollout, REVISION_LABEL: "aa" },
            "ownerReferences": [{ "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
                "name": rollout, "uid": format!("uid-{rollout}"), "controller": true }] },
        "data": {},
    }))
}

fn list(world: &mut World, source: &Source, objects: &[Raw]) -> Vec<Key> {
    let mut touched = world.apply(source, &Event::Init);
    for object in objects {
        touched.extend(world.apply(source, &Event::InitApply(object.clone())));
    }
    touched.extend(world.apply(source, &Event::InitDone));
    touched
}

/// Rollout `web` of an armed workload `web`, nothing else.
fn armed_world() -> World {
    let mut world = World::default();
    list(&mut world, &Source::Rollouts, &[rollout_of("web", "web", "00", 1)]);
    list(
        &mut world,
        &Source::Armed(WorkloadKind::Deployment),
        &[deployment("web", Some("web"), 10)],
    );
    list(&mut world, &Source::Kept, &[]);
    world.take_demands();
    world
}

fn seen(world: &World, name: &str) -> Observed {
    world.observe(&key(name)).unwrap().unwrap()
}

fn workload_of(world: &World, name: &str) -> Fact<Workload> {
    seen(world, name).workload
}

#[track_caller]
fn known(world: &World) -> Workload {
    match workload_of(world, "web") {
        Fact::Known(workload) => workload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_planned_before_all_standing_lists_are_complete() {
    let mut world = World::default();
    for (source, _) in World::standing() {
        assert!(!world.is_synced());
        list(&mut world, &source, &[]);
    }
    assert!(world.is_synced());
}

/// A kind that need not be installed.
const FOREIGN: WorkloadKind = WorkloadKind::CloneSet;

fn rollout_of_foreign(name: &str) -> Raw {
    let mut value = rollout_of(name, "web", "00", 1).value().clone();
    value["spec"]["workloadRef"] =
        json!({ "apiVersion": FOREIGN.api_version(), "kind": FOREIGN.as_str(), "name": "web" });
    raw(value)
}

#[test]
fn a_kind_that_is_missing_is_asked_for_only_while_a_rollout_names_it() {
    let source = Source::Armed(FOREIGN);
    let mut world = World::default();
    assert_eq!(world.lost_kind(&source), []);
    assert_eq!(world.take_demands(), [], "nobody knows yet who names it");
    list(&mut world, &Source::Rollouts, &[]);
    assert_eq!(world.take_demands(), [Demand::Stop(source.clone())]);
    world.lost_kind(&source);
    assert_eq!(world.take_demands(), [], "once is enough");
    world.apply(&Source::Rollouts, &Event::Apply(rollout_of_foreign("web")));
    let started = |demand| matches!(demand, Demand::Start(started, _) if started == source);
    assert!(world.take_demands().into_iter().any(started));
    world.lost_kind(&source);
    assert_eq!(world.take_demands(), [], "a Rollout waits for it");
}

#[test]
fn a_workload_that_is_not_armed_is_looked_at_before_it_is_absent() {
    let mut world = World::default();
    list(&mut world, &Source::Rollouts, &[rollout_of("web", "web", "00", 1)]);
    assert_eq!(world.take_demands(), []);
    let touched = list(&mut world, &Source::Armed(WorkloadKind::Deployment), &[]);
    assert_eq!(touched, [key("web")]);
    let alone = Source::Workload(WorkloadKind::Deployment, key("web"));
    let start = Demand::Start(alone.clone(), Scope::Named(key("web")));
    assert_eq!(world.take_demands(), [start]);
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
    assert_eq!(list(&mut world, &alone, &[]), [key("web")]);
    assert_eq!(workload_of(&world, "web"), Fact::Absent);
    world.apply(&alone, &Event::Apply(deployment("web", None, 5)));
    assert!(!known(&world).armed);
}

#[test]
fn arming_is_seen_at_once_and_ends_the_watch_by_name() {
    let mut world = World::default();
    list(&mut world, &Source::Rollouts, &[rollout_of("web", "web", "00", 1)]);
    list(&mut world, &Source::Armed(WorkloadKind::Deployment), &[]);
    let alone = Source::Workload(WorkloadKind::Deployment, key("web"));
    list(&mut world, &alone, &[deployment("web", None, 5)]);
    world.take_demands();
    world.wrote_workload(&key("web"), WorkloadKind::Deployment, &deployment("web", Some("web"), 6));
    assert!(known(&world).armed);
    assert_eq!(world.take_demands(), []);
    world.apply(
        &Source::Armed(WorkloadKind::Deployment),
        &Event::Apply(deployment("web", Some("web"), 6)),
    );
    assert_eq!(world.take_demands(), [Demand::Stop(alone)]);
    assert!(known(&world).armed);
}

#[test]
fn leaving_the_armed_ones_is_not_being_absent() {
    let mut world = armed_world();
    let touched = world.apply(
        &Source::Armed(WorkloadKind::Deployment),
        &Event::Delete(deployment("web", Some("web"), 11)),
    );
    assert_eq!(touched, [key("web")]);
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
    let alone = Source::Workload(WorkloadKind::Deployment, key("web"));
    let start = Demand::Start(alone, Scope::Named(key("web")));
    assert_eq!(world.take_demands(), [start]);
}

#[test]
fn an_own_write_is_not_undone_by_a_late_watch() {
    let mut world = armed_world();
    world.wrote_workload(
        &key("web"),
        WorkloadKind::Deployment,
        &deployment("web", Some("web"), 20),
    );
    for late in [10, 15, 19] {
        let event = Event::Apply(deployment("web", Some("web"), late));
        assert_eq!(world.apply(&Source::Armed(WorkloadKind::Deployment), &event), []);
        assert_eq!(known(&world).generation, 20);
    }
    let event = Event::Delete(deployment("web", Some("web"), 15));
    assert_eq!(world.apply(&Source::Armed(WorkloadKind::Deployment), &event), []);
    assert_eq!(known(&world).generation, 20);
    let event = Event::Apply(deployment("web", Some("web"), 21));
    assert_eq!(world.apply(&Source::Armed(WorkloadKind::Deployment), &event), [key("web")]);
    assert_eq!(known(&world).generation, 21);
}

#[test]
fn versions_are_numbers_not_texts() {
    let mut world = armed_world();
    world.wrote_workload(
        &key("web"),
        WorkloadKind::Deployment,
        &deployment("web", Some("web"), 100),
    );
    world.apply(
        &Source::Armed(WorkloadKind::Deployment),
        &Event::Apply(deployment("web", Some("web"), 99)),
    );
    assert_eq!(known(&world).generation, 100);
}

#[test]
fn a_new_list_takes_away_what_it_does_not_show() {
    let mut world = armed_world();
    assert_eq!(list(&mut world, &Source::Armed(WorkloadKind::Deployment), &[]), [key("web")]);
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
    assert_eq!(list(&mut world, &Source::Rollouts, &[]), [key("web")]);
    assert!(world.observe(&key("web")).is_none());
}

#[test]
fn until_a_new_list_is_complete_the_old_one_holds() {
    let mut world = armed_world();
    world.apply(&Source::Armed(WorkloadKind::Deployment), &Event::Init);
    assert!(known(&world).armed);
    world.apply(&Source::Armed(WorkloadKind::Deployment), &Event::InitDone);
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
}

#[test]
fn a_live_read_that_finds_nothing_starts_the_look() {
    let mut world = armed_world();
    world.lost_workload(&key("web"), &Target::new(WorkloadKind::Deployment, key("web")));
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
    assert_eq!(world.take_demands().len(), 1);
    // The watch is late and still shows it.
    let event = Event::Apply(deployment("web", Some("web"), 10));
    assert_eq!(world.apply(&Source::Armed(WorkloadKind::Deployment), &event), []);
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
}

fn watching() -> World {
    let mut world = armed_world();
    world.want_sets(&key("web"), true);
    world
}

fn sets(world: &World) -> Fact<Sets> {
    known(world).sets
}

#[test]
fn sets_and_pods_are_watched_only_while_wanted() {
    let mut world = watching();
    let (sets_of, pods_of) =
        (Source::Sets(WorkloadKind::Deployment, key("web")), Source::Pods(key("web")));
    let scope = Scope::Selected { namespace: "ns".into(), selector: "app=web".into() };
    let start = |source: &Source| Demand::Start(source.clone(), scope.clone());
    assert_eq!(world.take_demands(), [start(&sets_of), start(&pods_of)]);
    world.want_sets(&key("web"), true);
    assert_eq!(world.take_demands(), []);
    assert!(matches!(sets(&world), Fact::Unknown(_)));
    list(&mut world, &sets_of, &[set_of("web-1", "uid-web", "v1", 1, 30)]);
    assert!(matches!(sets(&world), Fact::Unknown(_)));
    assert_eq!(list(&mut world, &pods_of, &[]), [key("web")]);
    assert!(matches!(sets(&world), Fact::Known(_)));
    world.want_sets(&key("web"), false);
    assert_eq!(world.take_demands(), [Demand::Stop(sets_of), Demand::Stop(pods_of)]);
    assert!(matches!(sets(&world), Fact::Unknown(_)));
}

#[test]
fn sets_are_split_by_the_live_template() {
    let mut world = watching();
    list(
        &mut world,
        &Source::Sets(WorkloadKind::Deployment, key("web")),
        &[
            set_of("web-1", "uid-web", "v1", 1, 30),
            set_of("web-2", "uid-web", "v2", 4, 31),
            set_of("web-3", "uid-web", "v3", 3, 32),
            set_of("web-2b", "uid-web", "v2", 5, 33),
            set_of("other", "uid-other", "v2", 9, 20),
        ],
    );
    list(
        &mut world,
        &Source::Pods(key("web")),
        &[pod_of("b", "web-2"), pod_of("a", "web-2"), pod_of("c", "web-1"), pod_of("d", "other")],
    );
    let Fact::Known(sets) = sets(&world) else { panic!() };
    let update = sets.update.unwrap();
    // Of two with the live template the older one, as the stock controller takes it.
    assert_eq!(update.name, "web-2");
    assert_eq!(update.resource_version, "31");
    let names: Vec<_> = update.pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let old: Vec<_> = sets.old.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(old, ["web-2b", "web-3", "web-1"]);
    assert_eq!(sets.old[2].pods.len(), 1);
}

#[test]
fn only_news_of_sets_and_pods_makes_a_rollout_due() {
    let mut world = watching();
    let (sets_of, pods_of) =
        (Source::Sets(WorkloadKind::Deployment, key("web")), Source::Pods(key("web")));
    list(&mut world, &sets_of, &[set_of("web-1", "uid-web", "v1", 1, 30)]);
    list(&mut world, &pods_of, &[pod_of("a", "web-1")]);
    let mut same = set_of("web-1", "uid-web", "v1", 1, 30).value().clone();
    same["metadata"]["resourceVersion"] = json!("35");
    same["metadata"]["managedFields"] = json!([{ "manager": "m" }]);
    assert_eq!(world.apply(&sets_of, &Event::Apply(raw(same))), []);
    // The version is kept all the same: a precondition needs the newest.
    let Fact::Known(known) = sets(&world) else { panic!() };
    assert_eq!(known.old[0].resource_version, "35");
    assert_eq!(world.apply(&pods_of, &Event::Apply(pod_of("a", "web-1"))), []);
    assert_eq!(world.apply(&pods_of, &Event::Delete(pod_of("a", "web-1"))), [key("web")]);
}

#[test]
fn a_set_that_cannot_be_read_makes_all_of_them_unknown() {
    let mut world = watching();
    list(&mut world, &Source::Pods(key("web")), &[]);
    let mut strange = set_of("web-1", "uid-web", "v1", 1, 30).value().clone();
    strange["spec"]["replicas"] = json!("many");
    list(&mut world, &Source::Sets(WorkloadKind::Deployment, key("web")), &[raw(strange)]);
    assert!(matches!(sets(&world), Fact::Unknown(_)));
}

#[test]
fn own_writes_to_sets_are_seen_at_once() {
    let mut world = watching();
    let source = Source::Sets(WorkloadKind::Deployment, key("web"));
    list(&mut world, &source, &[set_of("web-1", "uid-web", "v1", 1, 30)]);
    list(&mut world, &Source::Pods(key("web")), &[]);
    let mut written = set_of("web-1", "uid-web", "v1", 1, 30).value().clone();
    written["spec"]["replicas"] = json!(7);
    written["metadata"]["resourceVersion"] = json!("40");
    world.wrote_set(&key("web"), WorkloadKind::Deployment, &raw(written));
    world.apply(&source, &Event::Apply(set_of("web-1", "uid-web", "v1", 1, 31)));
    let Fact::Known(sets) = sets(&world) else { panic!() };
    assert_eq!(sets.old[0].replicas, 7);
}

#[test]
fn a_workload_made_again_with_another_selector_is_watched_anew() {
    let mut world = watching();
    world.take_demands();
    let mut again = deployment("web", Some("web"), 20).value().clone();
    again["metadata"]["uid"] = json!("uid-2");
    again["spec"]["selector"]["matchLabels"] = json!({ "app": "new" });
    world.apply(&Source::Armed(WorkloadKind::Deployment), &Event::Apply(raw(again)));
    assert_eq!(world.take_demands().len(), 4);
}

#[test]
fn a_rollout_that_is_gone_takes_its_watches_with_it() {
    let mut world = watching();
    world.apply(
        &Source::Armed(WorkloadKind::Deployment),
        &Event::Delete(deployment("web", Some("web"), 11)),
    );
    world.take_demands();
    let event = Event::Delete(rollout_of("web", "web", "00", 9));
    assert_eq!(world.apply(&Source::Rollouts, &event), [key("web")]);
    let stops: Vec<_> = world.take_demands();
    assert_eq!(stops.len(), 3, "{stops:?}");
    assert!(stops.iter().all(|demand| matches!(demand, Demand::Stop(_))));
    assert!(world.own.is_empty() && world.by_workload.is_empty() && world.references.is_empty());
    // A turn that was running when it went leaves nothing behind.
    world.want_sets(&key("web"), true);
    assert!(world.take_demands().is_empty() && world.own.is_empty());
}

#[test]
fn the_older_rollout_of_a_workload_has_it() {
    let mut world = armed_world();
    let younger = rollout_of("young", "web", "30", 2);
    let touched = world.apply(&Source::Rollouts, &Event::Apply(younger));
    assert_eq!(touched, [key("web"), key("young")]);
    let rival = |world: &World, name| seen(world, name).rollout.rival;
    assert_eq!(rival(&world, "young").as_deref(), Some("web"));
    assert_eq!(rival(&world, "web"), None);
    // The other learns at once that it is alone.
    let event = Event::Delete(rollout_of("web", "web", "00", 9));
    let touched = world.apply(&Source::Rollouts, &event);
    assert_eq!(touched, [key("web"), key("young")]);
    assert_eq!(rival(&world, "young"), None);
}

#[test]
fn of_two_of_one_second_one_has_it() {
    let mut world = armed_world();
    world.apply(&Source::Rollouts, &Event::Apply(rollout_of("aaa", "web", "00", 2)));
    let rival = |name| seen(&world, name).rollout.rival;
    assert_eq!(rival("web").as_deref(), Some("aaa"));
    assert_eq!(rival("aaa"), None);
}

fn kept(world: &World) -> Vec<String> {
    match seen(world, "web").kept {
        Fact::Known(kept) => kept.into_iter().map(|kept| kept.name).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn own_kept_templates_count_at_once_and_dropped_ones_no_more() {
    let mut world = armed_world();
    world.wrote_kept(&kept_of("web-aa", "web", 50));
    assert_eq!(kept(&world), ["web-aa"]);
    world.dropped_kept(&key("web-aa"));
    assert!(kept(&world).is_empty());
    // The watch is late: it shows first that it was made, then that it went.
    world.apply(&Source::Kept, &Event::Apply(kept_of("web-aa", "web", 50)));
    assert!(kept(&world).is_empty());
    world.apply(&Source::Kept, &Event::Delete(kept_of("web-aa", "web", 51)));
    assert!(kept(&world).is_empty());
    assert!(matches!(&world.kept, mirror if mirror.iter().next().is_none()));
}

#[test]
fn a_kept_template_of_a_rollout_that_was_made_again_is_not_ours() {
    let mut world = armed_world();
    let mut other = kept_of("web-aa", "web", 50).value().clone();
    other["metadata"]["ownerReferences"][0]["uid"] = json!("uid-before");
    world.apply(&Source::Kept, &Event::Apply(raw(other)));
    assert!(kept(&world).is_empty());
}

#[test]
fn own_status_writes_are_no_news_when_the_watch_shows_them() {
    let mut world = armed_world();
    let mut written = rollout_of("web", "web", "00", 5).value().clone();
    written["status"] = json!({ "phase": "Ready" });
    world.wrote_rollout(&raw(written.clone()));
    assert_eq!(world.apply(&Source::Rollouts, &Event::Apply(raw(written))), []);
    let (_, version) = world.rollout(&key("web")).unwrap();
    assert_eq!(version, "5");
}

#[test]
fn the_clusters_own_namespace_and_sluices_are_exempt() {
    for (namespace, exempt) in [("kube-system", true), ("sluice", true), ("ns", false)] {
        let mut world = World::new("sluice");
        let mut rollout = rollout_of("web", "web", "00", 1).value().clone();
        rollout["metadata"]["namespace"] = json!(namespace);
        world.apply(&Source::Rollouts, &Event::Apply(raw(rollout)));
        let seen = world.observe(&Key::new(namespace, "web")).unwrap().unwrap();
        assert_eq!(seen.rollout.exempt, exempt, "{namespace}");
    }
}

#[test]
fn other_kinds_are_not_taken_for_absent() {
    let mut world = armed_world();
    let mut other = rollout_of("web", "web", "00", 5).value().clone();
    other["spec"]["workloadRef"]["kind"] = json!("StatefulSet");
    world.apply(&Source::Rollouts, &Event::Apply(raw(other)));
    assert!(matches!(workload_of(&world, "web"), Fact::Unknown(_)));
}

#[test]
fn a_rollout_that_cannot_be_read_is_left_alone() {
    let mut world = armed_world();
    let mut strange = rollout_of("web", "web", "00", 5).value().clone();
    strange["status"] = json!({ "phase": "Levitating" });
    world.apply(&Source::Rollouts, &Event::Apply(raw(strange)));
    assert!(matches!(world.observe(&key("web")), Some(Err(_))));
    assert_eq!(world.rollouts().count(), 0);
}
