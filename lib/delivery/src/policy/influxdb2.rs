//! The answers of InfluxDB 2.x, and of what takes its writes: InfluxDB 3, InfluxDB Cloud, VictoriaMetrics.
//!
//! The bodies are those of `http/write_handler.go` of InfluxDB 2.0 to 2.9: `{"code":…,"message":…}`. Bad lines are a 400
//! of which nothing is stored; points that do not fit what is stored are a 422 (before 2.0.4 a 500), and the others are
//! stored.

use tidemark_point::Timestamp;

use super::line_protocol::{Said, refusal, refuses_gzip};
use super::{Answer, Outcome};
use crate::words::words;

/// What InfluxDB 2 means by an answer to a write.
pub(crate) fn influxdb2(answer: Answer<'_>, now: Timestamp) -> Outcome {
    let said = Said::read(&answer);
    let message = said.message.as_str();
    let keep = |advice: &str| answer.keep(answer.told(message, advice));
    match answer.status {
        204 => Outcome::Stored,
        200 if answer.body.is_empty() => Outcome::Stored,
        200..=399 => answer.keep(answer.told("", ELSEWHERE)),
        400 if SETTINGS.iter().any(|words| message.contains(words)) => {
            keep("check the sink's org and bucket")
        }
        400 if answer.compressed && refuses_gzip(message) => Outcome::PlainOnly(words(message)),
        400 | 422 if said.is_influxdb => Outcome::Refused(refusal(answer.status, &said)),
        400 | 422 => keep(ELSEWHERE),
        401 => keep("check the sink's token"),
        403 => keep("let the sink's token write to its bucket"),
        404 if message.contains("bucket") => keep("check the sink's bucket, or create it"),
        404 if message.contains("organization") => keep("check the sink's org, or create it"),
        404 => keep("check the sink's url; an InfluxDB 1 is a sink of type influxdb"),
        413 => Outcome::TooLarge(answer.told(message, "too large")),
        415 if answer.compressed => Outcome::PlainOnly(words(message)),
        500 if message.contains("partial write: ") => Outcome::Refused(refusal(answer.status, &said)),
        408 | 425 | 429 | 500..=599 => answer.busy(message, now),
        _ => keep("check the sink's url"),
    }
}

const ELSEWHERE: &str = "this is not InfluxDB 2; check the sink's url";

/// What a 400 says that is about the request's parameters and not about its points.
const SETTINGS: [&str; 3] = ["orgID", "id must have a length", "invalid precision"];
