//! TOML, environment and credentials to checked settings.
//!
//! In the making.

mod environment;
mod files;
mod mistake;
mod places;
mod secret;
mod section;
mod setting_value;
mod settings;
mod sinks;
mod size;
mod span;
mod suggestion;
mod value;

pub use environment::{Environment, ProcessEnvironment};
pub use mistake::{Mistake, Mistakes, Position};
pub use places::{Places, PlacesError};
pub use secret::{Secret, SecretError, SecretSource};
pub use section::{DefaultValue, Key, Section, SectionReader, defaults};
pub use setting_value::SettingValue;
pub use settings::{
    COMMON_KEYS, CommonSection, HostSettings, KeepFree, KnownCollector, LoadFrom, Loaded, OutboxSettings, Settings,
    StoreSettings,
};
pub use sinks::{InfluxdbSettings, SinkKind, SinkSettings};
pub use size::{Size, SizeError};
pub use span::{Span, SpanError};
pub use url::Url;
pub use value::Value;
