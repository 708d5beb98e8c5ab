//! What `systemd-analyze` says, the real one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use tidemark_systemd::Unit;

use crate::cases;

/// The most exposure that a service may have, in tenths.
const EXPOSURE: &str = "--threshold=15";

/// A folder with the units, and with what they name on a host that has tidemark: the target, and programs.
fn written(units: &[Unit]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for unit in units {
        // `verify` wants to see the program.
        let text: String = unit
            .text
            .lines()
            .map(|line| match line.strip_prefix("ExecStart=") {
                Some(command) => {
                    let arguments = command
                        .split_once(if command.starts_with('"') { "\" " } else { " " })
                        .map_or("", |(_, arguments)| arguments);
                    format!("ExecStart=/bin/true {arguments}\n")
                }
                None => format!("{line}\n"),
            })
            .collect();
        fs::write(folder.path().join(&unit.file_name), text).unwrap();
    }
    fs::write(
        folder.path().join("tidemark.target"),
        "[Unit]\nDescription=tidemark\n",
    )
    .unwrap();
    folder
}

fn analyze(folder: &Path, arguments: &[&str], file: &str) -> (String, String, bool) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(format!("./{file}"))
        .current_dir(folder)
        .env("SYSTEMD_LOG_LEVEL", "info")
        .output()
        .expect("systemd-analyze is installed: tests/run does it");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.success(),
    )
}

#[test]
fn verify_is_silent() {
    for (case, units) in cases::all() {
        let folder = written(&units);
        for unit in &units {
            let (_, said, ok) = analyze(folder.path(), &["verify", "--man=no"], &unit.file_name);
            assert_eq!(said, "", "{case}: {}", unit.file_name);
            assert!(ok, "{case}: {}", unit.file_name);
        }
    }
}

#[test]
fn verify_finds_what_is_wrong() {
    let mut units = cases::all().remove(0).1;
    units[0].text.push_str("ProtectEverything=yes\n");
    let folder = written(&units);
    let (_, said, _) = analyze(folder.path(), &["verify", "--man=no"], &units[0].file_name);
    assert!(said.contains("ProtectEverything"), "{said}");
}

#[test]
fn services_are_hardly_exposed() {
    let mut exposures = BTreeMap::new();
    for (case, units) in cases::all() {
        let folder = written(&units);
        let arguments = ["security", "--offline=yes", "--no-pager", EXPOSURE];
        let (table, said, ok) = analyze(folder.path(), &arguments, &units[0].file_name);
        assert!(ok, "{case}: {said}{table}");
        let overall = table
            .split("Overall exposure level for ")
            .nth(1)
            .expect("the last line");
        let exposure = overall.split_ascii_whitespace().nth(1).expect("a figure");
        exposures.insert(case, exposure.parse::<f64>().expect("a figure"));
    }
    println!("{exposures:?}");
    assert!(
        exposures.values().all(|exposure| *exposure <= 1.5),
        "{exposures:?}"
    );
    // Where no network is needed, little is left.
    for (case, most) in [("host", 0.6), ("queue", 0.4), ("sponsoring", 1.2)] {
        assert!(exposures[case] <= most, "{exposures:?}");
    }
}

#[test]
fn exposure_is_measured() {
    let mut units = cases::all().remove(0).1;
    units[0].text = units[0]
        .text
        .replace("PrivateUsers=yes", "")
        .replace("NoNewPrivileges=yes", "")
        .replace("CapabilityBoundingSet=\n", "");
    let folder = written(&units);
    let arguments = ["security", "--offline=yes", "--no-pager", EXPOSURE];
    let (table, _, ok) = analyze(folder.path(), &arguments, &units[0].file_name);
    assert!(!ok, "{table}");
}
