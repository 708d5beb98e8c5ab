//! The whole collector on trees that look like hosts, and on this machine.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use super::*;
use crate::filesystem::Usage;
use std::path::{Path, PathBuf};
use tidemark_collect::{ManualClock, Point, Timestamp, Value, chain, defaults, line};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn settings() -> Host {
    defaults().unwrap()
}

/// A host below `root`, at 2026-11-21 07:00.
fn host_at(root: &Path) -> Context {
    let now = Timestamp::from_secs(1_795_244_400).unwrap();
    Context::builder()
        .metric::<Host>()
        .host_root(root)
        .host_name("tor")
        .clock(ManualClock::new(now))
        .build()
}

/// Filesystems whose size is made of the length of their path: `/run` has 4 GiB.
fn by_length(root: &Path) -> Ask {
    let root = root.to_owned();
    Arc::new(move |path| {
        let length = Path::new("/")
            .join(path.strip_prefix(&root).unwrap_or(path))
            .as_os_str()
            .len() as u64;
        let size_bytes = length << 30;
        Ok(Usage {
            size_bytes,
            free_bytes: size_bytes / 2,
            available_bytes: size_bytes / 4,
            files: if length == 5 { 0 } else { length << 20 },
            files_free: length << 10,
            mount: None,
        })
    })
}

/// The points of a tree, and its gaps, the tree's own path cut out of them.
fn look(root: &Path) -> (Result<Points, CollectorError>, Vec<String>) {
    let cx = host_at(root);
    let points = settings().look(&cx, by_length(root));
    let gaps = cx.take_gaps();
    (
        points,
        gaps.into_iter()
            .map(|gap| gap.replace(root.to_str().unwrap(), ""))
            .collect(),
    )
}

fn names(points: &Points) -> Vec<&str> {
    let mut names: Vec<_> = points.iter().map(Point::measurement).collect();
    names.dedup();
    names
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_host_with_two_cpus_gives_the_expected_points() {
    let (points, gaps) = look(&fixture("x86-2cpu"));
    assert_eq!(gaps, [""; 0]);
    let (points, adjustments) = points.unwrap().into_parts();
    assert!(adjustments.is_empty(), "{adjustments}");
    let text = String::from_utf8(line::write(&points, line::Dialect::V2)).unwrap();
    let expected = fixture("x86-2cpu.influx");
    if tidemark_testkit::asked("TIDEMARK_REFRESH").is_some() {
        std::fs::write(&expected, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(expected).unwrap());
}

#[test]
fn every_point_is_as_declared() {
    let (points, _) = look(&fixture("x86-2cpu"));
    let points = points.unwrap();
    let mut seen = Vec::new();
    for point in &points {
        let schema = Host::MEASUREMENTS
            .iter()
            .find(|schema| schema.measurement == point.measurement())
            .unwrap();
        schema.conforms(point).unwrap();
        assert_eq!(point.tag("host"), Some("tor"));
        seen.push(schema.measurement);
    }
    // And everything that is declared is there.
    assert!(
        Host::MEASUREMENTS
            .iter()
            .all(|schema| seen.contains(&schema.measurement)),
        "{seen:?}"
    );
}

#[test]
fn a_container_without_some_files_reports_the_others() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "proc/loadavg", "0.00 0.01 0.05 1/9 10\n");
    write(
        root.path(),
        "proc/meminfo",
        "MemTotal: 1024 kB\nMemFree: 512 kB\nSwapTotal: 0 kB\n",
    );
    write(root.path(), "proc/uptime", "10.00 0.00\n");
    write(
        root.path(),
        "proc/self/net/dev",
        "a\nb\n eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n",
    );
    write(
        root.path(),
        "proc/self/mountinfo",
        "1 0 0:9 / / rw - overlay overlay rw\n",
    );
    let (points, gaps) = look(root.path());
    assert_eq!(
        names(&points.unwrap()),
        ["host_load", "host_memory", "host_network", "host_uptime"]
    );
    // No pressure, no disks, no swap, no filesystem of its own: nothing to say. These are missed:
    assert_eq!(
        gaps,
        [
            "cannot read /proc/stat: No such file or directory (os error 2)",
            "cannot read /proc/sys/fs/file-nr: No such file or directory (os error 2)",
            "cannot count processes: those of other users are hidden (hidepid or ProtectProc): \
             cannot read /proc/1/stat: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn broken_files_are_gaps_that_name_them_and_the_others_go_on() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "proc/loadavg", "");
    write(root.path(), "proc/stat", "cpu 1 2\nctxt many\n");
    write(root.path(), "proc/meminfo", "MemTotal: all of it\n");
    write(root.path(), "proc/pressure/cpu", "some avg10=0.00\n");
    write(
        root.path(),
        "proc/pressure/io",
        "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n",
    );
    write(root.path(), "proc/self/mountinfo", b"\xff\xfe\n");
    write(
        root.path(),
        "proc/diskstats",
        "8 0 sda 1 2 3\n8 16 sdb 1 0 2 3 4 0 5 6 0 7 8\n",
    );
    write(
        root.path(),
        "proc/1/net/dev",
        b"a\nb\n\xff: 1 2 3 4 0 0 0 0 5 6 7 8\neth0: x\n",
    );
    write(root.path(), "proc/uptime", "long\n");
    write(root.path(), "proc/sys/fs/file-nr", "1 2");
    write(root.path(), "proc/1/stat", "1 (init");
    write(
        root.path(),
        "proc/2/stat",
        "2 (x) S 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0\n",
    );
    let (points, gaps) = look(root.path());
    let points = points.unwrap();
    assert_eq!(
        names(&points),
        ["host_pressure", "host_disk", "host_network", "host_processes"]
    );
    let of = |name| points.iter().find(|point| point.measurement() == name).unwrap();
    assert_eq!(of("host_disk").tag("device"), Some("sdb"));
    assert_eq!(of("host_network").tag("interface"), Some("\u{fffd}"));
    assert_eq!(of("host_processes").field("threads"), Some(&Value::Uint(3)));
    for path in [
        "/proc/loadavg",
        "/proc/stat",
        "/proc/meminfo",
        "/proc/pressure/cpu",
        "/proc/self/mountinfo",
        "/proc/diskstats",
        "/proc/1/net/dev",
        "/proc/uptime",
        "/proc/sys/fs/file-nr",
        "/proc/1/stat",
    ] {
        let of_path = gaps.iter().filter(|gap| gap.contains(path)).count();
        assert_eq!(of_path, 1, "{path} in {gaps:#?}");
    }
    assert_eq!(gaps.len(), 10);
}

#[test]
fn nothing_at_all_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let (points, gaps) = look(root.path());
    let said = chain(&points.unwrap_err());
    assert!(
        said.starts_with("nothing of this host could be read; is /proc mounted?: cannot read"),
        "{said}"
    );
    assert!(said.contains("/proc/loadavg"), "{said}");
    assert!(gaps.len() >= 6, "{gaps:?}");
}

#[test]
fn settings_say_what_is_left_out() {
    let root = fixture("x86-2cpu");
    let cx = host_at(&root);
    let mut settings = settings();
    settings.partitions = true;
    settings.disks_except = vec!["nvme0n1".into()];
    settings.interfaces_except = vec!["*".into()];
    settings.filesystem_types_except = vec!["*fs".into(), "ext4".into()];
    settings.mountpoints_except = vec!["/boot/*".into()];
    let points = settings.look(&cx, by_length(&root)).unwrap();
    let tags = |measurement: &str, tag: &str| -> Vec<String> {
        let points = points.iter().filter(|point| point.measurement() == measurement);
        points.map(|point| point.tag(tag).unwrap().to_owned()).collect()
    };
    assert_eq!(
        tags("host_disk", "device"),
        ["loop0", "loop1", "nvme0n1p1", "nvme0n1p2", "sda", "dm-0", "zram0"]
    );
    assert_eq!(tags("host_network", "interface"), [""; 0]);
    assert_eq!(
        tags("host_filesystem", "fstype"),
        ["devpts", "nfs4", "proc", "cgroup2", "overlay"]
    );
}

#[test]
fn huge_files_are_read_in_linear_time() {
    const BYTES: usize = 1 << 19;
    for piece in [
        "x",
        "cpu 1 ",
        "MemTotal: ",
        "some avg10=1.00 ",
        "1 0 8:1 / / rw - ",
        "a: ",
        "cpu 1\n",
        ":\n",
        "8 0 sda\n",
    ] {
        let root = tempfile::tempdir().unwrap();
        let text = piece.repeat(BYTES / piece.len());
        for path in [
            "proc/loadavg",
            "proc/stat",
            "proc/meminfo",
            "proc/pressure/cpu",
            "proc/self/mountinfo",
            "proc/diskstats",
            "proc/1/net/dev",
            "proc/uptime",
            "proc/sys/fs/file-nr",
            "proc/1/stat",
        ] {
            write(root.path(), path, &text);
        }
        let began = std::time::Instant::now();
        let (_, gaps) = look(root.path());
        // Milliseconds a file; were one of them read in quadratic time, hours.
        assert!(
            began.elapsed().as_secs() < 20,
            "{piece:?} took {:?}",
            began.elapsed()
        );
        assert!(gaps.iter().all(|gap| gap.len() < 1000));
    }
}

/// The kernel's own number at `path`, in the first line that begins with `key`: its word at `index`.
fn kernel(path: &str, key: &str, index: usize) -> u64 {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(key))
        .unwrap();
    line.split_ascii_whitespace()
        .nth(index)
        .unwrap()
        .trim_start_matches("total=")
        .parse()
        .unwrap()
}

#[test]
fn this_machine_as_its_kernel_has_it() {
    // What only grows lies between what the kernel says before and after; the rest is the same.
    let grows = || {
        [
            kernel("/proc/stat", "ctxt", 1),
            kernel("/proc/stat", "processes", 1),
            kernel("/proc/stat", "cpu ", 3),
            // It only jumps by a second where somebody sets the clock.
            kernel("/proc/stat", "btime", 1),
        ]
    };
    let before = grows();
    let cx = Context::builder().metric::<Host>().host_name("h").build();
    let points = settings().look(&cx, Arc::new(filesystem::usage_at)).unwrap();
    let after = grows();
    let of = |measurement: &str, tag: &str, value: &str, field: &str| {
        let mut fits = points.iter().filter(|point| point.measurement() == measurement);
        let point = fits
            .find(|point| tag.is_empty() || point.tag(tag) == Some(value))
            .unwrap();
        match point.field(field) {
            Some(Value::Uint(value)) => *value as f64,
            Some(Value::Float(value)) => *value,
            other => panic!("{measurement} {field}: {other:?}"),
        }
    };
    let grown = [
        of("host_kernel", "", "", "context_switches"),
        of("host_kernel", "", "", "forks"),
        of("host_cpu", "mode", "system", "seconds") * 100.0,
        of("host_kernel", "", "", "boot_time"),
    ];
    for ((before, value), after) in before.into_iter().zip(grown).zip(after) {
        assert!(
            before as f64 <= value.round() && value.round() <= after as f64,
            "{before} {value} {after}"
        );
    }
    assert_eq!(
        of("host_memory", "", "", "total_bytes"),
        kernel("/proc/meminfo", "MemTotal:", 1) as f64 * 1024.0
    );
    assert_eq!(
        of("host_files", "", "", "max"),
        kernel("/proc/sys/fs/file-nr", "", 2) as f64
    );
    // Where other users' processes are hidden, they are a gap.
    if !Path::new("/proc/1/stat").exists() {
        return;
    }
    let processes = of("host_processes", "", "", "total");
    assert!(processes >= 1.0 && of("host_processes", "", "", "threads") >= processes);
    let states = [
        "running",
        "sleeping",
        "uninterruptible",
        "idle",
        "stopped",
        "zombie",
        "other",
    ];
    assert_eq!(
        states
            .map(|state| of("host_processes", "", "", state))
            .iter()
            .sum::<f64>(),
        processes
    );
}

#[test]
fn the_declaration_is_complete() {
    assert_eq!(
        (Host::NAME, Host::RUN_INTERVAL.to_string().as_str()),
        ("host", "1m")
    );
    assert_eq!(Host::DEFAULT, DefaultState::On);
    assert_eq!((Host::NEEDS.network, Host::NEEDS.programs.len()), (false, 0));
    for schema in Host::MEASUREMENTS {
        assert!(schema.measurement.starts_with("host_"));
        for field in schema.fields {
            let by_unit = [
                ("_bytes", "bytes"),
                ("seconds", "seconds"),
                ("boot_time", "seconds"),
            ];
            let expected = by_unit
                .iter()
                .find(|(end, _)| field.name.ends_with(end))
                .map(|(_, unit)| *unit);
            let expected = expected.or(field.name.starts_with("avg").then_some("ratio"));
            assert_eq!(field.unit, expected, "{} {}", schema.measurement, field.name);
        }
    }
}
