//! The alerts in `units/alerts`, on what tidemark itself sends, and those on hosts and on Ubuntu: each fires where something
//! is wrong, and none where all is well.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::{Clock, SystemClock};
use tidemark_delivery::Run;
use tidemark_point::Timestamp;
use tidemark_testkit::{
    Answer, Influxd, InfluxdOptions, NodeExporter, Prometheus, PrometheusOptions, SinkServer, http, promtool,
    wait_until,
};

use crate::scene::{BOUND, Scene, Submitter, influxdb, playing};

const MINUTE: Duration = Duration::from_secs(60);
/// How long the past is that is sent.
const MINUTES: u32 = 290;

fn alerts(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../units/alerts")
        .join(name)
}

fn ago(minutes: u32) -> Timestamp {
    SystemClock.now().saturating_sub(MINUTE * minutes)
}

/// A collector of the past.
struct Past {
    name: &'static str,
    target: Option<&'static str>,
    /// Minutes.
    interval: u32,
    /// Whether a run so many minutes ago went well; nothing where there was none.
    went: fn(u32) -> Option<Went>,
}

#[derive(Copy, Clone, PartialEq)]
enum Went {
    Well,
    Partly,
    Badly,
}

impl Past {
    const fn new(name: &'static str, interval: u32, went: fn(u32) -> Option<Went>) -> Self {
        Self {
            name,
            target: None,
            interval,
            went,
        }
    }

    fn submit(&self, to: &mut Submitter, minutes: u32) {
        if minutes % self.interval != self.interval / 2 {
            return;
        }
        let Some(went) = (self.went)(minutes) else { return };
        let mut run = Run::new(self.name, ago(minutes), MINUTE * self.interval);
        run.target = self.target.map(str::to_owned);
        run.duration = Duration::from_secs(2);
        run.ok = went != Went::Badly;
        if went == Went::Partly {
            run.gaps = vec!["a page is not there".to_owned()];
        }
        to.submit(&run, &[]);
    }
}

/// All is well, though a run fails now and then.
const WELL: [Past; 3] = [
    Past::new("well", 5, |_| Some(Went::Well)),
    Past::new("blip", 5, |minutes| {
        Some(if minutes < 5 { Went::Badly } else { Went::Well })
    }),
    Past::new("hourly", 60, |minutes| {
        Some(if (60..120).contains(&minutes) {
            Went::Badly
        } else {
            Went::Well
        })
    }),
];

/// Something is wrong with each.
const ILL: [Past; 6] = [
    Past::new("stopped", 5, |minutes| (minutes > 60).then_some(Went::Well)),
    Past::new("stopped-hourly", 60, |minutes| {
        (minutes > 145).then_some(Went::Well)
    }),
    Past {
        target: Some("a:1"),
        ..Past::new("pages", 5, |minutes| (minutes > 60).then_some(Went::Well))
    },
    Past::new("failing", 5, |minutes| {
        Some(if minutes < 60 { Went::Badly } else { Went::Well })
    }),
    Past::new("never", 60, |_| Some(Went::Badly)),
    Past::new("partial", 5, |minutes| {
        Some(if minutes < 120 { Went::Partly } else { Went::Well })
    }),
];

/// Two hosts with their sinks, and their last hours.
struct World {
    here: Scene,
    there: Scene,
    /// Sinks that are well, gone, and refuse what one collector says.
    gone: SinkServer,
    picky: SinkServer,
}

impl World {
    /// Both have this sink, as `database`.
    fn new(database: &str) -> Self {
        let (gone, picky) = (SinkServer::start(), SinkServer::start());
        gone.close();
        picky.judge(|_| Answer::new(204));
        let world = Self {
            here: Scene::new(),
            there: Scene::new(),
            gone,
            picky,
        };
        let host = |name: &str, sinks: &str| format!("[host]\nname = \"{name}\"\n\n{sinks}");
        world.here.home.settings(&host("here", database));
        world.there.home.settings(&host("there", database));
        world
    }

    /// From now on this host has two sinks that are not well.
    fn ill_sinks(&self, database: &str) {
        let sinks = database.to_owned() + &playing("gone", &self.gone) + &playing("picky", &self.picky);
        self.here
            .home
            .settings(&format!("[host]\nname = \"here\"\n\n{sinks}"));
    }

    /// Sends the past. The other host was last heard of so many minutes ago.
    fn send(&self, collectors: &[&[Past]], heard_of: u32) {
        let mut here = Submitter::new(&self.here.home, &[]);
        let mut there = Submitter::new(&self.there.home, &[]);
        for minutes in (0..=MINUTES).rev() {
            for collector in collectors.iter().copied().flatten() {
                collector.submit(&mut here, minutes);
            }
            if minutes == 100 {
                self.picky
                    .judge(|_| Answer::new(400).body("{\"error\":\"field type conflict\"}"));
            }
            if minutes == 90 {
                self.picky.judge(|_| Answer::new(204));
            }
            if minutes % 5 == 1 {
                here.flush(ago(minutes));
                if minutes >= heard_of {
                    there.flush(ago(minutes));
                }
            }
        }
    }
}

#[test]
fn the_rules_pass_their_own_tests() {
    for name in ["tidemark", "host", "onefs", "ubuntu"] {
        let checked = promtool::check_rules(&alerts(&format!("{name}.rules.yml")));
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let tested = promtool::test_rules(&alerts(&format!("{name}.rules.test.yml")));
        assert_eq!(tested.code, Some(0), "{}{}", tested.stdout, tested.stderr);
    }
}

/// What the queries of a file name: each statement's name and the tags of its rows.
#[track_caller]
fn queried(server: &Influxd, file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(alerts(file)).expect("the queries");
    let mut named = BTreeSet::new();
    for series in server.query(&text) {
        let tags: Vec<&str> = series
            .tags
            .values()
            .map(String::as_str)
            .filter(|tag| !tag.is_empty())
            .collect();
        assert_eq!(series.rows.len(), 1, "{series:?}");
        named.insert(format!("{} {}", series.columns[1], tags.join(" ")));
    }
    named
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_queries_are_silent_while_all_is_well() {
    let server = Influxd::start(InfluxdOptions::default());
    let world = World::new(&influxdb("database", &server));
    world.send(&[&WELL], 0);
    assert!(server.count("tidemark_run", "points") > 100);
    assert!(server.count("tidemark_sink", "waiting") > 100);
    assert_eq!(queried(&server, "tidemark.influxql"), names(&[]));
}

#[test]
fn the_queries_name_what_is_wrong() {
    let server = Influxd::start(InfluxdOptions::default());
    let database = influxdb("database", &server);
    let world = World::new(&database);
    world.ill_sinks(&database);
    world.send(&[&WELL, &ILL], 60);
    let expected = names(&[
        "silent there",
        "late pages here a:1",
        "late stopped here",
        "late stopped-hourly here",
        "failing failing here",
        "failing never here",
        "partial partial here",
        "behind here gone",
        "rejected here picky",
    ]);
    assert_eq!(queried(&server, "tidemark.influxql"), expected);
}

/// Writes lines that end in a time, `@` and how many minutes ago it was.
fn write(server: &Influxd, lines: &[String]) {
    // One clock for all: what is measured in one run has one time.
    let now = ago(0);
    let mut body = String::new();
    for line in lines {
        let (rest, minutes) = line.rsplit_once('@').expect("a time");
        let minutes: u32 = minutes.parse().expect("minutes");
        body += &format!("{rest}{}\n", now.saturating_sub(MINUTE * minutes).nanos());
    }
    let url = format!("{}/write?db={}", server.url(), server.database());
    let answer = http::post(&url, body.as_bytes());
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[test]
fn the_queries_name_hosts_that_are_not_well() {
    let server = Influxd::start(InfluxdOptions::default());
    let filesystem = |place: &str, kind: &str, free: u32, files: u32, files_free: u32| {
        format!(
            "host_filesystem,host=h,mountpoint={place},device=d,fstype={kind} \
             size_bytes=1000i,available_bytes={free}i,files={files}i,files_free={files_free}i @1"
        )
    };
    let pressure = |resource: &str, scope: &str, share: f64| {
        format!("host_pressure,host=h,resource={resource},scope={scope} avg300={share} @1")
    };
    let well = [
        filesystem("/", "ext4", 101, 1000, 101),
        filesystem("/snap", "squashfs", 0, 1000, 0),
        filesystem("/btrfs", "btrfs", 500, 0, 0),
        "host_memory,host=h total_bytes=1000i,available_bytes=51i @1".to_owned(),
        pressure("memory", "some", 0.5),
        pressure("memory", "full", 0.1),
        pressure("io", "full", 0.5),
    ];
    write(&server, &well);
    assert_eq!(queried(&server, "host.influxql"), names(&[]));
    write(
        &server,
        &[
            filesystem("/full", "ext4", 99, 1000, 101),
            filesystem("/files", "ext4", 101, 1000, 99),
            "host_memory,host=i total_bytes=1000i,available_bytes=49i @1".to_owned(),
            pressure("memory", "full", 0.11).replace("@1", "@0"),
        ],
    );
    let expected = names(&["full h /full", "files h /files", "low i", "pressed h"]);
    assert_eq!(queried(&server, "host.influxql"), expected);
}

#[test]
fn the_queries_name_clusters_that_are_not_well() {
    let server = Influxd::start(InfluxdOptions::default());
    let cluster = |name: &str, health: f64, down: f64, left: f64| {
        [
            ("cluster.health", health),
            ("cluster.node.count.down", down),
            ("ifs.percent.avail", left),
        ]
        .map(|(key, value)| format!("{key},cluster={name} value={value} @1"))
    };
    write(&server, &cluster("well", 0.0, 0.0, 10.5));
    assert_eq!(queried(&server, "onefs.influxql"), names(&[]));
    write(&server, &cluster("attention", 1.0, 0.0, 50.0));
    write(&server, &cluster("ill", 2.0, 3.0, 9.5));
    let expected = names(&["unwell attention", "unwell ill", "down ill", "full ill"]);
    assert_eq!(queried(&server, "onefs.influxql"), expected);
}

/// The queue of an architecture in the last hour and a quarter: two contexts, each with so many tests so many minutes ago.
fn waiting(architecture: &str, instance: &str, tests: fn(u32) -> u32) -> Vec<String> {
    let mut lines = Vec::new();
    for minutes in (0..75).step_by(5) {
        let count = tests(minutes);
        for context in ["ubuntu", "ppa"] {
            lines.push(format!(
                "autopkgtest_queue_size,arch={architecture},context={context},instance={instance},release=devel \
                 count={count}i @{minutes}"
            ));
        }
    }
    lines
}

#[test]
fn the_queries_name_what_waits_in_ubuntu() {
    let server = Influxd::start(InfluxdOptions::default());
    let britney =
        |release: &str, hours: u32| format!("britney_last_run_age,release={release} run_age={hours}i @1");
    let queue = |status: &str, days: u32| {
        format!("queue_ages,devel=True,release=devel,status={status} oldest_age_in_days={days}i @1")
    };
    let image = |of: &str, architecture: &str, days: u32| {
        format!(
            "daily_image_details,architecture={architecture},current_or_pending=pending,{of} age={days}i @1"
        )
    };
    let index = |release: &str, days: f64| {
        format!("command_not_found_age,release={release} cnf_age={days},out_of_date=true @1")
    };
    let mut well = vec![
        britney("devel", 8),
        britney("esm", 200),
        queue("New", 29),
        // One architecture alone is not built; a release has ended.
        image("flavor=ubuntu,release=devel", "amd64", 3),
        image("flavor=ubuntu,release=devel", "riscv64", 9),
        image("flavor=ubuntu,release=old", "amd64", 400),
        index("devel", 0.9),
        index("old", 700.0),
    ];
    well.extend(waiting("amd64", "production", |minutes| minutes));
    well.extend(waiting("i386", "production", |_| 0));
    well.extend(waiting("s390x", "staging", |_| 5));
    write(&server, &well);
    assert_eq!(queried(&server, "ubuntu.influxql"), names(&[]));
    let mut ill = vec![
        britney("noble", 9),
        queue("Unapproved", 30),
        image("flavor=kubuntu,release=devel", "amd64", 4),
        image("flavor=kubuntu,release=devel", "arm64", 6),
        index("noble", 1.25),
    ];
    ill.extend(waiting("arm64", "production", |_| 5));
    write(&server, &ill);
    let expected = names(&[
        "stalled noble",
        "waits devel Unapproved",
        "unbuilt kubuntu devel",
        "outdated noble",
        "stuck arm64",
    ]);
    assert_eq!(queried(&server, "ubuntu.influxql"), expected);
}

/// The rules with neither the waits before an alert fires nor the pause between two looks: a test cannot wait for these.
fn hasty_rules(scene: &Scene) -> PathBuf {
    let text = std::fs::read_to_string(alerts("tidemark.rules.yml")).expect("the rules");
    let hasty: Vec<String> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("for:"))
        .map(|line| line.replace("interval: 5m", "interval: 1s"))
        .collect();
    scene.home.file("rules.yml", hasty.join("\n"))
}

/// What fires: each alert's name, and the labels that say what it is about.
fn firing(server: &Prometheus) -> BTreeSet<String> {
    let subject = |alert: &tidemark_testkit::Alert| {
        let label = |name: &str| alert.labels.get(name).cloned().unwrap_or_default();
        assert!(!alert.annotations["summary"].contains("<no value>"), "{alert:?}");
        let labels = ["alertname", "collector", "host", "sink", "target"].map(label);
        labels
            .into_iter()
            .filter(|label| !label.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    server.alerts().iter().map(subject).collect()
}

/// Waits until exactly these fire, after every rule was evaluated.
#[track_caller]
fn assert_fires(server: &Prometheus, expected: &[&str]) {
    let expected = names(expected);
    let end = std::time::Instant::now() + BOUND;
    while firing(server) != expected && std::time::Instant::now() < end {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    wait_until("every rule was evaluated", BOUND, || {
        let health = server.rule_health();
        health.len() == 6 && health.values().all(|health| health == "ok")
    });
    assert_eq!(firing(server), expected);
}

fn remote_write(server: &Prometheus) -> String {
    let url = server.write_url();
    format!("[[sink]]\nname = \"database\"\ntype = \"remote-write\"\nurl = \"{url}\"\n\n")
}

#[test]
fn the_rules_fire_on_remote_writes() {
    for ill in [false, true] {
        let rules = Scene::new();
        let server = Prometheus::start(PrometheusOptions {
            remote_write: true,
            rules: vec![hasty_rules(&rules)],
            // What fires while the past still comes is written as of now, and makes the rest of the past late.
            out_of_order_time_window: Some("1d".to_owned()),
            ..PrometheusOptions::default()
        });
        let database = remote_write(&server);
        let world = World::new(&database);
        if ill {
            world.ill_sinks(&database);
            world.send(&[&WELL, &ILL], 60);
        } else {
            world.send(&[&WELL], 0);
        }
        let expected = [
            "TidemarkSilent there",
            "TidemarkCollectorLate pages here a:1",
            "TidemarkCollectorLate stopped here",
            "TidemarkCollectorLate stopped-hourly here",
            "TidemarkCollectorFailing failing here",
            "TidemarkCollectorFailing never here",
            "TidemarkCollectorPartial partial here",
            "TidemarkSinkBehind here gone",
            "TidemarkPointsLost here picky",
        ];
        assert_fires(&server, if ill { &expected } else { &[] });
    }
}

#[test]
fn the_rules_fire_on_textfiles() {
    let scene = Scene::new();
    let folder = scene.home.path().join("textfiles");
    std::fs::create_dir(&folder).expect("a folder");
    scene.sinks(&format!(
        "[[sink]]\ntype = \"textfile\"\ndirectory = \"{}\"\n",
        folder.display()
    ));
    let exporter = NodeExporter::start(&folder);
    let server = Prometheus::start(PrometheusOptions {
        rules: vec![hasty_rules(&scene)],
        targets: vec![exporter.target()],
        ..PrometheusOptions::default()
    });
    let mut submitter = Submitter::new(&scene.home, &[]);
    for collector in ["well", "stopped"] {
        submitter.submit(&Run::new(collector, ago(0), MINUTE), &[]);
    }
    let mut of_page = Run::new("pages", ago(0), MINUTE);
    of_page.target = Some("a:1".to_owned());
    submitter.submit(&of_page, &[]);
    submitter.flush(ago(0));
    wait_until("a scrape", BOUND, || {
        server.query("tidemark_run_ok", None).len() == 3
    });
    assert_fires(&server, &[]);

    let set_back = |name: &str| {
        let path = folder.join(name);
        assert!(path.is_file(), "{name}");
        let touch = tidemark_testkit::Run::new("touch").args(["-d", "1 hour ago"]);
        touch.arg(path).run().expect_code(0);
    };
    set_back("tidemark_run-stopped.prom");
    set_back("tidemark_run-pages@a%3A1.prom");
    let late = [
        "TidemarkCollectorLate pages test-host",
        "TidemarkCollectorLate stopped test-host",
    ];
    assert_fires(&server, &late);
    // A host of which nothing is heard is one alert.
    set_back("tidemark_sink.prom");
    assert_fires(&server, &["TidemarkSilent test-host"]);
    // And one that is heard of again none.
    for collector in ["well", "stopped"] {
        submitter.submit(&Run::new(collector, ago(0), MINUTE), &[]);
    }
    submitter.submit(
        &Run {
            started: ago(0),
            ..of_page
        },
        &[],
    );
    submitter.flush(ago(0));
    assert_fires(&server, &[]);
}
