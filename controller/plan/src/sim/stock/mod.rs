//! Models of the stock controllers: Deployments, ReplicaSets, StatefulSets, CloneSets, DaemonSets,
//! the kubelet. They know nothing of Sluice. Facts from the Kubernetes 1.34 sources and from
//! experiments on a real cluster, which the tests here repeat on the model.

pub mod arithmetic;
mod cloneset;
mod daemonset;
pub mod deployments;
pub mod kubelet;
mod revisions;
mod rolling;
mod scaling;
pub mod sets;
mod stateful;

pub use deployments::DeploymentController;
pub use kubelet::{Behaviour, Kubelet};
pub use sets::SetController;

#[cfg(test)]
mod tests;
