//! What a collector is made of: the [`Metric`] trait, the [`Context`] that a run gets (HTTP, clock, host root,
//! deadline, gaps and notices), the [`Points`] that it returns, and [`CollectorError`].
//!
//! It is not the program around a collector (arguments, logs, timers, exit codes: `tidemark-app`), and it sends
//! nothing (`tidemark-delivery`). It reads no settings file: it gets a [`Metric`] that is already filled in.
//!
//! # A collector
//!
//! The struct with the settings is the collector; a struct a measurement declares names, types, units and help.
//!
//! ```
//! use tidemark_collect::{
//!     CollectorError, Context, ManualClock, Measurement, Metric, Points, Schema, Settings, Timestamp,
//! };
//!
//! /// The load of the host.
//! #[derive(Measurement)]
//! #[measurement("load")]
//! struct Load {
//!     /// Mean number of runnable processes over one minute.
//!     load1: f64,
//! }
//!
//! /// The load of the host.
//! #[derive(Settings)]
//! pub struct LoadAverage {
//!     /// The file to read, below the host's root.
//!     #[default("/proc/loadavg")]
//!     file: String,
//! }
//!
//! impl Metric for LoadAverage {
//!     const NAME: &'static str = "load";
//!     const MEASUREMENTS: &'static [&'static Schema] = &[Load::SCHEMA];
//!
//!     async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
//!         let text = cx.read_host(&self.file)?;
//!         let load = parse(&text).ok_or_else(|| CollectorError::parse(&self.file, "no number in it"))?;
//!         Ok(Points::at(cx.now(), [load]))
//!     }
//! }
//!
//! /// Text in, numbers out: tested on literals.
//! fn parse(text: &str) -> Option<Load> {
//!     Some(Load { load1: text.split_whitespace().next()?.parse().ok()? })
//! }
//!
//! # let root = tempfile::tempdir().unwrap();
//! # std::fs::create_dir(root.path().join("proc")).unwrap();
//! # std::fs::write(root.path().join("proc/loadavg"), "0.25 0.10 0.05 1/99 4242\n").unwrap();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = ManualClock::new(Timestamp::EPOCH);
//! let cx = Context::builder().host_root(root.path()).clock(clock).build();
//! let collector = LoadAverage { file: "/proc/loadavg".to_owned() };
//! let batch = tidemark_collect::run_once(&collector, &cx).await;
//! assert_eq!(batch.error, None);
//! assert_eq!(batch.points[0].field("load1"), Some(&0.25.into()));
//! # });
//! ```

mod batch;
mod clock;
mod context;
mod describe;
mod error;
pub mod http;
#[cfg(feature = "influxdb2")]
mod influxdb2;
mod metric;
mod parts;
mod points;
#[cfg(doctest)]
mod refused;
mod schemas;
mod shutdown;
mod side_by_side;
#[cfg(feature = "testing")]
pub mod testing;

pub use batch::{Batch, BatchReceiver, Batches, run_once};
pub use clock::{Clock, ManualClock, SystemClock};
pub use context::{Context, ContextBuilder, HOST_FILE_LIMIT, NOTE_LENGTH_LIMIT, NOTE_LIMIT};
pub use describe::{
    Description, FieldDescription, MeasurementDescription, NeedsDescription, SettingDescription,
    TagDescription, UsageDescription,
};
pub use error::{CollectorError, chain, one_line};
#[cfg(feature = "influxdb2")]
pub use influxdb2::DataPointError;
pub use metric::{DefaultState, Metric, Needs};
pub use parts::Parts;
pub use points::Points;
pub use schemas::{Strictness, check_schemas};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use side_by_side::side_by_side;

pub use tidemark_derive::{Measurement, Settings};
pub use tidemark_point::{
    Adjustments, FieldType, Kind, Measurement, Point, PointError, Schema, Tags, Timestamp, Together, Value,
    line,
};
pub use tidemark_settings::{Secret, SecretSource, Section, Size, Span, defaults};

/// What a key of the settings is made of, for a collector with types or checks of its own.
pub mod settings {
    pub use tidemark_settings::{Key, Literal, Mistake, Mistakes, SectionReader, SettingValue, Value};
}

/// Paths for the code that the derives write; nothing for people.
#[doc(hidden)]
pub mod __private {
    pub use tidemark_point as point;
    pub use tidemark_settings as settings;
}
