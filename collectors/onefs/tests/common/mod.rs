//! Collectors in this process, and the clusters that they visit.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too; each test file uses some of them"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{
    Batch, BatchReceiver, Batches, CollectorError, Context, Metric, Shutdown, ShutdownTrigger, Strictness,
    defaults, testing,
};
use tidemark_onefs::Onefs;
use tidemark_onefs::derived::Derivations;
use tidemark_onefs::group::{Group, Pace};
use tidemark_onefs::plan::{Plan, PlannedCluster};
use tidemark_papi::AuthType;
use tidemark_testkit::onefs::OneFs;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The longest that anything is waited for.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// A key of the cluster's and one of its nodes'.
pub(crate) const KEYS: [&str; 2] = ["cluster.health", "node.load.1min"];

/// A cluster as a plan names it.
pub(crate) fn planned(cluster: &OneFs) -> PlannedCluster {
    PlannedCluster {
        address: cluster.address().parse().expect("an address"),
        username: "monitor".to_owned(),
        password: testing::secret("correct horse"),
        authtype: AuthType::Session,
        insecure_skip_verify: false,
        ca_file: None,
        preserve_case: false,
        prometheus_port: None,
    }
}

/// These clusters, and a group of these keys that are fetched ten times a second.
pub(crate) fn plan(clusters: &[&OneFs], keys: &[&str]) -> Plan {
    Plan {
        clusters: clusters.iter().map(|cluster| planned(cluster)).collect(),
        groups: vec![Group::new(
            "group",
            Pace::Every(Duration::from_millis(100)),
            keys.iter().copied(),
        )],
        summaries: Vec::new(),
        minimum: Duration::from_millis(100),
        by_group: false,
        include_degraded: false,
        derivations: Derivations::default(),
        listener: Arc::default(),
        notices: Vec::new(),
    }
}

/// A collector with that plan.
pub(crate) fn collector(plan: Plan) -> Onefs {
    Onefs::new(defaults().expect("defaults"), plan)
}

/// A collector that stays.
pub(crate) struct Staying {
    pub(crate) receiver: BatchReceiver,
    trigger: ShutdownTrigger,
    task: JoinHandle<(Onefs, Result<(), CollectorError>)>,
}

impl Staying {
    pub(crate) fn start(onefs: Onefs) -> Self {
        Self::start_at(onefs, Duration::from_secs(30))
    }

    /// What fails is visited again after that interval at the latest.
    pub(crate) fn start_at(onefs: Onefs, interval: Duration) -> Self {
        let (trigger, shutdown) = Shutdown::new();
        let cx = Context::builder()
            .metric::<Onefs>()
            .interval(interval)
            .shutdown(shutdown)
            .build();
        let (mut out, receiver) = Batches::channel::<Onefs>(4, Strictness::Strict);
        let task = tokio::spawn(async move {
            let ended = onefs.every(&cx, &mut out).await;
            (onefs, ended)
        });
        Self {
            receiver,
            trigger,
            task,
        }
    }

    /// The next run.
    pub(crate) async fn next(&mut self) -> Batch {
        let next = timeout(BOUND, self.receiver.recv()).await;
        timely(next.expect("a run in time").expect("it stays"))
    }

    /// The next run of which that holds.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Batch) -> bool) -> Batch {
        let mut seen = Vec::new();
        loop {
            let Ok(batch) = timeout(BOUND, self.receiver.recv()).await else {
                panic!("no run {what}; there were: {}", seen.join("\n"));
            };
            let batch = timely(batch.expect("it stays"));
            if holds(&batch) {
                return batch;
            }
            seen.push(told(&batch));
            if seen.len() > 2000 {
                panic!("no run {what}; the last was: {}", told(&batch));
            }
        }
    }

    /// Tells it to end, and gives it and what it still sent.
    pub(crate) async fn stop(mut self) -> (Onefs, Vec<Batch>) {
        self.trigger.fire();
        let mut last = Vec::new();
        while let Some(batch) = timeout(BOUND, self.receiver.recv()).await.expect("it ends") {
            last.push(timely(batch));
        }
        let (onefs, ended) = timeout(BOUND, self.task)
            .await
            .expect("it ends")
            .expect("no panic");
        ended.expect("it ends well");
        (onefs, last)
    }
}

/// A run without what it says of a machine that is too busy to visit ten times a second, as one full of tests is.
fn timely(mut batch: Batch) -> Batch {
    batch.gaps.retain(|gap| !gap.contains("moments were skipped"));
    batch
}

/// A run on one line.
pub(crate) fn told(batch: &Batch) -> String {
    format!(
        "{:?}: {} points, gaps {:?}, notices {:?}, error {:?}",
        batch.target,
        batch.points.len(),
        batch.gaps,
        batch.notices,
        batch.error
    )
}

/// How many points there are of each measurement.
pub(crate) fn counted(batch: &Batch) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for point in &batch.points {
        *counts.entry(point.measurement()).or_default() += 1;
    }
    counts
}

/// Holds that a run is whole.
#[track_caller]
pub(crate) fn well(batch: &Batch) -> &Batch {
    assert!(
        batch.error.is_none() && batch.gaps.is_empty() && batch.notices.is_empty(),
        "{}",
        told(batch)
    );
    batch
}
