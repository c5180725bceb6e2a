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
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Deployment, Self::StatefulSet];

    /// The kind of this API version and name, if it is one of ours.
    #[must_use]
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.api_version() == api_version && one.as_str() == kind)
    }

    /// Its API version.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet => "apps/v1",
        }
    }

    /// Its name as in `kind:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// Its name in a sentence, and on kubectl's command line.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }
}

impl WorkloadRef {
    /// The kind that it names, if it is one of ours.
    #[must_use]
    pub fn kind(&self) -> Option<WorkloadKind> {
        WorkloadKind::named(&self.api_version, &self.kind)
    }
}
