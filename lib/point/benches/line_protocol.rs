//! Line protocol, written and read, beside influxdb2's `DataPoint`: `cargo bench -p tidemark-point`.
//!
//! 10,000 points of about 100 bytes: two tags, a float, an integer, a time in nanoseconds. Throughput is in points.

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use influxdb2::models::{DataPoint, WriteDataPoint};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Point, Timestamp};

const POINTS: usize = 10_000;

struct Sample {
    host: String,
    path: String,
    used: f64,
    inodes: i64,
    time: i64,
}

fn samples() -> Vec<Sample> {
    let mut state: u64 = 1;
    let mut random = move || {
        // Numbers that differ in length and digits (Knuth's MMIX generator).
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    let sample = |index| Sample {
        host: format!("node-{:03}.example.com", index % 100),
        path: format!("/srv/data/{:02}", index % 37),
        used: random() as f64 / (1_u64 << 53) as f64,
        inodes: (random() % 1_000_000_000).cast_signed(),
        time: 1_700_000_000_000_000_000 + index * 1_000_003,
    };
    (0..POINTS as i64).map(sample).collect()
}

fn ours(sample: &Sample, adjustments: &mut Adjustments) -> Option<Point> {
    Point::builder("filesystem")
        .tag("host", &sample.host)
        .tag("path", &sample.path)
        .field("inodes", sample.inodes)
        .field("used", sample.used)
        .time(Timestamp::from_nanos_clamped(sample.time))
        .build(adjustments)
        .ok()
}

fn theirs(sample: &Sample) -> Option<DataPoint> {
    DataPoint::builder("filesystem")
        .tag("host", &sample.host)
        .tag("path", &sample.path)
        .field("inodes", sample.inodes)
        .field("used", sample.used)
        .timestamp(sample.time)
        .build()
        .ok()
}

fn write_theirs(out: &mut Vec<u8>, points: &[DataPoint]) {
    for point in points {
        if let Err(error) = point.write_data_point_to(&mut *out) {
            unreachable!("a Vec takes everything: {error}");
        }
    }
}

fn write_ours(out: &mut Vec<u8>, points: &[Point]) {
    for point in points {
        line::write_point(out, point, Dialect::V1);
    }
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(POINTS as u64));
    group
}

fn writers(criterion: &mut Criterion) {
    let samples = samples();
    let mut adjustments = Adjustments::default();
    let points: Vec<Point> = samples
        .iter()
        .filter_map(|sample| ours(sample, &mut adjustments))
        .collect();
    let data_points: Vec<DataPoint> = samples.iter().filter_map(theirs).collect();
    let mut out = Vec::with_capacity(POINTS * 128);

    let mut write = group(criterion, "write");
    write.bench_function("tidemark", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_ours(&mut out, black_box(&points));
            out.len()
        });
    });
    write.bench_function("influxdb2", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_theirs(&mut out, black_box(&data_points));
            out.len()
        });
    });
    write.finish();

    let mut both = group(criterion, "build and write");
    both.bench_function("tidemark", |bencher| {
        bencher.iter(|| {
            out.clear();
            let points = black_box(&samples)
                .iter()
                .filter_map(|sample| ours(sample, &mut adjustments));
            for point in points {
                line::write_point(&mut out, &point, Dialect::V1);
            }
            out.len()
        });
    });
    both.bench_function("influxdb2", |bencher| {
        bencher.iter(|| {
            out.clear();
            for point in black_box(&samples).iter().filter_map(theirs) {
                write_theirs(&mut out, &[point]);
            }
            out.len()
        });
    });
    both.finish();
}

fn readers(criterion: &mut Criterion) {
    let mut adjustments = Adjustments::default();
    let points: Vec<Point> = samples()
        .iter()
        .filter_map(|sample| ours(sample, &mut adjustments))
        .collect();
    let text = line::write(&points, Dialect::V1);

    let mut read = group(criterion, "read");
    read.bench_function("borrowed", |bencher| {
        bencher.iter(|| line::read(black_box(&text)).filter(Result::is_ok).count());
    });
    read.bench_function("points", |bencher| {
        bencher.iter(|| line::parse(black_box(&text)).filter(Result::is_ok).count());
    });
    read.finish();
}

criterion_group!(benches, writers, readers);
criterion_main!(benches);
