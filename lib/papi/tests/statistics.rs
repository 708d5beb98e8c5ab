//! Answers of `statistics/current`, as literals.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail loudly, as tests do")]

use tidemark_collect::{Timestamp, line};
use tidemark_papi::decode::{
    DecodeError, Decoded, ErrorCode, MAX_DEPTH, MAX_PARTS, MAX_WIDTH, Naming, Warning, statistics,
};

const NOW: i64 = 1_700_000_100;

fn decode(body: &[u8], include_degraded: bool) -> (Result<(), DecodeError>, Decoded) {
    let naming = Naming {
        cluster: "cl17",
        include_degraded,
        now: Timestamp::from_secs(NOW).unwrap(),
    };
    let mut out = Decoded::new();
    let outcome = statistics(body, &naming, &mut out);
    (outcome, out)
}

/// The points as line protocol has them, without the time, which must be 5.
fn lines(out: &Decoded) -> Vec<String> {
    let points = out
        .points
        .iter()
        .inspect(|point| assert_eq!(point.time().nanos(), 5_000_000_000));
    points
        .map(|point| {
            let text = line::write(std::slice::from_ref(point), line::Dialect::V2);
            let text = String::from_utf8(text).unwrap();
            let text = text.trim_end().strip_suffix(" 5000000000").unwrap();
            // Shorter to read: all are floats.
            text.replace(".0,", ",").trim_end_matches(".0").to_owned()
        })
        .collect()
}

/// The points and warnings of a cluster's value.
fn value(json: &str) -> (Vec<String>, String) {
    let body = format!(r#"{{"stats":[{{"devid":0,"key":"k","time":5,"error_code":0,"value":{json}}}]}}"#);
    let (outcome, out) = decode(body.as_bytes(), false);
    outcome.unwrap();
    assert!(
        out.points.adjustments().is_empty(),
        "{}",
        out.points.adjustments()
    );
    (lines(&out), out.warnings.to_string())
}

#[track_caller]
fn gives(json: &str, expected: &[&str]) {
    assert_eq!(
        value(json),
        (expected.iter().map(ToString::to_string).collect(), String::new())
    );
}

#[track_caller]
fn gives_and_warns(json: &str, expected: &[&str], warnings: &str) {
    let expected = expected.iter().map(ToString::to_string).collect();
    assert_eq!(value(json), (expected, warnings.to_owned()));
}

#[test]
fn a_number_is_the_field_value_and_a_float() {
    gives("88920", &["k,cluster=cl17 value=88920"]);
    gives("-1.5e-3", &["k,cluster=cl17 value=-0.0015"]);
    gives(
        "18446744073709551615",
        &["k,cluster=cl17 value=1.8446744073709552e+19"],
    );
    gives("9007199254740993", &["k,cluster=cl17 value=9007199254740992"]);
    gives("1e300", &["k,cluster=cl17 value=1e+300"]);
    gives("1e-400", &["k,cluster=cl17 value=0"]);
}

#[test]
fn numbers_are_exact() {
    let texts = [
        "0",
        "0.1",
        "0.3",
        "131.6551361083984",
        "60.76391220092773",
        "9007199254740993.0",
        "123456789012345678",
        "12345678901234567890.5",
        "5e-324",
        "1.7976931348623157e308",
        "2.2250738585072011e-308",
        "0.000001",
        "1.00000000000000000000000000000000001",
        "8.5e22",
        "72057594037927945",
        "100000000000000000000000",
    ];
    for text in texts {
        for text in [text.to_owned(), format!("-{text}")] {
            let body = format!(r#"{{"stats":[{{"key":"k","time":5,"value":{text}}}]}}"#);
            let (_, out) = decode(body.as_bytes(), false);
            let point = out.points.iter().next().unwrap();
            let expected: f64 = text.parse().unwrap();
            let Some(tidemark_collect::Value::Float(value)) = point.field("value") else {
                panic!("{point:?}");
            };
            assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
        }
    }
}

#[test]
fn a_list_is_a_point_for_each_element() {
    gives(
        r#"[{"op_name":"read","op_rate":1},{"op_name":"write","op_rate":2.5}]"#,
        &[
            "k,cluster=cl17,op_name=read op_rate=1",
            "k,cluster=cl17,op_name=write op_rate=2.5",
        ],
    );
    gives("[7]", &["k,cluster=cl17 value=7"]);
    gives_and_warns(
        r#"[1,null,"x",[2],{"a":3}]"#,
        &["k,cluster=cl17 value=1", "k,cluster=cl17 a=3"],
        "1 of null (first k), 1 of a text in place of a number (first k), 1 of a list in a list (first k)",
    );
}

#[test]
fn a_map_is_a_point_of_numbers_and_texts() {
    gives(
        r#"{"hits":5191200,"misses":4,"path":"/ifs"}"#,
        &["k,cluster=cl17,path=/ifs hits=5191200,misses=4"],
    );
    gives(r#"{"a":1,"empty":""}"#, &["k,cluster=cl17 a=1"]);
    gives_and_warns(
        r#"{"a":1,"b":null,"c":true,"":2,"d":1e400,"cluster":"other","node":"9"}"#,
        &["k,cluster=cl17 a=1"],
        "1 of null (first k), 1 of true or false (first k), 1 of a member without a name (first k), \
         1 of a number out of range (first k), 2 of a text named as the point's own tag (first k)",
    );
    gives_and_warns(r#"{"a":"x"}"#, &[], "1 of a map without numbers (first k)");
    gives_and_warns("{}", &[], "1 of a map without numbers (first k)");
}

#[test]
fn a_list_in_a_map_is_a_point_for_each_element_with_what_the_map_has() {
    // The list is before and after what is added to its elements.
    gives(
        r#"[{"client_id":1000,"op_class_values":[{"class_name":"write","in_max":1},{"class_name":"read","in_max":2}],
             "remote_addr":"192.0.2.6"},
            {"client_id":1001,"remote_addr":"192.0.2.7","op_class_values":[{"class_name":"other","in_max":3}]}]"#,
        &[
            "k,class_name=write,cluster=cl17,remote_addr=192.0.2.6 client_id=1000,in_max=1",
            "k,class_name=read,cluster=cl17,remote_addr=192.0.2.6 client_id=1000,in_max=2",
            "k,class_name=other,cluster=cl17,remote_addr=192.0.2.7 client_id=1001,in_max=3",
        ],
    );
    gives(
        r#"{"a":1,"l":[{"b":2}],"m":[{"c":3},{}]}"#,
        &[
            "k,cluster=cl17 a=1,b=2",
            "k,cluster=cl17 a=1,c=3",
            "k,cluster=cl17 a=1",
        ],
    );
    gives(
        r#"{"name":"x","load":[1,5]}"#,
        &["k,cluster=cl17,name=x load=1", "k,cluster=cl17,name=x load=5"],
    );
}

#[test]
fn a_list_that_gives_no_point_costs_its_map_nothing() {
    gives_and_warns(
        r#"{"a":1,"l":[]}"#,
        &["k,cluster=cl17 a=1"],
        "1 of an empty list (first k)",
    );
    gives_and_warns(
        r#"{"a":1,"l":[[2]]}"#,
        &["k,cluster=cl17 a=1"],
        "1 of a list in a list (first k)",
    );
    gives_and_warns(
        r#"{"a":1,"l":["x",null]}"#,
        &["k,cluster=cl17 a=1"],
        "1 of a text in place of a number (first k), 1 of null (first k)",
    );
    gives_and_warns(
        r#"{"a":1,"l":[1e400]}"#,
        &["k,cluster=cl17 a=1"],
        "1 of a number out of range (first k)",
    );
    // What the elements have is dropped, not missing.
    gives(r#"{"a":1,"l":[{"op_name":"change_notify","b":2}]}"#, &[]);
}

#[test]
fn a_map_in_a_map_is_read_as_one_with_it() {
    gives(
        r#"{"a":1,"m":{"b":2,"t":"x","deep":{"c":3}},"l":[{"d":4}]}"#,
        &["k,cluster=cl17,t=x a=1,b=2,c=3,d=4"],
    );
}

#[test]
fn of_two_with_one_name_the_inner_counts_and_the_later() {
    for (value, expected) in [
        (
            r#"{"l":[{"op_name":"read","a":2}],"op_name":"change_notify","a":1}"#,
            "k,cluster=cl17,op_name=read a=2",
        ),
        (r#"{"a":1,"m":{"a":2},"a":3}"#, "k,cluster=cl17 a=3"),
    ] {
        let body = format!(r#"{{"stats":[{{"key":"k","time":5,"value":{value}}}]}}"#);
        let (_, out) = decode(body.as_bytes(), false);
        assert_eq!(lines(&out), [expected]);
        assert_eq!(out.points.adjustments().to_string(), "2 repeated names");
    }
}

#[test]
fn ten_levels_are_read_and_a_thousand_are_left_out_alone() {
    let nested = |depth: usize| format!("{}7{}", r#"{"l":["#.repeat(depth), "]}".repeat(depth));
    gives(&nested(10), &["k,cluster=cl17 l=7"]);
    gives(&nested(MAX_DEPTH / 2), &["k,cluster=cl17 l=7"]);
    for brackets in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", brackets.0.repeat(100_000), brackets.1.repeat(100_000));
        let (lines, warnings) = value(&format!(r#"{{"a":1,"deep":[{{"b":2}},{{"c":{deep}}}]}}"#));
        assert_eq!(lines[0], "k,cluster=cl17 a=1,b=2");
        assert_eq!(lines.len(), 2);
        assert!(!warnings.is_empty());
    }
}

#[test]
fn what_waits_is_dropped() {
    gives(
        r#"[{"op_name":"change_notify","op_rate":12.6},{"op_name":"read_directory_change","op_rate":1},
            {"op_name":"read","op_rate":2}]"#,
        &["k,cluster=cl17,op_name=read op_rate=2"],
    );
    gives(r#"{"op_name":"change_notify","l":[{"a":1},{"a":2}]}"#, &[]);
}

#[test]
fn what_stands_alone_and_is_no_number_is_left_out() {
    for (json, words) in [
        ("null", "null"),
        ("true", "true or false"),
        ("\"12.5\"", "a text in place of a number"),
        ("[]", "an empty list"),
        ("[[1]]", "a list in a list"),
        ("1e400", "a number out of range"),
        ("-1e400", "a number out of range"),
        ("NaN", "a number out of range"),
        ("-Infinity", "a number out of range"),
    ] {
        gives_and_warns(json, &[], &format!("1 of {words} (first k)"));
    }
}

#[test]
fn nodes_have_tags() {
    let body = br#"{"stats":[
        {"value":1,"time":5,"key":"a","node":3,"devid":7},
        {"value":2,"time":5,"key":"a","devid":8},
        {"value":3,"time":5,"key":"a","node":null,"devid":9,"unknown":{"x":[1,{"y":"}"}]}},
        {"value":4,"time":5,"key":"a","node":1,"devid":0},
        {"value":5,"time":5,"key":"a"},
        {"value":6,"time":"5","key":"a","node":"4","devid":"10"},
        {"value":7,"time":5.0,"key":"a","node":-1,"devid":5e0},
        {"value":8,"time":5,"key":"a","node":"four","devid":4},
        {"value":9,"time":5,"key":"a","devid":1.5}
    ]}"#;
    let (outcome, out) = decode(body, false);
    outcome.unwrap();
    assert_eq!(
        lines(&out),
        [
            "a,cluster=cl17,devid=7,node=3 value=1",
            "a,cluster=cl17,devid=8,node=8 value=2",
            "a,cluster=cl17,devid=9,node=9 value=3",
            "a,cluster=cl17 value=4",
            "a,cluster=cl17 value=5",
            "a,cluster=cl17,devid=10,node=4 value=6",
            "a,cluster=cl17,devid=5,node=-1 value=7",
        ]
    );
    assert_eq!(
        out.warnings.to_string(),
        "2 of a node that is no number (first a)"
    );
}

#[test]
fn error_codes_are_told_apart() {
    let stat = |key: &str, code: &str, node: u8| {
        format!(
            r#"{{"devid":{node},"node":{node},"time":5,"key":"{key}","value":1,"error":"so it is","error_code":{code}}}"#
        )
    };
    let stats = [
        stat("fine", "null", 1),
        stat("fine", "0", 2),
        stat("worse", "3", 1),
        stat("gone", "1", 1),
        stat("gone", "1", 2),
        stat("partly", "10", 1),
        stat("partly", "0", 2),
        stat("late", "6", 1),
        stat("later", "\"6\"", 1),
        stat("strange", "77", 1),
        stat("odd", "\"x\"", 1),
    ];
    let body = format!(r#"{{"stats":[{}]}}"#, stats.join(","));
    let (outcome, out) = decode(body.as_bytes(), true);
    outcome.unwrap();
    assert_eq!(
        lines(&out),
        [
            "fine,cluster=cl17,degraded=false,devid=1,node=1 value=1",
            "fine,cluster=cl17,degraded=false,devid=2,node=2 value=1",
            "worse,cluster=cl17,degraded=true,devid=1,node=1 value=1",
            "partly,cluster=cl17,degraded=false,devid=2,node=2 value=1",
        ]
    );
    let absent = |key: &str| {
        out.absent
            .get(key)
            .map(|one| (one.code, one.nodes, one.elsewhere))
    };
    assert_eq!(absent("gone"), Some((ErrorCode::NotPresent, 2, false)));
    assert_eq!(absent("partly"), Some((ErrorCode::NoData, 1, true)));
    assert_eq!(out.absent.len(), 2);
    let late = &out.skipped[&ErrorCode::Timeout];
    assert_eq!((late.count, &*late.key, &*late.message), (2, "late", "so it is"));
    assert_eq!(out.skipped[&ErrorCode::Other(77)].key, "strange");
    assert_eq!(out.skipped.len(), 2);
    assert_eq!(
        out.warnings.to_string(),
        "1 of an error code that is no number (first odd)"
    );
}

#[test]
fn each_code_has_its_fate() {
    for code in -1..=11 {
        let body = format!(r#"{{"stats":[{{"key":"k","time":5,"value":1,"error_code":{code}}}]}}"#);
        let (_, out) = decode(body.as_bytes(), false);
        let fate = (out.points.len(), out.absent.len(), out.skipped.len());
        let expected = match code {
            0 | 3 => (1, 0, 0),
            1 | 2 | 9 | 10 => (0, 1, 0),
            _ => (0, 0, 1),
        };
        assert_eq!(fate, expected, "{code}");
    }
}

#[test]
fn what_has_no_time_gets_the_answers() {
    for time in [
        "",
        r#""time":null,"#,
        r#""time":0,"#,
        r#""time":"soon","#,
        r#""time":1e300,"#,
        r#""time":[],"#,
    ] {
        let body = format!(r#"{{"stats":[{{{time}"key":"k","value":1}}]}}"#);
        let (outcome, out) = decode(body.as_bytes(), false);
        outcome.unwrap();
        let times: Vec<i64> = out.points.iter().map(|point| point.time().nanos()).collect();
        assert_eq!(times, [NOW * 1_000_000_000], "{time}");
        assert_eq!(out.warnings.count(Warning::NoTime), 1);
    }
}

#[test]
fn what_is_no_statistic_costs_itself_alone() {
    let body = br#"{"stats":[null,5,[],{"time":5,"value":1},{"key":7,"value":1},{"key":"","value":1},
        {"key":"k","time":5,"value":1,"value":2,"key":"j"}],"more":{}}"#;
    let (outcome, out) = decode(body, false);
    outcome.unwrap();
    assert_eq!(lines(&out), ["j,cluster=cl17 value=2"]);
    assert_eq!(out.warnings.count(Warning::NoItem), 3);
    assert_eq!(out.warnings.count(Warning::NoKey), 3);
}

#[test]
fn texts_are_read_with_grace() {
    gives(
        r#"{"a":1,"t":"a\"\\\/\u00e9\ud83d\ude00"}"#,
        &["k,cluster=cl17,t=a\"\\/é😀 a=1"],
    );
    gives(
        r#"{"a":1,"t":"\ud83d!\ude00\ud83dA"}"#,
        &["k,cluster=cl17,t=\u{fffd}!\u{fffd}\u{fffd}A a=1"],
    );
    let (outcome, out) = decode(
        b"\xef\xbb\xbf{\"stats\":[{\"key\":\"k\",\"time\":5,\"value\":{\"t\":\"\xff\x01\",\"a\":1}}]}",
        false,
    );
    outcome.unwrap();
    assert_eq!(lines(&out), ["k,cluster=cl17,t=\u{fffd}\u{1} a=1"]);
    assert_eq!(out.warnings.to_string(), "1 of no UTF-8, replaced");
}

#[test]
fn answers_that_are_none_say_what_they_are() {
    let message = |body: &[u8]| decode(body, false).0.unwrap_err().to_string();
    assert_eq!(message(b""), "the answer is empty");
    assert_eq!(message(b" \n"), "the answer is empty");
    assert_eq!(
        message(b"<!DOCTYPE html>\n<title>Login</title>"),
        "the answer is no JSON, it begins with \"<!DOCTYPE html> <title>Login</title>\": is this the address of the \
         cluster's API, port 8080?"
    );
    assert_eq!(
        message(b"{\"stats\": [{\"key\": \"a"),
        "the answer ends in the middle, after 21 bytes"
    );
    assert_eq!(
        message(br#"{"stats": [{"key": "a" "b"}]}"#),
        "the answer is no JSON at byte 23, where a comma or } should be, near \"{\\\"stats\\\": [{\\\"key\\\": \\\"a\\\" \\\"b\\\"}]}\""
    );
    for body in [
        "{}",
        "[]",
        "5",
        "true",
        r#"{"stats":null}"#,
        r#"{"stats":{}}"#,
        r#"{"errors":[]}"#,
        r#"[{"a":1}]"#,
    ] {
        assert_eq!(
            message(body.as_bytes()),
            "the answer is JSON, but not an object with `stats`",
            "{body}"
        );
    }
    assert!(message(br#"{"stats":[]} x"#).contains("nothing more"));
}

#[test]
fn refusals_say_why() {
    let error = r#"[{"code":"AEC_FORBIDDEN","message":"Access\ndenied","field":"key"},{"code":"AEC_OTHER"}]"#;
    for body in [error.to_owned(), format!(r#"{{"errors":{error}}}"#)] {
        let message = decode(body.as_bytes(), false).0.unwrap_err().to_string();
        assert_eq!(
            message,
            "the cluster refuses: Access denied (AEC_FORBIDDEN), field key, and 1 more"
        );
    }
    let (outcome, out) = decode(
        format!(r#"{{"errors":{error},"stats":[{{"key":"k","time":5,"value":1}}]}}"#).as_bytes(),
        false,
    );
    outcome.unwrap();
    assert_eq!(out.points.len(), 1);
    assert_eq!(out.warnings.count(Warning::Errors), 1);
}

#[test]
fn what_came_before_a_mistake_is_there() {
    let whole = br#"{"stats":[{"key":"a","time":5,"value":1},{"key":"b","time":5,"value":2}]}"#;
    for length in 0..whole.len() {
        let (outcome, out) = decode(&whole[..length], false);
        assert!(outcome.is_err(), "{length}");
        assert!(out.points.len() <= 2);
    }
    assert_eq!(decode(&whole[..60], false).1.points.len(), 1);
}

#[test]
fn no_message_shows_a_token() {
    let token = "Zk3vQ9xX2mN7pR4sT8wY1aB5cD6eF0gH";
    let bodies = [
        format!("<input name=csrf value={token}>"),
        format!("{{\"stats\": [\"{token}\" \"{token}\"]}}"),
        format!("{{\"stats\": \"{} {token}\" x", "y ".repeat(60)),
        format!("{token} {token}"),
        format!("[{{\"code\":\"{token}\",\"message\":\"it is {token}\"}}]"),
        format!("{{\"stats\": [{{\"key\": {token}"),
    ];
    for body in bodies {
        let error = decode(body.as_bytes(), false).0.unwrap_err();
        for part in token.as_bytes().windows(8) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!format!("{error} {error:?}").contains(part), "{error}");
        }
        assert!(error.to_string().len() < 400, "{error}");
    }
}

#[test]
fn a_point_is_bounded_and_so_are_all() {
    let wide: Vec<String> = (0..MAX_WIDTH + 10)
        .map(|index| format!("\"f{index}\":{index}"))
        .collect();
    let (lines, warnings) = value(&format!("{{{}}}", wide.join(",")));
    assert_eq!(lines[0].matches('=').count(), MAX_WIDTH + 1);
    assert!(warnings.starts_with("10 of too many fields"), "{warnings}");

    // A short answer that would be long: a list in a wide map.
    let elements = 2 * MAX_PARTS / MAX_WIDTH;
    let body = format!(
        r#"{{"stats":[{{"key":"k","time":5,"value":{{{},"l":[{}1]}}}}]}}"#,
        wide[..MAX_WIDTH - 1].join(","),
        "1,".repeat(elements)
    );
    let (outcome, out) = decode(body.as_bytes(), false);
    outcome.unwrap();
    assert_eq!(out.points.len(), MAX_PARTS / MAX_WIDTH);
    assert_eq!(
        out.warnings.count(Warning::TooMany),
        (elements + 1 - MAX_PARTS / MAX_WIDTH) as u64
    );
}
