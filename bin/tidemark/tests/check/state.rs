//! The state folder and the outbox.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use tidemark_testkit::SmallDisk;

use super::*;

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Writes bytes into a file.
fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("open");
    file.seek(SeekFrom::Start(at)).expect("seek");
    file.write_all(bytes).expect("write");
}

/// A site that has run once.
fn ran() -> Site {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    site
}

#[test]
fn a_folder_that_nobody_has_made() {
    let site = Site::new(ON);
    fs::remove_dir(site.home.state()).expect("remove");
    site.check(0).shows("state-not-made");
    assert!(!site.home.state().exists(), "looking makes nothing");
    if is_root() {
        site.screen(site.as_nobody(&["check"]), 1)
            .shows("state-cannot-be-made");
    }
}

#[test]
fn a_file_in_the_folders_place_and_no_place_at_all() {
    let site = Site::new(ON);
    fs::remove_dir(site.home.state()).expect("remove");
    site.home.file("state", "");
    site.check(1).shows("state-no-folder");
    if is_root() {
        let run = site.as_nobody(&["check"]);
        let run = run
            .env_remove("STATE_DIRECTORY")
            .env_remove("XDG_STATE_HOME")
            .env_remove("HOME");
        site.screen(run, 1).shows("state-nowhere");
    }
}

#[test]
fn a_folder_of_another_user() {
    if !is_root() {
        return;
    }
    let site = ran();
    fs::set_permissions(site.home.state(), fs::Permissions::from_mode(0o755)).expect("mode");
    site.screen(site.as_nobody(&["check"]), 1).shows("state-not-ours");
    fs::set_permissions(site.home.state(), fs::Permissions::from_mode(0o700)).expect("mode");
    site.screen(site.as_nobody(&["check"]), 1).shows("state-closed");
}

#[test]
fn as_root_the_command_becomes_the_states_owner() {
    if !is_root() {
        return;
    }
    let site = ran();
    fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let password = site.home.file("password", "hunter2");
    site.home.settings(&format!(
        "{ON}{}",
        influxdb(
            "http://127.0.0.1:1",
            &format!(
                "username = \"u\"\npassword = {{ file = \"{}\" }}",
                password.display()
            )
        )
    ));
    for file in fs::read_dir(site.home.state()).expect("the state") {
        chown(file.expect("a file").path(), Some(NOBODY), Some(NOBODY)).expect("chown");
    }
    chown(site.home.state(), Some(NOBODY), Some(NOBODY)).expect("chown");
    // The password is root's alone, and was read in time.
    site.check(1).shows("state-of-another");
    // What root made there by hand, no run can write.
    chown(site.home.state().join("outbox.db"), Some(0), Some(0)).expect("chown");
    fs::write(site.home.state().join("notes"), "").expect("write");
    site.check(1).shows("state-foreign-files");
    // Where the kernel does not let root become anybody.
    let bound = ["--bounding-set", "-setuid,-setgid"];
    let run = site.at_home(
        Run::new("setpriv")
            .args(bound)
            .arg(env!("CARGO_BIN_EXE_tidemark"))
            .arg("check"),
    );
    site.screen(run, 1).shows("state-root-cannot");
}

#[test]
fn the_room_on_the_disk() {
    let site = Site::new(ON);
    site.home
        .settings(&format!("{ON}[outbox]\nkeep_free = \"900TiB\"\n"));
    site.check(1).shows("disk-full");
    let disk = rustix::fs::statvfs(site.home.state()).expect("a disk");
    let most = disk.f_bavail * disk.f_frsize / 4 * 3;
    site.home.settings(&format!("{ON}[outbox]\nkeep_free = {most}\n"));
    let mut screen = site.check(0);
    let lines = screen.text.lines();
    screen.text = lines
        .map(|line| between(line, "; under ", " what", "SIZE") + "\n")
        .collect();
    screen.shows("disk-nearly-full");
}

#[test]
fn a_disk_that_is_read_only() {
    let mut disk = SmallDisk::new(4 << 20);
    let site = Site::new(ON);
    disk.read_only();
    let run = site.tidemark(&["check"]).env("STATE_DIRECTORY", disk.path());
    let mut screen = site.screen(run, 1);
    screen.text = screen.text.replace(&disk.path().display().to_string(), "DISK");
    screen.shows("disk-read-only");
    disk.writable();
}

#[test]
fn what_was_set_aside_is_named() {
    let site = ran();
    for name in [
        "outbox.db.damaged-20261121T070000",
        "outbox.db.damaged-20261121T070000-wal",
    ] {
        fs::write(site.home.state().join(name), vec![0; 2_000_000]).expect("write");
    }
    site.check(0).shows("state-remains");
}

#[test]
fn an_outbox_of_another_version() {
    let site = ran();
    let outbox = site.home.state().join("outbox.db");
    // The `user_version`.
    overwrite(&outbox, 60, &99_u32.to_be_bytes());
    site.check(0).shows("outbox-newer");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lib/delivery/tests/fixtures");
    fs::copy(fixtures.join("outbox-1.db"), &outbox).expect("copy");
    let before = fs::read(&outbox).expect("read");
    site.check(0).shows("outbox-older");
    assert!(before == fs::read(&outbox).expect("read"), "it is not migrated");
}

#[test]
fn a_damaged_outbox() {
    let site = ran();
    let outbox = site.home.state().join("outbox.db");
    let whole = fs::read(&outbox).expect("read");
    // A page in the middle.
    overwrite(&outbox, 4096 * 3, &[0xff; 4096]);
    let mut screen = site.check(1);
    // SQLite's own words.
    let lines = screen.text.lines();
    screen.text = lines
        .map(|line| match line.split_once("is damaged: ") {
            Some((before, _)) => format!("{before}is damaged: WHAT\n"),
            None => format!("{line}\n"),
        })
        .collect();
    screen.shows("outbox-damaged");
    fs::write(&outbox, &whole[..whole.len() / 2]).expect("write");
    let cut = site.check(1);
    assert!(cut.text.contains("  FAILED     outbox    "), "{}", cut.text);
    fs::write(
        &outbox,
        b"no database, and longer than a header of SQLite would be: nothing of it can be read at all",
    )
    .expect("write");
    site.check(1).shows("outbox-garbage");
    assert!(
        fs::read(&outbox).expect("read").starts_with(b"no database"),
        "it is not set aside"
    );
    // The run sets it aside, and says so in the ledger.
    site.run(&["run", "behaving"]).expect_code(0);
    let mut screen = site.check(0);
    let lines = screen.text.lines();
    screen.text = lines
        .map(|line| {
            let line = match line.split_once("not whole since ") {
                Some((before, _)) => format!("{before}not whole since DATE"),
                None => line.to_owned(),
            };
            let line = match line.split_once("outbox.db.damaged-") {
                Some((before, _)) => format!("{before}outbox.db.damaged-TIME"),
                None => line,
            };
            line + "\n"
        })
        .collect();
    screen.shows("outbox-was-damaged");
}

#[test]
fn what_a_killed_process_left() {
    let site = ran();
    // A log without its index: only a writer may take it up.
    fs::write(site.home.state().join("outbox.db-wal"), [1; 4096]).expect("write");
    fs::write(site.home.state().join("store.db-wal"), [1; 4096]).expect("write");
    site.check(0).shows("state-killed");
    assert!(!site.home.state().join("outbox.db-shm").exists());
}

#[test]
fn an_outbox_that_this_user_may_not_read() {
    if !is_root() {
        return;
    }
    let site = ran();
    chown(site.home.state(), Some(NOBODY), Some(NOBODY)).expect("chown");
    fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    for file in ["outbox.db", "store.db"] {
        let path = site.home.state().join(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(fs::metadata(&path).expect("a file").uid(), 0);
    }
    site.check(1).shows("outbox-closed");
}

#[test]
fn what_waits_what_was_lost_and_what_nobody_wants() {
    let site = Site::new(&format!(
        "{ON}{}",
        influxdb("http://127.0.0.1:1", "name = \"old\"")
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    site.check(1).shows("queue-waits");
    let text = fs::read_to_string(site.home.config()).expect("settings");
    site.home
        .settings(&format!("{text}[outbox]\nmax_bytes = \"48KiB\"\n"));
    site.check(1).shows("outbox-nearly-full");
    site.home.settings(&format!("{ON}[[sink]]\ntype = \"discard\"\n"));
    site.check(0).shows("queue-orphaned");
    site.run(&["outbox", "drop", "old", "--waiting"]).expect_code(0);
    site.check(0).shows("discard");
    let refuses = tidemark_testkit::SinkServer::start();
    refuses.judge(|request| match request.text() {
        "" => tidemark_testkit::Answer::new(204),
        _ => tidemark_testkit::Answer::new(400).body(r#"{"error":"no point is good enough"}"#),
    });
    site.home.settings(&format!(
        "{ON}{}",
        influxdb(&refuses.url(""), "name = \"strict\"")
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    site.check(0).shows("queue-losses");
}
