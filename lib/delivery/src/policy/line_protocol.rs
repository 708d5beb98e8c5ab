//! What servers that take line protocol say of its lines.

use serde::Deserialize;

use super::{Answer, Refusal, Suspect, TooOld};
use crate::words::words;

/// What an error's body says.
pub(super) struct Said {
    /// The message; the whole body where it is not InfluxDB's JSON.
    pub(super) message: String,
    /// The lines that it names by number, from 0, with a reason each.
    numbered: Vec<(u32, String)>,
    /// Whether it is InfluxDB that speaks.
    pub(super) is_influxdb: bool,
}

impl Said {
    pub(super) fn read(answer: &Answer<'_>) -> Self {
        match error_body(answer.body) {
            Some(body) => {
                let mut numbered = numbered(&body.error);
                if let (Some(line), true) = (body.line.and_then(from_one), numbered.is_empty()) {
                    numbered.push((line, words(&body.error)));
                }
                let more = body.data.into_iter().take(MAX_NUMBERED);
                numbered.extend(
                    more.filter_map(|line| Some((from_one(line.line_number)?, words(&line.error_message)))),
                );
                Self {
                    message: body.error,
                    numbered,
                    is_influxdb: true,
                }
            }
            None => Self {
                message: answer.body.to_owned(),
                numbered: Vec::new(),
                is_influxdb: answer.is_influxdb,
            },
        }
    }
}

/// Numbered lines of an answer that are looked at.
const MAX_NUMBERED: usize = 10_000;

/// The body of an InfluxDB error: `error` in 1.x and 3, `message` in 2. Members of other types than these are left out.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(alias = "message")]
    error: String,
    /// The first bad line, from 1 (InfluxDB Cloud).
    #[serde(default, deserialize_with = "or_default")]
    line: Option<u32>,
    /// The bad lines (InfluxDB 3).
    #[serde(default, deserialize_with = "or_default")]
    data: Vec<LineError>,
}

#[derive(Deserialize)]
struct LineError {
    /// From 1.
    line_number: u32,
    error_message: String,
}

/// The value, or nothing where it is of another type.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + serde::de::DeserializeOwned,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A number that counts from 0 of one that counts from 1.
fn from_one(line: u32) -> Option<u32> {
    line.checked_sub(1)
}

/// An error's body; also of one that was cut by the bound on bodies.
fn error_body(body: &str) -> Option<ErrorBody> {
    let parse = |text: &str| serde_json::from_str::<ErrorBody>(text).ok();
    parse(body).or_else(|| {
        // The cut may have hit an escape: `\\u001b` is the longest.
        (0..=6).find_map(|cut| parse(&format!("{}\"}}", body.get(..body.len().checked_sub(cut)?)?)))
    })
}

/// Reads `error parsing line 2 (1-based): REASON`, one a line (InfluxDB 3, QuestDB).
fn numbered(message: &str) -> Vec<(u32, String)> {
    let one = |line: &str| {
        let rest = line.trim_start().strip_prefix("error parsing line ")?;
        let (number, reason) = rest.split_once(" (1-based): ")?;
        Some((from_one(number.parse().ok()?)?, words(reason)))
    };
    message.lines().filter_map(one).take(MAX_NUMBERED).collect()
}

/// Whether the words are about the compression and not about a line.
pub(super) fn refuses_gzip(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    !message.contains(QUOTE) && (message.contains("gzip") || message.contains("content-encoding"))
}

/// What stands before a line that InfluxDB cannot read.
const QUOTE: &str = "unable to parse '";
/// What stands between two of them.
const NEXT_QUOTE: &str = "\nunable to parse '";

/// The points that are refused, as far as the server names them.
pub(super) fn refusal(status: u16, said: &Said) -> Refusal {
    let message = said.message.as_str();
    let (_, quotations) = message.split_once(QUOTE).unwrap_or_default();
    let mut quoted = Vec::new();
    for rest in quotations.split(NEXT_QUOTE) {
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
        numbered: said.numbered.clone(),
        too_old: too_old(message),
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

/// Reads `dropped 7 points outside retention policy of duration … violates a Retention Policy Lower Bound at TIME`, which
/// late releases of InfluxDB 1.12 and 2.7 say.
fn too_old(message: &str) -> Option<TooOld> {
    let (before, rest) = message.split_once(" points outside retention policy ")?;
    let (_, count) = before.rsplit_once("dropped ")?;
    let (_, time) = rest.split_once(" violates a Retention Policy Lower Bound at ")?;
    let time = time.split([',', ' ']).next()?;
    Some(TooOld {
        before: time.parse().ok()?,
        count: count.parse().ok()?,
    })
}
