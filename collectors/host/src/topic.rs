//! What each topic works with: files below the host's root, the points, and where it says what was missing.

use crate::Host;
use crate::filesystem::Ask;
use std::io::ErrorKind;
use tidemark_collect::{CollectorError, Context, Measurement, Points, Timestamp, chain};

/// One run's share of the topics. All points of a run have one time, that of its start.
pub(crate) struct Topic<'a> {
    cx: &'a Context,
    settings: &'a Host,
    ask: Ask,
    now: Timestamp,
    points: Points,
}

impl<'a> Topic<'a> {
    pub(crate) fn new(cx: &'a Context, settings: &'a Host, ask: Ask) -> Self {
        Self {
            cx,
            settings,
            ask,
            now: cx.now(),
            points: Points::new(),
        }
    }

    pub(crate) fn context(&self) -> &'a Context {
        self.cx
    }

    pub(crate) fn settings(&self) -> &'a Host {
        self.settings
    }

    /// How filesystems are asked.
    pub(crate) fn ask(&self) -> &Ask {
        &self.ask
    }

    /// The value of every point's tag `host`.
    pub(crate) fn host_name(&self) -> String {
        self.cx.host_name().to_owned()
    }

    /// A file's text. Names in the kernel's files may be any bytes: what is not UTF-8 becomes `U+FFFD`.
    pub(crate) fn read(&self, path: &str) -> Result<String, CollectorError> {
        let bytes = self.cx.read_host_bytes(path)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The same of a file that not every kernel has: `None` where it is not there, or is switched off.
    pub(crate) fn read_if_there(&self, path: &str) -> Result<Option<String>, CollectorError> {
        match self.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(CollectorError::Read { source, .. })
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn push(&mut self, measurement: impl Measurement) {
        self.points.push(measurement, self.now);
    }

    /// Data that should be there is not; the topic goes on.
    pub(crate) fn gap(&self, error: &CollectorError) {
        self.cx.gap(chain(error));
    }

    pub(crate) fn into_points(self) -> Points {
        self.points
    }
}
