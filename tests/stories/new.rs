//! A new collector, made by the command: it builds, passes its own test, is listed everywhere, and runs into the store.
//!
//! It is made in a copy of the workspace, and built into a folder of its own that is kept for the next time: cargo would
//! take the copy's crates for the workspace's, and put its own in the place of those that other tests are linked with.
//! Only the new collector is built; the others and the operator's command are the workspace's, from a folder where all
//! of them are installed.

use std::fs;
use std::os::unix::fs::symlink;
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
    /// What is built of it.
    target: PathBuf,
}

impl Workspace {
    fn copy() -> Self {
        let home = Home::new();
        let programs = program("tidemark").parent().expect("a folder").to_owned();
        let workspace = Self {
            root: home.path().join("workspace"),
            target: programs.parent().expect("a folder above").join("new-collector"),
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
        let output = Command::new(option_env!("CARGO").unwrap_or("cargo"))
            .args(line.split_whitespace())
            .current_dir(&self.root)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", &self.target)
            // Quicker to build where nothing is from before.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("RUSTDOCFLAGS", "-D warnings")
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {line}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The folder where all collectors are installed: the new one, and those of the workspace.
    fn installed(&self) -> PathBuf {
        let folder = self.home.path().join("collectors");
        fs::create_dir(&folder).expect("a folder");
        for name in collectors(&self.root) {
            let file = format!("tidemark-{name}");
            let built = match name.as_str() {
                NAME => self.target.join("debug").join(&file),
                _ => program(&file),
            };
            symlink(built, folder.join(file)).expect("a link");
        }
        folder
    }

    /// What is in the Debian package that is made of the copy, and of the programs that are installed.
    fn packed(&self) -> String {
        let programs = self.home.path().join("collectors");
        for name in ["tidemark", "tidemark-generator"] {
            symlink(program(name), programs.join(name)).expect("a link");
        }
        let tools = self.target.parent().expect("a folder above").join("tools");
        fs::create_dir(self.root.join("target")).expect("a folder");
        symlink(tools, self.root.join("target/tools")).expect("a link");
        let package = self.home.path().join("tidemark.deb");
        let made = Command::new(self.root.join("units/debian/build"))
            .arg("--programs")
            .arg(programs)
            .arg("--output")
            .arg(&package)
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .expect("units/debian/build is there");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let listed = Run::new("dpkg-deb").arg("-c").arg(package).bound(BOUND);
        listed.run().expect_code(0).stdout
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

    // It is in the house's style, passes its own tests, and builds.
    workspace.cargo("fmt --package tidemark-try-2out -- --check");
    let tests = workspace.cargo("test --package tidemark-try-2out --locked");
    assert!(tests.contains("6 passed; 0 failed"), "{tests}");
    workspace.cargo("build --package tidemark-try-2out --bins --locked");
    if asked("TIDEMARK_LINTS").is_some() {
        workspace.cargo("clippy --package tidemark-try-2out --all-targets --locked -- -D warnings");
        workspace.cargo("doc --package tidemark-try-2out --no-deps --locked");
    }

    // The README says of it what it says of itself.
    let installed = workspace.installed();
    let run = |program: PathBuf| {
        let run = workspace.home.at_home(Run::new(program)).bound(BOUND);
        run.env("TIDEMARK_COLLECTORS", &installed)
    };
    let describe = |name: &String| {
        let ended = run(installed.join(format!("tidemark-{name}")))
            .arg("--describe")
            .run();
        serde_json::from_str::<Value>(&ended.expect_code(0).stdout).expect("JSON")
    };
    let descriptions: Vec<Value> = collectors(&workspace.root).iter().map(describe).collect();
    assert!(descriptions.iter().any(|description| description["name"] == NAME));
    assert_eq!(
        Readme::cut(&workspace.read("README.md")).table,
        table(&descriptions)
    );

    // It runs, into the store, and everything knows it.
    run(installed.join("tidemark-try-2out")).run().expect_code(0);
    let list = run(program("tidemark")).arg("list").run().expect_code(0).stdout;
    let row = list
        .lines()
        .find(|line| line.starts_with(NAME))
        .expect("a row in the list");
    assert!(
        row.contains("off: needs [collector.try-2out] in the settings"),
        "{row}"
    );
    let show = run(program("tidemark"))
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

    // It is in the package, with all that belongs to it.
    let packed = workspace.packed();
    for file in [
        "lib/tidemark/collectors/tidemark-try-2out",
        "lib/tidemark/collectors/try-2out.json",
        "share/man/man1/tidemark-try-2out.1.gz",
    ] {
        assert!(packed.contains(&format!(" ./usr/{file}\n")), "{file}: {packed}");
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
