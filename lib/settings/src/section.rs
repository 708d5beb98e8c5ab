//! What a section of the settings is made of, and how one is read.

use std::collections::BTreeMap;

use crate::SettingValue;
use crate::mistake::{Mistake, Mistakes, Position};
use crate::nested::Nesting;
use crate::suggestion;
use crate::value::{Data, Table, Value};
use zeroize::Zeroizing;

/// A section that a program reads: implemented by `#[derive(Settings)]`.
pub trait Section: Sized {
    /// What the section is for, in a sentence or two.
    const SUMMARY: &'static str;
    /// Its keys, in the order of the struct.
    const KEYS: &'static [Key];
    /// What a key is that is none of these.
    const UNKNOWN: UnknownKeys = UnknownKeys::Mistake;
    /// Reads every key, and so finds every mistake before it gives `None`.
    fn read(section: &mut SectionReader<'_>) -> Option<Self>;
}

/// What becomes of keys that a section does not have.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UnknownKeys {
    /// Each is a mistake.
    Mistake,
    /// Each is a notice, but for one that is a slip of a key that is not set: a file of another program, whose versions
    /// have other keys.
    Notice,
}

/// A key of a section, as people read about it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's name.
    pub name: &'static str,
    /// What its value is: `string`, `time span`, `list of URLs`.
    pub type_name: &'static str,
    /// What counts where it is absent, as plain text (a string without quotes); none where it is required or optional.
    pub default: Option<&'static str>,
    /// What it means.
    pub help: &'static str,
    /// The keys of its table, or of each table of its list; empty where it is neither.
    pub keys: &'static [Key],
}

/// A default, as an attribute of a derived section writes it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// A string.
    String(&'static str),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A list of defaults.
    List(&'static [DefaultValue]),
}

impl DefaultValue {
    fn value(self) -> Value {
        let data = match self {
            DefaultValue::String(text) => Data::String(Zeroizing::new(text.to_owned())),
            DefaultValue::Integer(number) => Data::Integer(i128::from(number)),
            DefaultValue::Float(number) => Data::Float(number),
            DefaultValue::Boolean(truth) => Data::Boolean(truth),
            DefaultValue::List(items) => Data::Array(items.iter().map(|item| item.value()).collect()),
        };
        Value {
            at: Position::of_default(),
            data,
        }
    }
}

/// The kind of literal that a key's default is written as. A default of another kind does not compile.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// Anything: only reading it tells.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A whole number within these bounds, which both belong to it.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number, whole or not.
    Number,
    /// A text in quotes.
    String,
    /// A text in quotes, or a whole number from 0 on.
    StringOrCount,
    /// A list of such.
    List(&'static Literal),
    /// Nothing: the value is a table, whose keys have their own defaults.
    Table,
}

impl Literal {
    /// Whether the default is of this kind.
    #[must_use]
    pub const fn takes(&self, default: DefaultValue) -> bool {
        match (self, default) {
            (Literal::Any, _)
            | (Literal::Boolean, DefaultValue::Boolean(_))
            | (Literal::Number, DefaultValue::Integer(_) | DefaultValue::Float(_))
            | (Literal::String | Literal::StringOrCount, DefaultValue::String(_)) => true,
            (Literal::Integer { min, max }, DefaultValue::Integer(number)) => {
                *min <= number && number <= *max
            }
            (Literal::StringOrCount, DefaultValue::Integer(number)) => 0 <= number,
            (Literal::List(item), DefaultValue::List(mut items)) => {
                while let [first, rest @ ..] = items {
                    if !item.takes(*first) {
                        return false;
                    }
                    items = rest;
                }
                true
            }
            _ => false,
        }
    }
}

/// Reads the keys of one section, and gathers the mistakes in it.
pub struct SectionReader<'a> {
    /// As people write it: `[host]`, `[collector.NAME]`, `[[sink]]`.
    title: String,
    table: Option<&'a Table>,
    at: Position,
    mistakes: Vec<Mistake>,
    notices: Vec<String>,
}

impl<'a> SectionReader<'a> {
    /// `at` is where the section begins, or where it would be written.
    pub(crate) fn new(title: String, table: Option<&'a Table>, at: Position) -> SectionReader<'a> {
        SectionReader {
            title,
            table,
            at,
            mistakes: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// The value of a key that must be set. `None` is a mistake, which is noted. A table that is not there is an empty
    /// one, of which all keys have their defaults.
    pub fn required<T: SettingValue>(&mut self, key: &str) -> Option<T> {
        if self.value(key).is_none() {
            if T::TABLE.is_some() {
                let empty = Value {
                    at: self.at.clone(),
                    data: Data::Table(BTreeMap::new()),
                };
                return self.note(key, &empty);
            }
            let what = format!("{} has no `{key}`", self.title);
            let advice = format!("write {key} = {} in it", T::EXAMPLE);
            self.mistakes.push(Mistake::new(self.at.clone(), what, advice));
            return None;
        }
        self.optional(key).flatten()
    }

    /// The value of a key that may be absent. The outer `None` is a mistake, which is noted.
    pub fn optional<T: SettingValue>(&mut self, key: &str) -> Option<Option<T>> {
        match self.value(key) {
            None => Some(None),
            Some(value) => self.note(key, value).map(Some),
        }
    }

    /// The value of a key, or its default. `None` is a mistake, which is noted.
    pub fn or_default<T: SettingValue>(&mut self, key: &str, default: DefaultValue) -> Option<T> {
        match self.value(key) {
            Some(value) => self.note(key, value),
            None => self.note(key, &default.value()),
        }
    }

    /// The value as it stands, where the key is set.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.table?.get(key).map(|entry| &entry.value)
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn note<T: SettingValue>(&mut self, key: &str, value: &Value) -> Option<T> {
        self.with_nesting_of(key, value, T::read_in)
    }

    /// Notes what somebody should know.
    pub fn notice(&mut self, notice: impl Into<String>) {
        self.notices.push(notice.into());
    }

    /// Where the section begins, or where it would be written.
    pub fn place(&self) -> &Position {
        &self.at
    }

    /// Reads the value of a key where it is set.
    pub(crate) fn with_nesting<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Value, &mut Nesting<'_>) -> Result<T, Mistakes>,
    ) -> Option<T> {
        let value = self.value(key)?;
        self.with_nesting_of(key, value, read)
    }

    fn with_nesting_of<T>(
        &mut self,
        key: &str,
        value: &Value,
        read: impl FnOnce(&Value, &mut Nesting<'_>) -> Result<T, Mistakes>,
    ) -> Option<T> {
        match read(value, &mut Nesting::of_key(&self.title, key, &mut self.notices)) {
            Ok(read) => Some(read),
            Err(mistakes) => {
                let name = format!("`{key}`");
                self.mistakes.extend(
                    mistakes
                        .into_list()
                        .into_iter()
                        .map(|mistake| mistake.within(&name)),
                );
                None
            }
        }
    }

    /// Calls the section something else from now on.
    pub(crate) fn rename(&mut self, title: String) {
        self.title = title;
    }

    /// Notes every key that the section does not have, and gives all mistakes and notices.
    pub(crate) fn finish_as<S: Section>(self) -> (Vec<Mistake>, Vec<String>) {
        let known: Vec<&str> = S::KEYS.iter().map(|key| key.name).collect();
        self.finish_with(Some((&known, S::UNKNOWN)))
    }

    /// Notes every key that is none of `known`, where those are known, and gives all mistakes and notices.
    pub(crate) fn finish(self, known: Option<&[&str]>) -> (Vec<Mistake>, Vec<String>) {
        self.finish_with(known.map(|known| (known, UnknownKeys::Mistake)))
    }

    fn finish_with(mut self, known: Option<(&[&str], UnknownKeys)>) -> (Vec<Mistake>, Vec<String>) {
        let Some((known, unknown)) = known else {
            return (self.mistakes, self.notices);
        };
        for (key, entry) in self.table.into_iter().flatten() {
            if !known.contains(&key.as_str()) {
                let what = format!("{} is no key of {}", suggestion::quoted(key), self.title);
                let near = suggestion::nearest(key, known);
                if unknown == UnknownKeys::Notice && near.is_none_or(|near| self.value(near).is_some()) {
                    self.notices
                        .push(format!("{}: {what}: it is passed over", entry.key_at));
                    continue;
                }
                let advice = match near {
                    Some(near) => format!("write `{near}` instead"),
                    None => format!("write one of {} instead", suggestion::listed(known)),
                };
                self.mistakes
                    .push(Mistake::new(entry.key_at.clone(), what, advice));
            }
        }
        (self.mistakes, self.notices)
    }
}

/// Reads a section with nothing set, as a program runs where it has no settings.
///
/// # Errors
/// Where a key is required, or where a default is no value of its key.
pub fn defaults<S: Section>() -> Result<S, Mistakes> {
    let empty = BTreeMap::new();
    let mut reader = SectionReader::new("the section".to_owned(), Some(&empty), Position::of_default());
    let section = S::read(&mut reader);
    Mistakes::check(reader.finish(None).0)?;
    section.ok_or_else(|| Mistake::new(Position::of_default(), "gives nothing", "mend its `read`").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What compiles as a default is what reads as one, as far as kinds go.
    #[test]
    fn a_default_of_another_kind_is_told_from_one_of_its_own() {
        fn agree<T: SettingValue>(defaults: &[DefaultValue]) -> Vec<bool> {
            defaults
                .iter()
                .map(|&default| {
                    let takes = T::LITERAL.takes(default);
                    assert_eq!(
                        takes,
                        T::read(&default.value()).is_ok(),
                        "{} {default:?}",
                        T::TYPE
                    );
                    takes
                })
                .collect()
        }
        use DefaultValue::{Boolean, Float, Integer, List, String as Text};
        let defaults = [
            Boolean(true),
            Integer(5),
            Integer(-5),
            Integer(70_000),
            Float(0.5),
            Text("a"),
            List(&[]),
            List(&[Text("a"), Text("b")]),
            List(&[Text("a"), Integer(5)]),
            List(&[Integer(5)]),
        ];
        let which = |taken: &[usize]| -> Vec<bool> { (0..10).map(|at| taken.contains(&at)).collect() };
        assert_eq!(agree::<bool>(&defaults), which(&[0]));
        assert_eq!(agree::<i64>(&defaults), which(&[1, 2, 3]));
        assert_eq!(agree::<u64>(&defaults), which(&[1, 3]));
        assert_eq!(agree::<u16>(&defaults), which(&[1]));
        assert_eq!(agree::<f64>(&defaults), which(&[1, 2, 3, 4]));
        assert_eq!(agree::<String>(&defaults), which(&[5]));
        assert_eq!(agree::<Vec<String>>(&defaults), which(&[6, 7]));
        assert_eq!(agree::<Vec<u64>>(&defaults), which(&[6, 9]));
        let spans = [Text("5m"), Integer(5), Integer(-5), Float(0.5), Boolean(true)];
        assert_eq!(agree::<crate::Span>(&spans), [true, true, false, false, false]);
    }
}
