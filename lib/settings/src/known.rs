//! Keys as a collector's description names them: what of a section can be checked and found without the collector.

use std::path::PathBuf;

use url::Url;

use crate::mistake::{Mistakes, Position};
use crate::nested::{Nesting, read_table};
use crate::value::{Table, Value};
use crate::{KnownKey, SecretSource, SectionReader, SettingValue, Size, Span};

/// Reads each key as the type that its name says: the mistakes are noted. Bounds of its own, the collector checks.
pub(crate) fn read(reader: &mut SectionReader<'_>, keys: &[KnownKey]) {
    fn simple<T: SettingValue>(reader: &mut SectionReader<'_>, key: &str) {
        let _ = reader.optional::<T>(key);
    }
    type Read = fn(&mut SectionReader<'_>, &str);
    const TYPES: [(&str, Read); 18] = [
        (bool::TYPE, simple::<bool>),
        (bool::LIST_TYPE, simple::<Vec<bool>>),
        (i64::TYPE, simple::<i64>),
        (i64::LIST_TYPE, simple::<Vec<i64>>),
        (f64::TYPE, simple::<f64>),
        (f64::LIST_TYPE, simple::<Vec<f64>>),
        (String::TYPE, simple::<String>),
        (String::LIST_TYPE, simple::<Vec<String>>),
        (PathBuf::TYPE, simple::<PathBuf>),
        (PathBuf::LIST_TYPE, simple::<Vec<PathBuf>>),
        (Url::TYPE, simple::<Url>),
        (Url::LIST_TYPE, simple::<Vec<Url>>),
        (Span::TYPE, simple::<Span>),
        (Span::LIST_TYPE, simple::<Vec<Span>>),
        (Size::TYPE, simple::<Size>),
        (Size::LIST_TYPE, simple::<Vec<Size>>),
        (SecretSource::TYPE, simple::<SecretSource>),
        (SecretSource::LIST_TYPE, simple::<Vec<SecretSource>>),
    ];
    for key in keys {
        if !key.keys.is_empty() {
            reader.with_nesting(&key.name, |value, nesting| tables(value, nesting, key));
        } else if let Some((_, read)) = TYPES.iter().find(|(name, _)| *name == key.type_name) {
            read(reader, &key.name);
        }
    }
}

/// Reads the table, or each table of the list, that a key with keys of its own is.
fn tables(value: &Value, nesting: &mut Nesting<'_>, key: &KnownKey) -> Result<(), Mistakes> {
    let names: Vec<&str> = key.keys.iter().map(|key| key.name.as_str()).collect();
    let one = |value: &Value, nesting: &mut Nesting<'_>| {
        let read = |reader: &mut SectionReader<'_>| {
            read(reader, &key.keys);
            Some(())
        };
        read_table(value, nesting, read, |reader| reader.finish(Some(&names)))
    };
    if key.type_name != LIST_OF_TABLES {
        return one(value, nesting);
    }
    let advice = format!(
        "write {} on a line above its keys instead",
        nesting.item().title()
    );
    let items = value
        .as_list()
        .ok_or_else(|| value.wrong_kind("a list of tables", advice))?;
    let mut mistakes = Vec::new();
    for item in items {
        let found = one(item, &mut nesting.item()).err();
        mistakes.extend(found.into_iter().flat_map(Mistakes::into_list));
    }
    Mistakes::check(mistakes)
}

/// What a list of sections is called.
pub(crate) const LIST_OF_TABLES: &str = "list of tables";

/// Where a secret is that a section names, and where the section does so.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    /// Its key, `cluster.password` in a table.
    pub key: String,
    /// Where its value stands: of many tables of one name, this says which.
    pub place: Position,
    /// Where the secret is.
    pub source: SecretSource,
}

/// The secrets of a table, those of its own tables too.
pub(crate) fn secrets(table: &Table, keys: &[KnownKey]) -> Vec<NamedSecret> {
    let mut found = Vec::new();
    for key in keys {
        let Some(entry) = table.get(&key.name) else {
            continue;
        };
        let value = &entry.value;
        // A list, or one value.
        let values = value.as_list().unwrap_or(std::slice::from_ref(value));
        if key.type_name == SecretSource::TYPE || key.type_name == SecretSource::LIST_TYPE {
            found.extend(values.iter().filter_map(|value| {
                Some(NamedSecret {
                    key: key.name.clone(),
                    place: value.at.clone(),
                    source: SecretSource::read(value).ok()?,
                })
            }));
        } else if !key.keys.is_empty() {
            for table in values.iter().filter_map(Value::table) {
                let below = secrets(table, &key.keys).into_iter();
                found.extend(below.map(|secret| NamedSecret {
                    key: format!("{}.{}", key.name, secret.key),
                    ..secret
                }));
            }
        }
    }
    found
}
