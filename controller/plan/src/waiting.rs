//! What a Rollout can wait for: a stable word for programs and a sentence for people each. The
//! sentences carry no count that changes while pods come and go: each would be a status write.

use crds::{Revision, WorkloadKind};
use jiff::Timestamp;

use crate::observed::Trouble;

/// What a Rollout waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    WorkloadMissing { name: String },
    KindMissing,
    WorkloadUnknown { why: String },
    Arming { name: String },
    Rival { rollout: String },
    Exempt { namespace: String },
    Refused { strategy: &'static str },
    NewerHold { schema: u32 },
    HoldUnreadable { why: String },
    FenceWithoutHold,
    Webhook,
    FactsUnknown { why: String },
    StockController,
    StableRepair { set: String },
    StableTemplateLost { stable: Revision },
    DeploymentPaused { name: String },
    Pods { want: i32, revision: Revision },
    Trouble { pod: String, trouble: Trouble },
    Promotion { index: u32, count: u32 },
    Time { until: Timestamp },
    Gate { gate: String, told: String },
    GateUnknown { gate: String, told: String },
    Confirmation { gate: String, told: String },
    Bake { until: Timestamp },
    ServiceMissing { service: String },
    Endpoints { service: String, want: i32 },
    RouteMissing { route: String },
    RouteUnfit { route: String, why: String },
    Route { route: String, why: String },
    RouteSettles { until: Timestamp },
    Paused { by: Option<String> },
    SpecPaused,
    Failed { because: String },
    Rejected { revision: Revision, because: String },
    StablePods { stable: Revision, because: String },
    Finishing,
    MovingBack { allowed: i32 },
    ScaledToZero { update: Revision },
    Disarming,
}

impl Wait {
    /// A stable CamelCase word.
    pub(crate) fn reason(&self, kind: WorkloadKind) -> &'static str {
        match self {
            Self::WorkloadMissing { .. } => "WorkloadMissing",
            Self::KindMissing => "KindNotInstalled",
            Self::WorkloadUnknown { .. } => "WorkloadUnknown",
            Self::Arming { .. } => "Arming",
            Self::Rival { .. } => "AnotherRollout",
            Self::Exempt { .. } => "NamespaceExempt",
            Self::Refused { .. } if kind == WorkloadKind::Deployment => "RecreateStrategy",
            Self::Refused { .. } => "OnDeleteStrategy",
            Self::NewerHold { .. } => "NewerHold",
            Self::HoldUnreadable { .. } => "HoldUnreadable",
            Self::FenceWithoutHold => "FenceWithoutHold",
            Self::Webhook => "Webhook",
            Self::FactsUnknown { .. } => "FactsUnknown",
            Self::StockController => match kind {
                WorkloadKind::Deployment => "DeploymentController",
                WorkloadKind::StatefulSet => "StatefulSetController",
                WorkloadKind::CloneSet => "CloneSetController",
                WorkloadKind::DaemonSet => "DaemonSetController",
            },
            Self::StableRepair { .. } => "StableRepair",
            Self::StableTemplateLost { .. } => "StableTemplateLost",
            Self::DeploymentPaused { .. } => "DeploymentPaused",
            Self::Pods { .. } => "Pods",
            Self::Trouble { .. } => "PodTrouble",
            Self::Promotion { .. } => "Promotion",
            Self::Time { .. } => "PauseTime",
            Self::Gate { .. } => "Gate",
            Self::GateUnknown { .. } => "GateUnknown",
            Self::Confirmation { .. } => "Confirmation",
            Self::Bake { .. } => "BakeTime",
            Self::ServiceMissing { .. } => "ServiceMissing",
            Self::Endpoints { .. } => "Endpoints",
            Self::RouteMissing { .. } => "RouteMissing",
            Self::RouteUnfit { .. } => "RouteUnfit",
            Self::Route { .. } => "Route",
            Self::RouteSettles { .. } => "RouteSettles",
            Self::Paused { .. } => "Paused",
            Self::SpecPaused => "SpecPaused",
            Self::Failed { .. } => "Failed",
            Self::Rejected { .. } => "Rejected",
            Self::StablePods { .. } => "StablePods",
            Self::Finishing => "Finishing",
            Self::MovingBack { .. } => "MovingBack",
            Self::ScaledToZero { .. } => "ScaledToZero",
            Self::Disarming => "Disarming",
        }
    }

    /// A batch is ready, and a gate says when it goes on.
    pub(crate) fn is_for_a_gate(&self) -> bool {
        matches!(
            self,
            Self::Gate { .. }
                | Self::GateUnknown { .. }
                | Self::Confirmation { .. }
                | Self::Bake { .. }
        )
    }

    /// A sentence.
    pub(crate) fn message(&self, kind: WorkloadKind) -> String {
        let noun = kind.noun();
        match self {
            Self::WorkloadMissing { name } => format!("{noun} {name} does not exist yet"),
            Self::KindMissing => missing_sentence(kind),
            Self::WorkloadUnknown { why } => format!("the {noun} cannot be read: {why}"),
            Self::Arming { name } => format!("{noun} {name} is being labelled"),
            Self::Rival { rollout } => {
                format!("rollout {rollout} is older and names the same {noun}; delete one")
            }
            Self::Exempt { namespace } => exempt_sentence(namespace),
            Self::Refused { strategy } => refused_sentence(strategy),
            Self::NewerHold { schema } => {
                format!("the hold has schema {schema}, written by a newer Sluice; upgrade this one")
            }
            Self::HoldUnreadable { why } => unreadable_sentence(noun, why),
            Self::FenceWithoutHold => lost_sentence(noun),
            Self::Webhook => WEBHOOK.into(),
            Self::FactsUnknown { why } => format!("the state of the release is unknown: {why}"),
            Self::StockController => {
                format!("the {} controller has not acted on the last change yet", kind.as_str())
            }
            Self::StableRepair { set } => {
                format!("the stable ReplicaSet {set} has to report its pods as available first")
            }
            Self::StableTemplateLost { stable } => format!(
                "the template of stable revision {stable} is gone; apply the manifest to go to"
            ),
            Self::DeploymentPaused { name } => paused_sentence(kind, name),
            Self::Pods { want, revision } => pods_sentence(*want, revision),
            Self::Trouble { pod, trouble } => trouble_sentence(pod, trouble),
            Self::Promotion { index, count } => {
                format!("batch {index} of {count} is ready and waits to be promoted")
            }
            Self::Time { until } => format!("the batch is ready and its pause ends at {until:.0}"),
            Self::Gate { gate, told } | Self::Confirmation { gate, told } => says(gate, told),
            Self::GateUnknown { gate, told } => unknown_sentence(gate, told),
            Self::Bake { until } => format!("all pods are new; the gates go on until {until:.0}"),
            Self::ServiceMissing { .. }
            | Self::Endpoints { .. }
            | Self::RouteMissing { .. }
            | Self::RouteUnfit { .. }
            | Self::Route { .. }
            | Self::RouteSettles { .. } => self.of_routes(),
            Self::Paused { by: Some(by) } => format!("paused by {by}; resume or promote goes on"),
            Self::Paused { by: None } => "paused by request; resume or promote goes on".into(),
            Self::SpecPaused => "the Rollout's spec.paused is true".into(),
            Self::Failed { because } => format!("{because}; resume, retry or abort"),
            Self::Rejected { revision, because } => format!(
                "revision {revision} was rejected{}; apply another one, or retry",
                clause(because)
            ),
            Self::StablePods { stable, because } => {
                format!("pods go back to stable revision {stable}{}", clause(because))
            }
            Self::Finishing => {
                format!("the {noun} controller finishes with the user's own fields")
            }
            Self::MovingBack { allowed } => {
                format!("scaling left more than {allowed} new pods; the others are moved back")
            }
            Self::ScaledToZero { update } => format!(
                "scaled to zero; the release of {update} starts again when there are stable pods"
            ),
            Self::Disarming => format!("the {noun} is given back"),
        }
    }
}

impl Wait {
    /// The sentences about requests.
    fn of_routes(&self) -> String {
        match self {
            Self::ServiceMissing { service } => {
                format!("service {service}, which spec.routes names, does not exist")
            }
            Self::Endpoints { service, want } => {
                format!("service {service} has to have {want} ready endpoints")
            }
            Self::RouteMissing { route } => {
                format!("{route}, which spec.routes names, does not exist")
            }
            Self::RouteUnfit { route, why } => format!("{route} cannot be shared: {why}"),
            Self::Route { route, why } => {
                format!("the gateways of {route} have not taken its last change: {why}")
            }
            Self::RouteSettles { until } => {
                format!("the gateways have the change and act on it until {until:.0}")
            }
            _ => String::new(),
        }
    }
}

fn pods_sentence(want: i32, revision: &Revision) -> String {
    match want {
        1 => format!("1 pod of revision {revision} has to be ready"),
        _ => format!("{want} pods of revision {revision} have to be ready"),
    }
}

fn clause(because: &str) -> String {
    if because.is_empty() { String::new() } else { format!(": {because}") }
}

const WEBHOOK: &str =
    "the last write did not pass the Sluice webhook; it is repeated until the webhook answers";

fn refused_sentence(strategy: &str) -> String {
    format!(
        "strategy {strategy} cannot be released in batches and is left alone; use RollingUpdate"
    )
}

fn lost_sentence(noun: &str) -> String {
    format!(
        "the {noun} is fenced but nothing says what its own fields were; kubectl sluice \
         release-hold frees it"
    )
}

fn unreadable_sentence(noun: &str, why: &str) -> String {
    format!(
        "the hold annotation cannot be read ({why}); kubectl sluice release-hold frees the {noun}"
    )
}

fn says(gate: &str, told: &str) -> String {
    format!("gate {gate}: {told}")
}

fn unknown_sentence(gate: &str, told: &str) -> String {
    format!("gate {gate} cannot be judged: {told}; repair it, skip-gates or abort")
}

fn missing_sentence(kind: WorkloadKind) -> String {
    let (version, name) = (kind.api_version(), kind.as_str());
    format!("{version} {name} is not installed in this cluster: waiting for its CRD")
}

fn paused_sentence(kind: WorkloadKind, name: &str) -> String {
    let field = match kind {
        WorkloadKind::CloneSet => "spec.updateStrategy.paused",
        _ => "spec.paused",
    };
    format!("{} {name} is paused by its own {field}; resume it", kind.noun())
}

fn exempt_sentence(namespace: &str) -> String {
    format!(
        "updates in namespace {namespace} are never held, so that the cluster and Sluice itself \
         can always be repaired; delete this Rollout, or use another namespace"
    )
}

/// A pod's trouble in one sentence.
pub(crate) fn trouble_sentence(pod: &str, trouble: &Trouble) -> String {
    let Trouble { container, reason, message } = trouble;
    format!("pod {pod}, container {container}: {reason}{}", clause(message))
}
