//! A hundred collectors at boot or reload: the generator beside a Python script that imports each.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tidemark_testkit::{Run, program};

use crate::measure::{Contender, in_turns, table};

/// How many collectors there are.
const COLLECTORS: usize = 100;

/// What the modules of the peer share: with the client that the originals had, and with the standard library alone.
const BASES: [(&str, &str); 2] = [
    (
        "with_client",
        "from influxdb import InfluxDBClient  # noqa: F401\n",
    ),
    ("without_client", "InfluxDBClient = None\n"),
];

/// What a module of the peer is: as long as a small collector.
const MODULE: &str = r#""""The queue NUMBER."""

import datetime
import json
import urllib.request

from .base import Base


class Metric(Base):
    """Entries that wait in the queue NUMBER."""

    NAME = "queueNUMBER"
    RUN_INTERVAL = "INTERVALm"

    def __init__(self, url="http://queues.example/NUMBER.json"):
        super().__init__()
        self.url = url

    def collect(self):
        with urllib.request.urlopen(self.url) as answer:
            entries = json.load(answer)
        now = datetime.datetime.now(datetime.timezone.utc)
        queues = {}
        for entry in entries:
            queued = datetime.datetime.strptime(entry["date_queued"], "%m/%d/%y")
            for report in entry["sets"]:
                queues.setdefault(report, []).append((now - queued).days)
        for report, ages in queues.items():
            fields = {"count": len(ages), "oldest": max(ages), "average_age": sum(ages) // len(ages)}
            yield {"measurement": self.NAME, "tags": {"report": report}, "fields": fields}
"#;

pub(crate) fn run() {
    let folders = Folders::new();
    let described = folders.system("described", true);
    let asked = folders.system("asked", false);
    for (package, base) in BASES {
        folders.package(package, base);
    }
    let generator = |root: &Path| {
        Run::new(program("tidemark-generator"))
            .arg(format!("--root={}", root.display()))
            .args(vec![folders.out(); 3])
    };
    let python = |package: &str| {
        Run::new("/usr/bin/python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/generator.py"))
            .arg(folders.path("python"))
            .arg(folders.out())
            .arg(package)
    };
    let figures = in_turns(
        20,
        &[
            Contender {
                name: "tidemark-generator, a description beside each",
                make: Box::new(|| generator(&described)),
            },
            Contender {
                name: "tidemark-generator, each asked (a script of sh)",
                make: Box::new(|| generator(&asked)),
            },
            Contender {
                name: "Python, imports each and the client of InfluxDB",
                make: Box::new(|| python(BASES[0].0)),
            },
            Contender {
                name: "Python, imports each and the standard library",
                make: Box::new(|| python(BASES[1].0)),
            },
        ],
    );
    folders.check();
    table(&format!("Units of {COLLECTORS} collectors"), &figures);
}

/// What is read lies on a disk, what is written in memory, as at boot.
struct Folders {
    disk: tempfile::TempDir,
    memory: tempfile::TempDir,
    outs: RefCell<Vec<PathBuf>>,
}

impl Folders {
    fn new() -> Self {
        let disk = tempfile::tempdir().unwrap();
        // For the user as whom programs are asked.
        open(disk.path());
        Self {
            disk,
            memory: tempfile::tempdir_in("/dev/shm").unwrap(),
            outs: RefCell::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// A folder to write into: each run has its own, as systemd empties its own.
    fn out(&self) -> PathBuf {
        let mut outs = self.outs.borrow_mut();
        let out = self.memory.path().join(outs.len().to_string());
        fs::create_dir(&out).unwrap();
        outs.push(out.clone());
        out
    }

    /// A system with the collectors; their descriptions are as long as the real ones.
    fn system(&self, name: &str, is_described: bool) -> PathBuf {
        let real = Run::new(program("tidemark-sponsoring")).arg("--describe").run();
        let real = real.expect_code(0).stdout.replacen("\"off\"", "\"on\"", 1);
        let root = self.path(name);
        let folder = root.join("usr/lib/tidemark/collectors");
        fs::create_dir_all(&folder).unwrap();
        let mut above = folder.clone();
        while above != self.disk.path() {
            open(&above);
            above.pop();
        }
        for number in 0..COLLECTORS {
            let name = format!("queue{number}");
            let description = real.replacen("\"sponsoring\"", &format!("\"{name}\""), 1);
            assert_ne!(description, real);
            let file = folder.join(format!("tidemark-{name}"));
            let quoted = description.replace('\'', "'\\''");
            fs::write(&file, format!("#!/bin/sh\nprintf %s '{quoted}'\n")).unwrap();
            open(&file);
            if is_described {
                let file = folder.join(format!("{name}.json"));
                fs::write(&file, description).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
        root
    }

    fn package(&self, name: &str, base: &str) {
        let folder = self.path("python").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("__init__.py"), "").unwrap();
        let base = format!("{base}\n\nclass Base:\n    RUN_INTERVAL = \"5m\"\n");
        fs::write(folder.join("base.py"), base).unwrap();
        for number in 0..COLLECTORS {
            let module = MODULE.replace("NUMBER", &number.to_string());
            let module = module.replace("INTERVAL", &(number % 9 + 1).to_string());
            fs::write(folder.join(format!("c{number}.py")), module).unwrap();
        }
    }

    /// Whether each run wrote all of it.
    fn check(&self) {
        for out in self.outs.borrow().iter() {
            let count = |suffix: &str| {
                let names = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name());
                names
                    .filter(|name| name.to_string_lossy().ends_with(suffix))
                    .count()
            };
            // The flush is the hundred-and-first.
            let written = count(".timer");
            assert!(
                [COLLECTORS, COLLECTORS + 1].contains(&written),
                "{written} timers"
            );
            assert_eq!(written, count(".service"));
        }
    }
}

fn open(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
