//! Tests of reconcile.

use std::time::Duration;

use crds::RolloutStatus;
use crds::status::Phase;
use jiff::ToSpan;
use plan::{Action, Fact};
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    Exchange, deployment, failed_test, key, read, rollout, scripted, status, with, world, write,
};

const STATUS: &str = "PATCH-json /apis/sluice.dev/v1alpha1/namespaces/ns/rollouts/web/status\
                      ?fieldManager=sluice-controller";
const ARM: &str =
    "PATCH-merge /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller";
const GET_ROLLOUT: &str = "GET /apis/sluice.dev/v1alpha1/namespaces/ns/rollouts/web";
const GET_DEPLOYMENT: &str = "GET /apis/apps/v1/namespaces/ns/deployments/web";

fn saying(phase: Phase) -> Plan {
    Plan {
        asks: Vec::new(),
        actions: Vec::new(),
        status: RolloutStatus { phase, ..RolloutStatus::default() },
        events: Vec::new(),
        wake: None,
        watch_routes: false,
        watch_sets: false,
    }
}

/// Arms what is not armed, and says what it saw.
fn arming(seen: &Observed, _: Timestamp) -> Plan {
    match &seen.workload {
        Fact::Known(workload) if workload.armed => saying(Phase::Ready),
        Fact::Known(workload) => {
            let actions = vec![Action::Arm { uid: workload.uid.clone() }];
            Plan { actions, ..saying(Phase::Pending) }
        }
        Fact::Absent | Fact::Unknown(_) => saying(Phase::Stalled),
    }
}

fn resting(seen: &Observed, now: Timestamp) -> Plan {
    Plan { wake: Some(now + 60.seconds()), ..saying(seen.rollout.status.phase) }
}

/// Never content with what it said.
fn restless(seen: &Observed, _: Timestamp) -> Plan {
    match seen.rollout.status.phase {
        Phase::Held => saying(Phase::Ready),
        _ => saying(Phase::Held),
    }
}

fn unarmed() -> Value {
    with(&deployment(), &json!({ "metadata": { "labels": null } }))
}

fn said(phase: &str, version: u32) -> Value {
    let change = json!({ "metadata": { "resourceVersion": version.to_string() },
        "status": { "phase": phase } });
    with(&rollout(), &change)
}

fn status_write(phase: &str, version: u32) -> Exchange {
    let body = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": version.to_string() },
        { "op": "add", "path": "/status", "value": { "phase": phase } },
    ]);
    write(STATUS, body, 200, said(phase, version + 1))
}

fn arm(code: u16, answer: Value) -> Exchange {
    let labels = json!({ "sluice.dev/armed": "true", "sluice.dev/rollout": "web" });
    let body = json!({ "metadata": { "uid": "uid-web", "labels": labels } });
    write(ARM, body, code, answer)
}

fn armed() -> Value {
    with(&deployment(), &json!({ "metadata": { "resourceVersion": "11" } }))
}

async fn turn_of(
    live: &Value,
    decide: fn(&Observed, Timestamp) -> Plan,
    exchanges: Vec<Exchange>,
) -> Next {
    let (mut context, script) = scripted(world(&rollout(), live), exchanges);
    context.decide = decide;
    let next = reconcile(&context, &key("web")).await;
    script.played(context).await;
    next
}

#[tokio::test]
async fn acts_says_and_goes_on_at_once_until_nothing_is_left() {
    let exchanges = vec![arm(200, armed()), status_write("Ready", 1)];
    // The status begins as Pending, so only the second plan has something to say.
    assert_eq!(turn_of(&unarmed(), arming, exchanges).await, Next::Wait);
}

#[tokio::test(start_paused = true)]
async fn wakes_when_the_plan_says() {
    let Next::At(at) = turn_of(&deployment(), resting, Vec::new()).await else { panic!() };
    let left = at - clock::instant();
    assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(55), "{left:?}");
}

#[tokio::test]
async fn an_action_on_old_knowledge_is_followed_by_a_look() {
    let exchanges = vec![
        arm(422, status(422, "metadata.uid: field is immutable")),
        read(GET_DEPLOYMENT, 200, armed()),
        status_write("Ready", 1),
    ];
    assert_eq!(turn_of(&unarmed(), arming, exchanges).await, Next::Wait);
}

#[tokio::test]
async fn a_workload_that_is_gone_is_unknown_until_the_watch_has_looked() {
    let exchanges = vec![
        arm(404, status(404, "gone")),
        read(GET_DEPLOYMENT, 404, status(404, "gone")),
        status_write("Stalled", 1),
    ];
    assert_eq!(turn_of(&unarmed(), arming, exchanges).await, Next::Wait);
}

#[tokio::test]
async fn a_status_on_old_knowledge_is_written_on_new() {
    let stale = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": "1" },
        { "op": "add", "path": "/status", "value": { "phase": "Ready" } },
    ]);
    let exchanges = vec![
        write(STATUS, stale, 422, failed_test()),
        read(GET_ROLLOUT, 200, said("Held", 7)),
        status_write("Ready", 7),
    ];
    assert_eq!(turn_of(&deployment(), arming, exchanges).await, Next::Wait);
}

fn failing(seen: &Observed, now: Timestamp) -> Plan {
    Plan { status: saying(Phase::Failed).status, ..arming(seen, now) }
}

#[tokio::test]
async fn a_failed_action_is_retried_later_and_the_status_is_said_all_the_same() {
    let exchanges = vec![arm(500, status(500, "no")), status_write("Failed", 1)];
    assert_eq!(turn_of(&unarmed(), failing, exchanges).await, Next::Retry);
}

#[tokio::test]
async fn nothing_follows_a_failed_action() {
    fn twice(seen: &Observed, now: Timestamp) -> Plan {
        let mut plan = arming(seen, now);
        plan.actions.push(Action::AddFinalizer);
        plan
    }
    let exchanges = vec![arm(503, status(503, "no"))];
    assert_eq!(turn_of(&unarmed(), twice, exchanges).await, Next::Retry);
}

#[tokio::test]
async fn a_plan_that_never_rests_is_slowed_down() {
    let exchanges = (1_u32..=12)
        .map(|version| status_write(if version % 2 == 1 { "Held" } else { "Ready" }, version));
    assert_eq!(turn_of(&deployment(), restless, exchanges.collect()).await, Next::Retry);
}

#[tokio::test]
async fn a_rollout_that_is_gone_is_forgotten() {
    let (context, script) = scripted(World::default(), Vec::new());
    assert_eq!(reconcile(&context, &key("web")).await, Next::Forget);
    script.played(context).await;
}

#[tokio::test]
async fn a_rollout_that_went_while_it_was_written_is_let_go() {
    let body = status_write("Ready", 1).body;
    let exchanges = vec![write(STATUS, body, 404, status(404, "gone"))];
    assert_eq!(turn_of(&deployment(), arming, exchanges).await, Next::Wait);
}

#[tokio::test]
async fn a_rollout_that_cannot_be_read_is_left_alone() {
    let strange = with(&rollout(), &json!({ "status": { "phase": "Levitating" } }));
    let (context, script) = scripted(world(&strange, &deployment()), Vec::new());
    assert_eq!(reconcile(&context, &key("web")).await, Next::Wait);
    script.played(context).await;
}

#[tokio::test]
async fn what_a_cut_retreat_left_is_taken_away_first() {
    let entries = json!([{ "manager": "flux" }, { "manager": "sluice-retreat" }]);
    let left = with(&deployment(), &json!({ "metadata": { "managedFields": entries } }));
    let clean =
        with(&armed(), &json!({ "metadata": { "managedFields": [{ "manager": "flux" }] } }));
    let body = json!([
        { "op": "test", "path": "/metadata/managedFields/1/manager", "value": "sluice-retreat" },
        { "op": "remove", "path": "/metadata/managedFields/1" },
    ]);
    let tidy = write(
        "PATCH-json /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=sluice-controller",
        body,
        200,
        clean,
    );
    let exchanges = vec![read(GET_DEPLOYMENT, 200, left.clone()), tidy, status_write("Ready", 1)];
    assert_eq!(turn_of(&left, arming, exchanges).await, Next::Wait);
}
