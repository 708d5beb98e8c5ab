//! The service of systemd that stays: credentials of nested settings, listeners, reload, watchdog, sandbox.

use std::fs;

use serde_json::Value;
use tidemark_testkit::onefs::OneFs;
use tidemark_testkit::{Certificates, SinkServer, Systemd, free_port, http, program, wait_until};

use super::site::is_of_a_busy_machine;
use crate::scene::{BOUND, Line, lines, playing};
use crate::systemd::{add, drop_in, machine};

const UNIT: &str = "tidemark-onefs.service";
const SETTINGS: &str = "/etc/tidemark/tidemark.toml";
const KEYS: [&str; 2] = ["node.load.1min", "cluster.health"];
const PASSWORDS: [&str; 3] = ["Tr0ub4dor-and-3", "correct-h0rse", "scr4pe-it-0ut"];
const IN_FORCE: &str = "the settings that were read anew are in force";

/// A machine whose service visits two clusters of the host's and shows what it found.
struct Stage {
    machine: Systemd,
    clusters: [OneFs; 2],
    sink: SinkServer,
    certificates: Certificates,
    port: u16,
}

impl Stage {
    fn new() -> Self {
        let certificates = Certificates::new();
        let clusters = ["Alpha", "Beta"].map(|name| OneFs::https(&certificates.leaf, name, 2));
        for (cluster, password) in clusters.iter().zip(PASSWORDS) {
            cluster.change(|it| {
                it.password = password.to_owned();
                it.intervals = KEYS.map(|key| (key.to_owned(), Some(1))).into();
            });
        }
        let stage = Self {
            machine: machine(),
            clusters,
            sink: SinkServer::start(),
            certificates,
            port: free_port(),
        };
        let machine = &stage.machine;
        add(machine, "onefs");
        for (path, text) in [
            ("/etc/credstore/alpha", PASSWORDS[0]),
            ("/root/beta's password", PASSWORDS[1]),
            ("/etc/credstore/scraper", PASSWORDS[2]),
        ] {
            machine.install(path, text, 0o600, "root");
        }
        let authority = fs::read(stage.certificates.authority()).expect("a certificate");
        machine.install("/etc/tidemark/authority.pem", authority, 0o644, "root");
        stage.set("");
        machine
            .run(["tidemark", "units", "print", "--to", "/etc/systemd/system"])
            .expect_code(0);
        stage
    }

    /// Writes the settings, with these more lines at their beginning.
    fn set(&self, more: &str) {
        let cluster = |cluster: &OneFs, password: &str| {
            format!(
                "[[collector.onefs.cluster]]\nhostname = \"{}\"\nusername = \"monitor\"\npassword = {password}\n\
                 ca_file = \"/etc/tidemark/authority.pem\"\n",
                cluster.address()
            )
        };
        let text = format!(
            "{more}[collector.onefs]\nmin_update_interval = \"1s\"\nactive_stat_groups = [\"keys\"]\n\
             [collector.onefs.prometheus]\nlisten = \"127.0.0.1:{}\"\nusername = \"scraper\"\n\
             password = {{ credential = \"scraper\" }}\n\
             [[collector.onefs.statgroup]]\nname = \"keys\"\nstats = {KEYS:?}\n{}{}{}",
            self.port,
            cluster(&self.clusters[0], "{ credential = \"alpha\" }"),
            cluster(&self.clusters[1], "{ file = \"/root/beta's password\" }"),
            playing("played", &self.sink)
        );
        // Groups that are built in are left out, as they have a key of these.
        self.machine.install(SETTINGS, text, 0o640, "root:tidemark");
    }

    fn start(&self) {
        self.machine.daemon_reload();
        self.machine.systemctl(["start", UNIT]);
        self.wait_for_points(|_| true);
    }

    fn points(&self) -> Vec<Line> {
        let requests = self.sink.requests();
        requests
            .iter()
            .flat_map(|request| lines(request.text()))
            .collect()
    }

    /// Waits until there is a new point of each cluster that is so.
    #[track_caller]
    fn wait_for_points(&self, is_it: impl Fn(&Line) -> bool) {
        self.sink.forget();
        wait_until("points of both clusters", BOUND, || {
            let points = self.points();
            let of = |name: &str| {
                let mut found = points
                    .iter()
                    .filter(|point| point.tags.get("cluster").is_some_and(|it| it == name));
                found.any(&is_it)
            };
            of("alpha") && of("beta")
        });
    }

    fn process(&self) -> String {
        self.machine.property(UNIT, "MainPID")
    }

    /// What the unit said that is no mere progress.
    fn warnings(&self) -> Vec<String> {
        let warnings = self.machine.journal(UNIT, &["-p", "warning"]);
        let texts = warnings.iter().map(|entry| entry.message().to_owned());
        texts.filter(|text| !is_of_a_busy_machine(text)).collect()
    }

    fn scrape(&self, password: &str) -> http::Response {
        let url = format!("http://localhost:{}/metrics", self.port);
        http::Request::get(&url)
            .basic("scraper", password)
            .send()
            .expect("an answer")
    }

    #[track_caller]
    fn wait_for_words(&self, words: &str, times: usize) {
        wait_until(words, BOUND, || {
            let said = self.machine.journal(UNIT, &[]);
            said.iter()
                .filter(|entry| entry.message().contains(words))
                .count()
                >= times
        });
    }
}

#[test]
fn it_collects_and_listens_in_its_sandbox_and_ends_with_everything_kept() {
    let stage = Stage::new();
    let machine = &stage.machine;
    stage.start();
    assert_eq!(stage.warnings(), [""; 0]);
    assert!(machine.property(UNIT, "Type").starts_with("notify"));
    assert_ne!(machine.property(UNIT, "WatchdogUSec"), "0");
    let limit = machine.property(UNIT, "LimitNOFILE");
    assert!(limit.parse::<u64>().is_ok_and(|limit| limit >= 4096), "{limit}");

    // It may listen where the settings say so, and who scrapes has to say who he is.
    let page = stage.scrape(PASSWORDS[2]);
    assert!(
        page.text()
            .contains("isilon_stat_node_load_1min{cluster=\"alpha\""),
        "{}",
        page.text()
    );
    assert_eq!(stage.scrape("another").status, 401);

    // The words of systemd's own tools, on this unit as it is.
    let file = format!("/etc/systemd/system/{UNIT}");
    let words = [
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--no-pager",
        "--threshold=15",
    ];
    let judged = machine.command(words).arg(&file).run();
    let last = judged.stdout.lines().last().unwrap_or_default();
    assert_eq!(judged.code, Some(0), "{last}{}", judged.stderr);
    let verified = machine
        .command(["systemd-analyze", "verify", "--man=no"])
        .arg(&file)
        .run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));

    // No secret where others can look.
    let shown = machine.systemctl(["show", UNIT]) + &machine.systemctl(["status", "--full", UNIT]);
    let line = machine
        .run([
            "sh",
            "-c",
            &format!("tr '\\0' ' ' </proc/{}/cmdline", stage.process()),
        ])
        .stdout;
    let said: String = machine
        .journal(UNIT, &[])
        .iter()
        .map(|entry| format!("{entry:?}\n"))
        .collect();
    let unit = machine.run(["cat", &file]).expect_code(0).stdout;
    for secret in PASSWORDS.into_iter().chain(["session-1-of-", "token-1"]) {
        for text in [&shown, &line, &said, &unit] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }

    let began = std::time::Instant::now();
    machine.systemctl(["stop", UNIT]);
    // By itself, before systemd kills it.
    assert!(began.elapsed().as_secs() < 29, "{:?}", began.elapsed());
    assert_eq!(machine.property(UNIT, "Result"), "success");
    // What the end had no time to deliver is kept, and nothing else.
    machine.run(["tidemark", "outbox", "flush"]).expect_code(0);
    let status = machine
        .run(["tidemark", "status", "--json"])
        .expect_code(0)
        .stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let sink = &status["sinks"][0];
    assert_eq!(
        (&sink["waiting"], &sink["rejected"]),
        (&0.into(), &0.into()),
        "{sink}"
    );
    assert_eq!(sink["collected"], sink["delivered"], "{sink}");
    // It does not wait long for the answer.
    wait_until("it logs out", BOUND, || stage.clusters[0].open_sessions() == 0);
}

#[test]
fn it_is_reloaded_and_a_mistake_leaves_all_as_it_is() {
    let stage = Stage::new();
    let machine = &stage.machine;
    stage.start();
    let first = stage.process();
    stage.set("[host]\ntags = { site = \"north\" }\n");
    machine.systemctl(["reload", UNIT]);
    stage.wait_for_words(IN_FORCE, 1);
    stage.wait_for_points(|point| point.tags.get("site").is_some_and(|site| site == "north"));
    assert_eq!(machine.property(UNIT, "ActiveState"), "active");
    assert_eq!(stage.scrape(PASSWORDS[2]).status, 200);

    stage.set("[hots]\n");
    drop(machine.run(["systemctl", "reload", UNIT]));
    stage.wait_for_words("those before stay in force", 1);
    stage.wait_for_points(|point| point.tags.get("site").is_some_and(|site| site == "north"));
    assert_eq!(machine.property(UNIT, "ActiveState"), "active");
    let status = machine.property(UNIT, "StatusText");
    assert!(!status.is_empty());

    stage.set("");
    machine.systemctl(["reload", UNIT]);
    stage.wait_for_words(IN_FORCE, 2);
    stage.wait_for_points(|point| !point.tags.contains_key("site"));
    assert_eq!(stage.process(), first, "one process all the time");
    assert_eq!(machine.property(UNIT, "NRestarts"), "0");
}

#[test]
fn one_that_stands_still_is_started_again() {
    let stage = Stage::new();
    let machine = &stage.machine;
    // Long enough for a machine that is busy with other tests.
    drop_in(machine, UNIT, "[Service]\nWatchdogSec=8s\n");
    stage.start();
    let first = stage.process();
    machine.run(["kill", "-STOP", &first]).expect_code(0);
    wait_until("it is started again", BOUND, || {
        let now = stage.process();
        now != "0" && now != first
    });
    stage.wait_for_points(|_| true);
    let said = machine.journal(UNIT, &["-p", "warning"]);
    assert!(
        said.iter()
            .any(|entry| entry.message().to_lowercase().contains("watchdog")),
        "{said:?}"
    );
    assert_eq!(machine.property(UNIT, "NRestarts"), "1");
    // While it works, it is left alone.
    assert_eq!(machine.property(UNIT, "ActiveState"), "active");
    assert!(program("tidemark-onefs").is_file());
}
