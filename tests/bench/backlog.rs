//! A backlog: how dear it is to keep, and to bring to a database that is back.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::ManualClock;
use tidemark_delivery::{Delivery, OpenOptions, Sinks};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Point, Timestamp};
use tidemark_settings::{LoadFrom, Places, ProcessEnvironment, Settings};
use tidemark_testkit::{Ended, Home, Influxd, InfluxdOptions, Run};

use crate::measure::{median, mib, own_cpu};

/// Points in a batch.
const BATCH: usize = 5_000;
/// Rounds of the race against curl.
const ROUNDS: usize = 5;

pub(crate) fn run() {
    println!("\n### A backlog: 5,000 points a batch, about 96 bytes a line");
    println!("| what | points | CPU us a point | wall s | peak MiB |\n|---|---|---|---|---|");
    for batches in [200, 2_000] {
        alone(batches);
    }
    beside_curl();
}

/// Written, then drained into a server that takes everything and keeps nothing.
fn alone(batches: usize) {
    let home = Home::new();
    settings(&home, &crate::swallow::start());
    let cpu = own_cpu(|| fill(&home, batches));
    let making = own_cpu(|| (0..batches).for_each(|batch| drop(std::hint::black_box(points(batch)))));
    row(
        "write (points made before)",
        batches,
        cpu.saturating_sub(making),
        Duration::ZERO,
        0,
    );
    let ended = flush(&home);
    row(
        "drain, `tidemark outbox flush`",
        batches,
        ended.cpu,
        ended.wall,
        ended.peak_memory,
    );
}

/// Drained into a real InfluxDB, beside curl with the same bodies ready.
fn beside_curl() {
    let batches = 200;
    let (mut ours, mut curls) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let home = Home::new();
        let influxd = Influxd::start(InfluxdOptions::default());
        settings(&home, &influxd.url());
        fill(&home, batches);
        ours.push(flush(&home));
        assert_eq!(influxd.count("backlog", "value"), count(batches));

        let influxd = Influxd::start(InfluxdOptions::default());
        curls.push(curl(&home, &influxd, batches));
        assert_eq!(influxd.count("backlog", "value"), count(batches));
    }
    for (name, ended) in [("tidemark into influxd", &ours), ("curl into influxd", &curls)] {
        row(
            name,
            batches,
            median(ended.iter().map(|run| run.cpu).collect()),
            median(ended.iter().map(|run| run.wall).collect()),
            ended.iter().map(|run| run.peak_memory).max().unwrap_or(0),
        );
    }
    let rounds = ours.iter().zip(&curls);
    let ratios = rounds.map(|(ours, curl)| ours.wall.as_secs_f64() / curl.wall.as_secs_f64());
    let text = ratios.fold(String::new(), |mut text, ratio| {
        let _ = write!(text, " {ratio:.2}");
        text
    });
    println!("\nwall of tidemark / wall of curl, a round each:{text}");
}

fn settings(home: &Home, url: &str) {
    home.settings(&format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{url}\"\ndatabase = \"metrics\"\n"
    ));
}

fn flush(home: &Home) -> Ended {
    let run = home.run("tidemark").args(["outbox", "flush"]);
    run.bound(Duration::from_secs(300)).run().expect_code(0)
}

/// One curl for all bodies, over one connection.
fn curl(home: &Home, influxd: &Influxd, batches: usize) -> Ended {
    let url = format!("{}/write?db=metrics&precision=ns", influxd.url());
    let mut config = String::new();
    for batch in 0..batches {
        let body = home.file(&format!("body-{batch}"), line::write(&points(batch), Dialect::V1));
        let _ = writeln!(config, "{}", if batch == 0 { "" } else { "next" });
        let _ = writeln!(
            config,
            "silent\nfail\nurl = \"{url}\"\ndata-binary = \"@{}\"",
            body.display()
        );
    }
    let config = home.file("curl", config);
    Run::new("curl")
        .arg("-K")
        .arg(config)
        .bound(Duration::from_secs(300))
        .run()
        .expect_code(0)
}

/// Commits that many batches, each as a run.
fn fill(home: &Home, batches: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let environment = ProcessEnvironment;
        let places = Places::new(&environment, false, Some(home.config()));
        let from = LoadFrom {
            places: &places,
            environment: &environment,
            hostname: "bench".to_owned(),
            known_collectors: None,
        };
        let loaded = Settings::load(&from).unwrap();
        let clock = Arc::new(ManualClock::new(time(0, 0)));
        let sinks = Sinks::named(&loaded.settings);
        let mut delivery = Delivery::open(OpenOptions::new(&home.state(), "bench", sinks, clock)).await;
        for batch in 0..batches {
            let run = tidemark_delivery::Run::new("bench", time(batch, 0), Duration::from_secs(60));
            delivery.submit(&run, &points(batch)).await.unwrap();
        }
        delivery.close().await;
    });
}

fn points(batch: usize) -> Vec<Point> {
    (0..BATCH).map(|number| point(batch, number)).collect()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]
fn point(batch: usize, number: usize) -> Point {
    Point::builder("backlog")
        .tag("host", format!("node-{:03}.example.net", number % 500))
        .tag("queue", format!("q{}", number / 500))
        .field("value", (batch * 7 + number) as f64 * 0.37)
        .field("count", (batch * number) as i64)
        .time(time(batch, number))
        .build(&mut Adjustments::default())
        .unwrap()
}

#[expect(clippy::cast_possible_wrap, reason = "small numbers")]
fn time(batch: usize, number: usize) -> Timestamp {
    Timestamp::from_nanos(1_790_000_000_000_000_000 + batch as i64 * 60_000_000_000 + number as i64).unwrap()
}

fn count(batches: usize) -> u64 {
    u64::try_from(batches * BATCH).unwrap()
}

fn row(what: &str, batches: usize, cpu: Duration, wall: Duration, peak: u64) {
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let per_point = cpu.as_secs_f64() * 1e6 / (batches * BATCH) as f64;
    println!(
        "| {what} | {} | {per_point:.3} | {:.2} | {:.1} |",
        batches * BATCH,
        wall.as_secs_f64(),
        mib(peak)
    );
}
