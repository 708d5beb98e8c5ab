//! A look at the outbox, beside those who write to it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::sync::Arc;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tidemark_collect::ManualClock;
use tidemark_delivery::{Delivery, Look, OpenOptions, Outbox, Run, Sinks, Whole};
use tidemark_point::{Adjustments, Point, Timestamp};

const LONG: Duration = Duration::from_secs(30);

fn options(folder: &TempDir) -> OpenOptions {
    let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000).unwrap());
    OpenOptions::new(folder.path(), "host", Sinks::discard("nowhere"), Arc::new(clock))
}

async fn submit(delivery: &mut Delivery) {
    let now = Timestamp::from_secs(1_700_000_000).unwrap();
    let point = Point::builder("m")
        .field("f", 1.5)
        .time(now)
        .build(&mut Adjustments::default())
        .unwrap();
    let run = Run::new("c", now, Duration::from_secs(60));
    delivery.submit(&run, &[point]).await.unwrap();
}

/// What waits, and what does not add up.
fn read(look: Look) -> (u64, Vec<String>, Whole) {
    match look {
        Look::Read {
            ledger, wrong, whole, ..
        } => (ledger.iter().map(|of| of.waiting).sum(), wrong, whole),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_made_where_there_is_nothing() {
    let folder = TempDir::new().unwrap();
    assert_eq!(
        Outbox::look(&options(&folder), LONG).await.unwrap(),
        Look::Missing
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // SQLite's own idea of a database that nobody has written yet.
    std::fs::write(folder.path().join("outbox.db"), "").unwrap();
    assert_eq!(
        Outbox::look(&options(&folder), LONG).await.unwrap(),
        Look::Missing
    );
}

#[tokio::test]
async fn what_is_in_the_log_alone_counts() {
    let folder = TempDir::new().unwrap();
    let mut delivery = Delivery::open(options(&folder)).await;
    for waiting in 1..=5 {
        submit(&mut delivery).await;
        let (seen, wrong, whole) = read(Outbox::look(&options(&folder), LONG).await.unwrap());
        assert_eq!((seen, wrong, whole), (2 * waiting, Vec::new(), Whole::Yes));
    }
    delivery.close().await;
    let (seen, wrong, _) = read(Outbox::look(&options(&folder), LONG).await.unwrap());
    assert_eq!((seen, wrong), (10, Vec::new()));
    assert!(!folder.path().join("outbox.db-wal").exists());
}

#[tokio::test]
async fn a_check_that_takes_too_long_is_given_up_and_the_rest_is_read() {
    let folder = TempDir::new().unwrap();
    let mut delivery = Delivery::open(options(&folder)).await;
    submit(&mut delivery).await;
    delivery.close().await;
    let (seen, wrong, whole) = read(Outbox::look(&options(&folder), Duration::ZERO).await.unwrap());
    assert_eq!((seen, wrong, whole), (2, Vec::new(), Whole::NotKnown));
}

#[tokio::test]
async fn a_ledger_that_does_not_add_up_is_said() {
    let folder = TempDir::new().unwrap();
    let mut delivery = Delivery::open(options(&folder)).await;
    submit(&mut delivery).await;
    delivery.close().await;
    let path = folder.path().join("outbox.db");
    let mut db = SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE sink SET waiting = waiting + 1")
        .execute(&mut db)
        .await
        .unwrap();
    db.close().await.unwrap();
    let (_, wrong, _) = read(Outbox::look(&options(&folder), LONG).await.unwrap());
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[0].starts_with("the ledger of nowhere does not add up"),
        "{wrong:?}"
    );
    assert_eq!(
        wrong[1],
        "nowhere has 3 points waiting in the ledger, 2 in the queue"
    );
}

/// Others write all the while: each look sees a whole state of some instant.
#[tokio::test]
async fn looks_beside_writers_are_whole() {
    let folder = TempDir::new().unwrap();
    let (path, writer) = (folder.path().to_path_buf(), options(&folder));
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = done.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            // Opened and closed each time: the log comes and goes.
            while !told.load(std::sync::atomic::Ordering::Relaxed) {
                let mut delivery = Delivery::open(writer.clone()).await;
                submit(&mut delivery).await;
                delivery.close().await;
            }
        });
    });
    let mut looked = 0;
    let began = std::time::Instant::now();
    // For a while, and until some have been between two writes.
    while began.elapsed() < Duration::from_secs(3) || looked <= 10 {
        assert!(began.elapsed() < 2 * LONG, "{looked} looks at {}", path.display());
        match Outbox::look(&options(&folder), LONG).await {
            Ok(look @ Look::Read { .. }) => {
                let (seen, wrong, whole) = read(look);
                assert_eq!((seen % 2, wrong, whole), (0, Vec::new(), Whole::Yes));
                looked += 1;
            }
            // Before the first, between two, or too busy.
            Ok(Look::Missing | Look::LogAlone) | Err(tidemark_delivery::DeliveryError::File { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    thread.join().unwrap();
}
