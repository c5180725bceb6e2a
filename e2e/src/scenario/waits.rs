//! Where a release is, as a user sees it: each wait has a sentence and a deadline.

use crds::RolloutStatus;
use crds::contract::{ARMED_LABEL, ARMED_VALUE};
use crds::status::Phase;
use kube::ResourceExt;

use super::counts::Counts;
use super::{PATIENCE, Scenario};
use crate::failure::Outcome;
use crate::observer::{Sight, Told};

/// The status of the Rollout `web`, once it speaks of the newest spec.
#[must_use]
pub fn status<'a>(sight: &Sight<'a>) -> Option<&'a RolloutStatus> {
    let rollout = sight.view.rollouts.get("web")?;
    let status = rollout.status.as_ref()?;
    (status.observed_generation == rollout.metadata.generation).then_some(status)
}

/// A condition of the Rollout has this status.
#[must_use]
pub fn has_condition(status: &RolloutStatus, kind: &str, wanted: &str) -> bool {
    status.conditions.iter().any(|c| c.type_ == kind && c.status == wanted)
}

impl Scenario {
    /// Waits until `wanted` has an answer.
    ///
    /// # Errors
    /// An invariant was broken meanwhile, or there is none in time.
    pub async fn until<T>(
        &self,
        what: &str,
        wanted: impl FnMut(&Sight<'_>) -> Option<T>,
    ) -> Outcome<T> {
        self.observer.until(PATIENCE, what, wanted).await
    }

    /// Waits until as many pods as were asked for are ready and the stock controller rests.
    ///
    /// # Errors
    /// They do not come.
    pub async fn comes_up(&self) -> Outcome {
        let replicas = self.app.replicas;
        self.until(&format!("{replicas} ready pods"), |sight| {
            sight.view.settled("web")?;
            Counts::of(sight).all().is(replicas).then_some(())
        })
        .await
    }

    /// Waits until the Rollout says that it is armed, and the Deployment carries the label.
    ///
    /// # Errors
    /// It does not happen.
    pub async fn is_armed(&self) -> Outcome {
        self.until("the Rollout to be armed", |sight| {
            let labels = sight.view.deployments.get("web")?.labels();
            let labelled = labels.get(ARMED_LABEL).is_some_and(|value| value == ARMED_VALUE);
            (labelled && has_condition(status(sight)?, "Armed", "True")).then_some(())
        })
        .await
    }

    /// Waits until batch `batch` (1 for the first) has all its pods ready and the release waits.
    ///
    /// # Errors
    /// It does not come so far.
    pub async fn rests_in(&self, batch: u32) -> Outcome {
        self.until(&format!("the release to wait in batch {batch}"), |sight| {
            let status = status(sight)?;
            let counts = status.batch.as_ref().filter(|counts| counts.index == batch)?;
            // After a scaling: what is said has to be about the replicas of now.
            let here = status.phase == Phase::Paused && counts.replicas == wanted(sight, batch);
            (here && fills(sight, batch)).then_some(())
        })
        .await?;
        self.observer.catch_up(PATIENCE).await?;
        self.tell(&Told::Rested);
        Ok(())
    }

    /// Waits until batch `batch` is the one on its way, whatever its pods do.
    ///
    /// # Errors
    /// It does not come so far.
    pub async fn is_in(&self, batch: u32) -> Outcome {
        self.until(&format!("the release to be in batch {batch}"), |sight| {
            (status(sight)?.batch.as_ref()?.index == batch).then_some(())
        })
        .await
    }

    /// Waits until the Rollout is in this phase.
    ///
    /// # Errors
    /// It does not get there.
    pub async fn is_phase(&self, phase: Phase) -> Outcome {
        self.until(&format!("phase {phase:?}"), |sight| {
            (status(sight)?.phase == phase).then_some(())
        })
        .await
    }

    /// Waits until the Rollout says that it waits for this, and gives its sentence.
    ///
    /// # Errors
    /// It does not say so.
    pub async fn waits_for(&self, reason: &str) -> Outcome<String> {
        self.until(&format!("the Rollout to wait for {reason}"), |sight| {
            let waiting = status(sight)?.waiting_for.as_ref()?;
            (waiting.reason == reason).then(|| waiting.message.clone())
        })
        .await
    }

    /// Waits until so many pods of the update live, ready or not.
    ///
    /// # Errors
    /// They do not come.
    pub async fn has_new(&self, wanted: i32) -> Outcome {
        self.until(&format!("{wanted} pods of the update"), |sight| {
            (Counts::of(sight).update.live == wanted).then_some(())
        })
        .await
    }
}

/// Pods of the update in batch `batch` (1 for the first), by the user's wishes.
fn wanted(sight: &Sight<'_>, batch: u32) -> i32 {
    let index = usize::try_from(batch).unwrap_or(usize::MAX).saturating_sub(1);
    sight.judge.wishes().allowed(index, sight.judge.replicas())
}

/// The pods are exactly those of the batch, all ready, and the stock controller rests.
fn fills(sight: &Sight<'_>, batch: u32) -> bool {
    let (counts, judge) = (Counts::of(sight), sight.judge);
    let index = usize::try_from(batch).unwrap_or(usize::MAX).saturating_sub(1);
    let (replicas, update) = (judge.replicas(), wanted(sight, batch));
    // The only pod stays beside the new one until the last batch.
    let beside = replicas == 1 && update == 1 && !judge.wishes().is_last(index);
    let settled = sight.view.settled("web").is_some();
    settled && counts.update.is(update) && counts.all().is(replicas + i32::from(beside))
}
