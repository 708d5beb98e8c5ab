//! The handle that callers hold.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;

use tidemark_point::{Point, Timestamp};

use crate::batch::Batch;
use crate::database::Database;
use crate::names::Memory;
use crate::part::Decoder;
use crate::read::{self, Found};
use crate::write::{self, Ids, number};
use crate::{
    Dropped, LastValue, Scan, Selector, SeriesName, SeriesSamples, SetAside, Statistics, StoreError,
    StoreOptions, Written, compact, retain,
};

/// Each time the numbers of rows pass a multiple of this, the writer compacts, and what is too old goes.
const MAINTENANCE_ROWS: i64 = 128;
/// Fewer rows than this are not worth a compaction.
const MIN_ROWS: usize = 64;

/// An open store: one connection, for writing and reading or for reading alone.
///
/// A future of it that is dropped before its end leaves the store whole: what it had begun is undone by the next
/// call, or when the store is dropped.
#[derive(Debug)]
pub struct Store {
    database: Database,
    decoder: Decoder,
    memory: Memory,
    options: StoreOptions,
    read_only: bool,
    set_aside: Option<SetAside>,
    /// A read found damage: the next write sets the file aside.
    damage: Option<StoreError>,
    damaged_parts: u64,
}

impl Store {
    /// Opens the store for writing, and makes it where it is not there (its folder must be). One of an older version
    /// is brought up to date; a damaged one is set aside, see [`take_set_aside`](Self::take_set_aside).
    ///
    /// # Errors
    /// [`StoreError::Newer`] and [`StoreError::Foreign`], both without touching the file; the folder is missing or
    /// read-only; the disk is full.
    pub async fn open(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let (database, set_aside) = Database::open(path, options.busy_timeout).await?;
        Ok(Self {
            set_aside,
            ..Self::new(database, options, false)
        })
    }

    /// Opens a store that exists, for reading alone; nothing is changed, whatever is found.
    ///
    /// # Errors
    /// [`StoreError::Open`] where there is none; else as [`open`](Self::open).
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let options = StoreOptions::default();
        let database = Database::open_read_only(path, options.busy_timeout).await?;
        Ok(Self::new(database, options, true))
    }

    /// Opens a store for reading alone, so that no file is made or changed, not even those that SQLite keeps beside a
    /// database in use. `None` where that cannot be: a process was killed, and its log waits for the next writer.
    ///
    /// What is read while another process writes may look damaged: look again before you believe it.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only).
    pub async fn open_untouched(path: &Path) -> Result<Option<Self>, StoreError> {
        let options = StoreOptions::default();
        let database = Database::open_untouched(path, options.busy_timeout).await?;
        Ok(database.map(|database| Self::new(database, options, true)))
    }

    fn new(database: Database, options: StoreOptions, read_only: bool) -> Self {
        Self {
            database,
            decoder: Decoder::default(),
            memory: Memory::default(),
            options,
            read_only,
            set_aside: None,
            damage: None,
            damaged_parts: 0,
        }
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// The damaged store that opening set aside, told once.
    pub fn take_set_aside(&mut self) -> Option<SetAside> {
        self.set_aside.take()
    }

    /// Parts that reads of this handle have left out because their checksums do not match.
    pub fn damaged_parts(&self) -> u64 {
        self.damaged_parts
    }

    /// Stores points, durably, all or none: once this returns, they are on the disk.
    ///
    /// Writing is idempotent: a series has one value at a time, the one that was written last. A write that makes the
    /// store larger than its bound also drops the oldest, and every so often one compacts and drops what is too old;
    /// `now` is for that. A file that turns out to be damaged is set aside,
    /// and the points are written to a new one.
    ///
    /// # Errors
    /// Nothing was stored: the disk is full, the file is read-only, or another process held it for too long.
    pub async fn write<'a>(
        &mut self,
        points: impl IntoIterator<Item = &'a Point>,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.write_batch(&Batch::of_points(points), now).await
    }

    /// Stores line protocol text ([`Dialect::V2`](tidemark_point::line::Dialect::V2)) as [`write`](Self::write)
    /// does. A line without a time has `now`.
    ///
    /// # Errors
    /// As [`write`](Self::write); [`StoreError::Line`] where a line is not valid.
    pub async fn write_line_protocol(&mut self, text: &[u8], now: Timestamp) -> Result<Written, StoreError> {
        let batch = Batch::of_text(text, now, &mut self.memory).map_err(StoreError::Line)?;
        self.write_batch(&batch, now).await
    }

    async fn write_batch(&mut self, batch: &Batch, now: Timestamp) -> Result<Written, StoreError> {
        if self.read_only {
            return Err(StoreError::OpenedReadOnly {
                path: self.path().to_path_buf(),
            });
        }
        let mut written = Written {
            set_aside: self.set_aside.take(),
            ..Written::default()
        };
        if self.database.has_moved() {
            written.set_aside = self.database.reopen().await?.or(written.set_aside);
            // What was found was in the file that is gone.
            self.damage = None;
        }
        let result = match self.damage.take() {
            Some(damage) => Err(damage),
            None => self.store(batch).await,
        };
        let ids = match result {
            Err(error) if error.is_damage() => {
                written.set_aside = self.database.start_anew(&error).await?.or(written.set_aside);
                self.store(batch).await?
            }
            other => other?,
        };
        written.points = batch.points();
        written.samples = batch.samples();
        let due =
            ids.is_some_and(|ids| ids.last / MAINTENANCE_ROWS != (ids.last - ids.count) / MAINTENANCE_ROWS);
        // The batch is stored, so its word is given whatever happens here; the next time comes.
        match self.maintain(due, now).await {
            Ok(dropped) => written.dropped = dropped,
            Err(error) => {
                written.upkeep_failed = Some(error.to_string());
                self.damage = Some(error).filter(StoreError::is_damage);
            }
        }
        Ok(written)
    }

    /// Stores the batch's rows; `None` where it has none.
    async fn store(&mut self, batch: &Batch) -> Result<Option<Ids>, StoreError> {
        let path = self.database.path().to_path_buf();
        let packing = |source| StoreError::Compress { path, source };
        if batch.points() == 0 {
            return Ok(None);
        }
        self.database.settle().await?;
        let rows = batch.rows(&mut self.decoder.codec).map_err(packing.clone())?;
        if let Some(ids) = write::known(&mut self.database, rows).await? {
            return Ok(Some(ids));
        }
        let rows = batch
            .rows_without_duplicates(&mut self.decoder.codec)
            .map_err(packing)?;
        write::any(&mut self.database, &mut self.decoder.codec, rows)
            .await
            .map(Some)
    }

    /// Compacts and enforces the bounds where that is due; the bound of the size at each write.
    async fn maintain(&mut self, due: bool, now: Timestamp) -> Result<Dropped, StoreError> {
        if !due {
            // The files are larger than what is in use in them: mostly no question to SQLite is needed.
            return if self.database.file_bytes() > self.options.max_bytes
                && retain::used_bytes(&mut self.database).await? > self.options.max_bytes
            {
                self.retain(now).await
            } else {
                Ok(Dropped::default())
            };
        }
        let compacted = compact::compact(&mut self.database, &mut self.decoder, MIN_ROWS).await?;
        let mut dropped = self.retain(now).await?;
        dropped.damaged += compacted.damaged;
        Ok(dropped)
    }

    /// Turns all rows but the newest into chunks, as writes do by themselves every so often.
    ///
    /// # Errors
    /// As [`write`](Self::write); what was compacted before stays so.
    pub async fn compact(&mut self) -> Result<(), StoreError> {
        compact::compact(&mut self.database, &mut self.decoder, 1)
            .await
            .map(|_| ())
    }

    /// Enforces the bounds now, as writes do by themselves: samples older than
    /// [`keep`](StoreOptions::keep) go, counted from `now` or from the newest sample where that is earlier; then the
    /// oldest go until the store is within [`max_bytes`](StoreOptions::max_bytes).
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn retain(&mut self, now: Timestamp) -> Result<Dropped, StoreError> {
        retain::retain(&mut self.database, self.options.keep, self.options.max_bytes, now).await
    }

    /// The newest value of each series meant, in the order of series.
    ///
    /// # Errors
    /// The file cannot be read or is damaged. Parts whose checksum does not match are left out and counted instead.
    pub async fn last(&mut self, selector: &Selector) -> Result<Vec<LastValue>, StoreError> {
        self.database.begin("BEGIN").await?;
        let result = self.last_within(selector).await;
        let result = self.database.end(result).await;
        self.noting_damage(result)
    }

    async fn last_within(&mut self, selector: &Selector) -> Result<Vec<LastValue>, StoreError> {
        let found = Found::load(&mut self.database, &mut self.decoder, selector).await?;
        read::last(
            &mut self.database,
            &mut self.decoder,
            found,
            &mut self.damaged_parts,
        )
        .await
    }

    /// The samples with `times.start <= time < times.end` of each series meant that has any, in the order of series
    /// and time. All of it is in memory: for much, see [`scan`](Self::scan).
    ///
    /// # Errors
    /// As [`last`](Self::last).
    pub async fn range(
        &mut self,
        selector: &Selector,
        times: Range<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError> {
        self.database.begin("BEGIN").await?;
        let result = self.range_within(selector, &times).await;
        let result = self.database.end(result).await;
        self.noting_damage(result)
    }

    async fn range_within(
        &mut self,
        selector: &Selector,
        times: &Range<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError> {
        let found = Found::load(&mut self.database, &mut self.decoder, selector).await?;
        read::range(
            &mut self.database,
            &mut self.decoder,
            found,
            times,
            &mut self.damaged_parts,
        )
        .await
    }

    /// The series meant, in order.
    ///
    /// # Errors
    /// As [`last`](Self::last).
    pub async fn series(&mut self, selector: &Selector) -> Result<Vec<SeriesName>, StoreError> {
        let result = Found::load(&mut self.database, &mut self.decoder, selector).await;
        self.noting_damage(result).map(|found| found.names)
    }

    /// All samples of a time range, one series after the other, in the order of series and time, without holding
    /// them all in memory. Writers go on meanwhile; the scan sees the store as it was when it began.
    ///
    /// # Errors
    /// As [`last`](Self::last).
    pub async fn scan(
        &mut self,
        selector: &Selector,
        times: Range<Timestamp>,
    ) -> Result<Scan<'_>, StoreError> {
        self.database.begin("BEGIN").await?;
        let found = Found::load(&mut self.database, &mut self.decoder, selector).await?;
        Ok(Scan {
            database: &mut self.database,
            decoder: &mut self.decoder,
            damaged: &mut self.damaged_parts,
            found,
            times,
            next: 0,
            ready: VecDeque::new(),
        })
    }

    /// What the store holds.
    ///
    /// # Errors
    /// As [`last`](Self::last).
    pub async fn statistics(&mut self) -> Result<Statistics, StoreError> {
        self.database.begin("BEGIN").await?;
        let result = self.statistics_within().await;
        let result = self.database.end(result).await;
        self.noting_damage(result)
    }

    async fn statistics_within(&mut self) -> Result<Statistics, StoreError> {
        const ACTION: &str = "read the statistics";
        let bytes = retain::used_bytes(&mut self.database).await?;
        let layouts = number(&mut self.database, ACTION, "SELECT count(*) FROM layout").await?;
        let query = sqlx::query(
            "SELECT count(*), sum(samples), min(first), max(last) FROM fresh WHERE layout <> 0 \
             UNION ALL SELECT count(*), sum(samples), min(first), max(last) FROM chunk",
        );
        let rows = self.database.fetch(ACTION, query).await?;
        let mut statistics = Statistics {
            bytes,
            layouts: layouts.unwrap_or(0).cast_unsigned(),
            ..Statistics::default()
        };
        let mut counts = [0, 0];
        for (row, count) in rows.iter().zip(&mut counts) {
            *count = self.database.get::<i64>(row, 0)?.cast_unsigned();
            statistics.samples += self
                .database
                .get::<Option<i64>>(row, 1)?
                .unwrap_or(0)
                .cast_unsigned();
            let first: Option<i64> = self.database.get(row, 2)?;
            let last: Option<i64> = self.database.get(row, 3)?;
            if let (Some(first), Some(last)) = (first, last) {
                let (first, last) = (
                    Timestamp::from_nanos_clamped(first),
                    Timestamp::from_nanos_clamped(last),
                );
                let range = statistics.range.unwrap_or((first, last));
                statistics.range = Some((range.0.min(first), range.1.max(last)));
            }
        }
        [statistics.rows, statistics.chunks] = counts;
        Ok(statistics)
    }

    /// Remembers damage for the next write. The error goes to the caller as it is, so a copy of its words is kept.
    fn noting_damage<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Damaged { what, .. }) = &result {
            self.damage = Some(self.database.damaged(what.clone()));
        }
        result
    }

    /// Closes the connection. Dropping it does too, but later, on a thread of its own.
    ///
    /// # Errors
    /// The log could not be moved into the file; nothing is lost, the next to open the store does it.
    pub async fn close(self) -> Result<(), StoreError> {
        self.database.close().await
    }
}
