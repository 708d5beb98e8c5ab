//! Names in a `[[sink]]`: its own, and those of the collectors that it takes or leaves.

use crate::SettingValue;
use crate::mistake::Mistakes;
use crate::suggestion::quoted;
use crate::tree::{is_name, is_name_text};
use crate::value::Value;

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
