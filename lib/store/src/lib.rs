//! The embedded store: points kept on the host itself, in one SQLite file.
//!
//! It is the sink where no other is configured, what `tidemark show` reads, and the source that immutable blocks
//! are cut from. A batch is written as one row, never as a row a sample; compaction turns the rows of
//! some hours into chunks. Values come back exactly as they were written, with their types. Writing a batch again
//! changes nothing, and the same series and time written with another value takes the later one.
//!
//! It is not a server, has no query language, and does no arithmetic. The format is drawn in `FORMAT.md`.
//!
//! ```
//! use std::path::Path;
//! use tidemark_point::{Adjustments, Point, Timestamp};
//! use tidemark_store::{Selector, Store, StoreOptions};
//!
//! # async fn example(folder: &Path, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! let mut store = Store::open(&folder.join("store.db"), StoreOptions::default()).await?;
//! let point = Point::builder("disk").tag("device", "sda").field("used", 0.5).time(now);
//! store.write(&[point.build(&mut Adjustments::default())?], now).await?;
//!
//! let last = store.last(&Selector::new().measurement("disk")).await?;
//! assert_eq!(last[0].series.to_string(), r#"disk{device="sda"} used"#);
//! assert_eq!((last[0].time, &last[0].value), (now, &0.5.into()));
//! store.close().await?;
//! # Ok(())
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(example(folder.path(), Timestamp::EPOCH))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One process writes at a time (others wait for it), many read meanwhile. What [`Store::write`] returned for is on
//! the disk.

mod batch;
mod bytes;
mod compact;
mod database;
mod error;
mod frame;
mod layout;
mod layouts;
mod merge;
mod names;
mod options;
mod outcome;
mod part;
mod read;
mod retain;
mod scan;
mod series;
mod store;
mod write;

pub use error::StoreError;
pub use options::StoreOptions;
pub use outcome::{Dropped, SetAside, Statistics, Written};
pub use scan::Scan;
pub use series::{LastValue, Selector, SeriesName, SeriesSamples};
pub use store::Store;
