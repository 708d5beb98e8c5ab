//! Local copies of everything that the ten collectors read, in the sources' own shape; small, so that each figure can be
//! counted by hand. Ages are reckoned from the instant on which the world was made.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use tidemark_testkit::ubuntu::TEAMS;
use tidemark_testkit::{Answer, RsyncDaemon, Source, wait_until};

use super::instant::Instant;

/// The series, and whether Launchpad calls them active. The last is in development.
const SERIES: [(&str, bool); 5] = [
    ("trusty", true),
    ("artful", false),
    ("jammy", true),
    ("noble", true),
    ("tenacious", true),
];
/// How long a story may take.
const STORY: Duration = Duration::from_secs(180);
pub(super) const DEVELOPMENT: &str = "tenacious";

/// The servers.
pub(crate) struct World {
    pub(super) now: Instant,
    source: Source,
    rsync: RsyncDaemon,
    distro_info: tempfile::NamedTempFile,
}

impl World {
    /// Not in a day's last minutes: ages in whole days are the same to the end of a story.
    pub(crate) fn new() -> Self {
        wait_until("the next day has begun", 2 * STORY, || {
            Instant::now().seconds_left_of_day() > STORY.as_secs()
        });
        let now = Instant::now();
        let world = Self {
            now,
            source: Source::http(),
            rsync: RsyncDaemon::start(),
            distro_info: tempfile::NamedTempFile::new().expect("a file"),
        };
        std::fs::write(world.distro_info.path(), distro_info(now)).expect("a file");
        world.autopkgtest();
        world.britney();
        world.cnf();
        world.launchpad();
        world.images();
        world.rls_bugs();
        world.sponsoring();
        world.archive();
        world.uploads();
        world.versions();
        world
    }

    /// The list of releases, as the package distro-info-data has it.
    pub(crate) fn distro_info(&self) -> String {
        distro_info(self.now)
    }

    /// The sections of all ten.
    pub(crate) fn settings(&self) -> String {
        self.settings_with(self.distro_info.path())
    }

    /// The sections of all ten, with the list of releases there.
    pub(crate) fn settings_with(&self, distro_info: &Path) -> String {
        let at = |path: &str| self.source.url(path);
        let launchpad = at("/devel/");
        let distro_info = distro_info.display();
        format!(
            "[collector.autopkgtest]\n\
             production_queue_size = \"{}\"\nproduction_running = \"{}\"\n\
             staging_queue_size = \"{}\"\nstaging_running = \"{}\"\n\n\
             [collector.britney]\nurl = \"{}\"\ndistro_info = \"{distro_info}\"\n\n\
             [collector.cnf]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\ndistro_info = \"{distro_info}\"\n\n\
             [collector.contributors]\nlaunchpad = \"{launchpad}\"\n\n\
             [collector.images]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\ndistro_info = \"{distro_info}\"\n\n\
             [collector.rls-bugs]\nurl = \"{}\"\ndistro_info = \"{distro_info}\"\n\n\
             [collector.sponsoring]\nurl = \"{}\"\n\n\
             [collector.ubuntu-archive]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\nreviews_url = \"{}\"\n\
             distro_info = \"{distro_info}\"\n\n\
             [collector.upload-queues]\nlaunchpad = \"{launchpad}\"\ndistro_info = \"{distro_info}\"\n\n\
             [collector.versions]\nurl = \"{}\"\n\n",
            at("/production/queue_size.json"),
            at("/production/static/running.json"),
            at("/staging/queue_size.json"),
            at("/staging/static/running.json"),
            at("/archive-team/proposed-migration/"),
            at("/ubuntu/"),
            self.rsync.url(""),
            at("/reports/rls-mgr/"),
            at("/jsons/general.json"),
            at("/archive-team/"),
            at("/~ubuntu-archive/+activereviews"),
            at("/versions/current/"),
        )
    }

    fn text(&self, path: &str, text: impl AsRef<[u8]>) {
        self.source.route(path, Answer::ok(text));
    }

    fn autopkgtest(&self) {
        self.text(
            "/production/queue_size.json",
            r#"{"ubuntu": {"noble": {"amd64": 12, "arm64": 0}, "tenacious": {"riscv64": 3}}, "huge": {"noble": {"amd64": 2}}}"#,
        );
        self.text("/staging/queue_size.json", r#"{"ppa": {"jammy": {"s390x": 7}}}"#);
        let run = r#"[{"submit-time": "2026-11-21"}, 61, "last lines\nof a log"]"#;
        self.text(
            "/production/static/running.json",
            format!(
                r#"{{"glibc": {{"trigger-1": {{"noble": {{"amd64": {run}, "arm64": {run}}}}},
                "trigger-2": {{"noble": {{"amd64": {run}}}}}}}, "zsh": {{"trigger-1": {{"noble": {{"amd64": {run}}}}}}}}}"#
            ),
        );
        self.text(
            "/staging/static/running.json",
            format!(r#"{{"zsh": {{"trigger-1": {{"jammy": {{"s390x": {run}}}}}}}}}"#),
        );
    }

    fn britney(&self) {
        let at = |path: &str| format!("/archive-team/proposed-migration/{path}");
        // A day and more: the original dropped whole days.
        for (series, hours) in [("trusty", 75), ("jammy", 26), ("noble", 3), (DEVELOPMENT, 1)] {
            let generated = self.now.hours_ago(hours).minutes_ago(20);
            self.text(
                &at(&format!("{series}/update_excuses.html")),
                format!(
                    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\">\n<html>\n<head><title>excuses...</title></head>\n\
                     <body><p>Generated: {} +0000</p>\n<p>Key:</p>\n<ul><li>zsh (1 to 2)</li></ul></body></html>\n",
                    generated.dotted()
                ),
            );
            let folder = format!("log/{series}/{}/", generated.date());
            // The newest is not complete; a test's does not count.
            let names = [
                "01:02:03.log",
                "02:03:04.log",
                "02:59:59_notest.log",
                "03:04:05.log",
            ];
            self.text(&at(&folder), index("log", names.map(|name| (name, self.now))));
            let began = generated.minutes_ago(47);
            let whole = format!("{}\nI: a line\nFinished at: {}\n", began.mail(), generated.mail());
            self.text(
                &at(&format!("{folder}01:02:03.log")),
                "Thu, 1 Jan 2026 00:00:00 +0000\nFinished at: Fri, 2 Jan 2026 00:00:00 +0000\n",
            );
            self.text(&at(&format!("{folder}02:03:04.log")), &whole);
            self.text(
                &at(&format!("{folder}03:04:05.log")),
                format!("{}\nI: a line\n", began.mail()),
            );
        }
        let mut csv = String::from("time,valid candidates,not considered,total,median age,backlog\n");
        for (hours, row) in [(13, "9,9,9,9,9"), (11, "10,20,30,40,50"), (1, "11,21,31,41,51")] {
            let _ = writeln!(csv, "{},{row}", self.now.hours_ago(hours).milliseconds());
        }
        self.text(&at("update_excuses.csv"), csv);
        self.text(
            &at("update_excuses_by_team.yaml"),
            "desktop-packages:\n- age: 4.5\n  package_in_proposed: zsh\n  data: {x: 1}\n- age: 5.5\n  package_in_proposed: bash\n\
             - age: 3.0\n  package_in_proposed: dash\nfoundations-bugs:\n- age: 1.25\n  package_in_proposed: fish\nubuntu-server: []\n",
        );
    }

    fn cnf(&self) {
        for (series, hours) in [("jammy", 30), ("noble", 6), (DEVELOPMENT, 48)] {
            let (at, later) = (self.now.hours_ago(hours), self.now.hours_ago(hours - 1));
            let names = [("Commands-amd64.xz", later), ("Commands-arm64.xz", at)];
            self.text(&format!("/ubuntu/dists/{series}/main/cnf/"), index("cnf", names));
        }
    }

    fn launchpad(&self) {
        let series: Vec<String> = SERIES
            .iter()
            .map(|(name, active)| {
                let status = if *name == DEVELOPMENT {
                    "Active Development"
                } else {
                    "Supported"
                };
                format!(r#"{{"name": "{name}", "active": {active}, "status": "{status}", "version": "1"}}"#)
            })
            .collect();
        self.text("/devel/ubuntu/series", collection(&series, series.len()));
        self.text(
            "/devel/ubuntu",
            format!(r#"{{"name": "ubuntu", "current_series_link": "https://api.launchpad.net/devel/ubuntu/{DEVELOPMENT}"}}"#),
        );
        let architectures =
            ["amd64", "arm64", "riscv64"].map(|tag| format!(r#"{{"architecture_tag": "{tag}"}}"#));
        self.text(
            &format!("/devel/ubuntu/{DEVELOPMENT}/architectures"),
            collection(&architectures, 3),
        );
        for (number, team) in TEAMS.iter().enumerate() {
            let person = [r#"{"name": "somebody"}"#.to_owned()];
            self.text(
                &format!("/devel/~{team}/members"),
                collection(&person, 10 + number),
            );
            self.text(
                &format!("/devel/~{team}/participants"),
                collection(&person, 100 + number),
            );
        }
        self.text("/devel/~ubuntu-archive?ws.op=searchTasks&ws.show=total_size", "0");
        for (parameter, count) in [("bug_subscriber", "257"), ("assignee", "3")] {
            let person = self.source.url("/devel/~ubuntu-archive");
            self.text(
                &format!("/devel/~ubuntu-archive?ws.op=searchTasks&ws.show=total_size&{parameter}={person}"),
                count,
            );
        }
    }

    fn images(&self) {
        for (path, size, age) in [
            (
                "daily-live/20261119/tenacious-desktop-amd64.iso",
                6_123_456_789,
                2.5,
            ),
            (
                "daily-live/20261120/tenacious-desktop-amd64.iso",
                6_123_456_790,
                1.5,
            ),
            (
                "kubuntu/daily-live/20261120/tenacious-desktop-amd64.iso",
                4_000_000_000,
                1.5,
            ),
            (
                "ubuntu-server/noble/daily-live/20261118/noble-live-server-arm64+largemem.iso",
                3_000_000_001,
                3.5,
            ),
            (
                "noble/daily-live/20261110/noble-desktop-amd64.iso",
                5_000_000_000,
                10.5,
            ),
            (
                "ubuntustudio/dvd/20261120/jammy-dvd-amd64.iso",
                4_500_000_000,
                1.5,
            ),
            (
                "ubuntustudio/dvd/20261120/tenacious-dvd-amd64.iso",
                4_600_000_000,
                1.5,
            ),
            (
                "ubuntu-core/16/daily/20200101/ubuntu-core-16-amd64.img.xz",
                300,
                900.5,
            ),
        ] {
            let modified = u64::try_from(self.now.days_ago(age).0).expect("after 1970");
            self.rsync.file(path, size, modified);
        }
        for (link, target) in [
            ("daily-live/current", "20261119"),
            ("daily-live/pending", "20261120"),
            ("kubuntu/daily-live/current", "20261120"),
            ("ubuntu-server/noble/daily-live/current", "20261118"),
            ("noble/daily-live/current", "20261110"),
            ("ubuntustudio/dvd/current", "20261120"),
            ("ubuntu-core/16/daily/current", "20200101"),
        ] {
            self.rsync.link(link, target);
        }
    }

    fn rls_bugs(&self) {
        let at = |series: &str, tag: &str| format!("/reports/rls-mgr/rls-{series}-{tag}.json");
        self.text(
            &at("jj", "incoming"),
            r#"{"tasks": {"2000001": [{"team": ["desktop", "foundations"]}, {"team": ["desktop"]}], "2000002": [{"team": ["desktop"]}],
            "2000003": [{"team": null}]}, "generated": "now"}"#,
        );
        self.text(
            &at("jj", "tracking"),
            r#"{"tasks": {"2000004": [{"team": ["server"]}]}}"#,
        );
        self.text(&at("nn", "incoming"), r#"{"tasks": {}}"#);
        self.text(
            &at("nn", "tracking"),
            r#"{"tasks": {"2000001": [{"team": ["foundations"]}]}}"#,
        );
        self.text(&at("tt", "incoming"), r#"{"tasks": {}}"#);
        self.text(
            &at("tt", "tracking"),
            r#"{"tasks": {"2000005": [{"team": ["kernel"]}]}}"#,
        );
    }

    fn sponsoring(&self) {
        let queued = |days: f64| self.now.days_ago(days).american();
        self.text(
            "/jsons/general.json",
            format!(
                r#"[{{"date_queued": "{}", "sets": ["desktop"]}}, {{"date_queued": "{}", "sets": ["desktop", "core"]}},
                {{"date_queued": "{}", "sets": []}}]"#,
                queued(2.0),
                queued(7.0),
                queued(12.0)
            ),
        );
    }

    fn archive(&self) {
        let at = |path: &str| format!("/archive-team/{path}");
        let rows = |rows: &[(i64, &str)]| {
            rows.iter().fold(String::new(), |text, (hours, row)| {
                text + &format!("{},{row}\n", self.now.hours_ago(*hours).milliseconds())
            })
        };
        let nbs = rows(&[(13, "9,99"), (10, "1,170"), (1, "2,171")]);
        self.source.route(&at("nbs.csv"), Answer::ok(nbs).by_range());
        let release = rows(&[(13, "9,9,9,9"), (2, "16,29,22,85")]);
        self.source
            .route(&at("component-mismatches.csv"), Answer::ok(release).by_range());
        let proposed = rows(&[(2, "38,93,12,129")]);
        self.source.route(
            &at("component-mismatches-proposed.csv"),
            Answer::ok(proposed).by_range(),
        );
        let report = |summary: &str, hours: i64| {
            let generated = self.now.hours_ago(hours).mail();
            format!("# Report\n\n* amd64\n\n  zsh 1-2\n\n* summary\n{summary}\n# Generated: {generated}\n")
        };
        self.text(
            &at("proposed-migration/tenacious_uninst.txt"),
            report("   1204 amd64\n     31 riscv64\n", 3),
        );
        self.text(
            &at("proposed-migration/tenacious_outdate.txt"),
            report("   5 arm64\n", 4),
        );
        self.text(
            &at("priority-mismatches.txt"),
            format!(
                "Generated: {}\n\namd64\n=====\n\nPackages of a priority\nthat is too low\n------\n\nzsh\nlibfoo-dev\n\narm64\n=====\n\n\
                 Packages of a priority\n------\n\nbash\n",
                self.now.hours_ago(5).unix()
            ),
        );
        let heading =
            |text: &str| format!("<tr><td class=\"section-heading\" colspan=\"7\">{text}</td></tr>\n");
        let link = |number: u32| {
            format!(
                "<tr><td><a href=\"/~somebody/ubuntu/+source/zsh/+git/zsh/+merge/{number}\">a branch</a></td></tr>\n"
            )
        };
        let table = [
            heading("Requested reviews I can do"),
            link(1),
            link(2),
            heading("Reviews the team can do"),
            link(3),
            heading("Other reviews I am not actively reviewing"),
            link(4),
        ];
        self.text(
            "/~ubuntu-archive/+activereviews",
            format!(
                "<!DOCTYPE html>\n<html><body><table>{}</table></body></html>",
                table.concat()
            ),
        );
    }

    /// The queues of the series: uploads that are some days old, and what is in those of the queue of new ones.
    fn uploads(&self) {
        for (series, status, uploads) in [
            ("trusty", "Unapproved", &[][..]),
            ("trusty", "New", &[]),
            ("jammy", "Unapproved", &[(2.5, "s")]),
            ("jammy", "New", &[]),
            ("noble", "Unapproved", &[(2.5, "s"), (12.5, "s"), (20.5, "c")]),
            ("noble", "New", &[(1.5, "sb")]),
            (DEVELOPMENT, "Unapproved", &[(0.5, "s")]),
            (DEVELOPMENT, "New", &[(11.5, "s"), (30.5, "b"), (3.5, "c")]),
        ] {
            let target =
                format!("/devel/ubuntu/{series}?ws.op=getPackageUploads&status={status}&pocket=Proposed");
            let entry = |(number, (age, holds)): (usize, &(f64, &str))| {
                format!(
                    r#"{{"self_link": "https://api.launchpad.net/devel/ubuntu/{series}/+upload/{status}{number}", "status": "{status}",
                    "date_created": "{}", "contains_source": {}, "contains_build": {}, "contains_copy": {}}}"#,
                    self.now.days_ago(*age).launchpad(),
                    holds.contains('s'),
                    holds.contains('b'),
                    holds.contains('c')
                )
            };
            let entries: Vec<String> = uploads.iter().enumerate().map(entry).collect();
            self.text(&target, collection(&entries, entries.len()));
        }
    }

    fn versions(&self) {
        self.text("/versions/current/reports", "desktop\nnot in debian\n");
        self.text("/versions/current/desktop", "uptodate=120\noutdated=7\n");
        self.text("/versions/current/not%20in%20debian", "total=3\n");
    }
}

/// A collection of Launchpad's, in one page.
fn collection(entries: &[String], total: usize) -> String {
    format!(
        r#"{{"start": 0, "total_size": {total}, "entries": [{}]}}"#,
        entries.join(", ")
    )
}

/// An index as Apache makes it.
fn index<const N: usize>(title: &str, names: [(&str, Instant); N]) -> String {
    let rows: String = names
        .iter()
        .map(|(name, modified)| {
            format!(
                "<tr><td valign=\"top\"><img src=\"/icons/text.gif\" alt=\"[TXT]\"></td><td><a href=\"{name}\">{name}</a></td>\
                 <td align=\"right\">{}  </td><td align=\"right\">1.4M</td><td>&nbsp;</td></tr>\n",
                modified.minute()
            )
        })
        .collect();
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of /{title}</title>\n </head>\n <body>\n\
         <h1>Index of /{title}</h1>\n  <table>\n   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th>\
         <th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last modified</a></th><th><a href=\"?C=S;O=A\">Size</a></th>\
         <th><a href=\"?C=D;O=A\">Description</a></th></tr>\n   <tr><th colspan=\"5\"><hr></th></tr>\n\
         <tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a href=\"/\">Parent Directory</a></td>\
         <td>&nbsp;</td><td align=\"right\">  - </td><td>&nbsp;</td></tr>\n{rows}   <tr><th colspan=\"5\"><hr></th></tr>\n</table>\n\
         <address>Apache/2.4.52 (Ubuntu) Server</address>\n</body></html>\n"
    )
}

/// Ubuntu's releases: trusty under extended support, artful past it, jammy and noble supported, tenacious in the making.
fn distro_info(now: Instant) -> String {
    let day = |days: f64| now.days_ago(days).date();
    format!(
        "version,codename,series,created,release,eol,eol-server,eol-esm\n\
         14.04 LTS,Trusty Tahr,trusty,2013-10-17,2014-04-17,2019-04-25,2019-04-25,{later}\n\
         17.10,Artful Aardvark,artful,2017-04-13,2017-10-19,2018-07-19\n\
         22.04 LTS,Jammy Jellyfish,jammy,2021-10-14,2022-04-21,{later},{later},{later}\n\
         24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,{yesterday},{later},{later}\n\
         27.04,Tenacious Tapir,tenacious,{created},{soon},{later}\n",
        later = day(-500.0),
        yesterday = day(1.0),
        created = day(30.0),
        soon = day(-120.0),
    )
}
