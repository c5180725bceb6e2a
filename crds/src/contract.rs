//! Every string and number that more than one part of Sluice writes or reads on the cluster.
//! Constants only.

/// API group of our own kinds, and the prefix of our labels and annotations.
pub const GROUP: &str = "sluice.dev";
/// Served version of our own kinds.
pub const VERSION: &str = "v1alpha1";

/// Label on an armed workload. A constant value, because webhook and policies select on it.
pub const ARMED_LABEL: &str = "sluice.dev/armed";
/// The value of [`ARMED_LABEL`].
pub const ARMED_VALUE: &str = "true";
/// Label on an armed workload that names its Rollout, for people and for admission warnings.
pub const ROLLOUT_LABEL: &str = "sluice.dev/rollout";
/// Label on a ControllerRevision of ours: the revision that its template was kept as. (Whose it is
/// says [`ROLLOUT_LABEL`].)
pub const REVISION_LABEL: &str = "sluice.dev/revision";
/// Label on a Service of ours: the user's Service that it was made beside.
pub const SERVICE_LABEL: &str = "sluice.dev/service";
/// Annotation on a canary Ingress of ours: the user's Ingress that it was made beside. (Names of
/// Ingresses may be too long for a label.)
pub const ROUTE_ANNOTATION: &str = "sluice.dev/route";
/// Annotation on a workload: the [`crate::Hold`] as JSON. On a route: the
/// [`crate::route::RouteHold`].
pub const HOLD_ANNOTATION: &str = "sluice.dev/hold";
/// Annotation on a Rollout: the [`crate::Request`] as JSON.
pub const REQUEST_ANNOTATION: &str = "sluice.dev/request";
/// Finalizer on a Rollout while its workload is armed, so that deleting it disarms first.
pub const FINALIZER: &str = "sluice.dev/disarm";
/// Every label and annotation of ours starts so; uninstalling removes them all.
pub const PREFIX: &str = "sluice.dev/";

/// Field manager of the controller's ordinary writes.
pub const CONTROLLER_MANAGER: &str = "sluice-controller";
/// Field manager of the controller's direct field writes while no webhook answers; its
/// managedFields entry is removed afterwards, so that no user's server-side apply conflicts.
pub const RETREAT_MANAGER: &str = "sluice-retreat";
/// Field manager of the CLI.
pub const CLI_MANAGER: &str = "kubectl-sluice";

/// Namespace of an ordinary installation.
pub const NAMESPACE: &str = "sluice-system";
/// Namespace of the cluster's own workloads. Admission leaves it and Sluice's own alone, so that
/// whatever is wrong with Sluice, both can be repaired.
pub const SYSTEM_NAMESPACE: &str = "kube-system";
/// ServiceAccount of the controller in [`NAMESPACE`].
pub const CONTROLLER_SERVICE_ACCOUNT: &str = "sluice-controller";
/// ServiceAccount of the webhook in [`NAMESPACE`].
pub const WEBHOOK_SERVICE_ACCOUNT: &str = "sluice-webhook";
/// Service of the webhook in [`NAMESPACE`].
pub const WEBHOOK_SERVICE: &str = "sluice-webhook";
/// Name of the webhook configurations and the admission policy.
pub const REGISTRATION: &str = "sluice";
/// Secret in [`NAMESPACE`] with the CA and the serving certificate.
pub const CERTIFICATE_SECRET: &str = "sluice-webhook-certificate";
/// Lease in [`NAMESPACE`] by which one controller leads.
pub const LEASE: &str = "sluice-controller";

/// `spec.minReadySeconds` of a fenced Deployment. New pods become Ready but never available, so
/// the stock controller stops by itself at exactly surge + unavailable new pods. One below the
/// deadline's value, because the API demands progressDeadlineSeconds > minReadySeconds.
pub const FENCE_MIN_READY_SECONDS: i32 = 2_147_483_646;
/// `spec.progressDeadlineSeconds` of a fenced Deployment. Exactly this number means "no deadline"
/// to the stock controller (`HasProgressDeadline` compares with MaxInt32); any other large value
/// would raise ProgressDeadlineExceeded in the moment the fields are restored.
pub const FENCE_PROGRESS_DEADLINE_SECONDS: i32 = 2_147_483_647;
/// `spec.updateStrategy.rollingUpdate.partition` of a StatefulSet of which nothing may be updated,
/// however far it is scaled.
pub const FENCE_PARTITION: i32 = 2_147_483_647;

/// The stock controller's annotation on a ReplicaSet: the Deployment's replicas that its size was
/// computed from. A stale one makes the next sync a scaling event with a wrong ratio.
pub const DESIRED_REPLICAS_ANNOTATION: &str = "deployment.kubernetes.io/desired-replicas";
/// The stock controller's annotation on a ReplicaSet: replicas + maxSurge of the Deployment.
pub const MAX_REPLICAS_ANNOTATION: &str = "deployment.kubernetes.io/max-replicas";
/// The stock controller's annotation on Deployment and ReplicaSet: the number of the revision.
pub const DEPLOYMENT_REVISION_ANNOTATION: &str = "deployment.kubernetes.io/revision";
/// The stock controllers' label on the pods of a StatefulSet, CloneSet or DaemonSet: the name of
/// their ControllerRevision, or the end of it alone.
pub const CONTROLLER_REVISION_LABEL: &str = "controller-revision-hash";
/// The stock controller's label on ReplicaSets and their pods.
pub const POD_TEMPLATE_HASH_LABEL: &str = "pod-template-hash";
/// Where `kubectl apply` (client-side) keeps the user's manifest.
pub const LAST_APPLIED_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether a cluster can have an object of this name (RFC 1123, subdomain), such as
/// `checks.shop-1`. Any other must not get into the path of a request.
#[must_use]
pub fn is_object_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|byte| known(*byte))
            && bytes.last().is_some_and(|byte| known(*byte))
            && bytes.iter().all(|byte| known(*byte) || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::is_object_name;

    #[test]
    fn names_that_objects_have() {
        assert!(["a", "default", "checks.shop-1", "0"].into_iter().all(is_object_name));
        let none = ["", ".", "..", "a..b", "a/b", "a?b=c", "-a", "a-", "A", "a_b", "a b", "../x"];
        assert!(!none.into_iter().any(is_object_name));
        assert!(!is_object_name(&"a".repeat(254)));
    }
}
