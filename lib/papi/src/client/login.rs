//! Sessions: one login at a time, renewed before its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tidemark_collect::Timestamp;
use tidemark_collect::http::{Headers, Request, Response};
use zeroize::Zeroizing;

use super::Cluster;
use super::answer::Purpose;
use super::scrub;
use crate::{Address, ApiError, ApiErrorKind, decode};

/// Where sessions are made and ended.
const SESSION: &str = "/session/1/session";
/// How long a session lasts where the cluster does not say.
const TIMEOUT_ABSOLUTE: Duration = Duration::from_hours(4);
/// The longest that a session is believed to last.
const LONGEST: Duration = Duration::from_hours(24 * 30);
/// How long before its end a session is renewed, where it lasts long enough.
const MARGIN: Duration = Duration::from_mins(1);
/// No session is renewed earlier, however short it lasts.
const SHORTEST: Duration = Duration::from_secs(10);
/// The most logins in a [`WINDOW`] of which one may follow on a session that is refused: nodes that refuse each other's
/// sessions would have one login after the other.
const MOST_LOGINS: usize = 4;
const WINDOW: Duration = Duration::from_mins(1);
/// The time to end a session.
const LOG_OUT: Duration = Duration::from_secs(1);
/// The cookie that is the session, and the one that goes back as a header.
const COOKIE: &str = "isisessid";
const CSRF: &str = "isicsrf";
/// The type of all answers.
const ACCEPT: &str = "application/json";
/// The longest value of a cookie.
const LONGEST_COOKIE: usize = 4096;

/// The session that is in use.
#[derive(Default)]
pub(super) struct Login {
    pub(super) session: Option<Arc<Session>>,
    /// How many there have been.
    number: u64,
    /// When the last [`MOST_LOGINS`] were.
    recent: VecDeque<Timestamp>,
}

/// What a login gave.
pub(super) struct Session {
    id: Zeroizing<String>,
    csrf: Option<Zeroizing<String>>,
    /// What its requests have.
    headers: Headers,
    made: Timestamp,
    lasts: Duration,
    /// A request of it has succeeded, be it with an older cookie.
    served: Arc<AtomicBool>,
    /// Which one of this cluster's it is.
    pub(super) number: u64,
}

/// What a login says.
#[derive(Serialize)]
struct Credentials<'a> {
    username: &'a str,
    password: &'a str,
    services: [&'a str; 1],
}

impl Session {
    /// The session of an answer to a login; `None` where there is no cookie.
    fn read(response: &Response, address: &Address, now: Timestamp, number: u64) -> Option<Self> {
        let said = decode::session(response.body()).ok();
        let lasts = said.and_then(|session| session.timeout_absolute);
        let (id, csrf) = (cookie_of(response, COOKIE)?, cookie_of(response, CSRF));
        Some(Self {
            headers: headers(&id, csrf.as_ref().map(|csrf| csrf.as_str()), address),
            id,
            csrf,
            made: now,
            lasts: lasts
                .filter(|lasts| !lasts.is_zero())
                .unwrap_or(TIMEOUT_ABSOLUTE)
                .min(LONGEST),
            served: Arc::default(),
            number,
        })
    }

    /// The same session with the cookie that an answer gives in place of the one it had: since OneFS 9.3, one lives 15
    /// minutes. The end of the whole stays where it is.
    fn replaced(&self, response: &Response, address: &Address) -> Option<Self> {
        let id = cookie_of(response, COOKIE).filter(|id| *id != self.id)?;
        let csrf = cookie_of(response, CSRF).or_else(|| self.csrf.clone());
        Some(Self {
            headers: headers(&id, csrf.as_ref().map(|csrf| csrf.as_str()), address),
            id,
            csrf,
            made: self.made,
            lasts: self.lasts,
            served: Arc::clone(&self.served),
            number: self.number,
        })
    }

    /// How old it is; a clock that was set back makes it as old as it can be.
    fn age(&self, now: Timestamp) -> Duration {
        u64::try_from(now.since(self.made)).map_or(Duration::MAX, Duration::from_nanos)
    }

    /// A request of it has succeeded.
    pub(super) fn serves(&self) {
        self.served.store(true, Ordering::Release);
    }

    /// Whether a request of it has succeeded. Where none has, there is no use in another one.
    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Acquire)
    }

    /// Whether it is time for another.
    fn is_due(&self, now: Timestamp) -> bool {
        let margin = MARGIN.min(self.lasts / 4);
        self.age(now) >= (self.lasts - margin).max(SHORTEST)
    }

    /// A request of this session's; it has no headers yet.
    pub(super) fn sign(&self, request: Request) -> Request {
        request.headers(&self.headers)
    }

    /// What must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let csrf = self.csrf.iter().map(|csrf| csrf.as_str());
        csrf.chain([self.id.as_str()])
    }

    #[cfg(test)]
    pub(super) fn for_test(id: &str, csrf: Option<&str>) -> Self {
        Self {
            id: Zeroizing::new(id.to_owned()),
            csrf: csrf.map(|csrf| Zeroizing::new(csrf.to_owned())),
            headers: Headers::default(),
            made: Timestamp::EPOCH,
            lasts: TIMEOUT_ABSOLUTE,
            served: Arc::default(),
            number: 1,
        }
    }
}

/// What the requests of a session have.
fn headers(id: &str, csrf: Option<&str>, address: &Address) -> Headers {
    let accepting = Headers::default().with("accept", ACCEPT);
    let mut cookies = Zeroizing::new(format!("{COOKIE}={id}"));
    let Some(csrf) = csrf else {
        return accepting.with("cookie", &cookies);
    };
    cookies.push_str(&format!("; {CSRF}={csrf}"));
    accepting
        .with("cookie", &cookies)
        .with("x-csrf-token", csrf)
        .with("referer", address.base())
}

/// The value of a cookie that an answer sets.
fn cookie_of(response: &Response, name: &str) -> Option<Zeroizing<String>> {
    let values = response.header_values("set-cookie");
    let value = values.filter_map(|value| cookie(value, name)).last()?;
    Some(Zeroizing::new(value.to_owned()))
}

/// The value of that cookie, where this is it.
fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = header.split(';').next()?.split_once('=')?;
    let value = value.trim();
    let sendable = value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    (found.trim() == name && !value.is_empty() && value.len() <= LONGEST_COOKIE && sendable).then_some(value)
}

impl Cluster {
    /// The session in use; a new one where there is none, where its end is near, and in place of the one of that
    /// number, which was refused.
    pub(super) async fn session(
        &self,
        refused: Option<u64>,
        step: &mut u64,
    ) -> Result<Arc<Session>, ApiError> {
        let mut login = self.login.lock().await;
        // While this waited, another's login may have failed.
        *step = self.may_ask()?;
        let now = self.clock.now();
        if let Some(session) = &login.session
            && refused != Some(session.number)
            && !session.is_due(now)
        {
            return Ok(Arc::clone(session));
        }
        login.session = None;
        // The failure is known before the next one may try.
        let session = self
            .log_in(login.number + 1)
            .await
            .map_err(|error| self.failed(*step, Purpose::Login, error))?;
        let session = Arc::new(session);
        login.number = session.number;
        login.recent.push_back(now);
        if login.recent.len() > MOST_LOGINS {
            login.recent.pop_front();
        }
        login.session = Some(Arc::clone(&session));
        tracing::debug!(cluster = %self.address(), session = session.number, "logged in");
        Ok(session)
    }

    /// Whether another may follow on this one, which was refused: not where there were many within a short time. Where
    /// another has followed already, there is no need of a login.
    pub(super) async fn may_renew(&self, session: &Session) -> bool {
        let login = self.login.lock().await;
        let now = self.clock.now().nanos();
        let is_recent = |at: &&Timestamp| Duration::from_nanos(at.nanos().abs_diff(now)) < WINDOW;
        let is_used = |used: &Arc<Session>| used.number == session.number;
        !login.session.as_ref().is_some_and(is_used)
            || login.recent.iter().filter(is_recent).count() < MOST_LOGINS
    }

    /// Goes on with the cookie that an answer gives, if it does.
    pub(super) fn replace(&self, session: &Session, response: &Response) {
        let Some(replaced) = session.replaced(response, self.address()) else {
            return;
        };
        // Whoever holds it has, or will have, a newer one; the next answer gives another.
        let Ok(mut login) = self.login.try_lock() else {
            return;
        };
        if login
            .session
            .as_ref()
            .is_some_and(|used| used.number == session.number)
        {
            login.session = Some(Arc::new(replaced));
        }
    }

    /// It is not used again.
    pub(super) async fn discard(&self, session: &Session) {
        let mut login = self.login.lock().await;
        if login
            .session
            .as_ref()
            .is_some_and(|used| used.number == session.number)
        {
            login.session = None;
        }
    }

    async fn log_in(&self, number: u64) -> Result<Session, ApiError> {
        let url = self.address().url(SESSION);
        let credentials = Credentials {
            username: &self.options.username,
            password: self.options.password.expose(),
            services: ["platform"],
        };
        let body = serde_json::to_vec(&credentials).unwrap_or_default();
        let answer = self
            .http
            .post(&url)
            .body("application/json", body)
            .header("accept", ACCEPT)
            .header("referer", self.address().base())
            .max_bytes(Purpose::Login.max_bytes())
            .timeout(self.options.timeout)
            .without_redirects()
            .response()
            .await
            .map_err(|error| ApiError::http(&url, error))?;
        let session = Session::read(&answer, self.address(), self.clock.now(), number);
        if answer.status() == 401 {
            let kind = ApiErrorKind::Password {
                username: self.options.username.clone(),
                said: self.said(&answer, session.as_ref()),
            };
            return Err(ApiError::new(&url, kind));
        }
        self.judge(Purpose::Login, &url, answer, session.as_ref())?;
        session.ok_or_else(|| ApiError::new(&url, ApiErrorKind::NoSession))
    }

    /// Ends a session on the cluster.
    pub(super) async fn log_out(&self, session: &Session) {
        let url = self.address().url(SESSION);
        let request = session
            .sign(self.http.delete(&url))
            .max_bytes(Purpose::Login.max_bytes())
            .timeout(LOG_OUT.min(self.options.timeout))
            .without_redirects();
        match request.response().await {
            Ok(answer) => tracing::debug!(cluster = %self.address(), status = answer.status(), "logged out"),
            Err(error) => {
                tracing::debug!(cluster = %self.address(), %error, "the session is left to end by itself");
            }
        }
    }

    /// A request with user and password in it.
    pub(super) fn sign_with_password(&self, request: Request) -> Request {
        let pair = Zeroizing::new(scrub::basic(
            &self.options.username,
            self.options.password.expose(),
        ));
        request
            .header("accept", ACCEPT)
            .header("authorization", &Zeroizing::new(format!("Basic {}", *pair)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(seconds: u64) -> Session {
        Session {
            lasts: Duration::from_secs(seconds),
            ..Session::for_test("x", None)
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds).unwrap()
    }

    #[test]
    fn a_session_is_renewed_a_minute_before_its_end() {
        for (lasts, due) in [
            (14_400, 14_340),
            (600, 540),
            (240, 180),
            (60, 45),
            (12, 10),
            (1, 10),
        ] {
            let session = lasting(lasts);
            assert!(!session.is_due(at(due - 1)), "{lasts}");
            assert!(session.is_due(at(due)), "{lasts}");
        }
        assert!(lasting(14_400).is_due(at(-1)), "the clock was set back");
    }

    #[test]
    fn cookies_are_read_as_servers_write_them() {
        for (header, expected) in [
            ("isisessid=abc.def-1; path=/; HttpOnly; Secure", Some("abc.def-1")),
            ("isisessid=abc", Some("abc")),
            (" isisessid = abc== ;Secure", Some("abc==")),
            ("isisessid=; expires=Thu, 01 Jan 1970 00:00:00 GMT", None),
            ("isicsrf=abc", None),
            ("isisessidx=abc", None),
            ("path=/; isisessid=abc", None),
            ("isisessid", None),
            ("isisessid=a b", None),
            ("", None),
        ] {
            assert_eq!(cookie(header, COOKIE), expected, "{header}");
        }
        let long = format!("isisessid={}", "x".repeat(LONGEST_COOKIE + 1));
        assert_eq!(cookie(&long, COOKIE), None);
    }
}
