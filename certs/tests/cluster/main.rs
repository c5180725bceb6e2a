//! Certificates and trust on a real apiserver: made once by however many keepers, served anew
//! without a restart, and never refused while a CA is replaced. Needs KUBECONFIG: `make real`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails so")]

mod own;
mod server;

use certs::bundle::Certificate;
use certs::issue::{self, CA_LIFE};
use certs::{Bundle, KeepMetrics, Next, ServeMetrics, follow, keep, next, served};
use jiff::{SignedDuration, Timestamp};
use own::{Own, until};
use runtime::clock;
use server::{Line, Server};
use tokio_util::sync::CancellationToken;

fn days_ago(days: i64) -> Timestamp {
    clock::now() - SignedDuration::from_hours(24 * days)
}

/// Keeper, reader and server at work, until `body` has seen what it waits for. All along, whoever
/// trusts the registrations as they stand gets through to the server.
async fn at_work<T>(own: &Own, server: &Server, body: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let (kept, read) = (KeepMetrics::default(), ServeMetrics::default());
    let reader = async {
        let mut served = server.served.clone();
        tokio::join!(
            follow(&own.client, &own.place, &server.publisher, &read, &stop),
            server.serve(),
            async {
                served.available().await;
                server.is_never_refused(own).await;
            }
        )
    };
    let keeper = keep(&own.client, &own.place, &kept, &stop);
    tokio::select! {
        biased;
        ended = body => ended,
        _ = reader => panic!("the reader has ended"),
        () = keeper => panic!("the keeper has ended"),
    }
}

/// The registrations trust what the Secret says, and the server presents what it holds.
async fn settled(own: &Own, server: &Server, what: &str, good: impl Fn(&Bundle) -> bool) -> Bundle {
    until(what, async || {
        let bundle = own.stored().await.filter(&good)?;
        let trusted = own.trusted().await.iter().all(|pem| *pem == bundle.trusted());
        let leaf = server.present(&bundle.trusted(), own).await.ok()?.leaf();
        (trusted && leaf == bundle.leaf.certificate().der).then_some(bundle)
    })
    .await
}

fn count(pem: &str) -> usize {
    pem.matches("BEGIN CERTIFICATE").count()
}

#[tokio::test]
async fn of_two_keepers_one_makes_the_ca() {
    Own::with("makers", async |own| {
        let stop = CancellationToken::new();
        let metrics = KeepMetrics::default();
        let keeper = || keep(&own.client, &own.place, &metrics, &stop);
        let body = async {
            let mut before: Option<Bundle> = None;
            for round in 0..5 {
                let made = until(&format!("all is trusted, round {round}"), async || {
                    let bundle = own.stored().await?;
                    let anew = before.as_ref().is_none_or(|old| ca(old) != ca(&bundle));
                    let trusted = own.trusted().await;
                    (anew && trusted.iter().all(|pem| *pem == bundle.trusted())).then_some(bundle)
                })
                .await;
                assert_eq!(count(&made.trusted()), 1);
                // Both learn of this at the same moment, and both make a CA.
                own.remove_secret().await;
                before = Some(made);
            }
        };
        let mut history = Vec::new();
        tokio::select! {
            biased;
            () = body => {}
            () = own.history(&mut history) => {}
            ((), ()) = async { tokio::join!(keeper(), keeper()) } => panic!("a keeper has ended"),
        }
        // Whoever came second has read what the first had made, and never wrote over it.
        assert!(history.iter().filter(|what| **what == "made").count() >= 4, "{history:?}");
        assert!(!history.contains(&"written"), "{history:?}");
    })
    .await;
}

fn ca(bundle: &Bundle) -> &Certificate {
    bundle.ca.certificate()
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    Own::with("renewal", async |own| {
        let server = Server::bind(served()).await;
        at_work(own, &server, async {
            let first = settled(own, &server, "the first one is served", |_| true).await;
            let mut open: Line = server.present(&first.trusted(), own).await.unwrap();
            let names = own.place.names();
            let due = issue::renew_leaf(&first, false, &names, days_ago(61)).unwrap();
            own.store(&due).await;
            let new = |bundle: &Bundle| {
                let leaf = bundle.leaf.certificate();
                leaf != first.leaf.certificate() && leaf != due.leaf.certificate()
            };
            let renewed = settled(own, &server, "another one is served", new).await;
            assert_eq!(ca(&renewed), ca(&first));
            assert_eq!(next(&renewed, &names, clock::now()), Next::Keep);
            assert!(open.echoes().await, "the connection that was open has been cut");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_old_ca_is_trusted_until_all_serve_the_new_one() {
    Own::with("rotation", async |own| {
        let server = Server::bind(served()).await;
        let names = own.place.names();
        let age = i64::try_from(CA_LIFE.as_secs()).unwrap() / 86_400 - 300;
        let old = issue::bundle(&names, None, days_ago(age)).unwrap();
        let old = issue::renew_leaf(&old, false, &names, clock::now()).unwrap();
        own.store(&old).await;
        let beside_old = |bundle: &Bundle| bundle.previous_ca.as_ref() == Some(ca(&old));

        let first = settled(own, &server, "a new CA is trusted too", beside_old);
        let first = at_work(own, &server, first).await;
        assert_eq!(count(&first.trusted()), 2);
        assert_eq!(first.leaf.certificate(), old.leaf.certificate(), "used before it is trusted");

        // As if that were a quarter of an hour ago.
        let then = clock::now() - SignedDuration::from_mins(15);
        let rotated = issue::rotate_ca(&old, &names, then).unwrap();
        own.trust(&rotated).await;
        own.store(&rotated).await;
        let moved = |bundle: &Bundle| bundle.leaf.certificate() != old.leaf.certificate();
        let second = at_work(own, &server, async {
            let second = settled(own, &server, "the new CA is used", moved).await;
            assert!(server.present(&second.ca.certificate().pem, own).await.is_ok());
            second
        });
        let second = second.await;
        assert_eq!(ca(&second), ca(&rotated));
        assert!(beside_old(&second), "the old CA went before the last of its certificates");

        // As if that were two months ago.
        let due = issue::renew_leaf(&second, false, &names, days_ago(61)).unwrap();
        own.store(&due).await;
        let alone = |bundle: &Bundle| bundle.previous_ca.is_none();
        let third = at_work(own, &server, async {
            let third = settled(own, &server, "the old CA is trusted no more", alone).await;
            assert!(server.present(&old.trusted(), own).await.is_err());
            third
        });
        let third = third.await;
        assert_eq!((ca(&third), count(&third.trusted())), (ca(&rotated), 1));
    })
    .await;
}
