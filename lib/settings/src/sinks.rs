//! The sinks that are configured.

mod influxdb;
mod influxdb2;
mod names;
mod remote_write;
mod server;
mod textfile;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use influxdb::InfluxdbSettings;
pub use influxdb2::Influxdb2Settings;
use names::{CollectorName, Only, SinkName};
pub use remote_write::{RemoteWriteCredentials, RemoteWriteSettings};
pub(crate) use server::Server;
pub use textfile::TextfileSettings;
use types::Type;

use crate::SectionReader;
use crate::mistake::{Mistake, Position};
use crate::suggestion::quoted;
use crate::tree::Part;
use crate::value::Value;

/// A `[[sink]]`.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// Its name: its type where none is given; unique.
    pub name: String,
    /// Where not empty, the collectors whose batches it takes.
    pub only: Vec<String>,
    /// The collectors whose batches it does not take.
    pub except: Vec<String>,
    /// What kind it is, with what that kind needs.
    pub kind: SinkKind,
}

impl SinkSettings {
    /// The store: the sink where no other is configured.
    pub(crate) fn store() -> SinkSettings {
        SinkSettings {
            name: "store".to_owned(),
            only: Vec::new(),
            except: Vec::new(),
            kind: SinkKind::Store,
        }
    }

    /// Whether it takes the batches of this collector.
    #[must_use]
    pub fn takes(&self, collector: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == collector);
        (self.only.is_empty() || named(&self.only)) && !named(&self.except)
    }
}

/// The kinds of sink.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SinkKind {
    /// InfluxDB 1.x.
    Influxdb(InfluxdbSettings),
    /// InfluxDB 2.x, and what takes its writes.
    Influxdb2(Influxdb2Settings),
    /// What takes Prometheus remote write 1.0.
    RemoteWrite(RemoteWriteSettings),
    /// Files that node_exporter reads.
    Textfile(TextfileSettings),
    /// The embedded store.
    Store,
    /// Nowhere: every batch is taken and forgotten.
    Discard,
}

impl SinkKind {
    /// The kind as `type` names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SinkKind::Influxdb(_) => "influxdb",
            SinkKind::Influxdb2(_) => "influxdb2",
            SinkKind::RemoteWrite(_) => "remote-write",
            SinkKind::Textfile(_) => "textfile",
            SinkKind::Store => "store",
            SinkKind::Discard => "discard",
        }
    }

    pub(crate) fn server(&self) -> Option<Server<'_>> {
        match self {
            SinkKind::Influxdb(influxdb) => Some(influxdb.server()),
            SinkKind::Influxdb2(influxdb2) => Some(influxdb2.server()),
            SinkKind::RemoteWrite(remote_write) => Some(remote_write.server()),
            SinkKind::Textfile(_) | SinkKind::Store | SinkKind::Discard => None,
        }
    }
}

/// The keys of every sink.
const KEYS: [&str; 4] = ["name", "type", "only", "except"];

/// Reads the `[[sink]]`s; gives those that are right.
pub(crate) fn read(
    parts: &[Part],
    mistakes: &mut Vec<Mistake>,
    notices: &mut Vec<String>,
) -> Vec<SinkSettings> {
    let mut sinks = Vec::new();
    let mut taken = Taken::default();
    for part in parts {
        let mut section = SectionReader::new("[[sink]]".to_owned(), Some(&part.table), part.at.clone());
        let of_type = section.required::<&Type>("type");
        let sink = one(&mut section, of_type);
        // Where it has no type that there is, nobody knows which keys are right.
        let known = of_type.map(|of_type| [KEYS.as_slice(), of_type.keys].concat());
        if let Some(of_type) = of_type {
            section.rename(format!("a sink of type {}", of_type.name));
        }
        let (found, said) = section.finish(known.as_deref());
        mistakes.extend(found);
        notices.extend(said);
        mistakes.extend(taken.take(part, sink.as_ref()));
        if let Some(sink) = sink {
            let server = sink.kind.server();
            notices.extend(server.into_iter().flat_map(|server| server.warnings(&sink.name)));
            sinks.push(sink);
        }
    }
    sinks
}

/// What one sink alone may have, with the place of the sink that has it.
#[derive(Default)]
struct Taken {
    names: BTreeMap<String, Position>,
    store: Option<Position>,
    directories: BTreeMap<PathBuf, Position>,
}

impl Taken {
    /// Takes what a sink has; what another has already is a mistake.
    ///
    /// A name and the store count even where the rest of their sink is wrong, and there is no `sink`.
    fn take(&mut self, part: &Part, sink: Option<&SinkSettings>) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let value = |key| part.table.get(key).map(|entry| &entry.value);
        let text = |key| value(key).and_then(Value::as_str);
        let given = if value("name").is_some() { "name" } else { "type" };
        if let (Some(name), Some(value)) = (text(given), value(given))
            && let Some(first) = self.names.insert(name.to_owned(), part.at.clone())
        {
            let what = format!("the name {} is that of another sink, at", quoted(name));
            let advice = "write a name = \"…\" of its own in each";
            mistakes.push(Mistake::new(value.at.clone(), what, advice).beside(first));
        }
        if text("type") == Some("store")
            && let Some(first) = self.store.replace(part.at.clone())
        {
            let what = "there is one store, and it is a sink already, at";
            mistakes.push(Mistake::new(part.at.clone(), what, "remove one of them").beside(first));
        }
        if let Some(SinkKind::Textfile(TextfileSettings { directory })) = sink.map(|sink| &sink.kind)
            && let Some(first) = self.directories.insert(directory.clone(), part.at.clone())
        {
            let what = "the directory is that of another sink, at";
            let advice = "write another one, or remove one of them";
            let at = value("directory").map_or(&part.at, |value| &value.at);
            mistakes.push(Mistake::new(at.clone(), what, advice).beside(first));
        }
        mistakes
    }
}

/// Reads every key of a sink, whether there is such a type or not.
fn one(section: &mut SectionReader<'_>, of_type: Option<&Type>) -> Option<SinkSettings> {
    let name = section.optional::<SinkName>("name");
    let only = section.optional::<Only>("only");
    let except = section.optional::<Vec<CollectorName>>("except");
    let kind = of_type.and_then(|of_type| (of_type.read)(section));
    let only = only?.map(|Only(names)| names).unwrap_or_default();
    let except: Vec<String> = except?
        .unwrap_or_default()
        .into_iter()
        .map(|CollectorName(name)| name)
        .collect();
    if let (Some(both), Some(value)) = (
        except.iter().find(|name| only.contains(name)),
        section.value("except"),
    ) {
        let what = format!("`except` names `{both}`, which `only` names too");
        section.mistake(value.mistake(what, "remove it from one of them"));
        return None;
    }
    Some(SinkSettings {
        name: name?.map_or_else(
            || of_type.map_or("", |of_type| of_type.name).to_owned(),
            |SinkName(name)| name,
        ),
        only,
        except,
        kind: kind?,
    })
}
