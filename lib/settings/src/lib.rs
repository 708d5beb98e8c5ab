//! TOML, environment and credentials to checked settings.
//!
//! In the making.

mod environment;
mod files;
mod influxdb_variables;
mod load;
mod mistake;
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

pub use environment::{Environment, ProcessEnvironment};
pub use load::{KnownCollector, LoadFrom, Loaded, Settings};
pub use mistake::{Mistake, Mistakes, Position};
pub use places::{Places, PlacesError};
pub use secret::{BadSecret, Secret, SecretError, SecretSource};
pub use section::{DefaultValue, Key, Section, SectionReader, defaults};
pub use setting_value::SettingValue;
pub use shared::{COMMON_KEYS, CommonSection, HostSettings, KeepFree, OutboxSettings, StoreSettings};
pub use sinks::{InfluxdbSettings, SinkKind, SinkSettings};
pub use size::{Size, SizeError};
pub use span::{Span, SpanError};
pub use url::Url;
pub use value::Value;
