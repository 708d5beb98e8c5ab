//! What the tests share.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly, their helpers too")]

use std::path::PathBuf;

use tempfile::TempDir;
use tidemark_point::{Adjustments, Point, Timestamp, Value};
use tidemark_store::{Selector, SeriesName, Store, StoreOptions};

/// 2026-11-21T00:00:00Z.
pub(crate) const START: i64 = 1_795_219_200;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START + seconds).unwrap()
}

pub(crate) fn point(
    measurement: &str,
    tags: &[(&str, &str)],
    fields: &[(&str, Value)],
    time: Timestamp,
) -> Point {
    let mut builder = Point::builder(measurement);
    for (key, value) in tags {
        builder = builder.tag(key, value);
    }
    for (key, value) in fields {
        builder = builder.field(key, value.clone());
    }
    builder.time(time).build(&mut Adjustments::default()).unwrap()
}

pub(crate) fn one(measurement: &str, value: impl Into<Value>, time: Timestamp) -> Point {
    point(measurement, &[], &[("value", value.into())], time)
}

pub(crate) fn name(measurement: &str, tags: &[(&str, &str)], field: &str) -> SeriesName {
    SeriesName {
        measurement: measurement.into(),
        tags: tags
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        field: field.into(),
    }
}

/// A folder with a place for a store.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.path(), StoreOptions::default()).await.unwrap()
    }

    /// Names of the files in the folder, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// All samples of one series.
pub(crate) async fn samples(store: &mut Store, measurement: &str) -> Vec<(Timestamp, Value)> {
    let all = Timestamp::MIN..Timestamp::MAX;
    let mut series = store
        .range(&Selector::new().measurement(measurement), all)
        .await
        .unwrap();
    assert!(series.len() <= 1, "{series:?}");
    series.pop().map(|series| series.samples).unwrap_or_default()
}
