//! `[global]`.

use tidemark_settings::{
    Key, Mistake, Mistakes, Section, SectionReader, SettingValue, Span, UnknownKeys, Value,
};

use crate::BackEnd;
use crate::key::key;
use crate::text::Placed;

/// The versions of the file that are read: 0.31 to 0.39.
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=39;

/// Keys for which tidemark has something of its own.
pub(crate) const RETRIES_OF_REQUESTS: [&str; 1] = ["max_retries"];
pub(crate) const RETRIES_OF_WRITES: [&str; 2] =
    ["stats_processor_max_retries", "stats_processor_retry_interval"];

/// The shortest time between two requests where the file does not say.
const MIN_UPDATE_INTERVAL: Span = Span::secs(30);

/// `[global]`, without the back end.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// The file's version, without the `v`: `0.39`.
    pub version: String,
    /// `min_update_interval_override`: no statistic is fetched more often than that, at least a second. 30 s where the file
    /// does not say.
    pub min_update_interval: Span,
    /// Whether names of clusters keep their capital letters.
    pub preserve_case: bool,
    /// Whether points get the tag `degraded`.
    pub include_degraded: bool,
    /// Whether each group has requests of its own.
    pub fetch_by_statgroup: bool,
    /// The names of the groups that are fetched; each is in the file.
    pub active_stat_groups: Vec<String>,
}

/// `[global]` as it stands.
pub(crate) struct Draft {
    pub(crate) global: Global,
    /// The groups that are to be fetched, whether they are there or not.
    pub(crate) active: Vec<Placed>,
    /// The back end; looked at only where it counts.
    pub(crate) back_end: Result<BackEnd, Mistake>,
    /// The keys of which tidemark needs nothing.
    pub(crate) not_needed: Vec<&'static str>,
}

impl Section for Draft {
    const SUMMARY: &'static str = "What concerns all clusters.";
    const KEYS: &'static [Key] = &[
        key::<Version>("version"),
        key::<String>("stats_processor"),
        key::<Retries>("stats_processor_max_retries"),
        key::<Pause>("stats_processor_retry_interval"),
        key::<Retries>("max_retries"),
        key::<Seconds>("min_update_interval_override"),
        key::<bool>("preserve_case"),
        key::<bool>("include_degraded"),
        key::<bool>("fetch_by_statgroup"),
        key::<Vec<String>>("active_stat_groups"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Draft> {
        let version = section.required::<Version>("version");
        let mut not_needed = Vec::new();
        let mut right = true;
        for name in RETRIES_OF_REQUESTS.into_iter().chain(RETRIES_OF_WRITES) {
            let is_there = match name {
                "stats_processor_retry_interval" => {
                    section.optional::<Pause>(name).map(|found| found.is_some())
                }
                _ => section.optional::<Retries>(name).map(|found| found.is_some()),
            };
            match is_there {
                Some(true) => not_needed.push(name),
                Some(false) => {}
                None => right = false,
            }
        }
        let min_update_interval = section.optional::<Seconds>("min_update_interval_override");
        let preserve_case = section.optional::<bool>("preserve_case");
        let include_degraded = section.optional::<bool>("include_degraded");
        let fetch_by_statgroup = section.optional::<bool>("fetch_by_statgroup");
        let active = section.optional::<Vec<Placed>>("active_stat_groups");
        let back_end = BackEnd::of(section);
        if !right {
            return None;
        }
        let min_update_interval =
            min_update_interval?.map_or(MIN_UPDATE_INTERVAL, |Seconds(seconds)| Span::secs(seconds));
        Some(Draft {
            global: Global {
                version: version?.0,
                min_update_interval,
                preserve_case: preserve_case?.unwrap_or(false),
                include_degraded: include_degraded?.unwrap_or(false),
                fetch_by_statgroup: fetch_by_statgroup?.unwrap_or(false),
                active_stat_groups: Vec::new(),
            },
            active: active?.unwrap_or_default(),
            back_end,
            not_needed,
        })
    }
}

/// An integer of at least `least`; `advice` says what to write instead of less.
fn at_least(value: &Value, least: u64, advice: &str) -> Result<u64, Mistakes> {
    let number = i64::read(value)?;
    match u64::try_from(number) {
        Ok(number) if number >= least => Ok(number),
        _ => {
            let what = format!("is {number}, where {least} is the least");
            Err(value.mistake(what, advice).into())
        }
    }
}

/// How often something is tried again.
struct Retries;

impl SettingValue for Retries {
    const TYPE: &'static str = i64::TYPE;
    const EXAMPLE: &'static str = "8";

    fn read(value: &Value) -> Result<Retries, Mistakes> {
        at_least(
            value,
            0,
            "write how often it is tried again, like 8, or 0 for ever, instead",
        )
        .map(|_| Retries)
    }
}

/// The seconds between two tries.
struct Pause;

impl SettingValue for Pause {
    const TYPE: &'static str = i64::TYPE;
    const EXAMPLE: &'static str = "5";

    fn read(value: &Value) -> Result<Pause, Mistakes> {
        at_least(value, 0, "write seconds, like 5, instead").map(|_| Pause)
    }
}

/// The seconds of an interval: none of 0 is an interval.
struct Seconds(u64);

impl SettingValue for Seconds {
    const TYPE: &'static str = i64::TYPE;
    const EXAMPLE: &'static str = "30";

    fn read(value: &Value) -> Result<Seconds, Mistakes> {
        at_least(
            value,
            1,
            "write seconds, like 30, or leave it out for 30, instead",
        )
        .map(Seconds)
    }
}

/// A version that is read, as `0.39`.
pub(crate) struct Version(String);

impl SettingValue for Version {
    const TYPE: &'static str = "version";
    const EXAMPLE: &'static str = "\"v0.39\"";

    fn read(value: &Value) -> Result<Version, Mistakes> {
        let text = value
            .as_str()
            .ok_or_else(|| value.wrong_kind("a string", "write it in quotes, like \"v0.39\", instead"))?;
        let number = text.trim_start_matches(['v', 'V']);
        let is_read = VERSIONS.into_iter().any(|minor| number == format!("0.{minor}"));
        if is_read {
            return Ok(Version(number.to_owned()));
        }
        let what = format!(
            "is {}, and the versions that are read are v{} to v{}",
            tidemark_settings::quoted(text),
            "0.31",
            "0.39"
        );
        let advice = "bring the file to the form of one of these, and write that version";
        Err(value.mistake(what, advice).into())
    }
}
