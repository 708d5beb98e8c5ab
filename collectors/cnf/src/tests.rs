use chrono::NaiveDate;
use proptest::prelude::*;
use tidemark_collect::Timestamp;

use crate::listing::{Age, ListingError, newest};

mod run;

const TABLE: &str = include_str!("../fixtures/noble.html");
const PREFORMATTED: &str = include_str!("../fixtures/jammy.html");

fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> chrono::NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    date.and_hms_opt(hour, minute, 0).unwrap()
}

/// A time in UTC, with its milliseconds.
fn time(modified: chrono::NaiveDateTime, millis: i64) -> Timestamp {
    Timestamp::from_millis(modified.and_utc().timestamp_millis() + millis).unwrap()
}

#[test]
fn the_last_file_that_names_commands_counts() {
    assert_eq!(newest(TABLE), Ok(at(2026, 11, 20, 22, 3)));
    assert_eq!(newest(PREFORMATTED), Ok(at(2022, 4, 21, 17, 16)));
    let html = "<pre>\
        <a href=\"Commands-amd64.xz\">Commands-amd64.xz</a> 2026-11-21 02:15\n\
        <a href=\"extra.Commands\">extra.Commands</a> 2026-11-20 02:15\n\
        <a href=\"commands\">commands</a> 2026-11-19 02:15\n\
        <a href=\"z\">Commands</a> 2026-11-18 02:15\n</pre>";
    assert_eq!(newest(html), Ok(at(2026, 11, 20, 2, 15)));
}

#[test]
fn a_listing_that_does_not_say_says_why() {
    for html in ["", "<html><h1>Maintenance</h1></html>", "{}"] {
        assert_eq!(newest(html), Err(ListingError::NoCommands { files: 0 }));
    }
    let html =
        "<ul><li><a href=\"by-hash/\"> by-hash/</a></li><li><a href=\"Release\"> Release</a></li></ul>";
    let error = newest(html).unwrap_err();
    assert_eq!(error.to_string(), "none of its 2 files is called Commands");
    // Of the last file itself, and of all.
    let html = "<pre><a href=\"Commands-amd64\">x</a> 2026-11-21 02:15\n<a href=\"Commands-s390x\">x</a>      -\n</pre>";
    let error = newest(html).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the listing shows no date of \"Commands-s390x\""
    );
    assert!(newest("<ul><li><a href=\"Commands-amd64\"> Commands-amd64</a></li></ul>").is_err());
}

#[test]
fn an_age_is_in_days_and_more_than_one_is_out_of_date() {
    let modified = at(2026, 11, 20, 7, 0);
    let day = 86_400_000;
    for (millis, days, is_out_of_date) in [
        (0, 0.0, false),
        (day / 4, 0.25, false),
        (day - 1, 86_399_999.0 / 86_400_000.0, false),
        (day, 1.0, false),
        (day + 1, 86_400_001.0 / 86_400_000.0, true),
        (day * 1000, 1000.0, true),
    ] {
        let age = Age::of(modified, time(modified, millis));
        assert!((age.days - days).abs() < 1e-12, "{millis}: {age:?}");
        assert_eq!(
            (age.is_out_of_date, age.is_ahead),
            (is_out_of_date, false),
            "{millis}"
        );
    }
}

#[test]
fn what_is_still_to_come_has_age_0() {
    let modified = at(2026, 11, 21, 7, 0);
    for millis in [-1, -60_000, -86_400_000_000] {
        let age = Age::of(modified, time(modified, millis));
        assert_eq!((age.days, age.is_out_of_date, age.is_ahead), (0.0, false, true));
    }
}

#[test]
fn a_leap_day_is_a_day() {
    let age = |modified, now| Age::of(modified, time(now, 0)).days;
    assert_eq!(age(at(2028, 2, 28, 12, 0), at(2028, 2, 29, 12, 0)), 1.0);
    assert_eq!(age(at(2028, 2, 28, 12, 0), at(2028, 3, 1, 12, 0)), 2.0);
    assert_eq!(age(at(2026, 2, 28, 23, 59), at(2026, 3, 1, 23, 59)), 1.0);
    assert_eq!(age(at(2026, 12, 31, 0, 0), at(2027, 1, 1, 0, 0)), 1.0);
}

proptest! {
    #[test]
    fn any_listing_is_read_without_a_panic(
        html in "(<pre>|<a href=|\"|Commands|>|</a>|[0-9-]{1,9}| |\n|:|9999-12-31 23:59|0000-01-01 00:00|<|é){0,40}",
        now in any::<i64>(),
    ) {
        if let Ok(modified) = newest(&html) {
            let age = Age::of(modified, Timestamp::from_nanos_clamped(now));
            prop_assert!(age.days >= 0.0 && age.days.is_finite());
        }
    }
}
