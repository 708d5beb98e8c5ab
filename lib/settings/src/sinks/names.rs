//! Names in a `[[sink]]`: its type, its own name, and the collectors that it takes or leaves.

use crate::SettingValue;
use crate::mistake::Mistakes;
use crate::suggestion::{listed, nearest, quoted};
use crate::tree::{is_name, is_name_text};
use crate::value::Value;

/// The types, as `type` names them.
const TYPES: [&str; 6] = [
    "influxdb",
    "influxdb2",
    "remote-write",
    "textfile",
    "store",
    "discard",
];

/// A type of sink that there is.
#[derive(Copy, Clone)]
pub(super) struct Type(pub(super) &'static str);

impl SettingValue for Type {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"influxdb\"";

    fn read(value: &Value) -> Result<Type, Mistakes> {
        let text = String::read(value)?;
        if let Some(known) = TYPES.into_iter().find(|known| *known == text) {
            return Ok(Type(known));
        }
        let what = format!("is {}, which is no type of sink", quoted(&text));
        let advice = match nearest(&text, &TYPES) {
            Some(near) => format!("write \"{near}\" instead (there are {})", listed(&TYPES)),
            None => format!("write one of {} instead", listed(&TYPES)),
        };
        Err(value.mistake(what, advice).into())
    }
}

/// The name of a sink.
pub(super) struct SinkName(pub(super) String);

impl SettingValue for SinkName {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"main\"";

    fn read(value: &Value) -> Result<SinkName, Mistakes> {
        let text = String::read(value)?;
        if is_name_text(&text) {
            return Ok(SinkName(text));
        }
        let what = format!("is {}, which is no name of a sink", quoted(&text));
        Err(value
            .mistake(what, "write small letters, digits and - instead")
            .into())
    }
}

/// The name that a collector may have.
pub(super) struct CollectorName(pub(super) String);

impl SettingValue for CollectorName {
    const TYPE: &'static str = String::TYPE;
    const LIST_TYPE: &'static str = "list of collectors";
    const EXAMPLE: &'static str = "\"host\"";

    fn read(value: &Value) -> Result<CollectorName, Mistakes> {
        let text = String::read(value)?;
        if is_name(&text) {
            return Ok(CollectorName(text));
        }
        let what = format!("is {}, which is no name of a collector", quoted(&text));
        Err(value
            .mistake(
                what,
                "write small letters, digits and -, beginning with a letter, instead",
            )
            .into())
    }
}

/// The collectors of `only`: some.
pub(super) struct Only(pub(super) Vec<String>);

impl SettingValue for Only {
    const TYPE: &'static str = CollectorName::LIST_TYPE;
    const EXAMPLE: &'static str = "[\"host\"]";

    fn read(value: &Value) -> Result<Only, Mistakes> {
        let names = Vec::<CollectorName>::read(value)?;
        if names.is_empty() {
            return Err(value
                .mistake(
                    "is empty, so the sink would take nothing",
                    "name collectors, or remove it",
                )
                .into());
        }
        Ok(Only(names.into_iter().map(|CollectorName(name)| name).collect()))
    }
}
