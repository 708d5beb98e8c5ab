//! What it costs to publish and to show the samples of 400 clusters of 16 nodes: `cargo bench -p tidemark-expose`.

#![allow(clippy::print_stdout, reason = "a figure is for who asked for it")]

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::write::GzEncoder;
use tidemark_collect::{ManualClock, Timestamp};
use tidemark_expose::{Family, Registry, Source};
use tidemark_point::exposition::Format;

const CLUSTERS: usize = 400;
const NODES: u32 = 16;
/// Keys with one value a node, and keys with five values an operation.
const KEYS: usize = 40;
const OPERATIONS: [&str; 8] = [
    "read", "write", "create", "remove", "lookup", "getattr", "setattr", "rename",
];

struct Families {
    plain: Vec<Family>,
    detailed: Vec<Family>,
}

impl Families {
    fn new() -> Self {
        let family = |key: &str, number: usize| {
            Family::new(
                &format!("isilon_stat_{key}_{number}"),
                "What a key of a cluster means.",
            )
        };
        Self {
            plain: (0..KEYS)
                .map(|number| family("node_disk_xfers_in_rate", number))
                .collect(),
            detailed: (0..5)
                .map(|number| family("node_protostats_nfs_time", number))
                .collect(),
        }
    }
}

/// Publishes what one visit gives; the count of samples.
fn publish(source: &Source, families: &Families, value: f64) -> usize {
    let interval = Duration::from_secs(30);
    let nodes: Vec<String> = (1..=NODES).map(|node| node.to_string()).collect();
    let mut count = 0;
    for family in &families.plain {
        let mut samples = source.samples();
        for (number, node) in (0..NODES).zip(&nodes) {
            samples.row([("devid", node.as_str()), ("node", node)], Timestamp::EPOCH);
            samples.value(family, value + f64::from(number) * 1.37);
        }
        count += samples.len();
        source.publish(family.name(), samples, interval);
    }
    let mut samples = source.samples();
    for node in nodes.iter().take(6) {
        for operation in OPERATIONS {
            let labels = [
                ("class_name", "namespace_read"),
                ("devid", node),
                ("node", node),
                ("op_name", operation),
            ];
            samples.row(labels, Timestamp::EPOCH);
            for (number, family) in (0_u32..).zip(&families.detailed) {
                samples.value(family, value + f64::from(number));
            }
        }
    }
    count += samples.len();
    source.publish("node.protostats.nfs", samples, interval);
    count
}

fn page(criterion: &mut Criterion) {
    let registry = Registry::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
    let families = Families::new();
    let sources: Vec<Source> = (0..CLUSTERS)
        .map(|number| {
            let name = format!("cluster-{number}.example");
            registry.source(&name, &[("cluster", &name)])
        })
        .collect();
    let before = resident();
    let samples: usize = sources.iter().map(|source| publish(source, &families, 0.5)).sum();
    let text = registry.snapshot(None).page(Format::OpenMetrics).text();
    println!(
        "{samples} samples of {CLUSTERS} clusters: {} KiB held, a page of {} KiB",
        (resident() - before).saturating_sub(text.len() as u64) >> 10,
        text.len() >> 10,
    );

    let mut group = criterion.benchmark_group("expose");
    group.sample_size(20);
    let each = samples / CLUSTERS;
    group.throughput(Throughput::Elements(each as u64));
    group.bench_function("publish", |bencher| {
        bencher.iter(|| publish(black_box(&sources[0]), &families, 0.5));
    });
    let piecewise = |format: Format, gzip: bool| {
        let mut page = registry.snapshot(None).page(format);
        let mut piece = Vec::new();
        let mut zipped = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let mut length = 0;
        loop {
            let more = page.write(&mut piece);
            length += piece.len();
            if let Some(zipped) = &mut zipped {
                let _ = zipped.write_all(&piece);
                zipped.get_mut().clear();
            }
            piece.clear();
            if !more {
                return length;
            }
        }
    };
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("openmetrics", |bencher| {
        bencher.iter(|| piecewise(Format::OpenMetrics, false));
    });
    group.bench_function("openmetrics gzip", |bencher| {
        bencher.iter(|| piecewise(Format::OpenMetrics, true));
    });
    group.bench_function("0.0.4", |bencher| {
        bencher.iter(|| piecewise(Format::Prometheus, false));
    });
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function("snapshot", |bencher| bencher.iter(|| registry.snapshot(None)));
    group.finish();
}

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

criterion_group!(benches, page);
criterion_main!(benches);
