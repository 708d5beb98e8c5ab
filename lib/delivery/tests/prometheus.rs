//! A real Prometheus and a real node_exporter: what they take and refuse is understood.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::BTreeMap;

use common::*;
use tidemark_delivery::{Budget, Delivery, Run};
use tidemark_point::{Adjustments, Point};
use tidemark_settings::{
    RemoteWriteCredentials, RemoteWriteSettings, SecretSource, SinkKind, SinkSettings, TextfileSettings,
};
use tidemark_testkit::{NodeExporter, Prometheus, PrometheusOptions};

fn remote_write(server: &Prometheus, password: Option<SecretSource>) -> SinkSettings {
    let basic = |(username, _): (&str, &str)| RemoteWriteCredentials::Basic {
        username: username.to_owned(),
        password,
    };
    let settings = RemoteWriteSettings {
        url: server.write_url().parse().unwrap(),
        credentials: server.user().map(basic),
        ca_file: server.user().map(|_| server.ca_file().to_owned()),
        insecure_skip_verify: false,
    };
    sink("prom", SinkKind::RemoteWrite(settings))
}

fn options() -> PrometheusOptions {
    PrometheusOptions {
        remote_write: true,
        ..PrometheusOptions::default()
    }
}

/// A run at that many seconds after the start.
async fn submit(delivery: &mut Delivery, fixture: &Fixture, seconds: i64, points: &[Point]) {
    let run = Run {
        started: at(seconds),
        ..fixture.run("a")
    };
    delivery.submit(&run, points).await.unwrap();
}

async fn reasons(delivery: &Delivery) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for one in delivery.outbox().unwrap().rejected(None, 10_000).await.unwrap() {
        assert_eq!(one.status, Some(400));
        *reasons.entry(one.reason).or_default() += 1;
    }
    reasons
}

const HOUR: i64 = 3_600;

#[tokio::test]
async fn what_a_prometheus_refuses_for_good_is_set_aside_and_the_rest_stored() {
    let server = Prometheus::start(options());
    let fixture = Fixture::new(vec![remote_write(&server, None)]);
    let mut delivery = fixture.open().await;
    let first: Vec<Point> = (0..100).map(|n| sample(n, 5 * HOUR, n)).collect();
    submit(&mut delivery, &fixture, 5 * HOUR, &first).await;
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "prom").await, [101, 101, 0, 0, 0]);

    // Among good ones: too old, before what is there, and another value for what is there.
    let mut mixed: Vec<Point> = (0..1_000).map(|n| sample(n, 5 * HOUR + 60, n)).collect();
    mixed[17] = sample(17, HOUR, 17);
    mixed[18] = sample(18, 5 * HOUR - 1, 18);
    mixed[19] = sample(19, 5 * HOUR, 0);
    submit(&mut delivery, &fixture, 5 * HOUR + 60, &mixed).await;
    // The same again does no harm.
    submit(&mut delivery, &fixture, 5 * HOUR + 61, &first[30..40]).await;
    let report = delivery.deliver(Budget::Flush).await;
    assert!(report.is_drained(), "{report:?}");
    let expected = [
        ("duplicate sample for timestamp", 1),
        ("out of bounds", 1),
        // A batch of what was replaced meanwhile comes too late.
        ("out of order sample", 1 + 10),
    ];
    let expected = expected.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(reasons(&delivery).await, BTreeMap::from(expected));
    let stored = server.stored("m_v");
    assert_eq!(stored.len(), 1_000);
    let samples: usize = stored.iter().map(|series| series.samples.len()).sum();
    assert_eq!(samples, 100 + 997);
    assert_eq!(ledger(&delivery, "prom").await.last_error, None);
}

/// What was sent twice because a process was killed is there once.
#[tokio::test]
async fn the_same_again_is_stored_once() {
    let server = Prometheus::start(options());
    let fixture = Fixture::new(vec![remote_write(&server, None)]);
    for _ in 0..2 {
        let mut delivery = fixture.open().await;
        let points: Vec<Point> = (0..50).map(|n| sample(n, 10, 0.1)).collect();
        submit(&mut delivery, &fixture, 10, &points).await;
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        assert_eq!(counts(&delivery, "prom").await, [51, 51, 0, 0, 0]);
        delivery.close().await;
        // As if nothing of it had been written down.
        std::fs::remove_file(fixture.path().join("outbox.db")).unwrap();
        let _ = std::fs::remove_file(fixture.path().join("outbox.db-wal"));
        let _ = std::fs::remove_file(fixture.path().join("outbox.db-shm"));
    }
    let stored = server.stored("m_v");
    assert_eq!(stored.len(), 50);
    assert!(
        stored
            .iter()
            .all(|series| series.samples == [(at(10).nanos() / 1_000_000, "0.1".to_owned())])
    );
}

#[tokio::test]
async fn a_prometheus_with_a_user_and_tls_asks_for_the_password() {
    let server = Prometheus::start(PrometheusOptions {
        tls: true,
        user: true,
        ..options()
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let (_, password) = server.user().unwrap();
    std::fs::write(&path, password).unwrap();
    let fixture = Fixture::new(vec![remote_write(&server, None)]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    delivery.deliver(Budget::Run).await;
    let said = ledger(&delivery, "prom").await.last_error.unwrap();
    assert!(
        said.starts_with("answered 401") && said.contains("check the sink's username and password"),
        "{said}"
    );
    delivery.close().await;
    let mended = Fixture {
        settings: tidemark_settings::Settings {
            sinks: vec![remote_write(&server, Some(SecretSource::File(path)))],
            ..fixture.settings.clone()
        },
        ..fixture
    };
    let mut delivery = mended.open().await;
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(server.stored("m_v").len(), 3);
}

/// Every digit of what was collected, by way of a file.
#[tokio::test]
async fn a_node_exporter_serves_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let textfile = TextfileSettings {
        directory: folder.path().to_owned(),
    };
    let fixture = Fixture::new(vec![sink("text", SinkKind::Textfile(textfile))]);
    let exporter = NodeExporter::start(folder.path());
    let mut delivery = fixture.open().await;
    let values = [0.1 + 0.2, 5e-324, f64::MAX, -0.0, 1e22];
    let all: Vec<Point> = (0..).zip(values).map(|(n, value)| sample(n, 1, value)).collect();
    delivery.submit(&fixture.run("a"), &all).await.unwrap();
    delivery
        .submit(&fixture.run("b"), &[sample(100, 1, true)])
        .await
        .unwrap();
    delivery.submit_sink_points().await.unwrap();
    // Others have a file of their own; one family clashes, and is served from there alone.
    std::fs::write(
        folder.path().join("other.prom"),
        "# HELP c_v Theirs.\n# TYPE c_v counter\nc_v 7\n",
    )
    .unwrap();
    let clash = Point::builder("c")
        .field("v", 1)
        .time(at(1))
        .build(&mut Adjustments::default())
        .unwrap();
    delivery.submit(&fixture.run("c"), &[clash]).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let page = exporter.scrape();
    assert!(
        page.contains("\nnode_textfile_scrape_error 0\n"),
        "{}",
        exporter.log()
    );
    for (n, value) in (0..).zip(values) {
        let begin = format!("m_v{{n=\"{n}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&begin)).unwrap();
        // Of zero, node_exporter leaves out the sign.
        assert_eq!(line.parse::<f64>().unwrap(), value);
    }
    assert!(page.contains("\nm_v{n=\"100\"} 1\n") && page.contains("\nc_v 7\n"));
    for collector in ["a", "b", "c"] {
        assert!(page.contains(&format!(
            "\ntidemark_run_ok{{collector=\"{collector}\",host=\"h\"}} 1\n"
        )));
        let file = folder.path().join(format!("tidemark_run-{collector}.prom"));
        let age = format!("\nnode_textfile_mtime_seconds{{file=\"{}\"}} ", file.display());
        assert!(page.contains(&age), "{page}");
    }
    assert!(
        page.contains("\ntidemark_sink_waiting{host=\"h\",sink=\"text\"} 8\n"),
        "{page}"
    );
    assert_eq!(ledger(&delivery, "text").await.rejected, 1);
}
