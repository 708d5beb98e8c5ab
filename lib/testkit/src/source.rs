//! Recorded sources: what a collector's source answers, path by path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::answer::Answer;
use crate::certificates::Identity;
use crate::request::Request;
use crate::serve::{Server, lock};

/// A web server with an answer for each path; 404 for every other. It closes when it is dropped.
///
/// ```
/// use tidemark_testkit::{Answer, Source, http};
///
/// let source = Source::http();
/// source.route("/jsons/general.json", Answer::ok("[]"));
/// assert_eq!(http::get(&source.url("/jsons/general.json")).text(), "[]");
/// assert_eq!(source.requests()[0].path, "/jsons/general.json");
/// ```
pub struct Source {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    routes: Mutex<BTreeMap<String, Answer>>,
    requests: Mutex<Vec<Request>>,
}

impl Source {
    /// Over plain HTTP.
    pub fn http() -> Self {
        Self::start(None)
    }

    /// Over HTTPS, with that certificate.
    pub fn https(identity: &Identity) -> Self {
        Self::start(Some(identity))
    }

    fn start(tls: Option<&Identity>) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let theirs = Arc::clone(&shared);
        let handler = move |request: Request| {
            let answer = lock(&theirs.routes).get(&request.path).cloned();
            lock(&theirs.requests).push(request);
            answer.unwrap_or_else(|| Answer::new(404).body("no such page"))
        };
        Self {
            server: Server::start(tls, Arc::new(handler)),
            shared,
        }
    }

    /// What a path answers from now on.
    pub fn route(&self, path: &str, answer: Answer) {
        lock(&self.shared.routes).insert(path.to_owned(), answer);
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
        lock(&self.shared.requests).clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.server.accepted()
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
