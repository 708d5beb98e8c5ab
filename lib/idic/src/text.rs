//! Texts of the file: names, secrets and ports.

use tidemark_settings::{Mistakes, Position, SecretSource, SettingValue, Value};

/// What a secret begins with that is in an environment variable.
const ENVIRONMENT: &str = "$env:";

/// A text and its place.
pub(crate) struct Placed {
    pub(crate) text: String,
    pub(crate) at: Position,
}

impl SettingValue for Placed {
    const TYPE: &'static str = String::TYPE;
    const LIST_TYPE: &'static str = String::LIST_TYPE;
    const EXAMPLE: &'static str = "\"NAME\"";

    fn read(value: &Value) -> Result<Placed, Mistakes> {
        Ok(Placed {
            text: Name::read(value)?.0,
            at: value.place().clone(),
        })
    }
}

/// A text that is not empty, and on one line.
pub(crate) struct Name(pub(crate) String);

impl SettingValue for Name {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"NAME\"";

    fn read(value: &Value) -> Result<Name, Mistakes> {
        let name = String::read(value)?;
        let what = if name.trim().is_empty() {
            "is empty"
        } else if name.chars().any(char::is_control) {
            "holds a control character"
        } else {
            return Ok(Name(name));
        };
        Err(value.mistake(what, "write a text on one line instead").into())
    }
}

/// A password or a token: itself, or `$env:` and the name of a variable.
pub(crate) struct Hidden {
    pub(crate) source: SecretSource,
    pub(crate) at: Position,
}

impl SettingValue for Hidden {
    const TYPE: &'static str = "secret";
    const EXAMPLE: &'static str = "\"$env:NAME\"";

    fn read(value: &Value) -> Result<Hidden, Mistakes> {
        const ADVICE: &str = "write a text in quotes, or \"$env:NAME\", instead";
        let text = value
            .as_str()
            .ok_or_else(|| value.wrong_kind("a string", ADVICE))?;
        let source = match text.strip_prefix(ENVIRONMENT) {
            Some(name) if is_variable_name(name) => SecretSource::Environment(name.to_owned()),
            Some(_) => {
                let what = "begins with $env: and goes on with what is no name of an environment variable";
                return Err(value
                    .mistake(what, "write a name of letters, digits and _ instead")
                    .into());
            }
            None if text.is_empty() => return Err(value.mistake("is empty", ADVICE).into()),
            None => SecretSource::read(value)?,
        };
        Ok(Hidden {
            source,
            at: value.place().clone(),
        })
    }
}

fn is_variable_name(name: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(ok) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// A port as a number or, as the back ends have it, as a string of digits.
#[derive(Copy, Clone)]
pub(crate) struct Port(pub(crate) u16);

impl SettingValue for Port {
    const TYPE: &'static str = "port";
    const EXAMPLE: &'static str = "\"8086\"";

    fn read(value: &Value) -> Result<Port, Mistakes> {
        const ADVICE: &str = "write a number from 1 to 65535, such as \"8086\", instead";
        let number = match (value.as_integer(), value.as_str()) {
            (Some(number), _) => u16::try_from(number).ok(),
            (None, Some(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            (None, Some(_)) => None,
            (None, None) => return Err(value.wrong_kind("a port", ADVICE).into()),
        };
        match number.filter(|port| *port > 0) {
            Some(port) => Ok(Port(port)),
            None => Err(value.mistake("is no port", ADVICE).into()),
        }
    }
}
