//! Who may import whom, and the rules of the house that a text search can hold.
//!
//! Each rule is a function from what is there to what is wrong; a test beside it shows that it does find the fault.

#![allow(
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate of lib may use of the others. A new crate gets a row.
const LIB: &[(&str, &[&str])] = &[
    ("tidemark-point", &[]),
    ("tidemark-derive", &[]),
    ("tidemark-settings", &[]),
    (
        "tidemark-collect",
        &["tidemark-point", "tidemark-settings", "tidemark-derive"],
    ),
    ("tidemark-store", &["tidemark-point"]),
    (
        "tidemark-delivery",
        &[
            "tidemark-point",
            "tidemark-settings",
            "tidemark-collect",
            "tidemark-store",
        ],
    ),
    (
        "tidemark-app",
        &[
            "tidemark-point",
            "tidemark-settings",
            "tidemark-collect",
            "tidemark-delivery",
            "tidemark-store",
        ],
    ),
    ("tidemark-idic", &["tidemark-settings"]),
    (
        "tidemark-expose",
        &["tidemark-point", "tidemark-settings", "tidemark-collect"],
    ),
    ("tidemark-systemd", &["tidemark-settings"]),
    (
        "tidemark-catalogue",
        &[
            "tidemark-settings",
            "tidemark-collect",
            "tidemark-idic",
            "tidemark-systemd",
        ],
    ),
    // What collectors share that look at one field: they may use it, nothing else of lib does.
    ("tidemark-ubuntu", &["tidemark-collect"]),
    ("tidemark-reports", &["tidemark-ubuntu"]),
    // OneFS's platform API.
    ("tidemark-papi", &["tidemark-collect"]),
    (TESTKIT, &[]),
];
/// What a collector may use.
const COLLECTOR: &[&str] = &[
    "tidemark-collect",
    "tidemark-app",
    "tidemark-ubuntu",
    "tidemark-reports",
    "tidemark-papi",
    "tidemark-idic",
    "tidemark-expose",
];
/// For tests alone.
const TESTKIT: &str = "tidemark-testkit";
/// The model does no I/O: none of these.
const NOT_IN_POINT: &[&str] = &["tokio", "reqwest", "sqlx", "rustix", "rustls", "tracing"];

/// Where a method that clippy.toml bans may be called, each for the reason given there.
const MAY_ALLOW_BANNED: &[&str] = &[
    // The one reader of the environment.
    "lib/settings/src/environment.rs",
    // The one clock.
    "lib/collect/src/clock.rs",
    // How much a test is asked to do.
    "lib/testkit/src/asked.rs",
    // A real server has the real time.
    "lib/testkit/src/prometheus/tests.rs",
    "lib/testkit/src/onefs/time.rs",
    // What a test tells the process that it starts.
    "lib/store/tests/disk.rs",
    "lib/store/tests/recovery.rs",
];
/// Names of files that hold everything and nothing.
const NO_NAMES: &[&str] = &[
    "mod.rs",
    "util.rs",
    "utils.rs",
    "helper.rs",
    "helpers.rs",
    "misc.rs",
    "common.rs",
];
/// A file that is longer is two.
const MAX_LINES: usize = 700;

/// A member of the workspace.
struct Member {
    name: String,
    /// Its folder from the root: `lib/point`.
    folder: String,
    binaries: Vec<String>,
    /// Names and whether they are for tests alone.
    dependencies: Vec<(String, bool)>,
}

#[test]
fn imports_point_one_way() {
    let members = members(&metadata(), &root());
    assert!(members.len() >= 10, "only {} members", members.len());
    let wrong: Vec<String> = members
        .iter()
        .flat_map(|member| wrong_imports(member, &members))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_member_is_named_as_its_folder() {
    let wrong: Vec<String> = members(&metadata(), &root())
        .iter()
        .filter_map(wrong_name)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn manifests_take_versions_and_lints_from_the_root() {
    let root = root();
    let mut wrong = Vec::new();
    for member in members(&metadata(), &root) {
        let path = format!("{}/Cargo.toml", member.folder);
        let text = fs::read_to_string(root.join(&path)).expect("a member's manifest");
        wrong.extend(wrong_manifest(&path, &text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_environment_and_the_clock_are_banned() {
    let text = fs::read_to_string(root().join("clippy.toml")).expect("clippy.toml");
    for banned in [
        "std::env::var",
        "std::env::var_os",
        "std::thread::sleep",
        "std::time::SystemTime::now",
    ] {
        assert!(
            text.contains(&format!("path = \"{banned}\", reason = ")),
            "clippy.toml does not ban {banned}"
        );
    }
}

/// Version 1.0 holds no tables of Unicode, which are 0.12 MB of each program; an update would take 1.2 without a word.
#[test]
fn urls_bring_no_tables_of_unicode() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    assert!(
        lock.contains("name = \"idna_adapter\"\nversion = \"1.0."),
        "cargo update -p idna_adapter --precise 1.0.0"
    );
}

#[test]
fn sources_keep_the_rules() {
    let root = root();
    let sources = sources(&root);
    // The folder that this workspace lies in; none where that is the filesystem's root.
    let folder = root.parent().filter(|folder| folder.parent().is_some());
    let machine = folder
        .map(|folder| format!("{}/", folder.display()))
        .unwrap_or_default();
    assert!(sources.len() > 50, "only {} sources", sources.len());
    let mut wrong = Vec::new();
    for path in sources {
        let text = fs::read_to_string(root.join(&path)).expect("a source");
        wrong.extend(wrong_source(&path, &text, &machine));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a member uses that it may not.
fn wrong_imports(member: &Member, members: &[Member]) -> Vec<String> {
    let room = member.folder.split('/').next().unwrap_or("");
    let row = LIB.iter().find(|(name, _)| *name == member.name);
    let may: Vec<&str> = match (room, row) {
        ("lib", Some((_, may))) => may.to_vec(),
        ("lib", None) => {
            return vec![format!(
                "{}: give it a row in LIB in tests/imports.rs",
                member.name
            )];
        }
        ("collectors", _) => COLLECTOR.to_vec(),
        ("bin", _) => LIB
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != TESTKIT)
            .collect(),
        // Tests see everything, and nobody sees them.
        ("tests", _) => return Vec::new(),
        _ => {
            return vec![format!(
                "{}: {} is no room of the house",
                member.name, member.folder
            )];
        }
    };
    let mut wrong = Vec::new();
    for (name, for_tests) in &member.dependencies {
        let ours = members.iter().any(|other| other.name == *name);
        let allowed = may.contains(&name.as_str()) || (*for_tests && name == TESTKIT);
        if ours && !allowed {
            wrong.push(format!("{} ({}) may not use {name}", member.name, member.folder));
        }
        if member.name == "tidemark-point" && !for_tests && NOT_IN_POINT.contains(&name.as_str()) {
            wrong.push(format!("tidemark-point does no I/O: it may not use {name}"));
        }
    }
    wrong
}

/// Package, folder and binary share one name.
fn wrong_name(member: &Member) -> Option<String> {
    let (room, folder) = member.folder.split_once('/').unwrap_or(("", &member.folder));
    let expected = match (room, folder) {
        // The folders of programs that are no collectors are called as these are.
        ("bin", _) => folder.to_owned(),
        _ => format!("tidemark-{folder}"),
    };
    let binaries_fit = match room {
        "collectors" | "bin" => member.binaries == [expected.as_str()],
        _ => member.binaries.is_empty(),
    };
    (member.name != expected || !binaries_fit).then(|| {
        format!(
            "{}: the package is {}, its binaries {:?}; name it {expected}",
            member.folder, member.name, member.binaries
        )
    })
}

/// Versions and lints are said once, in the root.
fn wrong_manifest(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.contains("[lints]\nworkspace = true") {
        wrong.push(format!("{path}: write `[lints]` with `workspace = true`"));
    }
    let mut section = "";
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && line.contains('=')
            && !line.starts_with('#')
            && !line.contains("workspace = true")
        {
            wrong.push(format!(
                "{path}: {line}: name the version in the root's [workspace.dependencies]"
            ));
        }
    }
    wrong
}

/// What a source file may not hold; `machine` is where it lies on this one.
fn wrong_source(path: &str, text: &str, machine: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    // A helper of integration tests that is no test itself has to be called so.
    let helper = path.ends_with("/tests/common/mod.rs");
    if NO_NAMES.contains(&name) && !helper {
        wrong.push(format!("{path}: name a file after what is in it"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        wrong.push(format!(
            "{path}: {lines} lines, more than {MAX_LINES}: split it at the noun"
        ));
    }
    // This file names them all.
    if path == "tests/imports.rs" {
        return wrong;
    }
    for (number, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", number + 1);
        if line.contains("disallowed_methods") && !MAY_ALLOW_BANNED.contains(&path) {
            wrong.push(format!(
                "{place}: calls what clippy.toml bans; tests/imports.rs lists who may"
            ));
        }
        if line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code") {
            wrong.push(format!("{place}: no unsafe code"));
        }
        // A plan is not a comment: a thing is done, or it is not there.
        for word in ["TODO", "FIXME", "XXX", "HACK"] {
            if words(line).any(|found| found == word) {
                wrong.push(format!("{place}: {word}"));
            }
        }
        // One machine's paths mean nothing on another.
        if !machine.is_empty() && line.contains(machine) {
            wrong.push(format!("{place}: a path of one machine"));
        }
    }
    wrong
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the root")
        .to_owned()
}

fn metadata() -> Value {
    let output = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
}

fn members(metadata: &Value, root: &Path) -> Vec<Member> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut members = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = PathBuf::from(text(package, "manifest_path"));
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok());
        let targets = package["targets"].as_array().into_iter().flatten();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        members.push(Member {
            name: text(package, "name"),
            folder: folder
                .expect("a member lies in the workspace")
                .display()
                .to_string(),
            binaries: targets
                .filter(|target| target["kind"][0] == "bin")
                .map(|target| text(target, "name"))
                .collect(),
            dependencies: dependencies
                .map(|dependency| (text(dependency, "name"), dependency["kind"] == "dev"))
                .collect(),
        });
    }
    members
}

/// The paths of all Rust sources, from the root.
fn sources(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["lib", "collectors", "bin", "tests", "fuzz"]
        .iter()
        .map(|room| root.join(room))
        .collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(
                    path.strip_prefix(root)
                        .expect("below the root")
                        .display()
                        .to_string(),
                );
            }
        }
    }
    found.sort();
    found
}

fn member(name: &str, folder: &str, dependencies: &[(&str, bool)]) -> Member {
    let dependencies = dependencies
        .iter()
        .map(|(name, for_tests)| ((*name).to_owned(), *for_tests))
        .collect();
    Member {
        name: name.to_owned(),
        folder: folder.to_owned(),
        binaries: Vec::new(),
        dependencies,
    }
}

#[test]
fn a_wrong_import_is_found() {
    let members: Vec<Member> = [
        ("tidemark-point", "lib/point"),
        ("tidemark-app", "lib/app"),
        ("tidemark-delivery", "lib/delivery"),
        ("tidemark-host", "collectors/host"),
        (TESTKIT, "lib/testkit"),
    ]
    .iter()
    .map(|(name, folder)| member(name, folder, &[]))
    .collect();
    let cases: BTreeMap<&str, (Member, usize)> = BTreeMap::from([
        (
            "upwards",
            (
                member("tidemark-point", "lib/point", &[("tidemark-app", false)]),
                1,
            ),
        ),
        (
            "upwards in a test",
            (
                member("tidemark-point", "lib/point", &[("tidemark-app", true)]),
                1,
            ),
        ),
        (
            "a collector from lib",
            (member("tidemark-app", "lib/app", &[("tidemark-host", false)]), 1),
        ),
        (
            "past app",
            (
                member("tidemark-x", "collectors/x", &[("tidemark-delivery", false)]),
                1,
            ),
        ),
        (
            "testkit in a program",
            (member("tidemark-x", "collectors/x", &[(TESTKIT, false)]), 1),
        ),
        (
            "testkit in a test",
            (member("tidemark-x", "collectors/x", &[(TESTKIT, true)]), 0),
        ),
        (
            "testkit in the command",
            (member("tidemark", "bin/tidemark", &[(TESTKIT, false)]), 1),
        ),
        (
            "as it should be",
            (
                member(
                    "tidemark-x",
                    "collectors/x",
                    &[("tidemark-app", false), ("serde", false)],
                ),
                0,
            ),
        ),
        (
            "I/O in the model",
            (member("tidemark-point", "lib/point", &[("tokio", false)]), 1),
        ),
        ("a lib without a row", (member("tidemark-new", "lib/new", &[]), 1)),
        ("a new room", (member("tidemark-new", "more/new", &[]), 1)),
    ]);
    for (case, (member, expected)) in cases {
        assert_eq!(wrong_imports(&member, &members).len(), expected, "{case}");
    }
}

#[test]
fn a_wrong_name_is_found() {
    let named = |name: &str, folder: &str, binary: &str| {
        let binaries = if binary.is_empty() {
            Vec::new()
        } else {
            vec![binary.to_owned()]
        };
        wrong_name(&Member {
            binaries,
            ..member(name, folder, &[])
        })
        .is_none()
    };
    assert!(named("tidemark-host", "collectors/host", "tidemark-host"));
    assert!(named("tidemark", "bin/tidemark", "tidemark"));
    assert!(named(
        "tidemark-generator",
        "bin/tidemark-generator",
        "tidemark-generator"
    ));
    assert!(named("tidemark-point", "lib/point", ""));
    assert!(named("tidemark-tests", "tests", ""));
    assert!(!named("tidemark-hosts", "collectors/host", "tidemark-host"));
    assert!(!named("tidemark-host", "collectors/host", "host"));
    assert!(!named("tidemark-point", "lib/point", "point"));
    assert!(!named(
        "tidemark-generator",
        "bin/generator",
        "tidemark-generator"
    ));
}

#[test]
fn a_wrong_manifest_or_source_is_found() {
    let good = "[dependencies]\n# Why.\nserde.workspace = true\nx = { workspace = true, optional = true }\n\n[lints]\nworkspace = true\n";
    assert!(wrong_manifest("p", good).is_empty());
    assert_eq!(
        wrong_manifest("p", &good.replace("serde.workspace = true", "serde = \"1\"")).len(),
        1
    );
    assert_eq!(wrong_manifest("p", "[dependencies]\n").len(), 1);

    let wrong = |path: &str, text: &str| wrong_source(path, text, "/elsewhere/").len();
    assert_eq!(wrong("lib/x/src/a.rs", "fn f() {}\n"), 0);
    assert_eq!(wrong("lib/x/src/utils.rs", "fn f() {}\n"), 1);
    assert_eq!(wrong("lib/x/src/common/mod.rs", "fn f() {}\n"), 1);
    assert_eq!(wrong("lib/x/tests/common/mod.rs", "fn f() {}\n"), 0);
    assert_eq!(
        wrong("lib/x/src/a.rs", "#[allow(clippy::disallowed_methods)]\n"),
        1
    );
    assert_eq!(
        wrong(
            MAY_ALLOW_BANNED[0],
            "#[expect(clippy::disallowed_methods, reason = \"\")]\n"
        ),
        0
    );
    assert_eq!(wrong("lib/x/src/a.rs", "#![allow(unsafe_code)]\n"), 1);
    assert_eq!(wrong("lib/x/src/a.rs", "// TODO: later\n"), 1);
    assert_eq!(wrong("lib/x/src/a.rs", "const TODOS: u8 = 1;\n"), 0);
    assert_eq!(wrong("lib/x/src/a.rs", "read(\"/elsewhere/x\")\n"), 1);
    assert_eq!(wrong("lib/x/src/a.rs", &"x\n".repeat(MAX_LINES)), 0);
    assert_eq!(wrong("lib/x/src/a.rs", &"x\n".repeat(MAX_LINES + 1)), 1);
}
