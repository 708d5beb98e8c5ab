//! Any answer beside a slow model of what it becomes, and any bytes without harm.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail loudly, as tests do")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use tidemark_collect::{Adjustments, Point, Timestamp};
use tidemark_papi::decode::{
    self, DecodeError, Decoded, Naming, client, config, drive, key_info, protocol, session, statistics,
};

const NAMING: Naming<'static> = Naming {
    cluster: "cl17",
    include_degraded: true,
    now: Timestamp::EPOCH,
};

#[derive(Clone, Debug)]
enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (-1000..1000_i32).prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no other", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        Just("1e400".to_owned()),
        Just("-0".to_owned()),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("change_notify".to_owned()),
        Just("read_directory_change".to_owned()),
        "[a-z]{1,3}",
        any::<String>(),
    ]
}

fn names() -> impl Strategy<Value = String> {
    let known = [
        "", "a", "b", "op_name", "cluster", "devid", "node", "degraded", "time", "value",
    ];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "[a-z]{1,3}",
        1 => any::<String>(),
    ]
}

fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        5 => numbers().prop_map(Json::Number),
        3 => texts().prop_map(Json::Text),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::List),
            vec((names(), inner), 0..6).prop_map(Json::Map),
        ]
    })
}

/// A text in quotes; with escapes for all of it, if it should be.
fn quoted(text: &str, escapes: bool) -> String {
    if !escapes {
        return serde_json::to_string(text).unwrap();
    }
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{escaped}\"")
}

fn written(json: &Json, escapes: bool) -> String {
    let joined = |parts: Vec<String>| parts.join(if escapes { " ,\n" } else { "," });
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(text) => text.clone(),
        Json::Text(text) => quoted(text, escapes),
        Json::List(elements) => {
            let elements = elements.iter().map(|element| written(element, escapes));
            format!("[{}]", joined(elements.collect()))
        }
        Json::Map(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name, escapes), written(value, escapes)));
            format!("{{{}}}", joined(members.collect()))
        }
    }
}

/// What a point is made of.
#[derive(Clone, Default)]
struct Parts {
    fields: Vec<(String, f64)>,
    tags: Vec<(String, String)>,
}

impl Parts {
    fn with(&self, inner: &Parts) -> Parts {
        Parts {
            fields: [&*self.fields, &*inner.fields].concat(),
            tags: [&*self.tags, &*inner.tags].concat(),
        }
    }
}

/// The model: it copies where the decoder borrows, and looks at each part as often as it likes.
#[derive(Default)]
struct Model {
    points: Vec<Parts>,
    left_out: u64,
}

impl Model {
    fn of(value: &Json) -> Model {
        let mut model = Model::default();
        match value {
            Json::Map(members) => model.map(members, &Parts::default()),
            Json::List(elements) => model.list("value", elements, &Parts::default()),
            other => model.list("value", std::slice::from_ref(other), &Parts::default()),
        }
        model
    }

    fn field(name: &str, value: &Json) -> Option<(String, f64)> {
        let Json::Number(text) = value else {
            return None;
        };
        let number: f64 = text.parse().unwrap();
        (number.is_finite() && !name.is_empty()).then(|| (name.to_owned(), number))
    }

    fn flat(members: &[(String, Json)]) -> Vec<(String, Json)> {
        let flat = |(name, value): &(String, Json)| match value {
            Json::Map(members) => Model::flat(members),
            value => vec![(name.clone(), value.clone())],
        };
        members.iter().flat_map(flat).collect()
    }

    fn map(&mut self, members: &[(String, Json)], outer: &Parts) {
        let members = Model::flat(members);
        let mut own = Parts::default();
        let mut lists = Vec::new();
        for (name, value) in &members {
            match value {
                Json::Text(text) if text.is_empty() => {}
                Json::Text(text) => {
                    if ["", "cluster", "devid", "node", "degraded"].contains(&&**name) {
                        self.left_out += 1;
                    } else {
                        own.tags.push((name.clone(), text.clone()));
                    }
                }
                Json::List(elements) => lists.push((name, elements)),
                value => match Model::field(name, value) {
                    Some(field) => own.fields.push(field),
                    None => self.left_out += 1,
                },
            }
        }
        let all = outer.with(&own);
        let gives = |(name, elements): &(&String, &Vec<Json>)| {
            elements
                .iter()
                .any(|element| matches!(element, Json::Map(_)) || Model::field(name, element).is_some())
        };
        if !lists.iter().any(gives) {
            if all.fields.is_empty() {
                self.left_out += 1;
            } else {
                self.points.push(all.clone());
            }
        }
        for (name, elements) in lists {
            self.list(name, elements, &all);
        }
    }

    fn list(&mut self, name: &str, elements: &[Json], outer: &Parts) {
        if elements.is_empty() {
            self.left_out += 1;
        }
        for element in elements {
            if let Json::Map(members) = element {
                self.map(members, outer);
            } else if let Some(field) = Model::field(name, element) {
                let own = Parts {
                    fields: vec![field],
                    tags: Vec::new(),
                };
                self.points.push(outer.with(&own));
            } else {
                self.left_out += 1;
            }
        }
    }

    /// The points that it should be, as the statistic `k` of node 3.
    fn built(mut self) -> (Vec<Point>, Adjustments, u64) {
        let mut adjustments = Adjustments::default();
        let mut points = Vec::new();
        for parts in &self.points {
            let operation = parts.tags.iter().rev().find(|tag| tag.0 == "op_name");
            if operation.is_some_and(|tag| tag.1 == "change_notify" || tag.1 == "read_directory_change") {
                continue;
            }
            let mut builder = Point::builder("k").time(Timestamp::from_secs(5).unwrap());
            for (name, value) in [
                ("cluster", "cl17"),
                ("degraded", "false"),
                ("devid", "7"),
                ("node", "3"),
            ] {
                builder = builder.tag(name, value);
            }
            for (name, value) in &parts.tags {
                builder = builder.tag(name, value);
            }
            for (name, value) in &parts.fields {
                builder = builder.field(name, *value);
            }
            match builder.build(&mut adjustments) {
                Ok(point) => points.push(point),
                Err(_) => self.left_out += 1,
            }
        }
        (points, adjustments, self.left_out)
    }
}

/// All that reads an answer.
fn read_by_all(body: &[u8]) -> Vec<Result<(), DecodeError>> {
    let mut out = Decoded::new();
    let mut outcomes = vec![
        session(body).map(drop),
        config(body).map(drop),
        key_info(body).map(drop),
    ];
    for read in [statistics, protocol, client, drive] {
        outcomes.push(read(body, &NAMING, &mut out));
    }
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(outcome.to_string().len() < 2000);
    }
    assert!(out.warnings.to_string().len() < 10_000);
    outcomes
}

/// Whether it is said to be no JSON.
fn is_no_json(outcome: &Result<(), DecodeError>) -> bool {
    !matches!(
        outcome,
        Ok(()) | Err(DecodeError::Form { .. } | DecodeError::Refused { .. })
    )
}

fn item(value: &str) -> impl Strategy<Value = String> + use<> {
    let members = [
        r#""key":"k""#.to_owned(),
        r#""devid":7"#.to_owned(),
        r#""node":3"#.to_owned(),
        r#""time":5"#.to_owned(),
        r#""error":null"#.to_owned(),
        r#""error_code":0"#.to_owned(),
        r#""unknown":{"value":[1,{"key":"x"}]}"#.to_owned(),
        format!(r#""value":{value}"#),
    ];
    Just(members.to_vec())
        .prop_shuffle()
        .prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_value_becomes_what_the_model_says(
        (value, item) in (values(), any::<bool>()).prop_flat_map(|(value, escapes)| {
            let item = item(&written(&value, escapes));
            (Just(value), item)
        })
    ) {
        let body = format!(r#"{{"stats":[{item}]}}"#);
        let mut out = Decoded::new();
        statistics(body.as_bytes(), &NAMING, &mut out).unwrap();
        let (points, adjustments, left_out) = Model::of(&value).built();
        prop_assert_eq!(out.points.iter().cloned().collect::<Vec<_>>(), points);
        prop_assert_eq!(out.points.adjustments(), &adjustments);
        prop_assert_eq!(out.warnings.total(), left_out, "{}", out.warnings);
    }

    #[test]
    fn every_json_is_taken_for_json(value in values(), escapes in any::<bool>(), member in "(stats|protocol|client|drive|errors|keys)?") {
        let value = written(&value, escapes);
        let body = if member.is_empty() { value } else { format!(r#"{{"{member}":{value}}}"#) };
        for outcome in read_by_all(body.as_bytes()) {
            prop_assert!(!is_no_json(&outcome), "{:?} of {}", outcome, body);
        }
    }

    #[test]
    fn a_broken_answer_is_told_and_harms_nothing(
        value in values(),
        cut in any::<prop::sample::Index>(),
        put in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let body = format!(r#"{{"stats":[{{"key":"k","time":5,"value":{}}}]}}"#, written(&value, false));
        for outcome in read_by_all(&body.as_bytes()[..cut.index(body.len())]) {
            prop_assert!(is_no_json(&outcome));
        }
        let mut body = body.into_bytes();
        let place = put.index(body.len());
        body[place] = byte;
        let is_json = serde_json::from_slice::<IgnoredAny>(&body).is_ok();
        for outcome in read_by_all(&body) {
            prop_assert!(!is_json || !is_no_json(&outcome));
        }
    }

    #[test]
    fn any_bytes_harm_nothing(body in vec(any::<u8>(), 0..200), json in "[\\[\\]{}\",:0-9eE.+\\-ntfal\\\\u ]{0,60}") {
        read_by_all(&body);
        let is_json = serde_json::from_str::<IgnoredAny>(&json).is_ok();
        for outcome in read_by_all(json.as_bytes()) {
            prop_assert!(!is_json || !is_no_json(&outcome), "{}", json);
        }
    }

    #[test]
    fn a_summary_harms_nothing_and_loses_no_other_item(members in vec((names(), values()), 0..8)) {
        let item = written(&Json::Map(members), false);
        let body = format!(r#"{{"drive":[{{"busy":1,"time":5}},{item},{{"busy":2,"time":5}}]}}"#);
        let mut out = Decoded::new();
        decode::drive(body.as_bytes(), &NAMING, &mut out).unwrap();
        let busy = |value: f64| out.points.iter().any(|point| point.field("busy") == Some(&value.into()));
        prop_assert!(busy(1.0) && busy(2.0));
    }
}
