//! The types that a key can have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use url::Url;

use crate::mistake::{Mistake, Mistakes};
use crate::nested::Nesting;
use crate::suggestion::quoted;
use crate::value::Value;
use crate::{Key, Literal, Size, Span};

/// A type that a key of the settings can have.
pub trait SettingValue: Sized {
    /// What people call it: `string`, `time span`.
    const TYPE: &'static str;
    /// What people call a list of them.
    const LIST_TYPE: &'static str = "list";
    /// A value as one would write it in the file, quotes included.
    const EXAMPLE: &'static str;
    /// What a default is written as; one that is written otherwise does not compile.
    const LITERAL: Literal = Literal::Any;
    /// The keys of the table that it is; none where it is no table with keys of its own.
    const TABLE: Option<&'static [Key]> = None;
    /// The keys of that table, or of each table in the list that it is.
    const KEYS_BELOW: &'static [Key] = match Self::TABLE {
        Some(keys) => keys,
        None => &[],
    };

    /// Takes the value as it stands in the file.
    ///
    /// # Errors
    /// Every mistake in it, made by [`Value::mistake`] and [`Value::wrong_kind`].
    fn read(value: &Value) -> Result<Self, Mistakes>;

    /// As [`SettingValue::read`], where it is known what holds the value. What is made of other values reads them this
    /// way.
    ///
    /// # Errors
    /// As [`SettingValue::read`].
    fn read_in(value: &Value, _nesting: &mut Nesting<'_>) -> Result<Self, Mistakes> {
        Self::read(value)
    }
}

fn advice<T: SettingValue>() -> String {
    format!("write a {} like {} instead", T::TYPE, T::EXAMPLE)
}

fn text<T: SettingValue>(value: &Value) -> Result<&str, Mistake> {
    value
        .as_str()
        .ok_or_else(|| value.wrong_kind(&format!("a {}", T::TYPE), advice::<T>()))
}

impl SettingValue for bool {
    const TYPE: &'static str = "boolean";
    const LIST_TYPE: &'static str = "list of booleans";
    const EXAMPLE: &'static str = "true";
    const LITERAL: Literal = Literal::Boolean;

    fn read(value: &Value) -> Result<bool, Mistakes> {
        Ok(value
            .as_bool()
            .ok_or_else(|| value.wrong_kind("a boolean", "write true or false instead"))?)
    }
}

macro_rules! integers {
    ($($type:ty: $min:expr, $max:expr;)*) => {$(
        impl SettingValue for $type {
            const TYPE: &'static str = "integer";
            const LIST_TYPE: &'static str = "list of integers";
            const EXAMPLE: &'static str = "10";
            const LITERAL: Literal = Literal::Integer {
                min: $min,
                max: $max,
            };

            fn read(value: &Value) -> Result<$type, Mistakes> {
                let number = value
                    .as_integer()
                    .ok_or_else(|| value.wrong_kind("an integer", "write a number like 10 instead"))?;
                Ok(<$type>::try_from(number).map_err(|_| {
                    value.mistake(
                        "is out of range",
                        format!("write a number from {} to {} instead", <$type>::MIN, <$type>::MAX),
                    )
                })?)
            }
        }
    )*};
}
integers! {
    i64: i64::MIN, i64::MAX;
    u64: 0, i64::MAX;
    u32: 0, u32::MAX as i64;
    u16: 0, u16::MAX as i64;
}

impl SettingValue for f64 {
    const TYPE: &'static str = "number";
    const LIST_TYPE: &'static str = "list of numbers";
    const EXAMPLE: &'static str = "0.5";
    const LITERAL: Literal = Literal::Number;

    /// Integers too; but neither an infinite number nor `nan`.
    fn read(value: &Value) -> Result<f64, Mistakes> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "somebody who writes an integer here means the nearest float"
        )]
        let number = value
            .as_float()
            .or(value.as_integer().map(|number| number as f64));
        let number = number.ok_or_else(|| value.wrong_kind("a number", advice::<f64>()))?;
        if !number.is_finite() {
            return Err(value.mistake("is not a finite number", advice::<f64>()).into());
        }
        Ok(number)
    }
}

impl SettingValue for String {
    const TYPE: &'static str = "string";
    const LIST_TYPE: &'static str = "list of strings";
    const EXAMPLE: &'static str = "\"text\"";
    const LITERAL: Literal = Literal::String;

    fn read(value: &Value) -> Result<String, Mistakes> {
        let text = value
            .as_str()
            .ok_or_else(|| value.wrong_kind("a string", "write it in quotes instead"))?;
        Ok(text.to_owned())
    }
}

impl SettingValue for PathBuf {
    const TYPE: &'static str = "path";
    const LIST_TYPE: &'static str = "list of paths";
    const EXAMPLE: &'static str = "\"/path/to/it\"";
    const LITERAL: Literal = Literal::String;

    /// Absolute: a relative one would mean something else in each program's working folder. Without `..` and control
    /// characters: neither can stand in a unit that opens the path to a collector.
    fn read(value: &Value) -> Result<PathBuf, Mistakes> {
        let text = text::<PathBuf>(value)?;
        if !text.starts_with('/') {
            return Err(value
                .mistake("is not an absolute path", "write one that begins with / instead")
                .into());
        }
        if text.chars().any(char::is_control) {
            return Err(value
                .mistake("holds a control character", advice::<PathBuf>())
                .into());
        }
        if text.split('/').any(|name| name == "..") {
            return Err(value.mistake("holds `..`", "write the path without").into());
        }
        Ok(PathBuf::from(text))
    }
}

impl SettingValue for Url {
    const TYPE: &'static str = "URL";
    const LIST_TYPE: &'static str = "list of URLs";
    const EXAMPLE: &'static str = "\"https://example.com/\"";
    const LITERAL: Literal = Literal::String;

    /// `http` and `https` alone, and without a user: a password in it would show in every log.
    fn read(value: &Value) -> Result<Url, Mistakes> {
        Ok(url::<Url>(value)?)
    }
}

/// A URL, with advice that shows one of `T`'s. The text is never quoted, as it may hold a password.
pub(crate) fn url<T: SettingValue>(value: &Value) -> Result<Url, Mistake> {
    let text = text::<T>(value)?;
    let url = Url::parse(text).map_err(|error| {
        // Programs are kept small without the tables that names beyond ASCII need.
        let advice = match error {
            url::ParseError::IdnaError if !text.is_ascii() => {
                "write a host's name beyond ASCII in its ASCII form instead: xn--…".to_owned()
            }
            _ => advice::<T>(),
        };
        value.mistake(format!("is not a URL: {error}"), advice)
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(value.mistake("is a URL of another kind than http or https", advice::<T>()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let advice = "write the user and the password as keys of their own instead";
        return Err(value.mistake("holds a user or a password", advice));
    }
    Ok(url)
}

impl SettingValue for Span {
    const TYPE: &'static str = "time span";
    const LIST_TYPE: &'static str = "list of time spans";
    const EXAMPLE: &'static str = "\"5m\"";
    const LITERAL: Literal = Literal::StringOrCount;

    /// A string in systemd's grammar, or a bare integer of seconds.
    fn read(value: &Value) -> Result<Span, Mistakes> {
        const ADVICE: &str = "write a time span like \"30s\", \"5m\" or \"1h 30min\" instead";
        if let Some(seconds) = value.as_integer() {
            let seconds = u64::try_from(seconds)
                .ok()
                .filter(|seconds| *seconds <= Span::MAX.as_secs())
                .ok_or_else(|| value.mistake("is out of range", ADVICE))?;
            return Ok(Span::secs(seconds));
        }
        let text = value
            .as_str()
            .ok_or_else(|| value.wrong_kind("a time span", ADVICE))?;
        Ok(text
            .parse()
            .map_err(|error| value.mistake(format!("is no time span ({error})"), ADVICE))?)
    }
}

impl SettingValue for Size {
    const TYPE: &'static str = "size";
    const LIST_TYPE: &'static str = "list of sizes";
    const EXAMPLE: &'static str = "\"1GiB\"";
    const LITERAL: Literal = Literal::StringOrCount;

    /// A string with a unit, or a bare integer of bytes.
    fn read(value: &Value) -> Result<Size, Mistakes> {
        const ADVICE: &str = "write a size like \"64MiB\" or \"1GiB\" instead";
        if let Some(bytes) = value.as_integer() {
            return Ok(Size::bytes(
                u64::try_from(bytes).map_err(|_| value.mistake("is out of range", ADVICE))?,
            ));
        }
        let text = value.as_str().ok_or_else(|| value.wrong_kind("a size", ADVICE))?;
        Ok(text
            .parse()
            .map_err(|error| value.mistake(format!("is no size ({error})"), ADVICE))?)
    }
}

impl<T: SettingValue> SettingValue for Vec<T> {
    const TYPE: &'static str = T::LIST_TYPE;
    const LIST_TYPE: &'static str = "list of lists";
    const EXAMPLE: &'static str = "[]";
    const LITERAL: Literal = Literal::List(&T::LITERAL);
    const KEYS_BELOW: &'static [Key] = T::KEYS_BELOW;

    fn read(value: &Value) -> Result<Vec<T>, Mistakes> {
        Nesting::nowhere(|nesting| Self::read_in(value, nesting))
    }

    fn read_in(value: &Value, nesting: &mut Nesting<'_>) -> Result<Vec<T>, Mistakes> {
        let mut advice = || match T::TABLE {
            Some(_) => format!(
                "write {} on a line above its keys instead",
                nesting.item().title()
            ),
            None => format!("write [{}] instead", T::EXAMPLE),
        };
        let items = value
            .as_list()
            .ok_or_else(|| value.wrong_kind(&format!("a {}", T::LIST_TYPE), advice()))?;
        gather(items.iter().map(|item| {
            T::read_in(item, &mut nesting.item())
                .map_err(|mistakes| (mistakes, "has an item that".to_owned()))
        }))
    }
}

impl<T: SettingValue> SettingValue for BTreeMap<String, T> {
    const TYPE: &'static str = "table";
    const LIST_TYPE: &'static str = "list of tables";
    const EXAMPLE: &'static str = "{}";

    fn read(value: &Value) -> Result<BTreeMap<String, T>, Mistakes> {
        Nesting::nowhere(|nesting| Self::read_in(value, nesting))
    }

    fn read_in(value: &Value, nesting: &mut Nesting<'_>) -> Result<BTreeMap<String, T>, Mistakes> {
        let advice = || format!("write {{ name = {} }} instead", T::EXAMPLE);
        let entries = value
            .as_table()
            .ok_or_else(|| value.wrong_kind("a table", advice()))?;
        gather(entries.map(|(key, value)| {
            let read = T::read_in(value, &mut nesting.named(key)).map(|value| (key.to_owned(), value));
            read.map_err(|mistakes| (mistakes, format!("has {}, which", quoted(key))))
        }))
    }
}

/// All values, or all mistakes, each seen from what holds the value.
fn gather<T, C: FromIterator<T>>(
    read: impl Iterator<Item = Result<T, (Mistakes, String)>>,
) -> Result<C, Mistakes> {
    let mut mistakes = Vec::new();
    let values = read
        .filter_map(|item| match item {
            Ok(value) => Some(value),
            Err((found, within)) => {
                mistakes.extend(
                    found
                        .into_list()
                        .into_iter()
                        .map(|mistake| mistake.within(&within)),
                );
                None
            }
        })
        .collect();
    Mistakes::check(mistakes)?;
    Ok(values)
}
