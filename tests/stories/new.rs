//! A new collector, made by the command: it builds, passes its own test, is listed everywhere, and runs into the store.
//!
//! It is made in a copy of the workspace. Only what is new of the copy is built: cargo knows the rest again, as files and
//! paths below the workspace are the same, in the folder that the workspace's own build left behind. The programs go to
//! a folder of their own, so that no other story meets one more collector.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tidemark_testkit::{Home, Run, asked, program};
use tidemark_tests::readme::{Readme, collectors, table};

use crate::scene::BOUND;

/// With a dash and a digit, and at the end of every list.
const NAME: &str = "try-2out";

/// A copy of the workspace.
struct Workspace {
    home: Home,
    /// Where it is.
    root: PathBuf,
    /// What this story was built in.
    build: PathBuf,
    /// Of `target/`: `debug` or another.
    profile: String,
}

impl Workspace {
    fn copy() -> Self {
        let home = Home::new();
        let programs = program("tidemark").parent().expect("a folder").to_owned();
        let workspace = Self {
            root: home.path().join("workspace"),
            build: programs.parent().expect("a folder above").to_owned(),
            profile: programs
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            home,
        };
        let original = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the workspace");
        let list = Command::new("git")
            // Whoever owns the checkout: it is this one.
            .args([
                "-c",
                "safe.directory=*",
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(original)
            .output()
            .expect("git runs");
        assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
        for path in list
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            let path = std::str::from_utf8(path).expect("a path in UTF-8");
            let (from, to) = (original.join(path), workspace.root.join(path));
            // One that is removed and not yet committed.
            let Ok(file) = fs::File::open(&from) else { continue };
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(&from, &to).expect("a copy");
            // What is as old as the original is as built as the original.
            let modified = file.metadata().and_then(|file| file.modified()).expect("a time");
            let copy = fs::File::options().write(true).open(&to).expect("the copy");
            copy.set_modified(modified).expect("its time");
        }
        workspace
    }

    /// cargo in the copy, without the network; its standard output.
    #[track_caller]
    fn cargo(&self, line: &str) -> String {
        self.cargo_into(&self.target(), line)
    }

    /// The same, where what it makes for people and programs goes to that folder.
    #[track_caller]
    fn cargo_into(&self, target: &Path, line: &str) -> String {
        let output = Command::new(option_env!("CARGO").unwrap_or("cargo"))
            .args(line.split_whitespace())
            .current_dir(&self.root)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_BUILD_BUILD_DIR", &self.build)
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTDOCFLAGS", "-D warnings")
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {line}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same with the profile that this story was built in.
    #[track_caller]
    fn cargo_in_profile(&self, line: &str) -> String {
        match self.profile.as_str() {
            "debug" => self.cargo(line),
            profile => self.cargo(&format!("{line} --profile {profile}")),
        }
    }

    fn target(&self) -> PathBuf {
        self.home.path().join("target")
    }

    /// A program of the copy, at home here.
    fn run(&self, name: &str) -> Run {
        let program = self.target().join(&self.profile).join(name);
        self.home.at_home(Run::new(program)).bound(BOUND)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect(path)
    }
}

#[test]
fn a_new_collector_builds_is_listed_and_runs_with_nothing_else_to_edit() {
    let workspace = Workspace::copy();
    let lock_before = workspace.read("Cargo.lock");
    let made = workspace
        .home
        .run("tidemark")
        .args(["new", NAME])
        .current_dir(workspace.root.join("lib/app"))
        .run()
        .expect_code(0);
    assert!(
        made.stdout.contains("cargo test -p tidemark-try-2out"),
        "{}",
        made.stdout
    );

    // Cargo.lock is what cargo makes of it. (`metadata` would need the packages of all platforms, and the network.)
    let lock = workspace.read("Cargo.lock");
    workspace.cargo("tree --workspace --locked");
    fs::write(workspace.root.join("Cargo.lock"), lock_before).expect("written");
    workspace.cargo("tree --workspace");
    assert_eq!(workspace.read("Cargo.lock"), lock);

    // It is in the house's style, builds as the others do, and passes its own tests.
    workspace.cargo("fmt --package tidemark-try-2out -- --check");
    workspace.cargo_in_profile("build --workspace --bins --locked");
    let tests = "test --workspace --all-features --lib --locked --no-run --message-format json";
    let tests = own_tests(&workspace.cargo_in_profile(tests));
    let folder = workspace.root.join("collectors").join(NAME);
    let ended = Run::new(tests)
        .current_dir(folder)
        .bound(BOUND)
        .run()
        .expect_code(0);
    assert!(ended.stdout.contains("6 passed; 0 failed"), "{}", ended.stdout);
    // Where the whole workspace was looked at before, as `tests/run` does, that is a matter of seconds.
    if asked("TIDEMARK_LINTS").is_some() {
        workspace.cargo("clippy --workspace --all-targets --all-features --locked -- -D warnings");
        // Where the pages of the others are.
        let pages = "doc --workspace --no-deps --all-features --locked";
        workspace.cargo_into(&workspace.build, pages);
    }

    // The README says of it what it says of itself.
    let describe = |name: &String| {
        let ended = workspace.run(&format!("tidemark-{name}")).arg("--describe").run();
        serde_json::from_str::<Value>(&ended.expect_code(0).stdout).expect("JSON")
    };
    let descriptions: Vec<Value> = collectors(&workspace.root).iter().map(describe).collect();
    assert!(descriptions.iter().any(|description| description["name"] == NAME));
    assert_eq!(
        Readme::cut(&workspace.read("README.md")).table,
        table(&descriptions)
    );

    // It runs, into the store, and everything knows it.
    workspace.run("tidemark-try-2out").run().expect_code(0);
    let list = workspace.run("tidemark").arg("list").run().expect_code(0).stdout;
    let row = list
        .lines()
        .find(|line| line.starts_with(NAME))
        .expect("a row in the list");
    assert!(
        row.contains("off: needs [collector.try-2out] in the settings"),
        "{row}"
    );
    let show = workspace
        .run("tidemark")
        .args(["show", NAME, "--output", "influx"])
        .run()
        .expect_code(0);
    let lines: Vec<&str> = show.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", show.stdout);
    for (line, kind) in lines.iter().zip(["Dirty", "MemAvailable"]) {
        assert!(
            line.starts_with(&format!("try_2out,kind={kind} size_bytes=")),
            "{line}"
        );
    }

    // A second one of that name is refused.
    let again = workspace
        .home
        .run("tidemark")
        .args(["new", NAME, "--dir"])
        .arg(&workspace.root)
        .run();
    let again = again.expect_code(2);
    assert!(
        again.stderr.contains("collectors/try-2out exists"),
        "{}",
        again.stderr
    );
}

/// The program with the collector's own tests, in what cargo says of a build.
fn own_tests(messages: &str) -> PathBuf {
    let mut messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ours = messages.find(|message| {
        message["target"]["name"] == "tidemark_try_2out" && message["executable"].is_string()
    });
    PathBuf::from(ours.expect("its tests")["executable"].as_str().expect("a path"))
}
