//! A real InfluxDB 1.x: what it says of bad points is understood.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use common::*;
use tidemark_delivery::{Budget, SinkState};
use tidemark_point::{Adjustments, Point, Value};
use tidemark_settings::{SecretSource, SinkKind, SinkSettings};
use tidemark_testkit::{Influxd, InfluxdOptions};

const PASSWORD: &str = "correct horse battery";

fn sink_of(server: &Influxd) -> SinkSettings {
    let mut sink = influxdb("influx", &server.url());
    if let SinkKind::Influxdb(settings) = &mut sink.kind {
        settings.database = server.database().to_owned();
    }
    sink
}

fn conflict(value: impl Into<Value>) -> Point {
    Point::builder("m")
        .tag("n", "42")
        .field("v", value)
        .time(at(42))
        .build(&mut Adjustments::default())
        .unwrap()
}

#[tokio::test]
async fn a_type_conflict_and_a_missing_policy() {
    let server = Influxd::start(InfluxdOptions::default());
    let mut fixture = Fixture::new(vec![sink_of(&server)]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 10)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    // Of another type than before, among others that are good.
    let mut mixed = points(100, 300);
    mixed.push(conflict(0.5));
    delivery.submit(&fixture.run("a"), &mixed).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    assert!(report.is_drained(), "{report:?}");
    assert_eq!(counts(&delivery, "influx").await, [313, 312, 0, 1, 0]);
    assert_eq!(server.count("m", "v"), 310);
    let rejected = delivery.outbox().unwrap().rejected(None, 10).await.unwrap();
    assert!(rejected[0].line.starts_with("m,n=42 v=0.5 "), "{rejected:?}");
    assert!(rejected[0].reason.contains("field type conflict"), "{rejected:?}");
    delivery.close().await;

    if let SinkKind::Influxdb(settings) = &mut fixture.settings.sinks[0].kind {
        settings.retention_policy = Some("nowhere".into());
    }
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    let SinkState::Failed(said) = &report.sinks[0].state else {
        panic!("{report:?}")
    };
    assert!(
        said.contains("check the sink's retention_policy, or create it"),
        "{said}"
    );
}

#[tokio::test]
async fn the_password_is_sent_and_never_said() {
    let server = tidemark_testkit::SinkServer::start();
    server.script([tidemark_testkit::Answer::new(401).body(r#"{"error":"authorization failed"}"#)]);
    let mut fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let file = fixture.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    if let SinkKind::Influxdb(settings) = &mut fixture.settings.sinks[0].kind {
        settings.username = Some("u".into());
        settings.password = Some(SecretSource::File(file));
    }
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    let coded = "dTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
    let requests = server.requests();
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Basic {coded}").as_str())
    );
    delivery.close().await;
    let outbox = std::fs::read(fixture.path().join("outbox.db")).unwrap();
    let said = format!(
        "{report:?} {:?} {}",
        fixture.options().sinks,
        String::from_utf8_lossy(&outbox)
    );
    assert!(!said.contains(PASSWORD) && !said.contains(coded));
    assert!(said.contains("check the sink's username and password"));
}
