//! The real program: sources as long as the real ones over HTTPS, and each failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fmt::Write as _;
use std::time::Duration;

use tidemark_collect::{Clock, SystemClock, Timestamp};
use tidemark_testkit::ubuntu::{self, IndexStyle, Size};
use tidemark_testkit::{Answer, Certificates, Ended, Home, Matrix, Part, Route, Run, Source, Then, Way};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Releases of which, at whatever time this runs, one is supported, one has extended maintenance, one is in development, and
/// one is past its end.
const RELEASES: &str = "version,codename,series,created,release,eol,eol-server,eol-esm\n\
    4.10,Warty Warthog,warty,2004-03-05,2004-10-20,2006-04-30,,\n\
    22.04 LTS,Jammy Jellyfish,jammy,2004-10-14,2005-04-21,2006-06-01,2007-06-01,2999-04-21\n\
    24.04 LTS,Noble Numbat,noble,2005-10-12,2006-04-25,2999-05-31,2999-05-31,2999-04-25\n\
    27.04,Tenacious Tapir,tenacious,2006-04-25,2999-01-01,,,\n";
const SERIES: [&str; 3] = ["jammy", "noble", "tenacious"];

fn now() -> i64 {
    SystemClock.now().nanos() / 1_000_000
}

/// The day and the time of day of milliseconds since 1970.
fn day_and_time(milliseconds: i64) -> (String, String) {
    let time = Timestamp::from_millis(milliseconds).unwrap().to_string();
    let (day, time) = time.split_once('T').unwrap();
    (day.to_owned(), time[..8].to_owned())
}

/// A server over HTTPS, and a home for the program.
struct Scene {
    certificates: Certificates,
    source: Source,
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let certificates = Certificates::new();
        let source = Source::https(&certificates.leaf);
        let home = Home::new();
        let releases = home.file("ubuntu.csv", RELEASES);
        let (url, releases) = (source.url("/proposed-migration"), releases.display());
        home.settings(&format!(
            "[collector.britney]\nurl = \"{url}\"\ndistro_info = \"{releases}\"\n"
        ));
        Self {
            certificates,
            source,
            home,
        }
    }

    fn route(&self, path: &str, answer: Answer) {
        self.source.route(&format!("/proposed-migration/{path}"), answer);
    }

    fn run(&self) -> Run {
        let run = self.home.run("tidemark-britney");
        run.args(["--dry-run", "--output", "influx"])
            .env("SSL_CERT_FILE", self.certificates.authority())
    }

    fn dry_run(&self) -> Ended {
        self.run().run()
    }
}

/// The lines, without their times where these are that of the run, sorted.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| match line.rsplit_once(' ').unwrap() {
            (rest, _) if !line.starts_with("update_excuses_stats") => rest.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn sources_as_long_as_the_real_ones_take_little_memory() {
    let scene = Scene::new();
    let now = now();
    let mut expected = Vec::new();

    // Three days and two and a half hours ago.
    let page = ubuntu::update_excuses_html(Size::REAL, now, 3 * 24 * 60 + 150);
    let (day, _) = day_and_time(page.answer);
    let index = ubuntu::britney_day_index(Size::REAL, page.answer, IndexStyle::Table);
    let log = ubuntu::britney_log(Size::REAL, page.answer, 2 * 24 * 3600 + 119);
    for series in SERIES {
        scene.route(&format!("{series}/update_excuses.html"), Answer::ok(&page.text));
        scene.route(&format!("log/{series}/{day}/"), Answer::ok(&index.text).gzip());
        let path = |place: usize| format!("log/{series}/{day}/{}", index.answer[place]);
        // The newest is being written.
        scene.route(&path(0), Answer::ok(&log.text[..log.text.len() / 2]).by_range());
        // One server has to send the whole.
        let whole = Answer::ok(&log.text);
        scene.route(
            &path(1),
            if series == "noble" {
                whole.gzip()
            } else {
                whole.by_range()
            },
        );
        expected.push(format!("britney_last_run_age,release={series} run_age=74i"));
        let minutes = log.answer.minutes;
        expected.push(format!(
            "britney_last_run_duration,release={series} run_duration={minutes}i"
        ));
    }
    let csv = ubuntu::update_excuses_csv(Size::REAL, now);
    scene.route("update_excuses.csv", Answer::ok(&csv.text).gzip());
    for (time, values) in &csv.answer.recent {
        let [valid, not, total, median, backlog] = values[..] else {
            unreachable!()
        };
        expected.push(format!(
            "update_excuses_stats,release=tenacious backlog={backlog}i,median_age={median}i,not_considered={not}i,\
             total={total}i,valid_candidates={valid}i {time}000000"
        ));
    }
    let by_team = ubuntu::update_excuses_by_team(Size::REAL);
    assert!(by_team.text.len() > 12_000_000);
    scene.route("update_excuses_by_team.yaml", Answer::ok(&by_team.text));
    for team in &by_team.answer.teams {
        expected.push(format!(
            "update_excuses_by_team_stats,release=tenacious,team={} age={:?},count={}i",
            team.name, team.age, team.count
        ));
    }
    expected.sort_unstable();

    let ended = scene.dry_run().expect_code(0);
    let printed = lines(&ended.stdout);
    // The row at the edge of 12 hours has gone by now, which is a little later.
    let has_gone = |line: &String| line.ends_with(&format!(" {}000000", now - 12 * 60 * MINUTE + 1));
    expected.retain(|line| !has_gone(line));
    assert_eq!(printed, expected);
    // A page ends as soon as its line is read: what was sent is far from the whole.
    assert!(
        ended.stderr.contains("update_excuses_by_team.yaml: "),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("update_excuses.csv: the row in line "),
        "{}",
        ended.stderr
    );
    assert!(ended.peak_memory < 40 << 20, "{} bytes", ended.peak_memory);
}

#[test]
fn a_longer_yaml_takes_no_more_memory() {
    let scene = Scene::new();
    let made = ubuntu::update_excuses_by_team(Size::REAL);
    // Its teams come again and again, until it is longer than all the memory that may be taken.
    let yaml = made.text.repeat(2);
    assert!(yaml.len() > 22 << 20);
    scene.route("update_excuses_by_team.yaml", Answer::ok(yaml).gzip());
    let ended = scene.run().bound(Duration::from_secs(110)).run().expect_code(0);
    let teams = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("update_excuses_by_team_stats,"));
    assert_eq!(teams.count(), made.answer.teams.len());
    assert!(
        ended.stderr.contains("is there twice: the last counts"),
        "{}",
        ended.stderr
    );
    assert!(ended.peak_memory < 22 << 20, "{} bytes", ended.peak_memory);
}

#[test]
fn whatever_the_yaml_holds_the_run_stays_small() {
    let scene = Scene::new();
    let text = "x".repeat(1 << 20);
    let many = |each: &dyn Fn(usize) -> String, most: usize| {
        let mut yaml = String::new();
        for number in 0.. {
            if yaml.len() + 200 > most {
                break;
            }
            yaml.push_str(&each(number));
        }
        yaml
    };
    let most = 1 << 20;
    for (yaml, said) in [
        (
            format!("a: '{}'\n", text.repeat(30)),
            "longer than 1048576 characters",
        ),
        (
            format!("a: |\n{}", format!("  {text}\n").repeat(30)),
            "longer than 1048576 characters",
        ),
        (
            many(&|number| format!("- &a{number} x\n"), most),
            "more than 50000 anchors",
        ),
        (
            many(&|number| format!("t{number}: []\n"), most),
            "more than 10000 teams",
        ),
        (
            format!("a: [{}]\n", "x, ".repeat(1 << 18)),
            "\"a\": the package in line 1 is left out: it is the text",
        ),
        (
            format!("a: {}", "[".repeat(30 << 20)),
            "it is no YAML that can be read",
        ),
        (
            many(&|number| format!("- {{? [a{number}, {{b: c}}] : d}}\n"), most),
            "it is a list, not a mapping of teams",
        ),
        (text.repeat(40), "longer than 1048576 characters"),
    ] {
        scene.route("update_excuses_by_team.yaml", Answer::ok(yaml).gzip());
        let ended = scene.dry_run();
        assert!(
            ended.stderr.contains(said),
            "{said}: {}",
            &ended.stderr[..ended.stderr.len().min(2000)]
        );
        assert!(
            ended.peak_memory < 64 << 20,
            "{said}: {} bytes",
            ended.peak_memory
        );
    }
}

/// A page made then.
fn page(generated: i64) -> String {
    let (day, time) = day_and_time(generated);
    let day = day.replace('-', ".");
    let mut page = format!(
        "<html><head><title>excuses...</title></head><body>\n<p>Generated: {day} {time} +0000</p>\n<ul>\n"
    );
    for number in 0..100 {
        let _ = writeln!(
            page,
            "<li><a id=\"p{number}\">p{number}</a> (- to 1.{number}-1ubuntu1)</li>"
        );
    }
    page + "</ul></body></html>\n"
}

/// A series' page, and its listing and log.
fn series(name: &'static str, generated: i64) -> [Part; 2] {
    const STARTED: &str = "Sat, 21 Nov 2026 05:10:02 +0000";
    const FINISHED: &str = "Finished at: Sat, 21 Nov 2026 06:01:01 +0000";
    let whole = format!(
        "{STARTED}\n{}{FINISHED}\n",
        "trying: glibc\n    got: 0+0: a-0:a-0:r-0\n".repeat(100)
    );
    let index = "<ul><li><a href=\"./05:10:02.log\">05:10:02.log</a></li>\n</ul>\n";
    let (day, _) = day_and_time(generated);
    let of = move |measurement: &'static str| {
        move |line: &str| line.starts_with(&format!("{measurement},release={name} "))
    };
    let age = of("britney_last_run_age");
    let duration = of("britney_last_run_duration");
    let page_path = format!("/proposed-migration/{name}/update_excuses.html");
    let page = Part::new(format!("{name}'s update_excuses.html"), move |line| {
        age(line) || duration(line)
    })
    .route(Route::new(
        page_path,
        page(generated),
        "<p>Generated: yesterday</p>\n",
    ))
    // Without it the log is looked for in the folders of today and yesterday, where there is none.
    .or_named(format!("{name}'s last log"))
    // The line stands in the first half, and the rest is not read.
    .when(Way::Cut, Then::Kept)
    .when(Way::Short, Then::Kept)
    .when(Way::Repeated, Then::Kept);
    let folder = format!("/proposed-migration/log/{name}/{day}/");
    let log = Part::new(format!("{name}'s last log"), duration)
        .route(
            Route::new(
                format!("{folder}05:10:02.log"),
                &whole,
                format!("2026-11-21 05:10\n{FINISHED}\n"),
            )
            .answer(Answer::by_range),
        )
        .route(Route::new(
            folder,
            index,
            "<ul><li><a href=\"./5.log\">5.log</a></li></ul>\n",
        ));
    [page, log]
}

#[test]
fn every_source_fails_in_every_way() {
    let now = now();
    let generated = now - 10 * DAY;
    let rows: String = (1..20)
        .map(|row| format!("{},1,2,3,4,{row}\n", now - row * 30 * MINUTE))
        .collect();
    let header = "time,valid candidates,not considered,total,median age,backlog\n";
    let csv = Part::new("update_excuses.csv", |line| {
        line.starts_with("update_excuses_stats,")
    })
    .route(Route::new(
        "/proposed-migration/update_excuses.csv",
        format!("{header}{rows}"),
        format!("{header}today,one,two,three,four,five\nnull,,,,,\n"),
    ))
    // Half of the rows are rows.
    .when(Way::Short, Then::Whatever);
    let yaml = "desktop-packages:\n- age: 4.5\n  data: &d\n    excuses: [\"é: \\u2219\"]\n- {age: 17, data: *d}\nnull-team: null\n";
    let by_team = Part::new("update_excuses_by_team.yaml", |line| {
        line.starts_with("update_excuses_by_team_stats,")
    })
    .route(Route::new(
        "/proposed-migration/update_excuses_by_team.yaml",
        yaml,
        "desktop-packages: 4.5\nnull-team: {age: [4]}\n5: true\n",
    ))
    // Half of it may be YAML too, with fewer packages.
    .when(Way::Short, Then::Whatever);
    Matrix::new("tidemark-britney", |bases| {
        let url = bases.url("");
        format!(
            "[collector.britney]\nurl = \"{url}/proposed-migration/\"\nseries = [\"jammy\", \"noble\"]\ndevelopment = \"tenacious\"\n"
        )
    })
    .parts([csv, by_team])
    .parts(series("jammy", generated))
    .parts(series("noble", generated))
    .moving("run_age")
    .check();
}

#[test]
fn without_the_package_of_releases_it_says_what_to_install() {
    let home = Home::new();
    home.settings(
        "[collector.britney]\nurl = \"http://127.0.0.1:9/\"\ndistro_info = \"/nonexistent/ubuntu.csv\"\n",
    );
    let ended = home.run("tidemark-britney").arg("--dry-run").run().expect_code(1);
    assert!(
        ended.stderr.contains("install the package distro-info-data")
            && ended.stderr.contains("/nonexistent/ubuntu.csv"),
        "{}",
        ended.stderr
    );
}
