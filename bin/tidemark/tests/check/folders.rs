//! The sinks on this host: the store, and a folder of text files.

use std::os::unix::fs::chown;

use tidemark_testkit::SmallDisk;

use super::*;

fn textfile(directory: &std::path::Path) -> String {
    format!(
        "[[sink]]\ntype = \"textfile\"\ndirectory = \"{}\"\n",
        directory.display()
    )
}

#[test]
fn a_folder_of_text_files() {
    let site = Site::new("");
    let folder = site.home.path().join("textfiles");
    site.home.settings(&textfile(&folder));
    site.check(1).shows("textfile-missing");
    fs::write(&folder, "").expect("write");
    site.check(1).shows("textfile-no-folder");
    fs::remove_file(&folder).expect("remove");
    fs::create_dir(&folder).expect("a folder");
    site.check(0).shows("textfile");
    assert_eq!(
        fs::read_dir(&folder).expect("a folder").count(),
        0,
        "nothing is written"
    );
}

#[test]
fn a_folder_of_text_files_that_cannot_be_written() {
    let mut disk = SmallDisk::new(1 << 20);
    let site = Site::new(&textfile(&disk.path()));
    let path = disk.path();
    let show = |mut screen: Screen, name: &str| {
        screen.text = screen.text.replace(&path.display().to_string(), "DISK");
        screen.shows(name);
    };
    disk.fill();
    show(site.check(1), "textfile-full");
    disk.free();
    disk.read_only();
    show(site.check(1), "textfile-read-only");
    disk.writable();
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        chown(&path, Some(0), Some(0)).expect("chown");
        chown(site.home.state(), Some(65534), Some(65534)).expect("chown");
        fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        show(site.check(1), "textfile-not-ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("mode");
        let inner = path.join("inner");
        fs::create_dir(&inner).expect("a folder");
        site.home.settings(&textfile(&inner));
        show(site.check(1), "textfile-closed");
    }
}

#[test]
fn a_store_that_cannot_be_used() {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    let store = site.home.state().join("store.db");
    let whole = fs::read(&store).expect("read");
    let with = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(&store, file).expect("write");
    };
    // The `user_version`, and the `application_id`.
    with(60, &99_u32.to_be_bytes());
    site.check(1).shows("store-newer");
    with(68, b"else");
    site.check(1).shows("store-foreign");
    fs::write(
        &store,
        b"no database, and longer than a header of SQLite would be: nothing of it can be read at all",
    )
    .expect("write");
    site.check(1).shows("store-damaged");
    assert!(
        fs::read(&store).expect("read").starts_with(b"no database"),
        "it is not set aside"
    );
}
