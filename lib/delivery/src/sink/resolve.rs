//! The sinks of a program, as its settings have them: secrets and certificates are read here.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tidemark_collect::http::{ClientOptions, HttpError};
use tidemark_settings::{Environment, Places, SecretError, Settings, SinkKind, SinkSettings};

use super::http::HttpEndpoint;
use super::profile::Profile;
use super::spec::{Reach, SinkSpec};
use super::textfile::Folder;

/// The sinks of a program, in the settings' order.
#[derive(Clone, Debug)]
pub struct Sinks {
    specs: Vec<SinkSpec>,
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
        Self::resolve_with(settings, environment, places, &ClientOptions::new(environment))
    }

    /// As [`Sinks::resolve`], with the TLS configuration of a program that has one already: what a handshake had to
    /// look up is looked up once.
    ///
    /// # Errors
    /// Where a secret does not resolve, or a certificate cannot be read.
    pub fn resolve_with(
        settings: &Settings,
        environment: &dyn Environment,
        places: &Places,
        http: &ClientOptions,
    ) -> Result<Self, SinksError> {
        let resolve = |sink: &SinkSettings| {
            Ok(SinkSpec {
                settings: sink.clone(),
                reach: match &sink.kind {
                    SinkKind::Store => Reach::Store(settings.store.clone()),
                    SinkKind::Textfile(textfile) => Reach::Textfile(Folder::new(&textfile.directory)),
                    SinkKind::Discard => Reach::Discard,
                    kind => match Profile::of(kind) {
                        Some(profile) => {
                            Reach::Server(Arc::new(endpoint(profile, sink, environment, places, http)?))
                        }
                        None => Reach::Unresolved,
                    },
                },
            })
        };
        Ok(Self {
            specs: settings.sinks.iter().map(resolve).collect::<Result<_, _>>()?,
        })
    }

    /// The sinks by name and type alone, for what reads and delivers nothing: no secret is read.
    #[must_use]
    pub fn named(settings: &Settings) -> Self {
        let spec = |sink: &SinkSettings| SinkSpec {
            settings: sink.clone(),
            reach: Reach::Unresolved,
        };
        Self {
            specs: settings.sinks.iter().map(spec).collect(),
        }
    }

    /// As [`Sinks::resolve_with`], where one that cannot be used keeps none of the others: it is known by name alone, and
    /// what is wrong with it comes back.
    pub fn resolve_each(
        settings: &Settings,
        environment: &dyn Environment,
        places: &Places,
        http: &ClientOptions,
    ) -> (Self, Vec<SinksError>) {
        let mut errors = Vec::new();
        let mut specs = Vec::new();
        for sink in &settings.sinks {
            let alone = Settings {
                sinks: vec![sink.clone()],
                ..settings.clone()
            };
            let resolved = Self::resolve_with(&alone, environment, places, http);
            let one = resolved.unwrap_or_else(|error| {
                errors.push(error);
                Self::named(&alone)
            });
            specs.extend(one.specs);
        }
        (Self { specs }, errors)
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
            specs: vec![SinkSpec {
                settings,
                reach: Reach::Discard,
            }],
        }
    }

    /// Each sink, in the settings' order.
    pub fn iter(&self) -> impl Iterator<Item = &SinkSpec> {
        self.specs.iter()
    }
}

/// Where a server is reached, with its secret and its certificate read.
fn endpoint(
    profile: Profile<'_>,
    sink: &SinkSettings,
    environment: &dyn Environment,
    places: &Places,
    http: &ClientOptions,
) -> Result<HttpEndpoint, SinksError> {
    let secret = profile.secret.map(|(key, source)| {
        let secret = source.resolve(environment, places);
        secret.map_err(|source| SinksError::Secret {
            sink: sink.name.clone(),
            key,
            source,
        })
    });
    let endpoint = profile.endpoint(secret.transpose()?.as_ref(), http);
    endpoint.map_err(|source| SinksError::Http {
        sink: sink.name.clone(),
        source,
    })
}

/// Why a sink cannot be used. It never holds any of a secret's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum SinksError {
    /// A secret does not resolve.
    Secret {
        /// The sink.
        sink: String,
        /// The key that names the secret.
        key: &'static str,
        /// Why not.
        source: SecretError,
    },
    /// No HTTP client can be made: its `ca_file` cannot be read, or a proxy variable is no address.
    Http {
        /// The sink.
        sink: String,
        /// Why not.
        source: HttpError,
    },
}

impl SinksError {
    /// The sink that cannot be used.
    #[must_use]
    pub fn sink(&self) -> &str {
        match self {
            Self::Secret { sink, .. } | Self::Http { sink, .. } => sink,
        }
    }
}

impl fmt::Display for SinksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { sink, key, .. } => write!(f, "the {key} of the sink {sink:?} cannot be had"),
            Self::Http { sink, .. } => write!(f, "the sink {sink:?} cannot be used"),
        }
    }
}

impl Error for SinksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Secret { source, .. } => Some(source),
            Self::Http { source, .. } => Some(source),
        }
    }
}
