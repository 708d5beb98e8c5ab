//! Scans: all samples of a range in the order of series and time, in flat memory.

use std::collections::VecDeque;
use std::ops::Range;

use tidemark_point::Timestamp;

use crate::database::Database;
use crate::part::Decoder;
use crate::read::{self, Found};
use crate::{SeriesSamples, StoreError};

/// Series that are read at once.
const STEP_SERIES: usize = 256;

/// What [`Store::scan`](crate::Store::scan) returns: the series one by one, all as of one instant.
///
/// One that is left before its end keeps its snapshot until the store's next call.
#[derive(Debug)]
pub struct Scan<'a> {
    pub(crate) database: &'a mut Database,
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) damaged: &'a mut u64,
    pub(crate) found: Found,
    pub(crate) times: Range<Timestamp>,
    pub(crate) next: usize,
    pub(crate) ready: VecDeque<SeriesSamples>,
}

impl Scan<'_> {
    /// The next series that has samples in the range; `None` after the last.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub async fn next(&mut self) -> Result<Option<SeriesSamples>, StoreError> {
        while self.ready.is_empty() && self.next < self.found.names.len() {
            let end = self.found.names.len().min(self.next + STEP_SERIES);
            let step = self.next..end;
            let wanted = self.found.only(&step);
            let mut samples = read::samples(
                self.database,
                self.decoder,
                &self.found,
                Some(&wanted),
                &self.times,
                self.damaged,
            )
            .await?;
            for place in step {
                if let (Some(samples), Some(series)) = (samples.remove(&place), self.found.names.get(place)) {
                    self.ready.push_back(SeriesSamples {
                        series: series.clone(),
                        samples,
                    });
                }
            }
            self.next = end;
        }
        let next = self.ready.pop_front();
        if next.is_none() {
            // The snapshot is let go, so that the log can be cut back.
            self.database.settle().await?;
        }
        Ok(next)
    }
}
