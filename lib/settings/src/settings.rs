//! The settings as a whole.

use std::collections::BTreeMap;

use crate::value::Table;
use crate::{Environment, Key, Mistakes, Places, Section, SectionReader, SinkSettings, Size, Span};
use crate::mistake::Position;

/// Every shared section, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[host]`.
    pub host: HostSettings,
    /// The `[[sink]]`s in order; never empty: the store where none is configured.
    pub sinks: Vec<SinkSettings>,
    /// `[outbox]`.
    pub outbox: OutboxSettings,
    /// `[store]`.
    pub store: StoreSettings,
}

/// `[host]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The host's name.
    pub name: String,
    /// Tags that are added to every point that has none of that name.
    pub tags: BTreeMap<String, String>,
    /// Collect and print, submit nothing.
    pub dry_run: bool,
}

/// `[outbox]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The most that waits; over it the oldest goes.
    pub max_bytes: Size,
    /// What is left free on the outbox's disk.
    pub keep_free: KeepFree,
    /// Batches older than this are dropped; none are where it is absent.
    pub max_age: Option<Span>,
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
    /// How long samples are kept.
    pub keep: Span,
    /// The most that the store takes on disk.
    pub max_bytes: Size,
}

/// The keys that every `[collector.NAME]` has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonSection {
    /// Whether timers and `up` start the collector.
    pub enabled: Option<bool>,
    /// The interval, at least a second; the collector's own where absent.
    pub run_interval: Option<Span>,
    /// How long a run may take; the collector's own where absent.
    pub deadline: Option<Span>,
}

/// The keys that every `[collector.NAME]` has beside the collector's own.
pub const COMMON_KEYS: [Key; 3] = [
    Key { name: "enabled", type_name: "boolean", default: None, help: "Whether the timers start it." },
    Key { name: "run_interval", type_name: "time span", default: None, help: "The time between two runs, at least 1s." },
    Key { name: "deadline", type_name: "time span", default: None, help: "How long a run may take." },
];

/// A collector that is installed, as its description names its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCollector {
    /// The collector's name.
    pub name: String,
    /// The names of its own keys.
    pub keys: Vec<String>,
}

/// What the settings are read from.
pub struct LoadFrom<'a> {
    /// Where the files are.
    pub places: &'a Places,
    /// Where the `INFLUXDB_` variables are.
    pub environment: &'a dyn Environment,
    /// The host's name where `[host]` gives none.
    pub hostname: String,
    /// The collectors that are installed: their sections are checked too, by their keys' names. `None` leaves the
    /// sections of collectors alone, as a single collector does.
    pub known_collectors: Option<&'a [KnownCollector]>,
}

/// Settings without a mistake, and what should be said about them.
pub struct Loaded {
    /// The shared sections.
    pub settings: Settings,
    /// What somebody should know but nothing ends for, a sentence each.
    pub notices: Vec<String>,
    sections: BTreeMap<String, (Position, Table)>,
    main_file: Position,
}

impl Settings {
    /// Reads the shared sections, and those of all collectors where `from` knows which are installed.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load(from: &LoadFrom<'_>) -> Result<Loaded, Mistakes> {
        Ok(Loaded {
            settings: Settings {
                host: HostSettings { name: from.hostname.clone(), tags: BTreeMap::new(), dry_run: false },
                sinks: vec![SinkSettings {
                    name: "store".to_owned(),
                    only: Vec::new(),
                    except: Vec::new(),
                    kind: crate::SinkKind::Store,
                }],
                outbox: OutboxSettings { max_bytes: Size::mib(1024), keep_free: KeepFree::Usual, max_age: None },
                store: StoreSettings { keep: Span::days(15), max_bytes: Size::mib(1024) },
            },
            notices: Vec::new(),
            sections: BTreeMap::new(),
            main_file: Position::of_path(from.places.config(), 0),
        })
    }

    /// Reads the shared sections and a collector's own, and reports the mistakes of both together.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load_for<S: Section>(from: &LoadFrom<'_>, name: &str) -> Result<(Loaded, S), Mistakes> {
        let loaded = Settings::load(from)?;
        let section = loaded.collector(name)?;
        Ok((loaded, section))
    }
}

impl Loaded {
    /// The keys of `[collector.NAME]` that all collectors share.
    pub fn common(&self, _name: &str) -> CommonSection {
        CommonSection::default()
    }

    /// Whether `[collector.NAME]` is there.
    pub fn has_section(&self, name: &str) -> bool {
        self.sections.contains_key(name)
    }

    /// The collector's own keys.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn collector<S: Section>(&self, name: &str) -> Result<S, Mistakes> {
        let found = self.sections.get(name);
        let at = found.map_or(&self.main_file, |(at, _)| at).clone();
        let mut reader = SectionReader::new(format!("[collector.{name}]"), found.map(|(_, table)| table), at);
        let section = S::read(&mut reader);
        let known: Vec<&str> = S::KEYS.iter().chain(&COMMON_KEYS).map(|key| key.name).collect();
        Mistakes::check(reader.finish(&known))?;
        section.ok_or_else(|| crate::Mistake::new(self.main_file.clone(), "", "").into())
    }
}
