//! Hooks as users and administrators write them. Types and their schema only; what an answer means
//! is the `gate` crate's.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GepDuration, cel};

/// A question that a service of the user's own answers, by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookGate {
    /// The HookProvider that it is sent to.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    pub provider: String,
    /// It waits for a confirmation, as long as that takes: whatever is answered but a 2xx means
    /// "not yet", and never fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
}

/// A service that hooks are sent to. Administrators make it; Rollouts name it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "HookProvider",
    plural = "hookproviders",
    derive = "PartialEq",
    category = "sluice",
    doc = "A service that gates of Rollouts may ask by an HTTP request.",
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.address"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookProviderSpec {
    /// What is posted to: `https://checks.shop.svc/release`. No redirect is followed.
    #[schemars(length(min = 1, max = cel::MAX_ADDRESS))]
    #[x_kube(validation = cel::is_a_target())]
    #[x_kube(validation = cel::has_no_credentials())]
    pub address: String,
    /// How long an answer may take; default 10s.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GepDuration>,
    /// So many requests at once; default 10.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The Secret, in Sluice's own namespace, with what proves who asks: `signing-key` (the body
    /// is signed with it), `token` (a bearer token), or `username` and `password`, and `tls.crt`
    /// with `tls.key` for a server that wants a client certificate; and `ca.crt` where the
    /// server's own needs it.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}
