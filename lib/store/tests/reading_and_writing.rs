//! What is written comes back: values, types, series, ranges, last values, overwrites.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, their helpers too"
)]
#![allow(
    clippy::print_stdout,
    reason = "what a test did not check, and what a child process did"
)]

mod common;

use common::{Place, at, name, one, point, samples};
use tidemark_point::{Timestamp, Value, line};
use tidemark_store::{Selector, Store, StoreError};

#[tokio::test]
async fn every_type_comes_back_exactly() {
    let long = "ü\"\\ \0".repeat(65_536 / 6);
    let values = [
        Value::from(0.0),
        Value::from(-0.0),
        Value::from(5e-324),
        Value::from(f64::MAX),
        Value::from(0.1 + 0.2),
        Value::from(i64::MIN),
        Value::from(i64::MAX),
        Value::from(0_u64),
        Value::from(u64::MAX),
        Value::from(true),
        Value::from(false),
        Value::from(""),
        Value::from(long.as_str()),
    ];
    let names: Vec<String> = (0..values.len()).map(|n| format!("f{n:02}")).collect();
    let fields: Vec<(&str, Value)> = names
        .iter()
        .map(String::as_str)
        .zip(values.iter().cloned())
        .collect();
    let place = Place::new();
    let mut store = place.open().await;
    let written = store
        .write(&[point("m", &[("host", "a b,c=d\\e")], &fields, at(0))], at(0))
        .await
        .unwrap();
    assert_eq!((written.points, written.samples), (1, 13));

    let last = store.last(&Selector::new()).await.unwrap();
    assert_eq!(last[0].series, name("m", &[("host", "a b,c=d\\e")], "f00"));
    assert_eq!(last[0].time, at(0));
    let back: Vec<Value> = last.into_iter().map(|last| last.value).collect();
    assert!(back == values, "the row changed a value");
    assert!(matches!(back[1], Value::Float(zero) if zero.is_sign_negative()));

    // A newer row, so that the first becomes a chunk.
    store.write(&[one("m", 1, at(60))], at(0)).await.unwrap();
    store.compact().await.unwrap();
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.rows, statistics.chunks), (1, 1));
    let last = store
        .last(&Selector::new().tag("host", "a b,c=d\\e"))
        .await
        .unwrap();
    let back: Vec<Value> = last.into_iter().map(|last| last.value).collect();
    assert!(back == values, "the chunk changed a value");
}

#[tokio::test]
async fn line_protocol_is_the_same_as_points() {
    let points = [
        point(
            "disk",
            &[("device", "sda"), ("host", "a")],
            &[("used", 1.5.into()), ("free", 7_u64.into())],
            at(0),
        ),
        point(
            "a,b c",
            &[("k=", "v, ")],
            &[("s\"t", "x\ny\\".into()), ("n", (-3).into())],
            at(0),
        ),
        point(
            "disk",
            &[("device", "sda"), ("host", "a")],
            &[("used", 2.5.into())],
            at(60),
        ),
    ];
    let (one, other) = (Place::new(), Place::new());
    let (mut by_points, mut by_text) = (one.open().await, other.open().await);
    by_points.write(&points, at(0)).await.unwrap();
    let text = line::write(&points, line::Dialect::V2);
    let written = by_text.write_line_protocol(&text, at(0)).await.unwrap();
    assert_eq!((written.points, written.samples), (3, 5));
    let all = Timestamp::MIN..Timestamp::MAX;
    let expected = by_points.range(&Selector::new(), all.clone()).await.unwrap();
    assert_eq!(expected, by_text.range(&Selector::new(), all).await.unwrap());
    assert_eq!(expected.len(), 4);
    assert_eq!(expected[0].series, name("a,b c", &[("k=", "v, ")], "n"));
    // The same layouts: writing the text into the other store adds none.
    let before = by_points.statistics().await.unwrap();
    by_points.write_line_protocol(&text, at(0)).await.unwrap();
    assert_eq!(by_points.statistics().await.unwrap().layouts, before.layouts);
}

#[tokio::test]
async fn a_line_without_a_time_has_now_and_a_bad_one_refuses_all() {
    let place = Place::new();
    let mut store = place.open().await;
    store.write_line_protocol(b"m value=1\n", at(5)).await.unwrap();
    assert_eq!(samples(&mut store, "m").await, [(at(5), Value::from(1.0))]);
    let error = store
        .write_line_protocol(b"m value=2 1\nm value= 2\n", at(5))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Line(line) if line.line == 2),
        "{error:?}"
    );
    assert_eq!(samples(&mut store, "m").await.len(), 1);
    assert_eq!(
        store
            .write_line_protocol(b"# nothing\n\n", at(5))
            .await
            .unwrap()
            .points,
        0
    );
}

#[tokio::test]
async fn series_are_found_by_measurement_tags_and_field() {
    let place = Place::new();
    let mut store = place.open().await;
    let fields = [("free", 1_u64.into()), ("used", 2_u64.into())];
    let points: Vec<_> = ["sda", "sdb"]
        .iter()
        .flat_map(|device| {
            ["a", "b"].map(|host| point("disk", &[("device", device), ("host", host)], &fields, at(0)))
        })
        .chain([point("load", &[("host", "a")], &[("load1", 0.5.into())], at(0))])
        .collect();
    store.write(&points, at(0)).await.unwrap();
    let count = async |store: &mut Store, selector: Selector| store.series(&selector).await.unwrap().len();
    assert_eq!(count(&mut store, Selector::new()).await, 9);
    assert_eq!(count(&mut store, Selector::new().measurement("disk")).await, 8);
    assert_eq!(count(&mut store, Selector::new().measurement("dis")).await, 0);
    assert_eq!(count(&mut store, Selector::new().measurement("")).await, 0);
    assert_eq!(count(&mut store, Selector::new().tag("host", "a")).await, 5);
    assert_eq!(
        count(&mut store, Selector::new().tag("host", "a").tag("device", "sda")).await,
        2
    );
    assert_eq!(count(&mut store, Selector::new().field("used")).await, 4);
    let found = store
        .last(
            &Selector::new()
                .measurement("disk")
                .tag("device", "sdb")
                .field("used"),
        )
        .await
        .unwrap();
    let names: Vec<String> = found.iter().map(|last| last.series.to_string()).collect();
    assert_eq!(
        names,
        [
            r#"disk{device="sdb",host="a"} used"#,
            r#"disk{device="sdb",host="b"} used"#
        ]
    );
}

#[tokio::test]
async fn a_range_has_its_start_and_not_its_end() {
    let place = Place::new();
    let mut store = place.open().await;
    for minute in 0..10 {
        store
            .write(&[one("m", minute, at(minute * 60))], at(0))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        let range = store.range(&Selector::new(), at(120)..at(300)).await.unwrap();
        let values: Vec<&Value> = range[0].samples.iter().map(|(_, value)| value).collect();
        assert_eq!(
            values,
            [&Value::from(2_i64), &Value::from(3_i64), &Value::from(4_i64)]
        );
        assert!(
            store
                .range(&Selector::new(), at(300)..at(300))
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            store
                .range(&Selector::new(), at(300)..at(120))
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            store
                .range(&Selector::new(), at(601)..Timestamp::MAX)
                .await
                .unwrap()
                .is_empty()
        );
        store.compact().await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_sent_twice_changes_nothing() {
    let place = Place::new();
    let mut store = place.open().await;
    let batch: Vec<_> = (0..50)
        .map(|n| point("m", &[("n", &n.to_string())], &[("v", n.into())], at(0)))
        .collect();
    store.write(&batch, at(0)).await.unwrap();
    let all = Timestamp::MIN..Timestamp::MAX;
    let before = store.range(&Selector::new(), all.clone()).await.unwrap();
    store.write(&batch, at(0)).await.unwrap();
    assert_eq!(store.range(&Selector::new(), all.clone()).await.unwrap(), before);
    store.write(&batch, at(0)).await.unwrap();
    store.compact().await.unwrap();
    assert_eq!(store.range(&Selector::new(), all.clone()).await.unwrap(), before);
    // A row for the newest and a chunk of the others, where each series is once.
    assert_eq!(store.statistics().await.unwrap().samples, 100);
}

#[tokio::test]
async fn the_later_write_wins_with_its_type() {
    let place = Place::new();
    let mut store = place.open().await;
    store
        .write(&[one("m", 1, at(0)), one("m", 2, at(60))], at(0))
        .await
        .unwrap();
    store.write(&[one("m", "two", at(60))], at(0)).await.unwrap();
    store
        .write(&[one("m", 1.5, at(0)), one("m", 1.75, at(0))], at(0))
        .await
        .unwrap();
    let expected = [(at(0), Value::from(1.75)), (at(60), Value::from("two"))];
    for _ in 0..3 {
        assert_eq!(samples(&mut store, "m").await, expected);
        let last = store.last(&Selector::new()).await.unwrap();
        assert_eq!((last[0].time, &last[0].value), (at(60), &Value::from("two")));
        store.compact().await.unwrap();
        store.write(&[one("other", 1, at(0))], at(0)).await.unwrap();
    }
    // Over a chunk, late.
    store.write(&[one("m", 3, at(60))], at(0)).await.unwrap();
    store.write(&[one("m", 0, at(-60))], at(0)).await.unwrap();
    for _ in 0..2 {
        let times: Vec<_> = samples(&mut store, "m").await;
        assert_eq!(
            times,
            [
                (at(-60), Value::from(0)),
                (at(0), Value::from(1.75)),
                (at(60), Value::from(3))
            ]
        );
        assert_eq!(
            store.last(&Selector::new().measurement("m")).await.unwrap()[0].value,
            Value::from(3)
        );
        store.compact().await.unwrap();
    }
}

#[tokio::test]
async fn last_finds_series_that_ended_long_ago() {
    let place = Place::new();
    let mut store = place.open().await;
    for run in 0..300_i64 {
        let tag = format!("run{}", run / 100);
        let points = [
            point("m", &[("run", &tag)], &[("v", run.into())], at(run * 60)),
            point("m", &[("all", "x")], &[("v", run.into())], at(run * 60)),
        ];
        store.write(&points, at(run * 60)).await.unwrap();
        if run % 70 == 69 {
            store.compact().await.unwrap();
        }
    }
    let last = store.last(&Selector::new()).await.unwrap();
    let found: Vec<(String, i64, Value)> = last
        .into_iter()
        .map(|last| {
            (
                last.series.tags[0].1.clone(),
                (last.time.since(at(0))) / 60_000_000_000,
                last.value,
            )
        })
        .collect();
    let expected = [("x", 299), ("run0", 99), ("run1", 199), ("run2", 299)]
        .map(|(tag, run)| (tag.to_owned(), run, Value::from(run)));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_batch_of_many_times_becomes_few_rows() {
    let place = Place::new();
    let mut store = place.open().await;
    // Events: each with a tag and a time of its own.
    let events: Vec<_> = (0..3000)
        .map(|n| point("event", &[("id", &n.to_string())], &[("v", n.into())], at(n)))
        .collect();
    store.write(&events, at(0)).await.unwrap();
    let statistics = store.statistics().await.unwrap();
    assert!(statistics.rows <= 12, "{statistics:?}");
    assert_eq!(statistics.samples, 3000);
    let range = store
        .range(&Selector::new().tag("id", "1234"), at(0)..at(9999))
        .await
        .unwrap();
    assert_eq!(range[0].samples, [(at(1234), Value::from(1234_i64))]);
    // One series with many times.
    let history: Vec<_> = (0..1000).map(|n| one("history", n, at(n))).collect();
    store.write(&history, at(0)).await.unwrap();
    assert_eq!(store.statistics().await.unwrap().rows, statistics.rows + 1);
    assert_eq!(samples(&mut store, "history").await.len(), 1000);
}

#[tokio::test]
async fn a_scan_gives_everything_in_order() {
    let place = Place::new();
    let mut store = place.open().await;
    for minute in 0..5 {
        let batch: Vec<_> = (0..700)
            .map(|n| {
                point(
                    &format!("m{}", n % 7),
                    &[("n", &format!("{n:03}"))],
                    &[("v", n.into())],
                    at(minute * 60),
                )
            })
            .collect();
        store.write(&batch, at(0)).await.unwrap();
        if minute == 2 {
            store.compact().await.unwrap();
        }
    }
    let times = at(60)..at(240);
    let expected = store.range(&Selector::new(), times.clone()).await.unwrap();
    assert_eq!(expected.len(), 700);
    assert!(expected.is_sorted_by(|a, b| a.series < b.series));
    let mut scan = store.scan(&Selector::new(), times).await.unwrap();
    let mut found = Vec::new();
    while let Some(series) = scan.next().await.unwrap() {
        assert_eq!(series.samples.len(), 3);
        found.push(series);
    }
    assert_eq!(found, expected);
    // A scan that was left early does not stand in the way.
    let mut scan = store.scan(&Selector::new(), at(0)..at(60)).await.unwrap();
    assert!(scan.next().await.unwrap().is_some());
    store.write(&[one("m", 1, at(0))], at(0)).await.unwrap();
}
