//! The names that `CloneSets` and their pods carry. Constants only.

pub const GROUP: &str = "apps.kruise.io";
pub const VERSION: &str = "v1alpha1";
pub const API_VERSION: &str = "apps.kruise.io/v1alpha1";
pub const KIND: &str = "CloneSet";
pub const PLURAL: &str = "clonesets";

pub const INSTANCE_ID: &str = "apps.kruise.io/cloneset-instance-id";
pub const REVISION: &str = "controller-revision-hash";
pub const TEMPLATE_HASH: &str = "pod-template-hash";
pub const HISTORY_HASH: &str = "controller.kubernetes.io/hash";
pub const SPECIFIED_DELETE: &str = "apps.kruise.io/specified-delete";
pub const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
pub const LIFECYCLE_STATE: &str = "lifecycle.apps.kruise.io/state";
pub const LIFECYCLE_TIME: &str = "lifecycle.apps.kruise.io/timestamp";
pub const INPLACE_STATE: &str = "apps.kruise.io/inplace-update-state";
pub const INPLACE_GRACE: &str = "apps.kruise.io/inplace-update-grace";

/// The readiness gate of every pod, and the condition that opens it.
pub const UPDATE_READY: &str = "InPlaceUpdateReady";

/// The letters of hashes and of pods' ids, as everywhere in Kubernetes: no word can come of them.
pub const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
