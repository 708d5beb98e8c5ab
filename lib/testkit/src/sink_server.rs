//! A server in a sink's place, which plays a script of answers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::answer::Answer;
use crate::certificates::Identity;
use crate::request::Request;
use crate::serve::{Server, lock};

/// A server that takes every request, records it, and answers by its script; where the script is at its end, by its
/// judge; where it has none, with 204. It closes when it is dropped.
///
/// ```
/// use tidemark_testkit::{Answer, SinkServer, http};
///
/// let sink = SinkServer::start();
/// sink.judge(|request| {
///     if request.text().contains("poison") { Answer::new(400).body("poison") } else { Answer::new(204) }
/// });
/// assert_eq!(http::post(&sink.url("/write"), b"m poison=1").status, 400);
/// assert_eq!(http::post(&sink.url("/write"), b"m f=1").status, 204);
/// sink.close();
/// assert!(http::Request::post(&sink.url("/write"), b"m f=1").send().is_err());
/// ```
pub struct SinkServer {
    server: Server,
    shared: Arc<Shared>,
}

type Judge = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    script: VecDeque<Answer>,
    judge: Judge,
    requests: Vec<Request>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            script: VecDeque::new(),
            judge: Arc::new(|_| Answer::new(204)),
            requests: Vec::new(),
        }
    }
}

impl Shared {
    #[track_caller]
    fn wait_for(&self, count: usize, bound: Duration) -> Vec<Request> {
        let (state, late) = self
            .arrived
            .wait_timeout_while(lock(&self.state), bound, |state| state.requests.len() < count)
            .unwrap_or_else(PoisonError::into_inner);
        let there = state.requests.len();
        assert!(
            !late.timed_out(),
            "after {bound:?} there are {there} requests, not {count}"
        );
        state.requests.clone()
    }
}

impl SinkServer {
    /// Over plain HTTP.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// Over HTTPS, with that certificate.
    pub fn https(identity: &Identity) -> Self {
        Self::with(Some(identity))
    }

    fn with(tls: Option<&Identity>) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let theirs = Arc::clone(&shared);
        let handler = move |request: Request| {
            let (scripted, judge) = {
                let mut state = lock(&theirs.state);
                state.requests.push(request.clone());
                theirs.arrived.notify_all();
                (state.script.pop_front(), Arc::clone(&state.judge))
            };
            scripted.unwrap_or_else(|| judge(&request))
        };
        Self {
            server: Server::start(tls, Arc::new(handler)),
            shared,
        }
    }

    /// Adds answers to the script: one for each request to come.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.shared.state).script.extend(answers);
    }

    /// Answers what the script does not, from the request itself (its body is unpacked).
    pub fn judge(&self, judge: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        lock(&self.shared.state).judge = Arc::new(judge);
    }

    /// The address of a path, at `localhost`.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.state).requests.clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.shared.state).requests.clear();
    }

    /// Waits until `count` requests are there, and gives all.
    ///
    /// # Panics
    /// When they are not there in time.
    #[track_caller]
    pub fn wait_for(&self, count: usize, bound: Duration) -> Vec<Request> {
        self.shared.wait_for(count, bound)
    }

    /// The same wait, for a thread of its own.
    ///
    /// # Panics
    /// What is given does, when they are not there in time.
    pub fn waiting_for(
        &self,
        count: usize,
        bound: Duration,
    ) -> impl FnOnce() -> Vec<Request> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.wait_for(count, bound)
    }

    /// Ends every connection and refuses new ones.
    pub fn close(&self) {
        self.server.close();
    }

    /// Listens again, on the same port.
    pub fn reopen(&self) {
        self.server.reopen();
    }
}
