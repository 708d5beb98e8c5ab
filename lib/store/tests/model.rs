//! The store against a model, a map of series to times to values: random writes, overwrites, out-of-order times,
//! types that change, compactions, reopenings, batches sent twice.
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

use std::collections::BTreeMap;

use common::{Place, at, point};
use proptest::prelude::*;
use tidemark_point::{Point, Timestamp, Value, line};
use tidemark_store::{Selector, SeriesName, Store};

type Model = BTreeMap<SeriesName, BTreeMap<Timestamp, Value>>;

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Sample>),
    WriteText(Vec<Sample>),
    /// The last batch once more.
    Again,
    /// The last batch as text, with other values, at another time, cut short, and with more at its end.
    SimilarText(i64, usize, Vec<Sample>),
    Compact,
    Reopen,
}

/// Measurement, tag, field, time, value.
#[derive(Clone, Debug)]
struct Sample(u8, Option<u8>, u8, i64, Value);

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(Value::Float),
        (0_u8..4).prop_map(|n| Value::Float(f64::from(n))),
        any::<i64>().prop_map(Value::Int),
        (-3_i64..3).prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        any::<bool>().prop_map(Value::Bool),
        "[a-c\"\\\\ ,=]{0,6}".prop_map(Value::from),
    ]
}

fn time() -> impl Strategy<Value = i64> {
    // Mostly a batch's common time, sometimes any.
    prop_oneof![8 => 0_i64..6, 1 => -1000_i64..1000]
}

fn sample() -> impl Strategy<Value = Sample> {
    (0_u8..3, proptest::option::of(0_u8..4), 0_u8..3, time(), value())
        .prop_map(|(measurement, tag, field, time, value)| Sample(measurement, tag, field, time, value))
}

/// Any, or as a collector has them: of one time, each series once.
fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let any = || proptest::collection::vec(sample(), 1..40);
    prop_oneof![
        any(),
        (any(), 0_i64..6).prop_map(|(mut samples, time)| {
            let mut seen = std::collections::BTreeSet::new();
            samples.retain(|sample| seen.insert((sample.0, sample.1, sample.2)));
            samples.iter_mut().for_each(|sample| sample.3 = time);
            samples
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => samples().prop_map(Step::Write),
        3 => samples().prop_map(Step::WriteText),
        1 => Just(Step::Again),
        3 => (-2_i64..3, 0_usize..4, proptest::collection::vec(sample(), 0..4))
            .prop_map(|(later, cut, more)| Step::SimilarText(later, cut, more)),
        3 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

fn points(samples: &[Sample]) -> Vec<Point> {
    samples
        .iter()
        .map(|Sample(measurement, tag, field, time, value)| {
            let tag = tag.map(|tag| format!("t{tag}"));
            let tags: Vec<(&str, &str)> = tag.iter().map(|tag| ("tag", tag.as_str())).collect();
            point(
                &format!("m{measurement}"),
                &tags,
                &[(&format!("f{field}"), value.clone())],
                at(*time),
            )
        })
        .collect()
}

fn apply(model: &mut Model, points: &[Point]) {
    for point in points {
        for (field, value) in point.fields() {
            let series = SeriesName {
                measurement: point.measurement().into(),
                tags: point
                    .tags()
                    .map(|(key, value)| (key.into(), value.into()))
                    .collect(),
                field: field.into(),
            };
            model
                .entry(series)
                .or_default()
                .insert(point.time(), value.clone());
        }
    }
}

/// Equal to the bit: `-0.0` is not `0.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

async fn check(store: &mut Store, model: &Model) {
    let all = Timestamp::MIN..Timestamp::MAX;
    let found = store.range(&Selector::new(), all.clone()).await.unwrap();
    assert_eq!(found.len(), model.len());
    for (found, (series, samples)) in found.iter().zip(model) {
        assert_eq!(&found.series, series);
        assert_eq!(found.samples.len(), samples.len(), "{series}");
        for ((time, value), (expected_time, expected)) in found.samples.iter().zip(samples) {
            assert_eq!(time, expected_time, "{series}");
            assert!(
                same(value, expected),
                "{series} at {time}: {value:?}, not {expected:?}"
            );
        }
    }
    let last = store.last(&Selector::new()).await.unwrap();
    assert_eq!(last.len(), model.len());
    for (found, (series, samples)) in last.iter().zip(model) {
        let (time, value) = samples.last_key_value().unwrap();
        assert_eq!((&found.series, found.time), (series, *time));
        assert!(
            same(&found.value, value),
            "{series}: {:?}, not {value:?}",
            found.value
        );
    }
    // A part of it: one measurement, some times.
    let (from, to) = (at(1), at(4));
    let found = store
        .range(&Selector::new().measurement("m1"), from..to)
        .await
        .unwrap();
    let expected: Vec<(&SeriesName, usize)> = model
        .iter()
        .filter(|(series, _)| series.measurement == "m1")
        .map(|(series, samples)| (series, samples.range(from..to).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    let found: Vec<(&SeriesName, usize)> = found
        .iter()
        .map(|series| (&series.series, series.samples.len()))
        .collect();
    assert_eq!(found, expected);
    let mut scan = store.scan(&Selector::new(), all).await.unwrap();
    let mut scanned = 0;
    while let Some(series) = scan.next().await.unwrap() {
        assert_eq!(series.samples.len(), model[&series.series].len());
        scanned += 1;
    }
    assert_eq!(scanned, model.len());
}

async fn run(steps: Vec<Step>) {
    let place = Place::new();
    let mut store = place.open().await;
    let mut model = Model::new();
    let mut batch = Vec::new();
    let mut newest: Vec<Sample> = Vec::new();
    for step in steps {
        match step {
            Step::Write(samples) => {
                newest.clone_from(&samples);
                batch = points(&samples);
                let written = store.write(&batch, at(0)).await.unwrap();
                assert_eq!(written.points, batch.len() as u64);
                apply(&mut model, &batch);
            }
            Step::SimilarText(later, cut, more) => {
                let values: Vec<Value> = newest.iter().map(|sample| sample.4.clone()).collect();
                for (nth, sample) in newest.iter_mut().enumerate() {
                    sample.3 += later;
                    // Mostly of the same type.
                    if let Some(value) = values
                        .get(nth + cut)
                        .filter(|value| value.field_type() == sample.4.field_type())
                    {
                        sample.4 = value.clone();
                    }
                }
                newest.truncate(newest.len().saturating_sub(cut).max(1));
                newest.extend(more);
                batch = points(&newest);
                let text = line::write(&batch, line::Dialect::V2);
                store.write_line_protocol(&text, at(0)).await.unwrap();
                apply(&mut model, &batch);
            }
            Step::WriteText(samples) => {
                newest.clone_from(&samples);
                batch = points(&samples);
                let text = line::write(&batch, line::Dialect::V2);
                store.write_line_protocol(&text, at(0)).await.unwrap();
                apply(&mut model, &batch);
            }
            Step::Again => {
                store.write(&batch, at(0)).await.unwrap();
                apply(&mut model, &batch);
            }
            Step::Compact => store.compact().await.unwrap(),
            Step::Reopen => {
                store.close().await.unwrap();
                store = place.open().await;
            }
        }
        check(&mut store, &model).await;
    }
    store.compact().await.unwrap();
    check(&mut store, &model).await;
    assert_eq!(store.damaged_parts(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
