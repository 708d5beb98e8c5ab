//! The types of sinks that there are: a row for each.

use super::{
    Influxdb2Settings, InfluxdbSettings, RemoteWriteSettings, SinkKind, TextfileSettings, influxdb,
    influxdb2, remote_write, textfile,
};
use crate::mistake::Mistakes;
use crate::suggestion::{listed, nearest, quoted};
use crate::value::Value;
use crate::{SectionReader, SettingValue};

/// A type of sink.
pub(super) struct Type {
    /// As `type` names it.
    pub(super) name: &'static str,
    /// The keys that it has besides those of every sink.
    pub(super) keys: &'static [&'static str],
    /// Reads them.
    pub(super) read: fn(&mut SectionReader<'_>) -> Option<SinkKind>,
}

static TYPES: [Type; 6] = [
    Type {
        name: "influxdb",
        keys: &influxdb::KEYS,
        read: |section| InfluxdbSettings::read(section).map(SinkKind::Influxdb),
    },
    Type {
        name: "influxdb2",
        keys: &influxdb2::KEYS,
        read: |section| Influxdb2Settings::read(section).map(SinkKind::Influxdb2),
    },
    Type {
        name: "remote-write",
        keys: &remote_write::KEYS,
        read: |section| RemoteWriteSettings::read(section).map(SinkKind::RemoteWrite),
    },
    Type {
        name: "textfile",
        keys: &textfile::KEYS,
        read: |section| TextfileSettings::read(section).map(SinkKind::Textfile),
    },
    Type {
        name: "store",
        keys: &[],
        read: |_| Some(SinkKind::Store),
    },
    Type {
        name: "discard",
        keys: &[],
        read: |_| Some(SinkKind::Discard),
    },
];

impl SettingValue for &'static Type {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"influxdb\"";

    fn read(value: &Value) -> Result<&'static Type, Mistakes> {
        let text = String::read(value)?;
        if let Some(known) = TYPES.iter().find(|known| known.name == text) {
            return Ok(known);
        }
        let names = TYPES.each_ref().map(|known| known.name);
        let what = format!("is {}, which is no type of sink", quoted(&text));
        let advice = match nearest(&text, &names) {
            Some(near) => format!("write \"{near}\" instead (there are {})", listed(&names)),
            None => format!("write one of {} instead", listed(&names)),
        };
        Err(value.mistake(what, advice).into())
    }
}
