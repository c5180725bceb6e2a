//! Owns every task of a process: the first that ends unasked ends the process with a reason.
//! Tasks of single connections belong to their server, not here.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

use crate::shutdown::{Grace, Shutdown};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The tasks of a process.
#[derive(Debug)]
pub struct Supervisor {
    tasks: JoinSet<Outcome>,
    names: HashMap<Id, &'static str>,
    shutdown: Shutdown,
}

/// Why a process ended other than as it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A task returned although nobody asked it to.
    #[error("task {0} ended unasked")]
    Unasked(&'static str),
    /// A task failed.
    #[error("task {name} failed")]
    Failed {
        /// The task.
        name: &'static str,
        /// Its error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A task panicked.
    #[error("task {0} panicked")]
    Panicked(&'static str),
    /// A second signal came while the process was stopping.
    #[error("{signal} while stopping, with {} unfinished", .unfinished.join(", "))]
    Aborted {
        /// The second signal.
        signal: &'static str,
        /// Tasks that had not returned.
        unfinished: Vec<&'static str>,
    },
    /// Tasks did not return in time.
    #[error("{} did not finish within {} s", .unfinished.join(", "), .drain.as_secs_f32())]
    Overdue {
        /// [`Grace::drain`].
        drain: Duration,
        /// Tasks that had not returned.
        unfinished: Vec<&'static str>,
    },
}

impl Ended {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unasked(_) => "unasked",
            Self::Failed { .. } => "failed",
            Self::Panicked(_) => "panicked",
            Self::Aborted { .. } => "aborted",
            Self::Overdue { .. } => "overdue",
        }
    }
}

impl Supervisor {
    /// Without tasks yet.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), shutdown }
    }

    /// Starts a task. It returns `Ok` only after [`Shutdown::stopping`]; anything else ends the
    /// process.
    pub fn spawn<E>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let handle = self.tasks.spawn(async move { task.await.map_err(Into::into) });
        self.names.insert(handle.id(), name);
    }

    /// Runs until a signal has asked for the end and all tasks have returned.
    ///
    /// # Errors
    /// [`Ended`] says what ended the process instead. Tasks still running are aborted.
    pub async fn run(
        mut self,
        grace: Grace,
        mut next_signal: impl AsyncFnMut() -> &'static str,
    ) -> Result<(), Ended> {
        let signal = tokio::select! {
            biased;
            // Cancel-safe: a task that ended stays in the set until it is returned.
            ended = self.next_end() => return ended.map(|_| ()),
            signal = next_signal() => signal,
        };
        tracing::info!(signal, "stopping");
        self.shutdown.announce();
        let signal = tokio::select! {
            biased;
            // Dropped only when the process is about to end.
            result = self.drain(grace) => return result,
            signal = next_signal() => signal,
        };
        Err(Ended::Aborted { signal, unfinished: self.unfinished() })
    }

    async fn drain(&mut self, grace: Grace) -> Result<(), Ended> {
        if !grace.lame_duck.is_zero() {
            tokio::select! {
                biased;
                // Cancel-safe, as in run.
                ended = self.next_end() => return ended.map(|_| ()),
                () = tokio::time::sleep(grace.lame_duck) => {}
            }
        }
        self.shutdown.stop();
        let finished = tokio::time::timeout(grace.drain, self.finish()).await;
        finished.unwrap_or_else(|_| {
            Err(Ended::Overdue { drain: grace.drain, unfinished: self.unfinished() })
        })
    }

    async fn finish(&mut self) -> Result<(), Ended> {
        while self.next_end().await? {}
        Ok(())
    }

    /// Waits for the next task to end; false when there is none left.
    async fn next_end(&mut self) -> Result<bool, Ended> {
        let Some(joined) = self.tasks.join_next_with_id().await else { return Ok(false) };
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or("unnamed");
        match joined {
            Ok((_, Ok(()))) if self.shutdown.is_stopping() => Ok(true),
            Ok((_, Ok(()))) => Err(Ended::Unasked(name)),
            Ok((_, Err(source))) => Err(Ended::Failed { name, source }),
            Err(error) => Err(broken(name, &error)),
        }
    }

    fn unfinished(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.names.values().copied().collect();
        names.sort_unstable();
        names
    }
}

fn broken(name: &'static str, error: &JoinError) -> Ended {
    if error.is_panic() { Ended::Panicked(name) } else { Ended::Unasked(name) }
}

#[cfg(test)]
mod tests;
