//! A TOML file that is not tidemark's own, read with the same bounds and in the same words as the settings.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::files::{self, ReadError};
use crate::mistake::{Mistake, Mistakes, Position, SourceFile};
use crate::value::{self, Data, Table, Value};
use crate::{Places, SecretSource, Section, SectionReader, syntax};

/// A TOML file of another program. It may hold secrets, so it has no printable form.
pub struct Document {
    file: Arc<SourceFile>,
    root: Table,
    is_handed_on: bool,
}

/// What reading a section found: itself, where nothing is wrong with it, all mistakes, and all notices.
pub type Found<S> = (Option<S>, Vec<Mistake>, Vec<String>);

impl Document {
    /// Reads a regular file of at most `longest` bytes. Where this user may not read it, the credential of that file's
    /// [name](SecretSource::credential_name) counts, which systemd hands to a unit.
    ///
    /// # Errors
    /// Why it is not read, or every mistake in its TOML.
    pub fn read(path: &Path, places: &Places, longest: usize) -> Result<Document, Mistakes> {
        let whole = |what: String, advice: String| {
            Mistakes::from(Mistake::new(Position::of_path(path, 0), what, advice))
        };
        let mut is_handed_on = false;
        let bytes = match files::read(path, longest) {
            Err(error @ ReadError::Denied(..)) => {
                let held = held(path, places, longest);
                is_handed_on = held.is_some();
                held.ok_or(error)
            }
            other => other,
        };
        let bytes = bytes.map_err(|error| match error {
            ReadError::TooLarge => whole(
                format!("is longer than {} KiB", longest >> 10),
                "name the right file, or make it smaller".to_owned(),
            ),
            other => whole(other.what(), other.advice()),
        })?;
        match value::text(bytes) {
            Ok(text) => Ok(Document {
                is_handed_on,
                ..Document::new(text, path)?
            }),
            Err(before) => {
                let offset = before.len();
                let file = source(before, path);
                let what = "a byte that is not UTF-8 text";
                let at = Position::in_text(&file, offset);
                Err(Mistake::new(at, what, "write the file in UTF-8 instead").into())
            }
        }
    }

    /// Takes a text as if it were that file's.
    ///
    /// # Errors
    /// Every mistake in its TOML.
    pub fn parse(text: &str, path: &Path) -> Result<Document, Mistakes> {
        Document::new(Zeroizing::new(text.to_owned()), path)
    }

    fn new(text: Zeroizing<String>, path: &Path) -> Result<Document, Mistakes> {
        let file = source(text, path);
        let (parsed, errors) = DeTable::parse_recoverable(&file.text);
        Mistakes::check(syntax::mistakes(&file, &errors).0)?;
        let root = value::table(&file, parsed.into_inner());
        Ok(Document {
            file,
            root,
            is_handed_on: false,
        })
    }

    /// Takes every key in small letters, as programs have it to which `Host` and `host` are one. Where both are there,
    /// the small one counts.
    #[must_use]
    pub fn with_small_keys(self) -> Document {
        Document {
            root: small(self.root),
            ..self
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Whether this user may not read the file, and it is as systemd handed it to the unit when that started.
    pub fn is_handed_on(&self) -> bool {
        self.is_handed_on
    }

    /// The file as a whole.
    pub fn place(&self) -> Position {
        Position::of_path(&self.file.path, self.file.rank)
    }

    /// Whether every user of the host may read it.
    pub fn is_readable_by_others(&self) -> bool {
        files::is_readable_by_others(&self.file.path)
    }

    /// Reads the whole file as one section.
    pub fn read_as<S: Section>(&self) -> Found<S> {
        let mut reader = SectionReader::new("the file".to_owned(), Some(&self.root), self.place());
        let read = S::read(&mut reader);
        let (mistakes, notices) = reader.finish_as::<S>();
        (read, mistakes, notices)
    }

    /// Reads one section of it; an empty one where it is not there.
    pub fn section<S: Section>(&self, key: &str) -> Found<S> {
        let mut reader = SectionReader::new("the file".to_owned(), Some(&self.root), self.place());
        let read = reader.required::<S>(key);
        let (mistakes, notices) = reader.finish(None);
        (read, mistakes, notices)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({})", self.file.path.display())
    }
}

/// What the credential of that file holds, where there is one that is not empty.
fn held(path: &Path, places: &Places, longest: usize) -> Option<Zeroizing<Vec<u8>>> {
    let name = SecretSource::File(path.to_path_buf()).credential_name()?;
    let bytes = files::read(&places.credentials()?.join(name), longest).ok()?;
    (!bytes.trim_ascii().is_empty()).then_some(bytes)
}

fn source(text: Zeroizing<String>, path: &Path) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: path.to_path_buf(),
        text,
        rank: 0,
    })
}

fn small(table: Table) -> Table {
    let mut small_table = Table::new();
    let (exact, other): (Vec<_>, Vec<_>) = table
        .into_iter()
        .partition(|(key, _)| !key.bytes().any(|byte| byte.is_ascii_uppercase()));
    for (key, mut entry) in exact.into_iter().chain(other) {
        entry.value = small_value(entry.value);
        small_table.entry(key.to_ascii_lowercase()).or_insert(entry);
    }
    small_table
}

fn small_value(value: Value) -> Value {
    let data = match value.data {
        Data::Table(table) => Data::Table(small(table)),
        Data::Array(items) => Data::Array(items.into_iter().map(small_value).collect()),
        other => other,
    };
    Value { data, ..value }
}
