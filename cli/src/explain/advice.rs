//! What a person can do about each thing that a Rollout waits for. Words only; NAME stands for the
//! Rollout's name.

/// Reason and advice, for every reason that the planner knows.
pub(crate) const ADVICE: &[(&str, &str)] = &[
    ("KindNotInstalled", "Install the CRD and the controller of this kind of workload."),
    ("WorkloadMissing", "Apply the Deployment, or correct spec.workloadRef.name."),
    ("WorkloadUnknown", "Nothing: it is read again by itself."),
    ("Arming", "Nothing: it takes some milliseconds."),
    ("AnotherRollout", "Delete one of the two Rollouts: a workload has one."),
    (
        "NamespaceExempt",
        "Delete the Rollout: kube-system and Sluice's own namespace are never held.",
    ),
    ("RecreateStrategy", "Set spec.strategy.type of the Deployment to RollingUpdate."),
    ("OnDeleteStrategy", "Set spec.updateStrategy.type to one that updates pods by itself."),
    ("NewerHold", "Upgrade Sluice: an older controller never touches a newer hold."),
    ("HoldUnreadable", "Free the workload: kubectl sluice release-hold [KIND/]NAME."),
    ("FenceWithoutHold", "Free the Deployment, then apply its manifest again."),
    ("Webhook", "Look at the webhook: kubectl -n sluice-system get pods; every write is repeated."),
    ("FactsUnknown", "Nothing: they are read again by themselves."),
    ("DeploymentController", "Nothing; if it stays, look at kube-controller-manager."),
    ("StatefulSetController", "Nothing; if it stays, look at kube-controller-manager."),
    ("CloneSetController", "Nothing; if it stays, look at kruise-manager."),
    ("DaemonSetController", "Nothing; if it stays, look at kube-controller-manager."),
    ("StableRepair", "Nothing: the stable pods have to count as available first."),
    ("StableTemplateLost", "Apply the manifest of the version that you want to go to."),
    ("DeploymentPaused", "Resume it: kubectl rollout resume deployment/DEPLOYMENT."),
    ("Pods", "Nothing yet: pods are starting. The batch fails at its progress deadline."),
    ("PodTrouble", "Repair the image or the configuration, or: kubectl sluice abort NAME."),
    ("Promotion", "Go on: kubectl sluice promote NAME. Go back: kubectl sluice abort NAME."),
    ("PauseTime", "Nothing, or go on now: kubectl sluice promote NAME."),
    ("Gate", "Nothing: its gates are measured; kubectl sluice status NAME shows what they say."),
    (
        "GateUnknown",
        "Repair what the gate asks: query, metrics, provider or hook. Or: kubectl sluice \
         skip-gates NAME.",
    ),
    (
        "Confirmation",
        "Confirm it where the gate's hook asks. Or: kubectl sluice skip-gates NAME, or abort NAME.",
    ),
    ("BakeTime", "Nothing, or end it now: kubectl sluice promote NAME."),
    ("ServiceMissing", "Apply the Service, or correct spec.routes of the Rollout."),
    ("Endpoints", "Nothing; if it stays, compare the Service's selector with the pods' labels."),
    ("RouteMissing", "Apply the route, or correct spec.routes of the Rollout."),
    ("RouteUnfit", "Change the route as the sentence says, or take it out of spec.routes."),
    ("Route", "Look at the route's status and its gateway; the batch fails at its deadline."),
    ("RouteSettles", "Nothing: the gateways have the change and need a moment to act on it."),
    ("Paused", "Go on: kubectl sluice resume NAME."),
    ("SpecPaused", "Set spec.paused of the Rollout to false in its manifest."),
    ("Failed", "Go back: kubectl sluice abort NAME. More time: kubectl sluice resume NAME."),
    ("Rejected", "Apply another version, or try it again: kubectl sluice retry NAME."),
    ("StablePods", "Nothing: the stable version's pods are coming back at native speed."),
    ("Finishing", "Nothing: the Deployment's own fields are back and its controller follows."),
    ("MovingBack", "Nothing: pods that scaling let beyond the batch are being moved back."),
    ("ScaledToZero", "Nothing; the release starts again once the Deployment is scaled up."),
    ("Disarming", "Nothing: the Deployment is being given back."),
];

/// The advice for a reason.
pub(crate) fn of(reason: &str) -> Option<&'static str> {
    ADVICE.iter().find(|(known, _)| *known == reason).map(|(_, does)| *does)
}
