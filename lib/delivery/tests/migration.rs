//! Outboxes of older versions are migrated, and nothing of them is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::fs;
use std::time::Duration;

use common::*;
use tidemark_delivery::{Budget, Run};
use tidemark_settings::SinkKind;
use tidemark_testkit::SinkServer;

/// An outbox as version 1 left it: 139 points wait for `influx`, 31 of them for `store` too, and five runs are recorded.
const FIRST: &[u8] = include_bytes!("fixtures/outbox-1.db");

fn fixture(url: &str) -> Fixture {
    let fixture = Fixture::new(vec![influxdb("influx", url), sink("store", SinkKind::Discard)]);
    fs::write(fixture.path().join("outbox.db"), FIRST).unwrap();
    fixture
}

#[tokio::test]
async fn an_outbox_of_version_1_is_migrated_and_delivered() {
    let server = SinkServer::start();
    let fixture = fixture(&server.url(""));
    let mut delivery = fixture.open().await;
    assert_eq!(delivery.take_notices(), Vec::<String>::new());
    assert_eq!(counts(&delivery, "influx").await, [139, 0, 139, 0, 0]);
    assert_eq!(counts(&delivery, "store").await, [134, 103, 31, 0, 0]);

    let outbox = delivery.outbox().unwrap();
    let runs = outbox.runs("b", 10).await.unwrap();
    let killed = Run::killed("b", at(90), Duration::from_secs(60));
    let with_target = &runs[1];
    assert_eq!(runs[0], killed);
    assert_eq!(
        (
            with_target.target.as_deref(),
            with_target.gaps.as_slice(),
            with_target.points
        ),
        (Some("node-1"), &["g".to_owned()][..], 3)
    );
    assert_eq!(with_target.deadline, Duration::from_secs(600));

    // It goes on as before.
    let run = Run {
        deadline: Duration::from_secs(30),
        ..fixture.run("a")
    };
    delivery.submit(&run, &points(1000, 5)).await.unwrap();
    let recorded = delivery.outbox().unwrap().runs("a", 1).await.unwrap();
    assert_eq!(recorded[0].deadline, Duration::from_secs(30));
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    assert_eq!(counts(&delivery, "influx").await, [145, 145, 0, 0, 0]);
    assert_eq!(counts(&delivery, "store").await, [140, 140, 0, 0, 0]);
    delivery.close().await;

    // Once.
    let mut delivery = fixture.open().await;
    assert_eq!(delivery.take_notices(), Vec::<String>::new());
    assert_eq!(counts(&delivery, "influx").await, [145, 145, 0, 0, 0]);
}

/// A version 1 that is damaged cannot be migrated: what can be read of it is saved as it is.
#[tokio::test]
async fn a_damaged_outbox_of_version_1_is_salvaged() {
    let server = SinkServer::start();
    let mut saved = 0;
    let pages = FIRST.len() / 4096;
    for page in 1..pages {
        let fixture = fixture(&server.url(""));
        let mut torn = FIRST.to_vec();
        torn[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(fixture.path().join("outbox.db"), torn).unwrap();
        let mut delivery = fixture.open().await;
        let report = delivery.deliver(Budget::Flush).await;
        assert!(report.is_drained(), "page {page}: {report:?}");
        let influx = ledger(&delivery, "influx").await;
        assert!(influx.adds_up(), "page {page}: {influx:?}");
        saved += influx.delivered;
        let damaged = influx.damaged_since.is_some();
        assert!(damaged || influx.delivered == 139, "page {page}: {influx:?}");
    }
    assert!(saved > 139 * (pages as u64 - 1) / 2, "{saved} of {pages} pages");
}
