//! The sink of type `textfile`: what is in the folder, when it goes, and whose files are never touched.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
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
        .tag("name", name.to_owned())
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
        let folder = tempfile::tempdir().unwrap().keep();
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
async fn a_file_goes_when_its_collector_has_not_run_for_long() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    let run = scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert_eq!((run.interval.as_secs(), run.deadline.as_secs()), (60, 30));
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    scene.put("other.prom", "other 1\n");
    // Two intervals and the deadline later; whoever delivers next sees to it.
    scene.fixture.clock.advance(Duration::from_secs(149));
    delivery.deliver(Budget::Timer).await;
    assert_eq!(
        scene.names(),
        ["other.prom", "tidemark-disks.prom", "tidemark_run-disks.prom"]
    );
    scene.fixture.clock.advance(Duration::from_secs(2));
    delivery.deliver(Budget::Run).await;
    // What an alert looks at stays for a day: its age tells.
    assert_eq!(scene.names(), ["other.prom", "tidemark_run-disks.prom"]);
    scene.fixture.clock.advance(Duration::from_secs(24 * 60 * 60));
    delivery.deliver(Budget::Timer).await;
    assert_eq!(scene.names(), ["other.prom"]);
    // It comes back when the collector does.
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(
        scene.names(),
        ["other.prom", "tidemark-disks.prom", "tidemark_run-disks.prom"]
    );
    delivery.close().await;

    // The file itself says when: also where the outbox is gone.
    fs::remove_file(scene.fixture.path().join("outbox.db")).unwrap();
    scene.fixture.clock.advance(Duration::from_secs(151));
    let mut delivery = scene.open().await;
    delivery.deliver(Budget::Timer).await;
    assert_eq!(scene.names(), ["other.prom", "tidemark_run-disks.prom"]);
}

#[tokio::test]
async fn a_run_that_fails_leaves_the_values_until_they_are_stale_and_one_that_finds_nothing_removes_them() {
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    delivery.deliver(Budget::Run).await;
    let failed = Run {
        ok: false,
        error: Some("the source is down".into()),
        ..scene.fixture.run("disks")
    };
    delivery.submit(&failed, &[]).await.unwrap();
    delivery.deliver(Budget::Run).await;
    assert!(
        scene
            .page("tidemark_run-disks.prom")
            .contains("tidemark_run_ok{collector=\"disks\",host=\"h\"} 0\n")
    );
    assert_eq!(scene.names().len(), 2);
    scene.run(&mut delivery, &[]).await;
    delivery.deliver(Budget::Run).await;
    assert_eq!(scene.names(), ["tidemark_run-disks.prom"]);
    // Texts alone are no values, and count as taken.
    let model = Point::builder("disk")
        .field("model", "WD")
        .time(at(0))
        .build(&mut Adjustments::default())
        .unwrap();
    scene.run(&mut delivery, &[model]).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(scene.names(), ["tidemark_run-disks.prom"]);
    assert_eq!(fates(&delivery).await, [1 + 1 + 1 + 1 + 2, 0, 0, 0]);
}

#[tokio::test]
async fn what_other_files_have_otherwise_is_refused_by_name() {
    let scene = Scene::new();
    scene.put(
        "a.prom",
        "# HELP disk_free_bytes Somebody's.\n# TYPE disk_free_bytes gauge\ndisk_free_bytes 1\n",
    );
    scene.put("b.prom", "# TYPE load_one counter\nload_one 3\n");
    scene.put("c.prom", "untyped_two{x=\"1\"} 3\n");
    scene.put("d.prom", "# TYPE same_one untyped\nsame_one{b=\"2\",a=\"1\"} 3\n");
    // What node_exporter cannot read clashes with nothing.
    scene.put("e.prom", "# TYPE fine_one counter\nfine_one{ 3\n");
    scene.put("f.txt", "# TYPE fine_one counter\nfine_one 3\n");
    fs::create_dir(scene.path("folder.prom")).unwrap();
    let mut delivery = scene.open().await;
    let tagged = |b: &str| {
        Point::builder("same")
            .tag("a", "1".to_owned())
            .tag("b", b.to_owned())
            .field("one", 1)
            .time(at(0))
            .build(&mut Adjustments::default())
            .unwrap()
    };
    let run = [
        disk("sda", 1, 1.0),
        single("load", "one", 1),
        // What nobody declared is untyped in both.
        single("untyped", "two", 1),
        single("fine", "one", 1),
        tagged("2"),
        tagged("3"),
    ];
    scene.run(&mut delivery, &run).await;
    let report = delivery.deliver(Budget::Run).await;
    assert_eq!(state(&report), &SinkState::Drained);
    let page = scene.page("tidemark-disks.prom");
    let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "disk_reads_total{name=\"sda\"} 1",
            "fine_one 1",
            "same_one{a=\"1\",b=\"3\"} 1",
            "untyped_two 1",
        ]
    );
    assert!(
        !page.contains("disk_free_bytes") && !page.contains("load_one"),
        "{page}"
    );
    let rejected = delivery
        .outbox()
        .unwrap()
        .rejected(Some("text"), 10)
        .await
        .unwrap();
    let reasons: Vec<&str> = rejected.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "same_one is refused where d.prom has the same series; rename one of them",
            "load_one is refused: b.prom has it with the type counter; rename one of them",
        ]
    );
    assert_eq!(fates(&delivery).await, [5, 0, 2, 0]);
    assert!(delivery.outbox().unwrap().verify().await.unwrap().is_empty());
    // Theirs are as they were.
    assert_eq!(
        fs::read_to_string(scene.path("b.prom")).unwrap(),
        "# TYPE load_one counter\nload_one 3\n"
    );
}

#[tokio::test]
async fn what_is_in_the_way_is_neither_followed_nor_overwritten() {
    let scene = Scene::new();
    let elsewhere = scene.fixture.path().join("precious");
    fs::write(&elsewhere, "precious").unwrap();
    symlink(&elsewhere, scene.path("tidemark-disks.prom")).unwrap();
    scene.put("tidemark-b.prom", "b 1\n");
    fs::create_dir(scene.path("tidemark-c.prom")).unwrap();
    scene.put("tidemark-d.prom", "");
    let mut delivery = scene.open().await;
    for (first, collector) in (0..).zip(["disks", "b", "c", "d", "e"]) {
        let points = points(first * 2, 2);
        delivery
            .submit(&scene.fixture.run(collector), &points)
            .await
            .unwrap();
    }
    let report = delivery.deliver(Budget::Run).await;
    assert!(
        said(&report).ends_with(" is there already and is not tidemark's: it stays as it is; move it away"),
        "{report:?}"
    );
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert_eq!(
        fs::read_to_string(scene.path("tidemark-b.prom")).unwrap(),
        "b 1\n"
    );
    assert_eq!(fs::read_to_string(scene.path("tidemark-d.prom")).unwrap(), "");
    // The others are written, and what is held up waits.
    assert!(scene.page("tidemark-e.prom").contains("m_v{n=\"9\"} 9\n"));
    assert_eq!(fates(&delivery).await, [5 + 2, 4 * 2, 0, 0]);
    let last_error = ledger(&delivery, "text").await.last_error.unwrap();
    assert!(last_error.contains("tidemark-"), "{last_error}");
    // Once it is moved away, no backoff holds it up.
    fs::remove_file(scene.path("tidemark-disks.prom")).unwrap();
    for name in ["tidemark-b.prom", "tidemark-d.prom"] {
        fs::remove_file(scene.path(name)).unwrap();
    }
    fs::remove_dir(scene.path("tidemark-c.prom")).unwrap();
    let report = delivery.deliver(Budget::Run).await;
    assert!(report.is_drained(), "{report:?}");
    assert_eq!(ledger(&delivery, "text").await.last_error, None);
    assert_eq!(fates(&delivery).await, [15, 0, 0, 0]);
    // Files of others are not ours to remove, whatever their names.
    scene.put("tidemark-other.prom", "# tidemark was here\nother 1\n");
    scene
        .fixture
        .clock
        .advance(Duration::from_secs(100 * 24 * 60 * 60));
    delivery.deliver(Budget::Run).await;
    assert_eq!(scene.names(), ["tidemark-other.prom"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_waited_for() {
    let scene = Scene::new();
    fs::remove_dir(&scene.folder).unwrap();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    let report = delivery.deliver(Budget::Run).await;
    let folder = scene.folder.display();
    assert_eq!(
        said(&report),
        format!("the folder {folder} is not there: make it, or mend the sink's directory")
    );
    // Nobody makes it; what is newer replaces what waits, so that little waits however long it takes.
    assert!(!scene.folder.exists());
    for reads in 2..10 {
        scene.run(&mut delivery, &[disk("sda", reads, 1.0)]).await;
        delivery.deliver(Budget::Run).await;
    }
    assert_eq!(fates(&delivery).await, [0, 2, 0, 16]);
    fs::write(&scene.folder, "").unwrap();
    let report = delivery.deliver(Budget::Flush).await;
    assert_eq!(
        said(&report),
        format!("{folder} is no folder: mend the sink's directory")
    );
    fs::remove_file(&scene.folder).unwrap();
    fs::create_dir(&scene.folder).unwrap();
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert!(
        scene
            .page("tidemark-disks.prom")
            .contains("disk_reads_total{name=\"sda\"} 9\n")
    );
    assert_eq!(fates(&delivery).await, [2, 0, 0, 16]);
}

#[tokio::test]
async fn what_killed_writers_left_is_cleaned_up() {
    let scene = Scene::new();
    scene.put(".tidemark-00112233445566aa.tmp", "half a pa");
    scene.put(".tidemark-00112233445566bb.tmp", "half a pa");
    scene.put("tidemark-00112233445566bb.tmp", "another's");
    // The writer of one of them lives.
    let alive = fs::File::open(scene.path(".tidemark-00112233445566bb.tmp")).unwrap();
    alive.lock().unwrap();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let left = [".tidemark-00112233445566bb.tmp", "tidemark-00112233445566bb.tmp"];
    assert_eq!(
        scene.names(),
        [
            left[0],
            "tidemark-00112233445566bb.tmp",
            "tidemark-disks.prom",
            "tidemark_run-disks.prom"
        ]
    );
    drop(alive);
    delivery.deliver(Budget::Run).await;
    assert_eq!(scene.names()[0], left[1]);
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
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut read = 0;
            while !stop.load(Ordering::Relaxed) {
                let page = fs::read_to_string(&path).unwrap_or_default();
                if page.matches("\nm_v{").count() != 2_000 {
                    return 0;
                }
                read += 1;
            }
            read
        });
        for first in 1..20 {
            runtime.block_on(write(first));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0, "a page was torn, or not there");
    });
}
