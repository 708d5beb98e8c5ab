//! Bounds: age, size, layouts that come and go.
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

use std::time::Duration;

use common::{Place, at, one, point, samples};
use tidemark_point::{Timestamp, Value};
use tidemark_store::{Selector, Store, StoreOptions};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn what_is_too_old_goes_and_is_counted() {
    let place = Place::new();
    let mut store = Store::open(&place.path(), StoreOptions::new(HOUR, 1 << 30))
        .await
        .unwrap();
    for minute in 0..180 {
        store
            .write(&[one("m", minute, at(minute * 60))], at(0))
            .await
            .unwrap();
        if minute == 89 {
            store.compact().await.unwrap();
        }
    }
    store.write(&[one("other", 1, at(0))], at(0)).await.unwrap();
    let dropped = store.retain(at(179 * 60)).await.unwrap();
    // The chunk of minutes 0 to 88 and the rows up to minute 118; and the other series.
    assert_eq!((dropped.expired, dropped.evicted), (120, 0));
    assert_eq!(dropped.to_string(), "120 samples expired");
    let left = samples(&mut store, "m").await;
    assert_eq!((left.len(), left[0].0), (61, at(119 * 60)));
    assert!(
        store
            .series(&Selector::new().measurement("other"))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.retain(at(179 * 60)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_takes_nothing() {
    let place = Place::new();
    let mut store = Store::open(&place.path(), StoreOptions::new(HOUR, 1 << 30))
        .await
        .unwrap();
    store
        .write(&[one("m", 1, at(0)), one("m", 2, at(60))], at(0))
        .await
        .unwrap();
    assert!(store.retain(Timestamp::MAX).await.unwrap().is_empty());
    // A clock that is behind: what is in its future stays too.
    assert!(store.retain(Timestamp::MIN).await.unwrap().is_empty());
    assert_eq!(samples(&mut store, "m").await.len(), 2);
}

#[tokio::test]
async fn the_order_of_writing_survives_an_emptied_store() {
    let place = Place::new();
    let mut store = Store::open(&place.path(), StoreOptions::new(HOUR, 1))
        .await
        .unwrap();
    let written = store
        .write(&[one("m", 1, at(0)), one("m", 1, at(7200))], at(0))
        .await
        .unwrap();
    let dropped = written.dropped;
    assert_eq!(dropped.evicted, 2);
    assert_eq!(dropped.evicted_range, Some((at(0), at(7200))));
    assert_eq!(store.statistics().await.unwrap().samples, 0);
    assert!(samples(&mut store, "m").await.is_empty());
    store.close().await.unwrap();
    let mut store = place.open().await;
    for value in 0..3 {
        store.write(&[one("m", value, at(0))], at(0)).await.unwrap();
        store.compact().await.unwrap();
        assert_eq!(samples(&mut store, "m").await, [(at(0), Value::from(value))]);
    }
}

/// A batch that does not compress.
fn noise(run: i64) -> Vec<tidemark_point::Point> {
    let mut state = run.unsigned_abs() + 1;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::from_le_bytes((state ^ state >> 29).to_le_bytes())
    };
    (0..200)
        .map(|n| {
            point(
                &format!("m{}", n % 20),
                &[("n", &n.to_string())],
                &[("v", next().into())],
                at(run * 60),
            )
        })
        .collect()
}

#[tokio::test]
async fn over_its_size_the_oldest_goes_while_writing() {
    const BOUND: u64 = 400_000;
    let place = Place::new();
    let mut store = Store::open(&place.path(), StoreOptions::new(HOUR * 24 * 365, BOUND))
        .await
        .unwrap();
    let (mut evicted, mut written, mut first, mut last) = (0, 0, Timestamp::MAX, Timestamp::MIN);
    for run in 0..500 {
        let outcome = store.write(&noise(run), at(run * 60)).await.unwrap();
        written += outcome.samples;
        evicted += outcome.dropped.evicted;
        if let Some(range) = outcome.dropped.evicted_range {
            (first, last) = (first.min(range.0), last.max(range.1));
        }
        let used = store.statistics().await.unwrap().bytes;
        assert!(used <= BOUND, "{used} bytes after {run} batches");
    }
    let statistics = store.statistics().await.unwrap();
    assert_eq!(statistics.samples + evicted, written);
    assert!(evicted > 0);
    // The oldest went: what is left is newer than what is gone, but for the times of one chunk.
    let (oldest, newest) = statistics.range.unwrap();
    assert_eq!((first, newest), (at(0), at(499 * 60)));
    assert!(
        oldest.since(last)
            > -Duration::from_secs(200 * 60)
                .as_nanos()
                .try_into()
                .unwrap_or(0_i64)
    );
    let log = place.path().with_file_name("store.db-wal");
    assert!(std::fs::metadata(log).unwrap().len() < 8 << 20);
}

#[tokio::test]
async fn a_tag_that_changes_each_run_leaves_few_layouts() {
    let place = Place::new();
    let mut store = place.open().await;
    for run in 0..400_i64 {
        let run_tag = run.to_string();
        let batch = [
            point("job", &[("id", &run_tag)], &[("v", run.into())], at(run * 60)),
            point("job", &[("all", "yes")], &[("v", run.into())], at(run * 60)),
        ];
        store.write(&batch, at(0)).await.unwrap();
    }
    store.compact().await.unwrap();
    store.retain(at(0)).await.unwrap();
    let statistics = store.statistics().await.unwrap();
    assert!(statistics.layouts < 8, "{statistics:?}");
    assert_eq!(statistics.samples, 800);
    let all = Timestamp::MIN..Timestamp::MAX;
    let stable = store
        .range(&Selector::new().tag("all", "yes"), all)
        .await
        .unwrap();
    assert_eq!(stable[0].samples.len(), 400);
}
