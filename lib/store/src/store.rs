//! The handle that callers hold.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tidemark_point::{Point, Timestamp};

use crate::{
    Dropped, LastValue, Selector, SeriesName, SeriesSamples, SetAside, Statistics, StoreError, StoreOptions,
    Written,
};

/// An open store: one connection, for writing and reading or for reading alone.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// Opens the store for writing, and makes it where it is not there.
    pub async fn open(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let _ = options;
        Ok(Self { path: path.to_path_buf() })
    }

    /// Opens a store that exists, for reading alone.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_path_buf() })
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The damaged store that opening set aside, told once.
    pub fn take_set_aside(&mut self) -> Option<SetAside> {
        None
    }

    /// Stores points, durably, all or none. Idempotent.
    pub async fn write<'a>(
        &mut self,
        points: impl IntoIterator<Item = &'a Point>,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let _ = (points.into_iter().count(), now);
        Ok(Written::default())
    }

    /// Stores line protocol text ([`Dialect::V2`](tidemark_point::line::Dialect)), durably, all or none. Idempotent.
    pub async fn write_line_protocol(&mut self, text: &[u8], now: Timestamp) -> Result<Written, StoreError> {
        let _ = (text, now);
        Ok(Written::default())
    }

    /// The newest value of each series meant, in the order of series.
    pub async fn last(&mut self, selector: &Selector) -> Result<Vec<LastValue>, StoreError> {
        let _ = selector;
        Ok(Vec::new())
    }

    /// The samples with `times.start <= time < times.end` of each series meant that has any, in the order of series
    /// and time.
    pub async fn range(
        &mut self,
        selector: &Selector,
        times: Range<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError> {
        let _ = (selector, times);
        Ok(Vec::new())
    }

    /// The series meant, in order.
    pub async fn series(&mut self, selector: &Selector) -> Result<Vec<SeriesName>, StoreError> {
        let _ = selector;
        Ok(Vec::new())
    }

    /// Enforces the bounds now. Writes do this by themselves every so often.
    pub async fn retain(&mut self, now: Timestamp) -> Result<Dropped, StoreError> {
        let _ = now;
        Ok(Dropped::default())
    }

    /// What the store holds.
    pub async fn statistics(&mut self) -> Result<Statistics, StoreError> {
        Ok(Statistics::default())
    }

    /// Closes the connection. Dropping it does too, but later, on a thread of its own.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(())
    }
}
