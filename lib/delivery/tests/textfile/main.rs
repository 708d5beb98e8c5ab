//! The sink of type `textfile`: what is in the folder, when it goes, and whose files are never touched.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly"
)]

#[path = "../common/mod.rs"]
mod common;
mod folder;
mod stale;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::*;
use tidemark_delivery::{Budget, Delivery, Mended, OpenOptions, Report, Run, SinkState};
use tidemark_point::{
    Adjustments, FieldSchema, FieldType, Kind, Point, Schema, TagSchema, Value, exposition,
};
use tidemark_settings::{SinkKind, TextfileSettings};

/// What the collectors here declare.
const DISK: &Schema = &Schema {
    measurement: "disk",
    help: "A disk.",
    tags: &[TagSchema {
        name: "name",
        help: "The disk.",
    }],
    fields: &[
        FieldSchema {
            name: "reads",
            kind: Kind::Counter,
            field_type: FieldType::Uint,
            unit: None,
            help: "Reads.",
        },
        FieldSchema {
            name: "free_bytes",
            kind: Kind::Gauge,
            field_type: FieldType::Float,
            unit: Some("bytes"),
            help: "Bytes that are free.",
        },
        FieldSchema {
            name: "model",
            kind: Kind::Gauge,
            field_type: FieldType::String,
            unit: None,
            help: "Who made it.",
        },
    ],
};

fn disk(name: &str, reads: u64, free: f64) -> Point {
    Point::builder("disk")
        .tag("name", name)
        .field("reads", reads)
        .field("free_bytes", free)
        .time(at(0))
        .build(&mut Adjustments::default())
        .unwrap()
}

/// A point of one field.
fn single(measurement: &'static str, field: &'static str, value: impl Into<Value>) -> Point {
    Point::builder(measurement)
        .field(field, value)
        .time(at(0))
        .build(&mut Adjustments::default())
        .unwrap()
}

/// A state folder, and a folder that the sink `text` writes to.
struct Scene {
    fixture: Fixture,
    folder: PathBuf,
}

impl Scene {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap().keep())
    }

    fn at(folder: PathBuf) -> Self {
        let textfile = TextfileSettings {
            directory: folder.clone(),
        };
        let fixture = Fixture::new(vec![sink("text", SinkKind::Textfile(textfile))]);
        Self { fixture, folder }
    }

    async fn open(&self) -> Delivery {
        Delivery::open(OpenOptions {
            declared: &[DISK],
            ..self.fixture.options()
        })
        .await
    }

    /// The names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A page, without the line that says whose it is.
    fn page(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert!(
            first.starts_with("# tidemark writes this file, and removes it after 20"),
            "{first}"
        );
        let strict = exposition::Reader::new(text.as_bytes(), exposition::Format::Prometheus);
        let entries: Vec<_> = strict.collect::<Result<_, _>>().unwrap();
        assert!(!entries.is_empty());
        rest.to_owned()
    }

    /// A run of `disks`, a minute apart, with these points.
    async fn run(&self, delivery: &mut Delivery, points: &[Point]) -> Run {
        let run = Run {
            deadline: Duration::from_secs(30),
            ..self.fixture.run("disks")
        };
        delivery.submit(&run, points).await.unwrap();
        run
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn state(report: &Report) -> &SinkState {
    &report.sinks[0].state
}

/// What the sink could not do, and what to do about it.
fn said(report: &Report) -> &str {
    match state(report) {
        SinkState::Failed(said) => said,
        _ => "",
    }
}

/// delivered, waiting, rejected, superseded.
async fn fates(delivery: &Delivery) -> [u64; 4] {
    let ledger = ledger(delivery, "text").await;
    [
        ledger.delivered,
        ledger.waiting,
        ledger.rejected,
        ledger.superseded,
    ]
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_run_becomes_two_files() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    scene
        .run(
            &mut delivery,
            &[
                disk("sda", 18_446_744_073_709_551_615, 0.1),
                disk("b\"\\x", 2, 5e-324),
            ],
        )
        .await;
    let report = delivery.deliver(Budget::Run).await;
    assert!(report.is_drained(), "{report:?}");
    assert_eq!(scene.names(), ["tidemark-disks.prom", "tidemark_run-disks.prom"]);
    // Declared kinds and helps, no times, every digit.
    assert_eq!(
        scene.page("tidemark-disks.prom"),
        "# TYPE disk_free_bytes gauge\n# HELP disk_free_bytes Bytes that are free.\n\
         disk_free_bytes{name=\"sda\"} 0.1\ndisk_free_bytes{name=\"b\\\"\\\\x\"} 5e-324\n\
         # TYPE disk_reads_total counter\n# HELP disk_reads_total Reads.\n\
         disk_reads_total{name=\"sda\"} 18446744073709551615\ndisk_reads_total{name=\"b\\\"\\\\x\"} 2\n"
    );
    let own = scene.page("tidemark_run-disks.prom");
    assert!(own.contains(
        "# TYPE tidemark_run_ok gauge\n# HELP tidemark_run_ok Whether anything could be collected.\n"
    ));
    assert!(
        own.contains("\ntidemark_run_ok{collector=\"disks\",host=\"h\"} 1\n"),
        "{own}"
    );
    for name in scene.names() {
        assert_eq!(mode(&scene.path(&name)), 0o644);
    }
    assert_eq!(fates(&delivery).await, [3, 0, 0, 0]);
}

/// A run of more points than fit one batch is one file all the same.
#[tokio::test]
async fn a_run_of_many_batches_is_one_file() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &points(0, 3)).await;
    scene.run(&mut delivery, &points(0, 25_000)).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let page = scene.page("tidemark-disks.prom");
    assert_eq!(page.matches("\nm_v{n=\"").count(), 25_000);
    assert_eq!(fates(&delivery).await, [25_001, 0, 0, 4]);
}

#[tokio::test]
async fn the_newest_batch_alone_is_written() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    for reads in 1..=5 {
        scene
            .run(&mut delivery, &[disk("sda", reads, 1.0), disk("sdb", reads, 1.0)])
            .await;
    }
    // Each target has a file of its own, and supersedes itself alone.
    for (target, reads) in [("a/b", 1), ("..", 2), ("a/b", 3)] {
        let run = Run {
            target: Some(target.to_owned()),
            ..scene.fixture.run("disks")
        };
        delivery.submit(&run, &[disk(target, reads, 1.0)]).await.unwrap();
    }
    delivery.submit_sink_points().await.unwrap();
    assert_eq!(fates(&delivery).await, [0, 22, 0, 0]);
    assert!(delivery.deliver(Budget::Timer).await.is_drained());
    assert_eq!(
        scene.names(),
        [
            "tidemark-disks.prom",
            "tidemark-disks@...prom",
            "tidemark-disks@a%2Fb.prom",
            "tidemark_run-disks.prom",
            "tidemark_run-disks@...prom",
            "tidemark_run-disks@a%2Fb.prom",
            "tidemark_sink.prom",
        ]
    );
    assert!(
        scene
            .page("tidemark-disks.prom")
            .contains("disk_reads_total{name=\"sda\"} 5\n")
    );
    assert!(
        scene
            .page("tidemark-disks@a%2Fb.prom")
            .contains("disk_reads_total{name=\"a/b\"} 3\n")
    );
    assert!(
        scene
            .page("tidemark_sink.prom")
            .contains("tidemark_sink_waiting{host=\"h\",sink=\"text\"} 21\n")
    );
    assert_eq!(fates(&delivery).await, [3 + 2 + 2 + 1, 0, 0, 12 + 2]);
}

#[tokio::test]
async fn without_an_outbox_the_files_are_written_all_the_same() {
    let scene = Scene::new();
    fs::create_dir(scene.fixture.path().join("outbox.db")).unwrap();
    let mut delivery = scene.open().await;
    assert!(delivery.outbox().is_none());
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert!(
        scene
            .page("tidemark-disks.prom")
            .contains("# TYPE disk_reads_total counter\n")
    );
    assert!(
        scene
            .page("tidemark_run-disks.prom")
            .contains("# TYPE tidemark_run_ok gauge\n")
    );
    fs::remove_dir_all(&scene.folder).unwrap();
    let lost = delivery
        .submit(&scene.fixture.run("disks"), &[disk("sda", 2, 1.0)])
        .await;
    let said = lost.unwrap_err().to_string();
    assert!(
        said.starts_with("1 point") && said.contains("text: the folder "),
        "{said}"
    );
}

/// A point that was mended is no run's: it replaces nothing.
#[tokio::test]
async fn mended_points_are_superseded() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    delivery.deliver(Budget::Run).await;
    let before = scene.page("tidemark-disks.prom");
    let mended = Mended {
        point: disk("sdb", 9, 9.0),
        refused: Vec::new(),
        sink: Some("text".to_owned()),
    };
    delivery.outbox().unwrap().take_mended(&[mended]).await.unwrap();
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(scene.page("tidemark-disks.prom"), before);
    assert_eq!(scene.names(), ["tidemark-disks.prom", "tidemark_run-disks.prom"]);
    assert_eq!(fates(&delivery).await, [2, 0, 0, 1]);
}

/// Whoever reads the folder sees whole pages alone.
#[test]
fn a_page_is_replaced_in_one_step() {
    let scene = Scene::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let write = async |first: i64| {
        let mut delivery = scene.open().await;
        scene.run(&mut delivery, &points(first, 2_000)).await;
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        delivery.close().await;
    };
    runtime.block_on(write(0));
    let path = scene.path("tidemark-disks.prom");
    let (stop, read) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let page = fs::read_to_string(&path).unwrap_or_default();
                if page.matches("\nm_v{").count() != 2_000 {
                    return false;
                }
                read.fetch_add(1, Ordering::Relaxed);
            }
            true
        });
        // For a while, and until it has read some between two writes.
        let mut first = 1;
        while !reader.is_finished() && (first < 20 || read.load(Ordering::Relaxed) < 20) {
            runtime.block_on(write(first));
            first += 1;
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap(), "a page was torn, or not there");
    });
}
