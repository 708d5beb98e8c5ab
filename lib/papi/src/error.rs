use std::error::Error;
use std::fmt;
use std::time::Duration;

use tidemark_collect::Timestamp;
use tidemark_collect::http::{HttpError, HttpErrorKind, Url};

use crate::Trouble;
use crate::decode::DecodeError;

/// Why a cluster has no useful answer. Its text names the address without its query, and the cluster's alone where it was no
/// matter what was asked, so that such a failure reads the same of all that is asked in turn; no secret is in it.
#[derive(Debug)]
pub struct ApiError {
    /// Without its query; without its path too where that was no matter.
    url: String,
    // Boxed: errors are rare, results are not.
    kind: Box<ApiErrorKind>,
    trouble: Option<Trouble>,
    rests_until: Option<Timestamp>,
    retry_after: Option<Duration>,
}

/// What went wrong with a request to a cluster.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// No whole answer came: no connection, no TLS, too slow, too long, broken off.
    Http(HttpError),
    /// User or password are refused: 401 to a login, or to basic authentication.
    Password {
        /// The user.
        username: String,
        /// What the cluster says.
        said: String,
    },
    /// A session was refused (401) before any request of it succeeded, or one after the other was.
    SessionRefused {
        /// The user.
        username: String,
        /// What the cluster says.
        said: String,
    },
    /// A login was answered without the cookie that is a session.
    NoSession,
    /// 403: the user may not ask for this.
    Forbidden {
        /// The user.
        username: String,
        /// What the cluster says.
        said: String,
    },
    /// There is no such thing: a key or a summary that this version does not have.
    NotFound {
        /// What the cluster says.
        said: String,
    },
    /// The cluster cannot answer now: 429, 502, 503, 504.
    Busy {
        /// The status.
        status: u16,
        /// What the cluster says.
        said: String,
    },
    /// It answered that it will not: another status, or a list of errors in place of what was asked for.
    Refused {
        /// The status.
        status: u16,
        /// What the cluster says.
        said: String,
    },
    /// A redirect, which is not followed: it would take the session along.
    Redirect {
        /// The status.
        status: u16,
        /// Where to, without its query.
        to: String,
    },
    /// A page for people in place of JSON.
    Html {
        /// The status.
        status: u16,
    },
    /// A body of 0 bytes.
    Empty {
        /// The status.
        status: u16,
    },
    /// Something else than what the API answers.
    NotOneFs {
        /// The status.
        status: u16,
    },
    /// JSON that breaks off, or is not of the form that was due.
    Unreadable {
        /// What cannot be read.
        cause: DecodeError,
        /// The length of the body.
        bytes: usize,
    },
    /// It failed before, and rests. The text is that of the failure.
    Resting {
        /// The failure.
        said: String,
    },
}

impl ApiError {
    pub(crate) fn new(url: &Url, kind: ApiErrorKind) -> Self {
        let url = match is_of_the_way(&kind) {
            true => shown(&root(url)),
            false => shown(url),
        };
        Self {
            url,
            trouble: trouble(&kind),
            kind: Box::new(kind),
            rests_until: None,
            retry_after: None,
        }
    }

    pub(crate) fn http(url: &Url, error: HttpError) -> Self {
        Self::new(url, ApiErrorKind::Http(error))
    }

    /// What is left of the API's own word on it.
    pub(crate) fn resting(said: String, trouble: Option<Trouble>, until: Timestamp) -> Self {
        Self {
            url: String::new(),
            kind: Box::new(ApiErrorKind::Resting { said }),
            trouble,
            rests_until: Some(until),
            retry_after: None,
        }
    }

    pub(crate) fn of(mut self, trouble: Option<Trouble>) -> Self {
        self.trouble = trouble;
        self
    }

    pub(crate) fn until(mut self, until: Option<Timestamp>) -> Self {
        self.rests_until = until;
        self
    }

    pub(crate) fn asked_to_wait(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ApiErrorKind {
        &self.kind
    }

    /// The address, without its query; the cluster's alone where it was no matter what was asked; empty where it rests.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the cluster rests for; `None` where this request alone is at fault and others may do better.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Until when the cluster is asked nothing; where there is no [`trouble`](Self::trouble), until when it is not asked
    /// for the same summary.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.rests_until
    }

    /// How long the answer asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether nothing was asked, since the cluster, or this summary of it, rests after a failure.
    pub fn is_resting(&self) -> bool {
        matches!(*self.kind, ApiErrorKind::Resting { .. })
    }

    /// Whether nothing came at all.
    pub(crate) fn is_silence(&self) -> bool {
        match &*self.kind {
            ApiErrorKind::Http(error) => matches!(
                error.kind(),
                HttpErrorKind::Connect
                    | HttpErrorKind::NoAnswer
                    | HttpErrorKind::Timeout { received: None, .. }
            ),
            _ => false,
        }
    }

    /// Whether an answer is longer than its bound.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(&*self.kind, ApiErrorKind::Http(error) if matches!(error.kind(), HttpErrorKind::TooLarge { .. }))
    }

    /// Whether an answer is longer than its bound, or than there was time for.
    pub(crate) fn is_too_much(&self) -> bool {
        let is_slow = |error: &HttpError| {
            matches!(
                error.kind(),
                HttpErrorKind::Timeout {
                    received: Some(_),
                    ..
                }
            )
        };
        self.is_too_large() || matches!(&*self.kind, ApiErrorKind::Http(error) if is_slow(error))
    }

    /// Whether the cluster says that it has no such key, or no such summary.
    pub fn is_not_found(&self) -> bool {
        matches!(*self.kind, ApiErrorKind::NotFound { .. })
    }
}

/// The address without its query, which is long and tells nothing.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    tidemark_collect::http::redacted(&url)
}

/// Whether the way to the cluster, or the login, is at fault, whatever is asked.
fn is_of_the_way(kind: &ApiErrorKind) -> bool {
    match kind {
        ApiErrorKind::Http(error) => matches!(error.kind(), HttpErrorKind::Connect | HttpErrorKind::Tls(_)),
        ApiErrorKind::SessionRefused { .. } => true,
        _ => false,
    }
}

fn root(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_path("/");
    url
}

/// What a cluster rests for.
fn trouble(kind: &ApiErrorKind) -> Option<Trouble> {
    match kind {
        ApiErrorKind::Http(error) => match error.kind() {
            HttpErrorKind::Tls(_) | HttpErrorKind::Client(_) => Some(Trouble::Certificate),
            // All of what is too long comes over the network again each time.
            HttpErrorKind::Encoding(_) | HttpErrorKind::TooLarge { .. } => Some(Trouble::NotOneFs),
            HttpErrorKind::Request(_) => None,
            _ => Some(Trouble::Passing),
        },
        ApiErrorKind::Password { .. } => Some(Trouble::Credentials),
        ApiErrorKind::SessionRefused { .. } => Some(Trouble::Session),
        ApiErrorKind::NoSession
        | ApiErrorKind::Redirect { .. }
        | ApiErrorKind::Html { .. }
        | ApiErrorKind::NotOneFs { .. } => Some(Trouble::NotOneFs),
        ApiErrorKind::Busy { .. } | ApiErrorKind::Empty { .. } => Some(Trouble::Passing),
        ApiErrorKind::Refused { status, .. } if *status >= 500 => Some(Trouble::Passing),
        ApiErrorKind::Forbidden { .. }
        | ApiErrorKind::NotFound { .. }
        | ApiErrorKind::Refused { .. }
        | ApiErrorKind::Unreadable { .. }
        | ApiErrorKind::Resting { .. } => None,
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.url.is_empty() {
            write!(f, "{}: ", self.url)?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for ApiErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => match error.kind() {
                kind @ HttpErrorKind::Connect => write!(
                    f,
                    "{kind}; check the address, and that the cluster is up and its port open from here"
                ),
                kind @ HttpErrorKind::Timeout { .. } => write!(f, "{kind}; the cluster is overloaded or the way to it is"),
                kind => kind.fmt(f),
            },
            Self::Password { username, said } => {
                write!(f, "user `{username}` or the password is refused (401)")?;
                write_said(f, said)?;
                f.write_str(
                    "; set the right password and reload. It is not tried again for long, so that the account is not locked",
                )
            }
            Self::SessionRefused { username, said } => {
                write!(f, "the session that user `{username}` was just given is refused (401)")?;
                write_said(f, said)?;
                f.write_str(
                    "; where the name stands for many nodes, name one that keeps its address, or set authtype = \"basic-auth\"",
                )
            }
            Self::NoSession => f.write_str(
                "a login was answered without the cookie `isisessid`; is this the address of a OneFS cluster?",
            ),
            Self::Forbidden { username, said } => {
                write!(f, "user `{username}` may not ask for this (403)")?;
                write_said(f, said)?;
                f.write_str("; give the user's role ISI_PRIV_LOGIN_PAPI and ISI_PRIV_STATISTICS, to read")
            }
            Self::NotFound { said } => {
                f.write_str("this cluster does not have it (404)")?;
                write_said(f, said)
            }
            Self::Busy { status, said } => {
                write!(f, "the cluster cannot answer now ({status})")?;
                write_said(f, said)
            }
            Self::Refused { status, said } => {
                write!(f, "the cluster refuses the request ({status})")?;
                write_said(f, said)
            }
            Self::Redirect { status, to } => {
                write!(
                    f,
                    "redirects ({status}) to {to}, which is not followed; set that address if it is the cluster's"
                )
            }
            Self::Html { status } => write!(
                f,
                "answered {status} with an HTML page where JSON was due; is the address right, and the port that of the API?"
            ),
            Self::Empty { status } => write!(f, "answered {status} with an empty body (0 bytes)"),
            Self::NotOneFs { status } => write!(
                f,
                "answered {status} with something else than JSON; is this the address of a OneFS cluster?"
            ),
            Self::Unreadable { bytes, .. } => {
                write!(f, "not all of the answer's {bytes} bytes can be read")
            }
            Self::Resting { said } => f.write_str(said),
        }
    }
}

fn write_said(f: &mut fmt::Formatter<'_>, said: &str) -> fmt::Result {
    if said.is_empty() {
        Ok(())
    } else {
        write!(f, ": it says `{said}`")
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.kind {
            // Its own text is in ours.
            ApiErrorKind::Http(error) => error.source(),
            ApiErrorKind::Unreadable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
