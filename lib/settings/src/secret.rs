//! Secrets, which have no printable form.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::{self, ReadError};
use crate::mistake::Mistakes;
use crate::nested::Nesting;
use crate::suggestion::{listed, nearest, quoted};
use crate::value::Value;
use crate::{Environment, Places, SettingValue};

/// The longest secret, in bytes.
const LONGEST: usize = 64 * 1024;

/// The longest name of a credential, in bytes: that of a file.
const LONGEST_CREDENTIAL: usize = 255;

/// What the names of credentials begin with that hold what a file holds.
const OF_FILE: &str = "tidemark.file.";

const ADVICE: &str =
    "write { credential = \"NAME\" }, { file = \"PATH\" }, { env = \"NAME\" } or a string in quotes instead";

/// A secret's text. It cannot be printed or serialised, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text that may be sent as it is: not empty, at most 64 KiB, no control characters.
    fn new(text: Zeroizing<String>) -> Result<Secret, BadSecret> {
        if text.is_empty() {
            return Err(BadSecret::Empty);
        }
        if text.len() > LONGEST {
            return Err(BadSecret::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(BadSecret::Control);
        }
        Ok(Secret(text))
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is wrong with a secret's text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSecret {
    /// There is none.
    Empty,
    /// More than 64 KiB.
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// A control character in it, such as a second line.
    Control,
}

impl BadSecret {
    /// Goes on from what the secret is called.
    fn predicate(self) -> &'static str {
        match self {
            BadSecret::Empty => "is empty",
            BadSecret::TooLong => "is longer than 64 KiB",
            BadSecret::NotUtf8 => "is not UTF-8 text",
            BadSecret::Control => "holds a control character or a second line",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            BadSecret::Empty => "write the secret into it",
            BadSecret::TooLong | BadSecret::NotUtf8 | BadSecret::Control => {
                "write the secret alone, on one line"
            }
        }
    }
}

/// Where a secret is; read only by what uses it.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// The settings file itself.
    Plain(Secret),
    /// A file of this name in the folder of credentials.
    Credential(String),
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

impl SecretSource {
    /// Reads the secret. One newline at the end of a file or credential is not part of it.
    ///
    /// A file counts as it is in the folder of credentials, under its [`credential_name`](Self::credential_name), where it
    /// is there and not empty: systemd hands it to a unit whose user may not read the file itself.
    ///
    /// # Errors
    /// Where it is not there, cannot be read, or is no text that could be sent. The error never holds any of it.
    pub fn resolve(&self, environment: &dyn Environment, places: &Places) -> Result<Secret, SecretError> {
        match self {
            SecretSource::Plain(secret) => Ok(secret.clone()),
            SecretSource::Environment(name) => {
                let value = environment
                    .get(name)
                    .ok_or_else(|| SecretError::NotSet { name: name.clone() })?;
                let text = value
                    .into_string()
                    .map_err(|_| BadSecret::NotUtf8)
                    .map(Zeroizing::new);
                let bad = |fault| SecretError::BadVariable {
                    name: name.clone(),
                    fault,
                };
                text.and_then(Secret::new).map_err(bad)
            }
            SecretSource::File(path) => {
                let held = self.credential_name().zip(places.credentials());
                match held.map(|(name, folder)| from_file(&folder.join(name))) {
                    Some(Ok(secret)) => Ok(secret),
                    // It is there and wrong; an empty one stands for a file that could not be read.
                    Some(Err(SecretError::BadFile { fault, .. })) if fault != BadSecret::Empty => {
                        Err(SecretError::BadFile {
                            path: path.clone(),
                            fault,
                        })
                    }
                    _ => from_file(path),
                }
            }
            SecretSource::Credential(name) => {
                let folder = places
                    .credentials()
                    .ok_or_else(|| SecretError::NoCredentials { name: name.clone() })?;
                from_file(&folder.join(name))
            }
        }
    }
}

impl SecretSource {
    /// The name of the credential that holds the secret: its own, or for a file one that is made of the path, no two
    /// alike. None for what is no file of its own, and for a path that is too long for a name.
    ///
    /// ```
    /// use tidemark_settings::SecretSource;
    /// let file = SecretSource::File("/etc/tidemark/influx-db.pw".into());
    /// assert_eq!(file.credential_name().as_deref(), Some("tidemark.file.etc-tidemark-influx_2ddb.pw"));
    /// ```
    #[must_use]
    pub fn credential_name(&self) -> Option<String> {
        match self {
            SecretSource::Credential(name) => Some(name.clone()),
            SecretSource::File(path) => name_of_file(path),
            SecretSource::Plain(_) | SecretSource::Environment(_) => None,
        }
    }
}

/// Letters, digits and points as they are, `-` for a slash, any other byte as `_` and two digits.
fn name_of_file(path: &Path) -> Option<String> {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    let mut name = OF_FILE.to_owned();
    for byte in bytes.strip_prefix(b"/").unwrap_or(bytes) {
        match byte {
            b'/' => name.push('-'),
            b'.' => name.push('.'),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(*byte)),
            byte => {
                let _ = write!(name, "_{byte:02x}");
            }
        }
        if name.len() > LONGEST_CREDENTIAL {
            return None;
        }
    }
    Some(name)
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let bad = |fault| SecretError::BadFile {
        path: path.to_path_buf(),
        fault,
    };
    // The newline does not count.
    let bytes = files::read(path, LONGEST + 1).map_err(|error| match error {
        ReadError::TooLarge => bad(BadSecret::TooLong),
        other => SecretError::Unreadable {
            path: path.to_path_buf(),
            why: format!("{}; {}", other.what(), other.advice()),
            source: other.into_io(),
        },
    })?;
    // Checked in place: a copy that fails to be text would not be wiped.
    let text = std::str::from_utf8(&bytes).map_err(|_| bad(BadSecret::NotUtf8))?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Secret::new(Zeroizing::new(text.to_owned())).map_err(bad)
}

impl SettingValue for SecretSource {
    const TYPE: &'static str = "secret";
    const LIST_TYPE: &'static str = "list of secrets";
    const EXAMPLE: &'static str = "{ credential = \"NAME\" }";

    fn read_in(value: &Value, nesting: &mut Nesting<'_>) -> Result<SecretSource, Mistakes> {
        let source = Self::read(value)?;
        if let Some(notice) = readable(&source, value, nesting.holder()) {
            nesting.notice(notice);
        }
        Ok(source)
    }

    fn read(value: &Value) -> Result<SecretSource, Mistakes> {
        if let Some(text) = value.as_str() {
            let secret = Secret::new(Zeroizing::new(text.to_owned()));
            let bad = |fault: BadSecret| value.mistake(fault.predicate(), ADVICE);
            return Ok(SecretSource::Plain(secret.map_err(bad)?));
        }
        let table = value
            .table()
            .ok_or_else(|| value.wrong_kind("a secret", ADVICE))?;
        let mut entries = table.iter();
        let (Some((kind, entry)), None) = (entries.next(), entries.next()) else {
            return Err(value
                .mistake("must hold one of `credential`, `file` and `env`", ADVICE)
                .into());
        };
        const KINDS: [&str; 3] = ["credential", "file", "env"];
        if !KINDS.contains(&kind.as_str()) {
            // Not quoted where it is no slip: somebody may have put the secret itself there.
            let (what, advice) = match nearest(kind, &KINDS) {
                Some(near) => (format!("has {}", quoted(kind)), format!("write `{near}` instead")),
                None => (
                    format!("has a key that is none of {}", listed(&KINDS)),
                    ADVICE.to_owned(),
                ),
            };
            return Err(crate::Mistake::new(entry.key_at.clone(), what, advice).into());
        }
        let within = |mistakes: Mistakes| {
            let what = format!("has `{kind}`, which");
            Mistakes::check(
                mistakes
                    .into_list()
                    .into_iter()
                    .map(|mistake| mistake.within(&what))
                    .collect(),
            )
        };
        let given = &entry.value;
        let source = match kind.as_str() {
            "file" => PathBuf::read(given).map(SecretSource::File),
            "env" => name(
                given,
                is_variable_name,
                "is not the name of an environment variable",
            )
            .map(SecretSource::Environment),
            _ => name(given, is_credential_name, "is not the name of a credential")
                .map(SecretSource::Credential),
        };
        match source {
            Ok(source) => Ok(source),
            Err(mistakes) => {
                within(mistakes)?;
                Err(value.mistake("is no secret", ADVICE).into())
            }
        }
    }
}

/// What to say of a secret that every user of this host may read, in the settings or in a file of its own.
fn readable(source: &SecretSource, value: &Value, holder: &str) -> Option<String> {
    let (what, path) = match source {
        SecretSource::Plain(_) => {
            let path = value.at.readable_by_others()?;
            (format!("{holder} holds a secret, and"), path)
        }
        SecretSource::File(path) if files::is_readable_by_others(path) => (
            format!("{holder} takes a secret from a file, and"),
            path.as_path(),
        ),
        _ => return None,
    };
    let path = path.display();
    Some(format!(
        "{}: {what} every user of this host may read {path}; run chmod o= {path}",
        value.at
    ))
}

/// A name as a string. It is not quoted where it is wrong: somebody may have put the secret itself there.
fn name(value: &Value, is_right: fn(&str) -> bool, what: &str) -> Result<String, Mistakes> {
    let text = value
        .as_str()
        .ok_or_else(|| value.wrong_kind("a string", "write a name in quotes instead"))?;
    if is_right(text) {
        return Ok(text.to_owned());
    }
    Err(value
        .mistake(what, "write a name of letters, digits and _ instead")
        .into())
}

fn is_variable_name(name: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(ok) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// systemd's rule: a file name that can also name a file descriptor. Without quotes and backslashes, which versions of
/// systemd read differently in a unit.
fn is_credential_name(name: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':' | b'\\' | b'"' | b'\'');
    !name.is_empty()
        && name.len() <= LONGEST_CREDENTIAL
        && name.bytes().all(ok)
        && name != "."
        && name != ".."
}

/// Why a secret does not resolve. It never holds any of the secret's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretError {
    /// The environment variable is not set.
    NotSet {
        /// The variable.
        name: String,
    },
    /// What the environment variable holds is no secret.
    BadVariable {
        /// The variable.
        name: String,
        /// What is wrong.
        fault: BadSecret,
    },
    /// There is no folder of credentials: this is neither a unit of systemd's that has any nor root.
    NoCredentials {
        /// The credential.
        name: String,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, and who could.
        why: String,
        /// What the system said, where it was the system.
        source: Option<io::Error>,
    },
    /// What the file holds is no secret.
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: BadSecret,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretError::NotSet { name } => {
                write!(f, "the secret ${name} is not set; set this environment variable")
            }
            SecretError::BadVariable { name, fault } => {
                write!(f, "the secret ${name} {}; {}", fault.predicate(), fault.advice())
            }
            SecretError::NoCredentials { name } => write!(
                f,
                "the credential {} cannot be read, as $CREDENTIALS_DIRECTORY is not set; add LoadCredential={name} to the \
                 unit, or run as root",
                quoted(name)
            ),
            SecretError::Unreadable { path, why, .. } => {
                write!(f, "the secret file {} {why}", path.display())
            }
            SecretError::BadFile { path, fault } => {
                write!(
                    f,
                    "the secret file {} {}; {}",
                    path.display(),
                    fault.predicate(),
                    fault.advice()
                )
            }
        }
    }
}

impl Error for SecretError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SecretError::Unreadable { source, .. } => {
                source.as_ref().map(|source| source as &(dyn Error + 'static))
            }
            _ => None,
        }
    }
}
