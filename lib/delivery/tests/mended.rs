//! Refused points that were mended: taken once, as new ones, and nothing is lost or counted twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::BTreeMap;

use common::*;
use tidemark_delivery::{Budget, Delivery, DeliveryError, Mended, RejectedPoint};
use tidemark_point::line;
use tidemark_testkit::{Answer, SinkServer};

/// Refuses lines that hold `bad`.
fn picky(reason: &'static str) -> SinkServer {
    let server = SinkServer::start();
    server.judge(
        move |request| match request.text().lines().find(|line| line.contains("bad")) {
            Some(line) => Answer::new(400).body(format!(
                r#"{{"error":"unable to parse '{line}': {reason} dropped=0"}}"#
            )),
            None => Answer::new(204),
        },
    );
    server
}

async fn rejected(delivery: &Delivery) -> Vec<RejectedPoint> {
    let mut points = delivery.outbox().unwrap().rejected(None, 100).await.unwrap();
    points.reverse();
    points
}

fn mended(text: &str, refused: &[i64], sink: Option<&str>) -> Mended {
    Mended {
        point: line::parse(text.as_bytes()).next().unwrap().unwrap(),
        refused: refused.to_vec(),
        sink: sink.map(str::to_owned),
    }
}

fn bad(first: i64) -> Vec<tidemark_point::Point> {
    let text = format!("bad,n={first} v=1 {first}\nbad,n={first} v=2 {}\n", first + 1);
    line::parse(text.as_bytes()).map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_mended_point_is_a_new_one_for_who_refused_it() {
    let (one, two) = (picky("first"), picky("second"));
    let fixture = Fixture::new(vec![influxdb("one", &one.url("")), influxdb("two", &two.url(""))]);
    let (delivery, _) = fixture.after_run(&bad(1)).await;
    assert_eq!(counts(&delivery, "one").await, [3, 1, 0, 2, 0]);
    let refused = rejected(&delivery).await;
    assert_eq!(refused.len(), 4);
    let of = |sink: &str, time: &str| {
        let found = refused
            .iter()
            .find(|point| point.sink == sink && point.line.ends_with(time));
        found.unwrap().id
    };

    // The first point for both, the second for one of them.
    let outbox = delivery.outbox().unwrap();
    let taken = outbox
        .take_mended(&[
            mended("good v=1 1", &[of("one", " 1"), of("two", " 1")], None),
            mended("good v=2 2", &[of("one", " 2")], None),
        ])
        .await
        .unwrap();
    let sinks: BTreeMap<_, _> = [("one".to_owned(), 2), ("two".to_owned(), 1)].into();
    assert_eq!((taken.sinks, taken.acknowledged), (sinks, 3));
    assert_eq!(counts(&delivery, "one").await, [5, 1, 2, 2, 0]);
    assert_eq!(ledger(&delivery, "one").await.unacknowledged(), 0);
    assert_eq!(ledger(&delivery, "two").await.unacknowledged(), 1);
    let waiting = delivery.outbox().unwrap().waiting(None, 0, 10).await.unwrap();
    assert!(waiting.iter().all(|batch| batch.collector == "a"));
    let left = rejected(&delivery).await;
    assert_eq!(
        left.iter().map(|point| point.id).collect::<Vec<_>>(),
        [of("two", " 2")]
    );

    // They survive the process, and are delivered.
    drop(delivery);
    let mut delivery = fixture.open().await;
    assert!(delivery.deliver(Budget::Timer).await.is_drained());
    assert_eq!(counts(&delivery, "one").await, [5, 3, 0, 2, 0]);
    assert_eq!(counts(&delivery, "two").await, [4, 2, 0, 2, 0]);
    let requests = one.requests();
    let texts: Vec<_> = requests.iter().map(|request| request.text()).collect();
    assert!(texts.contains(&"good v=1.0 1\n"), "{texts:?}");
    assert!(texts.contains(&"good v=2.0 2\n"), "{texts:?}");
}

#[tokio::test]
async fn what_is_kept_no_more_takes_nothing() {
    let server = picky("bad");
    let fixture = Fixture::new(vec![influxdb("one", &server.url(""))]);
    let (delivery, _) = fixture.after_run(&bad(1)).await;
    let ids: Vec<i64> = rejected(&delivery).await.iter().map(|point| point.id).collect();
    let outbox = delivery.outbox().unwrap();
    let first = [mended("good v=1 1", &ids[..1], None)];
    outbox.take_mended(&first).await.unwrap();
    let before = counts(&delivery, "one").await;
    let nowhere = Some("nowhere");
    for points in [
        // Taken already.
        vec![mended("good v=2 2", &ids[1..], None), first[0].clone()],
        vec![mended("good v=2 2", &ids[1..], nowhere)],
        vec![
            mended("good v=2 2", &ids[1..], None),
            mended("good v=3 3", &[], None),
        ],
    ] {
        let error = outbox.take_mended(&points).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Unknown { .. }), "{error}");
    }
    assert_eq!(counts(&delivery, "one").await, before);
    assert_eq!(rejected(&delivery).await.len(), 1);
}

#[tokio::test]
async fn a_sink_may_be_named_and_a_point_may_be_divided() {
    let (one, two) = (picky("bad"), picky("bad"));
    let mut fixture = Fixture::new(vec![influxdb("one", &one.url("")), influxdb("two", &two.url(""))]);
    fixture.settings.sinks[1].only = vec!["b".into()];
    let (mut delivery, _) = fixture.after_run(&bad(1)).await;
    let ids: Vec<i64> = rejected(&delivery).await.iter().map(|point| point.id).collect();
    let points = [
        mended("good v=1 1", &ids[..1], Some("two")),
        mended("good w=1 1", &ids[..1], Some("two")),
        mended("good v=9 9", &[], Some("two")),
    ];
    let taken = delivery.outbox().unwrap().take_mended(&points).await.unwrap();
    assert_eq!((taken.sinks["two"], taken.acknowledged), (3, 1));
    assert!(delivery.deliver(Budget::Timer).await.is_drained());
    assert_eq!(counts(&delivery, "one").await, [3, 1, 0, 2, 0]);
    assert_eq!(counts(&delivery, "two").await, [3, 3, 0, 0, 0]);
    assert_eq!(ledger(&delivery, "one").await.unacknowledged(), 1);
}

#[tokio::test]
async fn a_mended_point_may_be_refused_again() {
    let server = picky("bad");
    let fixture = Fixture::new(vec![influxdb("one", &server.url(""))]);
    let (mut delivery, _) = fixture.after_run(&bad(1)).await;
    let ids: Vec<i64> = rejected(&delivery).await.iter().map(|point| point.id).collect();
    let still_bad = mended("bad v=1 7", &ids, None);
    delivery
        .outbox()
        .unwrap()
        .take_mended(&[still_bad])
        .await
        .unwrap();
    delivery.deliver(Budget::Timer).await;
    assert_eq!(counts(&delivery, "one").await, [4, 1, 0, 3, 0]);
    let again = rejected(&delivery).await;
    assert_eq!((again.len(), again[0].collector.as_str()), (1, "a"));
    assert_eq!(ledger(&delivery, "one").await.unacknowledged(), 1);
}
