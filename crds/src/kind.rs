//! The kinds of workloads that a Rollout can name: one row each, so that every part of Sluice says
//! the same of a kind. Data only.

use crate::rollout::WorkloadRef;

/// A kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// apps/v1 Deployment: held by fence, released by the stock controller's own arithmetic.
    Deployment,
    /// apps/v1 StatefulSet: held and released by its partition.
    StatefulSet,
    /// apps.kruise.io/v1alpha1 CloneSet of OpenKruise: held and released by its partition.
    CloneSet,
    /// apps/v1 DaemonSet: held by OnDelete, released by deleting its pods.
    DaemonSet,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Deployment, Self::StatefulSet, Self::CloneSet, Self::DaemonSet];

    /// The kind of this API version and name, if it is one of ours.
    #[must_use]
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.api_version() == api_version && one.as_str() == kind)
    }

    /// All of them, for people.
    #[must_use]
    pub fn list() -> String {
        let [others @ .., last] =
            Self::ALL.map(|kind| format!("{} {}", kind.api_version(), kind.as_str()));
        format!("{} and {last}", others.join(", "))
    }

    /// Its API version.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::CloneSet => "apps.kruise.io/v1alpha1",
        }
    }

    /// Its name as in `kind:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::CloneSet => "CloneSet",
            Self::DaemonSet => "DaemonSet",
        }
    }

    /// Its name in a sentence, and on kubectl's command line.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::CloneSet => "cloneset",
            Self::DaemonSet => "daemonset",
        }
    }

    /// Every Kubernetes has it; any other comes with a CRD that may be missing.
    #[must_use]
    pub fn is_built_in(self) -> bool {
        self.api_version() == "apps/v1"
    }
}

impl WorkloadRef {
    /// The kind that it names, if it is one of ours.
    #[must_use]
    pub fn kind(&self) -> Option<WorkloadKind> {
        WorkloadKind::named(&self.api_version, &self.kind)
    }
}
