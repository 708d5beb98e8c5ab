//! What an answer means: the one place that decides, without doing anything. Each kind of server has a module of its own.

mod influxdb;
mod influxdb2;
mod line_protocol;
mod remote_write;

use std::time::Duration;

pub(crate) use influxdb::influxdb;
pub(crate) use influxdb2::influxdb2;
pub(crate) use remote_write::remote_write;
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
    /// Lines that the answer names by number within the request, from 0, each with its reason.
    pub(crate) numbered: Vec<(u32, String)>,
    /// The time before which the answer says that points are too old.
    pub(crate) too_old: Option<TooOld>,
    /// The field that the answer names: lines that have it are suspect.
    pub(crate) suspect: Option<Suspect>,
}

/// A field that has two types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) measurement: String,
    pub(crate) field: String,
}

/// Points that lie before what a server keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooOld {
    pub(crate) before: Timestamp,
    /// How many.
    pub(crate) count: u64,
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

/// What an answer means, by the type of server.
pub(crate) type Policy = fn(Answer<'_>, Timestamp) -> Outcome;

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

    /// The status, the server's words and what to do.
    fn told(&self, message: &str, advice: &str) -> String {
        let status = self.status;
        match words(message) {
            said if said.is_empty() => format!("answered {status}: {advice}"),
            said => format!("answered {status} ({said}): {advice}"),
        }
    }

    /// All is kept until somebody mends something.
    fn keep(&self, said: String) -> Outcome {
        Outcome::Later(Later {
            status: Some(self.status),
            ..Later::new(said)
        })
    }

    /// All is kept until the server has recovered.
    fn busy(&self, message: &str, now: Timestamp) -> Outcome {
        let wait = self.retry_after.and_then(|text| retry_after(text, now));
        Outcome::Later(Later {
            status: Some(self.status),
            said: self.told(message, "it is tried again"),
            retry_after: wait,
            may_be_the_batch: self.status >= 500 && wait.is_none(),
        })
    }
}

/// What all versions of InfluxDB name themselves with.
const VERSION_HEADER: &str = "x-influxdb-version";

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
