//! The real program: over HTTPS with all well, and each of its sources failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;

use tidemark_collect::{Clock as _, SystemClock};
use tidemark_testkit::{Answer, Certificates, Home, Matrix, Part, Route, Source, Then, Way};

/// A series that is in the making whenever this runs.
const DISTRO_INFO: &str = "version,codename,series,created,release,eol\n\
    27.04,Tenacious Tapir,tenacious,2020-01-01,2999-01-01,\n";

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(path).unwrap()
}

/// A file of figures with a row each half hour, the newest a minute ago: they count by the clock.
fn figures(columns: usize) -> String {
    let newest = SystemClock.now().nanos() / 1_000_000 - 60_000;
    let mut text = String::new();
    for row in (0..200).rev() {
        text += &(newest - row * 1_800_000).to_string();
        for column in 0..columns {
            text += &format!(",{}", 100 + row + i64::try_from(column).unwrap());
        }
        text.push('\n');
    }
    text
}

#[test]
fn recorded_sources_over_https_give_points() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    let home = Home::new();
    let distro_info = home.file("ubuntu.csv", DISTRO_INFO);
    home.settings(&format!(
        "[collector.ubuntu-archive]\nurl = \"{}\"\nlaunchpad = \"{}\"\nreviews_url = \"{}\"\ndistro_info = \"{}\"\n",
        source.url("/"),
        source.url("/devel/"),
        source.url("/~ubuntu-archive/+activereviews"),
        distro_info.display(),
    ));
    let routes: [(&str, Vec<u8>); 10] = [
        ("/nbs.csv", figures(2).into()),
        ("/component-mismatches.csv", figures(4).into()),
        ("/component-mismatches-proposed.csv", figures(4).into()),
        (
            "/proposed-migration/tenacious_uninst.txt",
            fixture("tenacious_uninst.txt"),
        ),
        (
            "/proposed-migration/tenacious_outdate.txt",
            fixture("tenacious_outdate.txt"),
        ),
        ("/priority-mismatches.txt", fixture("priority-mismatches.txt")),
        ("/~ubuntu-archive/+activereviews", fixture("activereviews.html")),
        ("/devel/ubuntu", fixture("ubuntu.json")),
        (
            "/devel/ubuntu/tenacious/architectures",
            fixture("architectures.json"),
        ),
        ("/devel/~ubuntu-archive?ws.op=searchTasks", b"412".to_vec()),
    ];
    for (path, body) in routes {
        // Ranges are of the file as it is.
        let answer = Answer::ok(body);
        let is_csv = path.ends_with(".csv");
        source.route(path, if is_csv { answer.by_range() } else { answer.gzip() });
    }
    let run = home.run("tidemark-ubuntu-archive");
    let ended = run
        .args(["--dry-run", "--output", "influx"])
        .env("SSL_CERT_FILE", certificates.authority())
        .run()
        .expect_code(0);
    assert_eq!(ended.stderr, "");
    let count = |measurement: &str| {
        let lines = ended.stdout.lines();
        lines
            .filter(|line| line.split([',', ' ']).next() == Some(measurement))
            .count()
    };
    // 24 half hours are within 12 hours and a minute.
    assert_eq!(
        (count("nbs_stats"), count("component_mismatch_stats")),
        (24, 24 * 4 * 2)
    );
    // What is of its own time or of none is as in the golden file.
    let expected = String::from_utf8(fixture("expected.influx")).unwrap();
    let own_time = ["uninst_stats", "outdate_stats", "priority_mismatch_stats"];
    for line in expected
        .lines()
        .filter(|line| own_time.iter().any(|name| line.starts_with(name)))
    {
        assert!(ended.stdout.lines().any(|found| found == line), "{line}");
    }
    assert_eq!(
        count("uninst_stats") + count("outdate_stats") + count("priority_mismatch_stats"),
        25
    );
    assert!(ended.stdout.contains("ubuntu_archive_reviews count=37i "));
    assert!(
        ended
            .stdout
            .contains("ubuntu_archive_bugs,type=assigned count=412i ")
    );
    assert_eq!(
        (count("ubuntu_archive_reviews"), count("ubuntu_archive_bugs")),
        (1, 2)
    );
}

fn part(name: &str, measurement: &'static str) -> Part {
    Part::new(name, move |line| {
        line.split([',', ' ']).next() == Some(measurement)
    })
}

/// A file of figures. Its first half is an older state of it, in which nothing is wrong.
fn csv(name: &str, costs: impl Fn(&str) -> bool + Sync + 'static, columns: usize) -> Part {
    Part::new(name, costs)
        .route(
            Route::new(format!("/{name}"), figures(columns), "today,many,\nnow,,[1]\n")
                .at("reports")
                .answer(Answer::by_range),
        )
        .when(Way::Short, Then::Whatever)
}

fn report(name: &str, wrong: &str) -> Route {
    let folder = if name.starts_with("tenacious_") {
        "/proposed-migration"
    } else {
        ""
    };
    Route::new(format!("{folder}/{name}"), fixture(name), wrong).at("reports")
}

/// What others do without: their lines may differ, and the gap says so.
fn lookup(name: &str, costs: fn(&str) -> bool, target: &str, good: &str, wrong: &str) -> Part {
    let route = Route::new(target, fixture(good), wrong).at("launchpad");
    Part::new(name, costs).route(route).whenever(Then::Partly)
}

#[test]
fn every_source_fails_in_every_way() {
    let pocket = |pocket: &str| {
        let tag = format!("component_mismatch_stats,action=promotion,pocket={pocket},");
        let other = tag.replace("promotion", "demotion");
        move |line: &str| line.starts_with(&tag) || line.starts_with(&other)
    };
    let summary = "* summary\namd64 3\n# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n";
    Matrix::new("tidemark-ubuntu-archive", |bases| {
        let distro_info = bases.folder().join("ubuntu.csv");
        std::fs::write(&distro_info, DISTRO_INFO).unwrap();
        format!(
            "[collector.ubuntu-archive]\nurl = \"{}\"\nlaunchpad = \"{}/devel\"\nreviews_url = \"{}/+activereviews\"\ndistro_info = \"{}\"\n",
            bases.url("reports"),
            bases.url("launchpad"),
            bases.url("reviews"),
            distro_info.display(),
        )
    })
    .part(csv("nbs.csv", |line| line.starts_with("nbs_stats,"), 2))
    .part(csv("component-mismatches.csv", pocket("release"), 4))
    .part(csv("component-mismatches-proposed.csv", pocket("proposed"), 4))
    .part(part("tenacious_uninst.txt", "uninst_stats").route(report("tenacious_uninst.txt", summary)))
    .part(part("tenacious_outdate.txt", "outdate_stats").route(report("tenacious_outdate.txt", summary)))
    .part(
        part("priority-mismatches.txt", "priority_mismatch_stats").route(report(
            "priority-mismatches.txt",
            "Generated: today\n\namd64\n=====\n1\n",
        ))
        // What there is counts: the report has no end that could be missing, but that of a line.
        .when(Way::Short, Then::Partly),
    )
    .part(
        part("active reviews", "ubuntu_archive_reviews").route(
            Route::new("/+activereviews", fixture("activereviews.html"), "<table><tr><td>3</td></tr></table>")
                .at("reviews"),
        ),
    )
    .part(
        part("subscribed bugs", "ubuntu_archive_bugs")
            .or_named("assigned bugs")
            .route(Route::new("/devel/~ubuntu-archive?ws.op=searchTasks", "412", "\"many\"").at("launchpad"))
            // A number that is cut is another number.
            .when(Way::Short, Then::Whatever),
    )
    .part(lookup(
        "the development series",
        |line| line.contains("release=tenacious"),
        "/devel/ubuntu",
        "ubuntu.json",
        r#"{"current_series_link": 27.04}"#,
    ))
    .part(lookup(
        "tenacious's architectures",
        |line| line.contains(" count=0i ") || line.contains("arch="),
        "/devel/ubuntu/tenacious/architectures",
        "architectures.json",
        r#"{"entries": [{"architecture_tag": 64}], "total_size": 1, "start": 0}"#,
    ))
    .check();
}
