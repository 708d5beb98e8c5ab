//! What is read of an answer's body. What each status means is the matrix's.

use super::*;

fn answer(status: u16, body: &str) -> Outcome {
    influxdb(
        Answer {
            status,
            retry_after: None,
            is_influxdb: false,
            body,
            compressed: true,
        },
        Timestamp::from_secs(1_000_000).unwrap(),
    )
}

#[test]
fn only_a_5xx_without_a_wait_may_be_the_batch() {
    let later = |status, retry_after| match influxdb(
        Answer {
            status,
            retry_after,
            is_influxdb: true,
            body: "",
            compressed: false,
        },
        Timestamp::EPOCH,
    ) {
        Outcome::Later(later) => (
            later.may_be_the_batch,
            later.retry_after.map(|wait| wait.as_secs()),
        ),
        other => panic!("{other:?}"),
    };
    assert_eq!(later(500, None), (true, None));
    assert_eq!(later(503, None), (true, None));
    assert_eq!(later(503, Some("7")), (false, Some(7)));
    assert_eq!(later(503, Some("garbage")), (true, None));
    assert_eq!(
        later(429, Some("Thu, 01 Jan 1970 00:01:00 GMT")),
        (false, Some(60))
    );
    assert_eq!(later(429, None), (false, None));
    assert_eq!(later(401, Some("7")), (false, None));
}

#[test]
fn quoted_lines_are_found_alone_and_inside_a_partial_write() {
    for body in [
        r#"{"error":"unable to parse 'm v=abc 5': invalid number\nunable to parse 'm': missing fields"}"#,
        r#"{"error":"partial write: unable to parse 'm v=abc 5': invalid number\nunable to parse 'm': missing fields dropped=0"}"#,
    ] {
        let Outcome::Refused(refusal) = answer(400, body) else {
            panic!("{body}")
        };
        assert_eq!(
            refusal.quoted,
            [
                ("m v=abc 5".into(), "invalid number".into()),
                ("m".into(), "missing fields".into())
            ]
        );
        assert_eq!(refusal.status, Some(400));
    }
}

#[test]
fn a_quoted_line_may_hold_the_end_of_a_quotation() {
    let Outcome::Refused(refusal) = answer(
        400,
        r#"{"error":"unable to parse 'm s=\"a': b\" x': bad timestamp"}"#,
    ) else {
        panic!()
    };
    assert!(
        refusal
            .quoted
            .contains(&("m s=\"a': b\" x".into(), "bad timestamp".into()))
    );
}

#[test]
fn an_answer_that_was_cut_still_names_its_lines() {
    let outcome = influxdb(
        Answer {
            status: 400,
            retry_after: None,
            is_influxdb: true,
            body: "{\"error\":\"partial write: unable to parse 'm v=x 5': invalid number\\nunable to par",
            compressed: true,
        },
        Timestamp::EPOCH,
    );
    let Outcome::Refused(refusal) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(refusal.quoted[0].0, "m v=x 5");
}

#[test]
fn a_type_conflict_names_its_field() {
    let Outcome::Refused(refusal) = answer(
        400,
        r#"{"error":"partial write: field type conflict: input field \"v\" on measurement \"m x\" is type float, already exists as type integer dropped=1"}"#,
    ) else {
        panic!()
    };
    assert_eq!(
        refusal.suspect,
        Some(Suspect {
            measurement: "m x".into(),
            field: "v".into()
        })
    );
    assert!(refusal.quoted.is_empty());
}

#[test]
fn a_servers_words_are_kept_short_and_without_control_characters() {
    let body = format!(r#"{{"error":"{}\u001b[31m"}}"#, "x".repeat(100_000));
    let Outcome::Refused(refusal) = answer(400, &body) else {
        panic!()
    };
    assert!(refusal.reason.chars().count() <= 401 && !refusal.reason.contains('\u{1b}'));
}

/// What InfluxDB 2 refuses.
fn refused2(status: u16, body: &str) -> Refusal {
    let answer = Answer {
        status,
        retry_after: None,
        is_influxdb: false,
        body,
        compressed: true,
    };
    match influxdb2(answer, Timestamp::EPOCH) {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn lines_are_numbered_from_one_on_the_wire_and_from_nought_here() {
    let named = |body: &str| refused2(400, body).numbered;
    let cloud = r#"{"code":"invalid","line":2,"message":"failed to parse line protocol: errors encountered on line(s):\nerror parsing line 2 (1-based): Invalid measurement was provided\nerror parsing line 4 (1-based): Unable to parse timestamp value '1234'"}"#;
    assert_eq!(
        named(cloud),
        [
            (1, "Invalid measurement was provided".into()),
            (3, "Unable to parse timestamp value '1234'".into())
        ]
    );
    let first = r#"{"code":"invalid","message":"no such type","line":5}"#;
    assert_eq!(named(first), [(4, "no such type".into())]);
    let three = r#"{"error":"partial write of line protocol occurred","data":[{"error_message":"invalid type","line_number":2,"original_line":"m v=1"}]}"#;
    assert_eq!(named(three), [(1, "invalid type".into())]);
    // Nothing of it is what it should be, and the message stands.
    for odd in [
        r#"{"code":"invalid","message":"no","line":0}"#,
        r#"{"code":"invalid","message":"no","line":-1}"#,
        r#"{"code":"invalid","message":"no","line":"2"}"#,
        r#"{"code":"invalid","message":"no","line":99999999999}"#,
        r#"{"code":5,"message":"no","line":null,"data":{"a":1}}"#,
        r#"{"error":"no","data":[{"line_number":"x"}]}"#,
        r#"{"error":"no","data":[{"line_number":0,"error_message":"z"}]}"#,
    ] {
        let refusal = refused2(400, odd);
        assert_eq!(
            (refusal.numbered, refusal.reason.as_str()),
            (Vec::new(), "no"),
            "{odd}"
        );
    }
}

#[test]
fn a_lower_bound_is_read_with_the_number_of_points_below_it() {
    let point = |which, time| {
        format!(
            "{which} point m,n=1 at {time} dropped because it violates a Retention Policy Lower Bound at \
             2025-09-02T09:04:10.7684903Z"
        )
    };
    let message = |count: &str| {
        format!(
            "failure writing points to database: partial write: dropped {count} points outside retention policy of \
             duration 72h0m0s - {}, {} dropped={count} for database: 0a1b for retention policy: autogen",
            point("oldest", "2025-08-26T03:26:38Z"),
            point("newest", "2025-08-26T03:31:28Z")
        )
    };
    let too_old = |message: &str| {
        let body = serde_json::json!({ "code": "unprocessable entity", "message": message });
        refused2(422, &body.to_string()).too_old
    };
    let expected = TooOld {
        before: "2025-09-02T09:04:10.7684903Z".parse().unwrap(),
        count: 350,
    };
    assert_eq!(too_old(&message("350")), Some(expected));
    for odd in ["", "-1", "many", "99999999999999999999"] {
        assert_eq!(too_old(&message(odd)), None, "{odd}");
    }
    // InfluxDB 1.8 gives no bound.
    assert_eq!(
        too_old("partial write: points beyond retention policy dropped=5"),
        None
    );
}

#[test]
fn older_releases_of_influxdb_2_say_by_a_500_what_others_say_by_a_422() {
    let body = r#"{"code":"internal error","message":"unexpected error writing points to database: partial write: field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type integer dropped=1"}"#;
    let expected = Suspect {
        measurement: "m".into(),
        field: "v".into(),
    };
    assert_eq!(refused2(500, body).suspect, Some(expected));
}

/// The words of receivers on points, as they say them.
#[test]
fn a_receivers_word_on_points_is_told_from_others() {
    let outcome = |status, body: &str| {
        let answer = Answer {
            status,
            retry_after: None,
            is_influxdb: false,
            body,
            compressed: true,
        };
        remote_write(answer, Timestamp::EPOCH)
    };
    for said in [
        "out of bounds\n",
        "out of order sample\n",
        "duplicate sample for timestamp\n",
        "duplicate sample for timestamp; overrides not allowed: existing 5, new value 6\n",
        "too old sample\n",
        "label name \"a\" is not unique: invalid sample\n",
        "failed pushing to ingester: user=1: the sample has been rejected because its timestamp is too old \
         (err-mimir-sample-timestamp-too-old)\n",
        "received a series with an invalid metric name: 'a b' (err-mimir-metric-name-invalid)\n",
    ] {
        let Outcome::Refused(refusal) = outcome(400, said) else {
            panic!("{said}")
        };
        assert_eq!(refusal.reason, said.trim_end());
    }
    for (said, is_refused) in [
        ("store locally for endpoint: conflict", true),
        ("", false),
        ("<html><body>409 Conflict: sample</body></html>", false),
    ] {
        let outcome = outcome(409, said);
        assert_eq!(matches!(outcome, Outcome::Refused(_)), is_refused, "{said}");
        assert_eq!(matches!(outcome, Outcome::Later(_)), !is_refused, "{said}");
    }
    for said in [
        "",
        "Client sent an HTTP request to an HTTPS server.\n",
        "snappy: corrupt input\n",
        "proto: illegal wireType 7\n",
        "<html><body>400 Bad Request: no sample here</body></html>",
        r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": unknown position"}"#,
    ] {
        let Outcome::Later(later) = outcome(400, said) else {
            panic!("{said}")
        };
        // It may be this batch all the same: the next one is tried, and this one is parked in the end.
        assert!(later.may_be_the_batch, "{said}");
    }
}

#[test]
fn an_answer_made_of_quotations_is_no_burden() {
    let body = "unable to parse '".repeat(3_800) + &"': x".repeat(200);
    let quoted = refused2(400, &serde_json::json!({ "message": body }).to_string()).quoted;
    let bytes: usize = quoted.iter().map(|(line, _)| line.len()).sum();
    assert!(bytes <= 16 * body.len(), "{bytes} bytes");
    let lines = "\nunable to parse 'm v=x 5': invalid number".repeat(1_500);
    let quoted = refused2(400, &serde_json::json!({ "message": lines }).to_string()).quoted;
    assert_eq!(quoted.len(), 1_500);
    assert!(
        quoted
            .iter()
            .all(|(line, reason)| line == "m v=x 5" && reason == "invalid number")
    );
}

proptest::proptest! {
    /// Whatever a server says, something is made of it; and nothing is stored but by its own word.
    #[test]
    fn any_answer_means_something(
        status in 100u16..1_000,
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "unable to parse '", "': ", "\\n", "{\"error\":\"", "{\"message\":\"", "\"", "}", "dropped ", "7",
                " points outside retention policy ", " violates a Retention Policy Lower Bound at ",
                "2025-09-02T09:04:10.7684903Z", ",", "input field \\\"v\\\"", " on measurement \\\"m\\\" is type ",
                "error parsing line ", " (1-based): ", "\"line\":3", "\"data\":[", "sample", "\u{1b}", "é", "<",
            ]),
            0..12,
        ),
        retry_after in proptest::option::of("[0-9a-zA-Z :,-]{0,30}"),
        compressed: bool,
        is_influxdb: bool,
    ) {
        let body = parts.concat();
        let answer = Answer { status, retry_after: retry_after.as_deref(), is_influxdb, body: &body, compressed };
        for policy in [influxdb, influxdb2, remote_write] {
            match policy(answer, Timestamp::EPOCH) {
                Outcome::Stored => proptest::prop_assert!(matches!(status, 200 | 202 | 204)),
                Outcome::Refused(refusal) => proptest::prop_assert_eq!(refusal.status, Some(status)),
                Outcome::Later(later) => proptest::prop_assert!(later.said.starts_with("answered ")),
                Outcome::TooLarge(_) => proptest::prop_assert_eq!(status, 413),
                Outcome::PlainOnly(_) => proptest::prop_assert!(compressed),
            }
        }
    }
}
