//! A site that ran gostats: its clusters, its file, and a home for the collector.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_testkit::onefs::{OneFs, STOCK_GROUPS, Time};
use tidemark_testkit::{Certificates, Home, Influxd, Run, Running};

use crate::scene::BOUND;

/// All that gostats knows beside the groups.
pub(super) const SUMMARIES: &str = "[summary_stats]\nprotocol = true\nclient = true\ndrive = true\n";

/// How long a collector may stay: longer than any test, so that one which hangs ends all the same.
pub(super) const STAYS: Duration = Duration::from_mins(30);

/// Clusters that speak HTTPS with certificates of one authority, and a home whose programs trust it.
pub(super) struct Site {
    pub(super) home: Home,
    pub(super) clusters: Vec<OneFs>,
    pub(super) certificates: Certificates,
}

impl Site {
    /// Clusters of these names, each with so many nodes.
    pub(super) fn new(clusters: &[(&str, usize)]) -> Self {
        let certificates = Certificates::new();
        let start = |(name, nodes): &(&str, usize)| OneFs::https(&certificates.leaf, name, *nodes);
        let site = Self {
            home: Home::new(),
            clusters: clusters.iter().map(start).collect(),
            certificates,
        };
        site.trust(site.certificates.authority());
        site
    }

    /// The authorities that the home's programs trust, as `SSL_CERT_FILE`.
    pub(super) fn trusted(&self) -> PathBuf {
        self.home.path().join("authorities.pem")
    }

    /// From now on they trust this one too.
    pub(super) fn trust(&self, authority: &Path) {
        let mut all = fs::read(self.trusted()).unwrap_or_default();
        all.extend(fs::read(authority).expect("a certificate"));
        self.home.file("authorities.pem", all);
    }

    /// Writes gostats' file, at once from one whole state to the next, and gives its path.
    pub(super) fn idic(&self, text: &str) -> PathBuf {
        let path = self.home.path().join("idic.toml");
        let new = self.home.file("idic.toml.new", text);
        fs::rename(new, &path).expect("a folder of the test's own");
        path
    }

    /// A run of a program of the workspace that trusts the authorities.
    pub(super) fn run(&self, program: &str) -> Run {
        self.home
            .run(program)
            .env("SSL_CERT_FILE", self.trusted())
            .bound(BOUND)
    }

    /// A run of the collector, with the file on its command line.
    pub(super) fn onefs(&self) -> Run {
        let path = self.home.path().join("idic.toml");
        self.run("tidemark-onefs").arg("--idic").arg(path)
    }

    /// The collector as it stays, with the file on its command line.
    pub(super) fn stays(&self) -> Running {
        self.stays_with(&[])
    }

    /// The same with these variables.
    pub(super) fn stays_with(&self, variables: &[(&str, &str)]) -> Running {
        let run = self.onefs().arg("--every").bound(STAYS);
        let run = variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        run.start()
    }

    /// The clusters' tables in the file.
    pub(super) fn tables(&self) -> String {
        self.clusters.iter().map(|cluster| table(cluster, "")).collect()
    }

    /// The time that every cluster has from now on, in seconds.
    pub(super) fn set_time(&self, time: i64) {
        for cluster in &self.clusters {
            cluster.set_time(Time::At(time));
        }
    }
}

/// Ends it as systemd does; what it wrote.
#[track_caller]
pub(super) fn ends(collector: Running) -> String {
    collector.terminate();
    let ended = collector.wait().expect_code(0);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended.stderr
}

/// Whether it is said of a machine that is busy: moments were skipped, or the end came in the midst of a visit.
pub(super) fn is_of_a_busy_machine(said: &str) -> bool {
    said.contains("moments were skipped") || said.contains("was told to end before it was asked for")
}

/// Has it read its settings anew.
pub(super) fn hang_up(running: &Running) {
    let kill = format!("kill -HUP {}", running.pid());
    Run::new("/bin/sh").args(["-c", &kill]).run().expect_code(0);
}

/// A cluster's `[[cluster]]`, with more lines.
pub(super) fn table(cluster: &OneFs, more: &str) -> String {
    let behaviour = cluster.behaviour();
    format!(
        "[[cluster]]\nhostname = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nverify-ssl = true\n{more}\n",
        cluster.address(),
        behaviour.username,
        behaviour.password
    )
}

/// `[global]` with that back end, so many seconds between two requests, and groups of these names that are fetched.
pub(super) fn global(processor: &str, seconds: u32, active: &[&str]) -> String {
    format!(
        "[global]\nversion = \"v0.39\"\nstats_processor = \"{processor}\"\nmin_update_interval_override = {seconds}\n\
         active_stat_groups = {active:?}\n"
    )
}

/// The names of the stock groups.
pub(super) fn stock_names() -> Vec<&'static str> {
    STOCK_GROUPS.iter().map(|(name, ..)| *name).collect()
}

/// The stock groups as the file has them.
pub(super) fn stock_groups() -> String {
    let group = |(name, start, ends): &(&str, &str, &[&str])| {
        let keys: Vec<String> = ends.iter().map(|end| format!("{start}{end}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        statgroup(name, &keys)
    };
    STOCK_GROUPS.iter().map(group).collect()
}

/// A group whose keys are fetched at their own intervals.
pub(super) fn statgroup(name: &str, keys: &[&str]) -> String {
    format!("[[statgroup]]\nname = \"{name}\"\nupdate_interval = \"*\"\nstats = {keys:?}\n")
}

/// `[influxdb]` of a real one.
pub(super) fn influxdb(server: &Influxd) -> String {
    let mut text = format!(
        "[influxdb]\nhost = \"localhost\"\nport = \"{}\"\ndatabase = \"{}\"\nuse_ssl = {}\n",
        server.port(),
        server.database(),
        server.url().starts_with("https")
    );
    if let Some((user, password)) = server.user() {
        let _ = writeln!(
            text,
            "authenticated = true\nusername = \"{user}\"\npassword = \"{password}\""
        );
    }
    text
}
