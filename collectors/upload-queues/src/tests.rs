use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::queue::{Ages, Types};
use crate::upload::{Upload, read};

mod run;

fn time(text: &str) -> Timestamp {
    Timestamp::try_from(text.parse::<DateTime<Utc>>().unwrap()).unwrap()
}

/// The queue of a list in JSON.
fn queue(list: &Value, now: &str) -> Queue {
    Queue::of(read(&list.to_string()).unwrap(), time(now))
}

/// An upload of that time that holds sources.
fn of(created: &str) -> Value {
    json!({"date_created": created, "contains_source": true, "contains_build": false, "contains_copy": false})
}

fn ages(created: &[&str], now: &str) -> (i64, i64) {
    let list: Vec<Value> = created.iter().map(|created| of(created)).collect();
    let queue = queue(&json!(list), now);
    assert_eq!(queue.count, i64::try_from(created.len()).unwrap());
    assert_eq!(queue.faults().count(), 0);
    let ages = queue.ages.unwrap();
    (ages.oldest, ages.backlog)
}

fn said(remarks: &Remarks) -> String {
    remarks.to_string()
}

#[test]
fn an_age_is_of_days_that_are_over_and_a_backlog_begins_at_eleven() {
    for (created, due) in [
        ("2026-11-21T07:00:00+00:00", (0, 0)),
        ("2026-11-20T07:00:00.000001+00:00", (0, 0)),
        ("2026-11-20T07:00:00+00:00", (1, 0)),
        ("2026-11-11T07:00:00+00:00", (10, 0)),
        ("2026-11-11T06:59:59.999+00:00", (10, 0)),
        ("2026-11-10T07:00:00.001+00:00", (10, 0)),
        ("2026-11-10T07:00:00+00:00", (11, 1)),
        ("2026-11-10T08:30:00+01:30", (11, 1)),
        ("2026-11-10T07:00:00Z", (11, 1)),
        ("1970-01-01T00:00:00+00:00", (20_778, 1)),
        ("0001-01-01T00:00:00+00:00", (739_940, 1)),
    ] {
        assert_eq!(ages(&[created], "2026-11-21T07:00:00Z"), due, "{created}");
    }
    let three = [
        "2026-11-01T00:00:00+00:00",
        "2026-11-20T00:00:00+00:00",
        "2026-10-31T23:00:00+00:00",
    ];
    assert_eq!(ages(&three, "2026-11-21T07:00:00Z"), (20, 2));
}

#[test]
fn ages_go_over_leap_days_and_years() {
    assert_eq!(
        ages(&["2024-02-28T12:00:00+00:00"], "2024-03-01T12:00:00Z"),
        (2, 0)
    );
    assert_eq!(
        ages(&["2023-02-28T12:00:00+00:00"], "2023-03-01T12:00:00Z"),
        (1, 0)
    );
    assert_eq!(
        ages(&["2023-12-31T23:59:59+00:00"], "2024-12-31T23:59:59Z"),
        (366, 1)
    );
}

#[test]
fn what_has_not_come_yet_has_no_age_and_is_told() {
    let queue = queue(
        &json!([
            of("2026-11-21T07:00:00.001+00:00"),
            of("2026-11-19T07:00:00Z"),
            of("9999-12-31T23:59:59Z")
        ]),
        "2026-11-21T07:00:00Z",
    );
    assert_eq!(
        (queue.count, queue.ages),
        (
            3,
            Some(Ages {
                oldest: 2,
                backlog: 0
            })
        )
    );
    assert_eq!(
        said(&queue.ahead),
        "entry 1: it is of 2026-11-21 07:00:00.001 UTC, after now, and 1 more"
    );
}

#[test]
fn an_empty_queue_is_all_0() {
    let queue = queue(&json!([]), "2026-11-21T07:00:00Z");
    assert_eq!(
        queue,
        Queue {
            ages: Some(Ages::default()),
            types: Some(Types::default()),
            ..Queue::default()
        }
    );
}

#[test]
fn an_upload_may_be_of_several_types_or_of_none() {
    let of = |source, build, copy| json!({"date_created": "2026-11-21T07:00:00Z", "contains_source": source, "contains_build": build, "contains_copy": copy});
    let list = json!([
        of(true, true, false),
        of(true, false, false),
        of(false, false, true),
        of(false, false, false),
        of(true, true, true),
    ]);
    let queue = queue(&list, "2026-11-21T07:00:00Z");
    assert_eq!(queue.count, 5);
    assert_eq!(
        queue.types,
        Some(Types {
            source: 3,
            binary: 2,
            sync: 2
        })
    );
}

#[test]
fn an_upload_that_is_listed_twice_is_one() {
    let at = |link: &str| {
        let mut upload = of("2026-11-01T07:00:00Z");
        upload["self_link"] = json!(link);
        upload
    };
    let long = "x".repeat(151);
    let queue = queue(
        &json!([
            at("/1"),
            at("/2"),
            at("/1"),
            of("2026-11-01T07:00:00Z"),
            of("2026-11-01T07:00:00Z"),
            at(&long),
            at(&long)
        ]),
        "2026-11-21T07:00:00Z",
    );
    // Of those without an address, or with one too long to be one, nobody knows.
    assert_eq!(queue.count, 6);
    assert_eq!(
        queue.ages,
        Some(Ages {
            oldest: 20,
            backlog: 6
        })
    );
    assert_eq!(
        queue.types,
        Some(Types {
            source: 6,
            ..Types::default()
        })
    );
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_counts() {
    let good = of("2026-11-19T07:00:00Z");
    let with = |key: &str, value: Value| {
        let mut upload = good.clone();
        upload[key] = value;
        upload
    };
    for (value, what) in [
        (json!(null), "null"),
        (json!(20_261_121), "a number"),
        (json!(-1), "a number"),
        (json!(1.5), "a number"),
        (json!(true), "true"),
        (json!([1, [2]]), "a list"),
        (json!({"a": {}}), "an object"),
        (json!(""), "the text \"\""),
        (json!("2026-11-21"), "the text \"2026-11-21\""),
        (json!("2026-02-29T00:00:00Z"), "the text \"2026-02-29T00:00:00Z\""),
        (json!("2026-11-21T07:00:00"), "the text \"2026-11-21T07:00:00\""),
        (
            json!("tag:launchpad.net:2008:redacted"),
            "the text \"tag:launchpad.net:2008:redacted\"",
        ),
    ] {
        let list = json!([with("date_created", value), good]);
        let queue = queue(&list, "2026-11-21T07:00:00Z");
        assert_eq!(
            (queue.count, queue.ages),
            (
                2,
                Some(Ages {
                    oldest: 2,
                    backlog: 0
                })
            )
        );
        assert_eq!(
            queue.types,
            Some(Types {
                source: 2,
                ..Types::default()
            })
        );
        assert_eq!(
            said(&queue.undated),
            format!("entry 1: its date_created is {what}, not a time as RFC 3339 has it")
        );
    }
    for key in ["contains_source", "contains_build", "contains_copy"] {
        let list = json!([
            good,
            with(key, json!("yes")),
            with(key, json!(null)),
            with(key, json!([]))
        ]);
        let queue = queue(&list, "2026-11-21T07:00:00Z");
        assert_eq!(queue.count, 4);
        assert_eq!(
            queue.types,
            Some(Types {
                source: 1,
                ..Types::default()
            })
        );
        assert_eq!(
            said(&queue.untyped),
            format!("entry 2: its {key} is the text \"yes\", not true or false, and 2 more")
        );
    }
    for (entry, what) in [
        (json!(null), "null"),
        (json!(7), "a number"),
        (json!(-7), "a number"),
        (json!(7.5), "a number"),
        (json!(false), "false"),
        (json!(["a"]), "a list"),
        (
            json!("ü".repeat(61)),
            &*format!("the text \"{}\"…", "ü".repeat(60)),
        ),
    ] {
        let queue = queue(&json!([entry, good]), "2026-11-21T07:00:00Z");
        assert_eq!(queue.count, 1);
        assert_eq!(
            said(&queue.strange),
            format!("entry 1: it is {what}, not an upload")
        );
    }
}

#[test]
fn where_nothing_is_told_nothing_is_said() {
    let queue = queue(&json!([{}, {"id": 1}]), "2026-11-21T07:00:00Z");
    assert_eq!((queue.count, queue.ages, queue.types), (2, None, None));
    assert_eq!(
        said(&queue.undated),
        "entry 1: it has no date_created, and 1 more"
    );
    assert_eq!(
        said(&queue.untyped),
        "entry 1: it has no contains_source, and 1 more"
    );
}

#[test]
fn what_is_no_list_is_an_error() {
    for json in [
        "",
        "{}",
        "null",
        "[",
        "[{]",
        "[1,]",
        "[{\"date_created\": }]",
        "[] []",
    ] {
        assert!(read(json).is_err(), "{json}");
    }
}

#[test]
fn what_is_skipped_may_be_nested_as_deeply_as_it_is_long() {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let entries = read(&format!(
        r#"[{{"custom_file_urls": {open}{close}, "contains_copy": {open}{close}}}]"#
    ));
    let Ok([Entry::Upload(upload)]) = entries.as_deref() else {
        panic!("{entries:?}");
    };
    assert_eq!(
        upload.copy,
        Err("its contains_copy is a list, not true or false".into())
    );
}

/// Uploads of any time and type, some of them with an address.
fn uploads() -> impl Strategy<Value = Vec<Upload>> {
    let upload = (
        prop::option::of("[a-f]"),
        prop::option::weighted(0.9, -40_i64..400),
        any::<[bool; 3]>(),
    );
    prop::collection::vec(upload, 0..60).prop_map(|all| {
        let now: DateTime<Utc> = "2026-11-21T07:00:00Z".parse().unwrap();
        let made = all
            .into_iter()
            .map(|(self_link, hours, [source, build, copy])| Upload {
                self_link,
                created: hours
                    .map(|hours| now - chrono::Duration::hours(hours))
                    .ok_or_else(|| "it has none".into()),
                source: Ok(source),
                build: Ok(build),
                copy: Ok(copy),
            });
        made.collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in r#"[{}\[\]":,0-9a-z_\\ -]{0,60}"#) {
        let _ = read(&text);
        let _ = read(&format!("[{{\"date_created\":{text},\"contains_copy\":true}}]"));
    }

    #[test]
    fn any_time_is_read_without_a_panic(text in "\\PC{0,30}|[+-]?[0-9]{4,9}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?([+-][0-9]{2}:[0-9]{2}|Z)", now in any::<i64>()) {
        let entries = read(&json!([of(&text)]).to_string()).unwrap();
        let queue = Queue::of(entries, Timestamp::from_nanos_clamped(now));
        prop_assert_eq!(queue.count, 1);
        prop_assert!(queue.ages.is_none_or(|ages| ages.oldest >= 0));
    }

    #[test]
    fn the_sums_agree(uploads in uploads()) {
        let now = time("2026-11-21T07:00:00Z");
        let queue = Queue::of(uploads.iter().cloned().map(Entry::Upload), now);
        // By another way: the first of each address, then each figure by itself.
        let mut seen = BTreeSet::new();
        let once: Vec<&Upload> = uploads
            .iter()
            .filter(|upload| upload.self_link.as_ref().is_none_or(|link| seen.insert(link.clone())))
            .collect();
        let number = |is: &dyn Fn(&Upload) -> bool| i64::try_from(once.iter().filter(|upload| is(upload)).count()).unwrap();
        prop_assert_eq!(queue.count, number(&|_| true));
        let days: Vec<i64> = once
            .iter()
            .filter_map(|upload| upload.created.as_ref().ok())
            .map(|created| (DateTime::<Utc>::from(now).timestamp() - created.timestamp()).max(0) / 86_400)
            .collect();
        match queue.ages {
            Some(ages) => {
                prop_assert_eq!(ages.oldest, days.iter().copied().max().unwrap_or(0));
                prop_assert_eq!(usize::try_from(ages.backlog).unwrap(), days.iter().filter(|days| **days >= 11).count());
            }
            None => prop_assert!(days.is_empty() && !once.is_empty()),
        }
        let types = queue.types.unwrap();
        prop_assert_eq!(types.source, number(&|upload| upload.source == Ok(true)));
        prop_assert_eq!(types.binary, number(&|upload| upload.build == Ok(true)));
        prop_assert_eq!(types.sync, number(&|upload| upload.copy == Ok(true)));
    }
}
