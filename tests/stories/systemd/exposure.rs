//! What systemd's own tools say of the units of every collector that is built.

use std::path::Path;

use tidemark_settings::Span;
use tidemark_systemd::{Collector, Host, Unit, flush, units};
use tidemark_testkit::Systemd;

use super::{BOUND, add, described, machine, read_settings};

/// The most exposure that a service may have, in tenths.
const EXPOSURE: &str = "--threshold=15";

/// Settings with sinks of every kind: each alone, and all at once.
fn settings() -> Vec<(&'static str, String)> {
    let influxdb = "[[sink]]\ntype = \"influxdb\"\nurl = \"https://db.example.net:8086\"\ndatabase = \"metrics\"\n\
        username = \"u\"\npassword = { credential = \"influxdb-password\" }\nca_file = \"/etc/ssl/db.pem\"\n";
    let influxdb2 = "[[sink]]\ntype = \"influxdb2\"\nurl = \"https://db2.example.net\"\norg = \"o\"\nbucket = \"b\"\n\
        token = { file = \"/root/tokens/a b\" }\n";
    let remote_write = "[[sink]]\ntype = \"remote-write\"\nurl = \"https://prometheus.example.net/api/v1/write\"\n\
        username = \"u\"\npassword = { credential = \"prometheus-password\" }\n";
    let textfile = "[[sink]]\ntype = \"textfile\"\ndirectory = \"/var/lib/prometheus/node-exporter\"\n";
    vec![
        ("the store", String::new()),
        ("influxdb", influxdb.to_owned()),
        ("influxdb2", influxdb2.to_owned()),
        ("remote-write", remote_write.to_owned()),
        ("textfile", textfile.to_owned()),
        (
            "all",
            [
                influxdb,
                influxdb2,
                remote_write,
                textfile,
                "[[sink]]\ntype = \"store\"\n",
            ]
            .concat(),
        ),
    ]
}

/// The collectors that are built: the folders of `collectors/`.
fn collectors(machine: &Systemd) -> Vec<Collector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collectors");
    let entries = std::fs::read_dir(folder).expect("the workspace's collectors");
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    assert!(names.len() >= 3, "{names:?}");
    names
        .iter()
        .map(|name| described(machine, &add(machine, name)))
        .collect()
}

/// Writes units into a folder of their own on the machine.
fn write(machine: &Systemd, folder: &str, units: &[Unit]) {
    for unit in units {
        machine.install(format!("{folder}/{}", unit.file_name), &unit.text, 0o644, "root");
    }
    machine.install(
        format!("{folder}/tidemark.target"),
        "[Unit]\nDescription=tidemark\n",
        0o644,
        "root",
    );
}

/// Of each collector, by a timer and as a service that stays, and of the flush: `verify` has nothing to say, and
/// `security` no more than 1.5.
#[test]
fn units_of_every_collector_are_right_and_hardly_exposed() {
    let machine = machine();
    let collectors = collectors(&machine);
    for (number, (sinks, settings)) in settings().into_iter().enumerate() {
        let mut host = Host::of(&read_settings(&machine, &settings));
        if !host.sinks.write_paths.is_empty() {
            host.sinks.groups.push("prometheus".to_owned());
        }
        let mut made = flush(
            Path::new("/usr/bin/tidemark"),
            &["outbox", "flush", "--due"],
            &host,
        )
        .expect("units of the flush");
        for collector in &collectors {
            made.extend(units(collector, &host).expect("units"));
            let stays = Collector {
                name: format!("{}-stays", collector.name),
                interval: Span::secs(10),
                ..collector.clone()
            };
            made.extend(units(&stays, &host).expect("units"));
        }
        let folder = format!("/var/lib/units/{number}");
        write(&machine, &folder, &made);
        let analyze = |words: &str, files: &[String]| {
            let script = format!("cd {folder} && exec systemd-analyze {words} \"$@\"");
            machine
                .command(["sh", "-c", &script, "analyze"])
                .args(files)
                .bound(2 * BOUND)
                .run()
        };
        let files: Vec<String> = made.iter().map(|unit| format!("./{}", unit.file_name)).collect();
        let verified = analyze("verify --man=no", &files);
        assert_eq!(
            (verified.code, verified.stderr.as_str()),
            (Some(0), ""),
            "{sinks}"
        );
        let services: Vec<String> = files
            .into_iter()
            .filter(|file| file.ends_with(".service"))
            .collect();
        assert_eq!(services.len(), 1 + 2 * collectors.len());
        for service in &services {
            let words = format!("security --offline=yes --no-pager {EXPOSURE}");
            let judged = analyze(&words, std::slice::from_ref(service));
            let last = judged.stdout.lines().last().unwrap_or_default();
            assert_eq!(
                judged.code,
                Some(0),
                "{sinks}: {service}: {last}{}",
                judged.stderr
            );
        }
    }
}
