//! What is written to free a Deployment, and what is said of it.

use crds::hold::Bar;
use crds::{
    Fenced, IntOrPercent, Original, Partition, Partitioned, Portion, Portioned, Revision,
    UpdateType, Updating, Withheld,
};

use super::*;

fn fenced() -> Hold {
    let original = Original {
        paused: false,
        min_ready_seconds: 5,
        progress_deadline_seconds: 300,
        max_surge: IntOrPercent::Percent(30),
        max_unavailable: IntOrPercent::Count(0),
    };
    let [new, old] = ["bbbbbbbbbb", "aaaaaaaaaa"].map(Revision::from);
    Hold::fenced(Fenced::first(new, old, original))
}

/// An armed Deployment with this annotation and this minReadySeconds.
fn armed(hold: Option<&str>, min_ready_seconds: i32) -> DynamicObject {
    let annotations = hold.map(|text| json!({ contract::HOLD_ANNOTATION: text }));
    let labels = json!({ contract::ARMED_LABEL: "true", contract::ROLLOUT_LABEL: "shop" });
    serde_json::from_value(json!({
        "metadata": { "name": "web", "labels": labels, "annotations": annotations },
        "spec": {
            "minReadySeconds": min_ready_seconds, "progressDeadlineSeconds": 600,
            "selector": {}, "template": {},
            "strategy": { "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } },
        },
    }))
    .unwrap()
}

fn in_release() -> DynamicObject {
    armed(Some(&fenced().to_text()), contract::FENCE_MIN_READY_SECONDS)
}

/// The Deployment as an apiserver without Sluice stores it.
fn freed(workload: &DynamicObject) -> DynamicObject {
    let mut value = serde_json::to_value(workload).unwrap();
    json_patch::patch(&mut value, &freeing(workload)).unwrap();
    serde_json::from_value(value).unwrap()
}

fn steps(workload: &DynamicObject) -> Vec<String> {
    freeing(workload).0.iter().filter_map(told).collect()
}

#[test]
fn in_a_release_the_users_own_fields_come_back() {
    let before = in_release();
    let after = freed(&before);
    assert!(after.labels().is_empty() && after.annotations().is_empty());
    let spec = &after.data["spec"];
    assert_eq!(
        (&spec["minReadySeconds"], &spec["progressDeadlineSeconds"]),
        (&json!(5), &json!(300))
    );
    assert_eq!(Outcome::of(&before, &after), Outcome::Freed);
    assert_eq!(
        steps(&before),
        [
            "remove metadata.labels.sluice.dev/armed",
            "remove metadata.labels.sluice.dev/rollout",
            "remove metadata.annotations.sluice.dev/hold",
            "set spec.paused to false",
            "set spec.minReadySeconds to 5",
            "set spec.progressDeadlineSeconds to 300",
            "set spec.strategy.rollingUpdate to {\"maxSurge\":\"30%\",\"maxUnavailable\":0}",
        ]
    );
    assert!(matches!(&freeing(&before).0[0], PatchOperation::Test(_)));
}

#[test]
fn outside_a_release_no_field_is_written() {
    let bar = Hold::barred(Revision::from("bbbbbbbbbb"), Bar::Rejected).to_text();
    assert_eq!(steps(&armed(None, 5)).len(), 2);
    assert_eq!(steps(&armed(Some(&bar), 5)).len(), 3);
    let bare = serde_json::from_value(json!({ "metadata": { "name": "web" } })).unwrap();
    assert_eq!(steps(&bare), [""; 0]);
}

#[test]
fn a_living_sluice_is_told_by_what_it_puts_back() {
    let before = in_release();
    assert_eq!(Outcome::of(&before, &before), Outcome::PutBack);
    let said = alive(&before);
    for part in ["Sluice is alive", "abort shop", "promote shop --full", "delete rollout shop"] {
        assert!(said.contains(part), "{said}");
    }
    let resting = armed(None, 5);
    assert_eq!(Outcome::of(&resting, &resting), Outcome::PutBack);
    assert!(!alive(&resting).contains("abort"));
}

/// What `HoldUnreadable` and `FenceWithoutHold` advise, with Sluice alive or dead.
#[test]
fn a_fence_that_nobody_can_lift_goes_whether_sluice_lives_or_not() {
    for hold in [None, Some("no hold")] {
        let before = armed(hold, contract::FENCE_MIN_READY_SECONDS);
        let after = freed(&before);
        assert_eq!(Outcome::of(&before, &after), Outcome::Freed);
        assert_eq!(after.data["spec"]["minReadySeconds"], 0);
        // The webhook puts labels and annotation back.
        assert_eq!(Outcome::of(&before, &armed(hold, 0)), Outcome::Unfenced);
        assert_eq!(Outcome::of(&before, &before), Outcome::PutBack);
        assert!(
            meaning(&Target::named("web"), &before).last().unwrap().contains("Apply its manifest")
        );
    }
}

#[test]
fn the_users_own_strategy_comes_back_whatever_its_kind() {
    let [new, old] = ["bbbbbbbbbb", "aaaaaaaaaa"].map(Revision::from);
    let stateful = Partitioned::first(new.clone(), old.clone(), Partition { partition: 2 });
    let partition = "33.3%".parse().unwrap();
    let cloned = Portioned::first(new.clone(), old.clone(), Portion { partition });
    let daemon = Withheld::first(new, old, Updating { by: UpdateType::RollingUpdate });
    let held = [
        (
            HoldState::Partitioned(stateful),
            json!({ "rollingUpdate": { "partition": 2_147_483_647 } }),
        ),
        (HoldState::Portioned(cloned), json!({ "partition": "100%" })),
        (HoldState::Withheld(daemon), json!({ "type": "OnDelete" })),
    ];
    let last = held.map(|(state, strategy)| {
        let mut workload = armed(Some(&Hold::of_release(state).to_text()), 0);
        workload.data["spec"]["updateStrategy"] = strategy;
        assert_eq!(Outcome::of(&workload, &freed(&workload)), Outcome::Freed);
        assert!(alive(&workload).contains("abort shop"));
        steps(&workload).pop().unwrap()
    });
    let expected = [
        "set spec.updateStrategy.rollingUpdate.partition to 2",
        "set spec.updateStrategy.partition to \"33.3%\"",
        "set spec.updateStrategy.type to \"RollingUpdate\"",
    ];
    assert_eq!(last, expected);
}

#[test]
fn workloads_are_named_as_kubectl_does() {
    let named = |text| Target::named(text).to_string();
    assert_eq!(named("web"), "deployment.apps/web");
    assert_eq!(named("deployment/web"), "deployment.apps/web");
    assert_eq!(named("statefulset/db"), "statefulset.apps/db");
    assert_eq!(named("cloneset/web"), "cloneset.apps.kruise.io/web");
    assert_eq!(named("daemonset/agent"), "daemonset.apps/agent");
}
