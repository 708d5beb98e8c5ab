use super::*;
use proptest::prelude::*;
use serde_json::json;

mod run;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn read(list: Value) -> Vec<Entry> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|value| Entry::read(value).unwrap())
        .collect()
}

fn told(report: &str, count: i64, oldest: i64, average_age: i64) -> Queue {
    Queue {
        report: report.into(),
        count,
        oldest: Some(oldest),
        average_age: Some(average_age),
    }
}

#[test]
fn a_queue_for_each_set_and_one_for_all() {
    let entries = read(json!([
        {"date_queued": "11/20/26", "sets": ["main", "server-dev"]},
        {"date_queued": "11/11/26", "sets": ["main"]},
        {"date_queued": "11/21/26", "sets": []},
    ]));
    let expected = [
        told("main", 2, 10, 5),
        told("server-dev", 1, 1, 1),
        told("sponsoring", 3, 10, 3),
    ];
    assert_eq!(queues(&entries, day("2026-11-21")), expected);
}

#[test]
fn an_empty_list_counts_0_and_has_no_ages() {
    let expected = Queue {
        report: "sponsoring".into(),
        count: 0,
        oldest: None,
        average_age: None,
    };
    assert_eq!(queues(&[], day("2026-11-21")), [expected]);
}

#[test]
fn the_mean_is_rounded_down() {
    let entries = read(json!([
        {"date_queued": "11/20/26", "sets": []},
        {"date_queued": "11/19/26", "sets": []},
        {"date_queued": "11/19/26", "sets": []},
    ]));
    // 5 days among 3.
    assert_eq!(queues(&entries, day("2026-11-21")), [told("sponsoring", 3, 2, 1)]);
}

#[test]
fn a_set_named_twice_counts_once() {
    let entries = read(json!([{"date_queued": "11/20/26", "sets": ["main", "main"]}]));
    assert_eq!(
        queues(&entries, day("2026-11-21")),
        [told("main", 1, 1, 1), told("sponsoring", 1, 1, 1)]
    );
}

#[test]
fn a_set_called_sponsoring_does_not_count_twice() {
    let entries = read(json!([
        {"date_queued": "11/20/26", "sets": ["sponsoring"]},
        {"date_queued": "11/20/26", "sets": []},
    ]));
    assert_eq!(queues(&entries, day("2026-11-21")), [told("sponsoring", 2, 1, 1)]);
}

#[test]
fn ages_go_over_leap_days_and_years_and_none_is_negative() {
    let entries = read(json!([
        {"date_queued": "02/28/24", "sets": ["leap"]},
        {"date_queued": "12/31/23", "sets": ["year"]},
        {"date_queued": "03/02/24", "sets": ["later"]},
    ]));
    let expected = [
        told("later", 1, 0, 0),
        told("leap", 1, 2, 2),
        told("sponsoring", 3, 61, 21),
        told("year", 1, 61, 61),
    ];
    assert_eq!(queues(&entries, day("2024-03-01")), expected);
}

#[test]
fn other_keys_do_not_matter_and_names_are_any_text() {
    let entries = read(json!([
        {"date_queued": "1/2/25", "sets": ["Küche 厨房 \u{1f600}"], "sets2": null, "title": {"a": [1]}},
    ]));
    assert_eq!(
        queues(&entries, day("2025-01-02"))[0],
        told("Küche 厨房 \u{1f600}", 1, 0, 0)
    );
}

#[test]
fn what_is_wrong_with_an_entry_is_said() {
    for (value, reason) in [
        (json!(null), "it is no object"),
        (json!(["11/20/26", ["main"]]), "it is no object"),
        (json!({"sets": []}), "missing field `date_queued`"),
        (json!({"date_queued": "11/20/26"}), "missing field `sets`"),
        (
            json!({"date_queued": null, "sets": []}),
            "invalid type: null, expected a string",
        ),
        (
            json!({"date_queued": 20261120, "sets": []}),
            "invalid type: integer `20261120`, expected a string",
        ),
        (
            json!({"date_queued": "11/20/26", "sets": null}),
            "invalid type: null, expected a sequence",
        ),
        (
            json!({"date_queued": "11/20/26", "sets": "main"}),
            "invalid type: string \"main\", expected a sequence",
        ),
        (
            json!({"date_queued": "11/20/26", "sets": ["main", 3]}),
            "invalid type: integer `3`, expected a string",
        ),
        (
            json!({"date_queued": "11/20/26", "sets": [""]}),
            "a set has no name",
        ),
    ] {
        assert_eq!(Entry::read(&value).unwrap_err(), reason, "{value}");
    }
    for date in [
        "",
        "13/01/26",
        "02/30/26",
        "2026-11-20",
        "11/20/2026",
        "11/20",
        "11/20/26 ",
        "soon",
        "11-20-26",
    ] {
        let value = json!({"date_queued": date, "sets": []});
        assert_eq!(
            Entry::read(&value).unwrap_err(),
            format!("{date:?} is no date MM/DD/YY")
        );
    }
}

proptest! {
    #[test]
    fn any_json_is_read_without_a_panic(date in "\\PC{0,12}|[0-9]{2}/[0-9]{2}/[0-9]{2}", set in "\\PC{0,8}") {
        let _ = Entry::read(&json!({"date_queued": date, "sets": [set]}));
        let _ = Entry::read(&json!([date, set]));
    }

    #[test]
    fn the_sums_agree(ages in prop::collection::vec((0..5000_i64, prop::bool::ANY), 1..50)) {
        let today = day("2026-11-21");
        let entries: Vec<Entry> = ages
            .iter()
            .map(|(age, in_main)| Entry {
                date_queued: today - chrono::Duration::days(*age),
                sets: in_main.then(|| "main".to_owned()).into_iter().collect(),
            })
            .collect();
        let queues = queues(&entries, today);
        let all = queues.last().unwrap();
        prop_assert_eq!(all.count, i64::try_from(ages.len()).unwrap());
        prop_assert_eq!(all.oldest, ages.iter().map(|(age, _)| *age).max());
        let sum: i64 = ages.iter().map(|(age, _)| *age).sum();
        prop_assert_eq!(all.average_age, Some(sum / all.count));
        let in_main = ages.iter().filter(|(_, in_main)| *in_main).count();
        prop_assert_eq!(queues.len(), 1 + usize::from(in_main > 0));
    }
}
