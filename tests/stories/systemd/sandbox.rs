//! What a collector may see and do under its unit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidemark_systemd::Host;
use tidemark_testkit::{SinkServer, Systemd};

use super::{HOST, describe, drop_in, install, machine, script};

/// A point's measurement and tags, and its fields.
type Figures = BTreeMap<String, BTreeMap<String, Value>>;

fn figures(points: &str) -> Figures {
    let points: Vec<Value> = serde_json::from_str(points).unwrap_or_else(|why| panic!("{why}: {points}"));
    let fields = |point: &Value| serde_json::from_value(point["fields"].clone()).expect("fields");
    points
        .iter()
        .map(|point| {
            (
                format!("{} {}", point["measurement"], point["tags"]),
                fields(point),
            )
        })
        .collect()
}

/// What the sandbox closes (homes, temporary folders, devices, other processes) takes nothing from the figures of a host:
/// the same series and fields, sizes that are the same, counters that lie between those before and after.
#[test]
fn figures_inside_the_sandbox_equal_those_outside() {
    let machine = machine();
    install(&machine, &describe(&machine), &Host::new());
    for (path, size) in [
        ("/data", "8m"),
        ("/home", "4m"),
        ("/srv/disk", "2m"),
        ("/var/log/disk", "1m"),
    ] {
        let mount = format!("mkdir -p {path} && mount -t tmpfs -o size={size} disk {path}");
        machine.run(["sh", "-c", &mount]).expect_code(0);
        machine.install(format!("{path}/file"), vec![0; 256 * 1024], 0o600, "root");
    }
    let outside = || {
        let words = [
            "setpriv",
            "--reuid=tidemark",
            "--regid=tidemark",
            "--clear-groups",
            HOST,
        ];
        let ended = machine.command(words).args(["--dry-run", "--output=json"]).run();
        figures(&ended.expect_code(0).stdout)
    };
    let look = format!(
        "[Service]\nExecStart=\nExecStart={HOST} --dry-run --output=json\nStandardOutput=truncate:{}/inside\n",
        Systemd::SHARE
    );
    drop_in(&machine, "tidemark-host.service", &look);

    let before = outside();
    machine.systemctl(["start", "tidemark-host.service"]);
    let after = outside();
    let inside = std::fs::read_to_string(machine.share().join("inside")).expect("its output");
    let inside = figures(&inside);

    let names = |figures: &Figures| -> Vec<(String, Vec<String>)> {
        let names = |fields: &BTreeMap<String, Value>| fields.keys().cloned().collect();
        figures
            .iter()
            .map(|(series, fields)| (series.clone(), names(fields)))
            .collect()
    };
    assert_eq!(names(&inside), names(&before), "the same series and fields");
    let mut seen = BTreeSet::new();
    for (series, fields) in &inside {
        let measurement = series.split('"').nth(1).unwrap_or_default();
        for (field, value) in fields {
            let [now, then, later] = [value, &before[series][field], &after[series][field]];
            let number = |value: &Value| value.as_f64().unwrap_or_default();
            let fits = match (measurement, field.as_str()) {
                ("host_filesystem", "size_bytes" | "available_bytes" | "free_bytes")
                    if series.contains("\"disk\"") =>
                {
                    now == then
                }
                ("host_filesystem", "size_bytes" | "files" | "read_only")
                | ("host_memory", "total_bytes")
                | ("host_kernel", "boot_time" | "cpus") => now == then,
                ("host_memory", "available_bytes") => (number(now) - number(then)).abs() < number(then) / 4.0,
                ("host_processes", "total") => (number(now) - number(then)).abs() <= 3.0,
                ("host_pressure", "stalled_seconds")
                | ("host_disk", "reads" | "writes")
                | ("host_network", "received_bytes" | "sent_bytes")
                | ("host_kernel", "forks" | "interrupts" | "context_switches")
                | ("host_uptime", "seconds") => (number(then)..=number(later)).contains(&number(now)),
                _ => continue,
            };
            assert!(
                fits,
                "{series} {field}: {then} before, {now} inside, {later} after"
            );
            seen.insert(measurement);
        }
    }
    let expected = [
        "host_filesystem",
        "host_kernel",
        "host_memory",
        "host_pressure",
        "host_processes",
        "host_uptime",
    ];
    for measurement in expected {
        assert!(seen.contains(measurement), "{measurement} among {seen:?}");
    }
    let disks = inside
        .keys()
        .filter(|series| series.contains("\"device\":\"disk\""));
    assert_eq!(disks.count(), 4, "{:?}", inside.keys());
}

/// Tries what no collector needs, and says of each whether it was let. First: the process that it looks at, and the port
/// that it connects to.
const TRIES: &str = r#"
try() {
    if sh -c "$2" try "$process" "$port" >/dev/null 2>&1; then echo "let: $1"; else echo "refused: $1"; fi
}
try 'write to /etc' 'touch /etc/written'
try 'read from /root' 'cat /root/secret'
try 'read the state of others' 'cat /var/lib/other/state'
try 'open a raw socket' 'perl -e "use Socket; socket(S, AF_INET, SOCK_RAW, 1) or exit 1"'
try 'connect' 'exec bash -c "exec 3<>/dev/tcp/127.0.0.1/$2"'
try 'gain privileges' 'test "$(/usr/local/bin/gain -u)" = 0'
try 'look at another process' 'cat /proc/$1/environ'
try 'execute from /tmp' 'cp /bin/true /tmp/true && /tmp/true'
try 'execute from the state' 'cp /bin/true "$STATE_DIRECTORY/true" && "$STATE_DIRECTORY/true"'
try 'make a program that gains privileges' 'cp /bin/true "$STATE_DIRECTORY/gain" && chmod u+s "$STATE_DIRECTORY/gain"'
"#;

/// The sandbox alone refuses: as the same user, with modes and a capability that would let it, all of it is let without.
#[test]
fn a_collector_is_refused_what_it_does_not_need() {
    let machine = machine();
    let server = SinkServer::start();
    let port = server.url("").rsplit(':').next().unwrap_or_default().to_owned();
    machine.run(["chmod", "0777", "/etc"]).expect_code(0);
    machine.run(["chmod", "0755", "/root"]).expect_code(0);
    machine.install("/root/secret", "", 0o644, "root");
    machine.install("/var/lib/other/state", "", 0o644, "root");
    let id = std::fs::read("/usr/bin/id").expect("id of coreutils");
    machine.install("/usr/local/bin/gain", id, 0o4755, "root");
    let sleeper = "[Service]\nUser=tidemark\nExecStart=/bin/sleep 600\n";
    machine.install("/etc/systemd/system/sleeper.service", sleeper, 0o644, "root");
    machine.daemon_reload();
    machine.systemctl(["start", "sleeper.service"]);
    let process = machine.property("sleeper.service", "MainPID");

    let collector = script(
        &machine,
        "hostile",
        &format!("process={process} port={port}\n{TRIES}"),
    );
    install(&machine, &collector, &Host::new());
    let open = format!(
        "[Service]\nType=oneshot\nUser=tidemark\nStateDirectory=tidemark\nAmbientCapabilities=CAP_NET_RAW\nExecStart={}\n",
        collector.program.display()
    );
    machine.install("/etc/systemd/system/open.service", open, 0o644, "root");
    machine.daemon_reload();
    let said = |unit: &str| {
        machine.systemctl(["start", unit]);
        let said = machine.journal(unit, &["_TRANSPORT=stdout"]);
        said.iter()
            .map(|entry| entry.message().to_owned())
            .collect::<Vec<String>>()
    };
    let open = said("open.service");
    assert_eq!(open.len(), 10, "{open:?}");
    assert!(open.iter().all(|line| line.starts_with("let: ")), "{open:#?}");
    // What it made is its own user's: in its place another could not be made.
    machine
        .run(["sh", "-c", "rm -f /etc/written /var/lib/tidemark/*"])
        .expect_code(0);
    let closed = said("tidemark-hostile.service");
    let refused: Vec<String> = open
        .iter()
        .map(|line| line.replacen("let", "refused", 1))
        .collect();
    assert_eq!(closed, refused);
}
