//! Every way in which a process can end, in virtual time.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use super::{Ended, Supervisor};
use crate::shutdown::{Grace, Shutdown};

const GRACE: Grace = Grace { lame_duck: Duration::from_secs(3), drain: Duration::from_secs(10) };

async fn run(supervisor: Supervisor, signals: usize) -> Result<(), Ended> {
    let mut left = signals;
    supervisor
        .run(GRACE, async || {
            if left == 0 {
                pending::<()>().await;
            }
            left -= 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
            "SIGTERM"
        })
        .await
}

fn polite(shutdown: &Shutdown) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
    let shutdown = shutdown.clone();
    async move {
        shutdown.stopping().await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn ends_well_after_a_signal() {
    let shutdown = Shutdown::default();
    let mut supervisor = Supervisor::new(shutdown.clone());
    supervisor.spawn("a", polite(&shutdown));
    supervisor.spawn("b", polite(&shutdown));
    let begun = crate::clock::instant();
    assert!(run(supervisor, 1).await.is_ok());
    assert_eq!(begun.elapsed().as_secs(), 4, "one second to the signal, three as a lame duck");
}

#[tokio::test(start_paused = true)]
async fn an_unasked_end_ends_the_process() {
    let shutdown = Shutdown::default();
    let mut supervisor = Supervisor::new(shutdown.clone());
    supervisor.spawn("a", polite(&shutdown));
    supervisor.spawn("b", async { Ok::<(), Infallible>(()) });
    assert!(matches!(run(supervisor, 1).await, Err(Ended::Unasked("b"))));
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_the_process_with_its_cause() {
    let mut supervisor = Supervisor::new(Shutdown::default());
    supervisor.spawn("a", async { Err::<(), _>(std::io::Error::other("disk")) });
    let ended = run(supervisor, 1).await.unwrap_err();
    assert_eq!(crate::chain(&ended).to_string(), "task a failed: disk");
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_no_good_end() {
    let shutdown = Shutdown::default();
    let mut supervisor = Supervisor::new(shutdown.clone());
    supervisor.spawn("a", async move {
        shutdown.stopping().await;
        Err::<(), _>(std::io::Error::other("lease"))
    });
    assert!(matches!(run(supervisor, 1).await, Err(Ended::Failed { name: "a", .. })));
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_process() {
    let mut supervisor = Supervisor::new(Shutdown::default());
    supervisor.spawn("a", async {
        if true {
            panic!("on purpose");
        }
        Ok::<(), Infallible>(())
    });
    assert!(matches!(run(supervisor, 1).await, Err(Ended::Panicked("a"))));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_will_not_stop_is_named() {
    let mut supervisor = Supervisor::new(Shutdown::default());
    supervisor.spawn("stubborn", pending::<Result<(), Infallible>>());
    let ended = run(supervisor, 1).await.unwrap_err();
    assert_eq!(ended.to_string(), "stubborn did not finish within 10 s");
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_does_not_wait() {
    let mut supervisor = Supervisor::new(Shutdown::default());
    supervisor.spawn("stubborn", pending::<Result<(), Infallible>>());
    let begun = crate::clock::instant();
    let ended = run(supervisor, 2).await.unwrap_err();
    assert!(matches!(ended, Ended::Aborted { .. }), "{ended}");
    assert_eq!(begun.elapsed().as_secs(), 2);
}
