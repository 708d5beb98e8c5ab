//! InfluxDB 2: what goes over the wire, and that its token goes nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use common::*;
use tidemark_delivery::{Budget, Sinks};
use tidemark_point::{Adjustments, Point};
use tidemark_settings::{Places, SecretSource, SinkKind};
use tidemark_testkit::{Answer, SinkServer, VictoriaMetrics};

const SECRET: &str = "s3cr3t-t0k3n";

fn numbers(seconds: i64) -> Point {
    Point::builder("m")
        .tag("n", "1")
        .field("unsigned", u64::MAX)
        .field("signed", i64::MIN)
        .field("float", 0.1)
        .field("text", "a \"b\" \\ c")
        .field("flag", true)
        .time(at(seconds))
        .build(&mut Adjustments::default())
        .unwrap()
}

#[tokio::test]
async fn a_write_as_the_specification_has_it() {
    let server = SinkServer::start();
    let mut sink = influxdb2("two", &server.url("/prefix/"));
    if let SinkKind::Influxdb2(settings) = &mut sink.kind {
        settings.org = "our org".into();
        settings.bucket = "a/b".into();
    }
    let one = SinkServer::start();
    let fixture = Fixture::new(vec![influxdb("one", &one.url("")), sink]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &[numbers(0)]).await.unwrap();
    delivery.submit(&fixture.run("a"), &points(0, 100)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());

    let requests = server.requests();
    for request in &requests {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/prefix/api/v2/write")
        );
        let parameters = ["org", "bucket", "precision"].map(|name| request.parameter(name).unwrap());
        assert_eq!(parameters, ["our org", "a/b", "ns"]);
        assert_eq!(
            request.header("authorization"),
            Some(format!("Token {SECRET}").as_str())
        );
        assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(request.header("content-length").is_some());
    }
    let line = |unsigned: &str| {
        format!(
            "m,n=1 flag=true,float=0.1,signed=-9223372036854775808i,text=\"a \\\"b\\\" \\\\ c\",unsigned={unsigned} \
             {START}000000000\n"
        )
    };
    // Unsigned integers are InfluxDB 2's alone.
    assert_eq!(requests[0].text(), line("18446744073709551615u"));
    assert_eq!(one.requests()[0].text(), line("9223372036854775807i"));
    let packed: Vec<bool> = requests
        .iter()
        .map(|request| request.header("content-encoding") == Some("gzip"))
        .collect();
    assert_eq!(packed, [false, false, true, false]);
}

/// A field called `time`, which InfluxDB 1 does not store.
#[tokio::test]
async fn a_field_called_time_goes_to_all_but_influxdb_1() {
    let (two, one) = (SinkServer::start(), SinkServer::start());
    let server = VictoriaMetrics::start();
    let victoria = influxdb2("victoria", &server.url());
    let fixture = Fixture::new(vec![
        influxdb("one", &one.url("")),
        influxdb2("two", &two.url("")),
        victoria,
    ]);
    let mut delivery = fixture.open().await;
    let point = |node: i64| {
        let built = Point::builder("node.summary.drive")
            .tag("drive_id", node.to_string())
            .tag("time", "noon")
            .field("busy", 0.5)
            .field("time", START + node)
            .field("xfers_in", 2.0)
            .time(at(node));
        built.build(&mut Adjustments::default()).unwrap()
    };
    let line = |node: i64, time: &str| {
        format!(
            "node.summary.drive,drive_id={node} busy=0.5{time},xfers_in=2.0 {}000000000\n",
            START + node
        )
    };
    // Plain and packed.
    for count in [1, 100] {
        let points: Vec<Point> = (0..count).map(point).collect();
        let with: String = (0..count)
            .map(|node| line(node, &format!(",time={}i", START + node)))
            .collect();
        let without: String = (0..count).map(|node| line(node, "")).collect();
        delivery.submit(&fixture.run("a"), &points).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        let sent = |server: &SinkServer| {
            let mut texts: Vec<String> = server
                .requests()
                .iter()
                .map(|request| request.text().to_owned())
                .collect();
            texts.retain(|text| text.starts_with("node.") && text.lines().count() == points.len());
            texts
        };
        assert_eq!(sent(&two), [with]);
        assert_eq!(sent(&one), [without]);
    }
    let times = server.export("{__name__=\"node.summary.drive_time\"}");
    assert_eq!(times.len(), 100);
    for series in times {
        let node: i64 = series.labels["drive_id"].parse().unwrap();
        let due = ((START + node) * 1_000, (START + node).to_string());
        assert!(series.samples.iter().all(|sample| *sample == due), "{series:?}");
    }
    assert_eq!(counts(&delivery, "one").await, [103, 103, 0, 0, 0]);
}

#[tokio::test]
async fn a_token_is_printed_nowhere() {
    // A server that says the token back, in a body and among what is refused.
    let server = SinkServer::start();
    server.judge(|request| {
        let said = request.header("authorization").unwrap_or_default();
        Answer::new(401).body(serde_json::json!({ "code": "unauthorized", "message": said }).to_string())
    });
    let fixture = Fixture::new(vec![influxdb2("two", &server.url(""))]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = format!("{:?}", delivery.deliver(Budget::Run).await);
    assert!(report.contains("answered 401 (Token …)"), "{report}");
    let said = ledger(&delivery, "two").await.last_error.unwrap();
    assert_eq!(said, "answered 401 (Token …): check the sink's token");
    let options = format!("{:?}", fixture.options().sinks);
    assert!(options.contains("localhost"), "{options}");
    delivery.close().await;
    let mut files = 0;
    for file in std::fs::read_dir(fixture.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
        files += 1;
    }
    assert!(files > 0);
    assert!(!report.contains(SECRET) && !options.contains(SECRET));
}

#[test]
fn a_token_that_cannot_be_had_is_told_by_its_name() {
    let mut sink = influxdb2("two", "http://localhost:1/");
    if let SinkKind::Influxdb2(settings) = &mut sink.kind {
        settings.token = SecretSource::Environment("NO_TOKEN".into());
    }
    let fixture = Fixture::new(vec![sink]);
    let places = Places::new(&NoEnvironment, false, None);
    let error = Sinks::resolve(&fixture.settings, &NoEnvironment, &places).unwrap_err();
    assert_eq!(
        tidemark_collect::chain(&error),
        "the token of the sink \"two\" cannot be had: the secret $NO_TOKEN is not set; set this environment variable"
    );
}

/// It takes what InfluxDB 2 takes, whatever the token.
#[tokio::test]
async fn victoria_metrics_has_what_was_sent() {
    let server = VictoriaMetrics::start();
    let fixture = Fixture::new(vec![influxdb2("two", &server.url())]);
    let mut delivery = fixture.open().await;
    let mut all = points(0, 100);
    all.push(numbers(0));
    delivery.submit(&fixture.run("a"), &all).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let values = server.export("{__name__=\"m_v\"}");
    assert_eq!(values.len(), 100);
    for series in values {
        let number: i64 = series.labels["n"].parse().unwrap();
        assert_eq!(series.samples, [((START + number) * 1_000, number.to_string())]);
    }
    let flags = server.export("{__name__=\"m_flag\"}");
    assert_eq!(flags[0].samples, [(START * 1_000, "1".to_owned())]);
    assert_eq!(server.export("{__name__=\"tidemark_run_ok\"}").len(), 1);
}
