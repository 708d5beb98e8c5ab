//! CPU and bytes of the store: batches of 5,000 series by a writer that stays and by one that opens and closes, bytes
//! a sample for three kinds of data, times of reads.
//!
//! Criterion measures wall time; the figures that are printed first are CPU time of the whole process, the connection's
//! thread included, and bytes on the disk. `cargo bench -p tidemark-store -- figures` prints these alone.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails loudly")]
#![allow(clippy::print_stdout, reason = "what a benchmark is for")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tidemark_point::{Adjustments, Point, Timestamp, Value, line};
use tidemark_store::{Selector, Store, StoreOptions};
use tokio::runtime::Runtime;

/// 2026-11-21T00:00:00Z.
const START: i64 = 1_795_219_200;
const SERIES: u64 = 5_000;
const DAY: i64 = 1_440;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Constant,
    Counter,
    Noise,
    Mixed,
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_secs(START + minute * 60).unwrap()
}

fn mix(seed: u64) -> u64 {
    let x = (seed ^ seed >> 31).wrapping_mul(0x7fb5_d329_728e_a185);
    let x = (x ^ x >> 27).wrapping_mul(0x81da_def4_bc2d_d44d);
    x ^ x >> 33
}

fn value(kind: Kind, series: u64, minute: i64) -> Value {
    let minute = minute.unsigned_abs();
    match kind {
        Kind::Constant => Value::Float(mix(series) as f64 / 1e3),
        Kind::Counter => Value::Uint(
            mix(series) % 1_000_000_000 + minute * (mix(series) % 5000) + mix(minute ^ series) % 500,
        ),
        Kind::Noise => Value::Float(mix(minute << 32 | series) as f64 / u64::MAX as f64),
        Kind::Mixed => value(
            [Kind::Constant, Kind::Counter, Kind::Noise][(series % 3) as usize],
            series,
            minute.cast_signed(),
        ),
    }
}

/// 50 measurements, 2 tags, 5 fields a point.
fn batch(kind: Kind, series: u64, minute: i64) -> Vec<Point> {
    let points = (0..series.div_ceil(5)).map(|n| {
        let mut builder = Point::builder(format!("measurement_{:02}", n % 50))
            .tag("host", "storage-node-17.example.net")
            .tag("device", format!("device-{:03}", n / 50));
        for field in 0..5.min(series - n * 5) {
            builder = builder.field(format!("field_{field}"), value(kind, n * 5 + field, minute));
        }
        builder
            .time(at(minute))
            .build(&mut Adjustments::default())
            .unwrap()
    });
    points.collect()
}

fn cpu_micros(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn cpu() -> f64 {
    cpu_micros(ClockId::ProcessCPUTime)
}

async fn open(folder: &Path) -> Store {
    Store::open(&folder.join("store.db"), StoreOptions::default())
        .await
        .unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A day of minutes by one writer, compactions included.
fn long_lived(runtime: &Runtime, kind: Kind) -> TempDir {
    let folder = TempDir::new().unwrap();
    runtime.block_on(async {
        let mut store = open(folder.path()).await;
        let mut each = Vec::new();
        for minute in 0..DAY {
            let text = line::write(&batch(kind, SERIES, minute), line::Dialect::V2);
            let start = cpu();
            store.write_line_protocol(&text, at(minute)).await.unwrap();
            each.push(cpu() - start);
        }
        let mean = each.iter().sum::<f64>() / each.len() as f64;
        let most = each.iter().copied().fold(0.0, f64::max);
        let statistics = store.statistics().await.unwrap();
        println!(
            "{kind:?}: batch of {SERIES} from text: CPU median {:.0} us, mean with compaction {mean:.0} us, most {most:.0} us; \
             {:.2} B/sample ({} rows, {} chunks, {} layouts)",
            median(each),
            statistics.bytes as f64 / statistics.samples as f64,
            statistics.rows,
            statistics.chunks,
            statistics.layouts,
        );
        let start = cpu();
        store.compact().await.unwrap();
        let spent = cpu() - start;
        let statistics = store.statistics().await.unwrap();
        println!(
            "{kind:?}: all compacted: {:.2} B/sample, the last compaction {spent:.0} us",
            statistics.bytes as f64 / statistics.samples as f64
        );
        store.close().await.unwrap();
    });
    folder
}

/// Opens, writes one batch, closes; a new runtime each time, as a one-shot program has.
fn one_shot(series: u64) {
    let folder = TempDir::new().unwrap();
    let mut each = Vec::new();
    for minute in 0..200 {
        let text = line::write(&batch(Kind::Mixed, series, minute), line::Dialect::V2);
        let start = cpu();
        let runtime = runtime();
        runtime.block_on(async {
            let mut store = open(folder.path()).await;
            store.write_line_protocol(&text, at(minute)).await.unwrap();
            store.close().await.unwrap();
        });
        drop(runtime);
        each.push(cpu() - start);
    }
    println!(
        "one-shot: open, a batch of {series}, close: CPU median {:.0} us",
        median(each)
    );
}

/// CPU of one read, the median of 20.
fn read_cpu<T>(runtime: &Runtime, what: &str, mut read: impl AsyncFnMut() -> T) {
    let each = (0..20).map(|_| {
        let start = cpu();
        black_box(runtime.block_on(read()));
        cpu() - start
    });
    println!("read {what}: CPU median {:.0} us", median(each.collect()));
}

fn benches(criterion: &mut Criterion) {
    let runtime = runtime();
    for kind in [Kind::Constant, Kind::Counter, Kind::Noise] {
        drop(long_lived(&runtime, kind));
    }
    for series in [10, 50, SERIES] {
        one_shot(series);
    }
    let folder = long_lived(&runtime, Kind::Mixed);
    let mut store = runtime.block_on(open(folder.path()));
    let points = batch(Kind::Mixed, SERIES, DAY);
    let text = line::write(&points, line::Dialect::V2);
    let all = Selector::new();
    let one = Selector::new()
        .measurement("measurement_07")
        .tag("device", "device-011")
        .field("field_3");
    read_cpu(&runtime, "one series over a day", async || {
        store.range(&one, at(0)..at(DAY)).await.unwrap()
    });
    read_cpu(&runtime, "all of an hour", async || {
        store.range(&all, at(600)..at(660)).await.unwrap()
    });
    read_cpu(&runtime, "last of all", async || store.last(&all).await.unwrap());
    read_cpu(&runtime, "last of one", async || store.last(&one).await.unwrap());
    read_cpu(&runtime, "names of all", async || {
        store.series(&all).await.unwrap()
    });
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.bench_function("write_5000_points_again", |bencher| {
        bencher.iter(|| runtime.block_on(store.write(&points, at(DAY))).unwrap());
    });
    group.bench_function("write_5000_text_again", |bencher| {
        bencher.iter(|| {
            runtime
                .block_on(store.write_line_protocol(&text, at(DAY)))
                .unwrap()
        });
    });
    group.bench_function("read_one_series_a_day", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(store.range(&one, at(0)..at(DAY))).unwrap()));
    });
    group.bench_function("read_one_measurement_an_hour", |bencher| {
        let selector = Selector::new().measurement("measurement_07");
        bencher.iter(|| {
            black_box(
                runtime
                    .block_on(store.range(&selector, at(DAY - 60)..at(DAY)))
                    .unwrap(),
            )
        });
    });
    group.bench_function("read_last_of_all", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(store.last(&Selector::new())).unwrap()));
    });
    group.bench_function("read_all_of_an_hour", |bencher| {
        bencher.iter(|| {
            black_box(
                runtime
                    .block_on(store.range(&Selector::new(), at(600)..at(660)))
                    .unwrap(),
            );
        });
    });
    group.bench_function("scan_all_of_two_hours", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut scan = store.scan(&Selector::new(), at(600)..at(720)).await.unwrap();
                while let Some(series) = scan.next().await.unwrap() {
                    black_box(series);
                }
            });
        });
    });
    group.finish();
}

criterion_group!(store, benches);
criterion_main!(store);
