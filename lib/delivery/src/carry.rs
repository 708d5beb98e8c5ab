//! Taking one batch to one sink: requests, until each line is settled or the sink says "not now".

use std::borrow::Cow;
use std::time::Duration;

use tidemark_point::line::Dialect;
use tokio::time::Instant;

use crate::bisect::Search;
use crate::body::{Body, Encoding, Payload};
use crate::lines::{LineTexts, Lines};
use crate::outbox::RejectedLine;
use crate::plan::Plan;
use crate::policy::{Later, Outcome};
use crate::sink::Sink;
use crate::words::words;

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) delivered: u64,
    pub(crate) rejected: Vec<RejectedLine>,
    /// Lines that are not settled.
    pub(crate) rest: Lines,
    pub(crate) requests: u32,
    /// The sink refused gzip.
    pub(crate) refused_gzip: bool,
    pub(crate) end: End,
}

impl Carried {
    /// Nothing came of it yet.
    pub(crate) fn without(rest: Lines, end: End) -> Self {
        Self {
            delivered: 0,
            rejected: Vec::new(),
            rest,
            requests: 0,
            refused_gzip: false,
            end,
        }
    }
}

/// Why it ended.
#[derive(Debug)]
pub(crate) enum End {
    /// Every line is settled.
    Settled,
    /// The sink takes nothing just now.
    Later(Later),
    /// The time is used up.
    OutOfTime,
    /// The body is not what was committed.
    Damaged,
}

/// Sends these lines of a body. `deadline` bounds all requests together.
pub(crate) async fn carry(
    sink: &mut impl Sink,
    dialect: Dialect,
    body: &Body,
    lines: Lines,
    requests: u32,
    deadline: Option<Instant>,
) -> Carried {
    let mut refused_gzip = false;
    let mut text: Option<Cow<'_, [u8]>> = None;
    let plan = match sink.minds_order() {
        false => Plan::from(lines),
        true => match unpacked(&mut text, body) {
            Ok(text) => sink.plan(text, lines),
            Err(_) => return Carried::without(lines, End::Damaged),
        },
    };
    let mut search = Search::new(plan, requests);
    let end = loop {
        let Some(lines) = search.next() else {
            break End::Settled;
        };
        let Some(time) = time_left(deadline) else {
            break End::OutOfTime;
        };
        let whole = lines.is_all(body.points);
        let as_stored = whole
            && match body.encoding {
                Encoding::Plain => !rewritten(body, dialect),
                Encoding::Gzip => sink.takes_gzip() && !rewritten(body, dialect),
                Encoding::Zstd => false,
            };
        let payload = if as_stored {
            Payload {
                bytes: body.bytes.clone(),
                gzip: body.encoding == Encoding::Gzip,
            }
        } else {
            let payload = unpacked(&mut text, body).and_then(|text| {
                let part = if whole {
                    Cow::Borrowed(text)
                } else {
                    Cow::Owned(LineTexts::of(text).join(lines))
                };
                Payload::of(part, body.v2_only, dialect, sink.takes_gzip())
            });
            let Ok(payload) = payload else { break End::Damaged };
            payload
        };
        match sink.send(payload, time).await {
            Outcome::Stored => search.stored(),
            Outcome::TooLarge(said) => {
                if !search.too_large(Some(413), &said) {
                    let advice = "even for single points; raise the size of a request that is taken";
                    break End::Later(Later {
                        status: Some(413),
                        ..Later::new(format!("{said} {advice}"))
                    });
                }
            }
            Outcome::Refused(refusal) => {
                let Ok(text) = unpacked(&mut text, body) else {
                    break End::Damaged;
                };
                let sent = sent_text(text, body, dialect);
                search.refused(refusal, &LineTexts::of(&sent));
            }
            Outcome::PlainOnly(said) => {
                if refused_gzip {
                    break End::Later(Later::new(format!(
                        "refuses gzip, and what is sent without: {said}"
                    )));
                }
                refused_gzip = true;
            }
            Outcome::Later(later) => break End::Later(later),
        }
    };
    // Most bodies are sent as they are stored: nobody unpacks them.
    let rejected = if search.rejected.is_empty() {
        Vec::new()
    } else if let Ok(text) = unpacked(&mut text, body) {
        let texts = LineTexts::of(text);
        let line = |line| String::from_utf8_lossy(texts.get(line)).into_owned();
        let rejected = |one: crate::bisect::Rejection| RejectedLine {
            line: line(one.line),
            status: one.status,
            reason: words(&one.reason),
        };
        search.rejected.drain(..).map(rejected).collect()
    } else {
        Vec::new()
    };
    Carried {
        delivered: search.delivered,
        rest: search.rest(),
        requests: search.requests,
        rejected,
        refused_gzip,
        end,
    }
}

/// What the sink was sent: an answer quotes lines as they were sent.
fn sent_text<'a>(text: &'a [u8], body: &Body, dialect: Dialect) -> Cow<'a, [u8]> {
    if !rewritten(body, dialect) {
        return Cow::Borrowed(text);
    }
    match Payload::of(Cow::Borrowed(text), body.v2_only, dialect, false) {
        Ok(payload) => Cow::Owned(payload.bytes),
        Err(_) => Cow::Borrowed(text),
    }
}

fn rewritten(body: &Body, dialect: Dialect) -> bool {
    body.v2_only && dialect == Dialect::V1
}

/// The text of the body, unpacked once.
fn unpacked<'a, 'b>(text: &'a mut Option<Cow<'b, [u8]>>, body: &'b Body) -> std::io::Result<&'a [u8]> {
    let text = match text {
        Some(text) => text,
        None => text.insert(body.text()?),
    };
    Ok(text)
}

/// The time for a request; none where there is none left.
pub(crate) fn time_left(deadline: Option<Instant>) -> Option<Duration> {
    match deadline {
        Some(deadline) => {
            Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
        }
        None => Some(Duration::MAX),
    }
}
