//! The embedded store as a sink.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{Clock, chain};
use tidemark_settings::StoreSettings;
use tidemark_store::{Store, StoreError, StoreOptions};

use super::Sink;
use crate::body::Payload;
use crate::policy::{Later, Outcome, Refusal};
use crate::words::words;

/// The store's file in the state folder.
const FILE: &str = "store.db";

/// The longest that a write may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The store of the state folder, opened when the first batch comes.
pub(crate) struct StoreSink {
    path: PathBuf,
    options: StoreOptions,
    clock: Arc<dyn Clock>,
    open: Option<Store>,
}

impl StoreSink {
    pub(crate) fn new(dir: &Path, settings: &StoreSettings, clock: Arc<dyn Clock>) -> Self {
        let options = StoreOptions::new(settings.keep.as_duration(), settings.max_bytes.as_bytes());
        Self {
            path: dir.join(FILE),
            options,
            clock,
            open: None,
        }
    }

    async fn write(&mut self, text: &[u8]) -> Result<(), StoreError> {
        let store = match &mut self.open {
            Some(store) => store,
            None => self
                .open
                .insert(Store::open(&self.path, self.options.clone()).await?),
        };
        let written = store.write_line_protocol(text, self.clock.now()).await?;
        for set_aside in store.take_set_aside().iter().chain(&written.set_aside) {
            tracing::warn!("{set_aside}");
        }
        // What expires goes quietly; what goes for want of room does not.
        if written.dropped.evicted > 0 {
            tracing::warn!("the store is over its bound: {}", written.dropped);
        }
        Ok(())
    }
}

impl Sink for StoreSink {
    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        // Another process may be writing to the store for long.
        let Ok(written) = tokio::time::timeout(time.min(TIMEOUT), self.write(&payload.bytes)).await else {
            self.open = None;
            return Later::new("the store was kept busy by another process; it is tried again").into();
        };
        match written {
            Ok(()) => Outcome::Stored,
            Err(StoreError::Line(error)) => Outcome::Refused(Refusal {
                status: None,
                reason: words(&error.to_string()),
                numbered: error
                    .line
                    .checked_sub(1)
                    .and_then(|line| line.try_into().ok())
                    .map(|line| (line, words(&error.to_string())))
                    .into_iter()
                    .collect(),
                ..Refusal::default()
            }),
            Err(error) => {
                // Opened anew for the next batch, after whatever this was.
                self.open = None;
                Later::new(words(&chain(&error))).into()
            }
        }
    }

    async fn close(self) {
        if let Some(store) = self.open
            && let Err(error) = store.close().await
        {
            tracing::warn!("the store did not close: {}", chain(&error));
        }
    }
}
