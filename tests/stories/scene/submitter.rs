//! Runs of any time and any points, through the same outbox and sinks as those of a program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use tidemark_collect::ManualClock;
use tidemark_delivery::{Budget, Delivery, OpenOptions, Report, Run, Sinks};
use tidemark_point::{Point, Schema, Timestamp};
use tidemark_settings::{LoadFrom, Places, Settings};
use tidemark_testkit::Home;
use tokio::runtime::Runtime;

/// What a program does after it has collected, at the home's settings, with a clock that stands where it is put.
pub(crate) struct Submitter {
    runtime: Runtime,
    clock: Arc<ManualClock>,
    delivery: Delivery,
}

impl Submitter {
    /// With what its collector declares.
    #[track_caller]
    pub(crate) fn new(home: &Home, declared: &'static [&'static Schema]) -> Self {
        let environment: BTreeMap<String, OsString> = BTreeMap::new();
        let places = Places::new(&environment, false, Some(home.config()));
        let from = LoadFrom {
            places: &places,
            environment: &environment,
            hostname: "test-host".to_owned(),
            known_collectors: None,
        };
        let loaded = Settings::load(&from).unwrap_or_else(|why| panic!("{why}"));
        let sinks = Sinks::resolve(&loaded.settings, &environment, &places).expect("sinks");
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let options = OpenOptions {
            declared,
            ..OpenOptions::from_settings(
                &home.state(),
                &loaded.settings,
                sinks,
                Arc::<ManualClock>::clone(&clock),
            )
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let delivery = runtime.block_on(Delivery::open(options));
        Self {
            runtime,
            clock,
            delivery,
        }
    }

    /// Keeps a run that has just ended.
    #[track_caller]
    pub(crate) fn submit(&mut self, run: &Run, points: &[Point]) {
        self.clock.set(run.started.saturating_add(run.duration));
        let kept = self.runtime.block_on(self.delivery.submit(run, points));
        kept.unwrap_or_else(|why| panic!("{why}"));
    }

    /// Does what a flush does at that time: says how each sink is, and delivers, whatever the backoff.
    #[track_caller]
    pub(crate) fn flush(&mut self, at: Timestamp) -> Report {
        self.clock.set(at);
        let kept = self.runtime.block_on(self.delivery.submit_sink_points());
        kept.unwrap_or_else(|why| panic!("{why}"));
        self.deliver()
    }

    /// Delivers what waits, whatever the backoff.
    pub(crate) fn deliver(&mut self) -> Report {
        self.runtime.block_on(self.delivery.deliver(Budget::Flush))
    }
}
