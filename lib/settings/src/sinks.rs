//! The sinks that are configured.

mod influxdb;
mod influxdb2;
mod names;
mod remote_write;
mod server;
mod textfile;

use std::collections::BTreeMap;

pub use influxdb::InfluxdbSettings;
pub use influxdb2::Influxdb2Settings;
use names::{CollectorName, Only, SinkName, Type};
pub use remote_write::{RemoteWriteCredentials, RemoteWriteSettings};
use server::Server;
pub use textfile::TextfileSettings;

use crate::mistake::Mistake;
use crate::suggestion::quoted;
use crate::tree::Part;
use crate::{SectionReader, SettingValue as _};

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

    fn server(&self) -> Option<Server<'_>> {
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

/// The keys that a type has besides.
fn keys(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "influxdb" => &influxdb::KEYS,
        "influxdb2" => &influxdb2::KEYS,
        "remote-write" => &remote_write::KEYS,
        "textfile" => &textfile::KEYS,
        _ => &[],
    }
}

/// Reads the `[[sink]]`s; gives those that are right.
pub(crate) fn read(
    parts: &[Part],
    mistakes: &mut Vec<Mistake>,
    notices: &mut Vec<String>,
) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    let mut names = BTreeMap::new();
    let mut store = None;
    let mut directories = BTreeMap::new();
    for part in parts {
        let mut section = SectionReader::new("[[sink]]".to_owned(), Some(&part.table), part.at.clone());
        let sink = one(&mut section);
        // Where it has no type that there is, nobody knows which keys are right.
        let type_name = section
            .value("type")
            .and_then(|value| Type::read(value).ok())
            .map(|Type(name)| name);
        let known = type_name.map(|name| [KEYS.as_slice(), keys(name)].concat());
        if let Some(name) = type_name {
            section.rename(format!("a sink of type {name}"));
        }
        let (found, said) = section.finish(known.as_deref());
        mistakes.extend(found);
        notices.extend(said);

        // A name counts even where the rest of its sink is wrong.
        let given = part.table.get("name").or_else(|| part.table.get("type"));
        if let Some((name, entry)) = given.and_then(|entry| Some((entry.value.as_str()?, entry)))
            && let Some(first) = names.insert(name.to_owned(), part.at.clone())
        {
            let what = format!("the name {} is that of another sink, at", quoted(name));
            let advice = "write a name = \"…\" of its own in each";
            mistakes.push(Mistake::new(entry.value.at.clone(), what, advice).beside(first));
        }
        if part.table.get("type").and_then(|entry| entry.value.as_str()) == Some("store")
            && let Some(first) = store.replace(part.at.clone())
        {
            let what = "there is one store, and it is a sink already, at";
            mistakes.push(Mistake::new(part.at.clone(), what, "remove one of them").beside(first));
        }
        if let Some(sink) = sink {
            let server = sink.kind.server();
            notices.extend(server.into_iter().flat_map(|server| server.warnings(&sink.name)));
            if let SinkKind::Textfile(TextfileSettings { directory }) = &sink.kind
                && let Some(first) = directories.insert(directory.clone(), part.at.clone())
            {
                let what = "the directory is that of another sink, at";
                let at = part
                    .table
                    .get("directory")
                    .map_or(&part.at, |entry| &entry.value.at);
                mistakes.push(
                    Mistake::new(at.clone(), what, "write another one, or remove one of them").beside(first),
                );
            }
            sinks.push(sink);
        }
    }
    sinks
}

fn one(section: &mut SectionReader<'_>) -> Option<SinkSettings> {
    let type_name = section.required::<Type>("type");
    let name = section.optional::<SinkName>("name");
    let only = section.optional::<Only>("only");
    let except = section.optional::<Vec<CollectorName>>("except");
    let kind = match type_name {
        Some(Type("influxdb")) => InfluxdbSettings::read(section).map(SinkKind::Influxdb),
        Some(Type("influxdb2")) => Influxdb2Settings::read(section).map(SinkKind::Influxdb2),
        Some(Type("remote-write")) => RemoteWriteSettings::read(section).map(SinkKind::RemoteWrite),
        Some(Type("textfile")) => TextfileSettings::read(section).map(SinkKind::Textfile),
        Some(Type("store")) => Some(SinkKind::Store),
        Some(Type(_)) => Some(SinkKind::Discard),
        None => None,
    };
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
            || type_name.map_or("", |Type(name)| name).to_owned(),
            |SinkName(name)| name,
        ),
        only,
        except,
        kind: kind?,
    })
}
