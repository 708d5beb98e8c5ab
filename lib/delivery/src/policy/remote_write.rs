//! The answers of what takes Prometheus remote write 1.0: Prometheus, VictoriaMetrics, Mimir, Thanos.

use tidemark_point::Timestamp;

use super::{Answer, Later, Outcome, Refusal};
use crate::words::words;

/// What a receiver means by an answer to a write.
///
/// A 400 is no word on the points unless it speaks of such: any address may answer 400 to what it does not expect. What
/// it says else may still be due to one batch, so others are tried.
pub(crate) fn remote_write(answer: Answer<'_>, now: Timestamp) -> Outcome {
    let message = if is_page(answer.body) { "" } else { answer.body };
    let keep = |advice: &str| answer.keep(answer.told(message, advice));
    match answer.status {
        200 if is_page(answer.body) => keep(ELSEWHERE),
        200 | 202 | 204 => Outcome::Stored,
        200..=399 => answer.keep(answer.told("", ELSEWHERE)),
        // Thanos answers so for samples that do not fit what it has: https://github.com/thanos-io/thanos/pull/1563
        409 if message.contains("conflict") || is_about_points(message) => {
            Outcome::Refused(refusal(answer.status, message))
        }
        400 | 422 if is_about_points(message) => Outcome::Refused(refusal(answer.status, message)),
        400 | 422 => Outcome::Later(Later {
            status: Some(answer.status),
            may_be_the_batch: true,
            ..Later::new(answer.told(message, "this says nothing of any point; check the sink's url"))
        }),
        401 => keep("check the sink's username and password, or its bearer_token"),
        403 => keep("let the sink's user write"),
        404 => keep(
            "check the sink's url; a Prometheus takes remote write where it runs with --web.enable-remote-write-receiver",
        ),
        413 => Outcome::TooLarge(answer.told(message, "too large")),
        415 => {
            keep("the receiver takes no remote write 1.0 (protobuf, packed by snappy); check the sink's url")
        }
        408 | 425 | 429 | 500..=599 => answer.busy(message, now),
        _ => keep("check the sink's url"),
    }
}

fn refusal(status: u16, message: &str) -> Refusal {
    Refusal {
        status: Some(status),
        reason: words(message),
        ..Refusal::default()
    }
}

const ELSEWHERE: &str = "this takes no remote write; check the sink's url";

/// A page for people: no receiver answers with one, but what stands in front of it may.
fn is_page(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// Whether the words are about points: Prometheus says `out of bounds`, `out of order sample`, `duplicate sample for
/// timestamp`, `too old sample`; others name the series, its labels, or a limit on them.
fn is_about_points(message: &str) -> bool {
    const WORDS: [&str; 10] = [
        "out of bounds",
        "out of order",
        "out-of-order",
        "duplicate",
        "too old",
        "too far in the future",
        "sample",
        "series",
        "label",
        "metric",
    ];
    let message = message.to_ascii_lowercase();
    WORDS.iter().any(|words| message.contains(words))
}
