//! Each rule of `manifests/policy.yaml` refuses what it is there for, with a message that names the
//! cure, and lets everything else pass.

use serde_json::{Value, json};

use crate::copy::{Copy, Who, dry_run, until};
use crate::script::write;
use crate::workload::{ALL, State};

const MANIFEST: &str = "policy.yaml";
const CASES: &str = include_str!("policy.txt");

/// What a refusal must say; nothing for a write that passes.
fn words(outcome: &str) -> Option<&'static str> {
    match outcome {
        "pass" => None,
        "unheld" => Some("guarded by Rollout web, and the update arrived unheld"),
        "unheld-in-release" => {
            Some("To go back to the version before: kubectl sluice abort web (it needs no webhook)")
        }
        "holds" => Some("Rollout web holds this workload, and the write would change what holds"),
        "ours" => Some("are kept by Sluice for Rollout web, and the write would change them"),
        "half" => Some("would leave this workload half held"),
        "bypass" => Some("takes the right to bypass it"),
        _ => panic!("{outcome:?} is no outcome"),
    }
}

#[derive(Debug)]
struct Case<'a> {
    state: State,
    who: Who,
    script: &'a str,
    outcome: &'a str,
}

/// The cases of a line; a star stands for each.
fn cases(line: &str) -> Vec<Case<'_>> {
    let columns: Vec<_> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    let [state, who, script, outcome] = columns[..] else { panic!("{line:?} is no case") };
    let all = [Who::Controller, Who::ClusterAdmin, Who::Admin, Who::Editor];
    let states = ALL.into_iter().filter(|each| state == "*" || state == format!("{each:?}"));
    let cases: Vec<_> = states
        .flat_map(|state| all.map(|who| (state, who)))
        .filter(|(_, each)| who == "*" || who == format!("{each:?}"))
        .map(|(state, who)| Case { state, who, script, outcome })
        .collect();
    assert!(!cases.is_empty(), "{line:?} names nothing");
    cases
}

/// What is wrong with the outcome, if anything.
fn complaint(case: &Case, outcome: &Result<(), String>) -> Option<String> {
    let fits = match (words(case.outcome), outcome) {
        (None, Ok(())) => true,
        (Some(words), Err(message)) => {
            message.starts_with("403")
                && message.contains("denied request")
                && message.contains(words)
        }
        _ => false,
    };
    (!fits).then(|| format!("{case:?}: {outcome:?}"))
}

/// The policy in force over a workload in every state.
async fn over_all_states(name: &str, body: impl AsyncFnOnce(&Copy)) {
    let bind = |object: &mut Value, namespace: &str| {
        if object["kind"] == "ValidatingAdmissionPolicyBinding" {
            object["spec"]["policyName"] = json!(namespace);
            let selector = json!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } });
            object["spec"]["matchResources"] = json!({ "namespaceSelector": selector });
        }
        true
    };
    Copy::with(name, MANIFEST, bind, async |copy| {
        for state in ALL {
            copy.create(&state.object()).await;
        }
        let editor = copy.deployments(Who::Editor).await;
        let mut unheld = State::AtRest.object();
        write("template", &mut unheld);
        until("the policy is in force", || async {
            dry_run(&editor, &unheld, "e2e").await.is_err_and(|message| message.contains("unheld"))
        })
        .await;
        body(copy).await;
    })
    .await;
}

#[tokio::test]
async fn refuses_what_it_must_and_nothing_else() {
    over_all_states("policy", async |copy| {
        let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut wrong = Vec::new();
        for case in lines.flat_map(cases) {
            let mut object = copy.stored(&case.state.name()).await;
            write(case.script, &mut object);
            let outcome = dry_run(&copy.deployments(case.who).await, &object, "e2e").await;
            wrong.extend(complaint(&case, &outcome));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// `kubectl sluice release-hold`: by its manager, everything off, and the right to bypass.
#[tokio::test]
async fn the_glass_can_be_broken_by_those_who_may() {
    const CLI: &str = "kubectl-sluice";
    over_all_states("glass", async |copy| {
        let mut wrong = Vec::new();
        for state in [State::AtRest, State::Held, State::InBatch, State::Rejected] {
            let kept = match state {
                State::Held | State::InBatch => "holds",
                _ => "ours",
            };
            for (who, manager, script, outcome) in [
                (Who::ClusterAdmin, CLI, "lift, unlabel", "pass"),
                (Who::Admin, CLI, "lift, unlabel", "pass"),
                (Who::Editor, CLI, "lift, unlabel", "bypass"),
                (Who::ClusterAdmin, "kubectl-replace", "lift, unlabel", kept),
                (Who::ClusterAdmin, CLI, "lift, label armed=-", kept),
                (Who::ClusterAdmin, CLI, "lift, label rollout=-", kept),
                (Who::ClusterAdmin, CLI, "lift, unlabel, annotate bar", kept),
                (Who::ClusterAdmin, CLI, "unlabel, unannotate, fence", kept),
            ] {
                let case = Case { state, who, script, outcome };
                let mut object = copy.stored(&state.name()).await;
                write(script, &mut object);
                let result = dry_run(&copy.deployments(who).await, &object, manager).await;
                wrong.extend(complaint(&case, &result));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// The apiserver limits what an expression may cost; a template may be large.
#[tokio::test]
async fn judges_the_largest_templates() {
    over_all_states("large", async |copy| {
        let mut object = State::AtRest.object();
        object["metadata"]["name"] = json!("large");
        let variable =
            |index| json!({ "name": format!("VARIABLE_{index}"), "value": "x".repeat(400) });
        let variables: Vec<_> = (0..2000).map(variable).collect();
        object["spec"]["template"]["spec"]["containers"][0]["env"] = json!(variables);
        copy.create(&object).await;
        let stored = copy.stored("large").await;
        let editor = copy.deployments(Who::Editor).await;
        let mut labelled = stored.clone();
        write("label mine=yes", &mut labelled);
        assert_eq!(dry_run(&editor, &labelled, "e2e").await, Ok(()));
        let mut changed = stored;
        let env = &mut changed["spec"]["template"]["spec"]["containers"][0]["env"];
        env[1999]["value"] = json!("y");
        let refused = dry_run(&editor, &changed, "e2e").await;
        let message = refused.expect_err("an unheld template");
        assert!(message.contains("unheld"), "{message}");
    })
    .await;
}
