//! An answer of `statistics/current` with all stock keys, to points, beside what serde_json takes to make a tree of it
//! (and no points yet): `cargo bench -p tidemark-papi --profile dist`.
//!
//! Of 16 nodes, an answer has 0.2 MB, of 252 nodes 2.2 MB. Floats have as many digits as those of a real cluster, which
//! come of 32 bits.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tidemark_collect::Timestamp;
use tidemark_papi::decode::{Decoded, Naming, drive, statistics};
use tidemark_testkit::onefs::{Key, stock_keys, value};

const TIME: i64 = 1_700_000_000;

/// The answer of a cluster of so many nodes.
fn answer(nodes: i64) -> Vec<u8> {
    let mut stats = Vec::new();
    for name in stock_keys() {
        let key = Key::named(&name);
        let devids = if key.of_nodes { 1..=nodes } else { 0..=0 };
        for devid in devids {
            let mut item = json!({
                "devid": devid,
                "error": null,
                "error_code": null,
                "key": name,
                "time": TIME,
                "value": with_digits(value(&key, devid, TIME)),
            });
            if devid != 0 {
                item["node"] = json!(devid);
            }
            stats.push(item);
        }
    }
    json!({ "stats": stats }).to_string().into_bytes()
}

/// A value whose floats have more digits.
fn with_digits(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default() * 1.000_123_456_7;
            #[expect(clippy::cast_possible_truncation, reason = "what is lost is the point")]
            let short = float as f32;
            json!(f64::from(short))
        }
        Value::Array(elements) => elements.into_iter().map(with_digits).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, with_digits(value)))
            .collect(),
        value => value,
    }
}

fn decode(criterion: &mut Criterion) {
    let naming = Naming {
        cluster: "cl17",
        include_degraded: false,
        now: Timestamp::EPOCH,
    };
    for nodes in [16, 252] {
        let body = answer(nodes);
        let mut group = criterion.benchmark_group(format!("{nodes} nodes"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.measurement_time(Duration::from_secs(3));
        group.bench_function("to points", |bencher| {
            bencher.iter(|| {
                let mut out = Decoded::new();
                assert!(statistics(black_box(&body), &naming, &mut out).is_ok());
                out
            });
        });
        // Another form than is asked for is read to its end, and nothing is made of it.
        group.bench_function("to nothing", |bencher| {
            bencher.iter(|| drive(black_box(&body), &naming, &mut Decoded::new()).is_err());
        });
        group.bench_function("serde_json::Value", |bencher| {
            bencher.iter(|| serde_json::from_slice::<Value>(black_box(&body)));
        });
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
