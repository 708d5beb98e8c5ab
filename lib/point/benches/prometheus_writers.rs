//! Points written for Prometheus: the body of remote write beside prost, and pages.
//!
//! 10,000 points of two tags and two fields. In a run each point is a series of its own; in what waited, 100 series
//! have 100 points each. prost is given messages that are ready, labels sorted and samples grouped, and encodes them:
//! the part of the work that it can do. Throughput is in points.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use tidemark_point::exposition::{self, Format, Times};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Declarations, Point, Timestamp, remote_write};

const POINTS: i64 = 10_000;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Points of so many series.
fn points(series: i64) -> Vec<Point> {
    let mut state: u64 = 1;
    let mut random = move || {
        // Numbers that differ in length and digits (Knuth's MMIX generator).
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    let point = |index: i64| {
        Point::builder("filesystem")
            .tag("host", format!("node-{:04}.example.com", index % series))
            .tag("path", format!("/srv/data/{:02}", index % series % 37))
            .field("inodes", (random() % 1_000_000_000).cast_signed())
            .field("used", random() as f64 / (1_u64 << 53) as f64)
            .time(Timestamp::from_nanos_clamped(
                1_700_000_000_000_000_000 + index * 1_000_003,
            ))
            .build(&mut Adjustments::default())
            .ok()
    };
    (0..POINTS).filter_map(point).collect()
}

fn declarations() -> Declarations {
    let text = "filesystem\tA file system.\n\tinodes\tgauge\t\tInodes that are free.\n\tused\tgauge\tratio\tHow full it is.\n";
    text.parse().unwrap_or_default()
}

/// The points, and the bytes that are written of them.
fn throughput(bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: POINTS.cast_unsigned(),
        bytes: bytes as u64,
    }
}

fn writers(criterion: &mut Criterion) {
    let declarations = declarations();
    for (name, series) in [("a run", POINTS), ("what waited", 100)] {
        let points = points(series);
        let text = line::write(&points, Dialect::V2);

        let mut body = criterion.benchmark_group(format!("remote write, {name}"));
        let request = remote_write::encode(&points, &declarations);
        body.throughput(throughput(request.body.len()));
        body.bench_function("points", |bencher| {
            bencher.iter(|| remote_write::encode(black_box(&points), &declarations).body.len());
        });
        body.bench_function("lines", |bencher| {
            bencher.iter(|| {
                let lines: Vec<_> = line::read(black_box(&text)).filter_map(Result::ok).collect();
                remote_write::encode(&lines, &declarations).body.len()
            });
        });
        if let Ok(message) = WriteRequest::decode(request.body.as_slice()) {
            body.bench_function("prost, messages ready", |bencher| {
                bencher.iter(|| black_box(&message).encode_to_vec().len());
            });
        }
        body.finish();

        let mut pages = criterion.benchmark_group(format!("page, {name}"));
        for (title, format) in [
            ("openmetrics", Format::OpenMetrics),
            ("prometheus", Format::Prometheus),
        ] {
            let page = exposition::write(&points, &declarations, format, Times::Keep);
            pages.throughput(throughput(page.text.len()));
            pages.bench_function(title, |bencher| {
                bencher.iter(|| {
                    exposition::write(black_box(&points), &declarations, format, Times::Keep)
                        .text
                        .len()
                });
            });
        }
        pages.finish();
    }
}

criterion_group!(benches, writers);
criterion_main!(benches);
