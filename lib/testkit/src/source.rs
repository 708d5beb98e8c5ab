//! Recorded sources: what a collector's source answers, path by path, and query by query where that decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::answer::Answer;
use crate::certificates::Identity;
use crate::request::{Request, parameters};
use crate::serve::{Server, lock};

/// A web server with an answer for each route; 404 for all else. It closes when it is dropped.
///
/// A route is a path, or a path and parameters: `/ubuntu/noble?ws.op=getPackageUploads&status=New`. It answers each request
/// for that path whose query has these parameters, in any order, among others. Of several that fit, the one with the most
/// parameters answers.
///
/// ```
/// use tidemark_testkit::{Answer, Source, http};
///
/// let source = Source::http();
/// source.route("/jsons/general.json", Answer::ok("[]"));
/// assert_eq!(http::get(&source.url("/jsons/general.json")).text(), "[]");
/// assert_eq!(source.requests()[0].path, "/jsons/general.json");
///
/// source.route("/people?ws.op=count", Answer::ok("3"));
/// assert_eq!(http::get(&source.url("/people?ws.size=9&ws.op=count")).text(), "3");
/// assert_eq!(http::get(&source.url("/people?ws.op=list")).status, 404);
/// ```
pub struct Source {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    routes: Mutex<Routes>,
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
            let answer = lock(&theirs.routes).answer(&request);
            lock(&theirs.requests).push(request);
            answer.unwrap_or_else(|| Answer::new(404).body("no such page"))
        };
        Self {
            server: Server::start(tls, Arc::new(handler)),
            shared,
        }
    }

    /// What a path answers from now on, or a path with parameters (`/path?name=value`).
    pub fn route(&self, path: &str, answer: Answer) {
        lock(&self.shared.routes).set(path, answer);
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

/// What is answered where.
#[derive(Default)]
pub(crate) struct Routes(BTreeMap<Route, Answer>);

impl Routes {
    /// What a path answers from now on, or a path with parameters.
    pub(crate) fn set(&mut self, path: &str, answer: Answer) {
        self.0.insert(Route::new(path), answer);
    }

    /// What the route that fits best answers.
    pub(crate) fn answer(&self, request: &Request) -> Option<Answer> {
        if self.0.is_empty() {
            return None;
        }
        let asked = parameters(&request.query);
        self.0
            .iter()
            .filter(|(route, _)| route.fits(&request.path, &asked))
            .max_by_key(|(route, _)| route.parameters.len())
            .map(|(_, answer)| answer.clone().to(request))
    }
}

/// A path, and the parameters that a request must have, with their escapes undone.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Route {
    path: String,
    parameters: Vec<(String, String)>,
}

impl Route {
    fn new(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut parameters = parameters(query);
        parameters.sort_unstable();
        Self {
            path: path.to_owned(),
            parameters,
        }
    }

    fn fits(&self, path: &str, asked: &[(String, String)]) -> bool {
        self.path == path && self.parameters.iter().all(|parameter| asked.contains(parameter))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Answer, Source, http};

    #[test]
    fn the_route_with_the_most_parameters_answers() {
        let source = Source::http();
        source.route("/devel/ubuntu", Answer::ok("ubuntu"));
        source.route("/devel/ubuntu?ws.op=uploads", Answer::ok("uploads"));
        source.route(
            "/devel/ubuntu?status=New&ws.op=uploads",
            Answer::ok("new uploads"),
        );
        let asked = |target: &str| http::get(&source.url(target)).text().to_owned();
        assert_eq!(asked("/devel/ubuntu"), "ubuntu");
        assert_eq!(asked("/devel/ubuntu?ws.size=300"), "ubuntu");
        assert_eq!(asked("/devel/ubuntu?ws.op=uploads"), "uploads");
        assert_eq!(asked("/devel/ubuntu?ws.op=uploads&status=Old"), "uploads");
        assert_eq!(asked("/devel/ubuntu?ws.op=uploads&status=New"), "new uploads");
        assert_eq!(asked("/devel/ubuntu?ws%2Eop=uploads&status=%4Eew"), "new uploads");
        assert_eq!(http::get(&source.url("/devel")).status, 404);
    }

    #[test]
    fn gives_the_range_that_was_asked_for() {
        let source = Source::http();
        source.route("/log", Answer::ok("0123456789").by_range());
        let asked = |range: &str| {
            let answer = http::Request::get(&source.url("/log"))
                .header("Range", range)
                .send()
                .unwrap();
            let at = answer.header("content-range").unwrap_or_default().to_owned();
            (answer.status, at, answer.text().to_owned())
        };
        let partial = |at: &str, text: &str| (206, at.to_owned(), text.to_owned());
        assert_eq!(asked("bytes=-3"), partial("bytes 7-9/10", "789"));
        assert_eq!(asked("bytes=-2048"), partial("bytes 0-9/10", "0123456789"));
        assert_eq!(asked("bytes=8-"), partial("bytes 8-9/10", "89"));
        assert_eq!(asked("bytes=2-3"), partial("bytes 2-3/10", "23"));
        assert_eq!(asked("bytes=10-").0, 416);
        assert_eq!(http::get(&source.url("/log")).status, 200);
        source.route("/log", Answer::ok("").by_range());
        assert_eq!(asked("bytes=-3"), (416, "bytes */0".to_owned(), String::new()));
    }
}
