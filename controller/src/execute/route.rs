//! Writes to routes: the hold, and the labels that bring the webhook in.

use crds::RouteRef;
use crds::contract::{
    ARMED_LABEL, ARMED_VALUE, CONTROLLER_MANAGER, HOLD_ANNOTATION, ROLLOUT_LABEL,
};
use crds::route::{RouteHold, RouteReading, projected, restored};
use kube::api::Patch;
use serde_json::{Value, json};

use super::workload::{HoldAt, hold_patch};
use super::{ExecuteError, failed};
use crate::cluster::Write;
use crate::key::Key;
use crate::raw::{Kind, Raw, RouteKind};
use crate::reconcile::Context;

/// Sets, changes or lifts the hold of a route.
pub async fn write(
    context: &Context,
    rollout: &Key,
    route: &RouteRef,
    at: &HoldAt<'_>,
    hold: Option<&RouteHold>,
) -> Result<(), ExecuteError> {
    // No plan writes to a route whose kind nobody knows.
    let Some(kind) = RouteKind::of(route) else { return Ok(()) };
    let place = Place { context, rollout, kind, key: Key::new(&rollout.namespace, &route.name) };
    if hold.is_some() && at.was.is_none() {
        let labels = json!({ ARMED_LABEL: ARMED_VALUE, ROLLOUT_LABEL: rollout.name });
        place.label(at.uid, &labels).await?;
    }
    let before = at.was.map_or(RouteReading::None, RouteHold::read);
    let text = hold.map(|hold| remembering(hold, &before).to_text());
    let annotated = context.with_world(|world| world.is_annotated(rollout, kind, &place.key));
    let patch = hold_patch(at, text.as_deref(), annotated || at.was.is_some());
    let written = place.patch("route", Patch::Json(json_patch::Patch(patch))).await?;
    if projected(written.value()) == Ok(false) {
        return Err(ExecuteError::WebhookAbsent(place.key));
    }
    if let (None, RouteReading::Hold(was)) = (hold, &before)
        && !restored(was, written.value())
    {
        // Without it nobody could tell any more what is the user's.
        place.annotate(at).await?;
        return Err(ExecuteError::WebhookAbsent(place.key));
    }
    if hold.is_none() {
        // Last: a write without the label would not be seen by the webhook.
        place.label(at.uid, &json!({ ARMED_LABEL: null, ROLLOUT_LABEL: null })).await?;
    }
    Ok(())
}

/// The hold with what the one before has to put back: a webhook says so anew, and without one it
/// must not be lost.
fn remembering(hold: &RouteHold, before: &RouteReading) -> RouteHold {
    let own = match before {
        RouteReading::Hold(before) => before.own.clone(),
        RouteReading::None | RouteReading::Newer(_) | RouteReading::Malformed(_) => None,
    };
    RouteHold { own, ..hold.clone() }
}

/// A route, and where what comes of its writes is shown.
struct Place<'a> {
    context: &'a Context,
    rollout: &'a Key,
    kind: RouteKind,
    key: Key,
}

impl Place<'_> {
    async fn label(&self, uid: &str, labels: &Value) -> Result<(), ExecuteError> {
        let body = json!({ "metadata": { "uid": uid, "labels": labels } });
        self.patch("label_route", Patch::Merge(body)).await.map(drop)
    }

    /// Puts the annotation back.
    async fn annotate(&self, at: &HoldAt<'_>) -> Result<(), ExecuteError> {
        let annotations = json!({ HOLD_ANNOTATION: at.was });
        let body = json!({ "metadata": { "uid": at.uid, "annotations": annotations } });
        self.patch("put_back_route", Patch::Merge(body)).await.map(drop)
    }

    async fn patch(&self, label: &'static str, patch: Patch<Value>) -> Result<Raw, ExecuteError> {
        let (kind, key) = (Kind::Route(self.kind), self.key.clone());
        let write = Write { kind, key, status: false, patch, manager: CONTROLLER_MANAGER, label };
        let written = self.context.cluster.patch(write).await;
        let raw = written.map_err(failed(label, kind, &self.key))?;
        self.context.with_world(|world| world.wrote_route(self.rollout, self.kind, &raw));
        Ok(raw)
    }
}

#[cfg(test)]
mod tests;
