//! What an answer means: the one place that decides, without doing anything.

use std::time::Duration;

use serde::Deserialize;
use tidemark_point::Timestamp;

use crate::backoff::retry_after;
use crate::sink::http::Reply;
use crate::words::words;

/// What came of one request to a sink.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The sink has every point.
    Stored,
    /// Some of the points are bad.
    Refused(Refusal),
    /// It was too much at once.
    TooLarge(String),
    /// The sink takes no gzip; the same again without.
    PlainOnly(String),
    /// Not now: all is kept.
    Later(Later),
}

/// Points that a sink refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: Option<u16>,
    /// The server's words.
    pub(crate) reason: String,
    /// Lines that the answer quotes, each with its reason.
    pub(crate) quoted: Vec<(String, String)>,
    /// Lines that the answer names by number within the request, from 0.
    pub(crate) numbered: Vec<u32>,
    /// The field that the answer names: lines that have it are suspect.
    pub(crate) suspect: Option<Suspect>,
}

/// A field that has two types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) measurement: String,
    pub(crate) field: String,
}

/// Why a sink cannot take anything just now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Later {
    pub(crate) status: Option<u16>,
    /// What went wrong, and what to do.
    pub(crate) said: String,
    pub(crate) retry_after: Option<Duration>,
    /// Another batch may fare better: the answer may be due to this one's points.
    pub(crate) may_be_the_batch: bool,
}

impl Later {
    pub(crate) fn new(said: impl Into<String>) -> Self {
        Self {
            status: None,
            said: said.into(),
            retry_after: None,
            may_be_the_batch: false,
        }
    }
}

/// An answer to a write, as far as it matters.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<&'a str>,
    /// Whether InfluxDB's own version header was there.
    pub(crate) is_influxdb: bool,
    /// The body, as much of it as is read.
    pub(crate) body: &'a str,
    /// Whether the request was sent compressed.
    pub(crate) compressed: bool,
}

impl<'a> Answer<'a> {
    pub(crate) fn of(reply: &'a Reply, compressed: bool) -> Self {
        Self {
            status: reply.status,
            retry_after: reply.retry_after(),
            is_influxdb: reply.headers.contains_key(VERSION_HEADER),
            body: &reply.body,
            compressed,
        }
    }
}

/// What InfluxDB 1.x and 2 name themselves with.
const VERSION_HEADER: &str = "x-influxdb-version";

/// The body of an InfluxDB error: `error` in 1.x, `message` in 2.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(alias = "message")]
    error: String,
}

/// What InfluxDB 1.x means by an answer to a write.
pub(crate) fn influxdb(answer: Answer<'_>, now: Timestamp) -> Outcome {
    let parsed = error_message(answer.body);
    let is_influxdb = parsed.is_some() || answer.is_influxdb;
    let message = parsed.unwrap_or_else(|| answer.body.to_owned());
    let status = answer.status;
    let later = |said: String| {
        Outcome::Later(Later {
            status: Some(status),
            said,
            retry_after: None,
            may_be_the_batch: false,
        })
    };
    let told = |advice: &str| match words(&message) {
        said if said.is_empty() => format!("answered {status}: {advice}"),
        said => format!("answered {status} ({said}): {advice}"),
    };
    match status {
        204 => Outcome::Stored,
        200 if answer.body.is_empty() => Outcome::Stored,
        200..=399 => later(format!(
            "answered {status}: this is not InfluxDB; check the sink's url"
        )),
        400 if message.contains("database is required") => later(told("set the sink's database")),
        400 | 422 if message.contains("retention policy not found") => later(told(MEND_POLICY)),
        400 if answer.compressed && refuses_gzip(&message) => Outcome::PlainOnly(words(&message)),
        400 | 422 if is_influxdb => Outcome::Refused(refusal(status, &message)),
        400 | 422 => later(told("this is not InfluxDB; check the sink's url")),
        401 => later(told("check the sink's username and password")),
        403 => later(told("let the sink's user write to its database")),
        404 => later(told("check the sink's url and database, or create the database")),
        413 => Outcome::TooLarge(told("too large")),
        415 if answer.compressed => Outcome::PlainOnly(words(&message)),
        408 | 425 | 429 | 500..=599 => {
            if message.contains("retention policy not found") {
                return later(told(MEND_POLICY));
            }
            let wait = answer.retry_after.and_then(|text| retry_after(text, now));
            Outcome::Later(Later {
                status: Some(status),
                said: told("it is tried again"),
                retry_after: wait,
                may_be_the_batch: status >= 500 && wait.is_none(),
            })
        }
        _ => later(told("check the sink's url")),
    }
}

/// The message in the body of an error; also of one that was cut by the bound on bodies.
fn error_message(body: &str) -> Option<String> {
    let parse = |text: &str| {
        serde_json::from_str::<ErrorBody>(text)
            .ok()
            .map(|body| body.error)
    };
    parse(body).or_else(|| {
        // The cut may have hit an escape: `\\u001b` is the longest.
        (0..=6).find_map(|cut| parse(&format!("{}\"}}", body.get(..body.len().checked_sub(cut)?)?)))
    })
}

const MEND_POLICY: &str = "check the sink's retention_policy, or create it";

/// Whether the words are about the compression and not about a line.
fn refuses_gzip(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    !message.contains(QUOTE) && (message.contains("gzip") || message.contains("content-encoding"))
}

/// What stands before a line that InfluxDB cannot read.
const QUOTE: &str = "unable to parse '";

fn refusal(status: u16, message: &str) -> Refusal {
    let mut quoted = Vec::new();
    for (start, _) in message.match_indices(QUOTE) {
        let rest = &message[start + QUOTE.len()..];
        let rest = rest
            .split_once(&format!("\n{QUOTE}"))
            .map_or(rest, |(one, _)| one);
        // The line may hold what ends it: each place where it may end is offered, and the batch's lines decide.
        for (end, _) in rest.match_indices("': ").take(MAX_ENDS) {
            let reason = rest[end + 3..].lines().next().unwrap_or_default();
            let reason = reason
                .rsplit_once(" dropped=")
                .map_or(reason, |(reason, _)| reason);
            quoted.push((rest[..end].to_owned(), words(reason)));
        }
    }
    Refusal {
        status: Some(status),
        reason: words(message),
        quoted,
        numbered: Vec::new(),
        suspect: suspect(message),
    }
}

/// Places where a quoted line may end that are looked at.
const MAX_ENDS: usize = 16;

/// Reads `input field "F" on measurement "M" is type …`.
fn suspect(message: &str) -> Option<Suspect> {
    let (_, rest) = message.split_once("input field \"")?;
    let (field, rest) = rest.split_once("\" on measurement \"")?;
    let (measurement, _) = rest.split_once("\" is type ")?;
    Some(Suspect {
        measurement: unquoted(measurement),
        field: unquoted(field),
    })
}

/// Go's `%q` of a name, without its escapes.
fn unquoted(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
