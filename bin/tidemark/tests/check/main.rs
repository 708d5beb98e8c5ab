//! What a person reads of `tidemark check`: every message, from a real cause.
//!
//! Here: a `Site` for each test, what is made alike in what it prints, and the good day. `settings.rs`, `state.rs`,
//! `collectors.rs`: those parts; `reach.rs`: names, connections, TLS; `influxdb.rs`, `influxdb2.rs`, `remote_write.rs`,
//! `folders.rs`: the sinks; `unchanged.rs`: that nothing is changed.
#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

mod collectors;
mod folders;
mod influxdb;
mod influxdb2;
mod onefs;
mod reach;
mod remote_write;
mod settings;
mod state;
mod unchanged;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_testkit::{Ended, Home, Run, asked, program};

/// A home with a folder of collectors: `behaving`, which behaves as its settings say.
struct Site {
    home: Home,
}

impl Site {
    fn new(settings: &str) -> Self {
        let site = Self::without_collectors(settings);
        let target = program("examples/tidemark-told");
        std::os::unix::fs::symlink(target, site.folder().join("tidemark-behaving")).expect("a link");
        site
    }

    fn without_collectors(settings: &str) -> Self {
        let site = Self { home: Home::new() };
        site.home.settings(settings);
        fs::create_dir(site.folder()).expect("a folder");
        site
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("collectors")
    }

    /// A collector that is a shell script, with a description of these needs.
    fn script(&self, name: &str, needs: &str) {
        self.home.script(&format!("collectors/tidemark-{name}"), "exit 0");
        let text = format!(
            r#"{{"name": "{name}", "summary": "A script.", "version": "1", "run_interval": "5m", "deadline": "10m",
            "default": "on", "measurements": [], "settings": [{{"name": "wait", "type": "time span", "default": "5s",
            "help": "How long."}}, {{"name": "token", "type": "secret", "default": null, "help": "For its source."}}], "needs": {needs}}}"#
        );
        fs::write(self.folder().join(format!("{name}.json")), text).expect("write");
    }

    fn tidemark(&self, line: &[&str]) -> Run {
        self.at_home(Run::new(env!("CARGO_BIN_EXE_tidemark")).args(line))
    }

    fn at_home(&self, run: Run) -> Run {
        self.home
            .at_home(run)
            .env("TIDEMARK_COLLECTORS", self.folder())
            .bound(Duration::from_secs(60))
    }

    /// As another user, who may look at the settings and at nothing else that is not said.
    fn as_nobody(&self, line: &[&str]) -> Run {
        let mode = |path: PathBuf, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
        };
        mode(self.home.path().to_owned(), 0o755);
        mode(self.home.config(), 0o644);
        // Where another user can reach it.
        let command = self.home.path().join("tidemark");
        // By a program: a copy that this process writes may be "text file busy" when it is started.
        let copied = std::process::Command::new("cp")
            .args([Path::new(env!("CARGO_BIN_EXE_tidemark")), &command])
            .status();
        assert!(copied.expect("cp").success());
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        self.at_home(Run::new("setpriv").args(nobody).arg(&command).args(line))
    }

    fn run(&self, line: &[&str]) -> Ended {
        self.tidemark(line).run()
    }

    /// The screen of `check`, which ends with this code.
    #[track_caller]
    fn check(&self, code: i32) -> Screen {
        self.screen(self.tidemark(&["check"]), code)
    }

    #[track_caller]
    fn screen(&self, run: Run, code: i32) -> Screen {
        let ended = run.run().expect_code(code);
        assert_eq!(ended.stderr, "");
        Screen {
            text: self.alike(&ended.stdout),
            wall: ended.wall,
        }
    }

    /// What differs from run to run and host to host, made alike.
    fn alike(&self, text: &str) -> String {
        let home = self.home.path().display().to_string();
        let mut text = text.replace(&home, "HOME");
        let user = rustix::process::geteuid().as_raw();
        if user != 0 {
            text = text.replace(&format!("user {user}'s"), "root's");
        }
        let mut out = String::new();
        for (number, line) in text.lines().enumerate() {
            out.push_str(&if number == 0 {
                "HOST  DATE".to_owned()
            } else {
                ports(&room(&times(line)))
            });
            out.push('\n');
        }
        out
    }
}

/// A line in which what stands between a `before` and the next `after` is replaced.
fn between(line: &str, before: &str, after: &str, by: &str) -> String {
    let found = line.find(before).and_then(|start| {
        let start = start + before.len();
        Some((start, start + line.get(start..)?.find(after)?))
    });
    match found {
        Some((start, end)) => format!("{}{by}{}", &line[..start], &line[end..]),
        None => line.to_owned(),
    }
}

/// How long something took, when something was, and how large files are.
fn times(line: &str) -> String {
    let line = between(line, "takes connections (", ")", "TIME");
    let line = between(&line, " since ", ")", "DATE (AGO");
    let line = between(&line, "was damaged ", ":", "AGO");
    let line = between(&line, " with ", " samples; ", "SOME");
    // The backoff may be over by then, or not.
    let line = match line.split_once("; tried again ") {
        Some((before, after)) => format!("{before}{}", after.find(';').map_or("", |at| &after[at..])),
        None => line,
    };
    match line.split_once(", whole") {
        Some((before, after)) => {
            let size = before.rmatch_indices(' ').nth(1).map_or(0, |(at, _)| at + 1);
            format!("{}SIZE, whole{after}", &before[..size])
        }
        None => line,
    }
}

/// `12 GiB free of 250 GiB` without its figures.
fn room(line: &str) -> String {
    let Some((before, after)) = line.split_once(" free of ") else {
        return line.to_owned();
    };
    let start = before.rmatch_indices(' ').nth(1).map_or(0, |(at, _)| at + 1);
    let end = after
        .match_indices(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .nth(1)
        .map_or(after.len(), |(at, _)| at);
    format!("{}SIZE free of SIZE{}", &before[..start], &after[end..])
}

/// `:8086` and the like without the number; with and without IPv6.
fn ports(line: &str) -> String {
    let line = line.replace("localhost is ::1, 127.0.0.1", "localhost is 127.0.0.1");
    let line = line.replace("localhost is ::1", "localhost is 127.0.0.1");
    let mut out = String::new();
    for (place, piece) in line.split(':').enumerate() {
        if place > 0 {
            out.push(':');
        }
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        // `USER:GROUP` is no port.
        let is_first = out
            .trim_end_matches(':')
            .rsplit(' ')
            .next()
            .is_some_and(|word| word.parse::<u32>().is_ok());
        if place > 0 && !is_first && (4..=5).contains(&digits) {
            out.push_str("PORT");
            out.push_str(&piece[digits..]);
        } else {
            out.push_str(piece);
        }
    }
    out.replace("[::1]:PORT refuses connections; ", "")
}

/// What `check` printed.
struct Screen {
    text: String,
    wall: Duration,
}

impl Screen {
    /// Compares the screen with the one in `screens/NAME.txt`; with `TIDEMARK_REFRESH=1`, writes it.
    #[track_caller]
    fn shows(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/check/screens")
            .join(format!("{name}.txt"));
        if asked("TIDEMARK_REFRESH").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, &self.text).expect("write");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            self.text == expected,
            "{} is\n{expected}\nbut the screen is\n{}\n(TIDEMARK_REFRESH=1 writes it)",
            path.display(),
            self.text
        );
    }
}

/// Holds that a check takes less than a second: one of a few does, as the machine may be busy with other tests.
#[track_caller]
fn within_a_second(check: impl FnMut() -> Duration) {
    let walls: Vec<Duration> = std::iter::repeat_with(check)
        .take(10)
        .take_while(|wall| *wall >= Duration::from_secs(1))
        .collect();
    assert!(walls.len() < 10, "{walls:?}");
}

/// A sink of this type at this address, with more lines.
fn sink(type_name: &str, url: &str, more: &str) -> String {
    format!("[[sink]]\ntype = \"{type_name}\"\nurl = \"{url}\"\n{more}\n")
}

/// An InfluxDB 1 at this address, with more lines.
fn influxdb(url: &str, more: &str) -> String {
    sink("influxdb", url, &format!("database = \"metrics\"\n{more}"))
}

const ON: &str = "[collector.behaving]\nrun_interval = \"1m\"\n";

#[test]
fn the_good_day() {
    let site = Site::new(ON);
    site.check(0).shows("first-day");
    site.run(&["run", "behaving"]).expect_code(0);
    site.check(0).shows("good-day");
}

#[test]
fn programs_read_the_same_as_json() {
    let site = Site::new(&influxdb("http://127.0.0.1:1", "name = \"main\""));
    let ended = site.run(&["check", "--json"]).expect_code(1);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["verdict"], "failed");
    assert!(report["host"].is_string() && report["now"].as_str().is_some_and(|now| now.ends_with('Z')));
    let parts = report["parts"].as_array().expect("parts");
    let names: Vec<&str> = parts.iter().filter_map(|part| part["part"].as_str()).collect();
    assert_eq!(names, ["settings", "state", "sink", "collectors"]);
    let of_sink = &parts[2];
    assert_eq!(of_sink["name"], "main");
    assert_eq!(
        of_sink["checks"][0],
        serde_json::json!({
            "check": "connection",
            "verdict": "failed",
            "found": "127.0.0.1:1 refuses connections",
            "advice": "is the server running, and is this its port?",
        })
    );
    assert_eq!(
        of_sink["checks"][1],
        serde_json::json!({
            "check": "server", "verdict": "not_tried", "found": "because of: connection", "advice": null
        })
    );
    let wrong = Site::new("[host]\nnam = \"x\"\n");
    let ended = wrong.run(&["check", "--json"]).expect_code(78);
    assert_eq!(ended.stderr, "");
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["parts"][0]["checks"][0]["advice"], "write `name` instead");
}
