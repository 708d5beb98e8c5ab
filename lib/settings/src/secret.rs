//! Secrets, which have no printable form.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::{Environment, Places};

/// A secret's text. It cannot be printed or serialised, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text that passes [`SecretSource::resolve`]'s rules already.
    pub(crate) fn new(text: impl Into<Zeroizing<String>>) -> Secret {
        Secret(text.into())
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

/// Where a secret is; resolved only by what uses it.
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
    /// Reads the secret.
    ///
    /// # Errors
    /// Where it is not there, cannot be read, or is no secret that could be sent.
    pub fn resolve(&self, environment: &dyn Environment, places: &Places) -> Result<Secret, SecretError> {
        let _ = places;
        match self {
            SecretSource::Plain(secret) => Ok(secret.clone()),
            SecretSource::Environment(name) => match environment.get_nonempty(name) {
                Some(value) => match value.into_string() {
                    Ok(text) => Ok(Secret::new(text)),
                    Err(_) => Err(SecretError::Unset { name: name.clone() }),
                },
                None => Err(SecretError::Unset { name: name.clone() }),
            },
            SecretSource::Credential(_) | SecretSource::File(_) => Err(SecretError::Unset { name: String::new() }),
        }
    }
}

/// Why a secret does not resolve. It never holds any of the secret's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretError {
    /// The environment variable is not set, or empty.
    Unset {
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretError::Unset { name } => write!(f, "the secret ${name} is not set; set it"),
            SecretError::Read { path, .. } => write!(f, "the secret {} cannot be read", path.display()),
        }
    }
}

impl Error for SecretError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SecretError::Read { source, .. } => Some(source),
            SecretError::Unset { .. } => None,
        }
    }
}
