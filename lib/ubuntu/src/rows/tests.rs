use proptest::prelude::*;
use tidemark_collect::chain;
use tidemark_testkit::ubuntu::{self, NOW, Size};
use tidemark_testkit::{Answer, Source};

use super::*;

/// 2026-11-21 07:00.
const SEVEN: i64 = 1_795_244_400_000;
const HALF_DAY: i64 = 12 * 60 * 60 * 1000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(milliseconds).unwrap()
}

fn read(text: &str) -> Recent<2> {
    recent(text, at(SEVEN)).unwrap()
}

/// The times in milliseconds before seven, and the values.
fn shown<const N: usize>(recent: &Recent<N>) -> Vec<(i64, [i64; N])> {
    let rows = recent.rows.iter();
    rows.map(|row| (at(SEVEN).since(row.time) / 1_000_000, row.values))
        .collect()
}

#[test]
fn rows_younger_than_twelve_hours_are_recent() {
    let text: String = [HALF_DAY + 1, HALF_DAY, HALF_DAY - 1, 60_000, 0, -1]
        .map(|before| format!("{},{before},-7\n", SEVEN - before))
        .concat();
    let recent = read(&text);
    assert_eq!(
        shown(&recent),
        [
            (HALF_DAY - 1, [HALF_DAY - 1, -7]),
            (60_000, [60_000, -7]),
            (0, [0, -7]),
            (-1, [-1, -7])
        ]
    );
    assert_eq!(recent.gaps, [""; 0]);
    assert_eq!(recent.notices, ["rows of a time to come: 1"]);
    // Where now is between two milliseconds, the row at the edge is older still.
    let now = Timestamp::from_nanos(SEVEN * 1_000_000 + 1).unwrap();
    assert_eq!(super::recent::<2>(&text, now).unwrap().rows.len(), 4);
    let now = Timestamp::from_nanos(SEVEN * 1_000_000 - 1).unwrap();
    assert_eq!(super::recent::<2>(&text, now).unwrap().rows.len(), 5);
}

#[test]
fn twelve_hours_go_over_a_leap_day() {
    let now: Timestamp = "2024-03-01T06:00:00Z".parse().unwrap();
    // 2024-02-29 18:00, and a millisecond later.
    let recent = recent::<1>("1709229600000,1\n1709229600001,2\n", now).unwrap();
    assert_eq!(
        recent.rows.iter().map(|row| row.values).collect::<Vec<_>>(),
        [[2]]
    );
    assert_eq!(recent.rows[0].time.to_string(), "2024-02-29T18:00:00.001Z");
}

#[test]
fn columns_are_found_by_their_names() {
    let text = format!(
        "\u{feff}backlog,\"time\", total ,later\r\n5,{SEVEN},\"6\",x\r\n7,{SEVEN},8\r\n9,{SEVEN}\r\n"
    );
    let recent = recent_named(&text, "time", ["total", "backlog"], at(SEVEN)).unwrap();
    assert_eq!(shown(&recent), [(0, [6, 5]), (0, [8, 7])]);
    assert_eq!(recent.gaps, ["the row in line 4 is left out: it has 2 columns"]);
    let missing = |text: &str| recent_named(text, "time", ["total", "backlog"], at(SEVEN)).unwrap_err();
    assert_eq!(
        missing("time,backlog\n1,2\n").to_string(),
        "its first line does not name a column `total`"
    );
    assert_eq!(
        missing("").to_string(),
        "its first line does not name a column `time`"
    );
    assert_eq!(missing("<html>\n"), RowsError::NoColumn("time"));
}

#[test]
fn damaged_rows_are_told_of_and_the_rest_counts() {
    let text = format!(
        "{SEVEN},1,2\n{SEVEN},1\n{SEVEN},1,2,3\n\n , \nx,1,2\n{SEVEN},1.5,2\n{SEVEN},\"1,2\n{SEVEN},,2\n9223372036854775807,1,2\n{SEVEN},99999999999999999999,2\n{SEVEN},3,4"
    );
    let recent = read(&text);
    assert_eq!(shown(&recent), [(0, [1, 2]), (0, [3, 4])]);
    assert_eq!(
        recent.gaps,
        [
            r#"the row "1795244400000,1" is left out: it has 2 columns, not 3"#,
            r#"the row "1795244400000,1,2,3" is left out: it has 4 columns, not 3"#,
            r#"the row "x,1,2" is left out: "x" is no whole number"#,
            r#"the row "1795244400000,1.5,2" is left out: "1.5" is no whole number"#,
            r#"the row "1795244400000,\"1,2" is left out: "\"1" is no whole number"#,
            "and 3 more",
        ]
    );
    assert_eq!(recent.notices, [""; 0]);
}

#[test]
fn what_was_damaged_before_the_last_twelve_hours_is_no_gap() {
    let old = SEVEN - HALF_DAY;
    let recent = read(&format!(
        "x,1,2\n{old},1,2\nx,1,2\ny\n{old},no number\n{SEVEN},1,2\nz,1,2\n"
    ));
    assert_eq!(shown(&recent), [(0, [1, 2])]);
    assert_eq!(
        recent.gaps,
        [r#"the row "z,1,2" is left out: "z" is no whole number"#]
    );
    assert_eq!(recent.notices, ["damaged rows that are older than 12 hours: 3"]);
}

#[test]
fn a_file_that_says_nothing_new_is_a_notice() {
    assert_eq!(read("").notices, ["it has no rows"]);
    assert_eq!(read("\n\n").notices, ["it has no rows"]);
    let recent = read(&format!("{},1,2\n", SEVEN - HALF_DAY));
    assert_eq!((recent.rows.len(), recent.gaps.len()), (0, 0));
    assert_eq!(
        recent.notices,
        ["no row of the last 12 hours: the newest is of 2026-11-20T19:00:00Z"]
    );
    let named = recent_named::<1>("time,total\n", "time", ["total"], at(SEVEN)).unwrap();
    assert_eq!(
        (named.rows.len(), &named.notices[..]),
        (0, &["it has no rows".to_owned()][..])
    );
}

#[test]
fn a_file_without_any_row_fails_as_a_whole() {
    let error = recent::<2>("<html>\n<body>Log in</body>\n", at(SEVEN)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "none of its rows can be read: the row \"<html>\" is left out: \"<html>\" is no whole number, and 1 more"
    );
    assert!(recent::<2>(&format!("{SEVEN},1\n"), at(SEVEN)).is_err());
}

#[test]
fn what_is_kept_is_bounded() {
    let text: String = (0..MAX_ROWS + 7)
        .map(|row| format!("{SEVEN},{row},0\n"))
        .collect();
    let recent = read(&text);
    assert_eq!(recent.rows.len(), MAX_ROWS);
    assert_eq!(
        recent.gaps,
        ["7 rows are left out: more than 10000 are of the last 12 hours"]
    );
    let recent = read(&format!("{SEVEN},1,2\n{}", "x\n".repeat(100_000)));
    assert_eq!((recent.rows.len(), recent.gaps.len()), (1, 6));
    let recent = read(&format!("{SEVEN},1,2\n{}\n", "x".repeat(1_000_000)));
    assert!(recent.gaps[0].len() < 200, "{}", recent.gaps[0].len());
}

#[test]
fn a_file_like_the_real_one_gives_its_recent_rows() {
    let names = [
        "valid candidates",
        "not considered",
        "total",
        "median age",
        "backlog",
    ];
    let made = ubuntu::update_excuses_csv(Size::percent(10), NOW);
    let recent = recent_named(&made.text, "time", names, at(NOW)).unwrap();
    let rows: Vec<_> = recent
        .rows
        .iter()
        .map(|row| (row.time.nanos() / 1_000_000, row.values.to_vec()))
        .collect();
    assert_eq!(rows, made.answer.recent);
    assert_eq!(recent.gaps.len(), made.answer.malformed);

    let made = ubuntu::component_mismatches_csv(Size::percent(10), NOW);
    let recent = super::recent::<4>(&made.text, at(NOW)).unwrap();
    let rows: Vec<_> = recent
        .rows
        .iter()
        .map(|row| (row.time.nanos() / 1_000_000, row.values.to_vec()))
        .collect();
    assert_eq!(rows, made.answer.recent);
    assert_eq!(recent.gaps.len(), made.answer.malformed);
}

/// The end of a file that is answered so, or why there is none.
fn tail_of(answer: Answer) -> Result<String, String> {
    let source = Source::http();
    source.route("/nbs.csv", answer);
    let cx = Context::builder().build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = source.url("/nbs.csv").parse().unwrap();
    let tail = runtime.block_on(tail(&cx, &url)).map_err(|error| chain(&error));
    assert_eq!(source.requests()[0].header("range"), Some("bytes=-2048"));
    tail
}

#[test]
fn the_end_of_a_file_is_asked_for() {
    let line = |number: usize| format!("{number:08},é\n");
    let long: String = (0..1000).map(line).collect();
    // 2048 bytes are 170 lines of 12 bytes, and a fragment.
    let end: String = (830..1000).map(line).collect();
    assert_eq!(tail_of(Answer::ok(&long).by_range()).unwrap(), end);
    assert_eq!(tail_of(Answer::ok(&long)).unwrap(), long);
    assert_eq!(tail_of(Answer::ok(&long).gzip()).unwrap(), long);
    // The server gives the whole file as a part.
    assert_eq!(
        tail_of(Answer::ok("1,2\n3,4\n").by_range()).unwrap(),
        "1,2\n3,4\n"
    );
    let part = |range: &str| Answer::new(206).body("1,2\n3,4\n").header("Content-Range", range);
    assert_eq!(tail_of(part("bytes 0-7/8")).unwrap(), "1,2\n3,4\n");
    assert_eq!(tail_of(part("bytes 1-8/9")).unwrap(), "3,4\n");
    assert_eq!(tail_of(part("bytes */9")).unwrap(), "3,4\n");
    assert_eq!(tail_of(Answer::new(206).body("1,2\n3,4\n")).unwrap(), "3,4\n");
    // Not lines: a page, most likely.
    for page in ["<html>one line</html>", "the end of the only line\n"] {
        let error = tail_of(Answer::new(206).body(page)).unwrap_err();
        assert!(
            error.ends_with("its last 2048 bytes hold no whole line"),
            "{error}"
        );
    }
    // The fragment may begin within a character.
    assert_eq!(tail_of(Answer::new(206).body(b"\xa9\n3,4\n")).unwrap(), "3,4\n");
}

#[test]
fn a_file_without_bytes_has_no_rows() {
    assert_eq!(tail_of(Answer::ok("").by_range()).unwrap(), "");
    // Not so where a server gives nothing for an answer.
    assert!(tail_of(Answer::ok("")).unwrap_err().contains("0 bytes"));
}

#[test]
fn a_file_that_cannot_be_had_says_why() {
    for (answer, said) in [
        (Answer::new(404), "answered 404 Not Found"),
        (Answer::new(500), "answered 500"),
        (Answer::ok("1,2\n3,4\n").cut_after(5), "broke off"),
        (
            Answer::ok(b"1,\xff\n"),
            "is not UTF-8 text: the byte at offset 2 of what came cannot be",
        ),
        (Answer::huge(200 << 20), "longer than 16777216 bytes"),
        (Answer::gzip_bomb(200 << 20), "longer than 16777216 bytes"),
    ] {
        let error = tail_of(answer).unwrap_err();
        assert!(error.contains("/nbs.csv") && error.contains(said), "{error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-0-9,x\" \n\r]{0,200}", now in any::<i64>()) {
        let now = Timestamp::from_nanos_clamped(now);
        let _ = recent::<2>(&text, now);
        let _ = recent_named(&format!("time,total\n{text}"), "time", ["total"], now);
    }

    #[test]
    fn what_is_written_is_read(before in prop::collection::vec(-1_000_000..HALF_DAY * 2, 0..40), values in any::<[i64; 3]>()) {
        let [one, two, three] = values;
        let text: String = before.iter().map(|before| format!("{},{one},{two},{three}\n", SEVEN - before)).collect();
        let recent = recent::<3>(&text, at(SEVEN)).unwrap();
        let due: Vec<(i64, [i64; 3])> = before.iter().filter(|before| **before < HALF_DAY).map(|before| (*before, values)).collect();
        prop_assert_eq!(shown(&recent), due);
        prop_assert_eq!(recent.gaps.len(), 0);
    }
}
