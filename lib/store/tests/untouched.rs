//! A store that is opened so that nothing is touched: no file is made beside it, none is changed.
#![allow(clippy::unwrap_used, reason = "tests fail loudly, their helpers too")]

mod common;

use std::fs;

use common::{Place, at, point};
use tidemark_store::{Selector, Store};

async fn with_one_point(place: &Place) -> Store {
    let mut store = place.open().await;
    let one = point("m", &[], &[("v", 1.5.into())], at(0));
    store.write(&[one], at(0)).await.unwrap();
    store
}

async fn last(store: Option<Store>) -> usize {
    let mut store = store.unwrap();
    let last = store.last(&Selector::new()).await.unwrap().len();
    store.close().await.unwrap();
    last
}

#[tokio::test]
async fn one_that_is_closed_is_read_as_it_lies() {
    let place = Place::new();
    with_one_point(&place).await.close().await.unwrap();
    let (files, bytes) = (place.files(), fs::read(place.path()).unwrap());
    assert_eq!(last(Store::open_untouched(&place.path()).await.unwrap()).await, 1);
    assert_eq!(place.files(), files);
    assert!(fs::read(place.path()).unwrap() == bytes);
}

#[tokio::test]
async fn one_that_is_in_use_is_read_through_its_log() {
    let place = Place::new();
    let writer = with_one_point(&place).await;
    let files = place.files();
    assert_eq!(last(Store::open_untouched(&place.path()).await.unwrap()).await, 1);
    assert_eq!(place.files(), files);
    writer.close().await.unwrap();
}

#[tokio::test]
async fn the_log_of_a_killed_process_is_left_to_the_next_writer() {
    let place = Place::new();
    with_one_point(&place).await.close().await.unwrap();
    let mut log = place.path().into_os_string();
    log.push("-wal");
    fs::write(&log, [1; 4096]).unwrap();
    let files = place.files();
    assert!(Store::open_untouched(&place.path()).await.unwrap().is_none());
    assert_eq!(place.files(), files);
}
