use super::*;

fn iso(time: Result<DateTime<Utc>, DateError>) -> String {
    time.unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
fn a_date_of_rfc_2822_is_read_in_its_zone() {
    for (text, expected) in [
        ("Sat, 21 Nov 2026 02:00:00 +0000", "2026-11-21T02:00:00Z"),
        ("  Sat, 21 Nov 2026 02:00:00 +0000  ", "2026-11-21T02:00:00Z"),
        ("Sat, 21 Nov 2026 02:00:00 +0100", "2026-11-21T01:00:00Z"),
        ("Sat, 21 Nov 2026 02:00:00 -0330", "2026-11-21T05:30:00Z"),
        ("Sat, 21 Nov 2026 02:00:00 GMT", "2026-11-21T02:00:00Z"),
        ("21 Nov 2026 02:00:00 -0000", "2026-11-21T02:00:00Z"),
        // Not a Monday; the date counts.
        ("Mon, 21 Nov 2026 02:00:00 +0000", "2026-11-21T02:00:00Z"),
        ("Tue, 29 Feb 2028 23:59:59 +0000", "2028-02-29T23:59:59Z"),
        ("Sat, 1 Jan 2028 00:30:00 +0100", "2027-12-31T23:30:00Z"),
    ] {
        assert_eq!(iso(rfc2822(text)), expected, "{text}");
    }
    for text in [
        "",
        "yesterday",
        "Sat, 29 Feb 2026 02:00:00 +0000",
        "Sat, 21 Nov 2026",
        "Sat, 21 Nov 2026 25:00:00 +0000",
        "Sat Nov 21 02:00:00 GMT 2026",
        "Some, 21 Nov 2026 02:00:00 +0000",
    ] {
        let error = rfc2822(text).unwrap_err();
        assert!(error.to_string().contains("is no date as in"), "{text}: {error}");
    }
}

#[test]
fn what_date_prints_is_utc_or_has_an_offset() {
    for (text, expected) in [
        ("Sat Nov 21 02:00:00 GMT 2026", "2026-11-21T02:00:00Z"),
        (" Sat Nov 21 02:00:00 UTC 2026\r", "2026-11-21T02:00:00Z"),
        ("Sat Nov 21 02:00:00 2026", "2026-11-21T02:00:00Z"),
        ("Sun Nov  1 02:00:00 GMT 2026", "2026-11-01T02:00:00Z"),
        ("Sun Nov 01 02:00:00 Z 2026", "2026-11-01T02:00:00Z"),
        ("Sun Nov 1 02:00:00 +0100 2026", "2026-11-01T01:00:00Z"),
        ("Sun Nov 1 02:00:00 -03 2026", "2026-11-01T05:00:00Z"),
        ("Sun Nov 1 02:00:00 +05:30 2026", "2026-10-31T20:30:00Z"),
        ("Sat Nov 21 12:05:09 AM UTC 2026", "2026-11-21T00:05:09Z"),
        ("Sat Nov 21 12:05:09 PM UTC 2026", "2026-11-21T12:05:09Z"),
        ("Sat Nov 21 11:05:09 PM UTC 2026", "2026-11-21T23:05:09Z"),
        ("Tue Feb 29 00:00:00 GMT 2028", "2028-02-29T00:00:00Z"),
        ("Thu Dec 31 23:59:60 GMT 2026", "2026-12-31T23:59:59Z"),
    ] {
        assert_eq!(iso(date(text)), expected, "{text}");
    }
}

#[test]
fn a_zone_that_could_be_another_is_named_and_not_guessed() {
    for zone in [
        "BST",
        "CEST",
        "EST",
        "IST",
        "Europe/London",
        "+1",
        "+2500",
        "+0160",
    ] {
        let text = format!("Sat Jun 20 02:00:00 {zone} 2026");
        assert_eq!(date(&text), Err(DateError::Zone(format!("{zone:?}"))));
    }
    let error = date("Sat Jun 20 02:00:00 BST 2026").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the time zone \"BST\" is not known: GMT, UTC and offsets as +0100 are"
    );
}

#[test]
fn what_is_no_date_is_shown_and_cut() {
    for text in [
        "",
        "Sat",
        "Nov 21 02:00:00 GMT 2026",
        "Sat Nov 31 02:00:00 GMT 2026",
        "Sat Feb 29 02:00:00 GMT 2026",
        "Sat Nov 21 24:00:00 GMT 2026",
        "Sat Nov 21 02:00 GMT 2026",
        "Sat Nov 21 02:00:00:00 GMT 2026",
        "Sat Nov 21 13:00:00 PM GMT 2026",
        "Sat Nov 21 02:00:00 GMT 26",
        "Sat Nov 21 02:00:00 GMT 2026 or so",
        "Sam Nov 21 02:00:00 GMT 2026",
        "Sat NOV 21 02:00:00 GMT 2026",
        "Sat, 21 Nov 2026 02:00:00 +0000",
        "Sat Nov ٢١ 02:00:00 GMT 2026",
    ] {
        assert!(
            matches!(date(text), Err(DateError::Form { .. })),
            "{text}: {:?}",
            date(text)
        );
    }
    let error = date(&"é".repeat(10_000)).unwrap_err().to_string();
    assert!(error.len() < 250 && error.contains('…'), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_a_date_or_is_not(text in any::<String>(), words in "(Sat|Nov|[0-9:+-]{1,9}|GMT| ){0,9}") {
        for text in [text, words] {
            let _ = (date(&text), rfc2822(&text));
        }
    }

    #[test]
    fn a_time_is_read_as_it_was_written(seconds in 0_i64..4_102_444_800) {
        let time = DateTime::from_timestamp(seconds, 0).unwrap();
        prop_assert_eq!(rfc2822(&time.to_rfc2822()), Ok(time));
        prop_assert_eq!(date(&time.format("%a %b %e %H:%M:%S GMT %Y").to_string()), Ok(time));
        prop_assert_eq!(date(&time.format("%a %b %d %I:%M:%S %p UTC %Y").to_string()), Ok(time));
    }
}
