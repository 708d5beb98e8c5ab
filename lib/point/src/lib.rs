//! The model that everything in tidemark passes on: points, the schema that declares them, and their text.
//!
//! A [`Point`] is valid by construction, so no sink needs to check or mend it; what had to be changed on the way
//! is counted in [`Adjustments`]. A [`Schema`] declares a measurement, and [`Measurement`] is what a struct
//! implements, by derive, to be one. [`mod@line`] writes and reads InfluxDB line protocol, [`exposition`] the text
//! formats of Prometheus, and [`remote_write`] writes the body of its remote write; there, [`Declarations`] say what
//! a field is, and [`LeftOut`] what could not be written.
//!
//! Everything is pure: no I/O, no clock, no settings. It is no client of any database, and it does not decide
//! where points go.
//!
//! ```
//! use tidemark_point::{Adjustments, Point, Timestamp, line};
//!
//! let mut adjustments = Adjustments::default();
//! let point = Point::builder("disk")
//!     .tag("host", "a b")
//!     .field("used", 0.5)
//!     .field("inodes", 17_u64)
//!     .time(Timestamp::from_secs(1).unwrap_or(Timestamp::EPOCH))
//!     .build(&mut adjustments)?;
//! let text = line::write(&[point.clone()], line::Dialect::V2);
//! assert_eq!(text, b"disk,host=a\\ b inodes=17u,used=0.5 1000000000\n");
//!
//! for read in line::parse(&text) {
//!     assert_eq!(read?, point);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adjustments;
mod builder;
mod class;
mod declarations;
mod duplicates;
mod error;
pub mod exposition;
mod fields;
pub mod line;
mod measurement;
mod name;
mod point;
mod prometheus;
pub mod remote_write;
mod schema;
mod series;
mod tags;
mod timestamp;
mod together;
mod value;

pub use adjustments::Adjustments;
pub use builder::PointBuilder;
pub use declarations::{Declarations, DeclarationsError, DeclaredField};
pub use duplicates::merge_duplicates;
pub use error::PointError;
pub use measurement::{IntoField, IntoTag, IntoTime, Measurement};
pub use point::{MAX_KEY_BYTES, MAX_STRING_BYTES, Point};
pub use prometheus::{AnyPoint, LeftOut, Omission, prometheus_label, prometheus_name};
pub use schema::{FieldSchema, Kind, Schema, SchemaError, TagSchema};
pub use tags::Tags;
pub use timestamp::{Timestamp, TimestampError};
pub use together::Together;
pub use value::{FieldType, Value};
