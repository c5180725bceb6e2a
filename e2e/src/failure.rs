//! Why a test or the demo failed, in words that a person can act on. Types only.

use std::fmt;

use crate::observer::Violation;

/// How to get a cluster, in one line.
pub const NO_CLUSTER: &str = "no cluster: KUBECONFIG is not set; `make test` brings one and runs \
     these tests, `eval \"$(make -s cluster)\"` gives this shell one";

/// What ends a test.
#[derive(thiserror::Error)]
pub enum Failure {
    /// There is no cluster to test on.
    #[error("{NO_CLUSTER}")]
    NoCluster,
    /// The cluster does not answer as it should.
    #[error("{doing}: {source}")]
    Cluster {
        /// What was being done.
        doing: String,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// The kubeconfig cannot be used.
    #[error("KUBECONFIG: {0}")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// A program could not be run.
    #[error("cannot run {program}: {source}")]
    Program {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A command ended otherwise than it had to.
    #[error("{0}")]
    Command(String),
    /// Something that had to happen did not.
    #[error("waited {seconds} s in vain for: {what}\n{state}")]
    Deadline {
        /// What.
        what: String,
        /// How long.
        seconds: u64,
        /// What the cluster looked like then.
        state: String,
    },
    /// The observer saw an invariant broken.
    #[error("invariant broken: {0}")]
    Violation(Violation),
    /// Something is not as it has to be.
    #[error("{0}")]
    Wrong(String),
}

/// What a test returns.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A stable word for each kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoCluster => "NoCluster",
            Self::Cluster { .. } => "Cluster",
            Self::Kubeconfig(_) => "Kubeconfig",
            Self::Program { .. } => "Program",
            Self::Command(_) => "Command",
            Self::Deadline { .. } => "Deadline",
            Self::Violation(_) => "Violation",
            Self::Wrong(_) => "Wrong",
        }
    }

    /// Turns a client's error into a failure that says what was being done.
    pub fn doing(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Cluster { doing, source: Box::new(source) }
    }
}

/// The test harness prints a failed test's error by Debug: a sentence is worth more than a dump.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.kind())
    }
}

/// Succeeds if `fact` holds.
///
/// # Errors
/// [`Failure::Wrong`] with the sentence, if it does not.
pub fn ensure(fact: bool, sentence: impl FnOnce() -> String) -> Outcome {
    if fact { Ok(()) } else { Err(Failure::Wrong(sentence())) }
}
