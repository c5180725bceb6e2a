//! Which writes call the webhook. The copy fails closed and points nowhere, so that a call shows as
//! a refusal.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::copy::{Copy, Who, dry_run, said, until};
use crate::rollouts::keep;
use crate::script::write;
use crate::workload::State;

const MANIFEST: &str = "registration.yaml";

const CALLING: [(State, Who, &str); 13] = [
    // While a hold stands, a manifest may state just what is projected: nothing but this tells.
    (State::InBatch, Who::Editor, "label mine=yes"),
    (State::InBatch, Who::Editor, "metadata.annotations.note=\"other\""),
    (State::AtRest, Who::Editor, "template"),
    // Of what somebody has exported in a release.
    (State::AtRest, Who::Editor, "spec.minReadySeconds=2147483646"),
    (State::InBatch, Who::Editor, "spec.replicas=7"),
    (State::InBatch, Who::Editor, "spec.minReadySeconds=1"),
    (State::InBatch, Who::Editor, "unannotate"),
    (State::InBatch, Who::Editor, "metadata.annotations=-"),
    (State::AtRest, Who::Editor, "unlabel"),
    (State::AtRest, Who::Editor, "metadata.labels=-"),
    (State::AtRest, Who::Editor, "label rollout=other"),
    (State::AtRest, Who::Controller, "nothing"),
    (State::Unarmed, Who::Controller, "label armed=true"),
];

const SILENT: [(State, Who, &str); 7] = [
    (State::AtRest, Who::Editor, "nothing"),
    (State::AtRest, Who::Editor, "spec.replicas=7"),
    (State::AtRest, Who::Editor, "spec.minReadySeconds=1"),
    (State::AtRest, Who::Editor, "label mine=yes"),
    (State::AtRest, Who::Editor, "metadata.annotations.note=\"other\""),
    (State::AtRest, Who::Editor, "metadata.annotations=-"),
    (State::Unarmed, Who::Editor, "template"),
];

async fn calling_nowhere(name: &str, body: impl AsyncFnOnce(&Copy)) {
    let closed = |object: &mut Value, namespace: &str| {
        if object["kind"] != "MutatingWebhookConfiguration" {
            return false;
        }
        // The Rollouts' entry has no label to tell ours from the cluster's.
        keep(object, "workloads.sluice.dev");
        let webhook = &mut object["webhooks"][0];
        webhook["name"] = json!(format!("{namespace}.sluice.test"));
        webhook["clientConfig"]["service"]["namespace"] = json!(namespace);
        webhook["failurePolicy"] = json!("Fail");
        let selector = json!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } });
        webhook["namespaceSelector"] = selector;
        true
    };
    Copy::with(name, MANIFEST, closed, async |copy| {
        for state in [State::Unarmed, State::AtRest, State::InBatch] {
            copy.create(&state.object()).await;
        }
        let editor = copy.deployments(Who::Editor).await;
        let mut calling = State::AtRest.object();
        write("template", &mut calling);
        until("the webhook is called", || async {
            dry_run(&editor, &calling, "e2e").await.is_err_and(|message| is_call(&message))
        })
        .await;
        body(copy).await;
    })
    .await;
}

fn is_call(message: &str) -> bool {
    message.contains("failed calling webhook")
}

#[tokio::test]
async fn only_writes_that_matter_call() {
    calling_nowhere("calls", async |copy| {
        let mut wrong = Vec::new();
        let calling = CALLING.into_iter().map(|write| (write, true));
        let silent = SILENT.into_iter().map(|write| (write, false));
        for ((state, who, script), expected) in calling.chain(silent) {
            let mut object = copy.stored(&state.name()).await;
            write(script, &mut object);
            let outcome = dry_run(&copy.deployments(who).await, &object, "e2e").await;
            let called = outcome.as_ref().is_err_and(|message| is_call(message));
            if called != expected || (!called && outcome.is_err()) {
                wrong.push(format!("{state:?}, {who:?}, {script}: {outcome:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn scale_and_status_never_call() {
    calling_nowhere("subresources", async |copy| {
        let controller = copy.deployments(Who::Controller).await;
        let name = State::InBatch.name();
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let scale = json!({ "spec": { "replicas": 9 } });
        let scaled = controller.patch_scale(&name, &params, &Patch::Merge(scale)).await;
        let replicas = scaled.map(|scale| scale.spec.unwrap().replicas).map_err(said);
        assert_eq!(replicas, Ok(Some(9)));
        let status = json!({ "status": { "observedGeneration": 1 } });
        let stated = controller.patch_status(&name, &params, &Patch::Merge(status)).await;
        assert_eq!(stated.map(|_| ()).map_err(said), Ok(()));
    })
    .await;
}
