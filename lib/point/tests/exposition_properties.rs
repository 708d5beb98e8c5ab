//! The readers of the text formats on any bytes, on good pages made bad, and on hostile ones.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use tidemark_point::Timestamp;
use tidemark_point::exposition::{
    Entry, FamilyMistake, Format, MAX_FAMILIES, MAX_MIXED_METRICS, Reader, TextError, TextErrorKind, points,
};

const FORMATS: [Format; 2] = [Format::Prometheus, Format::OpenMetrics];

/// Reads a page in each way, and checks what must hold of any.
fn read_each_way(page: &[u8]) {
    for format in FORMATS {
        for lenient in [false, true] {
            let reader = Reader::new(page, format);
            let reader = if lenient { reader.lenient() } else { reader };
            let mut good = 0;
            let mut bad = 0_u64;
            for entry in reader.clone() {
                match entry {
                    Ok(entry) => {
                        good += 1;
                        walk(&entry);
                    }
                    Err(error) => {
                        bad += 1;
                        check_place(page, &error);
                    }
                }
            }
            let mut skipping = reader.skip_bad_lines();
            assert_eq!(skipping.by_ref().filter(Result::is_ok).count(), good);
            assert_eq!(skipping.bad_lines(), bad);
            assert!(skipping.next().is_none());
        }
        for point in points(page, format, Timestamp::EPOCH).lenient().flatten() {
            assert_eq!(point.fields().count(), 1);
        }
    }
}

/// Looks at all that an entry holds.
fn walk(entry: &Entry<'_>) {
    if let Entry::Sample(sample) = entry {
        assert!(!sample.name().is_empty());
        let exemplar = sample.exemplar.iter().flat_map(|exemplar| exemplar.labels());
        for (name, value) in sample.labels().chain(exemplar) {
            assert!(!name.is_empty() && value.len() < 1 << 20);
        }
    }
}

/// A mistake is where the page has a line and a byte, or just behind it.
fn check_place(page: &[u8], error: &TextError) {
    let lines: Vec<&[u8]> = page.split(|&byte| byte == b'\n').collect();
    let line = lines.get(error.line - 1).copied().unwrap_or_default();
    assert!(error.line <= lines.len().max(1), "{error}");
    assert!(
        (1..=line.len() + 1).contains(&error.column),
        "{error} in {line:?}"
    );
    assert!(!error.to_string().contains('\n'));
}

/// Good pages, whose parts are mixed.
#[rustfmt::skip]
const PAGES: [&[u8]; 4] = [
    include_bytes!("exposition/specification.om"),
    include_bytes!("exposition/documentation.prom"),
    b"# TYPE h histogram\n# HELP h \\n x\nh_bucket{le=\"-1\"} 0\nh_bucket{le=\"+Inf\"} 1 # {t=\"\\\"u\"} 0.5 1.5\n\
      # TYPE s stateset\ns{s=\"a\",b=\"\xc3\xa4\"} 1\n# TYPE i info\ni_info{v=\"1\"} 1 5.5\n# EOF\n",
    b"# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 1\ng_gcount 1\ng_gsum 5\n# TYPE q summary\nq{quantile=\"0.5\"} NaN\n# EOF",
];

/// Pieces that mean something.
#[rustfmt::skip]
const PIECES: [&[u8]; 32] = [
    b"# TYPE a counter\n", b"# TYPE a histogram\n", b"# TYPE a summary\n", b"# TYPE a stateset\n", b"# TYPE b info\n",
    b"# HELP a x\n", b"# UNIT a_s s\n", b"a 1\n", b"a_total 1\n", b"a_total{b=\"c\"} 1 5\n", b"a_bucket{le=\"1\"} 1\n",
    b"a_bucket{le=\"+Inf\"} 1\n", b"a_sum 1\n", b"a_count 1\n", b"a{quantile=\"0.5\"} 1\n", b"a{a=\"x\"} 1\n", b"# EOF\n",
    b"\n", b"\r\n", b"#", b" ", b"{", b"}", b"\"", b"\\", b"=", b",", b"\xff", b"1e99999999999999999999 ", b"-", b"NaN ", b"a_created 1 1\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_without_harm(page in vec(any::<u8>(), 0..200)) {
        read_each_way(&page);
    }

    #[test]
    fn any_pieces_are_read_without_harm(pieces in vec(prop::sample::select(PIECES.to_vec()), 0..40)) {
        read_each_way(&pieces.concat());
    }

    #[test]
    fn a_good_page_made_bad_is_read_without_harm(
        page in prop::sample::select(PAGES.to_vec()),
        cuts in vec((any::<prop::sample::Index>(), 0_usize..4, prop::sample::select(PIECES.to_vec())), 1..4),
    ) {
        let mut page = page.to_vec();
        for (place, removed, piece) in cuts {
            let place = place.index(page.len());
            let end = (place + removed).min(page.len());
            page.splice(place..end, piece.iter().copied());
        }
        read_each_way(&page);
    }

    /// What a strict reader takes, a lenient one reads the same, but for times that cannot be stored.
    #[test]
    fn lenient_takes_what_strict_takes(
        page in prop::sample::select(PAGES.to_vec()),
        pieces in vec(prop::sample::select(PIECES.to_vec()), 0..6),
    ) {
        let page = [&pieces.concat(), page].concat();
        for format in FORMATS {
            let strict: Result<Vec<_>, _> = Reader::new(&page, format).collect();
            let beyond = |entry: &Entry<'_>| matches!(entry, Entry::Sample(sample) if sample.is_time_beyond());
            if let Ok(strict) = strict && !strict.iter().any(beyond) {
                let lenient: Result<Vec<_>, _> = Reader::new(&page, format).lenient().collect();
                // As text, since NaN is not itself.
                prop_assert_eq!(format!("{lenient:?}"), format!("{:?}", Ok::<_, TextError>(strict)));
            }
        }
    }

    /// Any labels come back as they were, when they are written by the book.
    #[test]
    fn labels_come_back(values in vec(any::<String>(), 1..8), blank in any::<bool>()) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(number, value)| format!("l{number}=\"{}\"", escaped(value)))
            .collect();
        let separator = if blank { " , " } else { "," };
        let page = format!("a{{{}}} 1\n# EOF\n", labels.join(separator));
        for format in FORMATS {
            let reader = Reader::new(page.as_bytes(), format);
            let mut reader = if blank { reader.lenient() } else { reader };
            let Some(Ok(Entry::Sample(sample))) = reader.next() else {
                panic!("{page}")
            };
            let read: Vec<String> = sample.labels().map(|label| label.1.into_owned()).collect();
            prop_assert_eq!(&read, &values);
        }
    }

    /// Any number comes back to its last bit.
    #[test]
    fn numbers_come_back(bits in any::<u64>(), whole in any::<i64>()) {
        let value = f64::from_bits(bits);
        let page = format!("a {value:e}\nb {whole}\n# EOF\n").replace("inf", "Inf");
        let read: Vec<f64> = Reader::new(page.as_bytes(), Format::OpenMetrics)
            .filter_map(|entry| match entry.unwrap() {
                Entry::Sample(sample) => Some(sample.value),
                _ => None,
            })
            .collect();
        prop_assert!(read[0].to_bits() == bits || value.is_nan() && read[0].is_nan());
        prop_assert_eq!(read[1], whole as f64);
    }

    /// Any instant comes back to the nanosecond, however its digits are cut and its point is moved.
    #[test]
    fn times_come_back(nanos in (i64::MIN + 2)..i64::MAX, moved in -30_i32..30) {
        let sign = if nanos < 0 { "-" } else { "" };
        let digits = format!("{:020}", nanos.unsigned_abs());
        // The point stands behind the seconds, moved.
        let padded = format!("{}{digits}{}", "0".repeat(40), "0".repeat(40));
        let point = usize::try_from(40 + 11 + moved).unwrap();
        let text = format!("{sign}{}.{}e{}", &padded[..point], &padded[point..], -moved);
        let page = format!("a 1 {text}\n# EOF\n");
        match Reader::new(page.as_bytes(), Format::OpenMetrics).next() {
            Some(Ok(Entry::Sample(sample))) => prop_assert_eq!(sample.time.map(Timestamp::nanos), Some(nanos)),
            other => prop_assert!(false, "{text}: {other:?}"),
        }
    }
}

/// How long it takes to read a page in all ways, at best.
fn duration(page: &[u8]) -> Duration {
    let time = || {
        let begun = Instant::now();
        for format in FORMATS {
            let mut found = Reader::new(page, format).filter(Result::is_err).count();
            found += Reader::new(page, format).lenient().filter(Result::is_err).count();
            std::hint::black_box(found);
        }
        begun.elapsed()
    };
    time().min(time()).min(time())
}

/// Hostile pages of a size.
#[rustfmt::skip]
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |piece: &str| piece.repeat(size / piece.len());
    let numbered = |line: &dyn Fn(usize) -> String| (0..size / 16).map(line).collect::<String>();
    vec![
        ("braces", repeat("{").into()),
        ("quotes", format!("a{{b=\"{}", repeat("\\\"")).into()),
        ("labels", format!("a{{{}}} 1\n", repeat("b=\"c\",")).into()),
        ("bad lines", repeat("a{\n").into()),
        ("bad bytes", [0xff, b'\n'].repeat(size / 2)),
        ("blank lines", repeat("\n").into()),
        ("hashes", repeat("#").into()),
        ("a time", format!("a 1 0.{}e5\n", repeat("0")).into()),
        ("a number", format!("a {}\n", repeat("1")).into()),
        ("families", numbered(&|number| format!("# TYPE a{number} gauge\n")).into()),
        ("metrics", numbered(&|number| format!("a{{b=\"{number}\"}} 1\n")).into()),
        ("series again", repeat("a 1\n").into()),
        ("histograms", format!("# TYPE a histogram\n{}", numbered(&|n| format!("a_bucket{{b=\"{n}\",le=\"1\"}} 1\n"))).into()),
        ("quantiles", format!("# TYPE a summary\n{}", numbered(&|n| format!("a{{quantile=\"0.{n}\"}} 1\n"))).into()),
        // One large family, then many small ones: what was kept for the first must not cost the others.
        (
            "one large",
            format!(
                "# TYPE a stateset\n{}{}",
                numbered(&|n| format!("a{{a=\"{n}\"}} 1\n")),
                numbered(&|n| format!("# TYPE b{n} summary\nb{n}{{quantile=\"0\"}} 1\nb{n}{{\n"))
            )
            .into(),
        ),
    ]
}

#[test]
fn time_is_linear_in_the_page() {
    for ((name, small), (_, large)) in hostile(1 << 13).into_iter().zip(hostile(1 << 17)) {
        let (small, large) = (duration(&small), duration(&large));
        // 16 times the page; a square would be 256 times the time.
        assert!(
            large < small * 64 + Duration::from_millis(50),
            "{name}: {small:?}, then {large:?}"
        );
    }
}

#[test]
fn a_line_without_an_end_is_a_clear_error() {
    let page = [b"a{b=\"".as_slice(), &vec![b'x'; 32 << 20]].concat();
    for format in FORMATS {
        let error = Reader::new(&page, format)
            .find_map(Result::err)
            .map(|error| error.kind);
        assert_eq!(error, Some(TextErrorKind::LineTooLong(page.len())));
    }
}

#[test]
fn mixed_histograms_have_a_bound() {
    let buckets =
        (0..MAX_MIXED_METRICS + 9).map(|number| format!("a_bucket{{b=\"{number}\",le=\"+Inf\"}} 1\n"));
    let page = format!("# TYPE a histogram\n{}", buckets.collect::<String>());
    let mistakes: Vec<_> = Reader::new(page.as_bytes(), Format::Prometheus)
        .filter_map(Result::err)
        .collect();
    assert_eq!(mistakes.len(), 1, "{:?}", &mistakes[..2]);
    assert_eq!(
        mistakes[0].kind,
        TextErrorKind::Family(FamilyMistake::TooManyMetrics)
    );
}

#[test]
fn families_have_a_bound() {
    let page: String = (0..=MAX_FAMILIES + 5)
        .map(|number| format!("a{number} 1\n"))
        .collect();
    let mistakes: Vec<_> = Reader::new(page.as_bytes(), Format::Prometheus)
        .filter_map(Result::err)
        .collect();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].line, MAX_FAMILIES + 1);
    assert_eq!(
        mistakes[0].kind,
        TextErrorKind::Family(FamilyMistake::TooManyFamilies)
    );
    assert_eq!(
        Reader::new(page.as_bytes(), Format::Prometheus).lenient().count(),
        MAX_FAMILIES + 6
    );
}
