//! TOML, environment and credentials to checked settings.
//!
//! Settings are a main file, `conf.d/*.toml` beside it, and a few environment variables; [`Places`] says where they and
//! everything else of a host are. [`Settings::load`] reads the sections that all programs share, and
//! [`Settings::load_for`] those and a collector's own `[collector.NAME]`, which is a struct that derives [`Section`].
//! Either gives settings without a mistake, with notices for a person to read, or every mistake in all files at once,
//! each with its place and what to write instead.
//!
//! - A value that exists is a valid one: [`Span`], [`Size`], addresses and names are checked when they are read.
//! - A [`SecretSource`] is only where a secret is; [`SecretSource::resolve`] reads it where it is used. A [`Secret`] has no
//!   printable form, and no mistake quotes what may be one.
//! - The environment is read through [`Environment`], and nowhere else in the workspace. A [`HostEnvironment`] adds what
//!   `/etc/default/tidemark` gives the units of a host.
//!
//! It is not a place for what a program finds out at run time, it watches no file, and it neither logs nor prints:
//! notices are returned. Whether a server, a certificate or a secret is really there is for those who use them to say.
//!
//! Bounds: a file is at most 1 MiB, a secret 64 KiB, `conf.d` 1000 files, lists and tables are nested 80 deep; only
//! regular files are opened for reading, so nothing waits for ever. A file under the limits takes time in proportion to
//! its length.
//!
//! # Example
//! ```
//! use std::collections::BTreeMap;
//! use tidemark_settings::{LoadFrom, Places, Settings, SinkKind, Span};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("tidemark.toml");
//! std::fs::write(&file, "[store]\nkeep = \"30d\"\n[collector.host]\nrun_interval = \"90s\"\n")?;
//!
//! // Programs pass `ProcessEnvironment`; a map does for a test.
//! let environment = BTreeMap::new();
//! let places = Places::new(&environment, false, Some(file.clone()));
//! let from = LoadFrom {
//!     places: &places,
//!     environment: &environment,
//!     hostname: "web-1".to_owned(),
//!     known_collectors: None,
//! };
//! let loaded = Settings::load(&from)?;
//! assert_eq!(loaded.settings.store.keep, Span::days(30));
//! assert_eq!(loaded.common("host").run_interval, Some(Span::secs(90)));
//! // No sink is configured: the store is one.
//! assert!(matches!(loaded.settings.sinks[0].kind, SinkKind::Store));
//!
//! std::fs::write(&file, "[store]\nkep = \"30d\"\n")?;
//! let mistakes = Settings::load(&from).err().expect("a key is misspelt");
//! assert_eq!(
//!     mistakes.to_string(),
//!     format!("{}:2:1: `kep` is no key of [store]; write `keep` instead", file.display()),
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accounts;
mod document;
mod environment;
mod environment_file;
mod files;
mod host_environment;
mod influxdb_variables;
mod known;
mod load;
mod mistake;
mod nested;
mod places;
mod secret;
mod section;
mod setting_value;
mod shared;
mod sinks;
mod size;
mod span;
mod suggestion;
mod syntax;
mod tree;
mod value;

pub use document::{Document, Found};
pub use environment::{Environment, ProcessEnvironment};
pub use environment_file::{EnvironmentFileError, environment_file};
pub use host_environment::HostEnvironment;
pub use known::NamedSecret;
pub use load::{KnownCollector, KnownKey, LoadFrom, Loaded, Settings};
pub use mistake::{Mistake, Mistakes, Position};
pub use nested::Nesting;
pub use places::{Places, PlacesError};
pub use secret::{BadSecret, Secret, SecretError, SecretSource};
pub use section::{DefaultValue, Key, Literal, Section, SectionReader, UnknownKeys, defaults};
pub use setting_value::SettingValue;
pub use shared::{COMMON_KEYS, CommonSection, HostSettings, KeepFree, OutboxSettings, StoreSettings};
pub use sinks::{
    Influxdb2Settings, InfluxdbSettings, RemoteWriteCredentials, RemoteWriteSettings, SinkKind, SinkSettings,
    TextfileSettings,
};
pub use size::{Size, SizeError};
pub use span::{Span, SpanError};
pub use suggestion::quoted;
pub use url::Url;
pub use value::Value;
