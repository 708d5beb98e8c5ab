//! How a sink fares from one process to the next: what is sent, in what order, and what is remembered of it.
//!
//! What each answer does to each point is the matrix's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use common::*;
use tidemark_delivery::{Budget, Delivery, SinkState};
use tidemark_settings::SinkKind;
use tidemark_testkit::{Answer, SinkServer};

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

#[tokio::test]
async fn a_run_is_one_request_and_tidemark_run_another() {
    let (_fixture, server, delivery, state) = play([]).await;
    assert_eq!(state, SinkState::Drained);
    assert_eq!(counts(&delivery, "influx").await, [4, 4, 0, 0, 0]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
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

/// The end of a run's time says nothing of a sink that took points just before.
#[tokio::test]
async fn what_the_end_of_the_time_cuts_off_is_no_failure() {
    let server = SinkServer::start();
    server.script([Answer::new(204), Answer::hang()]);
    let fixture = fixture(&server);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = deliver_until(&mut delivery, asked(&server, 2)).await;
    assert!(report.is_out_of_time(), "{report:?}");
    assert_eq!(server.requests().len(), 2);
    let sink = ledger(&delivery, "influx").await;
    assert_eq!((sink.backoff_until, sink.last_error), (None, None));
    assert_eq!(counts(&delivery, "influx").await, [4, 3, 1, 0, 0]);

    // One that is silent from the beginning has failed.
    server.script([Answer::hang()]);
    let report = deliver_until(&mut delivery, asked(&server, 3)).await;
    assert!(!report.is_out_of_time(), "{report:?}");
    assert!(ledger(&delivery, "influx").await.last_error.is_some());
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
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
