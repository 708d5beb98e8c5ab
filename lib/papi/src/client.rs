//! One cluster: who is asked what, as whom, and when no more.

mod answer;
mod errors;
mod login;
mod requests;
mod rest;
mod scrub;

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidemark_collect::http::{Http, HttpErrorKind, Request, Response, Url};
use tidemark_collect::{Clock, Secret, Timestamp};
use tokio::time::Instant;

use crate::decode::{self, Config, KeyInfo};
use crate::{Address, ApiError, ApiErrorKind, Trouble};
use answer::Purpose;
use login::{Login, Session};
use rest::Rest;
use scrub::Scrub;

pub use requests::{MAX_URL, StatisticsRequest};

/// Where the name and version are.
const CONFIG: &str = "/platform/1/cluster/config";
/// Below it, what keys are.
const KEYS: &str = "/platform/1/statistics/keys/";

/// How a user is known to a cluster.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AuthType {
    /// By a session: one login, and a cookie from then on.
    #[default]
    Session,
    /// By name and password in each request.
    Basic,
}

/// A cluster and its user.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Where it is.
    pub address: Address,
    /// Who asks.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// How the user is known.
    pub auth: AuthType,
    /// The time that each request has, headers and body together; a login too.
    pub timeout: Duration,
}

/// Equal where the same user is known in the same way in the same place, in the same time.
impl PartialEq for ClusterOptions {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            address,
            username,
            password,
            auth,
            timeout,
        } = self;
        *address == other.address
            && *username == other.username
            && password.expose() == other.password.expose()
            && *auth == other.auth
            && *timeout == other.timeout
    }
}

/// A summary that the API makes itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Summary {
    /// By protocol and class of operation.
    Protocol,
    /// By client.
    Client,
    /// By drive.
    Drive,
}

impl Summary {
    fn target(self) -> &'static str {
        match self {
            Self::Protocol => "/platform/3/statistics/summary/protocol?degraded=true",
            Self::Client => "/platform/3/statistics/summary/client?degraded=true",
            Self::Drive => "/platform/3/statistics/summary/drive?degraded=true",
        }
    }
}

/// One cluster's API. Its requests may run side by side: they share connections, one session, and one backoff.
///
/// A session is known to one node alone, and a cluster's name often stands for all of them: with sessions, connections go
/// to the node that was met first, until it does not answer.
///
/// After a failure that is the cluster's, not that of one request, nothing is asked until [`Backoff`](crate::Backoff) lets
/// it: until then each method fails at once with [`ApiErrorKind::Resting`] and the words of that failure. A summary that is
/// too long, or comes too slowly, rests alone.
///
/// A session that is refused is renewed at once, where a request of it has succeeded: it has ended, or another node
/// answers. That is so once for each request, and a few times a minute; what is refused beyond that rests.
pub struct Cluster {
    options: ClusterOptions,
    http: Http,
    clock: Arc<dyn Clock>,
    rest: Mutex<Rest>,
    /// Those of the summaries, beside the cluster's own.
    summaries: [Mutex<Rest>; 3],
    /// Held while there is a login, so that there is one at a time; with basic authentication, during the first request.
    login: tokio::sync::Mutex<Login>,
    /// The password has been accepted, and not been refused since.
    proved: AtomicBool,
}

impl Cluster {
    /// A cluster that is asked nothing yet. What its certificate must be, `http` knows.
    pub fn new(options: ClusterOptions, http: Http, clock: Arc<dyn Clock>) -> Self {
        if options.auth == AuthType::Session {
            // A node knows its own sessions alone, and one name is that of all nodes.
            http.keep_address(options.address.host());
        }
        Self {
            options,
            http,
            clock,
            rest: Mutex::default(),
            summaries: Default::default(),
            login: tokio::sync::Mutex::default(),
            proved: AtomicBool::new(false),
        }
    }

    /// What it was made with.
    pub fn options(&self) -> &ClusterOptions {
        &self.options
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.options.address
    }

    /// Its name and version.
    ///
    /// # Errors
    /// See [`ApiErrorKind`].
    pub async fn config(&self) -> Result<Config, ApiError> {
        let url = self.address().url(CONFIG);
        let body = self.ask(Purpose::Config, &url).await?;
        decode::config(&body).map_err(|cause| self.unreadable(&url, &body, cause))
    }

    /// What a key is.
    ///
    /// # Errors
    /// See [`ApiErrorKind`]; [`ApiErrorKind::NotFound`] where the cluster has no such key.
    pub async fn key(&self, name: &str) -> Result<KeyInfo, ApiError> {
        let url = self.address().url_of(KEYS, name);
        let body = self.ask(Purpose::Key, &url).await?;
        decode::key_info(&body).map_err(|cause| self.unreadable(&url, &body, cause))
    }

    /// The requests for the current values of these keys, on all nodes: as few as URLs of [`MAX_URL`] bytes allow.
    pub fn requests<K: AsRef<str>>(&self, keys: &[K]) -> Vec<StatisticsRequest> {
        requests::split(self.address(), keys)
    }

    /// The current values of a request's keys, as they came: see [`decode::statistics`]. The body begins as JSON; whether
    /// it is whole, and what is in it, nobody has looked at.
    ///
    /// # Errors
    /// See [`ApiErrorKind`].
    pub async fn current(&self, request: &StatisticsRequest) -> Result<Vec<u8>, ApiError> {
        self.ask(Purpose::Statistics, request.url()).await
    }

    /// The address of a summary.
    pub fn summary_url(&self, summary: Summary) -> Url {
        self.address().url(summary.target())
    }

    /// A summary, as it came.
    ///
    /// # Errors
    /// See [`ApiErrorKind`]; [`ApiErrorKind::NotFound`] where the cluster is older than the summary.
    pub async fn summary(&self, summary: Summary) -> Result<Vec<u8>, ApiError> {
        let url = self.summary_url(summary);
        let purpose = Purpose::Summary(summary);
        let [protocol, client, drive] = &self.summaries;
        let rest = match summary {
            Summary::Protocol => protocol,
            Summary::Client => client,
            Summary::Drive => drive,
        };
        let may_ask = lock(rest).may_ask(self.clock.now());
        let step = may_ask.map_err(|(_, said, until)| ApiError::resting(said, None, until))?;
        let outcome = self.ask(purpose, &url).await;
        let now = self.clock.now();
        match outcome {
            Err(error) if purpose.is_alone_at_fault(&error) => {
                let until = lock(rest).failed(step, purpose, Trouble::NotOneFs, now, &error);
                Err(error.until(until))
            }
            Err(error) => Err(error),
            Ok(body) => {
                lock(rest).succeeded(step, purpose, now);
                Ok(body)
            }
        }
    }

    /// The error that a body which cannot be decoded is. The cluster does not rest for it: the next answer may be whole.
    pub fn unreadable(&self, url: &Url, body: &[u8], cause: decode::DecodeError) -> ApiError {
        let (cause, bytes) = (cause.with_shown(|text| self.clean(text)), body.len());
        ApiError::new(url, ApiErrorKind::Unreadable { cause, bytes })
    }

    /// A text of the cluster's, without the password and the session where it repeats what it was sent.
    pub fn clean(&self, text: &str) -> String {
        let login = self.login.try_lock().ok();
        let session = login.as_ref().and_then(|login| login.session.as_deref());
        self.scrub(session).clean(text)
    }

    /// Until when it is asked nothing; `None` where it may be asked now.
    pub fn rests_until(&self) -> Option<Timestamp> {
        lock(&self.rest).until(self.clock.now())
    }

    /// It may be asked at once, whatever failed before: somebody has changed the settings, or wants to know.
    pub fn retry_now(&self) {
        lock(&self.rest).forget();
        self.summaries.iter().for_each(|rest| lock(rest).forget());
    }

    /// Ends the session on the cluster, if there is one, within a second. That it may fail does not matter: the
    /// cluster ends it by itself, later.
    pub async fn close(&self) {
        let session = self.login.lock().await.session.take();
        if let Some(session) = session {
            self.log_out(&session).await;
        }
    }

    /// The body of a 2xx answer that begins as JSON.
    async fn ask(&self, purpose: Purpose, url: &Url) -> Result<Vec<u8>, ApiError> {
        let mut step = self.may_ask()?;
        let outcome = match self.options.auth {
            AuthType::Session => self.ask_with_session(purpose, url, &mut step).await,
            AuthType::Basic => self.ask_with_password(purpose, url, &mut step).await,
        };
        match outcome {
            Ok(body) => {
                lock(&self.rest).succeeded(step, purpose, self.clock.now());
                Ok(body)
            }
            Err(error) => Err(self.failed(step, purpose, error)),
        }
    }

    async fn ask_with_session(
        &self,
        purpose: Purpose,
        url: &Url,
        step: &mut u64,
    ) -> Result<Vec<u8>, ApiError> {
        let mut refused = None;
        loop {
            let session = self.session(refused, step).await?;
            let response = self.get(purpose, url, |request| session.sign(request)).await?;
            if response.status() != 401 {
                self.replace(&session, &response);
                let judged = self.judge(purpose, url, response, Some(&session));
                if judged.is_ok() {
                    session.serves();
                }
                return judged;
            }
            if refused.is_some() || !session.has_served() || !self.may_renew(&session).await {
                let kind = ApiErrorKind::SessionRefused {
                    username: self.options.username.clone(),
                    said: self.said(&response, Some(&session)),
                };
                // Known before the session is gone: else the next request would log in at once.
                let error = self.failed(*step, Purpose::Login, ApiError::new(url, kind));
                self.discard(&session).await;
                return Err(error);
            }
            // It has ended, or another node answers.
            refused = Some(session.number);
        }
    }

    async fn ask_with_password(
        &self,
        purpose: Purpose,
        url: &Url,
        step: &mut u64,
    ) -> Result<Vec<u8>, ApiError> {
        // Until it is known to be right, one request alone tries it: each that fails counts towards a lock-out.
        let mut first = None;
        if !self.proved.load(Ordering::Acquire) {
            first = Some(self.login.lock().await);
            *step = self.may_ask()?;
        }
        let response = self
            .get(purpose, url, |request| self.sign_with_password(request))
            .await;
        let response = response.map_err(|error| self.failed(*step, purpose, error))?;
        let accepted = response.status() != 401;
        if !accepted {
            self.proved.store(false, Ordering::Release);
            let kind = ApiErrorKind::Password {
                username: self.options.username.clone(),
                said: self.said(&response, None),
            };
            return Err(self.failed(*step, Purpose::Login, ApiError::new(url, kind)));
        }
        let judged = self
            .judge(purpose, url, response, None)
            .map_err(|error| self.failed(*step, purpose, error))?;
        self.proved.store(true, Ordering::Release);
        drop(first);
        Ok(judged)
    }

    /// An answer, whatever its status. A connection that was kept and is closed by the cluster just when it is used
    /// again has no answer: that is tried once more.
    async fn get(
        &self,
        purpose: Purpose,
        url: &Url,
        sign: impl Fn(Request) -> Request,
    ) -> Result<Response, ApiError> {
        let failed = |error| {
            let error = ApiError::http(url, error);
            match purpose.is_alone_at_fault(&error) {
                true => error.of(None),
                false => error,
            }
        };
        let began = Instant::now();
        let timeout = self.options.timeout;
        let mut left = timeout;
        loop {
            let request = sign(self.http.get(url))
                .max_bytes(purpose.max_bytes())
                .timeout(left)
                .without_redirects();
            match request.response().await {
                Err(error) if *error.kind() == HttpErrorKind::NoAnswer && left == timeout => {
                    left = timeout.saturating_sub(began.elapsed());
                    if left.is_zero() || left == timeout {
                        return Err(failed(error));
                    }
                }
                outcome => return outcome.map_err(failed),
            }
        }
    }

    /// The step that a request which begins now belongs to.
    fn may_ask(&self) -> Result<u64, ApiError> {
        let may_ask = lock(&self.rest).may_ask(self.clock.now());
        may_ask.map_err(|(trouble, said, until)| ApiError::resting(said, Some(trouble), until))
    }

    /// Notes a failure, and says in the error until when the cluster rests. Twice is as good as once.
    fn failed(&self, step: u64, purpose: Purpose, error: ApiError) -> ApiError {
        let Some(trouble) = error.trouble().filter(|_| !error.is_resting()) else {
            return error;
        };
        if error.is_silence() {
            // The node may be gone: another may answer.
            self.http.look_up_again(self.address().host());
        }
        let now = self.clock.now();
        let until = lock(&self.rest).failed(step, purpose, trouble, now, &error);
        error.until(until)
    }

    /// What takes our secrets out of a text of the cluster's.
    fn scrub<'a>(&'a self, session: Option<&'a Session>) -> Scrub<'a> {
        Scrub::new(&self.options.username, self.options.password.expose(), session)
    }
}

/// Without user, password and session.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("address", &self.address().to_string())
            .field("auth", &self.options.auth)
            .finish_non_exhaustive()
    }
}

fn lock(rest: &Mutex<Rest>) -> MutexGuard<'_, Rest> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that differs from call to call and process to process. Not for secrets.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
