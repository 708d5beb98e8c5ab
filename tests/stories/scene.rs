//! What the stories share.

mod ledger;
mod lines;
mod submitter;

pub(crate) use ledger::{Ledger, Status, status};
pub(crate) use lines::{Line, lines};
pub(crate) use submitter::Submitter;

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use tidemark_testkit::{Answer, Ended, Home, Influxd, Run, SinkServer, Source, Systemd};

/// How long a program may take on a machine that is busy with other tests.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// How long a run may take that waits on delivery for the ten seconds that it has: less than a request may last, so that
/// one that waits for a silent sink is found out.
pub(crate) const LONGEST_RUN: Duration = Duration::from_secs(30);

/// The measurement of the sponsoring collector.
pub(crate) const QUEUE: &str = "sponsoring_queue_stats";

/// A home for the programs, and a report for the sponsoring collector to read.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) source: Source,
}

impl Scene {
    /// One with a report of two sets: three points a run, and `tidemark_run`.
    pub(crate) fn new() -> Self {
        let scene = Self {
            home: Home::new(),
            source: Source::http(),
        };
        scene.report(2);
        scene
    }

    /// From now on the report has so many sets with one entry each: a point for each, and one for all.
    pub(crate) fn report(&self, sets: usize) {
        self.source.route("/general.json", Answer::ok(report(sets)));
    }

    /// Writes settings: the source, and the sinks as given.
    pub(crate) fn sinks(&self, sinks: &str) {
        self.settings("", sinks);
    }

    /// The same, with more keys of the collector.
    pub(crate) fn settings(&self, collector: &str, sinks: &str) {
        let url = self.source.url("/general.json");
        self.home.settings(&format!(
            "[host]\nname = \"test-host\"\n\n[collector.sponsoring]\nurl = \"{url}\"\n{collector}\n{sinks}"
        ));
    }

    /// A run of the sponsoring collector, not started yet.
    pub(crate) fn sponsoring(&self) -> Run {
        self.home.run("tidemark-sponsoring").bound(BOUND)
    }

    /// A run of the sponsoring collector that must end well.
    #[track_caller]
    pub(crate) fn collect(&self) -> Ended {
        self.sponsoring().run().expect_code(0)
    }

    /// A run of the operator's command, not started yet.
    pub(crate) fn tidemark(&self, arguments: &str) -> Run {
        self.home
            .run("tidemark")
            .args(arguments.split_whitespace())
            .bound(BOUND)
    }

    /// Tries everything that waits now, and demands that nothing is left.
    #[track_caller]
    pub(crate) fn flush(&self) -> Ended {
        self.tidemark("outbox flush").run().expect_code(0)
    }

    /// What was rejected and why, as an operator sees it.
    #[track_caller]
    pub(crate) fn rejected(&self) -> String {
        self.tidemark("outbox show").run().expect_code(0).stdout
    }

    /// The ledger of a sink.
    #[track_caller]
    pub(crate) fn ledger(&self, sink: &str) -> Ledger {
        status(&self.home).sink(sink)
    }
}

/// A report with so many sets, one entry in each.
pub(crate) fn report(sets: usize) -> String {
    let mut text = String::from("[");
    for set in 0..sets {
        let comma = if set == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"date_queued":"01/02/26","sets":["{}"]}}"#,
            set_name(set)
        );
    }
    text + "]"
}

/// The name of a report's set.
pub(crate) fn set_name(set: usize) -> String {
    format!("set-{set:05}")
}

/// A `[[sink]]` of that name: a server that plays.
pub(crate) fn playing(name: &str, server: &SinkServer) -> String {
    format!(
        "[[sink]]\nname = \"{name}\"\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n\n",
        server.url("")
    )
}

/// A `[[sink]]` of that name: a real InfluxDB. Its password is plain; a certificate is named where it has one.
pub(crate) fn influxdb(name: &str, server: &Influxd) -> String {
    let mut text = place(name, server);
    if let Some((user, password)) = server.user() {
        let _ = writeln!(text, "username = \"{user}\"\npassword = \"{password}\"");
    }
    if server.url().starts_with("https") {
        let _ = writeln!(text, "ca_file = \"{}\"", server.ca_file().display());
    }
    text + "\n"
}

/// The same as an operator has it on a machine: the password is a credential of systemd, and both it and the certificate are
/// put there.
pub(crate) fn with_credential(machine: &Systemd, server: &Influxd) -> String {
    let (user, password) = server.user().expect("a user");
    machine.install("/etc/credstore/influxdb-password", password, 0o600, "root");
    let authority = std::fs::read(server.ca_file()).expect("a certificate");
    machine.install("/etc/tidemark/authority.pem", authority, 0o644, "root");
    format!(
        "{}username = \"{user}\"\npassword = {{ credential = \"influxdb-password\" }}\n\
         ca_file = \"/etc/tidemark/authority.pem\"\n\n",
        place("influxdb", server)
    )
}

/// What a `[[sink]]` is called and where it sends.
fn place(name: &str, server: &Influxd) -> String {
    format!(
        "[[sink]]\nname = \"{name}\"\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"{}\"\n",
        server.url(),
        server.database()
    )
}

/// Every file below a folder, with its content.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(content) = std::fs::read(&path) {
                found.push((path.display().to_string(), content));
            }
        }
    }
    found.sort();
    found
}
