//! What can go wrong in the CLI, each with its cure where there is one.

use std::path::PathBuf;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the asynchronous runtime did not start")]
    Runtime(#[source] std::io::Error),
    #[error("no usable kubeconfig: give --kubeconfig, or set KUBECONFIG")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    #[error("the cluster's connection could not be set up")]
    Client(#[source] kube::Error),
    #[error("no Rollout {name:?} in namespace {namespace:?}: see kubectl sluice get -A")]
    NoRollout { name: String, namespace: String },
    #[error("no Deployment {name:?} in namespace {namespace:?}")]
    NoWorkload { name: String, namespace: String },
    #[error("could not {what}")]
    Call {
        what: &'static str,
        #[source]
        source: kube::Error,
    },
    #[error("{0}")]
    Refused(String),
    #[error("could not read {path:?}")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path:?} is no Rollout: {reason}")]
    NotARollout { path: PathBuf, reason: String },
    #[error("the output could not be written")]
    Output(#[source] std::io::Error),
    #[error("the object could not be printed: {0}")]
    Print(String),
}

impl Error {
    /// The error with its causes, each said once.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let message = error.to_string();
            if !text.contains(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            cause = error.source();
        }
        text
    }
}

/// Turns a failed API call into an [`Error`] that says what was attempted.
pub(crate) fn call(what: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Call { what, source }
}
