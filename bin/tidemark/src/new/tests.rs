//! Whole calls, in a folder that looks like a checkout.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use super::*;

const README: &str = "# x\n<!-- collectors: how -->\n| collector |\n|---|\n<!-- /collectors -->\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tidemark-app\"\nversion = \"0.1.0\"\ndependencies = [\n \
                    \"tidemark-app\",\n \"tidemark-collect\",\n \"tidemark-testkit\",\n \"tokio\",\n]\n";

fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("collectors/host/src")).expect("a folder");
    for (name, text) in [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"lib/*\", \"collectors/*\"]\n",
        ),
        ("README.md", README),
        ("Cargo.lock", LOCK),
        ("collectors/host/Cargo.toml", "[package]\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("write");
    }
    folder
}

/// What [`new`] does before it prints.
fn make(name: &str, dir: &Path) -> Result<(), Failure> {
    let name = Name::new(name).map_err(Failure::usage)?;
    Checkout::find(dir)?.add(&name)
}

/// All files below a folder; a folder is a path that ends with a slash.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below it").display().to_string();
            if path.is_dir() {
                found.insert(name + "/", String::new());
                folders.push(path);
            } else {
                found.insert(name, fs::read_to_string(path).expect("text"));
            }
        }
    }
    found
}

/// It fails with that exit code and these words, and nothing has changed.
#[track_caller]
fn fails(folder: &Path, name: &str, dir: &Path, code: u8, words: &[&str]) {
    let before = files(folder);
    let failure = make(name, dir).expect_err("a failure");
    let said = failure.to_string();
    assert_eq!((failure.code(), said.lines().count()), (code, 1), "{said}");
    for word in words {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(files(folder), before);
}

#[test]
fn a_collector_is_made_from_anywhere_in_the_checkout() {
    let folder = checkout();
    let before = files(folder.path());
    make("disk-health", &folder.path().join("collectors/host/src")).expect("it is made");
    let after = files(folder.path());
    let mut added: Vec<&str> = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .map(String::as_str)
        .collect();
    added.retain(|path| !path.ends_with('/'));
    assert_eq!(
        added,
        [
            "collectors/disk-health/Cargo.toml",
            "collectors/disk-health/fixtures/expected.influx",
            "collectors/disk-health/fixtures/proc/meminfo",
            "collectors/disk-health/src/lib.rs",
            "collectors/disk-health/src/main.rs",
            "collectors/disk-health/src/tests.rs",
        ]
    );
    assert_eq!(
        after["collectors/disk-health/src/main.rs"],
        "//! The program `tidemark-disk-health`.\n\ntidemark_app::main!(tidemark_disk_health::DiskHealth);\n"
    );
    assert!(
        after["README.md"].contains("| [`disk-health`](collectors/disk-health) | 5m | with its section |")
    );
    assert!(
        after["Cargo.lock"]
            .contains("\n\n[[package]]\nname = \"tidemark-disk-health\"\nversion = \"0.1.0\"\n")
    );
    let unchanged = ["Cargo.toml", "collectors/host/Cargo.toml"];
    assert!(unchanged.iter().all(|path| after[*path] == before[*path]));

    fails(
        folder.path(),
        "disk-health",
        folder.path(),
        2,
        &["collectors/disk-health exists"],
    );
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let folder = checkout();
    let root = folder.path();
    fails(root, "Disk", root, 2, &["\"Disk\" is no name for a collector"]);
    fails(root, "hub", root, 2, &["reserved"]);
    fails(root, "app", root, 2, &["reserved"]);
    fails(root, "x", &root.join("gone"), 2, &["gone: No such file"]);

    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().display().to_string();
    fails(
        root,
        "x",
        elsewhere.path(),
        2,
        &[&path, "is in no checkout", "--dir"],
    );

    fs::write(root.join("collectors/file"), "").expect("write");
    fails(root, "file", root, 2, &["collectors/file exists"]);

    fs::write(root.join("README.md"), "# x\n").expect("write");
    fails(root, "x", root, 2, &["README.md has no line", "<!-- collectors:"]);
    fs::remove_file(root.join("README.md")).expect("remove");
    fails(
        root,
        "x",
        root,
        1,
        &["README.md is not there", "git restore README.md"],
    );
    fs::write(root.join("README.md"), README).expect("write");

    fs::write(root.join("Cargo.lock"), "version = 4\n").expect("write");
    fails(root, "x", root, 2, &["Cargo.lock lists no packages"]);
    fs::write(root.join("Cargo.lock"), LOCK).expect("write");

    // The collectors are away: what was put in its place before is taken back.
    fs::rename(root.join("collectors"), root.join("away")).expect("rename");
    fails(root, "x", root, 1, &["collectors/x cannot be put in its place"]);
}
