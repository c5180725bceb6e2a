//! What a user says of requests: which routes follow the pods of a release, and what a batch gets.
//! Types and their schema only; their rules are in `cel` and `validate`.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::route::Condition;
use crate::{GepDuration, cel};

/// The requests to one Service, which follow the pods of a release.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficRoute {
    /// Its name among the routes of the Rollout.
    #[schemars(length(min = 1, max = cel::MAX_NAME), regex(pattern = "^[a-z0-9-]*$"))]
    pub name: String,
    /// The Service whose pods are the workload's. It stays as it is.
    #[schemars(length(min = 1, max = cel::MAX_NAME), regex(pattern = "^[a-z0-9-]*$"))]
    pub service: String,
    /// The routes and Ingresses that name it, in the Rollout's own namespace.
    #[schemars(length(min = 1, max = cel::MAX_ROUTES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub refs: Vec<RouteRef>,
    /// How long a gateway takes to act on a route after it said that it has it, or, as nobody says
    /// so of an Ingress, after it was written; default 10s.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<GepDuration>,
}

/// A route that a gateway serves.
#[derive(
    KubeSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = cel::is_a_known_route())]
pub struct RouteRef {
    /// `gateway.networking.k8s.io/v1`, or `networking.k8s.io/v1` of an Ingress.
    #[schemars(length(max = cel::MAX_OBJECT_NAME))]
    pub api_version: String,
    /// `HTTPRoute`, `GRPCRoute` or `Ingress`.
    #[schemars(length(max = cel::MAX_OBJECT_NAME))]
    pub kind: String,
    /// Its name.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    pub name: String,
}

/// The requests that a batch gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// Percent of the requests; absent: as many as the batch has of the pods.
    #[schemars(range(min = 0, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Requests that the new version gets whatever the weight: those that meet any of these. With
    /// matches and no weight it gets no others.
    #[schemars(length(max = cel::MAX_MATCHES))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Condition>,
}

impl RouteRef {
    /// `httproute/web`, for people.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}
