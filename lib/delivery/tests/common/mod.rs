//! An outbox in a temporary folder, with sinks that a test plays.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidemark_collect::ManualClock;
use tidemark_delivery::{Budget, Delivery, OpenOptions, Report, Run, SinkLedger, Sinks};
use tidemark_point::{Adjustments, Point, Timestamp, Value};
use tidemark_settings::{
    Environment, HostSettings, Influxdb2Settings, InfluxdbSettings, KeepFree, OutboxSettings, Places,
    RemoteWriteSettings, SecretSource, Settings, SinkKind, SinkSettings, Size, Span, StoreSettings,
};
use tidemark_testkit::SinkServer;

/// No variables but one that holds a token.
pub(crate) struct NoEnvironment;

/// The variable that holds a token, and the token.
pub(crate) const TOKEN: &str = "TOKEN";

impl Environment for NoEnvironment {
    fn get(&self, name: &str) -> Option<std::ffi::OsString> {
        (name == TOKEN).then(|| "s3cr3t-t0k3n".into())
    }
}

pub(crate) const START: i64 = 1_700_000_000;

/// What a run's delivery gets here, on a machine that is busy with other tests: as it should be, less than the longest
/// request.
pub(crate) const BUDGET: Duration = Duration::from_secs(25);

/// A state folder, a clock and settings.
pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: Settings,
}

impl Fixture {
    pub(crate) fn new(sinks: Vec<SinkSettings>) -> Self {
        let settings = Settings {
            host: HostSettings {
                name: "h".into(),
                tags: Default::default(),
                dry_run: false,
                standby: false,
            },
            sinks,
            outbox: OutboxSettings {
                max_bytes: Size::mib(1024),
                keep_free: KeepFree::Size(Size::bytes(0)),
                max_age: None,
            },
            store: StoreSettings {
                keep: Span::days(15),
                max_bytes: Size::mib(64),
            },
        };
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(at(0))),
            settings,
        }
    }

    pub(crate) fn options(&self) -> OpenOptions {
        let places = Places::new(&NoEnvironment, false, None);
        let sinks = Sinks::resolve(&self.settings, &NoEnvironment, &places).unwrap();
        OpenOptions {
            run_budget: BUDGET,
            ..OpenOptions::from_settings(self.path(), &self.settings, sinks, self.clock.clone())
        }
    }

    pub(crate) async fn open(&self) -> Delivery {
        Delivery::open(self.options()).await
    }

    /// One in which a run of `a` with these points was kept, and one delivery has ended.
    pub(crate) async fn after_run(&self, points: &[Point]) -> (Delivery, Report) {
        let mut delivery = self.open().await;
        delivery.submit(&self.run("a"), points).await.unwrap();
        let report = delivery.deliver(Budget::Run).await;
        (delivery, report)
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A run of `collector` now.
    pub(crate) fn run(&self, collector: &str) -> Run {
        use tidemark_collect::Clock as _;
        self.clock.advance(Duration::from_secs(1));
        Run::new(collector, self.clock.now(), Duration::from_secs(60))
    }
}

/// A run's delivery whose time is up when `over` is done: nobody knows how long a busy machine takes to ask its sinks, so
/// the clock of timeouts is set ahead by the budget then.
pub(crate) async fn deliver_until(delivery: &mut Delivery, over: impl Future<Output = ()>) -> Report {
    let end = async {
        over.await;
        tokio::time::pause();
        tokio::time::advance(BUDGET).await;
        tokio::time::resume();
    };
    tokio::join!(delivery.deliver(Budget::Run), end).0
}

/// Waits until the server has had so many requests.
pub(crate) async fn asked(server: &SinkServer, requests: usize) {
    let asked = server.waiting_for(requests, Duration::from_secs(60));
    tokio::task::spawn_blocking(asked).await.expect("it was asked");
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START + seconds).unwrap()
}

pub(crate) fn influxdb(name: &str, url: &str) -> SinkSettings {
    let influxdb = InfluxdbSettings {
        url: url.parse().unwrap(),
        database: "metrics".into(),
        username: None,
        password: None,
        retention_policy: None,
        ca_file: None,
        insecure_skip_verify: false,
    };
    sink(name, SinkKind::Influxdb(influxdb))
}

pub(crate) fn influxdb2(name: &str, url: &str) -> SinkSettings {
    let influxdb2 = Influxdb2Settings {
        url: url.parse().unwrap(),
        org: "ours".into(),
        bucket: "metrics".into(),
        token: SecretSource::Environment(TOKEN.into()),
        ca_file: None,
        insecure_skip_verify: false,
    };
    sink(name, SinkKind::Influxdb2(influxdb2))
}

/// `url` is the whole address of its writes.
pub(crate) fn remote_write(name: &str, url: &str) -> SinkSettings {
    let remote_write = RemoteWriteSettings {
        url: url.parse().unwrap(),
        credentials: None,
        ca_file: None,
        insecure_skip_verify: false,
    };
    sink(name, SinkKind::RemoteWrite(remote_write))
}

pub(crate) fn sink(name: &str, kind: SinkKind) -> SinkSettings {
    SinkSettings {
        name: name.into(),
        only: Vec::new(),
        except: Vec::new(),
        kind,
    }
}

/// Points `m,n=FIRST v=FIRSTi`, and so on.
pub(crate) fn points(first: i64, count: i64) -> Vec<Point> {
    (first..first + count)
        .map(|number| sample(number, number, number))
        .collect()
}

/// A value of `v` of the series `n`, so many seconds after the start.
pub(crate) fn sample(n: i64, seconds: i64, value: impl Into<Value>) -> Point {
    Point::builder("m")
        .tag("n", n.to_string())
        .field("v", value)
        .time(at(seconds))
        .build(&mut Adjustments::default())
        .unwrap()
}

/// The ledger of a sink.
pub(crate) async fn ledger(delivery: &Delivery, sink: &str) -> SinkLedger {
    let outbox = delivery.outbox().expect("an outbox");
    assert_eq!(outbox.verify().await.unwrap(), Vec::<String>::new());
    let ledgers = outbox.ledger().await.unwrap();
    ledgers
        .into_iter()
        .find(|ledger| ledger.name == sink)
        .expect("a ledger")
}

/// collected, delivered, waiting, rejected, dropped.
pub(crate) async fn counts(delivery: &Delivery, sink: &str) -> [u64; 5] {
    let ledger = ledger(delivery, sink).await;
    [
        ledger.collected,
        ledger.delivered,
        ledger.waiting,
        ledger.rejected,
        ledger.dropped,
    ]
}
