//! What each answer of an InfluxDB 1 does to each point.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::*;
use tidemark_delivery::{Budget, Delivery, SinkState};
use tidemark_settings::SinkKind;
use tidemark_testkit::{Answer, Request, SinkServer};

const NOT_FOUND: &str = r#"{"error":"database not found: \"metrics\""}"#;

fn fixture(server: &SinkServer) -> Fixture {
    Fixture::new(vec![influxdb("influx", &server.url(""))])
}

/// A run of three points committed and delivered against the script.
async fn play(answers: impl IntoIterator<Item = Answer>) -> (Fixture, SinkServer, Delivery, SinkState) {
    let server = SinkServer::start();
    server.script(answers);
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    let state = report.sinks[0].state.clone();
    (fixture, server, delivery, state)
}

fn lines(request: &Request) -> Vec<String> {
    request.text().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn stored_is_204_or_200_without_a_body() {
    for status in [204, 200] {
        let (_fixture, server, delivery, state) = play([Answer::new(status), Answer::new(status)]).await;
        assert_eq!(state, SinkState::Drained);
        assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "tidemark_run goes in a request of its own");
        assert_eq!(
            requests[0].text(),
            format!(
                "m,n=0 v=0i {START}000000000\nm,n=1 v=1i {}000000000\nm,n=2 v=2i {}000000000\n",
                START + 1,
                START + 2
            )
        );
        assert!(
            requests[1]
                .text()
                .starts_with("tidemark_run,collector=a,host=h duration_seconds=0.0,")
        );
    }
}

#[tokio::test]
async fn what_is_not_influxdb_keeps_all() {
    for answer in [
        Answer::ok("<html>please log in</html>"),
        Answer::new(202),
        Answer::redirect("http://localhost/elsewhere"),
        Answer::new(400).body("Client sent an HTTP request to an HTTPS server."),
    ] {
        let (_fixture, server, delivery, state) = play([answer]).await;
        let SinkState::Failed(said) = state else {
            panic!("{state:?}")
        };
        assert!(
            said.contains("this is not InfluxDB; check the sink's url"),
            "{said}"
        );
        assert_eq!(counts(&delivery, "influx").await, [4, 0, 4, 0, 0]);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_must_be_mended_keeps_all_and_says_what() {
    for (answer, advice) in [
        (
            Answer::new(401).body(r#"{"error":"authorization failed"}"#),
            "check the sink's username and password",
        ),
        (
            Answer::new(403).body(r#"{"error":"no"}"#),
            "let the sink's user write to its database",
        ),
        (Answer::new(404).body(NOT_FOUND), "or create the database"),
        (
            Answer::new(500).body(r#"{"error":"retention policy not found: x"}"#),
            "retention_policy, or create it",
        ),
    ] {
        let (fixture, server, mut delivery, state) = play([answer]).await;
        let SinkState::Failed(said) = state else {
            panic!("{state:?}")
        };
        assert!(said.contains(advice), "{said}");
        let ledger = ledger(&delivery, "influx").await;
        assert_eq!((ledger.waiting, ledger.last_error), (4, Some(said)));
        // Mended, and flushed.
        let report = delivery.deliver(Budget::Flush).await;
        assert!(report.is_drained());
        assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
        assert_eq!(server.requests().len(), 3);
        drop(fixture);
    }
}

#[tokio::test]
async fn a_partial_write_sets_the_quoted_lines_aside() {
    let bad = format!("m,n=1 v=1i {}000000000", START + 1);
    for prefix in ["", "partial write: "] {
        let body = format!(r#"{{"error":"{prefix}unable to parse '{bad}': invalid number dropped=0"}}"#);
        let (_fixture, server, delivery, state) = play([Answer::new(400).body(&body)]).await;
        assert_eq!(state, SinkState::Drained);
        assert_eq!(counts(&delivery, "influx").await, [4, 3, 0, 1, 0]);
        assert!(
            !server.requests()[1].text().contains(&bad),
            "the others are sent again"
        );
        let rejected = delivery.outbox().unwrap().rejected(None, 10).await.unwrap();
        assert_eq!(
            (rejected[0].line.as_str(), rejected[0].reason.as_str()),
            (bad.as_str(), "invalid number")
        );
        assert_eq!(
            (rejected[0].status, rejected[0].collector.as_str()),
            (Some(400), "a")
        );
    }
}

#[tokio::test]
async fn a_poison_point_among_5000_is_found_and_the_others_stored() {
    let server = SinkServer::start();
    server.judge(
        |request| match request.text().lines().any(|line| line.starts_with("m,n=3210 ")) {
            true => Answer::new(422).body(r#"{"error":"bad point"}"#),
            false => Answer::new(204),
        },
    );
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery
        .submit(&fixture.run("a"), &points(0, 5_000))
        .await
        .unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [5_001, 5_000, 0, 1, 0]);
    let rejected = delivery
        .outbox()
        .unwrap()
        .rejected(Some("influx"), 10)
        .await
        .unwrap();
    assert!(rejected[0].line.starts_with("m,n=3210 v=3210i "));
    assert_eq!(rejected[0].reason, "bad point");
    let requests = server.requests();
    assert!(requests.len() <= 61);
    // Every other point was in a request that was taken.
    let stored: BTreeSet<String> = requests
        .iter()
        .map(lines)
        .filter(|lines| !lines.iter().any(|line| line.starts_with("m,n=3210 ")))
        .flatten()
        .collect();
    assert_eq!(stored.len(), 5_000);
}

#[tokio::test]
async fn a_type_conflict_costs_the_points_of_that_field_alone() {
    let server = SinkServer::start();
    server.judge(|request| match request.text().contains("q,n=1 v=1i") {
        true => Answer::new(400).body(
            r#"{"error":"partial write: field type conflict: input field \"v\" on measurement \"q\" is type integer, already exists as type float dropped=1"}"#,
        ),
        false => Answer::new(204),
    });
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    let mut all = points(0, 100);
    all.push(
        tidemark_point::Point::builder("q")
            .tag("n", "1")
            .field("v", 1i64)
            .time(at(0))
            .build(&mut tidemark_point::Adjustments::default())
            .unwrap(),
    );
    delivery.submit(&fixture.run("a"), &all).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [102, 101, 0, 1, 0]);
    assert_eq!(
        server.requests().len(),
        4,
        "all, the others, the suspect, tidemark_run"
    );
}

#[tokio::test]
async fn too_large_is_halved() {
    let server = SinkServer::start();
    server.judge(|request| match request.text().lines().count() > 30 {
        true => Answer::new(413).body("<html>too large</html>"),
        false => Answer::new(204),
    });
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 100)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [101, 101, 0, 0, 0]);
}

#[tokio::test]
async fn refused_gzip_is_remembered_across_processes() {
    for refusal in [
        Answer::new(415),
        Answer::new(400).body(r#"{"error":"gzip: invalid header"}"#),
    ] {
        let server = SinkServer::start();
        server.script([refusal]);
        let fixture = fixture(&server);
        let mut delivery = fixture.open().await;
        delivery.submit(&fixture.run("a"), &points(0, 100)).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        delivery.close().await;
        let mut delivery = fixture.open().await;
        delivery
            .submit(&fixture.run("a"), &points(100, 100))
            .await
            .unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, "influx").await, [202, 202, 0, 0, 0]);
        let encodings: Vec<bool> = server
            .requests()
            .iter()
            .map(|request| request.header("content-encoding").is_some())
            .collect();
        assert_eq!(encodings, [true, false, false, false, false]);
    }
}

#[tokio::test]
async fn busy_is_kept_and_retry_after_is_heeded_by_the_next_process() {
    let date = "Tue, 14 Nov 2023 22:15:01 GMT"; // 101 s after the start
    for (answer, seconds) in [
        (Answer::new(503).header("Retry-After", "100"), 100),
        (Answer::new(429).header("Retry-After", date), 100),
    ] {
        let (fixture, server, delivery, state) = play([answer]).await;
        assert!(matches!(state, SinkState::Failed(_)));
        delivery.close().await;
        let mut delivery = fixture.open().await;
        let report = delivery.deliver(Budget::Run).await;
        let SinkState::BackingOff { until, .. } = &report.sinks[0].state else {
            panic!("{report:?}")
        };
        assert_eq!(*until, at(1 + seconds));
        assert_eq!(server.requests().len(), 1);
        fixture.clock.set(at(seconds + 1));
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
        assert_eq!(ledger(&delivery, "influx").await.last_error, None);
    }
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_longer_each_time() {
    for answer in [
        Answer::new(500),
        Answer::new(408),
        Answer::new(502).body("<html>"),
    ] {
        let (fixture, server, mut delivery, state) = play([answer.clone(), answer.clone()]).await;
        assert!(matches!(state, SinkState::Failed(_)), "{state:?}");
        let ledger_now = ledger(&delivery, "influx").await;
        assert_eq!(ledger_now.waiting, 4);
        assert!(ledger_now.backoff_until.is_none_or(|until| until <= at(6)));
        // A clock that was set back by more than the longest backoff holds nothing up.
        fixture.clock.set(at(-100_000));
        let before = server.requests().len();
        delivery.deliver(Budget::Run).await;
        assert!(server.requests().len() > before);
    }
}

#[tokio::test]
async fn faults_of_the_network_keep_all() {
    for answer in [Answer::reset(), Answer::ok("{}").cut_after(1)] {
        let server = SinkServer::start();
        server.judge(move |_| answer.clone());
        let fixture = fixture(&server);
        let mut delivery = fixture.open().await;
        delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
        let report = delivery.deliver(Budget::Run).await;
        assert!(
            matches!(report.sinks[0].state, SinkState::Failed(_)),
            "{report:?}"
        );
        assert_eq!(counts(&delivery, "influx").await, [4, 0, 4, 0, 0]);
    }
    let server = SinkServer::start();
    let fixture = fixture(&server);
    server.close();
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    assert!(
        matches!(&report.sinks[0].state, SinkState::Failed(said) if said.contains("refused")),
        "{report:?}"
    );
    assert_eq!(counts(&delivery, "influx").await, [4, 0, 4, 0, 0]);
}

#[tokio::test]
async fn settings_that_change_end_a_backoff() {
    let (mut fixture, server, delivery, _) =
        play([Answer::new(404).body(NOT_FOUND).header("Retry-After", "9")]).await;
    delivery.close().await;
    if let SinkKind::Influxdb(settings) = &mut fixture.settings.sinks[0].kind {
        settings.database = "other".into();
    }
    let mut delivery = fixture.open().await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert!(server.requests()[1].parameter("db") == Some("other".into()));
}

#[tokio::test]
async fn a_batch_that_always_fails_alone_is_parked_and_its_collector_goes_on() {
    let server = SinkServer::start();
    server.judge(|request| match request.text().starts_with("m,n=0 ") {
        true => Answer::new(500).body(r#"{"error":"panic"}"#),
        false => Answer::new(204),
    });
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    delivery.submit(&fixture.run("a"), &points(10, 3)).await.unwrap();
    for attempt in 0..5 {
        assert_eq!(ledger(&delivery, "influx").await.parked, 0, "{attempt}");
        delivery.submit(&fixture.run("b"), &points(20, 1)).await.unwrap();
        delivery.deliver(Budget::Run).await;
    }
    let parked = ledger(&delivery, "influx").await;
    assert_eq!((parked.parked, parked.backoff_until), (1, None));
    // Order held until it was parked; now the collector's later batch goes.
    delivery.deliver(Budget::Run).await;
    assert_eq!(ledger(&delivery, "influx").await.waiting, 3);
    let waiting = delivery.outbox().unwrap().waiting(None, 0, 10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].attempts), (1, 5));
    assert!(waiting[0].parked_until.is_some());
    // After the parking time it is tried again, though others wait too; mended, it goes.
    server.judge(|_| Answer::new(204));
    delivery.submit(&fixture.run("b"), &points(30, 1)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    assert_eq!(ledger(&delivery, "influx").await.waiting, 3, "parked still");
    fixture.clock.advance(Duration::from_secs(3_600));
    delivery.submit(&fixture.run("b"), &points(40, 1)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
}

#[tokio::test]
async fn order_holds_per_collector() {
    let server = SinkServer::start();
    server.script([Answer::new(503).header("Retry-After", "1")]);
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    for number in 0..20 {
        delivery
            .submit(
                &fixture.run(if number % 2 == 0 { "a" } else { "b" }),
                &points(number, 1),
            )
            .await
            .unwrap();
        if number == 0 {
            delivery.deliver(Budget::Run).await;
        }
    }
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    let numbers: Vec<i64> = server.requests()[1..]
        .iter()
        .filter_map(|request| {
            request
                .text()
                .strip_prefix("m,n=")?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_rejected_point_of_our_own_is_counted_and_not_reported() {
    let server = SinkServer::start();
    server.judge(|request| match request.text().starts_with("tidemark_run") {
        true => Answer::new(400).body(r#"{"error":"no"}"#),
        false => Answer::new(204),
    });
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [4, 3, 0, 1, 0]);
    assert!(
        delivery
            .outbox()
            .unwrap()
            .rejected(None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn one_sink_that_is_down_holds_up_no_other() {
    let server = SinkServer::start();
    server.judge(|_| Answer::new(503));
    let fixture = Fixture::new(vec![
        influxdb("influx", &server.url("")),
        sink("nowhere", SinkKind::Discard),
    ]);
    let mut delivery = fixture.open().await;
    for number in 0..10 {
        delivery
            .submit(&fixture.run("a"), &points(number * 10, 10))
            .await
            .unwrap();
        delivery.deliver(Budget::Run).await;
    }
    assert_eq!(counts(&delivery, "nowhere").await, [110, 110, 0, 0, 0]);
    assert_eq!(counts(&delivery, "influx").await, [110, 0, 110, 0, 0]);
    server.judge(|_| Answer::new(204));
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(counts(&delivery, "influx").await, [110, 110, 0, 0, 0]);
}
