//! The answers of InfluxDB 1.x.

use tidemark_point::Timestamp;

use super::line_protocol::{Said, refusal, refuses_gzip};
use super::{Answer, Outcome};
use crate::words::words;

/// What InfluxDB 1.x means by an answer to a write.
pub(crate) fn influxdb(answer: Answer<'_>, now: Timestamp) -> Outcome {
    let said = Said::read(&answer);
    let message = said.message.as_str();
    let keep = |advice: &str| answer.keep(answer.told(message, advice));
    match answer.status {
        204 => Outcome::Stored,
        200 if answer.body.is_empty() => Outcome::Stored,
        200..=399 => answer.keep(answer.told("", ELSEWHERE)),
        400 if message.contains("database is required") => keep("set the sink's database"),
        400 | 422 if message.contains("retention policy not found") => keep(MEND_POLICY),
        400 if answer.compressed && refuses_gzip(message) => Outcome::PlainOnly(words(message)),
        400 | 422 if said.is_influxdb => Outcome::Refused(refusal(answer.status, &said)),
        400 | 422 => keep(ELSEWHERE),
        401 => keep("check the sink's username and password"),
        403 => keep("let the sink's user write to its database"),
        404 => keep("check the sink's url and database, or create the database"),
        413 => Outcome::TooLarge(answer.told(message, "too large")),
        415 if answer.compressed => Outcome::PlainOnly(words(message)),
        500..=599 if message.contains("retention policy not found") => keep(MEND_POLICY),
        408 | 425 | 429 | 500..=599 => answer.busy(message, now),
        _ => keep("check the sink's url"),
    }
}

const ELSEWHERE: &str = "this is not InfluxDB; check the sink's url";
const MEND_POLICY: &str = "check the sink's retention_policy, or create it";
