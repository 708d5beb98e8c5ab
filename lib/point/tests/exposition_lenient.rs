//! Lenient reading, as scrapers of real pages need it, and points of pages.

use tidemark_point::exposition::{
    Entry, Format, MAX_LABELS, MAX_LINE_BYTES, Reader, TextError, TextErrorKind, points,
};
use tidemark_point::{Timestamp, line};

/// The samples of a page as text, and the first mistake.
fn read(page: &str, format: Format) -> (Vec<String>, Option<TextError>) {
    let mut samples = Vec::new();
    for entry in Reader::new(page.as_bytes(), format).lenient() {
        match entry {
            Ok(Entry::Sample(sample)) => {
                let labels: Vec<String> = sample
                    .labels()
                    .map(|label| format!("{}={}", label.0, label.1))
                    .collect();
                let time = sample
                    .time
                    .map(|time| format!(" @{}", time.nanos()))
                    .unwrap_or_default();
                samples.push(format!(
                    "{}[{}] {}{time}",
                    sample.name(),
                    labels.join("|"),
                    sample.value
                ));
            }
            Ok(_) => {}
            Err(error) => return (samples, Some(error)),
        }
    }
    (samples, None)
}

#[track_caller]
fn same(format: Format, page: &str, samples: &[&str]) {
    let (read, error) = read(page, format);
    assert_eq!(error, None, "{page}");
    assert_eq!(read, samples, "{page}");
}

#[rustfmt::skip]
#[test]
fn real_pages_are_read() {
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let page = |lines: &str| match format {
            Format::Prometheus => lines.into(),
            Format::OpenMetrics => format!("{lines}\n# EOF"),
        };
        // Bare samples, families met again, other labels, the same sample twice.
        same(
            format,
            &page("a 1\nb 2\na{c=\"d\"} 3\n# TYPE a gauge\na 1\na 1\n"),
            &["a[] 1", "b[] 2", "a[c=d] 3", "a[] 1", "a[] 1"],
        );
        // CR LF, blanks, comments, no end to the last line.
        same(
            format,
            &page("# HELP a b\r\n# TYPE a gauge\r\n\r\n# x\r\n\ta{} 1\r\n  a{ b = \"c\" , } \t 2  \r\nb\t3"),
            &["a[] 1", "a[b=c] 2", "b[] 3"],
        );
        same(format, &page("\u{feff}a 1"), &["a[] 1"]);
        // Types of the other format, counters without their suffix, histograms without their end.
        same(
            format,
            &page("# TYPE a counter\na -1\n# TYPE b untyped\nb 1\n# TYPE c unknown\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n"),
            &["a[] -1", "b[] 1", "h_bucket[le=1] 1"],
        );
        // Names in quotes, as Prometheus 3 writes them.
        same(
            format,
            &page("# TYPE \"my.m\" gauge\n{\"my.m\"} 1\n{\"my.m\",\"l.x\"=\"1\"} 2\n{\"a\\\\b\\\"\",c=\"d\"} 3\na{\"l x\"=\"}\"} 4\n{c=\"d\",\"e\"} 5\n"),
            &["my.m[] 1", "my.m[l.x=1] 2", "a\\b\"[c=d] 3", "a[l x=}] 4", "e[c=d] 5"],
        );
        // What the server takes for comments.
        same(format, &page("#TYPE a x y\n#HELP\n# HELP\n#\n#a 1\na 1\n"), &["a[] 1"]);
        // What stands in a label's value means nothing.
        same(
            format,
            &page("a{b=\" # {}, = } 1\",c=\"\\\"\\\\\",d=\"\\n\\x\"} 1\n"),
            &["a[b= # {}, = } 1|c=\"\\|d=\n\\x] 1"],
        );
    }
    same(Format::OpenMetrics, "a 1 5.5\nb 1 2 # {c=\"d\"} 3\n# EOF\n", &["a[] 1 @5500000000", "b[] 1 @2000000000"]);
    same(Format::Prometheus, "a 1 5500\nb 1 -5\n", &["a[] 1 @5500000000", "b[] 1 @-5000000"]);
}

#[rustfmt::skip]
#[test]
fn syntax_still_counts() {
    for (line, column) in [
        ("a", 2), ("a{b=\"c} 1", 5), ("a{b=\"c\"", 8), ("{b=\"c\"} 1", 1), ("{} 1", 1), ("{\"\"} 1", 2), ("a{b=\"c\" d=\"e\"} 1", 9), ("a x", 3),
        ("a 1 x", 5), ("a{b=\"1\",b=\"2\"} 1", 9), ("a{\"b\"=\"1\",b=\"2\"} 1", 11), ("# TYPE a foo", 10), ("{\"a\",\"b\"} 1", 9),
        ("a{\"b\"} 1", 6), ("a 1 2 3", 7), ("a 0x1", 3), ("a-b 1", 2),
    ] {
        let (_, error) = read(&format!("x 1\n{line}\ny 1\n"), Format::Prometheus);
        let error = error.unwrap_or_else(|| panic!("{line}"));
        assert_eq!((error.line, error.column), (2, column), "{line}: {error}");
    }
    assert_eq!(read("a 1\n", Format::OpenMetrics).1.map(|error| error.kind), Some(TextErrorKind::MissingEof));
    assert_eq!(read("# EOF\na 1\n", Format::OpenMetrics).1.map(|error| error.kind), Some(TextErrorKind::AfterEof));
}

#[test]
fn bad_lines_can_be_skipped_and_are_counted() {
    let page = b"a 1\nb{c=\"1} 2\n\xff\nd x\ne 5\n";
    let mut reader = Reader::new(page, Format::Prometheus).lenient().skip_bad_lines();
    let samples: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(samples.len(), 2);
    assert_eq!(reader.bad_lines(), 3);
    assert_eq!(
        reader.first_bad_line().map(ToString::to_string).as_deref(),
        Some(
            "line 2, column 5: the quote that opens here is not closed in its line: write one after the text"
        )
    );
    // Without the option each is an item.
    let items = Reader::new(page, Format::Prometheus).lenient();
    assert_eq!(items.filter(Result::is_err).count(), 3);
}

#[test]
fn lines_and_labels_have_bounds() {
    let labels = |count: usize| {
        let labels: Vec<String> = (0..count).map(|number| format!("l{number}=\"x\"")).collect();
        format!("a{{{}}} 1\n", labels.join(","))
    };
    assert_eq!(read(&labels(MAX_LABELS), Format::Prometheus).0.len(), 1);
    let kind = |page: &str| read(page, Format::Prometheus).1.map(|error| error.kind);
    assert_eq!(kind(&labels(MAX_LABELS + 1)), Some(TextErrorKind::TooManyLabels));
    let long = format!("a{{b=\"{}\"}} 1\nc 1\n", "x".repeat(MAX_LINE_BYTES));
    assert_eq!(kind(&long), Some(TextErrorKind::LineTooLong(long.len() - 5)));
    let skipped = Reader::new(long.as_bytes(), Format::Prometheus)
        .lenient()
        .skip_bad_lines();
    assert_eq!(skipped.count(), 1);
}

#[test]
fn a_sample_is_a_point() {
    let page = b"# TYPE a counter\na{b=\"c d\",e=\"\"} 1.5 1000\nnan NaN\nf -0.0\n";
    let mut read = points(page, Format::Prometheus, Timestamp::EPOCH);
    let made: Result<Vec<_>, _> = read.by_ref().collect();
    let text = line::write(&made.unwrap(), line::Dialect::V1);
    assert_eq!(
        str::from_utf8(&text),
        Ok("a,b=c\\ d value=1.5 1000000000\nf value=-0.0 0\n")
    );
    assert_eq!(read.adjustments().non_finite, 1);
    assert_eq!(read.adjustments().empty_tags, 1);

    let long = format!("a{{b=\"{}\"}} 1\n", "x".repeat(70_000));
    let error = points(long.as_bytes(), Format::Prometheus, Timestamp::EPOCH).next();
    let Some(Err(error)) = error else {
        panic!("a point of 70 KB")
    };
    assert_eq!(
        error.to_string(),
        "line 1, column 1: the sample is no point that can be stored"
    );
    assert!(std::error::Error::source(&error).is_some());
}
