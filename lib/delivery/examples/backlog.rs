//! What the outbox costs: `backlog [BATCHES] [influxdb|store|discard]`, in the release profile.
//!
//! Writes batches of 5,000 points, drains them (to a server of its own process that answers 204, for `influxdb`), and
//! says what each took in CPU a point and at its peak in memory; then what one small run costs.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints, and fails loudly"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidemark_collect::SystemClock;
use tidemark_delivery::{Budget, Delivery, OpenOptions, Run, Sinks};
use tidemark_point::{Adjustments, Point, Timestamp};
use tidemark_settings::{
    Environment, HostSettings, InfluxdbSettings, KeepFree, OutboxSettings, Places, Settings, SinkKind,
    SinkSettings, Size, Span, StoreSettings,
};

const BATCH: i64 = 5_000;
/// Ticks of /proc a second.
const HERTZ: f64 = 100.0;

struct NoEnvironment;

impl Environment for NoEnvironment {
    fn get(&self, _: &str) -> Option<std::ffi::OsString> {
        None
    }
}

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
    let mut server = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let kind = match sink {
        "influxdb" => SinkKind::Influxdb(InfluxdbSettings {
            url: url.trim().parse().unwrap(),
            database: "metrics".into(),
            username: None,
            password: None,
            retention_policy: None,
            ca_file: None,
            insecure_skip_verify: false,
        }),
        "store" => SinkKind::Store,
        _ => SinkKind::Discard,
    };
    let folder = tempfile::tempdir_in(".").unwrap();
    let settings = Settings {
        host: HostSettings {
            name: "h".into(),
            tags: Default::default(),
            dry_run: false,
            standby: false,
        },
        sinks: vec![SinkSettings {
            name: sink.into(),
            only: Vec::new(),
            except: Vec::new(),
            kind,
        }],
        outbox: OutboxSettings {
            max_bytes: Size::mib(16 * 1024),
            keep_free: KeepFree::Usual,
            max_age: None,
        },
        store: StoreSettings {
            keep: Span::days(15),
            max_bytes: Size::mib(16 * 1024),
        },
    };
    let open = || {
        let places = Places::new(&NoEnvironment, false, None);
        let sinks = Sinks::resolve(&settings, &NoEnvironment, &places).unwrap();
        Delivery::open(OpenOptions::from_settings(
            folder.path(),
            &settings,
            sinks,
            Arc::new(SystemClock),
        ))
    };
    let mut delivery = open().await;
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
    phase.end("commit", all, made);
    let size = std::fs::metadata(folder.path().join("outbox.db")).unwrap().len();
    println!(
        "stored: {:.1} bytes a point; peak {} KiB",
        size as f64 / all as f64,
        peak()
    );
    let phase = Phase::begin();
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    phase.end("drain", all, 0.0);
    println!("peak {} KiB", peak());
    delivery.close().await;

    let runs: u32 = 200;
    let phase = Phase::begin();
    for number in 0..runs {
        let mut delivery = open().await;
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
    server.kill().unwrap();
    server.wait().unwrap();
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

struct Phase {
    cpu: f64,
    wall: Instant,
}

impl Phase {
    fn begin() -> Self {
        Self {
            cpu: cpu(),
            wall: Instant::now(),
        }
    }

    fn cpu(&self) -> f64 {
        cpu() - self.cpu
    }

    fn wall(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }

    fn end(&self, what: &str, points: i64, without: f64) {
        let each = 1e6 / points as f64;
        println!(
            "{what}: {:.3} us of CPU a point, {:.3} us",
            (self.cpu() - without) * each,
            (self.wall() - without) * each
        );
    }
}

/// Seconds of CPU of all threads so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / HERTZ
}

/// KiB of memory at the most.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Answers 204 to everything, and ends when it is killed.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        std::thread::spawn(move || {
            let mut reader = BufReader::with_capacity(256 * 1024, stream.try_clone().unwrap());
            let mut writer = stream;
            let mut line = String::new();
            loop {
                let mut length = 0;
                loop {
                    line.clear();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    let header = line.to_ascii_lowercase();
                    if let Some(value) = header.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).unwrap();
                writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            }
        });
    }
}
