//! Groups of keys, and how often their keys are asked for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Span;

use crate::stock;

/// The most times a key's own interval.
const MOST_TIMES: f64 = 1e6;
/// The longest interval.
const LONGEST: Duration = Duration::from_hours(24 * 366);
/// The longest name of a key, in bytes.
const LONGEST_KEY: usize = 255;

/// How often the keys of a group are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many times each key's own interval.
    Times(f64),
    /// All at this interval.
    Every(Duration),
}

impl Pace {
    /// Each key at its own interval.
    pub const OWN: Self = Self::Times(1.0);

    /// The interval of a key whose own is `own` (none: only on demand), never less than `minimum`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidemark_onefs::group::Pace;
    ///
    /// let (own, least) = (Duration::from_secs(5), Duration::from_secs(30));
    /// assert_eq!(Pace::OWN.interval(Some(own), least), least);
    /// assert_eq!(Pace::Times(10.0).interval(Some(own), least), Duration::from_secs(50));
    /// assert_eq!(Pace::Times(10.0).interval(None, least), least);
    /// ```
    #[must_use]
    pub fn interval(self, own: Option<Duration>, minimum: Duration) -> Duration {
        let wanted = match (self, own) {
            (Self::Every(interval), _) => interval,
            (Self::Times(times), Some(own)) => {
                Duration::try_from_secs_f64(own.as_secs_f64() * times).unwrap_or(LONGEST)
            }
            (Self::Times(_), None) => minimum,
        };
        wanted.clamp(minimum, LONGEST.max(minimum))
    }
}

/// As it is written in the settings: `*`, `*2`, or a time span.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(1.0) => f.write_str("*"),
            Self::Times(times) => write!(f, "*{times}"),
            Self::Every(interval) => write!(f, "{}", Span::from(*interval)),
        }
    }
}

/// A text that is no pace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoPace;

impl fmt::Display for NoPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is neither `*`, `*` and a number above 0, nor a time span")
    }
}

impl std::error::Error for NoPace {}

impl FromStr for Pace {
    type Err = NoPace;

    /// `*` is each key's own interval, `*N` that many of it, a number seconds, and a span a span.
    fn from_str(text: &str) -> Result<Self, NoPace> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number > 0.0);
        match text.trim().strip_prefix('*') {
            Some("") => Ok(Self::OWN),
            Some(times) => number(times)
                .filter(|times| *times <= MOST_TIMES)
                .map(Self::Times)
                .ok_or(NoPace),
            None => text
                .parse::<Span>()
                .ok()
                .map(Span::as_duration)
                .filter(|interval| !interval.is_zero() && *interval <= LONGEST)
                .map(Self::Every)
                .ok_or(NoPace),
        }
    }
}

/// What is wrong with a text that cannot be the name of a statistics key; it goes on from the name.
#[must_use]
pub fn no_key(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > LONGEST_KEY {
        Some("is longer than any key")
    } else if !name
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"&?#/%=".contains(&byte))
    {
        Some("holds a character that no key has")
    } else {
        None
    }
}

/// Keys that are asked for at one pace.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// How often.
    pub pace: Pace,
    /// Its keys, in the order of the settings.
    pub keys: Vec<Arc<str>>,
}

impl Group {
    /// A group of these keys.
    pub fn new<'a>(name: &str, pace: Pace, keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            name: name.into(),
            pace,
            keys: keys.into_iter().map(Arc::from).collect(),
        }
    }

    /// The groups that are built in, each key at its own interval.
    #[must_use]
    pub fn stock() -> Vec<Self> {
        stock::GROUPS
            .iter()
            .map(|(name, keys)| Self::new(name, Pace::OWN, keys.iter().copied()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_and_written() {
        for (text, due, written) in [
            ("*", Pace::OWN, "*"),
            ("*1", Pace::OWN, "*"),
            (" *2 ", Pace::Times(2.0), "*2"),
            ("*2.5", Pace::Times(2.5), "*2.5"),
            ("30", Pace::Every(Duration::from_secs(30)), "30s"),
            ("5.5", Pace::Every(Duration::from_millis(5500)), "5s 500ms"),
            ("5m", Pace::Every(Duration::from_secs(300)), "5m"),
        ] {
            let pace: Pace = text.parse().expect(text);
            assert_eq!(pace, due, "{text}");
            assert_eq!(pace.to_string(), written);
            assert_eq!(written.parse(), Ok(due));
        }
        for text in [
            "", "**", "*0", "*-1", "*x", "*nan", "*inf", "*1e9", "0", "-5", "soon", "400d",
        ] {
            assert_eq!(text.parse::<Pace>(), Err(NoPace), "{text}");
        }
    }

    #[test]
    fn an_interval_is_within_its_bounds() {
        let seconds = Duration::from_secs;
        let least = seconds(5);
        for (pace, own, due) in [
            (Pace::OWN, Some(seconds(1)), 5),
            (Pace::OWN, Some(seconds(30)), 30),
            (Pace::Times(2.0), Some(seconds(30)), 60),
            (Pace::Times(0.1), Some(seconds(30)), 5),
            (Pace::Times(3.0), None, 5),
            (Pace::Every(seconds(3)), Some(seconds(30)), 5),
            (Pace::Every(seconds(7)), None, 7),
        ] {
            assert_eq!(pace.interval(own, least), seconds(due), "{pace} {own:?}");
        }
        assert_eq!(
            Pace::Times(MOST_TIMES).interval(Some(Duration::MAX), least),
            LONGEST
        );
    }
}
