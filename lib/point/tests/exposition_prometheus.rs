//! Strict reading of Prometheus 0.0.4, rule by rule.

use tidemark_point::exposition::{Entry, FamilyType, Format, Reader, TextError};

fn mistakes(page: &str) -> Vec<TextError> {
    Reader::new(page.as_bytes(), Format::Prometheus)
        .filter_map(Result::err)
        .collect()
}

#[track_caller]
fn good(page: &str) {
    let found = mistakes(page);
    assert!(found.is_empty(), "{page}{found:#?}");
}

/// One mistake, at this place, whose message begins so.
#[track_caller]
fn bad(page: &str, line: usize, column: usize, message: &str) {
    let found = mistakes(page);
    assert_eq!(found.len(), 1, "{page}{found:#?}");
    let text = found[0].kind.to_string();
    assert_eq!((found[0].line, found[0].column), (line, column), "{page}{text}");
    assert!(text.starts_with(message), "{page}{text}");
}

#[test]
fn the_page_of_the_documentation_is_right() {
    let page = include_bytes!("exposition/documentation.prom");
    let entries: Result<Vec<_>, _> = Reader::new(page, Format::Prometheus).collect();
    let entries = entries.unwrap();
    let samples = entries
        .iter()
        .filter(|entry| matches!(entry, Entry::Sample(_)))
        .count();
    assert_eq!((entries.len(), samples), (26, 20));
    let Some(Entry::Sample(weird)) = entries
        .iter()
        .find(|entry| matches!(entry, Entry::Sample(sample) if sample.name() == "something_weird"))
    else {
        panic!("{entries:?}")
    };
    assert_eq!(weird.value, f64::INFINITY);
    assert_eq!(weird.time.map(|time| time.nanos()), Some(-3_982_045_000_000));
    assert_eq!(weird.label("problem").as_deref(), Some("division by zero"));
    let Some(Entry::Sample(file)) = entries
        .iter()
        .find(|entry| matches!(entry, Entry::Sample(sample) if sample.label("path").is_some()))
    else {
        panic!("{entries:?}")
    };
    assert_eq!(file.label("path").as_deref(), Some("C:\\DIR\\FILE.TXT"));
    assert_eq!(
        file.label("error").as_deref(),
        Some("Cannot find file:\n\"FILE.TXT\"")
    );
    assert_eq!(
        entries[1],
        Entry::Type {
            family: "http_requests_total".into(),
            family_type: FamilyType::Counter
        }
    );
}

#[test]
fn blanks_blank_lines_and_comments_are_free() {
    good("");
    good("\n\n");
    good("\t# a comment\n#\n# \n#x\n# HELPER a\n# UNIT a b\n# EOF\n");
    good("  \t \n a 1\n\tb\t\t2\t3\t\n");
    good("a { b = \"c\" , d=\"e\" , } 1\n");
    good("a{} 1\nb{c=\"d\",} 1\nc{d=\"e\"}1\n");
    good("  #   TYPE\ta  gauge \t\n # HELP \t a\tb c \na 1\n");
    good("# HELP a\n# TYPE a gauge\n");
    good("# HELP a x \"y\" \\\\ \\n\n");
}

#[rustfmt::skip]
#[test]
fn lines_are_as_the_format_has_them() {
    bad("a 1\r\n", 1, 4, "the line ends in a carriage return");
    bad("a 1\nb 2", 2, 4, "the last line has no line feed");
    bad("# HELP a", 1, 9, "the last line has no line feed");
    bad("\u{feff}a 1\n", 1, 1, "the page begins with a byte order mark");
    bad("a\n", 1, 2, "the line ends too early: write a space");
    bad("a{b=\"c\"}\n", 1, 9, "the line ends too early: write a number");
    bad("a 1 2 3\n", 1, 7, "unexpected '3': write the end of the line");
    bad("a 1 # {} 1\n", 1, 5, "\"#\" is no time");
    bad("a 1 2 # {} 1\n", 1, 7, "unexpected '#': write the end of the line");
    bad("9a 1\n", 1, 1, "unexpected '9': write a metric name");
    bad("a-b 1\n", 1, 2, "unexpected '-'");
    bad("{b=\"c\"} 1\n", 1, 1, "unexpected '{': write a metric name");
    bad("{\"a\"} 1\n", 1, 1, "unexpected '{': write a metric name");
    bad("a{\"b\"=\"c\"} 1\n", 1, 3, "a name in quotes");
    bad("a{,} 1\n", 1, 3, "unexpected ','");
    bad("a{b=\"1\",,} 1\n", 1, 9, "unexpected ','");
    bad("a{b=\"1\" c=\"2\"} 1\n", 1, 9, "unexpected 'c': write ',' and the next label, or '}'");
    bad("a{b=\"1\",b=\"2\"} 1\n", 1, 9, "the label b is given twice");
    bad("a{b=\"c} 1\n", 1, 5, "the quote that opens here is not closed");
    bad("a{b=\"\\x\"} 1\n", 1, 6, "a backslash before what cannot be escaped");
    bad("# HELP a \\x\n", 1, 10, "a backslash before what cannot be escaped");
    bad("# HELP a \\\"\n", 1, 10, "a backslash before what cannot be escaped");
    bad("# HELP a \\\n", 1, 10, "a backslash before what cannot be escaped");
    bad("#TYPE a gauge\n", 1, 2, "unexpected 'T': write a space");
    bad("# TYPE a\n", 1, 9, "the line ends too early");
    bad("# TYPE a gauge x\n", 1, 16, "unexpected 'x': write the end of the line");
    for word in ["unknown", "info", "stateset", "gaugehistogram", "Gauge", "x"] {
        bad(
            &format!("# TYPE a {word}\n"), 1, 10,
            &format!("{word:?} is no type: write untyped, gauge, counter, histogram, summary"),
        );
    }
    for time in ["1.5", "NaN", "1e3", "0x1", "x", "-", "+", "1_0"] {
        bad(&format!("a 1 {time}\n"), 1, 5, &format!("{time:?} is no time: write whole milliseconds"));
    }
    good("a 1 9223372036855\n");
    bad("a 1 99999999999999999999\n", 1, 5, "\"99999999999999999999\" is no time");
    for value in ["0x10", "1_0", "+nan", "x", "1e", ".", "1d"] {
        bad(&format!("a {value}\n"), 1, 3, &format!("{value:?} is no number"));
    }
    bad("a 1e400\n", 1, 3, "1e400 is beyond the range");
    good("a +Inf\nb -inf\nc NaN\nd 1e-310\ne infinity\nf 1. +5\ng .5 -5\n");
}

#[rustfmt::skip]
#[test]
fn families_stand_together_with_their_metadata_first() {
    good("a 1\nb 1\n");
    good("# TYPE a_total counter\na_total 1\n# TYPE a_created gauge\na_created 1\n");
    good("# TYPE a counter\na 1\na_total 1\na_created 1\n");
    good("_a{_b=\"c\"} 1\n");
    bad("# TYPE a gauge\n# TYPE a gauge\n", 2, 8, "a second TYPE of a");
    bad("# HELP a b\n# HELP a b\n", 2, 8, "a second HELP of a");
    bad("a 1\n# TYPE a gauge\n", 2, 8, "TYPE of a after its samples");
    bad("# TYPE a gauge\na 1\n# HELP a b\n", 3, 8, "HELP of a after its samples");
    bad("a 1\nb 1\na{c=\"d\"} 1\n", 3, 1, "a again");
    bad("a 1\nb 1\n# TYPE a gauge\n", 3, 8, "a again");
    bad("# TYPE a histogram\n# TYPE a_sum gauge\n", 2, 8, "samples called a_sum may belong to another family");
    bad("# TYPE a_count gauge\n# TYPE a summary\n", 2, 8, "samples called a_count may belong to another family");
    for family in ["histogram a", "histogram a_created"] {
        let (family_type, name) = family.split_once(' ').unwrap();
        let found = mistakes(&format!("# TYPE {name} {family_type}\n{name} 1\n"));
        let message = format!("the samples of the {family} are called {name}_bucket, {name}_count, {name}_sum");
        assert_eq!(found.iter().map(|error| error.kind.to_string()).collect::<Vec<_>>(), [message]);
    }
    bad("a{__name__=\"b\"} 1\n", 1, 3, "the name __name__ is reserved");
    bad("a{__b=\"c\"} 1\n", 1, 3, "the name __b is reserved");
}

#[rustfmt::skip]
#[test]
fn a_sample_is_there_once() {
    good("a{b=\"1\"} 1\na{b=\"2\"} 1\n");
    bad("a 1\na 1\n", 2, 1, "the same name and labels again");
    bad("a 1 5\na 1 6\n", 2, 1, "the same name and labels again");
    bad("a{b=\"1\",c=\"2\"} 1\na 1\na{c=\"2\" , b=\"1\"} 1\n", 3, 1, "the same name and labels again");
    bad("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\na_count 1\n", 4, 1, "the same name and labels again");
}

#[rustfmt::skip]
#[test]
fn counters_histograms_and_summaries_hold_what_they_should() {
    // The format says nothing of values but that a histogram's count is its last bucket.
    good("# TYPE a counter\na 0\na{b=\"1\"} +Inf\na{b=\"2\"} -1\na{b=\"3\"} NaN\n");
    let page = |lines: &str| format!("# TYPE a histogram\n{lines}");
    good(&page("a_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\na_sum -1\na_count 2\n"));
    good(&page("a_bucket{le=\"+Inf\"} 2\n"));
    // Label sets may be mixed.
    good(&page(
        "a_bucket{b=\"1\",le=\"1\"} 1\na_bucket{b=\"2\",le=\"1\"} 5\na_bucket{b=\"1\",le=\"+Inf\"} 2\na_bucket{b=\"2\",le=\"+Inf\"} 5\n\
         a_sum{b=\"1\"} 1\na_sum{b=\"2\"} 1\na_count{b=\"1\"} 2\na_count{b=\"2\"} 5\n",
    ));
    bad(&page("a_bucket{le=\"1\"} 1\n"), 2, 1, "the last bucket is missing");
    bad(&page("a_bucket{b=\"1\",le=\"+Inf\"} 1\na_bucket{b=\"2\",le=\"1\"} 1\n"), 3, 1, "the last bucket is missing");
    bad(&page("a_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n"), 3, 10, "le is not above");
    bad(&page("a_bucket{le=\"2\"} 2\na_bucket{le=\"+Inf\"} 1\n"), 3, 21, "the bucket holds less");
    bad(&page("a_bucket{le=\"+Inf\"} 1\na_count 2\n"), 2, 1, "_count is not what the bucket +Inf holds");
    bad(&page("a_bucket{le=\"x\"} 1\na_bucket{le=\"+Inf\"} 1\n"), 2, 10, "le=\"x\" is no bucket");
    bad(&page("a_bucket 1\na_bucket{le=\"+Inf\"} 1\n"), 2, 1, "the label le is missing");
    good(&page("a_bucket{le=\"+Inf\"} 0.5\na_count 0.5\n"));
    good(&page("a_bucket{le=\"+Inf\"} NaN\na_count NaN\n"));
    bad(&page("a_bucket{le=\"+Inf\"} NaN\na_count 1\n"), 2, 1, "_count is not what the bucket +Inf holds");
    let page = |lines: &str| format!("# TYPE a summary\n{lines}");
    good(&page("a{quantile=\"0\"} -1\na{quantile=\"0.5\"} NaN\na{quantile=\"1\"} 1\na_sum -1\na_count 3\n"));
    bad(&page("a{quantile=\"0.5\"} 1\na{quantile=\"0.1\"} 1\n"), 3, 3, "quantile is not above");
    bad(&page("a{quantile=\"1.5\"} 1\n"), 2, 3, "quantile=\"1.5\" is no quantile");
    bad(&page("a 1\n"), 2, 1, "the label quantile is missing");
    good(&page("a_count -1\n"));
    good(&page("a_count NaN\n"));
}
