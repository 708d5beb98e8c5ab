//! The places that take batches: what they have in common. Each has a module of its own.

mod discard;
pub(crate) mod http;
mod influxdb;
mod influxdb2;
mod line_protocol;
mod remote_write;
mod store;
pub(crate) mod textfile;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Clock;
use tidemark_collect::http::{ClientOptions, HttpError};
use tidemark_point::Declarations;
use tidemark_point::line::Dialect;
use tidemark_settings::{
    Environment, Places, RemoteWriteCredentials, SecretError, SecretSource, Settings, SinkKind, SinkSettings,
    StoreSettings,
};

use crate::body::{Payload, dialect};
use crate::lines::Lines;
use crate::plan::Plan;
use crate::policy::{self, Later, Outcome};
use crate::sink::http::HttpEndpoint;
use crate::sink::line_protocol::LineProtocol;
use crate::sink::remote_write::RemoteWrite;
use crate::sink::textfile::Folder;

/// The name by which the flush's own batches go: `only` and `except` of a sink may hold it.
pub const FLUSH_NAME: &str = "tidemark";

/// A place that takes batches.
///
/// It says what came of each request as an [`Outcome`]; what follows from that is the delivery's part, the same for
/// all sinks.
pub(crate) trait Sink {
    /// Whether a compressed body is as good as a plain one.
    fn takes_gzip(&self) -> bool {
        false
    }

    /// Whether it takes no older point of a series after a newer one, and bounds its requests itself: see
    /// [`Sink::plan`].
    fn minds_order(&self) -> bool {
        false
    }

    /// How these lines of a text go to it, where it minds their order.
    fn plan(&self, _text: &[u8], lines: Lines) -> Plan {
        Plan::from(lines)
    }

    /// Hands over lines of the sink's dialect, within the time.
    fn send(&mut self, payload: Payload, time: Duration) -> impl Future<Output = Outcome> + Send;

    /// Lets go of what it holds open.
    fn close(self) -> impl Future<Output = ()> + Send
    where
        Self: Sized + Send,
    {
        async {}
    }
}

/// The sinks of a program, in the settings' order.
#[derive(Clone, Debug)]
pub struct Sinks {
    specs: Vec<SinkSpec>,
}

/// One sink: its name, what it takes, and what is needed to reach it.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    settings: SinkSettings,
    pub(crate) reach: Reach,
}

/// What is needed to reach a sink.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// The sink is known by name alone.
    Unresolved,
    Influxdb(Arc<HttpEndpoint>),
    Influxdb2(Arc<HttpEndpoint>),
    Store(StoreSettings),
    RemoteWrite(Arc<HttpEndpoint>),
    Textfile(Folder),
    Discard,
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

    /// Whether it gets the batches of this collector.
    #[must_use]
    pub fn takes(&self, collector: &str) -> bool {
        self.settings.takes(collector)
    }

    pub(crate) fn sink_kind(&self) -> &SinkKind {
        &self.settings.kind
    }

    /// Where it is reached over HTTP.
    pub(crate) fn endpoint(&self) -> Option<&HttpEndpoint> {
        match &self.reach {
            Reach::Influxdb(endpoint) | Reach::Influxdb2(endpoint) | Reach::RemoteWrite(endpoint) => {
                Some(endpoint)
            }
            Reach::Unresolved | Reach::Store(_) | Reach::Textfile(_) | Reach::Discard => None,
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        dialect(&self.settings.kind)
    }

    /// A number that changes when the settings do, so that a backoff ends when they are mended.
    pub(crate) fn fingerprint(&self) -> u32 {
        match &self.reach {
            Reach::Influxdb(endpoint) | Reach::Influxdb2(endpoint) | Reach::RemoteWrite(endpoint) => {
                endpoint.fingerprint()
            }
            Reach::Textfile(folder) => folder.fingerprint(),
            Reach::Unresolved | Reach::Store(_) | Reach::Discard => 0,
        }
    }

    /// Whether it says more of points than they hold themselves: the kinds, units and helps of their fields.
    pub(crate) fn needs_declarations(&self) -> bool {
        matches!(
            self.settings.kind,
            SinkKind::RemoteWrite(_) | SinkKind::Textfile(_)
        )
    }

    /// The folder, where the sink is one: it gets no batches but the newest ones, as files.
    pub(crate) fn folder(&self) -> Option<&Folder> {
        match &self.reach {
            Reach::Textfile(folder) => Some(folder),
            _ => None,
        }
    }

    /// The sink itself, for delivering batch by batch; none where it is a folder, or known by name alone. `plain` says
    /// that it refused gzip.
    pub(crate) fn connect(&self, dir: &Path, clock: &Arc<dyn Clock>, plain: bool) -> Option<AnySink> {
        let line_protocol = |endpoint: &Arc<HttpEndpoint>, policy| {
            let sink = LineProtocol::new(endpoint.clone(), policy, clock.clone(), plain);
            Some(AnySink::LineProtocol(sink))
        };
        match &self.reach {
            Reach::Unresolved | Reach::Textfile(_) => None,
            Reach::Influxdb(endpoint) => line_protocol(endpoint, policy::influxdb),
            Reach::Influxdb2(endpoint) => line_protocol(endpoint, policy::influxdb2),
            Reach::Store(settings) => Some(AnySink::Store(Box::new(store::StoreSink::new(
                dir,
                settings,
                clock.clone(),
            )))),
            Reach::RemoteWrite(endpoint) => {
                let sink = RemoteWrite::new(endpoint.clone(), clock.clone());
                Some(AnySink::RemoteWrite(sink))
            }
            Reach::Discard => Some(AnySink::Discard(discard::Discard)),
        }
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
        let secret = |sink: &SinkSettings, key, source: &SecretSource| {
            source
                .resolve(environment, places)
                .map_err(|source| SinksError::Secret {
                    sink: sink.name.clone(),
                    key,
                    source,
                })
        };
        let resolve = |sink: &SinkSettings| {
            let reach = match &sink.kind {
                SinkKind::Influxdb(influxdb) => {
                    let password = influxdb.password.as_ref();
                    let password = password
                        .map(|source| secret(sink, "password", source))
                        .transpose()?;
                    let endpoint = influxdb::endpoint(influxdb, password.as_ref(), http);
                    Reach::Influxdb(Arc::new(endpoint.map_err(unusable(sink))?))
                }
                SinkKind::Influxdb2(influxdb2) => {
                    let token = secret(sink, "token", &influxdb2.token)?;
                    let endpoint = influxdb2::endpoint(influxdb2, &token, http);
                    Reach::Influxdb2(Arc::new(endpoint.map_err(unusable(sink))?))
                }
                SinkKind::Store => Reach::Store(settings.store.clone()),
                SinkKind::RemoteWrite(remote_write) => {
                    let source = match &remote_write.credentials {
                        Some(RemoteWriteCredentials::Basic { password, .. }) => {
                            password.as_ref().map(|source| ("password", source))
                        }
                        Some(RemoteWriteCredentials::Bearer { token }) => Some(("bearer_token", token)),
                        None => None,
                    };
                    let known = source
                        .map(|(key, source)| secret(sink, key, source))
                        .transpose()?;
                    let endpoint = remote_write::endpoint(remote_write, known.as_ref(), http);
                    Reach::RemoteWrite(Arc::new(endpoint.map_err(unusable(sink))?))
                }
                SinkKind::Textfile(textfile) => Reach::Textfile(Folder::new(&textfile.directory)),
                SinkKind::Discard => Reach::Discard,
                _ => Reach::Unresolved,
            };
            Ok(SinkSpec {
                settings: sink.clone(),
                reach,
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

/// The HTTP client of a sink cannot be made.
fn unusable(sink: &SinkSettings) -> impl FnOnce(HttpError) -> SinksError + '_ {
    |source| SinksError::Http {
        sink: sink.name.clone(),
        source,
    }
}

/// Any of the sinks.
pub(crate) enum AnySink {
    LineProtocol(LineProtocol),
    RemoteWrite(RemoteWrite),
    Store(Box<store::StoreSink>),
    Discard(discard::Discard),
}

impl AnySink {
    /// Says what is known of the fields of the batches that come.
    pub(crate) fn declare(&mut self, declared: &Arc<Declarations>) {
        if let Self::RemoteWrite(sink) = self {
            sink.declare(declared);
        }
    }

    /// What was left out by rule since this was asked last.
    pub(crate) fn take_notice(&mut self) -> Option<String> {
        match self {
            Self::RemoteWrite(sink) => sink.take_notice(),
            Self::LineProtocol(_) | Self::Store(_) | Self::Discard(_) => None,
        }
    }
}

impl Sink for AnySink {
    fn takes_gzip(&self) -> bool {
        match self {
            Self::LineProtocol(sink) => sink.takes_gzip(),
            Self::RemoteWrite(sink) => sink.takes_gzip(),
            Self::Store(sink) => sink.takes_gzip(),
            Self::Discard(sink) => sink.takes_gzip(),
        }
    }

    fn minds_order(&self) -> bool {
        matches!(self, Self::RemoteWrite(_))
    }

    fn plan(&self, text: &[u8], lines: Lines) -> Plan {
        match self {
            Self::RemoteWrite(sink) => sink.plan(text, lines),
            Self::LineProtocol(_) | Self::Store(_) | Self::Discard(_) => Plan::from(lines),
        }
    }

    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        match self {
            Self::LineProtocol(sink) => sink.send(payload, time).await,
            Self::RemoteWrite(sink) => sink.send(payload, time).await,
            Self::Store(sink) => sink.send(payload, time).await,
            Self::Discard(sink) => sink.send(payload, time).await,
        }
    }

    async fn close(self) {
        match self {
            Self::LineProtocol(sink) => sink.close().await,
            Self::RemoteWrite(sink) => sink.close().await,
            Self::Store(sink) => sink.close().await,
            Self::Discard(sink) => sink.close().await,
        }
    }
}

impl From<Later> for Outcome {
    fn from(later: Later) -> Self {
        Self::Later(later)
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
