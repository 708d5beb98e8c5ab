//! When files go, and what becomes of what waits for a folder.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidemark_delivery::{Budget, Delivery, OpenOptions, Run};
use tidemark_point::{Adjustments, Point};

use crate::common::*;
use crate::*;

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

/// Who commits and who delivers are two processes: whatever comes in between, files go forward only.
#[tokio::test]
async fn an_older_run_never_replaces_a_newer_one() {
    const RUNS: u64 = 60;
    const MOST: u64 = 10_000;
    let scene = Scene::new();
    let (mut one, mut other) = (scene.open().await, scene.open().await);
    let done = AtomicBool::new(false);
    let commits = async {
        let mut runs = 0;
        // Some, and until two of them came between two deliveries.
        while runs < RUNS || (superseded(&one).await == 0 && runs < MOST) {
            runs += 1;
            scene.run(&mut one, &[disk("sda", runs, 1.0)]).await;
            tokio::task::yield_now().await;
        }
        done.store(true, Ordering::Relaxed);
        runs
    };
    let deliveries = async {
        let mut newest = 0;
        loop {
            let last = done.load(Ordering::Relaxed);
            other.deliver(Budget::Timer).await;
            let page = fs::read_to_string(scene.path("tidemark-disks.prom")).unwrap_or_default();
            let reads = page
                .lines()
                .find_map(|line| line.strip_prefix("disk_reads_total{name=\"sda\"} "));
            let reads = reads.map_or(0, |reads| reads.parse().unwrap());
            assert!(reads >= newest, "{reads} after {newest}");
            newest = reads;
            if last {
                return newest;
            }
        }
    };
    let (runs, newest) = tokio::join!(commits, deliveries);
    assert_eq!(newest, runs);
    let [delivered, waiting, rejected, superseded] = fates(&other).await;
    assert_eq!((waiting, rejected, delivered + superseded), (0, 0, 2 * runs));
    assert!(superseded > 0, "nothing came in between");
}

/// What newer batches replaced, beside somebody who delivers.
async fn superseded(delivery: &Delivery) -> u64 {
    let ledgers = delivery.outbox().unwrap().ledger().await.unwrap();
    ledgers.iter().map(|ledger| ledger.superseded).sum()
}

/// A run that could not be kept wrote its files at once, while an older one waited: that one has come too late.
#[tokio::test]
async fn what_waits_never_replaces_what_was_written_directly() {
    let scene = Scene::new();
    let aside = scene.folder.with_extension("aside");
    fs::rename(&scene.folder, &aside).unwrap();
    let mut delivery = scene.open().await;
    scene.run(&mut delivery, &[disk("sda", 1, 1.0)]).await;
    assert!(!delivery.deliver(Budget::Run).await.is_drained());
    fs::rename(&aside, &scene.folder).unwrap();

    let elsewhere = Scene::new();
    fs::create_dir(elsewhere.fixture.path().join("outbox.db")).unwrap();
    scene.fixture.clock.advance(Duration::from_secs(60));
    let mut direct = Delivery::open(OpenOptions {
        dir: elsewhere.fixture.path().to_owned(),
        declared: &[DISK],
        ..scene.fixture.options()
    })
    .await;
    assert!(direct.outbox().is_none());
    scene.run(&mut direct, &[disk("sda", 2, 1.0)]).await;
    let files = || {
        scene
            .names()
            .iter()
            .map(|name| fs::read_to_string(scene.path(name)).unwrap())
            .collect::<Vec<_>>()
    };
    let written = files();
    assert_eq!(written.len(), 2);
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(files(), written);
    assert_eq!(fates(&delivery).await, [0, 0, 0, 2]);
    assert_eq!(ledger(&delivery, "text").await.last_error, None);

    // A clock that was ahead holds up nothing once it is set back.
    scene.fixture.clock.set(at(1));
    scene.run(&mut delivery, &[disk("sda", 3, 1.0)]).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert!(
        scene
            .page("tidemark-disks.prom")
            .contains("disk_reads_total{name=\"sda\"} 3\n")
    );
    assert_eq!(fates(&delivery).await, [2, 0, 0, 2]);
}

/// A folder that is away for long: what waits is little to write, and soon written.
#[tokio::test]
async fn many_runs_may_wait_for_a_folder() {
    const RUNS: u64 = 1_000;
    let scene = Scene::new();
    let mut delivery = scene.open().await;
    for reads in 1..=RUNS {
        let target = format!("t{}", reads % 10);
        let points = [disk(&target, reads, 1.0)];
        let run = Run {
            target: Some(target),
            ..scene.fixture.run("disks")
        };
        delivery.submit(&run, &points).await.unwrap();
    }
    assert_eq!(fates(&delivery).await, [0, 2 * RUNS, 0, 0]);
    let begun = std::time::Instant::now();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(fates(&delivery).await, [20, 0, 0, 2 * RUNS - 20]);
    assert_eq!(scene.names().len(), 20);
    assert!(
        scene
            .page("tidemark-disks@t9.prom")
            .contains("disk_reads_total{name=\"t9\"} 999\n")
    );
}
