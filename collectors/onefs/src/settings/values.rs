//! Values of keys that are no plain text or number.

use tidemark_collect::settings::{Literal, Mistake, Mistakes, SettingValue, Value};
use tidemark_papi::{Address, AuthType};

use crate::group::Pace;

/// What stands there as one of these words.
fn one_of<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, Mistakes> {
    let names: Vec<String> = words.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let advice = || format!("write one of {} instead", names.join(", "));
    let text = text(value, advice)?;
    let found = words.iter().find(|(name, _)| *name == text);
    let (_, meant) = found.ok_or_else(|| value.mistake("is none of the words that it may be", advice()))?;
    Ok(*meant)
}

fn text(value: &Value, advice: impl Fn() -> String) -> Result<&str, Mistake> {
    value
        .as_str()
        .ok_or_else(|| value.wrong_kind("a string", advice()))
}

/// The address of a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hostname(pub Address);

impl SettingValue for Hostname {
    const TYPE: &'static str = "string";
    const EXAMPLE: &'static str = "\"cluster.example.com\"";
    const LITERAL: Literal = Literal::String;

    fn read(value: &Value) -> Result<Self, Mistakes> {
        let advice = || format!("write {} instead", Self::EXAMPLE);
        let address = text(value, advice)?.parse().map(Self);
        Ok(address
            .map_err(|error| value.mistake(format!("is no address of a cluster: {error}"), advice()))?)
    }
}

/// How a cluster is logged in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Authtype {
    /// By a session, which is renewed.
    #[default]
    Session,
    /// With user and password at each request.
    Basic,
}

impl From<Authtype> for AuthType {
    fn from(authtype: Authtype) -> Self {
        match authtype {
            Authtype::Session => Self::Session,
            Authtype::Basic => Self::Basic,
        }
    }
}

impl SettingValue for Authtype {
    const TYPE: &'static str = "string";
    const EXAMPLE: &'static str = "\"session\"";
    const LITERAL: Literal = Literal::String;

    fn read(value: &Value) -> Result<Self, Mistakes> {
        one_of(value, &[("session", Self::Session), ("basic-auth", Self::Basic)])
    }
}

/// What is worked out over the nodes of a cluster.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Function {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Function {
    /// As it is written in settings, and at the end of a measurement's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

impl SettingValue for Function {
    const TYPE: &'static str = "string";
    const LIST_TYPE: &'static str = "list of strings";
    const EXAMPLE: &'static str = "\"sum\"";
    const LITERAL: Literal = Literal::String;

    fn read(value: &Value) -> Result<Self, Mistakes> {
        one_of(
            value,
            &[Self::Sum, Self::Avg, Self::Min, Self::Max].map(|function| (function.as_str(), function)),
        )
    }
}

impl SettingValue for Pace {
    const TYPE: &'static str = "string";
    const EXAMPLE: &'static str = "\"*\"";
    const LITERAL: Literal = Literal::String;

    fn read(value: &Value) -> Result<Self, Mistakes> {
        let advice = || "write \"*\", \"*2\" or a time span like \"30s\" instead".to_owned();
        let pace = text(value, advice)?.parse();
        Ok(pace.map_err(|error: crate::group::NoPace| value.mistake(error.to_string(), advice()))?)
    }
}
