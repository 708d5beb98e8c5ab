use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::time::Duration;

use chrono::DateTime;
use hyper_util::client::legacy;
use reqwest::header::HeaderValue;
use tidemark_point::Timestamp;
use url::Url;

use super::tls_error;

/// Why a request has no useful answer. Its text names the address, without credentials and without the values in
/// its query.
#[derive(Debug)]
pub struct HttpError {
    /// Redacted; empty where no client could be made.
    url: String,
    // Boxed: errors are rare, results are not.
    kind: Box<HttpErrorKind>,
    cause: Option<Cause>,
    /// The answer's `Retry-After`, as it was sent.
    retry_after: Option<Box<str>>,
}

/// What went wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// No client can be made of these options.
    Client(String),
    /// The request itself cannot be sent: not an http address, a header with a newline.
    Request(String),
    /// No connection: name not found, refused, unreachable.
    Connect,
    /// No secure connection; the text says what to do.
    Tls(String),
    /// Connected, but the connection ended, or something else than HTTP came.
    NoAnswer,
    /// The time was over.
    Timeout {
        /// The time that the request had.
        after: Duration,
        /// Bytes of the body received by then; `None` where not even the headers came.
        received: Option<u64>,
    },
    /// More redirects than are followed.
    TooManyRedirects,
    /// A redirect to an address that it came from.
    RedirectLoop {
        /// Where to, redacted.
        to: String,
    },
    /// A redirect from https to another scheme.
    RedirectToPlain {
        /// Where to, redacted.
        to: String,
    },
    /// Another status than 2xx.
    Status {
        /// The status.
        status: u16,
        /// The `Content-Type`, where it was sent.
        content_type: Option<String>,
        /// The first characters of the body, on one line.
        excerpt: String,
    },
    /// The body is longer than the bound.
    TooLarge {
        /// The bound in bytes, after decompression.
        limit: u64,
    },
    /// A body of 0 bytes.
    Empty {
        /// The status.
        status: u16,
    },
    /// A `Content-Encoding` that was not asked for.
    Encoding(String),
    /// The body ended early, or is not the gzip that it is said to be.
    Body {
        /// Bytes received before, after decompression.
        received: u64,
    },
    /// The body is not UTF-8.
    NotText {
        /// Offset in bytes of the first byte that is not.
        at: usize,
        /// The `Content-Type`, where it was sent.
        content_type: Option<String>,
    },
    /// The body is not JSON, or not of the form that was expected.
    NotJson {
        /// The status.
        status: u16,
        /// The `Content-Type`, where it was sent.
        content_type: Option<String>,
        /// Whether it is a page for people.
        html: bool,
        /// The first characters of the body, on one line.
        excerpt: String,
    },
}

#[derive(Debug)]
enum Cause {
    Reqwest(reqwest::Error),
    // As long as all of the others.
    Hyper(Box<legacy::Error>),
    Json(serde_json::Error),
    Io(io::Error),
}

impl HttpError {
    pub(super) fn new(url: &Url, kind: HttpErrorKind) -> Self {
        Self {
            url: redacted(url),
            kind: Box::new(kind),
            cause: None,
            retry_after: None,
        }
    }

    /// At the address that the one asked for led to.
    pub(super) fn at(url: &Url, led_to: Option<&Url>, kind: HttpErrorKind) -> Self {
        let mut error = Self::new(url, kind);
        if let Some(led_to) = led_to.filter(|led_to| differ(led_to, url)) {
            error
                .url
                .push_str(&format!(" (redirected to {})", redacted(led_to)));
        }
        error
    }

    pub(super) fn client(message: impl Display) -> Self {
        Self {
            url: String::new(),
            kind: Box::new(HttpErrorKind::Client(message.to_string())),
            cause: None,
            retry_after: None,
        }
    }

    pub(super) fn caused_by_io(mut self, cause: io::Error) -> Self {
        self.cause = Some(Cause::Io(cause));
        self
    }

    pub(super) fn caused_by_json(mut self, cause: serde_json::Error) -> Self {
        self.cause = Some(Cause::Json(cause));
        self
    }

    pub(super) fn caused_by_reqwest(mut self, cause: reqwest::Error) -> Self {
        self.cause = Some(Cause::Reqwest(cause.without_url()));
        self
    }

    pub(super) fn asked_to_wait(mut self, retry_after: Option<HeaderValue>) -> Self {
        self.retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.into()));
        self
    }

    /// What an error of a [`client`](super::client) means: which step failed, and for TLS what to do.
    pub fn explain(url: &Url, error: reqwest::Error) -> Self {
        Self::explain_at(url, None, error)
    }

    /// The same after a redirect.
    pub(super) fn explain_at(url: &Url, led_to: Option<&Url>, error: reqwest::Error) -> Self {
        // Where the connection failed.
        let there = led_to.unwrap_or(url);
        let kind = if let Some(fault) = find::<RedirectFault>(&error) {
            // It names the address itself.
            return Self::new(url, fault.kind());
        } else if let Some(insecure) = insecure(there, &error, error.is_connect()) {
            return Self::at(url, Some(there), insecure);
        } else if error.is_builder() {
            HttpErrorKind::Request("cannot be asked for".to_owned())
        } else if error.is_connect() {
            HttpErrorKind::Connect
        } else if error.is_body() || error.is_decode() {
            HttpErrorKind::Body { received: 0 }
        } else {
            HttpErrorKind::NoAnswer
        };
        Self::at(url, Some(there), kind).caused_by_reqwest(error)
    }

    /// The same of an error of [`Lean`](super::lean::Lean), which no answer began before.
    pub(super) fn unanswered(url: &Url, error: legacy::Error) -> Self {
        if let Some(insecure) = insecure(url, &error, error.is_connect()) {
            return Self::new(url, insecure);
        }
        let kind = match error.is_connect() {
            true => HttpErrorKind::Connect,
            false => HttpErrorKind::NoAnswer,
        };
        Self {
            cause: Some(Cause::Hyper(Box::new(error))),
            ..Self::new(url, kind)
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> &HttpErrorKind {
        &self.kind
    }

    /// The address, without credentials and without the values in its query, and where it was redirected to; empty
    /// where no client could be made.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status, where the answer's status is what is wrong.
    pub fn status(&self) -> Option<u16> {
        match *self.kind {
            HttpErrorKind::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// How long from `now` the answer asks to wait before another try, by its `Retry-After`: seconds, or a date as
    /// RFC 9110 wants it to be written. A date that is past asks for no wait; what is neither asks for nothing.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        wait_asked_for(self.retry_after.as_deref()?, now)
    }
}

/// What a `Retry-After` asks for.
pub(super) fn wait_asked_for(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = Timestamp::try_from(DateTime::parse_from_rfc2822(text).ok()?.to_utc()).ok()?;
    Some(Duration::from_nanos(u64::try_from(date.since(now)).unwrap_or(0)))
}

impl Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.url.is_empty() {
            write!(f, "{}: ", self.url)?;
        }
        self.kind.fmt(f)
    }
}

impl Display for HttpErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(message) | Self::Request(message) | Self::Tls(message) => f.write_str(message),
            Self::Connect => f.write_str("cannot connect"),
            Self::NoAnswer => f.write_str("connected, but no HTTP answer came"),
            Self::Timeout {
                after,
                received: None,
            } => {
                write!(f, "did not answer within {} s", after.as_secs_f64())
            }
            Self::Timeout {
                after,
                received: Some(received),
            } => {
                write!(
                    f,
                    "the answer was not whole within {} s ({received} bytes came)",
                    after.as_secs_f64()
                )
            }
            Self::TooManyRedirects => {
                write!(
                    f,
                    "more than {} redirects; set the address where they lead",
                    super::REDIRECT_LIMIT
                )
            }
            Self::RedirectLoop { to } => write!(f, "redirects in a circle, back to {to}"),
            Self::RedirectToPlain { to } => {
                write!(
                    f,
                    "redirects from https to {to}, which is not followed; set that address if it is right"
                )
            }
            Self::Status {
                status,
                content_type,
                excerpt,
            } => {
                write!(f, "answered {status}")?;
                if let Some(reason) = reason(*status) {
                    write!(f, " {reason}")?;
                }
                write_type(f, content_type.as_deref())?;
                write_excerpt(f, excerpt)
            }
            Self::TooLarge { limit } => {
                write!(f, "the body is longer than {limit} bytes, the most that is read")
            }
            Self::Empty { status } => write!(f, "answered {status} with an empty body (0 bytes)"),
            Self::Encoding(encoding) => {
                write!(f, "the body is encoded as `{encoding}`, which was not asked for")?;
                // Not all requests ask even for that.
                if encoding == "gzip" {
                    return Ok(());
                }
                f.write_str("; only gzip is read")
            }
            Self::Body { received } => {
                write!(
                    f,
                    "the body broke off or is damaged ({received} bytes were whole)"
                )
            }
            Self::NotText { at, content_type } => {
                write!(f, "the body is not UTF-8 text: the byte at offset {at} cannot be")?;
                write_type(f, content_type.as_deref())
            }
            Self::NotJson {
                status,
                content_type,
                html: true,
                excerpt,
            } => {
                write!(f, "answered {status} with an HTML page where JSON was due")?;
                write_type(f, content_type.as_deref())?;
                write_excerpt(f, excerpt)?;
                f.write_str("; is the address right, or is this a login page?")
            }
            Self::NotJson {
                status,
                content_type,
                html: false,
                excerpt,
            } => {
                write!(
                    f,
                    "answered {status} with something else than the JSON that was due"
                )?;
                write_type(f, content_type.as_deref())?;
                write_excerpt(f, excerpt)
            }
        }
    }
}

fn reason(status: u16) -> Option<&'static str> {
    reqwest::StatusCode::from_u16(status).ok()?.canonical_reason()
}

fn write_type(f: &mut fmt::Formatter<'_>, content_type: Option<&str>) -> fmt::Result {
    content_type.map_or(Ok(()), |content_type| write!(f, " ({content_type})"))
}

fn write_excerpt(f: &mut fmt::Formatter<'_>, excerpt: &str) -> fmt::Result {
    if excerpt.is_empty() {
        Ok(())
    } else {
        write!(f, "; it begins `{excerpt}`")
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The client's own layers say "error sending request" and the like; the last one says why.
        let mut last: &(dyn Error + 'static) = match self.cause.as_ref()? {
            Cause::Json(cause) => return Some(cause),
            Cause::Io(cause) => return Some(cause),
            Cause::Reqwest(cause) => cause,
            Cause::Hyper(cause) => &**cause,
        };
        while let Some(next) = last.source() {
            last = next;
        }
        Some(last)
    }
}

/// The next error of a chain, also inside of an `io::Error`, which hides what it wraps.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The first error of this type in a chain.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = inner(error);
    }
    None
}

/// Whether these are two addresses, not one with and without credentials.
fn differ(one: &Url, other: &Url) -> bool {
    (one.host(), one.port(), one.scheme(), one.path(), one.query())
        != (
            other.host(),
            other.port(),
            other.scheme(),
            other.path(),
            other.query(),
        )
}

/// Why there is no secure connection, where that is why a request there failed.
fn insecure(there: &Url, error: &(dyn Error + 'static), is_connect: bool) -> Option<HttpErrorKind> {
    if let Some(tls) = find::<rustls::Error>(error) {
        Some(HttpErrorKind::Tls(tls_error::explain(tls, there)))
    } else if is_connect && there.scheme() == "https" && is_cut(error) {
        Some(HttpErrorKind::Tls(tls_error::CLOSED.to_owned()))
    } else {
        None
    }
}

/// Whether the connection ended in the middle of something.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let layers = std::iter::successors(Some(error), |error| inner(*error));
    layers
        .filter_map(|layer| layer.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Why a redirect is not followed.
#[derive(Debug)]
pub(super) enum RedirectFault {
    TooMany,
    Loop { to: String },
    ToPlain { to: String },
}

impl RedirectFault {
    fn kind(&self) -> HttpErrorKind {
        match self {
            Self::TooMany => HttpErrorKind::TooManyRedirects,
            Self::Loop { to } => HttpErrorKind::RedirectLoop { to: to.clone() },
            Self::ToPlain { to } => HttpErrorKind::RedirectToPlain { to: to.clone() },
        }
    }
}

impl Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl Error for RedirectFault {}

/// The address as it may be shown: without user and password, without the fragment, and without the values in its
/// query (tokens are passed there).
pub fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_fragment(None);
    // Both fail on addresses that cannot have any.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    let query = shown.query().map(|query| {
        let keys = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) => format!("{key}=…"),
            None => "…".to_owned(),
        });
        keys.collect::<Vec<_>>().join("&")
    });
    shown.set_query(None);
    match query {
        Some(query) => format!("{shown}?{query}"),
        None => shown.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_secrets() {
        let shown = |url: &str| redacted(&Url::parse(url).unwrap());
        assert_eq!(
            shown("https://u:hunter2@h.example/a?token=hunter2&limit=5#hunter2"),
            "https://h.example/a?token=…&limit=…"
        );
        assert_eq!(shown("https://h.example/a?hunter2"), "https://h.example/a?…");
        assert_eq!(shown("http://h.example:8086/"), "http://h.example:8086/");
    }
}
