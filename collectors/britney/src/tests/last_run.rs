//! A series' last run: the age of its page, and what its log says.

use std::time::{Duration, Instant};

use tidemark_testkit::Answer;

use super::scene::{Scene, age, took};

/// A whole log.
fn log(started: &str, finished: &str) -> String {
    format!("{started}\ntrying: glibc\n    got: 0+0: a-0\nFinished at: {finished}\n")
}

#[test]
fn of_a_log_its_ends_are_asked_for() {
    let scene = Scene::recorded(Answer::by_range);
    scene.run();
    let ranges: Vec<(String, String)> = scene
        .source
        .requests()
        .into_iter()
        .filter(|request| request.path.contains("/tenacious/2026-11-21/"))
        .map(|request| {
            let name = request.path.rsplit_once('/').unwrap().1.to_owned();
            (name, request.header("range").unwrap_or_default().to_owned())
        })
        .collect();
    let asked = |name: &str, range: &str| (name.to_owned(), range.to_owned());
    assert_eq!(
        ranges,
        [
            asked("", ""),
            asked("06:10:02.log", "bytes=-256"),
            asked("05:10:02.log", "bytes=-256"),
            asked("05:10:02.log", "bytes=0-255"),
        ]
    );
}

#[test]
fn an_age_is_whole_hours_and_counts_days() {
    for (generated, now, hours) in [
        ("2026.11.21 06:00:01", "2026-11-21T07:00:00Z", 0),
        ("2026.11.21 06:00:00", "2026-11-21T07:00:00Z", 1),
        ("2026.11.21 06:00:00", "2026-11-21T07:59:59.999Z", 1),
        ("2026.11.20 23:59:59", "2026-11-21T00:00:00Z", 0),
        ("2026.11.18 03:59:59", "2026-11-21T07:00:00Z", 75),
        ("2024.02.28 12:00:00", "2024-03-01T12:00:00Z", 48),
        ("2025.12.31 23:00:00", "2026-01-01T01:00:00Z", 2),
        ("2026.11.21 07:00:01", "2026-11-21T07:00:00Z", 0),
        ("2027.11.21 07:00:00", "2026-11-21T07:00:00Z", 0),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.page("noble", generated);
        let (lines, batch) = scene.last_runs(now);
        assert_eq!(lines, [age("noble", hours)], "{generated}");
        let is_told = batch
            .notices
            .iter()
            .any(|notice| notice.contains("noble's update_excuses.html is of 20"));
        assert_eq!(
            is_told,
            generated[..4] == *"2027" || generated.ends_with("07:00:01"),
            "{:?}",
            batch.notices
        );
    }
}

#[test]
fn a_page_is_read_as_far_as_its_time() {
    let mut scene = Scene::new(&["noble"]);
    // The whole of it takes five minutes.
    let page = format!(
        "<html>\n<p>Generated: 2026.11.21 06:00:00 +0000</p>\n{}",
        "<li>glibc</li>\n".repeat(20_000)
    );
    let drip = Answer::ok(page).drip(Duration::from_millis(1));
    scene.route("noble/update_excuses.html", drip);
    let began = Instant::now();
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!((lines, batch.gaps.len()), (vec![age("noble", 1)], 1));
    assert!(began.elapsed() < Duration::from_secs(20));

    // The time of a page that has it far behind is not looked for.
    let late = format!("{}\nGenerated: 2026.11.21 06:00:00\n", "x".repeat(256 << 10));
    scene.route("noble/update_excuses.html", Answer::ok(late));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(lines.len(), 0);
    assert!(
        batch.gaps[0].contains("no `Generated: YYYY.MM.DD HH:MM:SS` in its first 262144 bytes"),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn a_run_over_midnight_has_its_log_in_the_folder_of_the_day_before() {
    let before = log(
        "Thu, 29 Feb 2024 23:50:02 +0000",
        "Fri, 1 Mar 2024 00:05:10 +0000",
    );
    let mut scene = Scene::new(&["noble"]);
    scene.page("noble", "2024.03.01 00:04:31");
    scene.logs("noble", "2024-02-29", &[("23:50:02.log", &before)]);
    // No run began on the new day.
    assert_eq!(
        scene.last_runs("2024-03-01T00:10:00Z").0,
        [age("noble", 0), took("noble", 15)]
    );
    // One did, and goes on.
    scene.logs(
        "noble",
        "2024-03-01",
        &[("00:09:02.log", "Fri, 01 Mar 2024 00:09:02 +0000\ntrying: glibc\n")],
    );
    let (lines, batch) = scene.last_runs("2024-03-01T00:10:00Z");
    assert_eq!(lines, [age("noble", 0), took("noble", 15)]);
    assert_eq!(batch.gaps, [""; 0]);
    // It ended.
    let after = log(
        "Fri, 01 Mar 2024 00:09:02 +0000",
        "Fri, 01 Mar 2024 01:11:01 +0000",
    );
    scene.logs("noble", "2024-03-01", &[("00:09:02.log", &after)]);
    assert_eq!(
        scene.last_runs("2024-03-01T01:20:00Z").0,
        [age("noble", 1), took("noble", 61)]
    );
}

#[test]
fn the_newest_log_that_is_whole_counts() {
    let whole = log(
        "Sat, 21 Nov 2026 02:00:00 +0000",
        "Sat, 21 Nov 2026 02:12:59 +0000",
    );
    let older = log(
        "Sat, 21 Nov 2026 01:00:00 +0000",
        "Sat, 21 Nov 2026 01:59:00 +0000",
    );
    let newer = log(
        "Sat, 21 Nov 2026 06:00:00 +0000",
        "Sat, 21 Nov 2026 06:59:00 +0000",
    );
    let mut scene = Scene::new(&["noble"]);
    scene.page("noble", "2026.11.21 02:12:00");
    scene.logs(
        "noble",
        "2026-11-21",
        &[
            ("01:00:00.log", &older),
            ("02:00:00.log", &whole),
            // A test, one that was killed, one that is no log, one of the first moment, and one that has just gone.
            ("06:00:00-notest.log", &newer),
            (
                "03:00:00.log",
                "Sat, 21 Nov 2026 03:00:00 +0000\ntrying: glibc\nKilled\n",
            ),
            (
                "04:00:00.log",
                "trying: glibc\nFinished at: Sat, 21 Nov 2026 04:12:59 +0000\n",
            ),
            ("05:00:00.log", ""),
            ("06:00:00.log", ""),
        ],
    );
    scene.route("log/noble/2026-11-21/06:00:00.log", Answer::new(404));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(lines, [age("noble", 4), took("noble", 12)]);
    assert_eq!(
        (batch.gaps.len(), batch.notices.len()),
        (0, 0),
        "{:?} {:?}",
        batch.gaps,
        batch.notices
    );
}

#[test]
fn a_run_may_take_no_minute_and_more_than_a_day() {
    for (started, finished, minutes) in [
        (
            "Sat, 21 Nov 2026 02:00:00 +0000",
            "Sat, 21 Nov 2026 02:00:59 +0000",
            0,
        ),
        (
            "Sat, 21 Nov 2026 02:00:00 +0000",
            "Sat, 21 Nov 2026 02:00:00 +0000",
            0,
        ),
        (
            "Wed, 28 Feb 2024 02:00:00 +0000",
            "Fri, 01 Mar 2024 02:30:00 +0000",
            2 * 24 * 60 + 30,
        ),
        (
            "Sat, 21 Nov 2026 02:00:00 +0100",
            "Sat, 21 Nov 2026 02:00:00 +0000",
            60,
        ),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.page("noble", "2026.11.21 02:12:00");
        scene.logs(
            "noble",
            "2026-11-21",
            &[("02:00:00.log", &log(started, finished))],
        );
        assert_eq!(
            scene.last_runs("2026-11-21T07:00:00Z").0,
            [age("noble", 4), took("noble", minutes)]
        );
    }
}

#[test]
fn without_a_log_that_is_whole_there_is_a_gap() {
    let running = "Sat, 21 Nov 2026 02:00:00 +0000\n";
    let back = log(
        "Sat, 21 Nov 2026 02:00:00 +0000",
        "Sat, 21 Nov 2026 01:59:59 +0000",
    );
    let gap = |scene: &mut Scene| {
        scene.page("noble", "2026.11.21 02:12:00");
        let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
        assert_eq!(lines, [age("noble", 4)]);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        assert!(
            batch.gaps[0].starts_with("noble's last log: "),
            "{:?}",
            batch.gaps
        );
        batch.gaps[0].clone()
    };
    let mut scene = Scene::new(&["noble"]);
    assert!(
        gap(&mut scene).contains("there is no log: http"),
        "{}",
        gap(&mut scene)
    );
    scene.logs("noble", "2026-11-20", &[("01:00:00.log", running)]);
    scene.logs("noble", "2026-11-21", &[("02:00:00.log", running)]);
    let said = gap(&mut scene);
    assert!(
        said.contains("none of the newest 2 logs is whole: http")
            && said.ends_with("/log/noble/2026-11-21/ and the folder of the day before were looked at"),
        "{said}"
    );
    scene.logs("noble", "2026-11-21", &[("02:00:00.log", &back)]);
    assert!(
        gap(&mut scene).contains("before it begins"),
        "{}",
        gap(&mut scene)
    );
    scene.route("log/noble/2026-11-21/02:00:00.log", Answer::new(500));
    assert!(gap(&mut scene).contains("answered 500"), "{}", gap(&mut scene));
    // Of a day's many logs that are not whole, a few are looked at.
    let names: Vec<String> = (0..60).map(|minute| format!("01:{minute:02}:00.log")).collect();
    let logs: Vec<(&str, &str)> = names.iter().map(|name| (&name[..], running)).collect();
    let mut scene = Scene::new(&["noble"]);
    scene.logs("noble", "2026-11-21", &logs);
    assert!(
        gap(&mut scene).contains("none of the newest 20 logs is whole: "),
        "{}",
        gap(&mut scene)
    );
}

#[test]
fn without_its_page_a_series_still_has_its_log() {
    let whole = log(
        "Fri, 20 Nov 2026 23:00:00 +0000",
        "Fri, 20 Nov 2026 23:12:59 +0000",
    );
    for answer in [
        Answer::new(404),
        Answer::new(500),
        Answer::ok("<html>Log in</html>"),
        Answer::ok(""),
        Answer::reset(),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.route("noble/update_excuses.html", answer);
        scene.logs("noble", "2026-11-20", &[("23:00:00.log", &whole)]);
        let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
        assert_eq!(lines, [took("noble", 12)]);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        assert!(
            batch.gaps[0].starts_with("noble's update_excuses.html: http"),
            "{:?}",
            batch.gaps
        );
    }
}

#[test]
fn the_series_in_development_may_have_had_no_run_yet() {
    let mut scene = Scene::recorded(Answer::by_range);
    scene.route("tenacious/update_excuses.html", Answer::new(404));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(
        (lines.len(), batch.gaps.len()),
        (12, 3),
        "{lines:?} {:?}",
        batch.gaps
    );
    assert!(
        batch
            .notices
            .contains(&"tenacious is in development and has no update_excuses.html yet".to_owned()),
        "{:?}",
        batch.notices
    );
    assert!(!scene.asked().iter().any(|path| path.starts_with("log/tenacious")));
    // That it cannot be had is another thing.
    scene.route("tenacious/update_excuses.html", Answer::new(503));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(
        (lines.len(), batch.gaps.len()),
        (13, 4),
        "{lines:?} {:?}",
        batch.gaps
    );
}
