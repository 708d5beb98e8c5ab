//! Runs of many targets that are committed together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::*;
use tidemark_delivery::{Budget, Delivery, OpenOptions, RUNS_KEPT, Run, TARGETS_KEPT};
use tidemark_point::{Point, Timestamp};
use tidemark_settings::{SinkKind, TextfileSettings};
use tidemark_testkit::{Answer, SinkServer};

const INTERVAL: Duration = Duration::from_secs(30);

/// A run of a target at a time.
fn run_of(target: &str, started: Timestamp) -> Run {
    Run {
        target: Some(target.into()),
        ..Run::new("onefs", started, INTERVAL)
    }
}

/// A run of each of so many targets, of `each` points.
fn group(first: i64, targets: i64, each: i64) -> Vec<(Run, Vec<Point>)> {
    (0..targets)
        .map(|target| {
            (
                run_of(&format!("cl{target:02}"), at(first)),
                points(first + target * each, each),
            )
        })
        .collect()
}

fn targets(runs: &[Run]) -> Vec<&str> {
    runs.iter()
        .map(|run| run.target.as_deref().unwrap_or("-"))
        .collect()
}

#[tokio::test]
async fn what_ends_together_is_stored_and_sent_together() {
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    let mut runs = group(0, 5, 40);
    runs.push((
        Run {
            ok: false,
            error: Some("no route to host".into()),
            ..run_of("down", at(0))
        },
        Vec::new(),
    ));
    delivery.submit_all(&runs).await.unwrap();
    let outbox = delivery.outbox().unwrap();
    let waiting = outbox.waiting(None, 0, 100).await.unwrap();
    assert_eq!(
        waiting.iter().map(|batch| batch.points).collect::<Vec<_>>(),
        [200, 6],
        "the points, and the tidemark_run points"
    );
    let recorded = outbox.runs("onefs", 100).await.unwrap();
    assert_eq!(
        targets(&recorded),
        ["down", "cl04", "cl03", "cl02", "cl01", "cl00"]
    );
    assert_eq!(
        recorded.iter().map(|run| run.points).collect::<Vec<_>>(),
        [0, 40, 40, 40, 40, 40]
    );
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [206, 206, 0, 0, 0]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let lines: Vec<String> = requests[0].text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 200);
    assert_eq!(lines[0], "m,n=0 v=0i 1700000000000000000");
    assert_eq!(lines[199], "m,n=199 v=199i 1700000199000000000");
    let own = requests[1].text();
    assert!(
        own.contains("tidemark_run,collector=onefs,host=h,target=down "),
        "{own}"
    );
    assert_eq!(own.matches("points=40i").count(), 5, "{own}");
}

#[tokio::test]
async fn a_failed_run_is_recorded_once_and_its_group_all_the_same() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let killed = Run {
        target: Some("cl09".into()),
        ..Run::killed("onefs", at(0), INTERVAL)
    };
    delivery.submit(&killed, &[]).await.unwrap();
    let mut runs = group(1, 2, 3);
    runs.push((killed.clone(), Vec::new()));
    delivery.submit_all(&runs).await.unwrap();
    let recorded = delivery.outbox().unwrap().runs("onefs", 100).await.unwrap();
    assert_eq!(targets(&recorded), ["cl01", "cl00", "cl09"]);
    assert_eq!(counts(&delivery, "nowhere").await, [9, 0, 9, 0, 0]);
    // All of them are known.
    delivery.submit_all(&[(killed, Vec::new())]).await.unwrap();
    delivery.submit_all(&[]).await.unwrap();
    assert_eq!(counts(&delivery, "nowhere").await, [9, 0, 9, 0, 0]);
}

#[tokio::test]
async fn one_bad_point_costs_none_of_the_other_targets() {
    let server = SinkServer::start();
    server.judge(
        |request| match request.text().lines().any(|line| line.starts_with("m,n=7 ")) {
            true => Answer::new(400)
                .body(r#"{"error":"partial write: unable to parse 'm,n=7 v=7i 1700000007000000000': bad"}"#),
            false => Answer::new(204),
        },
    );
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit_all(&group(0, 4, 5)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [24, 23, 0, 1, 0]);
    let rejected = delivery.outbox().unwrap().rejected(None, 10).await.unwrap();
    assert_eq!(rejected[0].line, "m,n=7 v=7i 1700000007000000000");
    assert_eq!(rejected[0].collector, "onefs");
}

#[tokio::test]
async fn very_many_points_are_several_bodies_and_collectors_have_their_own() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let mut runs = group(0, 3, 8_000);
    runs.push((fixture.run("other"), points(0, 2)));
    delivery.submit_all(&runs).await.unwrap();
    let waiting = delivery.outbox().unwrap().waiting(None, 0, 100).await.unwrap();
    let of = |collector: &str| -> Vec<u64> {
        let of = waiting.iter().filter(|batch| batch.collector == collector);
        of.map(|batch| batch.points).collect()
    };
    assert_eq!(of("onefs"), [10_000, 10_000, 4_000, 3]);
    assert_eq!(of("other"), [2, 1]);
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "nowhere").await, [24_006, 24_006, 0, 0, 0]);
}

#[tokio::test]
async fn a_folder_gets_a_file_of_each_target() {
    let folder = tempfile::tempdir().unwrap();
    let server = SinkServer::start();
    let textfile = SinkKind::Textfile(TextfileSettings {
        directory: folder.path().to_path_buf(),
    });
    let fixture = Fixture::new(vec![sink("text", textfile), influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let names: BTreeSet<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.into_iter().collect::<Vec<_>>()
    };
    delivery.submit_all(&group(0, 2, 3)).await.unwrap();
    // A later run of one of them, twice in one commit: the last one counts.
    let twice = [
        (run_of("cl01", at(30)), points(100, 1)),
        (run_of("cl01", at(31)), points(200, 2)),
    ];
    delivery.submit_all(&twice).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(
        names(),
        [
            "tidemark-onefs@cl00.prom",
            "tidemark-onefs@cl01.prom",
            "tidemark_run-onefs@cl00.prom",
            "tidemark_run-onefs@cl01.prom"
        ]
    );
    let page = std::fs::read_to_string(folder.path().join("tidemark-onefs@cl01.prom")).unwrap();
    assert!(
        page.contains(r#"m_v{n="200"} 200"#) && !page.contains(r#"n="100""#),
        "{page}"
    );
    let text = ledger(&delivery, "text").await;
    assert_eq!((text.collected, text.superseded, text.waiting), (13, 6, 0));
    assert_eq!(counts(&delivery, "influx").await, [13, 13, 0, 0, 0]);
}

#[tokio::test]
async fn a_folder_in_a_servers_place_gets_the_runs_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = SinkServer::start();
    server.judge(|_| Answer::new(503));
    let mut fixture = Fixture::new(vec![influxdb("place", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit_all(&group(0, 2, 3)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    delivery.close().await;
    let textfile = TextfileSettings {
        directory: folder.path().to_path_buf(),
    };
    fixture.settings.sinks = vec![sink("place", SinkKind::Textfile(textfile))];
    let mut delivery = fixture.open().await;
    // Whose points are whose is not known of what waits.
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(ledger(&delivery, "place").await.superseded, 8);
    delivery.submit_all(&group(30, 2, 3)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    assert_eq!(ledger(&delivery, "place").await.delivered, 8);
}

#[tokio::test]
async fn without_an_outbox_a_group_goes_to_its_sinks_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = SinkServer::start();
    let textfile = SinkKind::Textfile(TextfileSettings {
        directory: folder.path().to_path_buf(),
    });
    for sinks in [
        vec![influxdb("influx", &server.url(""))],
        vec![influxdb("influx", &server.url("")), sink("text", textfile)],
    ] {
        let fixture = Fixture::new(sinks);
        // No file can be made where a folder is in the way.
        std::fs::create_dir(fixture.path().join("outbox.db")).unwrap();
        let mut delivery = fixture.open().await;
        assert!(delivery.outbox().is_none());
        let before = server.requests().len();
        delivery.submit_all(&group(0, 3, 4)).await.unwrap();
        let requests = server.requests();
        let lines: usize = requests
            .iter()
            .skip(before)
            .map(|request| request.text().lines().count())
            .sum();
        assert_eq!(lines, 15);
    }
    assert!(folder.path().join("tidemark-onefs@cl02.prom").exists());
    assert!(folder.path().join("tidemark_run-onefs@cl00.prom").exists());
}

#[tokio::test]
async fn the_newest_run_of_each_target_is_kept() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let name = |target: i64| format!("cl{target:03}");
    let all: Vec<_> = (0..300)
        .map(|target| (run_of(&name(target), at(target)), Vec::new()))
        .collect();
    delivery.submit_all(&all).await.unwrap();
    // One target runs on. One commit in sixteen tidies up, by chance: that none of 450 does is as likely as a broken disk.
    for round in 0..500 {
        let again: Vec<_> = (0..2)
            .map(|run| (run_of(&name(0), at(1_000 + round * 2 + run)), Vec::new()))
            .collect();
        delivery.submit_all(&again).await.unwrap();
    }
    let outbox = delivery.outbox().unwrap();
    let kept = outbox.runs("onefs", 10_000).await.unwrap();
    assert!((399..400 + 2 * 450).contains(&kept.len()), "{}", kept.len());
    assert!(kept.len() >= RUNS_KEPT as usize);
    let newest = outbox.target_runs("onefs").await.unwrap();
    assert_eq!(newest.len(), 300);
    assert_eq!((newest[0].started, newest[299].started), (at(1_999), at(299)));
    assert_eq!(targets(&newest[298..]), ["cl298", "cl299"]);
    // A day and ten intervals later those that were not seen are forgotten.
    for round in 0..450 {
        let now = at(200_000 + round);
        delivery
            .submit_all(&[
                (run_of(&name(0), now), Vec::new()),
                (run_of(&name(1), now), Vec::new()),
            ])
            .await
            .unwrap();
    }
    let newest = delivery.outbox().unwrap().target_runs("onefs").await.unwrap();
    assert_eq!(targets(&newest), ["cl000", "cl001"]);
}

#[tokio::test]
async fn whatever_calls_itself_a_target_the_runs_are_bounded() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let new = |round: i64, targets: i64| -> Vec<(Run, Vec<Point>)> {
        (0..targets)
            .map(|target| (run_of(&format!("t{round}-{target}"), at(round)), Vec::new()))
            .collect()
    };
    delivery.submit_all(&new(0, 4_000)).await.unwrap();
    for round in 1..600_i64 {
        delivery.submit_all(&new(round, 10)).await.unwrap();
    }
    let kept = delivery.outbox().unwrap().runs("onefs", 100_000).await.unwrap();
    let most = (RUNS_KEPT + TARGETS_KEPT) as usize;
    // And what came since somebody tidied up.
    assert!((most..most + 450 * 10).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn what_waited_for_an_hour_goes_quickly() {
    let server = SinkServer::start();
    server.judge(|_| Answer::new(503));
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    let commits = 60;
    for commit in 0..commits {
        delivery
            .submit_all(&group(commit * 5_000, 5, 1_000))
            .await
            .unwrap();
        delivery.deliver(Budget::Run).await;
    }
    assert!(
        server.requests().len() < 10,
        "it is left alone while it backs off"
    );
    server.judge(|_| Answer::new(204));
    let before = server.requests().len();
    let begun = Instant::now();
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    // 300,000 points: seconds where each costs what it should, minutes where it costs more the more wait.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(server.requests().len() - before, 2 * commits as usize);
    let all = 300_000 + 5 * commits as u64;
    assert_eq!(counts(&delivery, "influx").await, [all, all, 0, 0, 0]);
}

#[tokio::test]
async fn the_disk_gets_back_what_an_outage_took_though_nobody_closes_the_outbox() {
    let fixture = Fixture::new(vec![sink("nowhere", SinkKind::Discard)]);
    let mut delivery = fixture.open().await;
    let mut state = 1_u64;
    let mut noise = || {
        let byte = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b' ' + (state % 90) as u8)
        };
        (0..60_000).map(byte).collect::<String>()
    };
    let large: Vec<Point> = (0..200).map(|number| sample(number, number, noise())).collect();
    delivery
        .submit_all(&[(run_of("large", at(0)), large)])
        .await
        .unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let size = || std::fs::metadata(fixture.path().join("outbox.db")).unwrap().len();
    let most = size();
    assert!(most > 8_000_000, "{most}");
    for commit in 0..300 {
        delivery.submit_all(&group(commit, 5, 100)).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        if size() < most * 7 / 10 {
            return;
        }
    }
    panic!("{most} bytes, and {} of them still", size());
}

/// Targets of the groups that are killed, and points of each.
const TARGETS: i64 = 5;
const EACH: i64 = 60;
const OF_GROUP: u64 = (TARGETS * (EACH + 1)) as u64;

/// What the process that is killed finds in its folder: where its server is.
const SERVER: &str = "server";

/// Commits one group after the other and delivers them, until it is killed.
#[tokio::test]
#[ignore = "it never ends: another test starts it as a process of its own, and kills it"]
async fn process_that_is_killed() {
    let folder = std::env::current_dir().unwrap();
    let server = std::fs::read_to_string(folder.join(SERVER)).expect("a server");
    let mut fixture = Fixture::new(vec![influxdb("influx", &server)]);
    // What a killed process leaves goes with the folder of who started it.
    fixture.dir = tempfile::tempdir_in(&folder).unwrap();
    let options = OpenOptions {
        dir: folder,
        ..fixture.options()
    };
    let mut delivery = Delivery::open(options).await;
    let mut next = next_group(&delivery).await;
    println!("\nbegun");
    loop {
        delivery.submit_all(&killed_group(next)).await.unwrap();
        next += 1;
        delivery.deliver(Budget::Run).await;
    }
}

fn killed_group(number: i64) -> Vec<(Run, Vec<Point>)> {
    group(number * TARGETS * EACH, TARGETS, EACH)
}

/// The number of the first group that was not committed.
async fn next_group(delivery: &Delivery) -> i64 {
    let runs = delivery.outbox().unwrap().runs("onefs", 1).await.unwrap();
    let newest = runs.first().map(|run| run.started.since(at(0)) / 1_000_000_000);
    newest.map_or(0, |first| first / (TARGETS * EACH) + 1)
}

#[tokio::test]
async fn killed_at_any_point_a_group_is_there_whole_or_not_at_all() {
    let server = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    std::fs::write(fixture.path().join(SERVER), server.url("")).unwrap();
    let mut groups = 0;
    let mut round = 0_u64;
    // Some, and later each time, until one came as far as its first commit.
    while round < 12 || (groups == 0 && round < 120) {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process_that_is_killed", "--ignored", "--nocapture"])
            .current_dir(fixture.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        assert!(said.lines().map_while(Result::ok).any(|line| line == "begun"));
        // Somewhere within the next few commits.
        let end = Instant::now() + Duration::from_micros(1_000 + round * round * 397);
        round += 1;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        process.kill().unwrap();
        process.wait().unwrap();

        let delivery = fixture.open().await;
        let now = next_group(&delivery).await;
        assert!(now >= groups, "{now} groups, {groups} before");
        groups = now;
        if groups > 0 {
            let ledger = ledger(&delivery, "influx").await;
            assert!(ledger.adds_up(), "{ledger:?}");
            assert_eq!(ledger.collected, groups as u64 * OF_GROUP);
            let newest = delivery
                .outbox()
                .unwrap()
                .runs("onefs", TARGETS as u32)
                .await
                .unwrap();
            assert_eq!(targets(&newest), ["cl04", "cl03", "cl02", "cl01", "cl00"]);
        }
        delivery.close().await;
    }
    assert!(groups > 0, "no process came as far as its first commit");
    let mut delivery = fixture.open().await;
    while !delivery.deliver(Budget::Flush).await.is_drained() {
        tokio::task::yield_now().await;
    }
    let ledger = ledger(&delivery, "influx").await;
    let all = groups as u64 * OF_GROUP;
    assert_eq!((ledger.delivered, ledger.waiting, ledger.dropped), (all, 0, 0));
    let mut stored = BTreeSet::new();
    for request in server.requests() {
        stored.extend(request.text().lines().map(str::to_owned));
    }
    let points = stored.iter().filter(|line| line.starts_with("m,n=")).count();
    assert_eq!(
        points as i64,
        groups * TARGETS * EACH,
        "all of them, and nothing else"
    );
}
