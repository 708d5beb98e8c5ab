//! A OneFS cluster that is not there: its platform API over HTTPS or plain HTTP, for a client to be tested against.
//!
//! What it is: sessions with cookie, token, end and password; basic authentication; the cluster's name; statistics keys
//! with their descriptions and intervals (the [stock ones](stock_keys), and any other name); current values of so many
//! nodes; the three summaries. Every value is a pure function of key, node and time ([`value`]), so that a test can reckon
//! each point. What goes wrong is in [`Behaviour`], and an [`Answer`] can take any page's place.
//!
//! What it is not: a model of OneFS. It plays what a client sees, as far as is known from the API's own schemas.
//!
//! ```
//! use tidemark_testkit::onefs::{OneFs, Odd, Time};
//! use tidemark_testkit::http;
//!
//! let cluster = OneFs::http("Cl17", 4);
//! cluster.set_time(Time::At(1_800_000_000));
//! cluster.change(|behaviour| {
//!     behaviour.leave(3);
//!     behaviour.odd.insert("node.load.1min".to_owned(), Odd::Null);
//! });
//! let page = cluster.url("/platform/1/statistics/current?key=node.load.1min&devid=all");
//! assert_eq!(http::get(&page).status, 401, "nobody has logged in");
//! assert_eq!(cluster.counts().unauthorized, 1);
//! ```
//!
//! # Load
//! A [`Fleet`] is many clusters of one size in one process, with one set of bodies that are made once for each URL; only
//! the times in them are written anew. The fake must not be what is measured: run it in a process of its own, and tell
//! [`cpu_time`] of it beside the figures. The example `onefs` of this crate is that process.

mod behaviour;
mod fleet;
mod keys;
mod pages;
mod sessions;
#[cfg(test)]
mod tests;
mod time;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::answer::Answer;
use crate::certificates::Identity;
use crate::request::Request;
use crate::serve::{Server, lock};
use crate::source::Routes;
use fleet::Bodies;
use sessions::Sessions;

pub use behaviour::{Behaviour, Odd};
pub use fleet::{Fleet, cpu_time};
pub use keys::{Key, STOCK_GROUPS, Shape, stock_keys};
pub use time::Time;
pub use values::{number, value, whole};

/// Where sessions are made and ended.
const SESSION: &str = "/session/1/session";

/// A cluster on a port of its own; it closes when it is dropped.
pub struct OneFs {
    server: Server,
    shared: Arc<Shared>,
}

/// What a cluster was asked, in numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Requests in all.
    pub requests: usize,
    /// Logins that were accepted.
    pub logins: usize,
    /// Logins that were not: each counts towards a lock-out.
    pub refused_logins: usize,
    /// Sessions that a client has ended.
    pub logouts: usize,
    /// Other requests that were answered 401; with basic authentication each counts towards a lock-out.
    pub unauthorized: usize,
    /// Requests for each path, without the query.
    pub by_path: BTreeMap<String, usize>,
    /// Bytes of all bodies that were made, before compression or faults.
    pub body_bytes: u64,
}

struct Shared {
    behaviour: Mutex<Arc<Behaviour>>,
    time: Mutex<Time>,
    sessions: Mutex<Sessions>,
    counts: Mutex<Counts>,
    /// `None` where they are not kept: there are many.
    requests: Option<Mutex<Vec<Request>>>,
    routes: Mutex<Routes>,
    bodies: Option<Arc<Bodies>>,
}

impl OneFs {
    /// Over plain HTTP: a cluster of that name with so many nodes, numbered from 1.
    pub fn http(name: &str, nodes: usize) -> Self {
        Self::start(None, name, nodes, None)
    }

    /// Over HTTPS, with that certificate.
    pub fn https(identity: &Identity, name: &str, nodes: usize) -> Self {
        Self::start(Some(identity), name, nodes, None)
    }

    fn start(tls: Option<&Identity>, name: &str, nodes: usize, bodies: Option<Arc<Bodies>>) -> Self {
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Arc::new(Behaviour::well(name, nodes))),
            time: Mutex::new(Time::Real),
            sessions: Mutex::default(),
            counts: Mutex::default(),
            requests: bodies.is_none().then(Mutex::default),
            routes: Mutex::default(),
            bodies,
        });
        let theirs = Arc::clone(&shared);
        let handler = move |request: Request| theirs.answer(request);
        Self {
            server: Server::start(tls, Arc::new(handler)),
            shared,
        }
    }

    /// The address as a person writes it: `localhost:PORT`, or `http://localhost:PORT` where it is plain.
    pub fn address(&self) -> String {
        let url = self.server.url("");
        url.strip_prefix("https://").unwrap_or(&url).to_owned()
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Changes how it behaves, from the next request on.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(Arc::make_mut(&mut lock(&self.shared.behaviour)));
    }

    /// How it behaves now.
    pub fn behaviour(&self) -> Behaviour {
        Behaviour::clone(&lock(&self.shared.behaviour))
    }

    /// What time it has from now on.
    pub fn set_time(&self, time: Time) {
        *lock(&self.shared.time) = time;
    }

    /// What a path answers from now on, or a path with parameters (`/path?name=value`), to whoever asks.
    pub fn answer(&self, path: &str, answer: Answer) {
        lock(&self.shared.routes).set(path, answer);
    }

    /// What was said with [`answer`](Self::answer) holds no more.
    pub fn answer_as_usual(&self) {
        *lock(&self.shared.routes) = Routes::default();
    }

    /// Ends all sessions, as a cluster that was started anew does.
    pub fn end_sessions(&self) {
        lock(&self.shared.sessions).end();
    }

    /// How many sessions have not ended.
    pub fn open_sessions(&self) -> usize {
        let now = self.shared.now(&self.behaviour());
        lock(&self.shared.sessions).open(now)
    }

    /// Shows another certificate: connections end, and new ones meet it.
    pub fn present(&self, identity: &Identity) {
        self.server.present(identity);
    }

    /// Ends every connection and refuses new ones.
    pub fn close(&self) {
        self.server.close();
    }

    /// Listens again, on the same port.
    pub fn reopen(&self) {
        self.server.reopen();
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.server.accepted()
    }

    /// What it was asked so far, in numbers.
    pub fn counts(&self) -> Counts {
        lock(&self.shared.counts).clone()
    }

    /// Every request so far, in the order of arrival; none of a [`Fleet`]'s.
    pub fn requests(&self) -> Vec<Request> {
        let requests = self.shared.requests.as_ref();
        requests
            .map(|requests| lock(requests).clone())
            .unwrap_or_default()
    }

    /// What `stats` holds of that key when it is asked at that time (s).
    pub fn items(&self, key: &str, now: i64) -> Vec<Value> {
        pages::items(key, &self.behaviour(), now)
    }
}

impl Shared {
    fn now(&self, behaviour: &Behaviour) -> i64 {
        lock(&self.time).now().saturating_add(behaviour.clock_ahead)
    }

    fn answer(&self, request: Request) -> Answer {
        let (behaviour, refuse) = self.behaviour(&request);
        let now = self.now(&behaviour);
        {
            let mut counts = lock(&self.counts);
            counts.requests += 1;
            match counts.by_path.get_mut(&request.path) {
                Some(count) => *count += 1,
                None => {
                    counts.by_path.insert(request.path.clone(), 1);
                }
            }
        }
        let recorded = lock(&self.routes).answer(&request);
        let answer = match recorded {
            Some(answer) => answer,
            None => self.usual(&request, &behaviour, refuse, now),
        };
        if let Some(requests) = &self.requests {
            lock(requests).push(request);
        }
        let answer = if behaviour.delay.is_zero() {
            answer
        } else {
            answer.after(behaviour.delay)
        };
        match (behaviour.cut, behaviour.drip) {
            (Some(bytes), _) => answer.cut_after(bytes),
            (None, Some(pause)) => answer.drip(pause),
            (None, None) => answer,
        }
    }

    /// How it behaves, and whether this request is one of those that are refused.
    fn behaviour(&self, request: &Request) -> (Arc<Behaviour>, bool) {
        let mut behaviour = lock(&self.behaviour);
        let refuse = behaviour.refuse > 0 && request.path != SESSION;
        if refuse {
            Arc::make_mut(&mut behaviour).refuse -= 1;
        }
        (Arc::clone(&behaviour), refuse)
    }

    fn usual(&self, request: &Request, behaviour: &Behaviour, refuse: bool, now: i64) -> Answer {
        if let Some((status, retry_after)) = &behaviour.busy {
            let answer = Answer::new(*status).body("busy");
            return match retry_after {
                Some(wait) => answer.header("Retry-After", wait),
                None => answer,
            };
        }
        if behaviour.html {
            let page = "<!DOCTYPE html>\n<html><body>Please log in.</body></html>\n";
            return Answer::ok(page).header("Content-Type", "text/html");
        }
        if request.path == SESSION {
            return self.session(request, behaviour, now);
        }
        let known = lock(&self.sessions).knows(request, now);
        if refuse || !(known || behaviour.basic && sessions::has_password(request, behaviour)) {
            lock(&self.counts).unauthorized += 1;
            let body = r#"{"errors": [{"code": "AEC_UNAUTHORIZED", "message": "Please log in."}]}"#;
            return Answer::new(401)
                .header("Content-Type", "application/json")
                .body(body);
        }
        if behaviour.forbidden {
            let body = r#"{"errors": [{"code": "AEC_FORBIDDEN", "message": "Privilege check failed."}]}"#;
            return Answer::new(403)
                .header("Content-Type", "application/json")
                .body(body);
        }
        if request.method != "GET" {
            return Answer::new(405);
        }
        let replacement = lock(&self.sessions).replacement(request, behaviour, now);
        let answer = self.page(request, behaviour, now);
        match replacement {
            Some(cookie) => answer.header("Set-Cookie", &cookie),
            None => answer,
        }
    }

    fn session(&self, request: &Request, behaviour: &Behaviour, now: i64) -> Answer {
        let mut sessions = lock(&self.sessions);
        let mut counts = lock(&self.counts);
        match request.method.as_str() {
            "POST" => {
                let (answer, accepted) = sessions.log_in(request, behaviour, now);
                if accepted {
                    counts.logins += 1;
                } else {
                    counts.refused_logins += 1;
                }
                answer
            }
            "DELETE" if sessions.log_out(request, now) => {
                counts.logouts += 1;
                Answer::new(204)
            }
            "DELETE" => Answer::new(401),
            _ => Answer::new(405),
        }
    }

    fn page(&self, request: &Request, behaviour: &Behaviour, now: i64) -> Answer {
        let of_values = request.path == pages::CURRENT || request.path.starts_with(pages::SUMMARY);
        let body = match &self.bodies {
            Some(bodies) if of_values => bodies.body(request, behaviour, now),
            _ => match pages::page(request, behaviour, now) {
                Some(Ok(page)) => Some(page.to_string().into_bytes()),
                Some(Err(answer)) => return answer,
                None => None,
            },
        };
        let Some(mut body) = body else {
            return pages::no_such(&request.path);
        };
        lock(&self.counts).body_bytes += body.len() as u64;
        if let Some(bytes) = behaviour.truncate.filter(|_| of_values) {
            body.truncate(bytes);
        }
        Answer::ok(body).header("Content-Type", "application/json")
    }
}
