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

/// What is kept, with what is said.
fn kept(status: u16, body: &str) -> String {
    match answer(status, body) {
        Outcome::Later(later) => later.said,
        other => panic!("{status} {body:?}: {other:?}"),
    }
}

#[test]
fn every_status_of_the_table() {
    assert_eq!(answer(204, ""), Outcome::Stored);
    assert_eq!(answer(200, ""), Outcome::Stored);
    assert_eq!(
        kept(200, "<html>login</html>"),
        "answered 200: this is not InfluxDB; check the sink's url"
    );
    assert_eq!(
        kept(202, ""),
        "answered 202: this is not InfluxDB; check the sink's url"
    );
    assert_eq!(
        kept(302, ""),
        "answered 302: this is not InfluxDB; check the sink's url"
    );
    assert!(
        kept(401, r#"{"error":"authorization failed"}"#).contains("check the sink's username and password")
    );
    assert!(kept(403, r#"{"error":"\"u\" user is not authorized"}"#).contains("let the sink's user write"));
    assert_eq!(
        kept(404, r#"{"error":"database not found: \"x\""}"#),
        "answered 404 (database not found: \"x\"): check the sink's url and database, or create the database"
    );
    assert!(kept(500, r#"{"error":"retention policy not found: x"}"#).contains("retention_policy"));
    assert!(kept(400, r#"{"error":"database is required"}"#).contains("set the sink's database"));
    assert!(kept(405, "no").contains("check the sink's url"));
    assert!(matches!(answer(413, ""), Outcome::TooLarge(_)));
    assert!(matches!(answer(415, ""), Outcome::PlainOnly(_)));
    assert!(matches!(
        answer(400, r#"{"error":"gzip: invalid header"}"#),
        Outcome::PlainOnly(_)
    ));
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        assert!(kept(status, "busy").ends_with("it is tried again"), "{status}");
    }
}

#[test]
fn a_bad_request_that_is_not_influxdbs_rejects_nothing() {
    let said = kept(400, "Client sent an HTTP request to an HTTPS server.");
    assert_eq!(
        said,
        "answered 400 (Client sent an HTTP request to an HTTPS server.): this is not InfluxDB; check the sink's url"
    );
    assert!(kept(422, "<html>").contains("not InfluxDB"));
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
