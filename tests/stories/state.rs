//! A full disk, a read-only one, a damaged outbox, one of a newer version: a run goes on, loudly.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_testkit::{Answer, Ended, Run, SinkServer, SmallDisk, wait_until};

use crate::scene::{BOUND, QUEUE, Scene, lines, playing};

fn scene(sink: &SinkServer) -> Scene {
    let scene = Scene::new();
    scene.sinks(&playing("played", sink));
    scene
}

fn on(disk: &SmallDisk, run: Run) -> Run {
    run.env("STATE_DIRECTORY", disk.path())
}

fn queue_points(sink: &SinkServer) -> usize {
    let requests = sink.requests();
    requests
        .iter()
        .flat_map(|request| lines(request.text()))
        .filter(|line| line.measurement == QUEUE)
        .count()
}

/// One of these words is on standard error.
#[track_caller]
fn assert_says(ended: &Ended, words: &[&str]) {
    let said = ended.stderr.to_lowercase();
    assert!(
        words.iter().any(|word| said.contains(word)),
        "none of {words:?} in: {}",
        ended.stderr
    );
}

const DISK: u64 = 8 << 20;

#[test]
fn a_full_disk_is_delivered_around() {
    let (sink, disk) = (SinkServer::start(), SmallDisk::new(DISK));
    let scene = scene(&sink);
    on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 3);
    disk.fill();
    let ended = on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 6, "delivered directly: {}", ended.stderr);
    assert_says(&ended, &["no space", "no room", "full"]);

    // Neither kept nor delivered is a failure, and says so.
    sink.close();
    let ended = on(&disk, scene.sponsoring()).run().expect_code(1);
    assert_says(&ended, &["full", "no space", "no room"]);
    sink.reopen();

    disk.free();
    on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 9);
}

#[test]
fn a_disk_that_was_full_from_the_start() {
    let (sink, disk) = (SinkServer::start(), SmallDisk::new(DISK));
    let scene = scene(&sink);
    disk.fill();
    let ended = on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 3, "{}", ended.stderr);
    disk.free();
    on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 6);
}

#[test]
fn a_read_only_disk_is_delivered_around() {
    let (sink, mut disk) = (SinkServer::start(), SmallDisk::new(DISK));
    let scene = scene(&sink);
    on(&disk, scene.sponsoring()).run().expect_code(0);
    disk.read_only();
    let ended = on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 6, "delivered directly: {}", ended.stderr);
    assert_says(&ended, &["read-only", "read only", "readonly"]);
    sink.close();
    let ended = on(&disk, scene.sponsoring()).run().expect_code(1);
    assert_says(&ended, &["read-only", "read only", "readonly"]);
    sink.reopen();
    disk.writable();
    on(&disk, scene.sponsoring()).run().expect_code(0);
    assert_eq!(queue_points(&sink), 9);
}

#[test]
fn what_waited_before_the_disk_was_full_is_still_there() {
    let (sink, disk) = (SinkServer::start(), SmallDisk::new(DISK));
    let scene = scene(&sink);
    sink.judge(|_| Answer::new(500));
    on(&disk, scene.sponsoring()).run().expect_code(0);
    disk.fill();
    on(&disk, scene.sponsoring()).run();
    disk.free();
    sink.judge(|_| Answer::new(204));
    sink.forget();
    on(&disk, scene.tidemark("outbox flush")).run().expect_code(0);
    assert!(queue_points(&sink) >= 3);
}

/// An outbox in which batches wait, closed in good order.
fn with_waiting_batches(runs: usize) -> (SinkServer, Scene, PathBuf) {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    scene.report(300);
    sink.judge(|_| Answer::new(503));
    for _ in 0..runs {
        scene.collect();
    }
    let path = scene.home.state().join("outbox.db");
    assert!(path.is_file(), "the outbox is where the contract says");
    sink.judge(|_| Answer::new(204));
    sink.forget();
    (sink, scene, path)
}

/// Names in the state's folder that are not the outbox's or the store's own.
fn set_aside(scene: &Scene) -> Vec<PathBuf> {
    let own = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        [
            "outbox.db",
            "outbox.db-wal",
            "outbox.db-shm",
            "store.db",
            "store.db-wal",
            "store.db-shm",
        ]
        .contains(&name.as_str())
            || name.ends_with(".lock")
    };
    let entries = fs::read_dir(scene.home.state()).expect("the state's folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file() && !own(path))
        .collect()
}

/// A damaged outbox: the run goes on and its points arrive, the damaged file is kept, and the next run is quiet.
#[track_caller]
fn assert_goes_on(damage: impl FnOnce(&mut Vec<u8>)) {
    let (sink, scene, path) = with_waiting_batches(3);
    let mut bytes = fs::read(&path).expect("the outbox");
    damage(&mut bytes);
    fs::write(&path, &bytes).expect("the outbox");
    for end in ["-wal", "-shm"] {
        drop(fs::remove_file(format!("{}{end}", path.display())));
    }
    let ended = scene.collect();
    assert_says(&ended, &["damaged", "set aside"]);
    assert!(!set_aside(&scene).is_empty(), "the damaged file is kept");
    scene.flush();
    assert!(
        queue_points(&sink) >= 301,
        "the new run's points arrive: {}",
        queue_points(&sink)
    );
    let ledger = scene.ledger("played");
    assert_eq!(ledger.waiting, 0, "{ledger:?}");
    let ended = scene.collect();
    assert!(
        !ended.stderr.contains("set aside"),
        "once is enough: {}",
        ended.stderr
    );
}

#[test]
fn an_outbox_that_is_garbage() {
    assert_goes_on(|bytes| {
        let garbage = (0..=250_u8).cycle();
        bytes
            .iter_mut()
            .zip(garbage)
            .for_each(|(byte, garbage)| *byte = garbage);
    });
}

#[test]
fn an_outbox_whose_head_is_zeroed() {
    assert_goes_on(|bytes| bytes[..4096].fill(0));
}

#[test]
fn an_outbox_that_is_torn() {
    assert_goes_on(|bytes| bytes.truncate(bytes.len() / 2 + 100));
}

#[test]
fn an_outbox_of_a_few_bytes() {
    assert_goes_on(|bytes| bytes.truncate(60));
}

/// A page in the middle: whatever it held, the run goes on, and every point is stored or counted.
#[test]
fn an_outbox_with_a_zeroed_page() {
    // The page's size is in the file's head (big-endian at 16; 1 is 65,536).
    let page_size = |bytes: &[u8]| match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        size => usize::from(size),
    };
    for numerator in [1, 2, 3] {
        let (sink, scene, path) = with_waiting_batches(3);
        let mut bytes = fs::read(&path).expect("the outbox");
        let size = page_size(&bytes);
        let page = (bytes.len() / size * numerator / 4).max(1);
        bytes[page * size..(page + 1) * size].fill(0);
        fs::write(&path, &bytes).expect("the outbox");
        scene.collect();
        // Parts of it may be found to be bad only now.
        scene.tidemark("outbox flush").run();
        scene.collect();
        scene.flush();
        let points = queue_points(&sink);
        assert!(
            points >= 602,
            "page {page}: the two new runs' points arrive: {points}"
        );
        let ledger = scene.ledger("played");
        assert_eq!(ledger.waiting, 0, "page {page}: {ledger:?}");
    }
}

#[test]
fn an_outbox_of_a_newer_version_is_not_touched() {
    let (sink, scene, path) = with_waiting_batches(2);
    let mut bytes = fs::read(&path).expect("the outbox");
    // SQLite's `user_version`: big-endian at 60.
    let version = u32::from_be_bytes([bytes[60], bytes[61], bytes[62], bytes[63]]);
    assert!(version > 0, "the outbox names its version");
    bytes[60..64].copy_from_slice(&(version + 1000).to_be_bytes());
    fs::write(&path, &bytes).expect("the outbox");
    let ended = scene.collect();
    assert_says(&ended, &["newer"]);
    assert_eq!(queue_points(&sink), 301, "delivered directly");
    assert_eq!(
        fs::read(&path).expect("the outbox"),
        bytes,
        "not a byte is changed"
    );
    sink.close();
    scene.sponsoring().run().expect_code(1);
    assert_eq!(
        fs::read(&path).expect("the outbox"),
        bytes,
        "not a byte is changed"
    );
}

/// A program that stays meets damage in the midst: what it collects from then on arrives all the same.
#[track_caller]
fn assert_stays(damage: impl FnOnce(&Path)) {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    let running = scene
        .sponsoring()
        .args(["--every", "1s"])
        .bound(Duration::from_secs(120))
        .start();
    wait_until("two runs", BOUND, || queue_points(&sink) >= 6);
    damage(&scene.home.state());
    let before = queue_points(&sink);
    wait_until("three runs more", BOUND, || {
        assert!(running.runs(), "{}", running.stderr());
        queue_points(&sink) >= before + 9
    });
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    // And the next one finds its way too.
    let before = queue_points(&sink);
    scene.collect();
    scene.flush();
    assert!(queue_points(&sink) >= before + 3);
}

#[test]
fn a_program_that_stays_survives_a_damaged_outbox() {
    assert_stays(|state| fs::write(state.join("outbox.db"), [7; 50_000]).expect("the outbox"));
}

#[test]
fn a_program_that_stays_survives_an_outbox_that_is_cut() {
    assert_stays(|state| {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(state.join("outbox.db"))
            .expect("the outbox");
        file.set_len(5000).expect("the outbox");
    });
}

#[test]
fn a_program_that_stays_survives_an_outbox_that_is_gone() {
    assert_stays(|state| {
        for end in ["", "-wal", "-shm"] {
            drop(fs::remove_file(state.join(format!("outbox.db{end}"))));
        }
    });
}

/// What it commits after that is not committed to a file that nobody can find any more.
#[test]
fn a_program_that_stays_keeps_nothing_in_an_outbox_that_is_gone() {
    let sink = SinkServer::start();
    sink.judge(|_| Answer::new(503));
    let scene = scene(&sink);
    let running = scene
        .sponsoring()
        .args(["--every", "1s"])
        .bound(Duration::from_secs(120))
        .start();
    let asked = |count: usize| {
        wait_until("the source is asked", BOUND, || {
            scene.source.requests().len() >= count
        })
    };
    asked(2);
    for end in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            scene.home.state().join(format!("outbox.db{end}")),
        ));
    }
    // The run that is under way may be lost with the file; the two after it may not.
    let before = scene.source.requests().len();
    asked(before + 4);
    running.terminate();
    running.wait().expect_code(0);
    sink.judge(|_| Answer::new(204));
    sink.forget();
    scene.flush();
    assert!(queue_points(&sink) >= 6, "{} points arrive", queue_points(&sink));
}

#[test]
fn a_program_that_stays_survives_a_state_folder_that_is_gone() {
    assert_stays(|state| {
        // At once: in a folder that is deleted file by file, the program may make another meanwhile.
        let gone = state.with_extension("gone");
        fs::rename(state, &gone).expect("the state's folder");
        fs::remove_dir_all(gone).expect("what was the state's folder");
    });
}

#[test]
fn a_state_folder_that_is_not_there_is_made() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    let folder = scene.home.path().join("a/b/c");
    scene
        .sponsoring()
        .env("STATE_DIRECTORY", &folder)
        .run()
        .expect_code(0);
    assert!(folder.join("outbox.db").is_file());
    assert_eq!(queue_points(&sink), 3);
}
