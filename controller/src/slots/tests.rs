//! Who waits for a place, and for how long.

use super::*;

const LONG: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_too_long_is_told_that_others_were_before_it() {
    let slots = Slots::new(2);
    let _first = slots.take(LONG).await.unwrap();
    let second = slots.take(LONG).await.unwrap();
    let crowded = slots.take(Duration::from_secs(30)).await.unwrap_err();
    let told = "its turn did not come within 30s: 2 requests at once are all that the provider's \
                concurrency allows, and those before it take too long";
    assert_eq!(crowded.to_string(), told);
    drop(second);
    assert!(slots.take(Duration::ZERO).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_gets_free_goes_to_who_waits() {
    let slots = Slots::new(0);
    let first = slots.take(LONG).await.unwrap();
    let (second, ()) = tokio::join!(slots.take(LONG), async { drop(first) });
    assert!(second.is_ok());
}
