//! Pages of the text formats, read, beside the crate prometheus-parse: `cargo bench -p tidemark-point --bench
//! prometheus_readers`.
//!
//! 1,000 families of 200 samples of four labels, half with a time. Throughput is in bytes.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidemark_point::exposition::{Entry, Format, Reader};

const FAMILIES: usize = 1_000;
const SAMPLES: usize = 200;

/// A page of gauges, as a large exporter has it.
fn page(format: Format) -> String {
    let mut page = String::new();
    let mut state: u64 = 1;
    for family in 0..FAMILIES {
        let _ = writeln!(
            page,
            "# HELP service_queue_{family}_depth Requests that wait in queue {family}."
        );
        let _ = writeln!(page, "# TYPE service_queue_{family}_depth gauge");
        for sample in 0..SAMPLES {
            // Numbers that differ in length and digits (Knuth's MMIX generator).
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 11) as f64 / (1_u64 << 40) as f64;
            let time = match (sample % 2, format) {
                (0, _) => "",
                (_, Format::OpenMetrics) => " 1700000000.123",
                (_, Format::Prometheus) => " 1700000000123",
            };
            let _ = writeln!(
                page,
                "service_queue_{family}_depth{{code=\"{}\",instance=\"node-{:03}.example.com:9100\",job=\"queue\",\
                 method=\"get\"}} {value}{time}",
                200 + sample % 5,
                sample,
            );
        }
    }
    if format == Format::OpenMetrics {
        page.push_str("# EOF\n");
    }
    page
}

/// Reads all, and looks at all of it.
fn ours(reader: Reader<'_>) -> (usize, f64) {
    let mut samples = 0;
    let mut sum = 0.0;
    for entry in reader {
        if let Ok(Entry::Sample(sample)) = entry {
            samples += 1;
            sum += sample.value;
        }
    }
    (samples, sum)
}

/// As [`ours`], with each label's name and value.
fn labels(reader: Reader<'_>) -> usize {
    let samples = reader.filter_map(|entry| match entry {
        Ok(Entry::Sample(sample)) => Some(sample),
        _ => None,
    });
    samples
        .flat_map(|sample| sample.labels())
        .map(|(name, value)| name.len() + value.len())
        .sum()
}

fn theirs(page: &str) -> usize {
    let lines = page.lines().map(|line| Ok(line.to_owned()));
    prometheus_parse::Scrape::parse(lines).map_or(0, |scrape| scrape.samples.len())
}

fn bench(criterion: &mut Criterion) {
    for (name, format) in [
        ("0.0.4", Format::Prometheus),
        ("openmetrics", Format::OpenMetrics),
    ] {
        let page = page(format);
        assert_eq!(ours(Reader::new(page.as_bytes(), format)).0, FAMILIES * SAMPLES);
        assert_eq!(theirs(&page), FAMILIES * SAMPLES);
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.throughput(Throughput::Bytes(page.len() as u64));
        let reader = || Reader::new(black_box(page.as_bytes()), format);
        group.bench_function("tidemark, strict", |bencher| bencher.iter(|| ours(reader())));
        group.bench_function("tidemark, lenient", |bencher| {
            bencher.iter(|| ours(reader().lenient()))
        });
        group.bench_function("tidemark, lenient, with labels", |bencher| {
            bencher.iter(|| labels(reader().lenient()));
        });
        group.bench_function("prometheus-parse", |bencher| {
            bencher.iter(|| theirs(black_box(&page)))
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
