use tidemark_collect::{Description, SettingDescription};
use tidemark_settings::{KnownKey, Span};

use crate::Broken;

/// The longest description that is read, in bytes.
pub(crate) const LONGEST_DESCRIPTION: usize = 4 << 20;

/// The most of a wrong value that a message shows, in characters.
const SHOWN: usize = 80;

/// A description whose spans are understood.
#[derive(Clone, Debug)]
pub struct Described {
    /// All of it.
    pub description: Description,
    /// `run_interval`.
    pub run_interval: Span,
    /// `deadline`.
    pub deadline: Span,
}

impl Described {
    /// Understands the description of the collector called `name`, as `--describe` prints it and `NAME.json` holds it.
    /// Keys of a newer program are passed over.
    ///
    /// # Errors
    /// What is wrong with it, going on from where it came from.
    pub fn read(name: &str, text: &[u8]) -> Result<Described, Broken> {
        understand(name, text).map_err(|why| Broken::new(&why))
    }

    /// The collector's own keys, as the settings' check takes them.
    #[must_use]
    pub fn keys(&self) -> Vec<KnownKey> {
        keys(&self.description.settings)
    }
}

fn keys(described: &[SettingDescription]) -> Vec<KnownKey> {
    let keys = described.iter().map(|key| KnownKey {
        name: key.name.clone(),
        type_name: key.value_type.clone(),
        keys: keys(&key.keys),
    });
    keys.collect()
}

fn understand(name: &str, text: &[u8]) -> Result<Described, String> {
    if text.len() > LONGEST_DESCRIPTION {
        return Err(format!(
            "the description is longer than {} MiB",
            LONGEST_DESCRIPTION >> 20
        ));
    }
    let description: Description =
        serde_json::from_slice(text).map_err(|error| format!("this is no description: {error}"))?;
    if description.name != name {
        return Err(format!(
            "this describes {}, not {name:?}",
            shown(&description.name)
        ));
    }
    let span = |key: &str, text: &str| {
        text.parse::<Span>()
            .map_err(|error| format!("{key} {} is no time span: {error}", shown(text)))
    };
    let run_interval = span("run_interval", &description.run_interval)?;
    let deadline = span("deadline", &description.deadline)?;
    if !["on", "off"].contains(&description.default.as_str()) {
        return Err(format!(
            "default is {}, not \"on\" or \"off\"",
            shown(&description.default)
        ));
    }
    Ok(Described {
        description,
        run_interval,
        deadline,
    })
}

/// A value in quotes, not longer than a message should be.
fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = r#"{"name": "x", "summary": "X.", "version": "0.1.0", "run_interval": "1m",
        "deadline": "10m", "default": "on", "needs": {"network": false, "programs": [], "paths": []},
        "measurements": [], "settings": [], "later": 1}"#;

    fn why(text: &str) -> String {
        Described::read("x", text.as_bytes())
            .expect_err("broken")
            .to_string()
    }

    #[test]
    fn a_description_is_understood_with_keys_of_a_newer_program() {
        let described = Described::read("x", DESCRIPTION.as_bytes()).expect("a description");
        assert_eq!(described.run_interval, Span::minutes(1));
        assert_eq!(described.deadline, Span::minutes(10));
    }

    #[test]
    fn what_is_no_description_says_why() {
        assert!(why("").starts_with("this is no description: EOF"));
        assert!(why("{}").contains("missing field `name`"));
        assert_eq!(
            why(&DESCRIPTION.replace("\"x\"", "\"y\"")),
            "this describes \"y\", not \"x\""
        );
        assert!(why(&DESCRIPTION.replace("1m", "soon")).starts_with("run_interval \"soon\" is no time span"));
        assert!(why(&DESCRIPTION.replace("\"on\"", "\"maybe\"")).starts_with("default is \"maybe\""));
        let long = why(&DESCRIPTION.replace("\"x\"", &format!("{:?}", "y".repeat(1 << 20))));
        assert!(long.len() < 200, "{long}");
        assert_eq!(
            why(&" ".repeat(LONGEST_DESCRIPTION + 1)),
            "the description is longer than 4 MiB"
        );
    }
}
