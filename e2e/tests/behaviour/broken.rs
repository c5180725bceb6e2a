//! Broken versions: stopped at their batch, with the reason in the container's own words.

use std::time::Duration;

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, play};
use e2e::view::version;
use tokio::time::interval;

/// A version that never gets ready for `reason` waits in its batch until a good one comes.
async fn stops(name: &str, reason: &str, breaks: impl Fn(App) -> App) -> Outcome {
    let plan = Plan::new(["1", "100%"]);
    play(name, App::new(3), plan, async |s: &mut Scenario| {
        let good = s.app.clone();
        s.app = breaks(s.app.clone());
        s.release("v2").await?;
        let (pod, message) = s
            .until(&format!("the status to say {reason}"), |sight| {
                let message = &status(sight)?.waiting_for.as_ref()?.message;
                let new = |pod: &_| version(pod_spec(pod)) == Some("v2");
                let pod = sight.view.live(new).pop()?;
                message.contains(reason).then(|| (pod, message.clone()))
            })
            .await?;
        ensure(message.contains(&pod), || format!("no pod {pod} in: {message}"))?;
        s.sluice(&["explain", "web"]).await?.saying(reason)?;
        s.has_new(1).await?;
        s.app = good;
        s.release("v3").await?;
        s.completes().await
    })
    .await
}

fn pod_spec(pod: &k8s_openapi::api::core::v1::Pod) -> Option<&k8s_openapi::api::core::v1::PodSpec> {
    pod.spec.as_ref()
}

#[tokio::test]
async fn an_image_that_is_not_there() -> Outcome {
    stops("no-image", "ErrImageNeverPull", |app| app.image("sluice-testapp:missing")).await
}

#[tokio::test]
async fn a_container_that_crashes() -> Outcome {
    stops("crashes", "CrashLoopBackOff", |app| app.env("CRASH_AFTER", "0s")).await
}

#[tokio::test]
async fn flapping_pods_do_not_reset_the_deadline() -> Outcome {
    // No flap is missed: a pod would have to stand for longer than the deadline.
    let app = App::new(2).min_ready(20);
    let plan = Plan::new(["1", "100%"]).with("progressDeadline", "10s");
    play("flapping", app, plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.tell(&Told::MayReturn);
        s.release("v2").await?;
        s.tell(&Told::MayReturn);
        let pod = s
            .until("a new pod that runs", |sight| {
                let new =
                    |pod: &_| version(pod_spec(pod)) == Some("v2") && e2e::view::is_ready(pod);
                sight.view.live(new).pop()
            })
            .await?;
        let flaps = async {
            let mut ticks = interval(Duration::from_secs(2));
            for ready in [false, true].into_iter().cycle() {
                ticks.tick().await;
                // After the abort there is no pod to talk to.
                let _ = s.switch(&pod, &format!("ready?value={ready}")).await;
            }
            Ok(())
        };
        tokio::select! {
            biased;
            aborted = s.is_phase(Phase::Rejected) => aborted?,
            flapped = flaps => return flapped,
        }
        s.is_rejected_for(&stable).await
    })
    .await
}
