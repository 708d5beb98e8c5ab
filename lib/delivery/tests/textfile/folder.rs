//! What else is in the folder: pages of others, what is in the way, what killed writers left.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use tidemark_delivery::{Budget, SinkState};
use tidemark_point::{Adjustments, Point};
use tidemark_testkit::SmallDisk;

use crate::common::*;
use crate::*;

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
            .tag("a", "1")
            .tag("b", b)
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
    // A process that another test starts may have the file open for a moment, and its lock with it.
    alive.unlock().unwrap();
    delivery.deliver(Budget::Run).await;
    assert_eq!(scene.names()[0], left[1]);
}

/// The page before stays whole, and nothing of the next one stays behind.
#[tokio::test]
async fn a_full_disk_leaves_the_page_before() {
    let small = SmallDisk::new(256 * 1024);
    let scene = Scene::at(small.path());
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let before = (scene.names(), scene.page("tidemark-disks.prom"));
    small.fill();
    scene.run(&mut delivery, &[disk("sda", 2, 1.0)]).await;
    let report = delivery.deliver(Budget::Run).await;
    let folder = scene.folder.display();
    assert_eq!(
        said(&report),
        format!("the folder {folder} is full: free space on its disk")
    );
    fs::remove_file(scene.path("filler")).unwrap();
    assert_eq!((scene.names(), scene.page("tidemark-disks.prom")), before);
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert!(
        scene
            .page("tidemark-disks.prom")
            .contains("disk_reads_total{name=\"sda\"} 2\n")
    );
    assert_eq!(fates(&delivery).await, [4, 0, 0, 0]);
}
