use std::collections::BTreeSet;

use super::*;
use crate::architectures::{Counts, MAX_ARCHITECTURES, MAX_NAME, fill};

fn counts(counts: &Counts) -> Vec<(&str, i64)> {
    counts
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect()
}

const GENERATED: &str = "# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n";

#[test]
fn a_summary_is_what_is_between_its_heading_and_the_date() {
    let text = format!(
        "* amd64\n 7 nothing\n* summary of sorts\n 9 nothing\n\n* summary\n\n     0 s390x\n 12 amd64\r\n3\tall\n-----\n# Total: 15\n\n{GENERATED} 4 nothing\n"
    );
    let summary = summary::parse(&text).unwrap();
    assert_eq!(counts(&summary.counts), [("all", 3), ("amd64", 12), ("s390x", 0)]);
    assert_eq!(summary.generated.to_rfc3339(), "2026-11-21T02:00:00+00:00");
    assert!(summary.unread.is_empty() && summary.unknown.is_empty());
    // Nothing is wrong with any package: no line.
    let text = format!("* summary\n{GENERATED}");
    assert!(summary::parse(&text).unwrap().counts.is_empty());
    // Of two, the last counts.
    let text = format!("* summary\n1 amd64\n2 amd64\n{GENERATED}");
    assert_eq!(counts(&summary::parse(&text).unwrap().counts), [("amd64", 2)]);
}

#[test]
fn a_report_without_a_summary_is_an_error() {
    for (text, expected) in [
        ("", SummaryError::NoSummary),
        ("<html>maintenance</html>", SummaryError::NoSummary),
        ("* summaryx\n1 amd64\n", SummaryError::NoSummary),
        ("* summary\n1 amd64\n", SummaryError::NotGenerated),
        ("* summary\n1 amd64\n# Gener", SummaryError::NotGenerated),
        (
            "# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n* summary\n1 amd64\n",
            SummaryError::NotGenerated,
        ),
        (
            "* summary\namd64 many\n# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n",
            SummaryError::Nothing("\"amd64 many\"".to_owned()),
        ),
    ] {
        assert_eq!(summary::parse(text), Err(expected), "{text}");
    }
    let cut = "* summary\n1 amd64\n# Generated: Sat, 21 Nov 2026 0";
    assert!(matches!(summary::parse(cut), Err(SummaryError::Date(_))));
}

#[test]
fn a_damaged_line_is_kept_for_the_gap_and_costs_its_architecture_alone() {
    let text = format!(
        "* summary\n12 amd64\nmany arm64\n-4 armhf\n1.5 i386\n99999999999999999999 ppc64el\nriscv64\n3 of s390x\n{GENERATED}"
    );
    let summary = summary::parse(&text).unwrap();
    assert_eq!(counts(&summary.counts), [("amd64", 12)]);
    assert_eq!(summary.unread.len(), 6);
    assert_eq!(summary.unread[0], "\"many arm64\"");
    // Of those, nothing is known: they do not count 0.
    let mut filled = summary.counts.clone();
    let architectures = [
        "amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x", "sparc",
    ];
    fill(&mut filled, &architectures.map(str::to_owned), &summary.unknown);
    assert_eq!(counts(&filled), [("amd64", 12), ("sparc", 0)]);
}

#[test]
fn what_a_report_can_make_us_keep_is_bounded() {
    use std::fmt::Write as _;
    let mut text = String::from("* summary\n");
    for number in 0..10_000 {
        let _ = writeln!(text, "{number} arch{number}\nno number{number}");
    }
    let _ = writeln!(text, "5 {}", "x".repeat(MAX_NAME + 1));
    text.push_str(GENERATED);
    let summary = summary::parse(&text).unwrap();
    assert_eq!(summary.counts.len(), MAX_ARCHITECTURES);
    assert_eq!(summary.unread.len(), summary::MAX_SHOWN);
    assert_eq!(
        summary.unread_more,
        20_001 - MAX_ARCHITECTURES - summary::MAX_SHOWN
    );
    assert!(summary.unknown.len() <= MAX_ARCHITECTURES);

    let mut text = String::from("Generated: Sat Nov 21 02:00:00 GMT 2026\n");
    for number in 0..1000 {
        let _ = writeln!(text, "arch{number}\n====\nhello");
    }
    let mismatches = priority_mismatches::parse(&text).unwrap();
    assert_eq!(mismatches.counts.len(), MAX_ARCHITECTURES);
    assert_eq!(mismatches.left_out, 1000 - MAX_ARCHITECTURES);
}

#[test]
fn packages_count_below_their_architecture_whatever_the_headings_look_like() {
    let text = "\
Priority mismatches
===================

not-of-any
Generated: Sat Nov 21 02:00:00 GMT 2026

amd64
=====

Packages to make important
--------------------------

adduser
g++-15
libstdc++6

Packages that are in no seed, over several lines of which the
last is
one
----
linux-image-7.0.0-1-generic
 indented is no package
tab\tis none

arm64
=====

s390x
=====
Packages
--------
a
b
";
    let mismatches = priority_mismatches::parse(text).unwrap();
    assert_eq!(
        counts(&mismatches.counts),
        [("amd64", 4), ("arm64", 0), ("s390x", 2)]
    );
    assert_eq!(mismatches.generated.to_rfc3339(), "2026-11-21T02:00:00+00:00");
    let windows = text.replace('\n', "\r\n");
    assert_eq!(priority_mismatches::parse(&windows), Ok(mismatches));
}

#[test]
fn an_architecture_that_comes_twice_is_one() {
    let text =
        "amd64\n=====\na\narm64\n=====\nb\namd64\n=====\nc\n\nGenerated: Sat Nov 21 02:00:00 GMT 2026\n";
    let mismatches = priority_mismatches::parse(text).unwrap();
    assert_eq!(counts(&mismatches.counts), [("amd64", 2), ("arm64", 1)]);
}

#[test]
fn a_report_of_priorities_that_is_another_is_an_error_and_one_that_is_cut_says_so() {
    for text in ["", "<html>maintenance</html>\n", "amd64\n=====\na\n"] {
        assert_eq!(
            priority_mismatches::parse(text),
            Err(ReportError::NotGenerated),
            "{text}"
        );
    }
    let whole = "Generated: Sat Nov 21 02:00:00 GMT 2026\namd64\n=====\nadduser\ncron\n";
    let is_cut = |text: &str| priority_mismatches::parse(text).unwrap().is_cut;
    assert!(!is_cut(whole) && is_cut(&whole[..whole.len() - 1]) && is_cut(&whole[..whole.len() - 3]));
    let wrong = "Generated: yesterday\namd64\n=====\na\n";
    assert!(matches!(
        priority_mismatches::parse(wrong),
        Err(ReportError::Date(_))
    ));
}

#[test]
fn architectures_that_are_named_keep_their_count() {
    let mut counts = Counts::from([("amd64".to_owned(), 3)]);
    fill(
        &mut counts,
        &["amd64".to_owned(), "arm64".to_owned()],
        &BTreeSet::new(),
    );
    assert_eq!(counts["amd64"], 3);
    assert_eq!(counts["arm64"], 0);
}

/// The report in pieces of so many bytes.
fn in_pieces(text: &[u8], length: usize) -> Result<summary::Summary, SummaryError> {
    let mut search = Search::default();
    for piece in text.chunks(length) {
        search.look(piece)?;
    }
    search.end()
}

#[test]
fn a_report_may_come_in_pieces_that_end_anywhere() {
    let text =
        format!("* amd64\n  é (é)\n * summary of sorts\n * summary\r\n 1 amd64\n 14 armé\n{GENERATED}");
    let summary = summary::parse(&text).unwrap();
    for length in 1..=text.len() {
        assert_eq!(
            in_pieces(text.as_bytes(), length),
            Ok(summary.clone()),
            "{length}"
        );
    }
    assert_eq!(in_pieces(b"", 1), Err(SummaryError::NoSummary));
    assert_eq!(in_pieces(b"* summary", 4), Err(SummaryError::NotGenerated));
}

#[test]
fn bytes_that_are_no_text_are_named_wherever_they_stand() {
    for before in [
        "",
        "* amd64\nhello",
        "* amd64\n\n* summary\n",
        "* summary\n 1 amd64\n 2 ",
    ] {
        let mut text = before.as_bytes().to_vec();
        text.extend_from_slice(b"\xff\n* summary\n 1 amd64\n");
        text.extend_from_slice(GENERATED.as_bytes());
        for length in 1..=text.len() {
            assert_eq!(
                in_pieces(&text, length),
                Err(SummaryError::NotText(before.len())),
                "{before:?} {length}"
            );
        }
    }
}

#[test]
fn what_stands_before_a_summary_is_forgotten() {
    let mut search = Search::default();
    for line in 0..100_000 {
        search
            .look(format!("  + package{line}: of no account\n* summ").as_bytes())
            .unwrap();
        assert!(search.kept.len() < 100);
    }
}

proptest! {
    #[test]
    fn a_report_in_pieces_is_the_report(
        text in "(\\* summary|\\* sum|# Generated: Sat, 21 Nov 2026 02:00:00 \\+0000|[0-9]{0,4} [a-z0-9]{0,6}| |é|\r?\n){0,30}",
        length in 1_usize..40,
    ) {
        prop_assert_eq!(in_pieces(text.as_bytes(), length), summary::parse(&text));
    }

    #[test]
    fn any_text_is_a_report_or_is_not(
        text in any::<String>(),
        lines in "(\\* summary|# Generated: Sat, 21 Nov 2026 02:00:00 \\+0000|Generated: Sat Nov 21 02:00:00 GMT 2026|[0-9]{0,20} [a-z0-9]{0,6}|====|----|é|\n){0,40}",
    ) {
        for text in [text, lines] {
            if let Ok(summary) = summary::parse(&text) {
                prop_assert!(summary.counts.values().all(|count| *count >= 0));
            }
            if let Ok(mismatches) = priority_mismatches::parse(&text) {
                let all: i64 = mismatches.counts.values().sum();
                prop_assert!(usize::try_from(all).unwrap() <= text.lines().count());
            }
        }
    }

    #[test]
    fn a_summary_is_read_as_it_was_written(
        written in proptest::collection::btree_map("[a-z][a-z0-9]{1,9}", 0_i64.., 1..12),
        seconds in 0_i64..4_102_444_800,
    ) {
        let time = DateTime::from_timestamp(seconds, 0).unwrap();
        let lines: String = written.iter().map(|(name, count)| format!("{count:>6} {name}\n")).collect();
        let text = format!("* long\n  9 lists\n\n* summary\n{lines}\n# Generated: {}\n", time.to_rfc2822());
        let summary = summary::parse(&text).unwrap();
        prop_assert_eq!((summary.counts, summary.generated), (written, time));
    }
}
