//! The outbox itself: the operator's decisions, bounds, runs, versions, and what happens where there can be none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use common::*;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tidemark_delivery::{Budget, DeliveryError, DropSelection, Run, SinkState};
use tidemark_settings::{KeepFree, SinkKind, Size, Span};
use tidemark_store::{Selector, Store};
use tidemark_testkit::{Answer, SinkServer, SmallDisk};

/// A sink that nobody listens at.
fn closed() -> tidemark_settings::SinkSettings {
    influxdb("influx", "http://127.0.0.1:1")
}

async fn sql(path: &Path, sql: &'static str) {
    let mut db: SqliteConnection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn the_store_is_a_sink() {
    let fixture = Fixture::new(vec![sink("store", SinkKind::Store)]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 200)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    assert!(report.is_drained(), "{report:?}");
    assert_eq!(counts(&delivery, "store").await, [201, 201, 0, 0, 0]);
    delivery.close().await;
    let mut store = Store::open_read_only(&fixture.path().join("store.db"))
        .await
        .unwrap();
    let last = store.last(&Selector::default()).await.unwrap();
    assert_eq!(
        last.iter().filter(|last| last.series.measurement == "m").count(),
        200
    );
    assert!(last.iter().any(|last| last.series.measurement == "tidemark_run"));
}

#[tokio::test]
async fn only_and_except_choose_the_sinks_of_a_batch() {
    let mut a = sink("a-alone", SinkKind::Discard);
    a.only = vec!["a".into()];
    let mut others = sink("not-a", SinkKind::Discard);
    others.except = vec!["a".into()];
    let fixture = Fixture::new(vec![a, others]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 5)).await.unwrap();
    delivery.submit(&fixture.run("b"), &points(0, 7)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "a-alone").await, [6, 6, 0, 0, 0]);
    assert_eq!(counts(&delivery, "not-a").await, [8, 8, 0, 0, 0]);
}

#[tokio::test]
async fn runs_are_recorded_and_a_killed_one_once() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let run = Run {
        target: Some("t".into()),
        duration: Duration::from_millis(1_234),
        gaps: vec!["a gap".into()],
        notices: vec!["a \"notice\"".into()],
        ..fixture.run("a")
    };
    delivery.submit(&run, &points(0, 5)).await.unwrap();
    let killed = Run::killed("b", at(1), Duration::from_secs(60));
    delivery.submit(&killed, &[]).await.unwrap();
    delivery.submit(&killed, &[]).await.unwrap();
    let outbox = delivery.outbox().unwrap();
    assert_eq!(outbox.runs("b", 10).await.unwrap(), std::slice::from_ref(&killed));
    assert_eq!(
        outbox.last_runs().await.unwrap(),
        [Run { points: 5, ..run }, killed]
    );
    assert_eq!(
        counts(&delivery, "nowhere").await,
        [7, 0, 7, 0, 0],
        "5 points and two tidemark_run"
    );
    // One commit in sixteen tidies up, by chance: that none of so many does is as likely as a broken disk.
    for _ in 0..500 {
        delivery.submit(&fixture.run("a"), &[]).await.unwrap();
    }
    let kept = delivery.outbox().unwrap().runs("a", 1_000).await.unwrap().len();
    assert!((100..400).contains(&kept), "{kept}");
    assert_eq!(delivery.outbox().unwrap().runs("b", 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_operator_sees_what_waits_retries_and_drops() {
    let fixture = Fixture::new(vec![closed()]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 2)).await.unwrap();
    delivery.submit(&fixture.run("b"), &points(5, 1)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    let outbox = delivery.outbox().unwrap();
    let waiting = outbox.waiting(Some("influx"), 0, 10).await.unwrap();
    assert_eq!(
        waiting.iter().map(|batch| batch.points).collect::<Vec<_>>(),
        [2, 1, 1, 1]
    );
    assert_eq!((waiting[0].collector.as_str(), waiting[0].attempts), ("a", 1));
    let body = outbox.body(waiting[0].id, Some("influx")).await.unwrap();
    assert_eq!(
        body,
        format!("m,n=0 v=0i {START}000000000\nm,n=1 v=1i {}000000000\n", START + 1).as_bytes()
    );
    assert!(ledger(&delivery, "influx").await.last_error.is_some());
    outbox.retry(Some("influx")).await.unwrap();
    assert_eq!(ledger(&delivery, "influx").await.backoff_until, None);
    // One batch, then all.
    let one = DropSelection {
        batch: Some(waiting[0].id),
        ..DropSelection::default()
    };
    assert_eq!(outbox.drop_waiting(&one).await.unwrap().waiting, 2);
    assert_eq!(counts(&delivery, "influx").await, [5, 0, 3, 0, 2]);
    assert_eq!(ledger(&delivery, "influx").await.unacknowledged(), 0);
    let again = outbox.drop_waiting(&one).await.unwrap_err();
    assert!(matches!(again, DeliveryError::Unknown { .. }), "{again}");
    assert_eq!(
        outbox
            .drop_waiting(&DropSelection::default())
            .await
            .unwrap()
            .waiting,
        3
    );
    assert_eq!(counts(&delivery, "influx").await, [5, 0, 0, 0, 5]);
    for error in [
        outbox.retry(Some("other")).await.unwrap_err(),
        outbox.body(99, None).await.unwrap_err(),
        outbox
            .drop_waiting(&DropSelection {
                sink: Some("other".into()),
                ..DropSelection::default()
            })
            .await
            .unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("see `tidemark outbox list`"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn losses_stand_until_they_are_acknowledged() {
    let server = SinkServer::start();
    server.script([Answer::new(400).body(r#"{"error":"no"}"#)]);
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 1)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(ledger(&delivery, "influx").await.unacknowledged(), 1);
    let outbox = delivery.outbox().unwrap();
    assert_eq!(outbox.rejected(None, 5).await.unwrap().len(), 1);
    let losses = DropSelection {
        losses_only: true,
        ..DropSelection::default()
    };
    assert_eq!(outbox.drop_waiting(&losses).await.unwrap().acknowledged, 1);
    assert_eq!(ledger(&delivery, "influx").await.unacknowledged(), 0);
    assert!(outbox.rejected(None, 5).await.unwrap().is_empty());
    assert_eq!(counts(&delivery, "influx").await, [2, 1, 0, 1, 0]);
}

#[tokio::test]
async fn a_sink_that_is_configured_no_more_is_orphaned_until_dropped() {
    let mut fixture = Fixture::new(vec![closed()]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    delivery.close().await;
    fixture.settings.sinks = vec![sink("nowhere", SinkKind::Discard)];
    let mut delivery = fixture.open().await;
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    let orphan = ledger(&delivery, "influx").await;
    assert!(orphan.orphaned && orphan.waiting == 4);
    let all = delivery.outbox().unwrap().ledger().await.unwrap();
    assert_eq!(
        all.iter().map(|ledger| ledger.name.as_str()).collect::<Vec<_>>(),
        ["nowhere", "influx"]
    );
    let dropped = delivery
        .outbox()
        .unwrap()
        .drop_waiting(&DropSelection {
            sink: Some("influx".into()),
            ..DropSelection::default()
        })
        .await
        .unwrap();
    assert_eq!((dropped.waiting, dropped.sinks), (4, vec!["influx".to_owned()]));
    assert_eq!(delivery.outbox().unwrap().ledger().await.unwrap().len(), 1);
    assert_eq!(
        delivery.outbox().unwrap().verify().await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn over_max_bytes_the_oldest_go_loudly() {
    let mut fixture = Fixture::new(vec![closed()]);
    fixture.settings.outbox.max_bytes = Size::bytes(256 * 1024);
    let mut delivery = fixture.open().await;
    let mut notices = Vec::new();
    for number in 0..200 {
        delivery
            .submit(&fixture.run("a"), &points(number * 500, 500))
            .await
            .unwrap();
        notices.extend(delivery.take_notices());
    }
    let [collected, _, waiting, _, dropped] = counts(&delivery, "influx").await;
    assert_eq!((collected, waiting + dropped), (100_200, 100_200));
    assert!(dropped > 0 && waiting > 1_000, "{waiting} {dropped}");
    assert!(
        notices[0].contains(
            "points for influx, waiting since 2023-11-14T22:13:21Z, were dropped: beyond outbox.max_bytes"
        ),
        "{}",
        notices[0]
    );
    let waits = delivery.outbox().unwrap().waiting(None, 0, 1_000).await.unwrap();
    assert_eq!(waits.last().unwrap().committed, at(200), "the newest stay");
    delivery.close().await;
    let size = std::fs::metadata(fixture.path().join("outbox.db")).unwrap().len();
    assert!(size <= 300 * 1024, "{size}");
}

#[tokio::test]
async fn over_max_age_and_keep_free() {
    let mut fixture = Fixture::new(vec![closed()]);
    fixture.settings.outbox.max_age = Some(Span::hours(1));
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    fixture.clock.advance(Duration::from_secs(3_700));
    delivery.submit(&fixture.run("a"), &points(10, 3)).await.unwrap();
    assert_eq!(counts(&delivery, "influx").await, [8, 0, 4, 0, 4]);
    assert!(delivery.take_notices()[0].contains("older than outbox.max_age"));
    delivery.close().await;

    // More must stay free than any disk has: what comes goes to the sinks at once, or is lost with a word.
    let mut fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    fixture.settings.outbox.keep_free = KeepFree::Size(Size::bytes(u64::MAX / 2));
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    assert!(delivery.take_notices()[0].contains("points are delivered directly"));
    fixture.settings.sinks = vec![closed()];
    let mut delivery = fixture.open().await;
    let error = delivery
        .submit(&fixture.run("a"), &points(0, 3))
        .await
        .unwrap_err();
    assert!(matches!(error, DeliveryError::Lost { points: 3, .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("could be neither kept nor delivered: influx: "),
        "{error}"
    );
}

#[tokio::test]
async fn an_outbox_of_a_newer_version_is_left_as_it_is() {
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    fixture.open().await.close().await;
    let path = fixture.path().join("outbox.db");
    sql(&path, "PRAGMA user_version = 3").await;
    let before = std::fs::read(&path).unwrap();
    let mut delivery = fixture.open().await;
    assert!(delivery.outbox().is_none());
    assert!(delivery.take_notices()[0].contains("version 3, newer than 2: update tidemark"));
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    assert!(delivery.deliver(Budget::Run).await.sinks.is_empty());
    delivery.close().await;
    assert!(std::fs::read(&path).unwrap() == before);
    assert!(
        !fixture.path().join("outbox.db-wal").exists(),
        "SQLite has not touched it"
    );
}

#[tokio::test]
async fn a_full_disk_is_no_reason_to_lose_points() {
    let disk = SmallDisk::new(512 * 1024);
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let options = || tidemark_delivery::OpenOptions {
        dir: disk.path(),
        ..fixture.options()
    };
    let mut delivery = tidemark_delivery::Delivery::open(options()).await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    disk.fill();
    delivery
        .submit(&fixture.run("a"), &points(3, 5_000))
        .await
        .unwrap();
    assert!(
        delivery
            .take_notices()
            .iter()
            .any(|notice| notice.contains("delivered directly"))
    );
    let sent: usize = server
        .requests()
        .iter()
        .map(|request| request.text().lines().count())
        .sum();
    assert_eq!(sent, 5_001);
    delivery.close().await;
    // Opening where not a byte is left does not fail either.
    let mut delivery = tidemark_delivery::Delivery::open(options()).await;
    delivery
        .submit(&fixture.run("a"), &points(6_000, 3))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_read_only_folder_is_no_reason_to_lose_points() {
    let mut disk = SmallDisk::new(4 * 1024 * 1024);
    disk.read_only();
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let options = tidemark_delivery::OpenOptions {
        dir: disk.path(),
        ..fixture.options()
    };
    let mut delivery = tidemark_delivery::Delivery::open(options).await;
    assert!(delivery.outbox().is_none());
    assert!(delivery.take_notices()[0].contains(
        "; points are delivered directly, and those that a sink refuses are kept in the log alone"
    ));
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn one_deliverer_at_a_time() {
    let server = SinkServer::start();
    server.judge(|_| Answer::new(204).after(Duration::from_millis(300)));
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let (mut one, mut other) = (fixture.open().await, fixture.open().await);
    one.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let (first, second) = tokio::join!(one.deliver(Budget::Run), other.deliver(Budget::Run));
    let states = [first.sinks[0].state.clone(), second.sinks[0].state.clone()];
    assert!(
        states.contains(&SinkState::Elsewhere) && states.contains(&SinkState::Drained),
        "{states:?}"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_flush_tells_of_each_sink() {
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    fixture.clock.advance(Duration::from_secs(9));
    delivery.submit_sink_points().await.unwrap();
    assert!(delivery.deliver(Budget::Timer).await.is_drained());
    let last = server.requests().pop().unwrap();
    assert_eq!(
        last.text(),
        format!(
            "tidemark_sink,host=h,sink=influx dropped=0i,oldest_waiting_seconds=9.0,rejected=0i,waiting=4i {}000000000\n",
            START + 10
        )
    );
}

#[tokio::test]
async fn many_processes_commit_at_once() {
    let fixture = Fixture::new(vec![closed()]);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let options = fixture.options();
        let run = fixture.run(&format!("c{number}"));
        tasks.spawn(async move {
            let mut delivery = tidemark_delivery::Delivery::open(options).await;
            for batch in 0..5 {
                delivery.submit(&run, &points(batch * 10, 10)).await.unwrap();
            }
            assert!(delivery.outbox().is_some());
            delivery.close().await;
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let delivery = fixture.open().await;
    assert_eq!(
        counts(&delivery, "influx").await,
        [8 * 5 * 11, 0, 8 * 5 * 11, 0, 0]
    );
}

#[tokio::test]
async fn what_an_operator_drops_while_it_is_sent_is_counted_once() {
    let server = SinkServer::start();
    // It takes the points once they are dropped.
    let (dropped_tx, dropped_rx) = std::sync::mpsc::channel::<()>();
    let is_dropped = Mutex::new(dropped_rx);
    server.judge(move |_| {
        let _ = is_dropped.lock().unwrap().recv();
        Answer::new(204)
    });
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let (mut one, other) = (fixture.open().await, fixture.open().await);
    one.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let drop_meanwhile = async {
        asked(&server, 1).await;
        let dropped = other
            .outbox()
            .unwrap()
            .drop_waiting(&DropSelection::default())
            .await;
        // From here on it answers at once.
        drop(dropped_tx);
        dropped.unwrap()
    };
    let (_, dropped) = tokio::join!(one.deliver(Budget::Run), drop_meanwhile);
    assert_eq!(dropped.waiting, 4);
    assert_eq!(counts(&one, "influx").await, [4, 0, 0, 0, 4]);
}

#[tokio::test]
async fn what_is_broken_off_is_all_there_or_not_at_all() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    for micros in (0..3_000).step_by(60) {
        let (run, points) = (fixture.run("a"), points(micros, 20));
        let bound = Duration::from_micros(micros.try_into().unwrap());
        let _ = tokio::time::timeout(bound, delivery.submit(&run, &points)).await;
        let [collected, ..] = counts(&delivery, "nowhere").await;
        assert_eq!(collected % 21, 0);
        let _ = tokio::time::timeout(bound, delivery.deliver(Budget::Run)).await;
        counts(&delivery, "nowhere").await;
    }
    delivery.submit(&fixture.run("a"), &points(0, 20)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let [collected, delivered, ..] = counts(&delivery, "nowhere").await;
    assert!(collected == delivered && collected >= 21);
}

#[tokio::test]
async fn a_sink_of_the_same_name_gets_what_waited_whatever_it_is_now() {
    let server = SinkServer::start();
    let mut fixture = Fixture::new(vec![sink("place", SinkKind::Store), closed()]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 300)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    delivery
        .submit(&fixture.run("a"), &points(300, 300))
        .await
        .unwrap();
    delivery.close().await;
    // The store became an InfluxDB, and the InfluxDB that was down has moved.
    fixture.settings.sinks = vec![
        influxdb("place", &server.url("/a")),
        influxdb("influx", &server.url("/b")),
    ];
    let mut delivery = fixture.open().await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "place").await, [602, 602, 0, 0, 0]);
    assert_eq!(counts(&delivery, "influx").await, [602, 602, 0, 0, 0]);
    let lines = |path: &str| -> usize {
        let requests = server.requests();
        let to = requests.iter().filter(|request| request.path.starts_with(path));
        to.map(|request| request.text().lines().count()).sum()
    };
    assert_eq!((lines("/a/write"), lines("/b/write")), (301, 602));
    let ledger = ledger(&delivery, "place").await;
    assert_eq!((ledger.kind.as_str(), ledger.orphaned), ("influxdb", false));
}

#[tokio::test]
async fn processes_with_different_settings_share_an_outbox() {
    let server = SinkServer::start();
    let mut one = Fixture::new(vec![influxdb("one", &server.url(""))]);
    let mut first = one.open().await;
    one.settings.sinks = vec![sink("other", SinkKind::Discard)];
    let mut second = one.open().await;
    first.submit(&one.run("a"), &points(0, 3)).await.unwrap();
    second.submit(&one.run("b"), &points(0, 5)).await.unwrap();
    assert!(second.deliver(Budget::Run).await.is_drained());
    let seen = ledger(&second, "one").await;
    assert!(seen.orphaned && seen.waiting == 4, "{seen:?}");
    assert!(first.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&first, "one").await, [4, 4, 0, 0, 0]);
    assert_eq!(counts(&first, "other").await, [6, 6, 0, 0, 0]);
}

#[tokio::test]
async fn a_clock_that_jumps_loses_and_holds_up_nothing() {
    let server = SinkServer::start();
    server.script([Answer::new(503).header("Retry-After", "1000000000")]);
    let mut fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    fixture.settings.outbox.max_age = Some(Span::days(1));
    // A year ahead, and back.
    fixture.clock.set(at(365 * 86_400));
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    let until = ledger(&delivery, "influx").await.backoff_until.unwrap();
    assert_eq!(until, at(365 * 86_400 + 1 + 3_600), "an hour at most");
    fixture.clock.set(at(0));
    assert_eq!(ledger(&delivery, "influx").await.backoff_until, None);
    let newer = fixture.run("a");
    delivery.submit(&newer, &points(3, 3)).await.unwrap();
    let runs = delivery.outbox().unwrap().last_runs().await.unwrap();
    assert_eq!(
        runs[0].started, newer.started,
        "the last one is the last one committed"
    );
    assert_eq!(counts(&delivery, "influx").await, [8, 0, 8, 0, 0]);
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [8, 8, 0, 0, 0]);
}

#[tokio::test]
async fn an_orphan_stays_until_its_losses_are_acknowledged() {
    let server = SinkServer::start();
    server.script([Answer::new(400).body(r#"{"error":"no"}"#), Answer::new(503)]);
    let mut fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 1)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    assert_eq!(counts(&delivery, "influx").await, [2, 0, 1, 1, 0]);
    delivery.close().await;
    fixture.settings.sinks = vec![sink("nowhere", SinkKind::Discard)];
    let delivery = fixture.open().await;
    let outbox = delivery.outbox().unwrap();
    let batch = outbox.waiting(None, 0, 1).await.unwrap()[0].id;
    let one = DropSelection {
        batch: Some(batch),
        ..DropSelection::default()
    };
    assert!(outbox.drop_waiting(&one).await.unwrap().sinks.is_empty());
    assert_eq!(ledger(&delivery, "influx").await.unacknowledged(), 1);
    let all = outbox.drop_waiting(&DropSelection::default()).await.unwrap();
    assert_eq!((all.acknowledged, all.sinks), (1, vec!["influx".to_owned()]));
}

#[tokio::test]
async fn pages_of_what_waits_leave_out_nothing() {
    let fixture = Fixture::new(vec![closed(), influxdb("second", "http://127.0.0.1:1")]);
    let mut delivery = fixture.open().await;
    for number in 0..3 {
        delivery
            .submit(&fixture.run("a"), &points(number, 1))
            .await
            .unwrap();
    }
    let outbox = delivery.outbox().unwrap();
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = outbox.waiting(None, after, 1).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        seen.extend(page.into_iter().map(|batch| (batch.id, batch.sink)));
    }
    assert_eq!(seen.len(), 12);
    seen.dedup();
    assert_eq!(seen.len(), 12);
}
