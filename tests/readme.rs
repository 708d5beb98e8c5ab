//! The README's table of collectors is what the collectors say of themselves.
//!
//! `TIDEMARK_REFRESH=1 cargo test -p tidemark-tests --test readme` writes it anew.

#![allow(
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidemark_testkit::{Run, asked, program};
use tidemark_tests::readme::{Readme, collectors, table};

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a collector says of itself.
fn describe(name: &str) -> Value {
    let ended = Run::new(program(&format!("tidemark-{name}")))
        .arg("--describe")
        .run()
        .expect_code(0);
    serde_json::from_str(&ended.stdout).expect("a description is JSON")
}

#[test]
fn the_readme_lists_every_collector_as_it_describes_itself() {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).expect("README.md");
    let readme = Readme::cut(&text);
    let descriptions: Vec<Value> = collectors(&root()).iter().map(|name| describe(name)).collect();
    let due = table(&descriptions);
    if asked("TIDEMARK_REFRESH").is_some() {
        let whole = [readme.before, &due, readme.after].concat();
        fs::write(&path, whole).expect("README.md can be written");
        return;
    }
    assert_eq!(
        readme.table, due,
        "TIDEMARK_REFRESH=1 cargo test -p tidemark-tests --test readme writes it anew"
    );
}

#[test]
fn each_folder_describes_a_collector_of_its_own_name() {
    for name in collectors(&root()) {
        assert_eq!(describe(&name)["name"], name.as_str());
    }
}
