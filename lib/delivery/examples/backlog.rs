//! What the outbox costs: `backlog [BATCHES] [influxdb|store|discard]`, in the release profile.
//!
//! Writes batches of 5,000 points, drains them (to a server of its own process that answers 204, for `influxdb`), and
//! says what each took in CPU a point and at its peak in memory; then what one small run costs.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints, and fails loudly"
)]

#[path = "measured/cost.rs"]
mod cost;

use std::time::Duration;

use cost::{Phase, Server, cpu, open, peak, serve, settings};
use tidemark_delivery::{Budget, Run};
use tidemark_point::{Adjustments, Point, Timestamp};

const BATCH: i64 = 5_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(),
        batches => {
            let batches = batches.map_or(200, |batches| batches.parse().unwrap());
            let sink = arguments.get(1).map_or("influxdb", String::as_str);
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(measure(batches, sink));
        }
    }
}

async fn measure(batches: i64, sink: &str) {
    let server = Server::start();
    let folder = tempfile::tempdir_in(".").unwrap();
    let settings = settings(sink, &server.url);
    let mut delivery = open(folder.path(), &settings).await;
    let all = batches * BATCH;
    let (mut made, mut points) = (0.0, Vec::new());
    let phase = Phase::begin();
    for batch in 0..batches {
        let making = cpu();
        points = (0..BATCH).map(|number| point(batch, number)).collect();
        made += cpu() - making;
        let run = Run::new(
            "bench",
            Timestamp::from_secs(batch).unwrap(),
            Duration::from_secs(60),
        );
        delivery.submit(&run, &points).await.unwrap();
    }
    drop(points);
    say(&phase, "commit", all, made);
    let size = std::fs::metadata(folder.path().join("outbox.db")).unwrap().len();
    println!(
        "stored: {:.1} bytes a point; peak {} KiB",
        size as f64 / all as f64,
        peak()
    );
    let phase = Phase::begin();
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    say(&phase, "drain", all, 0.0);
    println!("peak {} KiB", peak());
    delivery.close().await;

    let runs: u32 = 200;
    let phase = Phase::begin();
    for number in 0..runs {
        let mut delivery = open(folder.path(), &settings).await;
        let run = Run::new(
            "bench",
            Timestamp::from_secs(i64::from(number)).unwrap(),
            Duration::from_secs(60),
        );
        let points: Vec<Point> = (0..9)
            .map(|point_number| point(i64::from(number), point_number))
            .collect();
        delivery.submit(&run, &points).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        delivery.close().await;
    }
    println!(
        "one run: {:.2} ms of CPU, {:.2} ms",
        phase.cpu() * 1e3 / f64::from(runs),
        phase.wall() * 1e3 / f64::from(runs)
    );
}

/// About 96 bytes of line protocol.
fn point(batch: i64, number: i64) -> Point {
    Point::builder("scraped_metric")
        .tag("host", "host-0042")
        .tag("series", format!("series-{number:06}"))
        .field("value", number as f64 * 0.37)
        .field("count", batch * 1_000 + number)
        .time(Timestamp::from_secs(1_700_000_000 + batch).unwrap())
        .build(&mut Adjustments::default())
        .unwrap()
}

fn say(phase: &Phase, what: &str, points: i64, without: f64) {
    let each = 1e6 / points as f64;
    println!(
        "{what}: {:.3} us of CPU a point, {:.3} us",
        (phase.cpu() - without) * each,
        (phase.wall() - without) * each
    );
}
