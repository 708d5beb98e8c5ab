//! The sink of type `remote-write`: what a receiver gets, read by an independent decoder, and what becomes of what it
//! refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::*;
use prost::Message;
use tidemark_delivery::{Budget, Delivery, OpenOptions, SinkState};
use tidemark_point::{Adjustments, FieldSchema, FieldType, Kind, Point, Schema, TagSchema, line};
use tidemark_settings::{RemoteWriteCredentials, RemoteWriteSettings, SecretSource, SinkKind, SinkSettings};
use tidemark_testkit::{Answer, Request, SinkServer};

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    family: String,
    #[prost(string, tag = "4")]
    help: String,
    #[prost(string, tag = "5")]
    unit: String,
}

impl TimeSeries {
    /// The labels as one text; they must be sorted and unique, and none may be empty.
    fn key(&self) -> String {
        assert!(
            self.labels.is_sorted_by(|one, other| one.name < other.name),
            "{self:?}"
        );
        assert!(
            self.labels.iter().all(|label| !label.value.is_empty()),
            "{self:?}"
        );
        let labels = self
            .labels
            .iter()
            .map(|label| format!("{}={}", label.name, label.value));
        labels.collect::<Vec<_>>().join(",")
    }
}

fn decoded(request: &Request) -> WriteRequest {
    let body = snap::raw::Decoder::new().decompress_vec(&request.body).unwrap();
    WriteRequest::decode(body.as_slice()).unwrap()
}

/// Each series with its samples, in milliseconds.
type Stored = BTreeMap<String, Vec<(i64, f64)>>;

/// A Prometheus of 2.42: one bad sample refuses the whole request.
#[derive(Clone, Default)]
struct Receiver {
    stored: Arc<Mutex<Stored>>,
}

impl Receiver {
    /// Takes nothing older than `oldest`, in milliseconds.
    fn serve(oldest: i64) -> (SinkServer, Self) {
        let (server, receiver) = (SinkServer::start(), Self::default());
        let judge = receiver.clone();
        server.judge(move |request| judge.judge(&decoded(request), oldest));
        (server, receiver)
    }

    fn judge(&self, request: &WriteRequest, oldest: i64) -> Answer {
        let mut stored = self.stored.lock().unwrap();
        let mut fresh = stored.clone();
        for series in &request.timeseries {
            let samples = fresh.entry(series.key()).or_default();
            for Sample { value, timestamp } in &series.samples {
                let refused = match samples.last() {
                    _ if *timestamp < oldest => Some("out of bounds"),
                    Some((last, _)) if timestamp < last => Some("out of order sample"),
                    Some((last, old)) if timestamp == last && old.to_bits() != value.to_bits() => {
                        Some("duplicate sample for timestamp")
                    }
                    Some((last, _)) if timestamp == last => continue,
                    _ => None,
                };
                if let Some(reason) = refused {
                    return Answer::new(400).body(format!("{reason}\n"));
                }
                samples.push((*timestamp, *value));
            }
        }
        *stored = fresh;
        Answer::new(204)
    }

    fn series(&self) -> Stored {
        self.stored.lock().unwrap().clone()
    }

    fn samples(&self) -> usize {
        let own = |(key, _): &(&String, &Vec<_>)| !key.contains("__name__=tidemark_run");
        self.series()
            .iter()
            .filter(own)
            .map(|(_, samples)| samples.len())
            .sum()
    }
}

const DISK: &Schema = &Schema {
    measurement: "disk",
    help: "A disk.",
    tags: &[TagSchema {
        name: "name",
        help: "The disk.",
    }],
    fields: &[FieldSchema {
        name: "reads",
        kind: Kind::Counter,
        field_type: FieldType::Uint,
        unit: Some("reads"),
        help: "Reads.",
    }],
};

fn remote_write(url: &str, credentials: Option<RemoteWriteCredentials>) -> SinkSettings {
    let settings = RemoteWriteSettings {
        url: url.parse().unwrap(),
        credentials,
        ca_file: None,
        insecure_skip_verify: false,
    };
    sink("prom", SinkKind::RemoteWrite(settings))
}

fn fixture(server: &SinkServer) -> Fixture {
    Fixture::new(vec![remote_write(&server.url("/api/v1/write"), None)])
}

async fn open(fixture: &Fixture) -> Delivery {
    Delivery::open(OpenOptions {
        declared: &[DISK],
        ..fixture.options()
    })
    .await
}

fn lines(text: &str) -> Vec<Point> {
    line::parse(text.as_bytes()).collect::<Result<_, _>>().unwrap()
}

const MS: i64 = 1_000;

#[tokio::test]
async fn a_request_is_as_the_specification_has_it() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let points = lines(
        "disk,name=sda,Z=1 reads=18446744073709551615u,free=0.1,model=\"WD\",busy=true 1700000000123456789\n\
         disk,name=sdb reads=2u 1700000000123456789\n",
    );
    delivery.submit(&fixture.run("disks"), &points).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let requests = server.requests();
    let first = &requests[0];
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("POST", "/api/v1/write")
    );
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(first.header(name), Some(value));
    }
    assert!(
        first
            .header("user-agent")
            .is_some_and(|agent| agent.starts_with("tidemark"))
    );
    assert_eq!(first.header("authorization"), None);
    let series = receiver.series();
    let at = 1_700_000_000_123;
    assert_eq!(series["Z=1,__name__=disk_free,name=sda"], [(at, 0.1)]);
    assert_eq!(series["Z=1,__name__=disk_busy,name=sda"], [(at, 1.0)]);
    // A sample is a float.
    assert_eq!(
        series["Z=1,__name__=disk_reads_total,name=sda"],
        [(at, 18_446_744_073_709_551_616.0)]
    );
    assert_eq!(series["__name__=disk_reads_total,name=sdb"], [(at, 2.0)]);
    assert_eq!(series["__name__=tidemark_run_ok,collector=disks,host=h"].len(), 1);
    let metadata = decoded(first).metadata;
    assert!(metadata.contains(&Metadata {
        kind: 1,
        family: "disk_reads_total".into(),
        help: metadata[0].help.clone(),
        unit: "reads".into(),
    }));
    let own = decoded(&requests[1]).metadata;
    assert!(
        own.iter()
            .any(|one| one.family == "tidemark_run_ok" && one.kind == 2)
    );
    assert_eq!(counts(&delivery, "prom").await, [3, 3, 0, 0, 0]);
}

#[tokio::test]
async fn credentials_go_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        SecretSource::File(path)
    };
    let basic = RemoteWriteCredentials::Basic {
        username: "Aladdin".into(),
        password: Some(file("password", "open sesame\n")),
    };
    let bearer = RemoteWriteCredentials::Bearer {
        token: file("token", "mF_9.B5f-4.1JqM\n"),
    };
    for (credentials, header) in [
        (basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (bearer, "Bearer mF_9.B5f-4.1JqM"),
    ] {
        let server = SinkServer::start();
        let settings = remote_write(&server.url("/w"), Some(credentials));
        let fixture = Fixture::new(vec![settings]);
        let mut delivery = open(&fixture).await;
        delivery.submit(&fixture.run("a"), &points(0, 1)).await.unwrap();
        assert!(delivery.deliver(Budget::Run).await.is_drained());
        for request in server.requests() {
            assert_eq!(request.header("authorization"), Some(header));
        }
    }
}

/// The good ones of a batch are stored, whatever else is in it.
#[tokio::test]
async fn what_is_out_of_bounds_is_refused_for_good_and_nothing_else() {
    let (server, receiver) = Receiver::serve((START + 1_000) * MS);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    // Series 3 and 70 are too old.
    let points: Vec<Point> = (0..100)
        .map(|n| sample(n, if n == 3 || n == 70 { 999 } else { 2_000 }, n))
        .collect();
    let run = tidemark_delivery::Run {
        started: at(2_000),
        ..fixture.run("a")
    };
    delivery.submit(&run, &points).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "prom").await, [101, 99, 0, 2, 0]);
    assert_eq!(receiver.samples(), 98);
    assert!(server.requests().len() <= 61, "{}", server.requests().len());
    let rejected = delivery.outbox().unwrap().rejected(None, 10).await.unwrap();
    let mut told: Vec<_> = rejected
        .iter()
        .map(|one| (one.line.as_str(), one.reason.as_str(), one.status))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("m,n=3 v=3i 1700000999000000000", "out of bounds", Some(400)),
            ("m,n=70 v=70i 1700000999000000000", "out of bounds", Some(400)),
        ]
    );
    assert_eq!(ledger(&delivery, "prom").await.last_error, None);
}

/// A whole batch that is too old costs few requests, and holds nothing up.
#[tokio::test]
async fn a_batch_that_is_too_old_is_refused_as_a_whole() {
    let (server, receiver) = Receiver::serve((START + 1_000_000) * MS);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    delivery
        .submit(&fixture.run("a"), &points(0, 3_000))
        .await
        .unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    let [collected, delivered, waiting, rejected, _] = counts(&delivery, "prom").await;
    assert_eq!((collected, delivered, waiting, rejected), (3_001, 0, 0, 3_001));
    assert!(server.requests().len() <= 61, "{}", server.requests().len());
    assert!(receiver.series().is_empty());
}

/// A receiver takes no older sample of a series after a newer one: of a batch with many times, whose oldest are there
/// already with other values, the others arrive all the same.
#[tokio::test]
async fn one_series_goes_in_the_order_of_time_also_when_a_batch_is_divided() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    // Newest first; three series of 40 times each.
    let all = |first: i64, value: i64| -> Vec<Point> {
        let times = (first..40).rev();
        times
            .flat_map(|time| (0..3).map(move |n| sample(n, time, value)))
            .collect()
    };
    let begin: Vec<Point> = (0..4).map(|time| sample(1, time, 1)).collect();
    delivery.submit(&fixture.run("a"), &begin).await.unwrap();
    delivery.deliver(Budget::Run).await;
    delivery.submit(&fixture.run("a"), &all(0, 2)).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    // Of series 1 the times 0 to 3 have a value already.
    let series = receiver.series();
    for n in 0..3 {
        let samples = &series[&format!("__name__=m_v,n={n}")];
        assert_eq!(samples.len(), 40, "series {n}");
        assert!(samples.is_sorted_by_key(|(time, _)| *time));
    }
    assert_eq!(
        counts(&delivery, "prom").await,
        [4 + 120 + 2, 4 + 116 + 2, 0, 4, 0]
    );
    assert!(server.requests().len() <= 64, "{}", server.requests().len());
}

/// Also across the batches of one run.
#[tokio::test]
async fn a_run_of_many_points_goes_in_order_and_in_bounded_requests() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let wide = |time: i64| {
        let mut point = Point::builder("wide").time(at(time));
        for field in 0..100 {
            point = point.field(format!("field{field}"), field);
        }
        point.build(&mut Adjustments::default()).unwrap()
    };
    let points: Vec<Point> = (0..12_000).rev().map(wide).collect();
    delivery
        .submit(&fixture.run("a"), &points[..1_000])
        .await
        .unwrap();
    delivery.deliver(Budget::Flush).await;
    let requests = server.requests();
    assert!(requests.len() > 10);
    for request in &requests {
        let series = decoded(request).timeseries;
        let samples: usize = series.iter().map(|series| series.samples.len()).sum();
        assert!(samples <= 10_000, "{samples}");
    }
    assert_eq!(receiver.samples(), 100_000);
    delivery
        .submit(&fixture.run("b"), &self::points(0, 25_000))
        .await
        .unwrap();
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(receiver.samples(), 125_000);
    let narrow: Vec<Point> = (0..25_000).rev().map(|time| sample(-1, time, time)).collect();
    delivery.submit(&fixture.run("c"), &narrow).await.unwrap();
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
    assert_eq!(receiver.series()["__name__=m_v,n=-1"].len(), 25_000);
    assert_eq!(counts(&delivery, "prom").await[3], 0);
}

/// Texts have no place there: a point of nothing else counts as taken, and nothing is asked for it.
#[tokio::test]
async fn texts_are_left_out() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let points = lines("a,n=1 text=\"x\" 1700000000000000000\nb,n=1 text=\"x\",v=1 1700000000000000000\n");
    delivery.submit(&fixture.run("a"), &points).await.unwrap();
    delivery.submit(&fixture.run("a"), &points[..1]).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(server.requests().len(), 3);
    assert_eq!(receiver.series()["__name__=b_v,n=1"], [(START * MS, 1.0)]);
    assert_eq!(counts(&delivery, "prom").await, [5, 5, 0, 0, 0]);
}

/// What cannot be one series is refused before it is sent, and costs the others nothing.
#[tokio::test]
async fn fields_that_fall_on_one_name_are_refused_by_name() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let points = lines(
        "a.b,n=1 v=1 1700000000000000000\na_b,n=1 v=2 1700000000000000000\nc v=3 1700000000000000000\n",
    );
    delivery.submit(&fixture.run("a"), &points).await.unwrap();
    assert!(delivery.deliver(Budget::Run).await.is_drained());
    assert_eq!(counts(&delivery, "prom").await, [4, 3, 0, 1, 0]);
    assert_eq!(receiver.samples(), 2);
    let rejected = delivery.outbox().unwrap().rejected(None, 10).await.unwrap();
    assert!(
        rejected[0].reason.starts_with("another field has the same name"),
        "{rejected:?}"
    );
    assert_eq!(rejected[0].status, None);
}

#[tokio::test]
async fn a_receiver_that_is_off_says_which_flag() {
    let server = SinkServer::start();
    server.script([Answer::new(404)
        .body("remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n")]);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    delivery.submit(&fixture.run("a"), &points(0, 1)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    let SinkState::Failed(said) = &report.sinks[0].state else {
        panic!("{report:?}");
    };
    assert!(
        said.starts_with("answered 404 (") && said.contains("--web.enable-remote-write-receiver"),
        "{said}"
    );
    assert!(delivery.deliver(Budget::Flush).await.is_drained());
}

/// What a collector declares is kept with its batches: whoever delivers them later knows it.
#[tokio::test]
async fn who_delivers_needs_not_be_who_declares() {
    let (server, receiver) = Receiver::serve(0);
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let disk = lines("disk,name=sda reads=1u 1700000000000000000\n");
    delivery.submit(&fixture.run("disks"), &disk).await.unwrap();
    delivery.submit(&fixture.run("other"), &disk).await.unwrap();
    delivery.close().await;
    let mut flush = fixture.open().await;
    flush.submit_sink_points().await.unwrap();
    assert!(flush.deliver(Budget::Timer).await.is_drained());
    let series = receiver.series();
    assert_eq!(series["__name__=disk_reads_total,name=sda"].len(), 1);
    assert!(series.contains_key("__name__=tidemark_sink_waiting,host=h,sink=prom"));
    assert!(series.contains_key("__name__=tidemark_sink_dropped_total,host=h,sink=prom"));
}

/// Where no sink needs it, nothing is kept.
#[tokio::test]
async fn declarations_are_kept_for_who_needs_them_alone() {
    use sqlx::{ConnectOptions as _, Connection as _};
    let server = SinkServer::start();
    for (settings, kept) in [
        (influxdb("influx", &server.url("")), 0),
        (remote_write(&server.url("/w"), None), 1),
    ] {
        let fixture = Fixture::new(vec![settings]);
        let mut delivery = open(&fixture).await;
        for _ in 0..3 {
            delivery
                .submit(&fixture.run("disks"), &points(0, 1))
                .await
                .unwrap();
        }
        delivery.close().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(fixture.path().join("outbox.db"));
        let mut db = options.connect().await.unwrap();
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT collector, text FROM declaration")
            .fetch_all(&mut db)
            .await
            .unwrap();
        db.close().await.unwrap();
        assert_eq!(rows.len(), kept);
        for (collector, text) in rows {
            assert_eq!(
                (
                    collector.as_str(),
                    text.contains("\treads\tcounter\treads\tReads.\n")
                ),
                ("disks", true)
            );
        }
    }
}

/// The bounds of what a server may be asked hold for every order of answers.
#[tokio::test]
async fn a_receiver_that_refuses_everything_is_asked_sixty_times() {
    let server = SinkServer::start();
    let count = Mutex::new(0);
    server.judge(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        Answer::new(400).body(format!("label value number {count} is too long"))
    });
    let fixture = fixture(&server);
    let mut delivery = open(&fixture).await;
    let one: Vec<Point> = (0..500).map(|time| sample(1, time, 1)).collect();
    for points in [points(0, 5_000), one] {
        server.forget();
        delivery.submit(&fixture.run("a"), &points).await.unwrap();
        assert!(delivery.deliver(Budget::Flush).await.is_drained());
        assert!(server.requests().len() <= 61, "{}", server.requests().len());
    }
    assert_eq!(counts(&delivery, "prom").await[3], 5_502);
}
