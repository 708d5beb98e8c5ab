//! Local copies of everything that the ten collectors read, as long as the real ones.

use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use tidemark_testkit::ubuntu::{self, ARCHITECTURES, IndexStyle, Size, TEAMS};
use tidemark_testkit::{Answer, Certificates, RsyncDaemon, Source};

/// The series, oldest first; the last is in development.
const SERIES: [&str; 7] = [
    "bionic", "focal", "jammy", "noble", "questing", "resolute", "stonking",
];
const DEVELOPMENT: &str = "stonking";
/// Where britney and the archive's administrators have theirs.
const TEAM: &str = "/archive-team";

/// The servers: what is fetched over HTTPS by default is here too.
pub(crate) struct World {
    pub(crate) certificates: Certificates,
    pub(crate) rsync: RsyncDaemon,
    https: Source,
    http: Source,
    /// Milliseconds since the epoch.
    now: i64,
    skipped: std::cell::Cell<[usize; 2]>,
}

impl World {
    pub(crate) fn new() -> Self {
        let certificates = Certificates::new();
        let world = Self {
            https: Source::https(&certificates.leaf),
            http: Source::http(),
            rsync: RsyncDaemon::start(),
            now: clock_gettime(ClockId::Realtime).tv_sec * 1000,
            certificates,
            skipped: std::cell::Cell::default(),
        };
        world.autopkgtest_and_sponsoring();
        world.britney();
        world.archive();
        world.launchpad();
        world.plain();
        world.images();
        world
    }

    /// The sections of all ten.
    pub(crate) fn settings(&self, distro_info: &Path) -> String {
        let https = |path: &str| self.https.url(path);
        let (launchpad, info) = (https("/devel/"), distro_info.display());
        format!(
            "[collector.autopkgtest]\nproduction_queue_size = \"{}\"\nproduction_running = \"{}\"\n\
             staging_queue_size = \"{}\"\nstaging_running = \"{}\"\n\
             [collector.britney]\nurl = \"{}\"\ndistro_info = \"{info}\"\n\
             [collector.cnf]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\n\
             [collector.contributors]\nlaunchpad = \"{launchpad}\"\n\
             [collector.images]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\ndistro_info = \"{info}\"\n\
             [collector.rls-bugs]\nurl = \"{}\"\ndistro_info = \"{info}\"\n\
             [collector.sponsoring]\nurl = \"{}\"\n\
             [collector.ubuntu-archive]\nurl = \"{}\"\nlaunchpad = \"{launchpad}\"\nreviews_url = \"{}\"\ndistro_info = \"{info}\"\n\
             [collector.upload-queues]\nlaunchpad = \"{launchpad}\"\n\
             [collector.versions]\nurl = \"{}\"\n",
            https("/production-queue_size.json"),
            https("/production-running.json"),
            https("/staging-queue_size.json"),
            https("/staging-running.json"),
            https(&format!("{TEAM}/proposed-migration/")),
            self.http.url("/ubuntu/"),
            self.rsync.url(""),
            self.http.url("/rls-mgr/"),
            self.http.url("/general.json"),
            https(&format!("{TEAM}/")),
            https("/~ubuntu-archive/+activereviews"),
            https("/versions/current/"),
        )
    }

    /// All seven series are under support, the last is in the making; one that is not tells how reports are called.
    pub(crate) fn distro_info(&self) -> String {
        let mut text = String::from(
            "version,codename,series,created,release,eol,eol-server,eol-esm\n\
             17.10,Artful Aardvark,artful,2017-04-13,2017-10-19,2018-07-19\n",
        );
        for series in SERIES {
            let release = if series == DEVELOPMENT {
                "2199-04-23"
            } else {
                "2020-04-23"
            };
            text += &format!(
                "20.04 LTS,Some Animal,{series},2019-10-17,{release},2199-05-29,2199-05-29,2199-04-02\n"
            );
        }
        text
    }

    /// From here on, [`asked`](Self::asked) counts.
    pub(crate) fn forget(&self) {
        self.skipped
            .set([&self.https, &self.http].map(|source| source.requests().len()));
    }

    /// What was asked since: each address, and the range of bytes.
    pub(crate) fn asked(&self) -> Vec<(String, Option<String>)> {
        let mut asked = Vec::new();
        for (source, skipped) in [&self.https, &self.http].into_iter().zip(self.skipped.get()) {
            for request in source.requests().iter().skip(skipped) {
                let query = if request.query.is_empty() { "" } else { "?" };
                let url = source.url(&format!("{}{query}{}", request.path, request.query));
                let range = request
                    .header("range")
                    .and_then(|range| range.strip_prefix("bytes="));
                asked.push((url, range.map(str::to_owned)));
            }
        }
        asked
    }

    fn text(&self, path: &str, text: impl AsRef<[u8]>) {
        self.https.route(path, Answer::ok(text));
    }

    fn autopkgtest_and_sponsoring(&self) {
        let fixture = |path: &str| {
            let collectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collectors");
            std::fs::read(collectors.join(path)).unwrap()
        };
        for name in [
            "production-queue_size",
            "production-running",
            "staging-queue_size",
            "staging-running",
        ] {
            self.text(
                &format!("/{name}.json"),
                fixture(&format!("autopkgtest/fixtures/{name}.json")),
            );
        }
        self.http.route(
            "/general.json",
            Answer::ok(fixture("sponsoring/fixtures/general.json")),
        );
    }

    fn britney(&self) {
        let at = |path: &str| format!("{TEAM}/proposed-migration/{path}");
        self.text(
            &at("update_excuses_by_team.yaml"),
            ubuntu::update_excuses_by_team(Size::REAL).text,
        );
        self.text(
            &at("update_excuses.csv"),
            ubuntu::update_excuses_csv(Size::REAL, self.now).text,
        );
        for series in SERIES {
            // Those of stable series are shorter.
            let size = if series == DEVELOPMENT {
                Size::REAL
            } else {
                Size::percent(5)
            };
            let page = ubuntu::update_excuses_html(size, self.now, 20);
            self.text(&at(&format!("{series}/update_excuses.html")), page.text);
            let day = page.answer - page.answer.rem_euclid(86_400_000);
            let days = chrono::DateTime::from_timestamp_millis(day)
                .unwrap()
                .format("%Y-%m-%d");
            let index = ubuntu::britney_day_index(size, day, IndexStyle::Table);
            let folder = at(&format!("log/{series}/{days}/"));
            self.text(&folder, index.text);
            let log = ubuntu::britney_log(size, page.answer - 1_200_000, 1_150);
            let newest = format!("{folder}{}", index.answer[0]);
            self.https.route(&newest, Answer::ok(log.text).by_range());
        }
    }

    fn archive(&self) {
        let at = |path: &str| format!("{TEAM}/{path}");
        for (name, text) in [
            ("nbs.csv", ubuntu::nbs_csv(Size::REAL, self.now).text),
            (
                "component-mismatches.csv",
                ubuntu::component_mismatches_csv(Size::REAL, self.now).text,
            ),
            (
                "component-mismatches-proposed.csv",
                ubuntu::component_mismatches_csv(Size::REAL, self.now).text,
            ),
        ] {
            self.https
                .route(&at(name), Answer::ok(whole_rows(&text)).by_range());
        }
        let uninst = ubuntu::uninst_txt(Size::REAL, self.now).text;
        self.text(
            &at(&format!("proposed-migration/{DEVELOPMENT}_uninst.txt")),
            uninst,
        );
        let outdate = ubuntu::outdate_txt(Size::REAL, self.now).text;
        self.text(
            &at(&format!("proposed-migration/{DEVELOPMENT}_outdate.txt")),
            outdate,
        );
        self.text(
            &at("priority-mismatches.txt"),
            ubuntu::priority_mismatches_txt(Size::REAL, self.now).text,
        );
        self.text(
            "/~ubuntu-archive/+activereviews",
            ubuntu::active_reviews(Size::REAL).text,
        );
        self.text("/devel/~ubuntu-archive?ws.op=searchTasks", "257");
    }

    fn launchpad(&self) {
        let collection = |entries: &[String]| {
            format!(
                "{{\"start\": 0, \"total_size\": {}, \"entries\": [{}]}}",
                entries.len(),
                entries.join(", ")
            )
        };
        let series = SERIES.map(|series| {
            let status = if series == DEVELOPMENT {
                "Active Development"
            } else {
                "Supported"
            };
            format!(
                "{{\"name\": \"{series}\", \"active\": true, \"status\": \"{status}\", \"version\": \"1\"}}"
            )
        });
        self.text("/devel/ubuntu/series", collection(&series));
        let current = self.https.url(&format!("/devel/ubuntu/{DEVELOPMENT}"));
        self.text(
            "/devel/ubuntu",
            format!("{{\"name\": \"ubuntu\", \"current_series_link\": \"{current}\"}}"),
        );
        let architectures = ARCHITECTURES.map(|tag| format!("{{\"architecture_tag\": \"{tag}\"}}"));
        self.text(
            &format!("/devel/ubuntu/{DEVELOPMENT}/architectures"),
            collection(&architectures),
        );
        for team in TEAMS {
            for kind in ["members", "participants"] {
                self.text(
                    &format!("/devel/~{team}/{kind}"),
                    collection(&[r#"{"name": "somebody"}"#.to_owned()]),
                );
            }
        }
        for series in SERIES {
            for status in ["Unapproved", "New"] {
                // 600 new packages wait for the one in development, 60 for each of the others.
                let size = if series == DEVELOPMENT {
                    Size::REAL
                } else {
                    Size::percent(10)
                };
                let target =
                    format!("/devel/ubuntu/{series}?ws.op=getPackageUploads&status={status}&pocket=Proposed");
                let (pages, _) = ubuntu::package_uploads(size, self.now, 300, &self.https.url(&target));
                for (number, page) in pages.into_iter().enumerate() {
                    let start = if number == 0 {
                        String::new()
                    } else {
                        format!("&ws.start={}", number * 300)
                    };
                    self.text(&format!("{target}{start}"), page);
                }
            }
        }
    }

    /// What is served over plain HTTP by default, and the reports of the versions script.
    fn plain(&self) {
        for series in SERIES {
            let index = ubuntu::cnf_index(Size::REAL, self.now, 300, IndexStyle::Table).text;
            self.http
                .route(&format!("/ubuntu/dists/{series}/main/cnf/"), Answer::ok(index));
            for (tag, percent) in [("incoming", 10), ("tracking", 100)] {
                let initial = series.get(..1).unwrap_or_default().repeat(2);
                let report = ubuntu::rls_json(Size::percent(percent)).text;
                self.http
                    .route(&format!("/rls-mgr/rls-{initial}-{tag}.json"), Answer::ok(report));
            }
        }
        let names: Vec<String> = (0..20).map(|number| format!("report-{number}")).collect();
        self.text("/versions/current/reports", names.join("\n"));
        for name in names {
            self.text(
                &format!("/versions/current/{name}"),
                ubuntu::versions_report(Size::REAL).text,
            );
        }
    }

    fn images(&self) {
        for line in ubuntu::rsync_listing(Size::percent(40), self.now).text.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(size), Some(_), Some(path)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let path = path.replace("resolute", DEVELOPMENT);
            let modified = u64::try_from(self.now / 1000 - 200_000).unwrap();
            self.rsync.file(&path, size.parse().unwrap(), modified);
        }
    }
}

/// Without the rows that are none: a run is measured that leaves nothing out.
fn whole_rows(text: &str) -> String {
    let columns = text.lines().next().map_or(0, |line| line.split(',').count());
    let rows = text
        .lines()
        .filter(|line| line.split(',').count() == columns && !line.contains("nan"));
    rows.fold(String::new(), |text, row| text + row + "\n")
}
