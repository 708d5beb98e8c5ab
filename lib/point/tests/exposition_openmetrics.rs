//! Strict reading of OpenMetrics 1.0: its lines, by the ABNF of the specification.

#[path = "exposition/openmetrics.rs"]
mod openmetrics;

use openmetrics::{bad, bad_lines, good, good_lines, mistakes};
use tidemark_point::Timestamp;
use tidemark_point::exposition::{Entry, Format, Reader, TextErrorKind, points};

#[rustfmt::skip]
#[test]
fn the_page_of_the_specification_is_right() {
    good(include_str!("exposition/specification.om"));
}

#[rustfmt::skip]
#[test]
fn examples_of_the_specification_are_right() {
    for lines in [
        "# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n", "# TYPE foo_seconds counter\n",
        "# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n# HELP foo_seconds Some text and \\n some \\\" escaping\n",
        "bar_seconds_count 0\n", "bar_seconds_count{} 0\n",
        "bar_seconds_count{a=\"x\",b=\"escaping\\\" example \\n \"} 0\n",
        "# TYPE foo_seconds summary\n# UNIT foo_seconds seconds\n\
         foo_seconds_count{a=\"bb\"} 0 123\nfoo_seconds_sum{a=\"bb\"} 0 123\n\
         foo_seconds_count{a=\"bb\"} 0 456\nfoo_seconds_sum{a=\"bb\"} 0 456\n\
         foo_seconds_count{a=\"ccc\"} 0 123\nfoo_seconds_sum{a=\"ccc\"} 0 123\n\
         foo_seconds_count{a=\"ccc\"} 0 456\nfoo_seconds_sum{a=\"ccc\"} 0 456\n",
        "# TYPE foo gauge\nfoo 17.0\n", "# TYPE foo gauge\nfoo{a=\"bb\"} 17.0\nfoo{a=\"ccc\"} 17.0\n",
        "# TYPE foo gauge\nfoo{a=\"b\"} 17.0 1520879607.789\n",
        "# TYPE foo gauge\nfoo 17.0 123\nfoo 18.0 456\n", "# TYPE foo counter\nfoo_total 17.0\n",
        "# TYPE foo counter\nfoo_total 17.0 1520879607.789\nfoo_created 1520430000.123 1520879607.789\n",
        "# TYPE foo stateset\nfoo{foo=\"a\"} 0\nfoo{foo=\"bb\"} 1\nfoo{foo=\"ccc\"} 0\n",
        "# TYPE foo stateset\nfoo{entity=\"controller\",foo=\"a\"} 1.0\nfoo{entity=\"controller\",foo=\"bb\"} 0.0\n\
         foo{entity=\"replica\",foo=\"a\"} 1.0\nfoo{entity=\"replica\",foo=\"bb\"} 0.0\n",
        "# TYPE foo info\nfoo_info{name=\"pretty name\",version=\"8.2.7\"} 1\n",
        "# TYPE foo info\nfoo_info{entity=\"controller\",name=\"pretty name\"} 1.0\nfoo_info{entity=\"replica\",name=\"prettier\"} 1.0\n",
        "# TYPE foo summary\nfoo_count 17.0\nfoo_sum 324789.3\nfoo_created 1520430000.123\n",
        "# TYPE foo summary\nfoo{quantile=\"0.95\"} 123.7\nfoo{quantile=\"0.99\"} 150.0\n",
        "# TYPE foo histogram\nfoo_bucket{le=\"0.0\"} 0\nfoo_bucket{le=\"1e-05\"} 0\nfoo_bucket{le=\"0.0001\"} 5\n\
         foo_bucket{le=\"0.1\"} 8\nfoo_bucket{le=\"1.0\"} 10\nfoo_bucket{le=\"10.0\"} 11\nfoo_bucket{le=\"100000.0\"} 11\n\
         foo_bucket{le=\"1e+06\"} 15\nfoo_bucket{le=\"1e+23\"} 16\nfoo_bucket{le=\"1.1e+23\"} 17\nfoo_bucket{le=\"+Inf\"} 17\n\
         foo_count 17\nfoo_sum 324789.3\nfoo_created 1520430000.123\n",
        "# TYPE foo histogram\nfoo_bucket{le=\"0.01\"} 0\nfoo_bucket{le=\"0.1\"} 8 # {} 0.054\n\
         foo_bucket{le=\"1\"} 11 # {trace_id=\"KOO5S4vxi0o\"} 0.67\n\
         foo_bucket{le=\"10\"} 17 # {trace_id=\"oHg5SJYRHA0\"} 9.8 1520879607.789\nfoo_bucket{le=\"+Inf\"} 17\n\
         foo_count 17\nfoo_sum 324789.3\nfoo_created 1520430000.123\n",
        "# TYPE foo gaugehistogram\nfoo_bucket{le=\"0.01\"} 20.0\nfoo_bucket{le=\"0.1\"} 25.0\nfoo_bucket{le=\"1\"} 34.0\n\
         foo_bucket{le=\"10\"} 34.0\nfoo_bucket{le=\"+Inf\"} 42.0\nfoo_gcount 42.0\nfoo_gsum 3289.3\n",
        "# TYPE foo unknown\nfoo 42.23\n",
    ] {
        good_lines(lines);
    }
}

#[rustfmt::skip]
#[test]
fn examples_of_what_the_specification_forbids_are_found() {
    bad_lines("# TYPE foo counter\n# UNIT foo seconds\n", 2, 12, "the family's name does not end in its unit: write the name with _seconds at its end");
    // Metrics interleaved, then their points.
    bad_lines("# TYPE foo_seconds summary\nfoo_seconds_count{a=\"bb\"} 0 123\nfoo_seconds_count{a=\"ccc\"} 0 123\nfoo_seconds_count{a=\"bb\"} 0 456\n", 4, 1, "these labels again");
    bad_lines("# TYPE foo_seconds summary\nfoo_seconds_count{a=\"bb\"} 0 123\nfoo_seconds_count{a=\"bb\"} 0 456\nfoo_seconds_sum{a=\"bb\"} 0 123\n", 4, 27, "the time is before that of the sample above");
}

#[rustfmt::skip]
#[test]
fn the_end_mark_is_the_end() {
    good("# EOF\n");
    good("# EOF");
    bad("", 1, 1, "the page does not end with '# EOF'");
    bad("a 1\n", 1, 4, "the page does not end with '# EOF'");
    bad("a 1", 1, 4, "the page does not end with '# EOF'");
    bad("# EOF\n\n", 2, 1, "something follows '# EOF'");
    bad("# EOF\na 1\n", 2, 1, "something follows '# EOF'");
    bad("# EOF\n# EOF\n", 2, 1, "something follows '# EOF'");
    bad("# EOF\n ", 2, 1, "something follows '# EOF'");
    for (end, column) in [
        ("# EOF \n", 6), ("#EOF\n", 2), ("#  EOF\n", 3), (" # EOF\n", 1), ("#\tEOF", 2),
    ] {
        bad(end, 1, column, "unexpected");
    }
    assert_eq!(mistakes("# eof\n").len(), 2);
    assert_eq!(mistakes("# EOF x\n").len(), 2);
}

#[rustfmt::skip]
#[test]
fn lines_end_with_a_line_feed_alone() {
    bad_lines("a 1\r\n", 1, 4, "the line ends in a carriage return");
    bad_lines("# HELP a b\r\n", 1, 11, "the line ends in a carriage return");
    bad("a 1\n# EOF\r\n", 2, 6, "the line ends in a carriage return");
    good_lines("a{b=\"\r\"} 1\n");
    assert_eq!(mistakes("a{b=\"c\nd\"} 1\n# EOF\n")[0].kind, TextErrorKind::UnclosedString);
}

#[rustfmt::skip]
#[test]
fn text_is_utf_8_without_a_mark() {
    bad("\u{feff}a 1\n# EOF\n", 1, 1, "the page begins with a byte order mark");
    good_lines("a{b=\"\u{0}ü漢🦀\"} 1\n");
    let found: Vec<_> = Reader::new(
        b"a 1\nb{c=\"\xff\"} 1\nd 1\nf\xc3\x28 1\n# EOF\n",
        Format::OpenMetrics,
    )
    .collect();
    let places: Vec<_> = found
        .iter()
        .filter_map(|item| item.as_ref().err())
        .map(|error| (error.line, error.column, error.kind.to_string()))
        .collect();
    let text = || String::from("the text is not UTF-8: write it in that encoding");
    assert_eq!(places, [(2, 6, text()), (4, 2, text())]);
    assert_eq!(found.len(), 5);
}

#[rustfmt::skip]
#[test]
fn nothing_but_metadata_begins_with_a_hash() {
    for comment in [
        "# a comment", "#", "# ", "#a", "# help a b", "# Type a gauge", "# FOO a b",
    ] {
        bad_lines(&format!("{comment}\n"), 1, 1, "a comment: leave it out");
    }
    bad_lines("\n", 1, 1, "a blank line");
    bad_lines("a 1\n\nb 1\n", 2, 1, "a blank line");
    bad_lines(" \n", 1, 1, "unexpected ' '");
}

#[rustfmt::skip]
#[test]
fn tokens_have_exactly_one_space_between_them() {
    let space = "exactly one space";
    for (line, column) in [
        ("#TYPE a gauge", 2), ("#  TYPE a gauge", 3), ("#\tTYPE a gauge", 2), ("# TYPE  a gauge", 8),
        ("# TYPE\ta gauge", 7), ("# TYPE a  gauge", 10), ("# TYPE a\tgauge", 9), ("# HELP  a b", 8),
        ("# UNIT  a b", 8), ("# TYPE", 7), ("# TYPE a", 9), ("# HELP a", 9), ("# UNIT a", 9), ("a  1", 3),
        ("a\t1", 2), ("a", 2), ("a{b=\"c\"}1", 9), ("a{b=\"c\"}  1", 10), ("a 1  2", 5), ("a 1\t2", 4),
    ] {
        let found = mistakes(&format!("{line}\n# EOF\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0].column, column, "{line}: {found:?}");
        assert!(found[0].kind.to_string().contains(space), "{line}: {found:?}");
    }
    bad_lines(" a 1\n", 1, 1, "unexpected ' ': write a metric name");
    bad_lines("a 1 \n", 1, 4, "unexpected ' ': write the end of the line");
    bad_lines("a 1 2 \n", 1, 6, "unexpected ' ': write the end of the line");
    bad_lines("a 1 2 3\n", 1, 7, "unexpected '3': write the end of the line");
    bad_lines("# TYPE a gauge \n", 1, 15, "unexpected ' ': write the end of the line");
    bad_lines("# TYPE a gauge x\n", 1, 15, "unexpected ' '");
    bad_lines("a{b = \"c\"} 1\n", 1, 4, "unexpected ' ': write '='");
    bad_lines("a{b= \"c\"} 1\n", 1, 5, "unexpected ' ': write the label's value");
    bad_lines("a{ b=\"c\"} 1\n", 1, 3, "unexpected ' ': write a label name");
    bad_lines("a{b=\"c\" } 1\n", 1, 8, "unexpected ' ': write ','");
    bad_lines("a{b=\"c\", d=\"e\"} 1\n", 1, 9, "unexpected ' ': write a label name");
    bad_lines("a {b=\"c\"} 1\n", 1, 3, "\"{b=");
}

#[rustfmt::skip]
#[test]
fn names_have_their_characters() {
    good_lines("a:b_C9 1\n");
    good_lines(":a 1\n");
    for (line, column) in [
        ("9a 1", 1), ("a-b 1", 2), ("a.b 1", 2), ("ä 1", 1), ("{b=\"c\"} 1", 1), ("{\"a\"} 1", 1),
        ("\"a\" 1", 1), ("- 1", 1), ("a{9=\"b\"} 1", 3), ("a{b:c=\"d\"} 1", 4), ("a{b-c=\"d\"} 1", 4),
        ("a{ä=\"b\"} 1", 3), ("a{=\"b\"} 1", 3), ("# TYPE 9a gauge", 8), ("# HELP a-b c", 9),
        ("# UNIT a b-c", 11), ("# TYPE  gauge", 8),
    ] {
        let found = mistakes(&format!("{line}\n# EOF\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0].column, column, "{line}: {found:?}");
    }
    bad_lines("a{\"b\"=\"c\"} 1\n", 1, 3, "a name in quotes");
    bad_lines("# TYPE \"a\" gauge\n", 1, 8, "a name in quotes");
    bad_lines("_a 1\n", 1, 1, "the name _a is reserved");
    bad_lines("# TYPE _a gauge\n", 1, 8, "the name _a is reserved");
    bad_lines("a{_b=\"c\"} 1\n", 1, 3, "the name _b is reserved");
    bad_lines("a{__name__=\"c\"} 1\n", 1, 3, "the name __name__ is reserved");
}

#[rustfmt::skip]
#[test]
fn labels_are_pairs_with_commas_between() {
    good_lines("a{} 1\n");
    good_lines("a{b=\"\"} 1\n");
    for (line, column) in [
        ("a{,} 1", 3), ("a{b=\"c\",} 1", 9), ("a{,b=\"c\"} 1", 3), ("a{b=\"c\",,d=\"e\"} 1", 9),
        ("a{b=\"c\"d=\"e\"} 1", 8), ("a{b} 1", 4), ("a{b=} 1", 5), ("a{b=c} 1", 5), ("a{b='c'} 1", 5),
        ("a{b=\"c\" 1", 8), ("a{ 1", 3), ("a{", 3), ("a{b", 4), ("a{b=", 5), ("a{b=\"c\"", 8),
        ("a{b=\"c\"}} 1", 9), ("a} 1", 2), ("a{{}} 1", 3), ("a{b=\"c", 5), ("a{b=\"c\\\"} 1", 5),
        ("a{b=\"\"c\"} 1", 7),
    ] {
        let found = mistakes(&format!("{line}\n# EOF\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0].column, column, "{line}: {found:?}");
    }
    bad_lines("a{b=\"1\",b=\"1\"} 1\n", 1, 9, "the label b is given twice");
    bad_lines("a{c=\"1\",b=\"1\",d=\"\",c=\"2\"} 1\n", 1, 20, "the label c is given twice");
}

#[rustfmt::skip]
#[test]
fn escapes_are_undone() {
    let page = b"# HELP a x\\\\y\\n\\\"z\\q\na{b=\"x\\\\y\\n\\\"z\\q\",c=\" # {,}=\"} 1\n# EOF\n";
    let mut entries = Reader::new(page, Format::OpenMetrics).map(Result::unwrap);
    let Some(Entry::Help { help, .. }) = entries.next() else {
        panic!("no help")
    };
    assert_eq!(help, "x\\y\n\"z\\q");
    let Some(Entry::Sample(sample)) = entries.next() else {
        panic!("no sample")
    };
    assert_eq!(sample.label("b").as_deref(), Some("x\\y\n\"z\\q"));
    assert_eq!(sample.label("c").as_deref(), Some(" # {,}="));
    assert_eq!(sample.label("d"), None);
    // In help, what needs no escape is taken without one.
    for (text, plain) in [("b \"c\"", "b \"c\""), ("b\\", "b\\"), ("b\\\\", "b\\"), ("\\\\\"", "\\\""), ("\\\\\\n", "\\\n")] {
        let page = format!("# HELP a {text}\n# EOF\n");
        good(&page);
        let help = Reader::new(page.as_bytes(), Format::OpenMetrics).next();
        assert_eq!(help, Some(Ok(Entry::Help { family: "a".into(), help: plain.into() })));
    }
}

#[rustfmt::skip]
#[test]
fn numbers_are_as_the_grammar_has_them() {
    for value in [
        "0", "-0", "+1", "0042", "1341298465647914", "8903.123421", "1.89e-7", "1.", ".5", "-.5", "+.5",
        "1.e3", "1E3", "1e+3", "1e-400", "inf", "Inf", "INF", "+inf", "-INF", "infinity", "+Infinity", "NaN",
        "nan", "NAN", "1.7976931348623157e308", "123456789012345678901234567890",
    ] {
        good_lines(&format!("a {value}\n"));
    }
    for value in [
        "0x10", "1_000", "1,5", ".", "-", "+", "e3", "1e", "1e+", "--1", "+-1", "+NaN", "-nan", "in",
        "infin", "nano", "1d", "١", "1.5.5", "1e5.5", "true", "0b1", "0x1p3", "-.e5", ".e5",
    ] {
        bad_lines(&format!("a {value}\n"), 1, 3, &format!("{value:?} is no number"));
    }
    bad_lines("a 1e309\n", 1, 3, "1e309 is beyond the range");
    bad_lines("a -1e309\n", 1, 3, "-1e309 is beyond the range");
    bad_lines(&format!("a 1{}\n", "0".repeat(309)), 1, 3, "1000");
    bad_lines("a \n", 1, 3, "the line ends too early: write a number");
}

#[rustfmt::skip]
#[test]
fn times_are_decimal_digits_to_the_nanosecond() {
    let time = |text: &str| {
        let page = format!("a 1 {text}\n# EOF\n");
        match Reader::new(page.as_bytes(), Format::OpenMetrics).next() {
            Some(Ok(Entry::Sample(sample))) => sample.time.map(|time| time.nanos()),
            other => panic!("{text}: {other:?}"),
        }
    };
    for (text, nanos) in [
        ("0", 0), ("-0.0", 0), ("123", 123_000_000_000), ("+123", 123_000_000_000),
        ("1604676851.123456789", 1_604_676_851_123_456_789),
        ("1604676851.1234567899999", 1_604_676_851_123_456_789),
        ("-1604676851.123456789", -1_604_676_851_123_456_789), ("0001604676851.1", 1_604_676_851_100_000_000),
        ("1.", 1_000_000_000), (".5", 500_000_000), ("1.604676851123456789e9", 1_604_676_851_123_456_789),
        ("1604676851123456789E-9", 1_604_676_851_123_456_789), ("1e-9", 1), ("1e-10", 0), ("12e-10", 1),
        ("0e999999999999999999999999", 0), ("1e-999999999999999999999999", 0),
        ("0.00000000000000000000001e23", 1_000_000_000),
        ("9223372036.854775806", i64::MAX - 1),
        ("-9223372036.854775806", i64::MIN + 2),
    ] {
        assert_eq!(time(text), Some(nanos), "{text}");
    }
    for text in ["NaN", "Inf", "-inf", "1_0", "0x1", "e9", ".", "now", "1e", "1 "] {
        assert!(!mistakes(&format!("a 1 {text}\n# EOF\n")).is_empty(), "{text}");
    }
    bad_lines("a 1 NaN\n", 1, 5, "\"NaN\" is no time: write seconds since 1970");
    for text in ["1e309", "-1e309", "1e99999999999999999999"] {
        bad_lines(&format!("a 1 {text}\n"), 1, 5, &format!("the time {text} is out of range"));
    }
    bad_lines("# TYPE a counter\na_total 1 # {} 1 1e309\n", 2, 18, "the time 1e309 is out of range");
    // The specification sets no other bound, but what is stored does.
    for (text, nearest) in [
        ("9999999999.999999999", Timestamp::MAX), ("9223372036.854775807", Timestamp::MAX), ("1e10", Timestamp::MAX),
        ("-9223372036.854775807", Timestamp::MIN), ("1e308", Timestamp::MAX),
        ("12345678901234567890.5", Timestamp::MAX), ("-1700000000000", Timestamp::MIN),
    ] {
        let page = format!("a 1 {text}\n# EOF\n");
        good(&page);
        assert_eq!(time(text), Some(nearest.nanos()), "{text}");
        let point = points(page.as_bytes(), Format::OpenMetrics, Timestamp::EPOCH).next();
        assert_eq!(point.map(|point| point.map_err(|error| error.kind)), Some(Err(TextErrorKind::TimeNotStored)));
        let lenient = Reader::new(page.as_bytes(), Format::OpenMetrics).lenient().next();
        let kind = lenient.and_then(Result::err).map(|error| error.kind);
        assert_eq!(kind, Some(TextErrorKind::TimeOutOfRange(text.into())));
    }
}

#[rustfmt::skip]
#[test]
fn all_mistakes_of_a_page_are_found() {
    let page = "# TYPE a counter\na_total -1\n\nb{c=\"d} 1\n# TYPE a gauge\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n9 1\n# TYPE i info\ni_info 2\n";
    let found: Vec<_> = mistakes(page)
        .iter()
        .map(|error| (error.line, error.column))
        .collect();
    assert_eq!(found, [(2, 9), (3, 1), (4, 5), (5, 8), (8, 1), (10, 8), (10, 9)]);
}

#[rustfmt::skip]
#[test]
fn entries_come_in_order_with_their_parts() {
    let page = b"# TYPE a_s histogram\n# UNIT a_s s\n# HELP a_s b c\na_s_bucket{x=\"y\",le=\"+Inf\"} 2 5.5 # {t=\"u\"} 0.5 5\n# EOF\n";
    let entries: Vec<_> = Reader::new(page, Format::OpenMetrics)
        .map(Result::unwrap)
        .collect();
    assert_eq!(entries.len(), 5);
    assert_eq!(
        entries[1],
        Entry::Unit {
            family: "a_s".into(),
            unit: "s"
        }
    );
    assert_eq!(
        entries[2],
        Entry::Help {
            family: "a_s".into(),
            help: "b c".into()
        }
    );
    assert_eq!(entries[4], Entry::Eof);
    let Entry::Sample(sample) = &entries[3] else {
        panic!("{entries:?}")
    };
    assert_eq!((sample.name(), sample.value), ("a_s_bucket", 2.0));
    assert_eq!(sample.time.map(|time| time.nanos()), Some(5_500_000_000));
    let labels: Vec<_> = sample.labels().collect();
    assert_eq!(labels, [("x".into(), "y".into()), ("le".into(), "+Inf".into())]);
    let exemplar = sample.exemplar.as_ref().unwrap();
    assert_eq!(exemplar.value, 0.5);
    assert_eq!(exemplar.time.map(|time| time.nanos()), Some(5_000_000_000));
    assert_eq!(exemplar.labels().collect::<Vec<_>>(), [("t".into(), "u".into())]);
}
