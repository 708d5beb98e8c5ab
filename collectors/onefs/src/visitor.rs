//! One cluster, visited again and again: who it is, which keys it has, what is due, and what came of it.

mod describe;
mod fetch;
mod told;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{CollectorError, Context, Points, Timestamp};
use tidemark_papi::{Cluster, ClusterOptions, StatisticsRequest, Summary};
use tokio::time::Instant;

use crate::bound::{Bound, Unanswered};
use crate::bucket::{Bucket, buckets};
use crate::keys::Descriptions;
use crate::listener::{Facts, Feed};
use crate::memory::{Beside, Memories, Memory, Names, SharedMemory, lock};
use crate::plan::{Plan, PlannedCluster, SUMMARY_INTERVAL};
use crate::schedule::Schedule;
use told::Told;

/// The time that one request has.
const REQUEST: Duration = Duration::from_secs(30);
/// When a cluster is asked anew who it is.
const INTRODUCE: Duration = Duration::from_hours(1);
/// How soon what failed is tried again, where its own interval is longer.
const RETRY: Duration = Duration::from_secs(30);
/// How soon a cluster that failed is visited again at the earliest.
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// What the measurements of summaries begin with.
const SUMMARIES: &str = "node.summary.";

/// What is fetched at its moments.
#[derive(Clone, Debug, PartialEq)]
enum Work {
    Bucket(Arc<Bucket>),
    Summary(Summary),
}

/// One cluster, as it is visited.
pub(crate) struct Visitor<'a> {
    plan: &'a Plan,
    cluster: &'a PlannedCluster,
    api: Cluster,
    memory: SharedMemory,
    descriptions: Arc<Descriptions>,
    beside: Arc<Beside>,
    names: Arc<Names>,
    schedule: Schedule<Work>,
    /// The keys that were asked for last, and by which requests.
    asked: (Vec<Arc<str>>, Arc<[StatisticsRequest]>),
    /// When its buckets are worked out anew; none: now.
    sorted_until: Option<Instant>,
    /// When it said last who it is; none where it has to be asked.
    introduced: Option<Instant>,
    /// What was said already.
    told: Told,
    /// Where its points are shown beside.
    feed: Option<Feed>,
    /// How often each key is fetched; none where nothing shows it.
    intervals: HashMap<Arc<str>, Duration>,
}

impl<'a> Visitor<'a> {
    /// Who visits that cluster of the plan, from `origin` on.
    pub(crate) fn new(
        plan: &'a Plan,
        cluster: &'a PlannedCluster,
        memories: &Memories,
        cx: &Context,
        origin: Instant,
    ) -> Self {
        let options = ClusterOptions {
            address: cluster.address.clone(),
            username: cluster.username.clone(),
            password: cluster.password.clone(),
            auth: cluster.authtype,
            timeout: REQUEST,
        };
        let http = cx.http_for(cluster.ca_file.as_deref(), cluster.insecure_skip_verify);
        Self {
            plan,
            cluster,
            api: Cluster::new(options, http, cx.clock()),
            memory: memories.of(&cluster.address),
            descriptions: memories.descriptions(),
            beside: memories.beside(),
            names: memories.names(),
            schedule: Schedule::new(origin),
            asked: (Vec::new(), Arc::default()),
            sorted_until: None,
            introduced: None,
            told: Told::default(),
            feed: None,
            intervals: HashMap::new(),
        }
    }

    /// The same, whose points are shown too.
    pub(crate) fn with_feed(self, feed: Option<Feed>) -> Self {
        Self { feed, ..self }
    }

    /// What its runs are told apart by: its name as its points carry it; before it said that, where it is, with the port
    /// where that is another than usual.
    pub(crate) fn target(&self) -> String {
        self.name_of(&lock(&self.memory))
    }

    fn name_of(&self, memory: &Memory) -> String {
        match &memory.name {
            Some(name) => self.cluster.tag(name),
            None => self.cluster.address.short(),
        }
    }

    /// Whether it has ever said who it is.
    pub(crate) fn is_known(&self) -> bool {
        lock(&self.memory).name.is_some()
    }

    /// Fetches all that is due. What is missing but leaves the rest useful is a gap.
    ///
    /// # Errors
    /// Where the cluster gives nothing.
    pub(crate) async fn visit(&mut self, cx: &Context, bound: &Bound<'_>) -> Result<Points, CollectorError> {
        let outcome = self.try_visit(cx, bound).await;
        if outcome.is_err() {
            // It may be another, or another version, when it is back.
            self.introduced = None;
        }
        outcome.map_err(CollectorError::from)
    }

    async fn try_visit(&mut self, cx: &Context, bound: &Bound<'_>) -> Result<Points, Unanswered> {
        let was_away = self.introduced.is_none();
        self.introduce(cx, bound).await?;
        self.ask_about_keys(cx, bound).await?;
        let now = Instant::now();
        self.sort(now);
        let due = self.schedule.take(now);
        if due.missed > 0 && !was_away {
            cx.gap(
                "moments were skipped, as the cluster answers more slowly than it is asked, or this host is too busy; raise \
                 min_update_interval",
            );
        }
        self.fetch(cx, bound, due).await
    }

    /// Shows the points of a visit to who scrapes.
    fn show(&self, cx: &Context, points: &Points) {
        let Some(feed) = &self.feed else { return };
        let memory = lock(&self.memory);
        let omitted = feed.show(&self.name_of(&memory), points, |measurement| Facts {
            description: memory.keys.info(measurement).map_or("", |info| &info.description),
            interval: self.interval_of(measurement),
        });
        if !omitted.is_empty() {
            cx.notice(format_args!("not shown to Prometheus: {omitted}"));
        }
    }

    /// How often a measurement comes: a summary, a key, or what is derived of keys.
    fn interval_of(&self, measurement: &str) -> Duration {
        if measurement.starts_with(SUMMARIES) {
            return SUMMARY_INTERVAL;
        }
        let of = |key: &str| self.intervals.get(key).copied();
        of(measurement)
            .or_else(|| self.plan.derivations.keys().filter_map(of).max())
            .unwrap_or(SUMMARY_INTERVAL)
    }

    /// When it is visited next, after a visit that ended now.
    pub(crate) fn next(&self, failed: bool, cx: &Context) -> Instant {
        let now = Instant::now();
        if failed {
            let until = self.api.rests_until().map_or(0, Timestamp::nanos);
            let rests = Duration::from_nanos(u64::try_from(until - cx.now().nanos()).unwrap_or(0));
            if rests.is_zero() {
                // It is not the cluster that is unwell but an answer.
                let tick = self.schedule.next().filter(|at| *at > now);
                return tick.unwrap_or(now + self.plan.minimum.clamp(SHORTEST_REST, RETRY));
            }
            // While it rests, that it does is said at the usual interval.
            return now + rests.min(cx.interval()).max(SHORTEST_REST);
        }
        // With nothing to fetch, it is asked now and then whether that is still so.
        self.schedule.next().unwrap_or(now + cx.interval())
    }

    /// Ends the session on the cluster.
    pub(crate) async fn close(&self) {
        self.api.close().await;
    }

    /// Asks the cluster who it is, where that is not known or may have changed.
    async fn introduce(&mut self, cx: &Context, bound: &Bound<'_>) -> Result<(), Unanswered> {
        let now = Instant::now();
        if self.introduced.is_some_and(|at| now < at + INTRODUCE) {
            return Ok(());
        }
        let config = bound.hold(self.api.config()).await?;
        self.introduced = Some(now);
        let called = told::as_points_carry(&config.name);
        let mut memory = lock(&self.memory);
        if memory.name.as_ref() != Some(&called) {
            if called != config.name {
                cx.notice(format_args!(
                    "the name of the cluster at {} has characters in it that no series can have: {called} is what its points \
                     carry",
                    self.cluster.address
                ));
            }
            if let Some(before) = &memory.name {
                cx.notice(format_args!(
                    "the cluster at {} is called {called} from now on, not {before}",
                    self.cluster.address
                ));
            }
        }
        if memory.version != config.version {
            if !memory.version.is_empty() {
                cx.notice(format_args!(
                    "OneFS {} is now {}: its keys are asked about anew",
                    memory.version, config.version
                ));
                memory.keys.forget();
                self.sorted_until = None;
            }
            memory.version = config.version;
        }
        let name = self.cluster.tag(&called);
        memory.name = Some(called);
        drop(memory);
        let address = &self.cluster.address;
        if let Some(other) = self.names.take(address, &name) {
            cx.notice(format_args!(
                "the clusters at {address} and {other} are both called {name}: they share their series, and of two values \
                 of one time one is lost; leave one address out where it is one cluster, else give it another name"
            ));
        }
        Ok(())
    }

    /// Sorts keys into buckets, where what is known of them has changed.
    fn sort(&mut self, now: Instant) {
        if self.sorted_until.is_some_and(|until| now < until) {
            return;
        }
        let memory = lock(&self.memory);
        let plan = self.plan;
        let sorted = buckets(&plan.groups, plan.minimum, plan.by_group, |key| {
            memory.keys.standing(key, now)
        });
        let changes = memory.keys.changes().filter(|at| now < *at);
        self.sorted_until = Some(changes.unwrap_or(now + INTRODUCE));
        drop(memory);
        if self.feed.is_some() {
            let each = |bucket: &Bucket| {
                let interval = bucket.interval;
                bucket.keys.clone().into_iter().map(move |key| (key, interval))
            };
            self.intervals = sorted.iter().flat_map(each).collect();
        }
        let sorted = sorted
            .into_iter()
            .map(|bucket| (bucket.interval, Work::Bucket(Arc::new(bucket))));
        let summaries = plan
            .summaries
            .iter()
            .map(|summary| (SUMMARY_INTERVAL, Work::Summary(*summary)));
        self.schedule.set(sorted.chain(summaries), now);
    }
}
