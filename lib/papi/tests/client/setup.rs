//! A client of a cluster that is not there, with a clock that stands still.

#![allow(dead_code, reason = "not every test binary needs all of it")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tidemark_collect::http::{ClientOptions, Http};
use tidemark_collect::{ManualClock, Secret, SecretSource, Settings, Timestamp, defaults};
use tidemark_papi::{Address, AuthType, Cluster, ClusterOptions};
use tidemark_testkit::onefs::{OneFs, Time};

/// The password that the client has; the fake's own is the same until a test changes it.
pub(crate) const PASSWORD: &str = "correct horse";
/// What the clocks show at first.
pub(crate) const START: i64 = 1_800_000_000;

/// A password.
#[derive(Settings)]
struct Held {
    /// It.
    #[default("correct horse")]
    password: SecretSource,
}

fn password() -> Secret {
    match defaults::<Held>().expect("a default").password {
        SecretSource::Plain(secret) => secret,
        other => panic!("{other:?} is not plain"),
    }
}

/// A client, its clock, and what it asks.
pub(crate) struct Setup {
    pub(crate) onefs: OneFs,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cluster: Cluster,
}

impl Setup {
    /// Over plain HTTP, with a session.
    pub(crate) fn new() -> Self {
        Self::of(OneFs::http("Cl17", 3), AuthType::Session, options())
    }

    pub(crate) fn basic() -> Self {
        Self::of(OneFs::http("Cl17", 3), AuthType::Basic, options())
    }

    pub(crate) fn of(onefs: OneFs, auth: AuthType, options: ClientOptions) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START).unwrap()));
        onefs.set_time(Time::At(START));
        let address = onefs.address();
        Self {
            cluster: cluster(&address, auth, Http::new(options), Arc::clone(&clock)),
            clock,
            onefs,
        }
    }

    /// Both clocks go on.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let now = tidemark_collect::Clock::now(&*self.clock);
        self.onefs.set_time(Time::At(now.nanos() / 1_000_000_000));
    }

    pub(crate) fn advance_secs(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Until it may be asked again.
    pub(crate) fn rest(&self) {
        let until = self.cluster.rests_until().expect("it rests");
        let now = tidemark_collect::Clock::now(&*self.clock);
        let wait = u64::try_from(until.since(now)).unwrap();
        // Whole seconds, as the cluster's clock has them.
        self.advance_secs(wait.div_ceil(1_000_000_000));
        assert_eq!(self.cluster.rests_until(), None);
    }
}

pub(crate) fn cluster(address: &str, auth: AuthType, http: Http, clock: Arc<ManualClock>) -> Cluster {
    let address: Address = address.parse().unwrap();
    let options = ClusterOptions {
        address,
        username: "monitor".to_owned(),
        password: password(),
        auth,
        timeout: Duration::from_secs(20),
    };
    Cluster::new(options, http, clock)
}

/// The same client with other options.
pub(crate) fn with(
    cluster: &Cluster,
    clock: &Arc<ManualClock>,
    change: impl FnOnce(&mut ClusterOptions),
) -> Cluster {
    let mut changed = cluster.options().clone();
    change(&mut changed);
    Cluster::new(changed, Http::new(options()), Arc::clone(clock) as Arc<_>)
}

/// As a collector of many clusters has them.
pub(crate) fn options() -> ClientOptions {
    ClientOptions::new(&BTreeMap::<String, OsString>::new()).many_servers()
}

pub(crate) fn trusting(authority: &Path) -> ClientOptions {
    options().ca_file(Some(authority.to_owned()))
}

/// A runtime of one thread, with the real time.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// What `ask` gives, on a runtime's clock that was paused: it stands still until the cluster `is_asked`, however busy the
/// machine is. From then on it goes to the next moment that is waited for as soon as nothing else happens, so that an answer
/// which does not come is late at once.
pub(crate) async fn late_once<T>(ask: impl Future<Output = T>, is_asked: impl Fn() -> bool) -> T {
    // A paused clock goes on by itself, but not while there is work on another thread.
    let (still, work) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || work.recv());
    let mut ask = pin!(ask);
    let reached = async {
        while !is_asked() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        outcome = &mut ask => return outcome,
        () = reached => {}
    }
    drop(still);
    ask.await
}

/// What `ask` gives, on a runtime's clock that was paused and stands still meanwhile: nothing is late.
pub(crate) async fn timeless<T>(ask: impl Future<Output = T>) -> T {
    late_once(ask, || false).await
}

/// All of them side by side.
pub(crate) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(|cx| {
        let mut ready = true;
        for (future, outcome) in &mut waiting {
            if outcome.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *outcome = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, outcome)| outcome).collect()
}
