//! Files that are not as they should be: damaged, cut short, garbage, newer, foreign, gone, read-only; and a process
//! that is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, their helpers too"
)]
#![allow(
    clippy::print_stdout,
    reason = "what a test did not check, and what a child process did"
)]

mod common;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Place, at, one, point, samples};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tidemark_point::{Point, Timestamp, Value};
use tidemark_store::{Selector, Store, StoreError, StoreOptions};

/// Bytes of a page.
const PAGE: u64 = 8192;

/// A batch of many series, so that a page that is lost matters.
fn batch(run: i64) -> Vec<Point> {
    (0..300)
        .map(|n| {
            let noise = f64::from_bits(0x4000_0000_0000_0000 ^ (n * 0x9e37_79b9 + run).unsigned_abs());
            point(
                &format!("m{}", n % 40),
                &[("n", &n.to_string())],
                &[("v", noise.into())],
                at(run * 60),
            )
        })
        .collect()
}

async fn filled() -> Place {
    let place = Place::new();
    let mut store = place.open().await;
    for run in 0..80 {
        store.write(&batch(run), at(0)).await.unwrap();
    }
    store.compact().await.unwrap();
    store.write(&batch(80), at(0)).await.unwrap();
    store.close().await.unwrap();
    place
}

async fn sql(path: &Path, sql: &str) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_optional(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    row.map_or(0, |row| row.try_get(0).unwrap_or(0))
}

/// After damage the store goes on with what is written next, and the damaged file is beside it.
async fn goes_on(place: &Place) {
    let mut store = place.open().await;
    let mut set_aside = store.take_set_aside();
    for run in 100..110 {
        let written = store.write(&batch(run), at(0)).await.unwrap();
        assert_eq!(written.points, 300);
        set_aside = written.set_aside.or(set_aside);
        // What cannot be read is noticed by a read, and set aside by the next write.
        let _ = store
            .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
            .await;
    }
    let set_aside = set_aside.expect("the damage was never noticed");
    assert!(set_aside.moved_to.exists(), "{set_aside:?}");
    assert!(set_aside.to_string().contains("set aside as"), "{set_aside}");
    let name = set_aside.moved_to.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("store.db.damaged-2"), "{name}");
    let last = store.last(&Selector::new()).await.unwrap();
    assert_eq!(last.len(), 300);
    assert!(last.iter().all(|last| last.time == at(109 * 60)));
}

#[tokio::test]
async fn garbage_is_set_aside() {
    let place = Place::new();
    fs::write(
        place.path(),
        "not a database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    let error = Store::open_read_only(&place.path()).await.unwrap_err();
    assert!(error.is_damage(), "{error:?}");
    goes_on(&place).await;
}

#[tokio::test]
async fn zeroed_pages_are_set_aside() {
    // The header, and the roots of layout, of its index by hash, of fresh, of chunk.
    for page in [0_u64, 2, 3, 5, 6] {
        let place = filled().await;
        let mut file = File::options().write(true).open(place.path()).unwrap();
        file.seek(SeekFrom::Start(page * PAGE)).unwrap();
        file.write_all(&[0; 8192]).unwrap();
        drop(file);
        goes_on(&place).await;
    }
}

#[tokio::test]
async fn a_file_cut_short_is_set_aside() {
    for (part, of) in [(1, 2), (9, 10)] {
        let place = filled().await;
        let len = fs::metadata(place.path()).unwrap().len();
        File::options()
            .write(true)
            .open(place.path())
            .unwrap()
            .set_len(len / PAGE * part / of * PAGE)
            .unwrap();
        goes_on(&place).await;
    }
}

#[tokio::test]
async fn the_newest_of_those_set_aside_are_kept() {
    let place = Place::new();
    let mut moved_to = Vec::new();
    for _ in 0..5 {
        fs::write(place.path(), "garbage ".repeat(1000)).unwrap();
        let mut store = place.open().await;
        moved_to.push(store.take_set_aside().unwrap().moved_to);
        store.close().await.unwrap();
    }
    assert!(moved_to[4].exists(), "{moved_to:?}");
    let kept = place.files().into_iter().filter(|name| name.contains("damaged"));
    assert_eq!(kept.count(), 3);
}

#[tokio::test]
async fn an_empty_file_is_a_new_store() {
    let place = Place::new();
    File::create(place.path()).unwrap();
    let mut store = place.open().await;
    assert!(store.take_set_aside().is_none());
    store.write(&[one("m", 1, at(0))], at(0)).await.unwrap();
}

#[tokio::test]
async fn a_part_that_rotted_is_left_out_and_counted() {
    let place = filled().await;
    let changed = "UPDATE chunk SET data = substr(data, 1, 20) || x'00ff00ff' || substr(data, 25) \
                   WHERE id = (SELECT min(id) FROM chunk) RETURNING samples";
    let lost = sql(&place.path(), changed).await;
    assert!(lost > 0);
    let mut store = place.open().await;
    let all = Timestamp::MIN..Timestamp::MAX;
    let range = store.range(&Selector::new(), all).await.unwrap();
    let found: usize = range.iter().map(|series| series.samples.len()).sum();
    assert_eq!((found as i64, store.damaged_parts()), (81 * 300 - lost, 1));
}

#[tokio::test]
async fn a_newer_store_is_not_touched() {
    let place = filled().await;
    sql(&place.path(), "PRAGMA user_version = 9").await;
    let before = fs::read(place.path()).unwrap();
    for result in [
        Store::open(&place.path(), StoreOptions::default()).await,
        Store::open_read_only(&place.path()).await,
    ] {
        let error = result.unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Newer {
                    found: 9,
                    known: 1,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("format 9"), "{error}");
    }
    assert_eq!(fs::read(place.path()).unwrap(), before);
    assert_eq!(
        place
            .files()
            .iter()
            .filter(|name| name.contains("damaged"))
            .count(),
        0
    );
}

#[tokio::test]
async fn another_programs_database_is_not_touched() {
    let place = Place::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(place.path())
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE theirs (id INTEGER)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let before = fs::read(place.path()).unwrap();
    let error = Store::open(&place.path(), StoreOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_missing_folder_and_a_missing_store_are_clear_errors() {
    let place = Place::new();
    let path = place.folder.path().join("nowhere/store.db");
    let error = Store::open(&path, StoreOptions::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains("nowhere/store.db"), "{error}");
    let error = Store::open_read_only(&place.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert_eq!(place.files(), [""; 0]);
}

#[tokio::test]
async fn a_store_that_was_taken_away_is_made_again() {
    let place = Place::new();
    let mut store = place.open().await;
    store.write(&[one("m", 1, at(0))], at(0)).await.unwrap();
    for name in place.files() {
        fs::remove_file(place.folder.path().join(name)).unwrap();
    }
    store.write(&[one("m", 2, at(60))], at(0)).await.unwrap();
    let mut other = place.open().await;
    assert_eq!(samples(&mut other, "m").await, [(at(60), Value::from(2))]);
}

#[tokio::test]
async fn two_writers_and_a_reader_share_a_damaged_store() {
    let place = filled().await;
    let (mut one_store, mut other) = (place.open().await, place.open().await);
    one_store.write(&batch(90), at(0)).await.unwrap();
    other.write(&batch(91), at(0)).await.unwrap();
    let file = File::options().write(true).open(place.path()).unwrap();
    file.set_len(0).unwrap();
    fs::write(place.path(), "garbage ".repeat(10_000)).unwrap();
    drop(file);
    let mut set_aside = 0;
    for run in 100..104 {
        for store in [&mut one_store, &mut other] {
            let written = store.write(&batch(run), at(0)).await.unwrap();
            set_aside += u32::from(written.set_aside.is_some());
            let _ = store
                .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
                .await;
        }
    }
    // The one that noticed told it; the other went on with the new file.
    assert_eq!(set_aside, 1);
    let mut reader = Store::open_read_only(&place.path()).await.unwrap();
    assert_eq!(reader.last(&Selector::new()).await.unwrap().len(), 300);
    let files = place.files();
    let set_aside = files
        .iter()
        .filter(|name| name.contains("damaged") && !name.contains("-wal") && !name.contains("-shm"));
    assert_eq!(set_aside.count(), 1, "{files:?}");
}

#[tokio::test]
async fn readers_read_while_a_writer_writes() {
    let place = Place::new();
    let mut writer = place.open().await;
    writer.write(&batch(0), at(0)).await.unwrap();
    let path = place.path();
    let reader = tokio::spawn(async move {
        let mut reader = Store::open_read_only(&path).await.unwrap();
        let mut seen = 0;
        while seen < 60 {
            let range = reader
                .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
                .await
                .unwrap();
            // Whole batches alone: each series has as many samples.
            assert!(
                range
                    .iter()
                    .all(|series| series.samples.len() == range[0].samples.len())
            );
            assert_eq!(range.len(), 300);
            assert!(range[0].samples.len() >= seen);
            seen = range[0].samples.len();
        }
    });
    for run in 1..60 {
        writer.write(&batch(run), at(0)).await.unwrap();
        if run % 20 == 0 {
            writer.compact().await.unwrap();
        }
    }
    reader.await.unwrap();
    let mut reader = Store::open_read_only(&place.path()).await.unwrap();
    let error = reader.write(&batch(0), at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::OpenedReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn many_writers_take_turns() {
    let place = Place::new();
    let mut writers = Vec::new();
    for writer in 0..4 {
        let path = place.path();
        writers.push(tokio::spawn(async move {
            for run in 0..25 {
                // As one-shot programs do: open, write, close; all make the file and add layouts at once.
                let mut store = Store::open(&path, StoreOptions::default()).await.unwrap();
                let points = [
                    one(&format!("m{writer}"), run, at(run * 60)),
                    one("shared", run, at(run * 60)),
                ];
                store.write(&points, at(0)).await.unwrap();
                if run % 8 == writer {
                    store.compact().await.unwrap();
                }
                store.close().await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let mut store = place.open().await;
    let range = store
        .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(
        range
            .iter()
            .map(|series| series.samples.len())
            .collect::<Vec<_>>(),
        [25; 5]
    );
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_a_whole_store() {
    let place = Place::new();
    let mut store = place.open().await;
    let points = batch(0);
    for run in 0..40 {
        // Dropped after some steps of the transaction that adds the layouts.
        let mut write = Box::pin(store.write(&points, at(0)));
        for _ in 0..run {
            let step = std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx).is_ready()));
            if step.await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    store.write(&[one("after", 1, at(0))], at(0)).await.unwrap();
    let mut other = place.open().await;
    other.write(&[one("other", 1, at(0))], at(0)).await.unwrap();
    let count = other
        .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
        .await
        .unwrap()
        .len();
    assert!(count == 2 || count == 302, "{count}");
}

/// The name of the environment variable that makes the next test the process that is killed.
const VICTIM: &str = "TIDEMARK_STORE_VICTIM";

/// Writes batches until it is killed, and tells each that the store gave its word for.
#[test]
fn victim() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the test that starts this process says where to write"
    )]
    let Some(path) = std::env::var_os(VICTIM) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut store = Store::open(Path::new(&path), StoreOptions::default())
            .await
            .unwrap();
        let start = store.last(&Selector::new()).await.unwrap();
        let start = start
            .first()
            .map_or(0, |last| last.time.since(at(0)) / 60_000_000_000 + 1);
        for run in start.. {
            store.write(&batch(run), at(0)).await.unwrap();
            println!("stored {run}");
            if run % 7 == 6 {
                store.compact().await.unwrap();
            }
        }
    });
}

#[tokio::test]
async fn another_process_writes_while_this_one_reads() {
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture"])
        .env(VICTIM, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut reader = None;
    let mut seen = 0;
    while seen < 60 {
        let line = lines.next().unwrap().unwrap();
        let Some(run) = line.split("stored ").nth(1) else {
            continue;
        };
        if reader.is_none() {
            reader = Some(Store::open_read_only(&place.path()).await.unwrap());
        }
        let all = Timestamp::MIN..Timestamp::MAX;
        let range = reader
            .as_mut()
            .unwrap()
            .range(&Selector::new(), all)
            .await
            .unwrap();
        assert_eq!(range.len(), 300);
        seen = range[0].samples.len();
        assert!(range.iter().all(|series| series.samples.len() == seen));
        // What was promised to the other is there for this one.
        assert!(seen > run.parse().unwrap(), "{seen} samples after {run}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_batches() {
    let place = Place::new();
    let mut promised = -1;
    for round in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(VICTIM, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Killed after some batches, at a point within the next one.
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let mut left = 1 + round % 5;
        while left > 0 {
            let line = lines.next().unwrap().unwrap();
            if let Some(run) = line.split("stored ").nth(1) {
                promised = run.parse().unwrap();
                left -= 1;
            }
        }
        let start = std::time::Instant::now();
        while start.elapsed().as_micros() < u128::from(round * 173 % 3000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(run) = line.split("stored ").nth(1) {
                promised = run.parse().unwrap_or(promised);
            }
        }
        let mut store = place.open().await;
        assert!(store.take_set_aside().is_none());
        let range = store
            .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
            .await
            .unwrap();
        assert_eq!(range.len(), 300);
        let count = range[0].samples.len();
        assert!(range.iter().all(|series| series.samples.len() == count));
        assert_eq!(store.damaged_parts(), 0);
        let stored = i64::try_from(count).unwrap() - 1;
        // What was promised is there, and at most the one batch that was on its way.
        assert!(
            stored == promised || stored == promised + 1,
            "{stored} after {promised}"
        );
        promised = stored;
        store.close().await.unwrap();
    }
}
