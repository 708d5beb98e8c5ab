//! `[[statgroup]]`.

use std::time::Duration;

use tidemark_settings::{
    Key, Mistakes, Position, Section, SectionReader, SettingValue, UnknownKeys, Value, quoted,
};

use crate::key::key;
use crate::text::{Name, Placed};

/// A `[[statgroup]]`: statistics that are fetched at the same interval.
#[derive(Clone, Debug)]
pub struct StatGroup {
    /// Where the file has it.
    pub place: Position,
    /// Its name, unique in the file.
    pub name: String,
    /// When its statistics are fetched.
    pub update_interval: UpdateInterval,
    /// Their keys.
    pub stats: Vec<String>,
}

/// When a group's statistics are fetched.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum UpdateInterval {
    /// `*N`: N times each statistic's own interval; `*` is once. More than 0.
    Times(f64),
    /// So often. More than 0.
    Every(Duration),
}

impl UpdateInterval {
    /// The most that an interval may be multiplied by.
    const MOST_TIMES: f64 = 1e6;
    /// The longest interval, a year.
    const LONGEST: f64 = 366.0 * 86400.0;

    fn of_text(text: &str) -> Option<UpdateInterval> {
        match text.strip_prefix('*') {
            Some("") => Some(UpdateInterval::Times(1.0)),
            Some(times) => times
                .parse()
                .ok()
                .filter(|times| *times > 0.0 && *times <= UpdateInterval::MOST_TIMES)
                .map(UpdateInterval::Times),
            None => UpdateInterval::of_seconds(text.parse().ok()?),
        }
    }

    fn of_seconds(seconds: f64) -> Option<UpdateInterval> {
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        let is_interval = !duration.is_zero() && seconds <= UpdateInterval::LONGEST;
        is_interval.then_some(UpdateInterval::Every(duration))
    }
}

impl SettingValue for UpdateInterval {
    const TYPE: &'static str = "update interval";
    const EXAMPLE: &'static str = "\"*\"";

    fn read(value: &Value) -> Result<UpdateInterval, Mistakes> {
        const ADVICE: &str =
            "write \"*\", \"*N\" for N times a statistic's own interval, or seconds like \"30\", instead";
        #[expect(clippy::cast_precision_loss, reason = "longer than the longest either way")]
        let seconds = value
            .as_float()
            .or_else(|| value.as_integer().map(|seconds| seconds as f64));
        let interval = match (seconds, value.as_str()) {
            (Some(seconds), _) => UpdateInterval::of_seconds(seconds),
            (None, Some(text)) => UpdateInterval::of_text(text.trim()),
            (None, None) => return Err(value.wrong_kind("an interval", ADVICE).into()),
        };
        interval.ok_or_else(|| {
            let what = match value.as_str() {
                Some(text) => format!("is {}, which is no interval", quoted(text)),
                None => "is no interval".to_owned(),
            };
            value.mistake(what, ADVICE).into()
        })
    }
}

/// The key of a statistic, as it goes into an address.
struct StatKey(Placed);

impl StatKey {
    /// The longest, in bytes.
    const LONGEST: usize = 255;
}

impl SettingValue for StatKey {
    const TYPE: &'static str = String::TYPE;
    const LIST_TYPE: &'static str = String::LIST_TYPE;
    const EXAMPLE: &'static str = "\"cluster.health\"";

    fn read(value: &Value) -> Result<StatKey, Mistakes> {
        let key = Placed::read(value)?;
        let is_right = |byte: u8| byte.is_ascii_graphic() && !b"&?#/%=".contains(&byte);
        if key.text.len() > StatKey::LONGEST || !key.text.bytes().all(is_right) {
            let what = format!("is {}, which is no key of a statistic", quoted(&key.text));
            let advice = "write one like \"cluster.health\" instead";
            return Err(value.mistake(what, advice).into());
        }
        Ok(StatKey(key))
    }
}

/// A `[[statgroup]]` as it stands.
pub(crate) struct Draft {
    pub(crate) place: Position,
    pub(crate) name: Placed,
    pub(crate) update_interval: UpdateInterval,
    pub(crate) stats: Vec<Placed>,
}

impl Section for Draft {
    const SUMMARY: &'static str = "A group of statistics.";
    const KEYS: &'static [Key] = &[
        key::<Name>("name"),
        key::<UpdateInterval>("update_interval"),
        key::<Vec<String>>("stats"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Draft> {
        let name = section.required::<Placed>("name");
        let update_interval = section.optional::<UpdateInterval>("update_interval");
        let stats = section.optional::<Vec<StatKey>>("stats");
        let (name, update_interval, stats) = (name?, update_interval?, stats?);
        let at = section.place().clone();
        if update_interval.is_none() {
            section.notice(format!(
                "{at}: [[statgroup]] {} has no `update_interval`: each statistic's own counts; write \"*\"",
                quoted(&name.text)
            ));
        }
        if stats.as_ref().is_none_or(Vec::is_empty) {
            section.notice(format!(
                "{at}: [[statgroup]] {} has no `stats`",
                quoted(&name.text)
            ));
        }
        Some(Draft {
            place: at,
            name,
            update_interval: update_interval.unwrap_or(UpdateInterval::Times(1.0)),
            stats: stats.into_iter().flatten().map(|StatKey(key)| key).collect(),
        })
    }
}
