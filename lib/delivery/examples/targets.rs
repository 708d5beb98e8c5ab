//! What a run of a target costs where there are many: `targets [ROUNDS] [GROUP] [paced]`, in the release profile.
//!
//! A batch is 800 values of a storage cluster of 16 nodes, a point each. GROUP of them are committed together and delivered
//! to a server of its own process; `paced` does so 20 batches a second, as a site with 100 clusters does. Each step is said
//! in microseconds of CPU a value.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints, and fails loudly"
)]

#[path = "measured/cost.rs"]
mod cost;

use std::time::{Duration, Instant};

use cost::{Phase, Server, cpu, open, peak, serve, settings};
use tidemark_delivery::{Budget, Run};
use tidemark_point::{Adjustments, Point, Timestamp, merge_duplicates};

const NODES: u32 = 16;
const KEYS: u32 = 50;
const TARGETS: u32 = 400;
/// Batches a second, where they are paced.
const RATE: u32 = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual| arguments.get(place).map_or(usual, |text| text.parse().unwrap());
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve();
    }
    let (rounds, group) = (number(0, 200), number(1, 6));
    let paced = arguments.get(2).is_some_and(|word| word == "paced");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure(rounds, group, paced));
}

async fn measure(rounds: u32, group: u32, paced: bool) {
    let server = Server::start();
    let folder = tempfile::tempdir_in(".").unwrap();
    let settings = settings("influxdb", &server.url);
    let mut delivery = open(folder.path(), &settings).await;
    let keys: Vec<String> = (0..KEYS)
        .map(|key| format!("node.disk.bytes.in.rate.{key:02}"))
        .collect();
    let nodes: Vec<String> = (1..=NODES).map(|node| node.to_string()).collect();
    let mut numbers = Numbers(1);
    let (mut made, mut merged, mut kept, mut sent) = (0.0, 0.0, 0.0, 0.0);
    let whole = Phase::begin();
    for round in 0..rounds {
        let begun = Instant::now();
        let time = Timestamp::from_secs(1_700_000_000 + i64::from(round)).unwrap();
        let mut runs = Vec::new();
        for target in 0..group {
            let cluster = format!("c{:03}", (round * group + target) % TARGETS);
            let before = cpu();
            let mut adjustments = Adjustments::default();
            let mut points = Vec::with_capacity((NODES * KEYS) as usize);
            for key in &keys {
                for node in &nodes {
                    points.push(point(key, &cluster, node, numbers.next(), time, &mut adjustments));
                }
            }
            let between = cpu();
            merge_duplicates(&mut points, &mut adjustments);
            made += between - before;
            merged += cpu() - between;
            let run = Run {
                target: Some(cluster),
                ..Run::new("onefs", time, Duration::from_secs(30))
            };
            runs.push((run, points));
        }
        let phase = Phase::begin();
        delivery.submit_all(&runs).await.unwrap();
        kept += phase.cpu();
        drop(runs);
        let phase = Phase::begin();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        sent += phase.cpu();
        if paced {
            let period = Duration::from_secs(1) * group / RATE;
            tokio::time::sleep(period.saturating_sub(begun.elapsed())).await;
        }
    }
    let values = f64::from(rounds * group * NODES * KEYS);
    let each = |seconds: f64| seconds * 1e6 / values;
    println!(
        "{values} values, {group} targets a commit: made {:.3}, merged {:.3}, kept {:.3}, sent {:.3}, all {:.3} us of CPU a \
         value; {:.1} s, peak {} KiB",
        each(made),
        each(merged),
        each(kept),
        each(sent),
        each(whole.cpu()),
        whole.wall(),
        peak()
    );
    delivery.close().await;
}

fn point(
    key: &str,
    cluster: &str,
    node: &str,
    value: f64,
    time: Timestamp,
    adjustments: &mut Adjustments,
) -> Point {
    Point::builder(key)
        .tag("cluster", cluster)
        .tag("devid", node)
        .tag("node", node)
        .field("value", value)
        .time(time)
        .build(adjustments)
        .unwrap()
}

/// Values of about seven digits, without a pattern.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % 10_000_000) as f64 / 16.0
    }
}
