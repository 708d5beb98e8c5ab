//! Whole runs of the collector against recorded sources.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::http::Url;
use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

use crate::UbuntuArchive;

/// 2026-11-21 07:00.
const NOW: i64 = 1_795_244_400;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

/// All sources, on one server.
struct Service {
    source: Source,
    now: Timestamp,
    deadline: Duration,
    development: Option<String>,
    distro_info: PathBuf,
}

/// The routes, in the order of the parts; Launchpad's own at the end.
const ROUTES: [&str; 9] = [
    "/reports/nbs.csv",
    "/reports/component-mismatches.csv",
    "/reports/component-mismatches-proposed.csv",
    "/reports/proposed-migration/tenacious_uninst.txt",
    "/reports/proposed-migration/tenacious_outdate.txt",
    "/reports/priority-mismatches.txt",
    "/~ubuntu-archive/+activereviews",
    "/devel/ubuntu",
    "/devel/ubuntu/tenacious/architectures",
];

impl Service {
    /// One whose answers are 404.
    fn empty() -> Self {
        Self {
            source: Source::http(),
            now: Timestamp::from_secs(NOW).unwrap(),
            deadline: Duration::from_secs(60),
            development: None,
            distro_info: fixtures().join("ubuntu.csv"),
        }
    }

    /// What is recorded.
    fn recorded() -> Self {
        let service = Self::empty();
        for path in ROUTES {
            let name = path.rsplit('/').next().unwrap();
            let answer = Answer::ok(match name {
                "ubuntu" => fixture("ubuntu.json"),
                "architectures" => fixture("architectures.json"),
                "+activereviews" => fixture("activereviews.html"),
                name => fixture(name),
            });
            let is_csv = path.ends_with(".csv");
            service
                .source
                .route(path, if is_csv { answer.by_range() } else { answer.gzip() });
        }
        service.bugs(412, 7);
        service
    }

    /// Small ones.
    fn small() -> Self {
        let service = Self::empty();
        for (path, body) in ROUTES.iter().zip(SMALL_SOURCES) {
            service.answers(path, body);
        }
        service.bugs(3, 4);
        service
    }

    fn answers(&self, path: &str, body: impl AsRef<[u8]>) {
        self.source.route(path, Answer::ok(body));
    }

    fn bugs(&self, subscribed: u64, assigned: u64) {
        for (parameter, count) in [("bug_subscriber", subscribed), ("assignee", assigned)] {
            self.answers(&self.bugs_route(parameter), count.to_string());
        }
    }

    fn bugs_route(&self, parameter: &str) -> String {
        let team = self.source.url("/devel/~ubuntu-archive");
        let team = team.replace(':', "%3A").replace('/', "%2F").replace('~', "%7E");
        format!("/devel/~ubuntu-archive?ws.op=searchTasks&ws.show=total_size&{parameter}={team}")
    }

    fn fails(&self, path: &str) {
        self.source.route(path, Answer::new(500));
    }

    fn run(&self) -> Batch {
        let url = |path: &str| -> Url { self.source.url(path).parse().unwrap() };
        let metric = UbuntuArchive {
            url: url("/reports"),
            launchpad: url("/devel"),
            reviews_url: url("/~ubuntu-archive/+activereviews"),
            team: "ubuntu-archive".to_owned(),
            development: self.development.clone(),
            distro_info: self.distro_info.to_str().unwrap().to_owned(),
        };
        let cx = Context::builder()
            .clock(ManualClock::new(self.now))
            .deadline(self.deadline);
        testing::run(&metric, cx)
    }
}

const SMALL_SOURCES: [&str; 9] = [
    "1795244400000,1,2\n",
    "1795244400000,1,2,3,4\n",
    "1795244400000,5,6,7,8\n",
    "* summary\n2 amd64\n9 all\n# Generated: Sat, 21 Nov 2026 06:00:00 +0000\n",
    "* summary\n4 arm64\n# Generated: Sat, 21 Nov 2026 06:10:00 +0000\n",
    "Generated: Sat Nov 21 02:00:00 GMT 2026\n\namd64\n=====\na\nb\n\nsparc\n=====\nc\n",
    "<table><tr><td class=section-heading>Requested reviews</td><td><a href=/x/+merge/1></a></td></tr></table>",
    r#"{"current_series_link": "https://api.launchpad.net/devel/ubuntu/tenacious"}"#,
    r#"{"entries": [{"architecture_tag": "amd64"}, {"architecture_tag": "arm64"}], "start": 0, "total_size": 2}"#,
];

/// The points of [`Service::small`], a text for each part.
const SMALL: [&str; 9] = [
    "nbs_stats,release=tenacious removable=1i,total=2i 1795244400000000000\n",
    "component_mismatch_stats,action=promotion,pocket=release,release=tenacious,type=source count=1i 1795244400000000000\n\
     component_mismatch_stats,action=promotion,pocket=release,release=tenacious,type=binary count=2i 1795244400000000000\n\
     component_mismatch_stats,action=demotion,pocket=release,release=tenacious,type=source count=3i 1795244400000000000\n\
     component_mismatch_stats,action=demotion,pocket=release,release=tenacious,type=binary count=4i 1795244400000000000\n",
    "component_mismatch_stats,action=promotion,pocket=proposed,release=tenacious,type=source count=5i 1795244400000000000\n\
     component_mismatch_stats,action=promotion,pocket=proposed,release=tenacious,type=binary count=6i 1795244400000000000\n\
     component_mismatch_stats,action=demotion,pocket=proposed,release=tenacious,type=source count=7i 1795244400000000000\n\
     component_mismatch_stats,action=demotion,pocket=proposed,release=tenacious,type=binary count=8i 1795244400000000000\n",
    "uninst_stats,arch=all,release=tenacious count=9i 1795240800000000000\n\
     uninst_stats,arch=amd64,release=tenacious count=2i 1795240800000000000\n\
     uninst_stats,arch=arm64,release=tenacious count=0i 1795240800000000000\n",
    "outdate_stats,arch=amd64,release=tenacious count=0i 1795241400000000000\n\
     outdate_stats,arch=arm64,release=tenacious count=4i 1795241400000000000\n",
    "priority_mismatch_stats,arch=amd64,release=tenacious count=2i 1795226400000000000\n\
     priority_mismatch_stats,arch=arm64,release=tenacious count=0i 1795226400000000000\n",
    "ubuntu_archive_reviews count=1i 1795244400000000000\n",
    "ubuntu_archive_bugs,type=subscribed count=3i 1795244400000000000\n",
    "ubuntu_archive_bugs,type=assigned count=4i 1795244400000000000\n",
];

/// What gaps call the parts.
const NAMES: [&str; 9] = [
    "nbs.csv: ",
    "component-mismatches.csv: ",
    "component-mismatches-proposed.csv: ",
    "tenacious_uninst.txt: ",
    "tenacious_outdate.txt: ",
    "priority-mismatches.txt: ",
    "active reviews: ",
    "subscribed bugs: ",
    "assigned bugs: ",
];

#[test]
fn recorded_sources_give_the_expected_points() {
    let batch = Service::recorded().run();
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        [
            r#"component-mismatches-proposed.csv: the row "1795228155661,51,None,56,153" is left out: "None" is no whole number"#,
            r#"component-mismatches-proposed.csv: the row "1795237158037,47,28,57" is left out: it has 4 columns, not 5"#,
        ]
    );
    assert_eq!(batch.notices, [""; 0]);
    golden(fixtures().join("expected.influx"), &lines(&batch));
}

#[test]
fn of_the_figures_the_end_alone_is_asked_for() {
    let service = Service::recorded();
    service.run();
    let requests = service.source.requests();
    let figures: Vec<_> = requests
        .iter()
        .filter(|request| request.path.ends_with(".csv"))
        .map(|request| request.header("range"))
        .collect();
    assert_eq!(figures, [Some("bytes=-2048"); 3]);
    assert_eq!(requests.len(), 11);
}

#[test]
fn each_part_has_its_points() {
    let batch = Service::small().run();
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(lines(&batch), SMALL.concat());
    assert_eq!(
        batch.notices,
        ["priority-mismatches.txt: what is below sparc does not count: tenacious has no such architectures"]
    );
}

#[test]
fn a_report_of_priorities_that_is_cut_counts_as_far_as_it_goes() {
    let service = Service::small();
    let whole = SMALL_SOURCES[5];
    service.answers(ROUTES[5], &whole[..whole.find("\n\nsparc").unwrap()]);
    let batch = service.run();
    assert_eq!(
        batch.gaps,
        ["priority-mismatches.txt: its last line has no end: what follows may be missing"]
    );
    assert_eq!(lines(&batch), SMALL.concat());
}

#[test]
fn a_part_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    let bodies: [&[u8]; 5] = [
        b"",
        b"[1, 2]",
        b"<html>maintenance</html>\n",
        b"\xff\xfe\x00",
        b"* summary\nnine",
    ];
    for (failing, name) in NAMES.into_iter().enumerate() {
        let service = Service::small();
        let path = match failing {
            7 => service.bugs_route("bug_subscriber"),
            8 => service.bugs_route("assignee"),
            part => ROUTES[part].to_owned(),
        };
        let answers = bodies.map(Answer::ok).into_iter();
        for answer in answers.chain([Answer::new(404), Answer::new(500), Answer::redirect(&path)]) {
            service.source.route(&path, answer.clone());
            let batch = service.run();
            assert_eq!(batch.error, None);
            assert_eq!(
                batch.gaps.len(),
                1,
                "{failing} {answer:?} {:?} {:?}",
                batch.gaps,
                batch.notices
            );
            assert!(batch.gaps[0].starts_with(name), "{}", batch.gaps[0]);
            let mut expected = SMALL.to_vec();
            expected.remove(failing);
            assert_eq!(lines(&batch), expected.concat());
        }
    }
}

#[test]
fn without_launchpad_distro_info_has_the_series_and_what_is_named_counts() {
    let service = Service::small();
    for path in [ROUTES[7], ROUTES[8]] {
        service.fails(path);
    }
    for parameter in ["bug_subscriber", "assignee"] {
        service.fails(&service.bugs_route(parameter));
    }
    let batch = service.run();
    assert_eq!(batch.error, None);
    assert_eq!(batch.gaps.len(), 4, "{:?}", batch.gaps);
    let csv = service.distro_info.display();
    assert!(
        batch
            .gaps
            .iter()
            .any(|gap| gap.starts_with("the development series: ")
                && gap.ends_with(&format!("; tenacious, that of {csv}, counts instead"))),
        "{:?}",
        batch.gaps
    );
    let gap = "; those that a report does not name have no count";
    assert!(
        batch
            .gaps
            .iter()
            .any(|found| found.starts_with("tenacious's architectures: ") && found.ends_with(gap)),
        "{:?}",
        batch.gaps
    );
    let expected = [
        &SMALL[..3].concat(),
        "uninst_stats,arch=all,release=tenacious count=9i 1795240800000000000\n\
         uninst_stats,arch=amd64,release=tenacious count=2i 1795240800000000000\n\
         outdate_stats,arch=arm64,release=tenacious count=4i 1795241400000000000\n\
         priority_mismatch_stats,arch=amd64,release=tenacious count=2i 1795226400000000000\n\
         priority_mismatch_stats,arch=sparc,release=tenacious count=1i 1795226400000000000\n",
        SMALL[6],
    ];
    assert_eq!(lines(&batch), expected.concat());
}

#[test]
fn where_nobody_knows_the_series_what_is_not_of_it_counts() {
    let mut service = Service::small();
    service.fails(ROUTES[7]);
    service.distro_info = fixtures().join("none.csv");
    let batch = service.run();
    assert_eq!(batch.error, None);
    assert_eq!(batch.gaps.len(), 7, "{:?}", batch.gaps);
    let gap = &batch.gaps[0];
    assert!(
        gap.starts_with("the development series: ")
            && gap.contains("500")
            && gap.contains("none.csv")
            && gap.contains("distro-info-data"),
        "{gap}"
    );
    assert_eq!(batch.gaps[1], "nbs.csv: the development series is not known");
    assert_eq!(
        batch.gaps[4],
        "SERIES_uninst.txt: the development series is not known"
    );
    assert_eq!(lines(&batch), SMALL[6..].concat());
}

#[test]
fn on_the_day_of_a_release_the_file_names_the_next_or_none() {
    // tenacious is released on 2027-04-22 and stonking on 2026-10-15.
    for (now, expected) in [
        ("2026-10-14T23:59:59Z", Some("stonking")),
        ("2026-10-15T00:00:00Z", Some("tenacious")),
        ("2027-04-21T23:59:59Z", Some("tenacious")),
        ("2027-04-22T00:00:00Z", None),
        ("2028-02-29T12:00:00Z", None),
    ] {
        let mut service = Service::small();
        service.fails(ROUTES[7]);
        service.now = now.parse().unwrap();
        let batch = service.run();
        let taken = expected.map(|series| format!("; {series}, that of "));
        let gap = &batch.gaps[0];
        assert!(gap.starts_with("the development series: "), "{gap}");
        match taken {
            Some(taken) => assert!(gap.contains(&taken), "{now}: {gap}"),
            None => assert!(gap.contains("known neither from distro-info"), "{now}: {gap}"),
        }
    }
}

#[test]
fn a_series_of_the_settings_is_taken_for_what_it_is() {
    let mut service = Service::small();
    service.fails(ROUTES[7]);
    service.development = Some("tenacious".to_owned());
    let batch = service.run();
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(lines(&batch), SMALL.concat());
    assert!(
        service
            .source
            .requests()
            .iter()
            .all(|request| request.path != ROUTES[7])
    );
}

#[test]
fn rows_count_for_12_hours() {
    let service = Service::small();
    let edge = NOW * 1000 - 12 * 60 * 60 * 1000;
    service.answers(
        ROUTES[0],
        format!(
            "{},1,1\n{edge},2,2\n{},3,3\n{},4,4\n",
            edge - 1,
            edge + 1,
            NOW * 1000 + 60_000
        ),
    );
    let batch = service.run();
    assert_eq!(batch.gaps, [""; 0]);
    assert!(
        batch
            .notices
            .contains(&"nbs.csv: rows of a time to come: 1".to_owned())
    );
    let lines = lines(&batch);
    let nbs: Vec<&str> = lines
        .lines()
        .filter(|line| line.starts_with("nbs_stats"))
        .collect();
    assert_eq!(
        nbs,
        [
            "nbs_stats,release=tenacious removable=3i,total=3i 1795201200001000000",
            "nbs_stats,release=tenacious removable=4i,total=4i 1795244460000000000",
        ]
    );
}

#[test]
fn a_report_of_the_future_keeps_its_time_and_is_a_notice() {
    let service = Service::small();
    service.answers(
        ROUTES[3],
        "* summary\n2 amd64\n# Generated: Sat, 21 Nov 2026 08:00:01 +0100\n",
    );
    service.answers(
        ROUTES[5],
        "Generated: Tue Feb 29 00:00:00 GMT 2028\n\namd64\n=====\na\n",
    );
    let batch = service.run();
    assert_eq!(batch.gaps, [""; 0]);
    assert_eq!(
        batch.notices,
        [
            "tenacious_uninst.txt: it was generated at 2026-11-21T07:00:01Z, a time to come",
            "priority-mismatches.txt: it was generated at 2028-02-29T00:00:00Z, a time to come",
        ]
    );
    let lines = lines(&batch);
    for line in [
        "uninst_stats,arch=amd64,release=tenacious count=2i 1795244401000000000",
        "priority_mismatch_stats,arch=amd64,release=tenacious count=1i 1835395200000000000",
    ] {
        assert!(lines.lines().any(|found| found == line), "{lines}");
    }
}

#[test]
fn a_damaged_line_of_a_summary_is_a_gap_and_its_architecture_has_no_count() {
    let service = Service::small();
    service.answers(
        ROUTES[3],
        "* summary\n2 amd64\nmany arm64\n# Generated: Sat, 21 Nov 2026 06:00:00 +0000\n",
    );
    let batch = service.run();
    assert_eq!(
        batch.gaps,
        ["tenacious_uninst.txt: a line of its summary is no count and architecture: \"many arm64\""]
    );
    let lines = lines(&batch);
    let uninst: Vec<&str> = lines.lines().filter(|line| line.starts_with("uninst")).collect();
    assert_eq!(
        uninst,
        ["uninst_stats,arch=amd64,release=tenacious count=2i 1795240800000000000"]
    );
}

#[test]
fn a_zone_that_is_not_known_is_said() {
    let service = Service::small();
    service.answers(
        ROUTES[5],
        "Generated: Sat Jun 20 02:00:00 BST 2026\n\namd64\n=====\na\n",
    );
    let batch = service.run();
    assert_eq!(batch.gaps.len(), 1);
    assert!(
        batch.gaps[0].starts_with("priority-mismatches.txt: ")
            && batch.gaps[0].contains("\"BST\" is not known"),
        "{}",
        batch.gaps[0]
    );
}

#[test]
fn where_nothing_answers_the_run_is_an_error() {
    let service = Service::empty();
    let batch = service.run();
    let said = batch.error.unwrap();
    assert!(
        said.contains("none of the 9 parts") && said.contains("404"),
        "{said}"
    );
    assert_eq!(batch.points.len(), 0);
}

#[test]
fn one_that_hangs_costs_no_other_its_time() {
    let run = |path: &str| {
        let mut service = Service::small();
        service.deadline = Duration::from_secs(24);
        service.source.route(path, Answer::hang());
        service.run()
    };
    // A report, the page, and what Launchpad is asked for first: what needs its answer still has time.
    let hanging = [ROUTES[3], ROUTES[6], ROUTES[7], ROUTES[8]];
    let batches = std::thread::scope(|scope| {
        let runs = hanging.map(|path| scope.spawn(move || run(path)));
        runs.map(|run| run.join().unwrap())
    });
    for batch in &batches {
        assert_eq!((batch.error.as_deref(), batch.gaps.len()), (None, 1));
        assert!(
            batch.gaps[0].contains("did not answer within"),
            "{}",
            batch.gaps[0]
        );
    }
    let without = |part: usize| [&SMALL[..part], &SMALL[part + 1..]].concat().concat();
    assert_eq!(lines(&batches[0]), without(3));
    assert_eq!(lines(&batches[1]), without(6));
    assert_eq!(lines(&batches[2]), SMALL.concat());
    assert!(lines(&batches[3]).starts_with(&SMALL[..3].concat()));
    assert_eq!(batches[3].points.len(), 17);
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: UbuntuArchive = defaults().unwrap();
    assert_eq!(metric.url.as_str(), "https://ubuntu-archive-team.ubuntu.com/");
    assert_eq!(metric.launchpad.as_str(), "https://api.launchpad.net/devel/");
    assert_eq!(
        metric.reviews_url.as_str(),
        "https://code.launchpad.net/~ubuntu-archive/+activereviews"
    );
    assert_eq!(
        (metric.team.as_str(), metric.development),
        ("ubuntu-archive", None)
    );
    assert_eq!(metric.distro_info, UbuntuArchive::NEEDS.paths[0]);
    assert_eq!(UbuntuArchive::RUN_INTERVAL.to_string(), "1h");
    assert_eq!(UbuntuArchive::DEFAULT, DefaultState::Off);
}
