//! The sections that there is one of: `[host]`, `[outbox]`, `[store]`, and what all `[collector.NAME]` share.

use std::collections::BTreeMap;

use crate::mistake::Mistakes;
use crate::value::Value;
use crate::{Key, SectionReader, SettingValue, Size, Span};

/// The longest name of a host and of a tag, in bytes.
const LONGEST_NAME: usize = 255;

/// `[host]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The host's name.
    pub name: String,
    /// Tags that are added to every point that has none of that name.
    pub tags: BTreeMap<String, String>,
    /// Collect and print, submit nothing.
    pub dry_run: bool,
    /// No timer is started: another host collects.
    pub standby: bool,
}

impl HostSettings {
    pub(crate) const KEYS: [&str; 4] = ["name", "tags", "dry_run", "standby"];

    pub(crate) fn read(section: &mut SectionReader<'_>, hostname: &str) -> Option<HostSettings> {
        let name = section.optional::<Name>("name");
        let tags = section.optional::<Tags>("tags");
        let dry_run = section.optional::<bool>("dry_run");
        let standby = section.optional::<bool>("standby");
        Some(HostSettings {
            name: name?.map_or_else(|| hostname.to_owned(), |Name(name)| name),
            tags: tags?.map(|Tags(tags)| tags).unwrap_or_default(),
            dry_run: dry_run?.unwrap_or(false),
            standby: standby?.unwrap_or(false),
        })
    }
}

/// `[outbox]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The most that waits, 1 GiB where not set; over it the oldest goes.
    pub max_bytes: Size,
    /// What is left free on the outbox's disk.
    pub keep_free: KeepFree,
    /// Batches older than this are dropped. None are by default: a clock that jumps must not empty the outbox.
    pub max_age: Option<Span>,
}

impl OutboxSettings {
    pub(crate) const KEYS: [&str; 3] = ["max_bytes", "keep_free", "max_age"];

    pub(crate) fn read(section: &mut SectionReader<'_>) -> Option<OutboxSettings> {
        let max_bytes = section.optional::<SomeSize>("max_bytes");
        let keep_free = section.optional::<Size>("keep_free");
        let max_age = section.optional::<MaxAge>("max_age");
        Some(OutboxSettings {
            max_bytes: max_bytes?.map_or(Size::mib(1024), |SomeSize(size)| size),
            keep_free: keep_free?.map_or(KeepFree::Usual, KeepFree::Size),
            max_age: max_age?.and_then(|MaxAge(span)| span),
        })
    }
}

/// How much of the outbox's disk is left free.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeepFree {
    /// 64 MiB or a twentieth of the disk, the smaller.
    Usual,
    /// This much.
    Size(Size),
}

impl KeepFree {
    /// The bytes to leave free on a disk of this many bytes.
    #[must_use]
    pub fn bytes(self, disk_bytes: u64) -> u64 {
        match self {
            KeepFree::Usual => Size::mib(64).as_bytes().min(disk_bytes / 20),
            KeepFree::Size(size) => size.as_bytes(),
        }
    }
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// How long samples are kept, 15 days where not set.
    pub keep: Span,
    /// The most that the store takes on disk, 1 GiB where not set.
    pub max_bytes: Size,
}

impl StoreSettings {
    pub(crate) const KEYS: [&str; 2] = ["keep", "max_bytes"];

    pub(crate) fn read(section: &mut SectionReader<'_>) -> Option<StoreSettings> {
        let keep = section.optional::<SomeSpan>("keep");
        let max_bytes = section.optional::<SomeSize>("max_bytes");
        Some(StoreSettings {
            keep: keep?.map_or(Span::days(15), |SomeSpan(span)| span),
            max_bytes: max_bytes?.map_or(Size::mib(1024), |SomeSize(size)| size),
        })
    }
}

/// The keys that every `[collector.NAME]` has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonSection {
    /// Whether the timers and `up` start the collector.
    pub enabled: Option<bool>,
    /// The interval, at least a second; the collector's own where absent.
    pub run_interval: Option<Span>,
    /// How long a run may take; the collector's own where absent.
    pub deadline: Option<Span>,
}

/// The keys that every `[collector.NAME]` has beside the collector's own.
pub const COMMON_KEYS: [Key; 3] = [
    Key {
        name: "enabled",
        type_name: bool::TYPE,
        default: None,
        help: "Whether the timers and `tidemark up` start the collector.",
        keys: &[],
    },
    Key {
        name: "run_interval",
        type_name: Span::TYPE,
        default: None,
        help: "The time between two runs, at least 1s; the collector's own where not set.",
        keys: &[],
    },
    Key {
        name: "deadline",
        type_name: Span::TYPE,
        default: None,
        help: "How long a run may take; the collector's own where not set.",
        keys: &[],
    },
];

impl CommonSection {
    /// A key that is wrong is noted, and counts as not set.
    pub(crate) fn read(section: &mut SectionReader<'_>) -> CommonSection {
        let enabled = section.optional("enabled");
        let run_interval = section.optional::<Interval>("run_interval");
        let deadline = section.optional::<SomeSpan>("deadline");
        CommonSection {
            enabled: enabled.flatten(),
            run_interval: run_interval.flatten().map(|Interval(span)| span),
            deadline: deadline.flatten().map(|SomeSpan(span)| span),
        }
    }
}

/// A text that names something: not empty, and on one line.
pub(crate) struct Name(pub(crate) String);

impl SettingValue for Name {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"NAME\"";

    fn read(value: &Value) -> Result<Name, Mistakes> {
        let name = String::read(value)?;
        let what = if name.is_empty() {
            "is empty"
        } else if name.len() > LONGEST_NAME {
            "is longer than 255 bytes"
        } else if name.chars().any(char::is_control) {
            "holds a control character"
        } else {
            return Ok(Name(name));
        };
        Err(value.mistake(what, "write a name on one line instead").into())
    }
}

struct Tags(BTreeMap<String, String>);

impl SettingValue for Tags {
    const TYPE: &'static str = "table";
    const EXAMPLE: &'static str = "{ site = \"north\" }";

    fn read(value: &Value) -> Result<Tags, Mistakes> {
        let advice = "write { site = \"north\" } instead";
        let table = value
            .table()
            .ok_or_else(|| value.wrong_kind("a table of tags", advice))?;
        for (key, entry) in table {
            // InfluxDB keeps `time` for itself, and no format takes a tag without a name.
            if key.is_empty()
                || key == "time"
                || key.len() > LONGEST_NAME
                || key.chars().any(char::is_control)
            {
                let what = format!(
                    "has {}, which is no name of a tag",
                    crate::suggestion::quoted(key)
                );
                return Err(crate::Mistake::new(entry.key_at.clone(), what, advice).into());
            }
        }
        let tags = BTreeMap::<String, Name>::read(value)?;
        Ok(Tags(
            tags.into_iter().map(|(key, Name(value))| (key, value)).collect(),
        ))
    }
}

/// A span that is some time.
struct SomeSpan(Span);

impl SettingValue for SomeSpan {
    const TYPE: &'static str = Span::TYPE;
    const EXAMPLE: &'static str = Span::EXAMPLE;

    fn read(value: &Value) -> Result<SomeSpan, Mistakes> {
        let span = Span::read(value)?;
        if span.is_zero() {
            return Err(value
                .mistake("is no time at all", "write a time span like \"5m\" instead")
                .into());
        }
        Ok(SomeSpan(span))
    }
}

/// A span from one second.
struct Interval(Span);

impl SettingValue for Interval {
    const TYPE: &'static str = Span::TYPE;
    const EXAMPLE: &'static str = Span::EXAMPLE;

    fn read(value: &Value) -> Result<Interval, Mistakes> {
        let span = Span::read(value)?;
        if span < Span::secs(1) {
            return Err(value
                .mistake("is shorter than a second", "write \"1s\" or more instead")
                .into());
        }
        Ok(Interval(span))
    }
}

/// A span, or `off`.
struct MaxAge(Option<Span>);

impl SettingValue for MaxAge {
    const TYPE: &'static str = Span::TYPE;
    const EXAMPLE: &'static str = "\"30d\"";

    fn read(value: &Value) -> Result<MaxAge, Mistakes> {
        if value.as_str() == Some("off") {
            return Ok(MaxAge(None));
        }
        SomeSpan::read(value).map(|SomeSpan(span)| MaxAge(Some(span)))
    }
}

/// A size of at least a byte.
struct SomeSize(Size);

impl SettingValue for SomeSize {
    const TYPE: &'static str = Size::TYPE;
    const EXAMPLE: &'static str = Size::EXAMPLE;

    fn read(value: &Value) -> Result<SomeSize, Mistakes> {
        let size = Size::read(value)?;
        if size.as_bytes() == 0 {
            return Err(value
                .mistake("is nothing at all", "write a size like \"1GiB\" instead")
                .into());
        }
        Ok(SomeSize(size))
    }
}
