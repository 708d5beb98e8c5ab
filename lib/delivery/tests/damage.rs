//! An outbox that is damaged: set aside, salvaged, counted, and never a reason not to start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::*;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tidemark_delivery::{Budget, Delivery};
use tidemark_testkit::SinkServer;

const BATCHES: i64 = 40;

/// An outbox with batches that wait for a server which is there later; closed.
async fn filled(server: &SinkServer) -> Fixture {
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    for number in 0..BATCHES {
        delivery
            .submit(&fixture.run("a"), &points(number * 100, 100))
            .await
            .unwrap();
    }
    assert_eq!(ledger(&delivery, "influx").await.waiting, 101 * BATCHES as u64);
    delivery.close().await;
    fixture
}

fn path(fixture: &Fixture) -> PathBuf {
    fixture.path().join("outbox.db")
}

async fn sql(path: &std::path::Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut db: SqliteConnection = options.create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

fn set_aside(fixture: &Fixture) -> usize {
    let names = fs::read_dir(fixture.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with("outbox.db.damaged-2") && !name.contains("wal"))
        .count()
}

/// It starts, commits, delivers, adds up, and says since when it does not know all.
async fn works(fixture: &Fixture, delivery: &mut Delivery) -> u64 {
    delivery
        .submit(&fixture.run("b"), &points(900_000, 10))
        .await
        .unwrap();
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    assert!(delivery.outbox().is_some());
    let ledger = ledger(delivery, "influx").await;
    assert!(ledger.adds_up());
    assert!(ledger.damaged_since.is_some(), "{ledger:?}");
    ledger.delivered
}

#[tokio::test]
async fn garbage_is_set_aside_and_a_new_outbox_started() {
    for garbage in [
        vec![0xa5; 50_000],
        vec![0; 8_192],
        b"not a database at all".to_vec(),
    ] {
        let server = SinkServer::start();
        let fixture = filled(&server).await;
        fs::write(path(&fixture), &garbage).unwrap();
        let mut delivery = fixture.open().await;
        let notices = delivery.take_notices();
        assert!(
            notices[0].contains("was damaged: it was set aside as "),
            "{notices:?}"
        );
        assert_eq!(works(&fixture, &mut delivery).await, 11);
        assert_eq!(set_aside(&fixture), 1);
    }
}

#[tokio::test]
async fn a_torn_file_gives_what_is_left_of_it() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let bytes = fs::read(path(&fixture)).unwrap();
    fs::write(path(&fixture), &bytes[..bytes.len() / 4096 / 2 * 4096]).unwrap();
    let mut delivery = fixture.open().await;
    let delivered = works(&fixture, &mut delivery).await;
    assert!(delivered > 11, "{delivered}");
    assert_eq!(set_aside(&fixture), 1);
}

/// Whichever page is zeroed: it starts, and either all is there or the loss is counted.
#[tokio::test]
async fn any_zeroed_page_is_survived() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let bytes = fs::read(path(&fixture)).unwrap();
    let pages = bytes.len() / 4096;
    let mut saved = 0;
    for page in (0..pages).step_by(usize::max(pages / 24, 1)) {
        for entry in fs::read_dir(fixture.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let mut torn = bytes.clone();
        torn[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(path(&fixture), torn).unwrap();
        let mut delivery = fixture.open().await;
        delivery
            .submit(&fixture.run("b"), &points(900_000, 10))
            .await
            .unwrap();
        let report = delivery.deliver(Budget::Flush).await;
        assert!(report.is_drained(), "page {page}: {report:?}");
        let ledger = ledger(&delivery, "influx").await;
        assert!(ledger.adds_up());
        // Every point that waited is delivered or known as lost, unless the ledger itself was lost.
        let known = ledger.delivered + ledger.dropped;
        assert!(
            known == 101 * BATCHES as u64 + 11 || ledger.damaged_since.is_some(),
            "page {page}: {ledger:?}"
        );
        saved = saved.max(ledger.delivered);
        delivery.close().await;
    }
    assert!(saved >= 101 * (BATCHES as u64 - 3));
}

#[tokio::test]
async fn a_batch_that_does_not_match_its_checksum_costs_no_other() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let mut bytes = fs::read(path(&fixture)).unwrap();
    // A byte within the gzip of the 20th batch: SQLite has no checksums and does not see it.
    let needle = [0x1f, 0x8b, 0x08];
    let place = (0..bytes.len() - 3)
        .filter(|place| bytes[*place..*place + 3] == needle)
        .nth(20)
        .unwrap();
    bytes[place + 200] ^= 0xff;
    fs::write(path(&fixture), bytes).unwrap();
    let mut delivery = fixture.open().await;
    assert_eq!(delivery.take_notices(), Vec::<String>::new());
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    let ledger = ledger(&delivery, "influx").await;
    let all = 101 * BATCHES as u64;
    assert_eq!(
        (ledger.collected, ledger.delivered, ledger.dropped),
        (all, all - 100, 100)
    );
    assert!(ledger.damaged_since.is_some());
    assert_eq!(set_aside(&fixture), 0);
    let kept = fs::read_dir(fixture.path()).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("outbox.db.damaged-batch-")
    });
    assert_eq!(kept.count(), 1);
}

/// A sound outbox with one waiting run, as bytes of a single file.
async fn sound(url: &str) -> Vec<u8> {
    let fixture = Fixture::new(vec![influxdb("influx", url)]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("s"), &points(0, 7)).await.unwrap();
    delivery.close().await;
    fs::read(path(&fixture)).unwrap()
}

#[tokio::test]
async fn a_process_killed_while_it_set_an_outbox_aside_loses_nothing() {
    let server = SinkServer::start();
    let salvaged = sound(&server.url("")).await;
    // Before it began to move files, in the midst of it, and before the last move.
    for (damaged, log) in [(true, true), (true, false), (false, false)] {
        let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
        fs::write(fixture.path().join("outbox.db.salvaged"), &salvaged).unwrap();
        if damaged {
            fs::write(path(&fixture), b"garbage").unwrap();
        }
        if log {
            fs::write(fixture.path().join("outbox.db-wal"), vec![7; 9_000]).unwrap();
        }
        let mut delivery = fixture.open().await;
        assert!(
            delivery.take_notices()[0].contains("what could be read of it was saved"),
            "{damaged} {log}"
        );
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, "influx").await, [8, 8, 0, 0, 0]);
        delivery.close().await;
        assert!(!fixture.path().join("outbox.db.salvaged").exists());
        assert_eq!(set_aside(&fixture), usize::from(damaged));
    }
}

#[tokio::test]
async fn a_salvage_that_was_killed_begins_anew() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let bytes = fs::read(path(&fixture)).unwrap();
    fs::write(path(&fixture), &bytes[..bytes.len() / 4096 / 2 * 4096]).unwrap();
    fs::write(fixture.path().join("outbox.db.salvage"), &bytes[..4096]).unwrap();
    fs::write(fixture.path().join("outbox.db.salvage-wal"), vec![7; 9_000]).unwrap();
    let mut delivery = fixture.open().await;
    assert!(works(&fixture, &mut delivery).await > 11);
    assert_eq!(set_aside(&fixture), 1);
    assert!(!fixture.path().join("outbox.db.salvage").exists());
}

#[tokio::test]
async fn who_has_a_damaged_outbox_open_lets_go_for_the_other() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let (mut committer, mut deliverer) = (fixture.open().await, fixture.open().await);
    // Every page but the first: the file opens, and nothing in it can be read.
    let mut bytes = fs::read(path(&fixture)).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(path(&fixture), bytes).unwrap();
    committer
        .submit(&fixture.run("b"), &points(900_000, 10))
        .await
        .unwrap();
    assert!(committer.outbox().is_none(), "the other has it open");
    assert_eq!(server.requests().len(), 2, "delivered directly");
    deliverer.deliver(Budget::Flush).await;
    assert!(deliverer.outbox().is_some());
    assert_eq!(set_aside(&fixture), 1);
    // The first one looks again after a while.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    committer
        .submit(&fixture.run("b"), &points(900_010, 10))
        .await
        .unwrap();
    assert!(committer.outbox().is_some());
    assert_eq!(ledger(&committer, "influx").await.waiting, 11);
}

#[tokio::test]
async fn a_file_that_is_no_outbox() {
    let server = SinkServer::start();
    // Of no bytes, or a database without tables: it becomes one.
    let empty = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    fs::write(path(&empty), b"").unwrap();
    let bare = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    sql(&path(&bare), "PRAGMA auto_vacuum = INCREMENTAL; VACUUM").await;
    // Somebody else's: set aside.
    let foreign = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    sql(&path(&foreign), "CREATE TABLE theirs (a)").await;
    for (fixture, aside) in [(&empty, 0), (&bare, 0), (&foreign, 1)] {
        let mut delivery = fixture.open().await;
        delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
        assert!(delivery.outbox().is_some());
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
        assert_eq!(set_aside(fixture), aside);
    }
}

#[tokio::test]
async fn an_outbox_that_was_removed_while_it_was_open_is_begun_anew() {
    let server = SinkServer::start();
    let fixture = filled(&server).await;
    let mut delivery = fixture.open().await;
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(fixture.path().join(format!("outbox.db{end}")));
    }
    delivery.submit(&fixture.run("b"), &points(0, 3)).await.unwrap();
    assert!(delivery.take_notices()[0].contains("was removed or moved"));
    delivery.close().await;
    let mut delivery = fixture.open().await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
}
