//! The settings as a whole, from files and environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::mistake::{Mistake, Mistakes, Position};
use crate::shared::{COMMON_KEYS, CommonSection, HostSettings, OutboxSettings, StoreSettings};
use crate::sinks::{SinkKind, SinkSettings};
use crate::suggestion::{nearest, quoted};
use crate::tree::{Part, Tree};
use crate::{
    Environment, Key, NamedSecret, Places, Section, SectionReader, influxdb_variables, known, sinks,
};

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

/// A collector that is installed, as its description names its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCollector {
    /// The collector's name.
    pub name: String,
    /// Its own keys; none where nobody knows them, and then none is wrong.
    pub keys: Option<Vec<KnownKey>>,
}

/// A key of a collector's own, as its description has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub name: String,
    /// What its value is, as [`Key::type_name`](crate::Key::type_name) says it. A value of a type that is not known here
    /// is left to the collector.
    pub type_name: String,
    /// The keys of its table, or of each table of its list; empty where it is neither.
    pub keys: Vec<KnownKey>,
}

/// What the settings are read from.
pub struct LoadFrom<'a> {
    /// Where the files are.
    pub places: &'a Places,
    /// Where the `INFLUXDB_` variables are.
    pub environment: &'a dyn Environment,
    /// The host's name where `[host]` gives none.
    pub hostname: String,
    /// The collectors that are installed: then every `[collector.NAME]` is checked, by the names of its keys, and those
    /// of others are notices. `None` leaves them alone, as a single collector does.
    pub known_collectors: Option<&'a [KnownCollector]>,
}

/// Settings without a mistake, and what should be said about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The shared sections.
    pub settings: Settings,
    /// What somebody should know but nothing ends for, a sentence each.
    pub notices: Vec<String>,
    /// Whether neither files nor variables make a sink: the store is the one then.
    pub has_default_sink: bool,
    /// Why it is not known whether a collector brings a sink of its own; none where it is.
    pub sinks_in_doubt: Option<String>,
    collectors: Arc<Collectors>,
}

/// The `[collector.NAME]`s as they stand.
struct Collectors {
    sections: BTreeMap<String, Part>,
    /// Where a section that is missing would be written.
    main_file: Position,
}

impl fmt::Debug for Collectors {
    /// The names alone: what the sections hold may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.sections.keys()).finish()
    }
}

impl Settings {
    /// Reads the shared sections; and all `[collector.NAME]`s where `from` knows which collectors are installed.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load(from: &LoadFrom<'_>) -> Result<Loaded, Mistakes> {
        let mut draft = Draft::read(from);
        if let Some(known) = from.known_collectors {
            draft.check_collectors(known);
        }
        draft.finish()
    }

    /// Reads the shared sections and a collector's own, and reports the mistakes of both together.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load_for<S: Section>(from: &LoadFrom<'_>, name: &str) -> Result<(Loaded, S), Mistakes> {
        let mut draft = Draft::read(from);
        let (section, mistakes, notices) = draft.collectors.read::<S>(name);
        draft.mistakes.extend(mistakes);
        draft.notices.extend(notices);
        let loaded = draft.finish()?;
        let section = section.ok_or_else(|| loaded.collectors.gave_nothing(name))?;
        Ok((loaded, section))
    }
}

impl Loaded {
    /// The keys of `[collector.NAME]` that all collectors share; none are set where there is no such section. A key that
    /// is wrong counts as not set: [`Settings::load_for`] and the check of all collectors report it.
    pub fn common(&self, name: &str) -> CommonSection {
        let mut section = self.collectors.reader(name);
        CommonSection::read(&mut section)
    }

    /// Whether `[collector.NAME]` is there: then a collector whose default is off runs.
    pub fn has_section(&self, name: &str) -> bool {
        self.collectors.sections.contains_key(name)
    }

    /// The names of all `[collector.NAME]`s, sorted.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        self.collectors.sections.keys().map(String::as_str)
    }

    /// Where the secrets are that `[collector.NAME]` names, in its tables too. A value that is no secret is left out.
    pub fn secrets(&self, collector: &str, keys: &[KnownKey]) -> Vec<NamedSecret> {
        match self.collectors.sections.get(collector) {
            Some(part) => known::secrets(&part.table, keys),
            None => Vec::new(),
        }
    }

    /// The path that a key of `[collector.NAME]` names; none where the key is not set, or is no path.
    pub fn path(&self, collector: &str, key: &str) -> Option<PathBuf> {
        self.collectors.reader(collector).optional(key).flatten()
    }

    /// Where a key of `[collector.NAME]` is written; none where it is not.
    pub fn place(&self, collector: &str, key: &str) -> Option<&Position> {
        let part = self.collectors.sections.get(collector)?;
        Some(&part.table.get(key)?.key_at)
    }

    /// Adds a sink that takes the batches of that collector alone, where neither files nor variables make one; the store
    /// then takes those of the others. Where they do, the sink is left out. A sink of that name which was added before is
    /// replaced. Whether the sink counts; then what somebody should know about its server is a notice, as of any sink.
    pub fn add_collector_sink(&mut self, collector: &str, sink: SinkSettings) -> bool {
        if !self.has_default_sink {
            return false;
        }
        let sinks = &mut self.settings.sinks;
        sinks.retain(|other| other.name != sink.name || matches!(other.kind, SinkKind::Store));
        for store in sinks
            .iter_mut()
            .filter(|sink| matches!(sink.kind, SinkKind::Store))
        {
            if !store.except.iter().any(|name| name == collector) {
                store.except.push(collector.to_owned());
            }
        }
        let server = sink.kind.server().into_iter();
        for warning in server.flat_map(|server| server.warnings(&sink.name)) {
            if !self.notices.contains(&warning) {
                self.notices.push(warning);
            }
        }
        sinks.push(SinkSettings {
            only: vec![collector.to_owned()],
            except: Vec::new(),
            ..sink
        });
        true
    }

    /// What is wrong with the `[collector.NAME]`s, and what should be said of them, by what is known of the collectors
    /// that are installed. [`Settings::load`] does the same, where these are known by then.
    pub fn check_collectors(&self, known: &[KnownCollector]) -> (Option<Mistakes>, Vec<String>) {
        let (mistakes, notices) = self.collectors.check(known, &self.settings.sinks);
        (Mistakes::check(mistakes).err(), notices)
    }

    /// The collector's own keys.
    ///
    /// # Errors
    /// Every mistake in its section.
    pub fn collector<S: Section>(&self, name: &str) -> Result<S, Mistakes> {
        let (section, mistakes, _) = self.collectors.read::<S>(name);
        Mistakes::check(mistakes)?;
        section.ok_or_else(|| self.collectors.gave_nothing(name).into())
    }
}

impl Collectors {
    fn reader(&self, name: &str) -> SectionReader<'_> {
        let part = self.sections.get(name);
        let at = part.map_or(&self.main_file, |part| &part.at).clone();
        SectionReader::new(format!("[collector.{name}]"), part.map(|part| &part.table), at)
    }

    fn read<S: Section>(&self, name: &str) -> (Option<S>, Vec<Mistake>, Vec<String>) {
        const {
            assert!(
                are_own(S::KEYS),
                "a key of the section is one that every collector's section has"
            )
        }
        let mut reader = self.reader(name);
        CommonSection::read(&mut reader);
        let section = S::read(&mut reader);
        let known: Vec<&str> = S::KEYS.iter().chain(&COMMON_KEYS).map(|key| key.name).collect();
        let (mistakes, notices) = reader.finish(Some(&known));
        (section, mistakes, notices)
    }

    /// What is wrong with every section, and what to say of those of collectors that are not installed.
    fn check(&self, known: &[KnownCollector], sinks: &[SinkSettings]) -> (Vec<Mistake>, Vec<String>) {
        let (mut mistakes, mut notices) = (Vec::new(), Vec::new());
        let names: Vec<&str> = known.iter().map(|collector| collector.name.as_str()).collect();
        let like = |name: &str| match nearest(name, &names) {
            Some(near) => format!("; {} is", quoted(near)),
            None => String::new(),
        };
        for (name, part) in &self.sections {
            let Some(collector) = known.iter().find(|collector| collector.name == *name) else {
                let at = &part.at;
                let like = like(name);
                notices.push(format!(
                    "{at}: [collector.{name}] is not used: no such collector is installed{like}"
                ));
                continue;
            };
            let mut reader = self.reader(name);
            CommonSection::read(&mut reader);
            let own = collector.keys.as_deref().unwrap_or_default();
            known::read(&mut reader, own);
            let keys: Vec<&str> = own
                .iter()
                .map(|key| key.name.as_str())
                .chain(COMMON_KEYS.iter().map(|key| key.name))
                .collect();
            let (found, said) = reader.finish(collector.keys.as_ref().map(|_| keys.as_slice()));
            mistakes.extend(found);
            notices.extend(said);
        }
        for sink in sinks {
            let named = sink.only.iter().chain(&sink.except);
            for name in named.filter(|name| !names.contains(&name.as_str())) {
                let like = like(name);
                notices.push(format!(
                    "the sink {} names `{name}`: no such collector is installed{like}",
                    sink.name
                ));
            }
        }
        (mistakes, notices)
    }

    /// What a section says that gives nothing and notes no mistake: a fault of its `Section::read`.
    fn gave_nothing(&self, name: &str) -> Mistake {
        let what = format!("[collector.{name}] was not understood");
        Mistake::new(self.main_file.clone(), what, "report this fault of the collector")
    }
}

/// Whether none of the keys is one that every collector's section has.
const fn are_own(mut keys: &[Key]) -> bool {
    while let [key, rest @ ..] = keys {
        let mut common: &[Key] = &COMMON_KEYS;
        while let [other, others @ ..] = common {
            if is_same(key.name.as_bytes(), other.name.as_bytes()) {
                return false;
            }
            common = others;
        }
        keys = rest;
    }
    true
}

const fn is_same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([x, rest @ ..], [y, others @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (rest, others);
    }
    a.is_empty() && b.is_empty()
}

/// Settings on the way, with their mistakes.
struct Draft {
    host: Option<HostSettings>,
    sinks: Vec<SinkSettings>,
    has_default_sink: bool,
    outbox: Option<OutboxSettings>,
    store: Option<StoreSettings>,
    collectors: Collectors,
    mistakes: Vec<Mistake>,
    notices: Vec<String>,
}

impl Draft {
    fn read(from: &LoadFrom<'_>) -> Draft {
        let Tree {
            main_file,
            single,
            collectors,
            sinks,
            has_sinks,
            mut mistakes,
        } = Tree::read(from.places);
        let mut notices = Vec::new();
        let (sinks, has_default_sink) = if has_sinks {
            notices.extend(influxdb_variables::ignored(from.environment));
            (sinks::read(&sinks, &mut mistakes, &mut notices), false)
        } else {
            match influxdb_variables::sink(from.environment, &mut mistakes) {
                Some(sink) => (vec![sink], false),
                None => (vec![SinkSettings::store()], true),
            }
        };
        let collectors = Collectors {
            sections: collectors,
            main_file,
        };
        let section = |name: &str| {
            let part = single.get(name);
            let at = part.map_or(&collectors.main_file, |part| &part.at).clone();
            SectionReader::new(format!("[{name}]"), part.map(|part| &part.table), at)
        };
        let mut end = |section: SectionReader<'_>, keys: &[&str]| {
            let (found, said) = section.finish(Some(keys));
            mistakes.extend(found);
            notices.extend(said);
        };

        let mut reader = section("host");
        let host = HostSettings::read(&mut reader, &from.hostname);
        end(reader, &HostSettings::KEYS);
        let mut reader = section("outbox");
        let outbox = OutboxSettings::read(&mut reader);
        end(reader, &OutboxSettings::KEYS);
        let mut reader = section("store");
        let store = StoreSettings::read(&mut reader);
        end(reader, &StoreSettings::KEYS);
        Draft {
            host,
            sinks,
            has_default_sink,
            outbox,
            store,
            collectors,
            mistakes,
            notices,
        }
    }

    /// Checks every `[collector.NAME]` by what is known of the collectors that are installed.
    fn check_collectors(&mut self, known: &[KnownCollector]) {
        let (mistakes, notices) = self.collectors.check(known, &self.sinks);
        self.mistakes.extend(mistakes);
        self.notices.extend(notices);
    }

    fn finish(self) -> Result<Loaded, Mistakes> {
        Mistakes::check(self.mistakes)?;
        let collectors = Arc::new(self.collectors);
        let (Some(host), Some(outbox), Some(store)) = (self.host, self.outbox, self.store) else {
            return Err(collectors.gave_nothing("NAME").into());
        };
        Ok(Loaded {
            settings: Settings {
                host,
                sinks: self.sinks,
                outbox,
                store,
            },
            notices: self.notices,
            has_default_sink: self.has_default_sink,
            sinks_in_doubt: None,
            collectors,
        })
    }
}
