//! When a report was generated, in the two forms in which reports say so.

use std::error::Error;
use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Utc};
use tidemark_ubuntu::shown;

/// A date that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DateError {
    /// It has another form: the text, cut where it is long, and the form that was due.
    Form {
        /// What is there, quoted.
        found: String,
        /// What was due.
        due: &'static str,
    },
    /// Its time zone, quoted, is an abbreviation that more than one zone has, or that is not known.
    Zone(String),
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { found, due } => write!(f, "{found} is no date as in {due:?}"),
            Self::Zone(zone) => write!(
                f,
                "the time zone {zone} is not known: GMT, UTC and offsets as +0100 are"
            ),
        }
    }
}

impl Error for DateError {}

/// Reads `Sat, 21 Nov 2026 02:00:00 +0000`, as RFC 2822 has it. The day of the week is not compared with the date.
///
/// # Errors
/// Where it is no such date.
pub fn rfc2822(text: &str) -> Result<DateTime<Utc>, DateError> {
    let text = text.trim();
    // A day of the week that does not fit would be an error, and says nothing that is needed.
    let date = match text.split_once(',') {
        Some((day, date)) if is_day(day) => date,
        _ => text,
    };
    match DateTime::parse_from_rfc2822(date.trim_start()) {
        Ok(time) => Ok(time.to_utc()),
        Err(_) => Err(form(text, "Sat, 21 Nov 2026 02:00:00 +0000")),
    }
}

/// Reads `Sat Nov 21 02:00:00 GMT 2026`, as `date` prints it: without a zone (it is UTC then), with an offset for a zone
/// (`+01`, `+0100`, `+01:00`), and with `AM` or `PM` after the time too.
///
/// # Errors
/// Where it is no such date, or the zone is neither UTC's nor an offset: of the others, `BST` and `IST` are several.
pub fn date(text: &str) -> Result<DateTime<Utc>, DateError> {
    let unread = || form(text.trim(), "Sat Nov 21 02:00:00 GMT 2026");
    let mut words: Vec<&str> = text.split_whitespace().take(8).collect();
    if words.len() < 5 || !is_day(words[0]) {
        return Err(unread());
    }
    let half = match words[4] {
        "AM" => Some(0),
        "PM" => Some(12),
        _ => None,
    };
    if half.is_some() {
        words.remove(4);
    }
    let (zone, year) = match words[4..] {
        [year] => (None, year),
        [zone, year] => (Some(zone), year),
        _ => return Err(unread()),
    };
    let day = date_of(year, words[1], words[2]).ok_or_else(unread)?;
    let time = time_of(words[3], half).ok_or_else(unread)?;
    let zone = match zone {
        None | Some("GMT" | "UTC" | "UT" | "Z") => FixedOffset::east_opt(0),
        Some(zone) => Some(offset(zone).ok_or_else(|| DateError::Zone(shown(zone)))?),
    };
    let local = zone.and_then(|zone| day.and_time(time).and_local_timezone(zone).single());
    Ok(local.ok_or_else(unread)?.to_utc())
}

fn date_of(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let year = digits(year, 4..=4)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, digits(day, 1..=2)?)
}

/// A time of day; `half` is the hour at which its half of the day begins, where it has halves.
fn time_of(text: &str, half: Option<u32>) -> Option<NaiveTime> {
    let mut parts = text.split(':').map(|part| digits(part, 1..=2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    // A leap second is the last one before it.
    let second = if second == 60 { 59 } else { second };
    match parts.next() {
        None => NaiveTime::from_hms_opt(hour, minute, second),
        Some(_) => None,
    }
}

fn offset(zone: &str) -> Option<FixedOffset> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) => (digits(hours, 2..=2)?, digits(minutes, 2..=2)?),
        None if rest.len() == 2 => (digits(rest, 2..=2)?, 0),
        None => (digits(rest, 4..=4)? / 100, digits(rest, 4..=4)? % 100),
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    (minutes < 60).then(|| FixedOffset::east_opt(sign * seconds))?
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn is_day(word: &str) -> bool {
    matches!(
        word.trim_end_matches(','),
        "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun"
    )
}

fn form(found: &str, due: &'static str) -> DateError {
    DateError::Form {
        found: shown(found),
        due,
    }
}
