//! A load that runs: the pace of the lanes, its account while it runs, and its end.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::inside;
use super::lane::Lane;
use super::order::{Order, Refused};
use super::tally::{Exchange, Tally};
use crate::failure::{Failure, Outcome};

/// Carries out an order and tells `note` of each exchange, until its bounds or until `stop`. A
/// request that was sent is always waited for.
///
/// # Errors
/// The order is not one to be carried out.
pub async fn drive(
    order: &Order,
    stop: &CancellationToken,
    note: impl Fn(&Exchange),
) -> Result<(), Refused> {
    let target = order.target()?;
    let (begun, next) = (Instant::now(), AtomicU64::new(0));
    let lane = async || {
        let mut lane = Lane::new(order.clone(), target.clone());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let after = Duration::from_secs(1).mul_f64(number_at(number, order.rate));
            if number >= order.count || after > order.time {
                return;
            }
            let due = sleep_until(begun + after);
            if stop.run_until_cancelled(due).await.is_none() {
                return;
            }
            note(&lane.exchange().await);
        }
    };
    join_all((0..order.lanes).map(|_| lane())).await;
    Ok(())
}

/// Seconds after the begin at which request `number` is due.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn number_at(number: u64, rate: u32) -> f64 {
    number as f64 / f64::from(rate)
}

/// A running load. Dropping it ends it at once.
pub struct Load {
    account: Arc<Account>,
    stop: CancellationToken,
    work: JoinSet<Outcome>,
}

pub(super) struct Account {
    tally: Mutex<Tally>,
    changed: watch::Sender<()>,
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, exchange: &Exchange) {
        self.lock().note(exchange);
        self.changed.send_replace(());
    }
}

impl Load {
    /// Starts a load in this process.
    ///
    /// # Errors
    /// The order is not one to be carried out.
    pub fn start(order: Order) -> Outcome<Self> {
        order.target().map_err(|why| refused(&why))?;
        Ok(Self::of(async move |account, stop| {
            drive(&order, &stop, |exchange| account.note(exchange))
                .await
                .map_err(|why| refused(&why))
        }))
    }

    /// Starts a load in `program` (bin/load), which `wrapper` runs: [`super::ENTER`] where the
    /// addresses of pods and Services have to answer, or nothing.
    ///
    /// # Errors
    /// The order is not one to be carried out.
    pub fn within(wrapper: &[&str], program: &Path, order: Order) -> Outcome<Self> {
        order.target().map_err(|why| refused(&why))?;
        let mut command: Vec<String> = wrapper.iter().map(|&word| word.to_owned()).collect();
        command.push(program.display().to_string());
        Ok(Self::of(async move |account, stop| {
            inside::relay(&command, &order, &stop, &account).await
        }))
    }

    fn of<W, F>(work: W) -> Self
    where
        W: FnOnce(Arc<Account>, CancellationToken) -> F,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let account =
            Arc::new(Account { tally: Mutex::default(), changed: watch::Sender::new(()) });
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(work(Arc::clone(&account), stop.clone()));
        Self { account, stop, work: tasks }
    }

    /// The account so far.
    #[must_use]
    pub fn seen(&self) -> Tally {
        self.account.lock().clone()
    }

    /// Waits until the account satisfies `enough`, and gives it.
    ///
    /// # Errors
    /// It does not within `limit`, or never will because the load has ended.
    pub async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        mut enough: impl FnMut(&Tally) -> bool,
    ) -> Outcome<Tally> {
        let account = Arc::clone(&self.account);
        let mut changed = account.changed.subscribe();
        let satisfied = async {
            loop {
                let tally = self.seen();
                if enough(&tally) {
                    return Ok(tally);
                }
                tokio::select! {
                    biased;
                    _ = changed.changed() => {}
                    ended = self.work.join_next() => match ended {
                        Some(ended) => joined(ended)?,
                        None => return Err(Failure::Wrong(format!("the load ended: {tally}"))),
                    },
                }
            }
        };
        let found = timeout(limit, satisfied).await;
        found.unwrap_or_else(|_| {
            let (what, seconds) = (what.to_owned(), limit.as_secs());
            Err(Failure::Deadline { what, seconds, state: account.lock().to_string() })
        })
    }

    /// Sends no more, waits for the answers that are owed, and gives the account.
    ///
    /// # Errors
    /// It could not run to its end.
    pub async fn stop(self) -> Outcome<Tally> {
        self.stop.cancel();
        self.end().await
    }

    /// Waits for its bounds and gives the account.
    ///
    /// # Errors
    /// It could not run to its end.
    pub async fn end(mut self) -> Outcome<Tally> {
        while let Some(ended) = self.work.join_next().await {
            joined(ended)?;
        }
        Ok(self.seen())
    }
}

fn joined(ended: Result<Outcome, tokio::task::JoinError>) -> Outcome {
    ended.map_err(|error| Failure::Wrong(format!("the load: {error}")))?
}

fn refused(refused: &Refused) -> Failure {
    Failure::Wrong(format!("no such load: {refused}"))
}
