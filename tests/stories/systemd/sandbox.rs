//! What a collector may see and do under its unit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidemark_systemd::{Collector, Host, Needs};
use tidemark_testkit::{SinkServer, Systemd};

use super::{HOST, collector, describe, drop_in, install, machine, read_settings};

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

/// What the figures inside lack, or have that those outside have not: series, fields, values. Empty where they are the same:
/// sizes and totals to the digit, counters between those before and those after.
fn differences(before: &Figures, inside: &Figures, after: &Figures) -> Vec<String> {
    let names = |figures: &Figures| -> BTreeSet<(String, String)> {
        let each = figures.iter().flat_map(|(series, fields)| {
            let names = fields.keys();
            names.map(|field| (series.clone(), field.clone()))
        });
        each.collect()
    };
    let (now, then) = (names(inside), names(before));
    let mut differences: Vec<String> = now
        .symmetric_difference(&then)
        .map(|(series, field)| format!("{series} {field}: on one side alone"))
        .collect();
    let mut compared = BTreeSet::new();
    for (series, field) in now.intersection(&then) {
        let (now, then) = (&inside[series][field], &before[series][field]);
        let later = after.get(series).and_then(|fields| fields.get(field));
        let measurement = series.split('"').nth(1).unwrap_or_default();
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
            // What else runs on the test's host takes from it and gives back meanwhile.
            ("host_memory", "available_bytes") => {
                let later = later.map_or(0.0, number);
                let (least, most) = (number(then).min(later), number(then).max(later));
                (least / 4.0..most * 4.0).contains(&number(now))
            }
            ("host_processes", "total") => (number(now) - number(then)).abs() <= 3.0,
            ("host_pressure", "stalled_seconds")
            | ("host_disk", "reads" | "writes")
            | ("host_network", "received_bytes" | "sent_bytes")
            | ("host_kernel", "forks" | "interrupts" | "context_switches")
            | ("host_uptime", "seconds") => (number(then)..=later.map_or(0.0, number)).contains(&number(now)),
            _ => continue,
        };
        if !fits {
            differences.push(format!(
                "{series} {field}: {then} before, {now} inside, {later:?} after"
            ));
        }
        compared.insert(measurement);
    }
    for measurement in [
        "host_filesystem",
        "host_kernel",
        "host_memory",
        "host_pressure",
        "host_processes",
        "host_uptime",
    ] {
        // Some kernels know nothing of pressure.
        let known = measurement != "host_pressure" || Path::new("/proc/pressure").exists();
        if known && !compared.contains(measurement) {
            differences.push(format!("{measurement}: nothing to compare"));
        }
    }
    differences
}

/// What the sandbox closes (homes, temporary folders, devices, other processes) takes nothing from the figures of a host.
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
    let inside = |more: &str| {
        let look = format!(
            "[Service]\nExecStart=\nExecStart={HOST} --dry-run --output=json\nStandardOutput=truncate:{}/inside\n\
             StandardError=journal\n{more}\n",
            Systemd::SHARE
        );
        drop_in(&machine, "tidemark-host.service", &look);
        machine.systemctl(["start", "tidemark-host.service"]);
        let said = std::fs::read_to_string(machine.share().join("inside"));
        figures(&said.expect("its output"))
    };

    let before = outside();
    let found = inside("");
    let after = outside();
    assert_eq!(differences(&before, &found, &after), [""; 0]);
    let disks = found
        .keys()
        .filter(|series| series.contains("\"device\":\"disk\""));
    assert_eq!(disks.count(), 4, "{:?}", found.keys());

    // A sandbox that is closed further does show.
    for (more, what) in [
        ("ProtectHome=yes", "/home"),
        ("ProcSubset=pid", "host_memory"),
        ("InaccessiblePaths=/data", "/data"),
    ] {
        let differences = differences(&before, &inside(more), &outside());
        assert!(
            differences.iter().any(|difference| difference.contains(what)),
            "{more}: {differences:?}"
        );
    }
}

/// A collector whose sink is a folder that a group may write leaves its file there, for others to read.
#[test]
fn a_textfile_is_written_by_way_of_its_group() {
    let machine = machine();
    let folder = "/var/lib/prometheus/node-exporter";
    machine.sysusers("g scraped - -\n");
    let make = format!("mkdir -p {folder} && chown root:scraped {folder} && chmod 0775 {folder}");
    machine.run(["sh", "-c", &make]).expect_code(0);
    let settings = format!("[[sink]]\ntype = \"textfile\"\ndirectory = \"{folder}\"\n");
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    let mut host = Host::of(&read_settings(&machine, &settings));
    install(&machine, &describe(&machine), &host);
    assert_eq!(
        machine.run(["systemctl", "start", "tidemark-host.service"]).code,
        Some(0),
        "what cannot be delivered waits"
    );
    let files = || {
        let list = format!("find {folder} -type f -name '*.prom' -printf '%m %u\\n'");
        machine.run(["sh", "-c", &list]).expect_code(0).stdout
    };
    assert_eq!(files(), "", "without the group it is refused");

    // A new start, without the time that a sink which failed is left alone.
    machine
        .run(["sh", "-c", "rm -rf /var/lib/tidemark/*"])
        .expect_code(0);
    host.sinks.groups.push("scraped".to_owned());
    install(&machine, &describe(&machine), &host);
    machine.systemctl(["start", "tidemark-host.service"]);
    let files = files();
    assert!(
        !files.is_empty() && files.lines().all(|line| line == "644 tidemark"),
        "{files:?}"
    );
}

/// What a hostile collector tries; a script of perl.
const TRIES: &str = include_str!("tries.pl");

/// A capability for all that modes and the kernel itself refuse a user: what is left is the sandbox's.
const CAPABLE: &str = "CAP_DAC_OVERRIDE CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE";

/// Makes what a hostile collector looks at, as open as modes can make it; gives its tries.
fn bait(machine: &Systemd, port: u16) -> String {
    machine.sysusers("u other - \"Another user\" /home/other\n");
    machine.run(["chmod", "0777", "/etc"]).expect_code(0);
    machine.run(["chmod", "0755", "/root"]).expect_code(0);
    machine.install("/root/secret", "secret\n", 0o644, "root");
    machine.install("/var/lib/other/state", "secret\n", 0o644, "other");
    machine.install("/home/other/secret", "secret\n", 0o600, "other");
    let closed = "chown other: /home/other && chmod 0700 /home/other";
    machine.run(["sh", "-c", closed]).expect_code(0);
    machine.install("/dev/kmsg", "", 0o666, "root");
    let id = std::fs::read("/usr/bin/id").expect("id of coreutils");
    machine.install("/usr/local/bin/gain", id, 0o4755, "root");
    let sleeper = "[Service]\nUser=tidemark\nExecStart=/bin/sleep 600\n";
    machine.install("/etc/systemd/system/sleeper.service", sleeper, 0o644, "root");
    machine.daemon_reload();
    machine.systemctl(["start", "sleeper.service"]);
    let process = machine.property("sleeper.service", "MainPID");
    format!("#!/usr/bin/perl\n($main::process, $main::port) = ({process}, {port});\n{TRIES}")
}

/// What a unit was let do, and refused.
fn tried(machine: &Systemd, unit: &str) -> BTreeMap<String, bool> {
    // What another user made could not be made in its place, and what is there already would not show.
    let clean = "rm -rf /etc/written /tmp/true /var/lib/tidemark/* && : >/dev/kmsg && \
                 { ! mountpoint -q /media || umount /media; } && \
                 { [ ! -d /sys/fs/cgroup/made ] || rmdir /sys/fs/cgroup/made; }";
    machine.run(["sh", "-c", clean]).expect_code(0);
    let before = machine.journal(unit, &[]).len();
    machine.systemctl(["start", unit]);
    let said = machine.journal(unit, &[]);
    let said = said[before..]
        .iter()
        .filter_map(|entry| entry.message().split_once(": "));
    said.filter_map(|(verdict, what)| match verdict {
        "let" => Some((what.to_owned(), true)),
        "refused" => Some((what.to_owned(), false)),
        _ => None,
    })
    .collect()
}

/// The sandbox alone refuses: all of it is let without, and each need lets what it is for and nothing else.
#[test]
fn a_collector_is_refused_what_it_does_not_need() {
    let machine = machine();
    let server = SinkServer::start();
    let program = "/usr/lib/tidemark/collectors/tidemark-hostile";
    machine.install(program, bait(&machine, server.port()), 0o755, "root");
    let open = format!(
        "[Service]\nType=oneshot\nUser=tidemark\nStateDirectory=tidemark\nAmbientCapabilities={CAPABLE}\nExecStart={program}\n"
    );
    machine.install("/etc/systemd/system/open.service", open, 0o644, "root");
    machine.daemon_reload();
    let open = tried(&machine, "open.service");
    assert_eq!(open.len(), 25, "{open:?}");
    for (what, let_) in &open {
        assert!(let_, "without a sandbox it must be let: {what}");
    }

    let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
    let needs = [
        (Needs::default(), vec![]),
        (
            Needs {
                network: true,
                ..Needs::default()
            },
            vec!["connect"],
        ),
        (
            Needs {
                programs: vec!["kill".to_owned()],
                ..Needs::default()
            },
            vec![
                "signal another process",
                "execute from memory",
                "write code as it runs",
            ],
        ),
        (
            Needs {
                paths: paths(&["/root/secret", "/run/dbus/system_bus_socket", "/var/lib/other"]),
                ..Needs::default()
            },
            vec!["read from /root", "read the state of others", "ask the bus"],
        ),
        // As the collector `host`: it sees the filesystems, as far as their modes let.
        (
            Needs {
                paths: paths(&["/", "/proc", "/sys"]),
                ..Needs::default()
            },
            vec!["read from /root", "read the state of others", "ask the bus"],
        ),
    ];
    for (needs, mut let_) in needs {
        let collector = Collector {
            needs: needs.clone(),
            ..collector("hostile", program)
        };
        install(&machine, &collector, &Host::new());
        let closed = tried(&machine, "tidemark-hostile.service");
        assert_eq!(
            closed.keys().collect::<Vec<_>>(),
            open.keys().collect::<Vec<_>>(),
            "{needs:?}"
        );
        let_.push("keep its own state");
        for (what, was_let) in &closed {
            let expected = let_.contains(&what.as_str());
            assert_eq!(*was_let, expected, "whether it may {what} that needs {needs:?}");
        }
    }
    assert_eq!(server.requests().len(), 0, "it connects and asks nothing");
}

/// A program that may send no signal, not even to itself, ends all the same when it aborts.
#[test]
fn a_collector_that_aborts_ends() {
    let machine = machine();
    let program = "/usr/lib/tidemark/collectors/tidemark-aborts";
    machine.install(
        program,
        "#!/usr/bin/perl\nuse POSIX;\nPOSIX::abort();\n",
        0o755,
        "root",
    );
    install(&machine, &collector("aborts", program), &Host::new());
    machine
        .run(["systemctl", "start", "tidemark-aborts.service"])
        .expect_code(1);
    assert_eq!(machine.property("tidemark-aborts.service", "Result"), "signal");
    // SIGSEGV: what the C library does where SIGABRT cannot be sent.
    assert_eq!(
        machine.property("tidemark-aborts.service", "ExecMainStatus"),
        "11"
    );
}
