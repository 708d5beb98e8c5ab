//! What is in the package, before anybody installs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tidemark_testkit::{Home, Run};
use tidemark_tests::readme::collectors;

use super::{MAKE, package, root};

/// `dpkg-deb` with that word on the package; what it prints.
fn dpkg_deb(word: &str) -> String {
    let run = Run::new("dpkg-deb").arg(word).arg(package());
    run.run().expect_code(0).stdout
}

/// The files of the package by their path, with mode and owner: `-rw-r--r-- 0/0`.
fn files() -> BTreeMap<String, String> {
    dpkg_deb("-c")
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[5].to_owned(), format!("{} {}", words[0], words[1]))
        })
        .collect()
}

/// The package, unpacked.
pub(super) fn unpacked() -> Home {
    let folder = Home::new();
    let run = Run::new("dpkg-deb").arg("-x").arg(package());
    run.arg(folder.path()).run().expect_code(0);
    folder
}

#[test]
fn every_collector_is_in_it_with_all_that_belongs_to_it() {
    let files = files();
    let names = collectors(root());
    assert!(names.len() >= 3, "{names:?}");
    let place = "./usr/lib/tidemark/collectors";
    for name in &names {
        assert_eq!(files[&format!("{place}/tidemark-{name}")], "-rwxr-xr-x 0/0");
        assert_eq!(files[&format!("{place}/{name}.json")], "-rw-r--r-- 0/0");
        assert!(files.contains_key(&format!("./usr/share/man/man1/tidemark-{name}.1.gz")));
    }
    // A program and its description each, and nothing else.
    let there = files.keys().filter(|path| path.starts_with(&format!("{place}/")));
    assert_eq!(there.filter(|path| !path.ends_with('/')).count(), 2 * names.len());
}

#[test]
fn all_is_owned_by_root_and_writable_by_nobody_else() {
    let files = files();
    for (path, mode) in &files {
        let expected = match path.as_str() {
            path if path.ends_with('/') => "drwxr-xr-x 0/0",
            "./etc/tidemark/tidemark.toml" | "./etc/default/tidemark" => "-rw-r----- 0/0",
            path if path.starts_with("./usr/bin/")
                || path.starts_with("./usr/lib/systemd/system-generators/")
                || path.starts_with("./usr/lib/tidemark/collectors/tidemark-") =>
            {
                "-rwxr-xr-x 0/0"
            }
            _ => "-rw-r--r-- 0/0",
        };
        assert_eq!(mode, expected, "{path}");
    }
    for path in [
        "./usr/bin/tidemark",
        "./usr/lib/systemd/system-generators/tidemark-generator",
        "./usr/lib/systemd/system/tidemark.target",
        "./usr/lib/systemd/system/tidemark-units.path",
        "./usr/lib/systemd/system/tidemark-units.service",
        "./usr/lib/sysusers.d/tidemark.conf",
        "./usr/lib/tmpfiles.d/tidemark.conf",
        "./usr/share/bash-completion/completions/tidemark",
        "./usr/share/zsh/vendor-completions/_tidemark",
        "./usr/share/fish/vendor_completions.d/tidemark.fish",
        "./usr/share/man/man1/tidemark.1.gz",
        "./usr/share/man/man8/tidemark-generator.8.gz",
        "./usr/share/tidemark/alerts/tidemark.rules.yml",
        "./usr/share/tidemark/alerts/tidemark.influxql",
        "./usr/share/tidemark/alerts/host.rules.yml",
        "./usr/share/tidemark/alerts/onefs.rules.yml",
        "./usr/share/tidemark/alerts/ubuntu.influxql",
        "./usr/share/tidemark/dashboards/host-prometheus.json",
        "./usr/share/tidemark/dashboards/onefs-overview-influxdb.json",
        "./usr/share/tidemark/dashboards/ubuntu-metrics.json",
        "./usr/share/doc/tidemark/README.md",
        "./usr/share/doc/tidemark/UPGRADING.md",
        "./usr/share/doc/tidemark/changelog.gz",
        "./usr/share/doc/tidemark/changelog.Debian.gz",
        "./usr/share/doc/tidemark/copyright",
        "./usr/share/doc/tidemark/libraries",
    ] {
        assert!(files.contains_key(path), "{path}: {:?}", files.keys());
    }
}

#[test]
fn it_says_what_it_needs() {
    let control = dpkg_deb("-f");
    let field = |name: &str| {
        let line = control.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {control}"))
            .trim()
            .to_owned()
    };
    assert_eq!(field("Package:"), "tidemark");
    assert_eq!(field("Version:"), super::OLD);
    let depends = field("Depends:");
    let depends: BTreeSet<&str> = depends.split(", ").collect();
    for needed in ["libc6 (>= 2.36)", "systemd (>= 252)"] {
        assert!(depends.contains(needed), "{depends:?}");
    }
    let suggests = field("Suggests:");
    assert_eq!(suggests, "distro-info-data, rsync");
    let conffiles = Run::new("dpkg-deb").arg("-I").arg(package()).arg("conffiles");
    let conffiles = conffiles.run().expect_code(0).stdout;
    let conffiles: BTreeSet<&str> = conffiles.lines().collect();
    assert_eq!(
        conffiles,
        BTreeSet::from([
            "/etc/default/tidemark",
            "/etc/needrestart/conf.d/tidemark.conf",
            "/etc/tidemark/tidemark.toml",
        ])
    );
}

/// The libraries are named with their licences, and nothing of where the package was built.
#[test]
fn it_names_the_libraries_that_it_holds() {
    let unpacked = unpacked();
    let text =
        fs::read_to_string(unpacked.path().join("usr/share/doc/tidemark/libraries")).expect("the list");
    assert!(text.lines().any(|line| line.starts_with("tokio v")), "{text}");
    for line in text.lines() {
        assert!(!line.contains('/') || !line.contains("(/"), "{line}");
        assert!(line.split_whitespace().count() >= 3, "no licence: {line}");
    }
}

/// Scripts that a shell of Debian, and no more than that, understands.
#[test]
fn its_scripts_are_scripts() {
    for name in ["preinst", "postinst", "prerm", "postrm"] {
        let script = root().join("units/debian").join(name);
        let parsed = Run::new("dash").arg("-n").arg(&script).run();
        assert_eq!((parsed.code, parsed.stderr.as_str()), (Some(0), ""), "{name}");
        let packed = Run::new("dpkg-deb").arg("-I").arg(package()).arg(name);
        let packed = packed.run().expect_code(0).stdout;
        assert_eq!(packed, fs::read_to_string(script).expect("a script"), "{name}");
    }
}

/// Debian's own judge finds nothing: no error, and no warning but those that lintian-overrides answers.
#[test]
fn lintian_finds_nothing() {
    let run = Run::new("lintian").args(["--allow-root", "--fail-on", "error,warning"]);
    let ended = run.arg(package()).env("LC_ALL", "C.UTF-8").bound(MAKE).run();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), ""),
        "{}",
        ended.stderr
    );
}
