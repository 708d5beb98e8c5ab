//! Bad points among many, at each kind of server: they are found, within a bound, and cost no other point anything.

use std::collections::BTreeSet;
use std::time::Duration;

use tidemark_delivery::{Budget, Delivery};
use tidemark_point::{Adjustments, Point};
use tidemark_testkit::{Answer, SinkServer};

use crate::common::{Fixture, at, ledger, points};
use crate::servers::{KINDS, Kind, Lost, OWN, Said, Server, number};

/// The most requests that a batch gets.
const MAX_REQUESTS: usize = 60;

fn refuses(answer: Answer) -> Said {
    Said {
        answer,
        lost: Lost::All,
    }
}

fn stores() -> Said {
    Said {
        answer: Answer::new(204),
        lost: Lost::Nothing,
    }
}

/// That a point is bad, as each kind of server says it without naming it.
fn bad_point(kind: Kind, words: &str) -> Answer {
    match kind {
        Kind::Influxdb => Answer::new(400).body(serde_json::json!({ "error": words }).to_string()),
        Kind::Influxdb2 => {
            Answer::new(400).body(serde_json::json!({ "code": "invalid", "message": words }).to_string())
        }
        Kind::RemoteWrite => Answer::new(400).body(format!("sample: {words}")),
    }
}

fn fixture(server: &Server) -> Fixture {
    Fixture::new(vec![server.kind.sink(&server.server)])
}

/// The points that are refused, with why.
async fn rejected(delivery: &Delivery) -> Vec<(u32, String)> {
    let rejected = delivery.outbox().unwrap().rejected(None, 10_000).await.unwrap();
    let mut rejected: Vec<(u32, String)> = rejected
        .into_iter()
        .map(|point| (number(&point.line), point.reason))
        .collect();
    rejected.sort();
    rejected
}

async fn counts(delivery: &Delivery, kind: Kind) -> [u64; 5] {
    crate::common::counts(delivery, kind.name()).await
}

#[tokio::test]
async fn a_poison_point_among_5000_is_found_and_the_others_stored() {
    for kind in KINDS {
        let server = Server::start(kind);
        server.judge(move |asked| match asked.has(3_210) {
            true => refuses(bad_point(kind, "poison")),
            false => stores(),
        });
        let fixture = fixture(&server);
        let (delivery, report) = fixture.after_run(&points(0, 5_000)).await;
        assert!(report.is_drained());
        assert_eq!(counts(&delivery, kind).await, [5_001, 5_000, 0, 1, 0], "{kind:?}");
        let rejected = rejected(&delivery).await;
        assert_eq!(rejected.len(), 1);
        assert_eq!(rejected[0].0, 3_210);
        assert!(rejected[0].1.contains("poison"), "{rejected:?}");
        let expected: BTreeSet<u32> = (0..5_000).filter(|n| *n != 3_210).chain([OWN]).collect();
        assert_eq!(server.kept(), expected, "{kind:?}");
        // And `tidemark_run`'s.
        assert!(server.asked().len() <= MAX_REQUESTS + 1, "{kind:?}");
    }
}

/// Every fourth point is bad, each for a reason of its own: nobody can find 250 bad points in 60 requests.
#[tokio::test]
async fn a_batch_gets_60_requests_and_every_point_is_settled() {
    for kind in KINDS {
        let server = Server::start(kind);
        server.judge(
            move |asked| match asked.numbers.iter().find(|number| *number % 4 == 1) {
                Some(bad) => refuses(bad_point(kind, &format!("bad in its own way: {bad}"))),
                None => stores(),
            },
        );
        let fixture = fixture(&server);
        let (delivery, report) = fixture.after_run(&points(0, 1_000)).await;
        assert!(report.is_drained());
        let requests = server.asked();
        let own = requests.iter().filter(|asked| asked.has(OWN)).count();
        assert_eq!(requests.len() - own, MAX_REQUESTS, "{kind:?}");
        // What the server kept is delivered; everything else is refused, with words of the server's.
        let kept = server.kept();
        let rejected = rejected(&delivery).await;
        assert!(
            rejected
                .iter()
                .all(|(_, reason)| reason.contains("bad in its own way"))
        );
        let refused: BTreeSet<u32> = rejected.iter().map(|(number, _)| *number).collect();
        assert_eq!(refused.len(), rejected.len(), "{kind:?}: none is refused twice");
        let all: BTreeSet<u32> = (0..1_000).collect();
        let kept: BTreeSet<u32> = kept.intersection(&all).copied().collect();
        assert_eq!(&all - &kept, refused, "{kind:?}");
        assert!(kept.len() > 10, "{kind:?}: {} points were stored", kept.len());
        let ledger = ledger(&delivery, kind.name()).await;
        assert_eq!(ledger.waiting, 0, "{kind:?}");
        assert_eq!(ledger.delivered + ledger.rejected, 1_001, "{kind:?}");
    }
}

/// Killed, or out of time, in the midst of a search: the requests so far count.
#[tokio::test]
async fn the_bound_on_requests_outlives_a_run() {
    for kind in KINDS {
        let server = Server::start(kind);
        let fixture = fixture(&server);
        let mut delivery = fixture.open().await;
        delivery
            .submit(&fixture.run("a"), &points(0, 1_000))
            .await
            .unwrap();
        let mut requests = 0;
        // Each delivery comes as far as ten requests.
        for _ in 0..20 {
            let asked = std::sync::atomic::AtomicUsize::new(0);
            server.judge(move |request| {
                if request.has(OWN) {
                    return stores();
                }
                let asked = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                match request.numbers.iter().find(|number| *number % 4 == 1) {
                    _ if asked >= 10 => refuses(Answer::new(429)),
                    Some(bad) => refuses(bad_point(kind, &format!("bad in its own way: {bad}"))),
                    None => stores(),
                }
            });
            delivery.deliver(Budget::Flush).await;
            let asked = server.asked();
            requests += asked.iter().filter(|asked| !asked.has(OWN)).count();
            server.server.forget();
            if ledger(&delivery, kind.name()).await.waiting == 0 {
                break;
            }
        }
        assert_eq!(ledger(&delivery, kind.name()).await.waiting, 0, "{kind:?}");
        // Each delivery begins with what is left as a whole, and ends with an answer that says nothing of points.
        assert!(requests <= MAX_REQUESTS + 2 * 20, "{kind:?}: {requests}");
    }
}

#[tokio::test]
async fn a_batch_that_always_fails_alone_is_parked_and_its_collector_goes_on() {
    for kind in KINDS {
        let server = Server::start(kind);
        let broken = |server: &Server| {
            server.judge(|asked| match asked.has(0) {
                true => refuses(Answer::new(500).body("panic")),
                false => stores(),
            });
        };
        broken(&server);
        let fixture = fixture(&server);
        let name = kind.name();
        let mut delivery = fixture.open().await;
        delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
        delivery.submit(&fixture.run("a"), &points(10, 3)).await.unwrap();
        for attempt in 0..5 {
            let before = ledger(&delivery, name).await;
            assert_eq!(
                (before.parked, before.waiting),
                (0, if attempt == 0 { 8 } else { 6 }),
                "{kind:?}"
            );
            delivery
                .submit(&fixture.run("b"), &points(20 + attempt, 1))
                .await
                .unwrap();
            delivery.deliver(Budget::Run).await;
        }
        let parked = ledger(&delivery, name).await;
        assert_eq!((parked.parked, parked.backoff_until), (1, None), "{kind:?}");
        // Order held until it was parked; now the collector's later batch goes.
        delivery.deliver(Budget::Run).await;
        assert_eq!(ledger(&delivery, name).await.waiting, 3, "{kind:?}");
        assert!((10..13).all(|number| server.kept().contains(&number)), "{kind:?}");
        let waiting = delivery.outbox().unwrap().waiting(None, 0, 10).await.unwrap();
        assert_eq!((waiting.len(), waiting[0].attempts), (1, 5), "{kind:?}");
        assert!(waiting[0].parked_until.is_some());
        // Its own backoff is kept by the next process, and a flush tries it anyway.
        delivery.close().await;
        let mut delivery = fixture.open().await;
        server.server.forget();
        delivery.submit(&fixture.run("b"), &points(30, 1)).await.unwrap();
        delivery.deliver(Budget::Run).await;
        assert!(
            server.asked().iter().all(|asked| !asked.has(0)),
            "{kind:?}: parked still"
        );
        delivery.deliver(Budget::Flush).await;
        assert!(server.asked().iter().any(|asked| asked.has(0)), "{kind:?}");
        // After the parking time it is tried again, though others wait too; mended, it goes.
        server.mend();
        fixture.clock.advance(Duration::from_secs(3_600));
        delivery.submit(&fixture.run("b"), &points(40, 1)).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained(), "{kind:?}");
        assert!((0..3).all(|number| server.kept().contains(&number)), "{kind:?}");
    }
}

#[tokio::test]
async fn a_type_conflict_costs_the_points_of_that_field_alone() {
    const CONFLICT: &str = "partial write: field type conflict: input field \"v\" on measurement \"q\" is type integer, already exists as \
         type float dropped=1";
    for kind in [Kind::Influxdb, Kind::Influxdb2] {
        let server = Server::start(kind);
        server.judge(move |asked| match asked.has(777) {
            true => Said {
                answer: match kind {
                    Kind::Influxdb => {
                        Answer::new(400).body(serde_json::json!({ "error": CONFLICT }).to_string())
                    }
                    _ => {
                        let message = format!("failure writing points to database: {CONFLICT}");
                        let body = serde_json::json!({ "code": "unprocessable entity", "message": message });
                        Answer::new(422).body(body.to_string())
                    }
                },
                lost: Lost::Some(vec![777]),
            },
            false => stores(),
        });
        let fixture = fixture(&server);
        let mut delivery = fixture.open().await;
        let mut all = points(0, 100);
        let other = Point::builder("q").tag("n", "777").field("v", 1i64).time(at(0));
        all.push(other.build(&mut Adjustments::default()).unwrap());
        delivery.submit(&fixture.run("a"), &all).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, kind).await, [102, 101, 0, 1, 0], "{kind:?}");
        assert_eq!(rejected(&delivery).await[0].0, 777);
        // All, the others, the suspect, tidemark_run.
        assert_eq!(server.asked().len(), 4, "{kind:?}");
    }
}

/// Points before what the server keeps, as it says it: they are known without halving where their number is right.
#[tokio::test]
async fn points_older_than_what_is_kept_are_known_by_their_time() {
    for (kind, exact) in [
        (Kind::Influxdb, true),
        (Kind::Influxdb2, true),
        (Kind::Influxdb2, false),
    ] {
        let server = Server::start(kind);
        server.judge(move |asked| {
            let old: Vec<u32> = asked.numbers.iter().copied().filter(|number| *number < 50).collect();
            if old.is_empty() {
                return stores();
            }
            // Where not exact, a point that is too old is kept all the same: its shard is there still.
            let lost: Vec<u32> = old.into_iter().filter(|number| exact || *number != 3).collect();
            if lost.is_empty() {
                return stores();
            }
            let count = lost.len();
            let message = format!(
                "partial write: dropped {count} points outside retention policy of duration 72h0m0s - oldest point m,n={} \
                 at 2023-11-14T22:13:20Z dropped because it violates a Retention Policy Lower Bound at {}, newest point \
                 m,n={} at 2023-11-14T22:14:00Z dropped because it violates a Retention Policy Lower Bound at {} \
                 dropped={count} for database: 0a1b for retention policy: autogen",
                lost[0],
                at(50),
                lost[count - 1],
                at(50),
            );
            let answer = match kind {
                Kind::Influxdb => Answer::new(400).body(serde_json::json!({ "error": message }).to_string()),
                _ => Answer::new(422).body(
                    serde_json::json!({
                        "code": "unprocessable entity",
                        "message": format!("failure writing points to database: {message}"),
                    })
                    .to_string(),
                ),
            };
            Said {
                answer,
                lost: Lost::Some(lost),
            }
        });
        let fixture = fixture(&server);
        let (delivery, report) = fixture.after_run(&points(0, 100)).await;
        assert!(report.is_drained());
        let refused: BTreeSet<u32> = rejected(&delivery)
            .await
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        let requests = server.asked().len();
        match exact {
            true => {
                assert_eq!(refused, (0..50).collect(), "{kind:?}");
                assert_eq!(requests, 3, "{kind:?}: all, the others, tidemark_run");
            }
            false => {
                assert!(refused.iter().all(|number| *number < 50), "{kind:?}: {refused:?}");
                assert!(requests <= MAX_REQUESTS + 1, "{kind:?}: {requests}");
                let late: BTreeSet<u32> = (50..100).chain([OWN]).collect();
                assert!(server.kept().is_superset(&late), "{kind:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = SinkServer::start();
        let servers = KINDS.map(Server::start);
        for server in &servers {
            let to = elsewhere.url("/write");
            server.judge(move |_| refuses(Answer::new(status).header("Location", &to)));
        }
        let fixture = Fixture::new(
            servers
                .iter()
                .map(|server| server.kind.sink(&server.server))
                .collect(),
        );
        let (delivery, _) = fixture.after_run(&points(0, 3)).await;
        for kind in KINDS {
            assert_eq!(
                counts(&delivery, kind).await,
                [4, 0, 4, 0, 0],
                "{kind:?} {status}"
            );
        }
        assert_eq!(elsewhere.requests().len(), 0, "{status}");
    }
}
