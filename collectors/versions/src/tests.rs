use proptest::prelude::*;

use crate::report::{List, MAX_CATEGORIES, MAX_NAME, MAX_REPORTS, Report, counts, names};

mod run;

/// What is said of the lines that are left out.
fn said(list: List) -> String {
    list.left_out.to_string()
}

fn said_of(report: Report) -> String {
    report.left_out.to_string()
}

#[test]
fn a_name_a_line() {
    let list = names("base\n\n  libre office \r\nbase\n\tdesktop?x#y%41 \nmis à jour");
    assert_eq!(
        list.names,
        ["base", "libre office", "desktop?x#y%41", "mis à jour"]
    );
    assert_eq!(said(list), "");
    for text in ["", "\n \r\n"] {
        assert_eq!(names(text), List::default());
    }
}

#[test]
fn a_name_that_leads_elsewhere_is_left_out() {
    for name in [
        "../passwd",
        "/etc/passwd",
        "a/b",
        "a/",
        ".",
        "..",
        "a\tb",
        "a\u{0}b",
        "<html>",
    ] {
        let list = names(&format!("base\n{name}\nlast\n"));
        assert_eq!(list.names, ["base", "last"]);
        assert_eq!(said(list), format!("line 2, {name:?}, is no name of a file"));
    }
    assert_eq!(names("...\n.hidden\n").names, ["...", ".hidden"]);
    let long = "ü".repeat(MAX_NAME / 2);
    assert_eq!(names(&long).names, [&*long]);
    let list = names(&format!("{long}x\n/\n//\nbase\n"));
    assert_eq!(list.names, ["base"]);
    let shown = "ü".repeat(60);
    assert_eq!(
        said(list),
        format!("line 1, \"{shown}\"…, is no name of a file, and 2 more")
    );
}

#[test]
fn a_count_a_line() {
    let report = counts("up-to-date=171\r\n\n outdated = 31 \nnone=0\nmost=9223372036854775807\na b=007");
    let pairs = report
        .counts
        .iter()
        .map(|(category, count)| (category.as_str(), *count));
    assert!(pairs.eq([
        ("up-to-date", 171),
        ("outdated", 31),
        ("none", 0),
        ("most", i64::MAX),
        ("a b", 7),
    ]));
    assert_eq!(said_of(report), "");
    assert_eq!(counts(""), Report::default());
}

#[test]
fn a_line_that_is_no_count_is_left_out_and_the_others_count() {
    for line in [
        "outdated",
        "=3",
        "outdated=",
        "outdated=-1",
        "outdated=+1",
        "outdated=3.0",
        "outdated=1e3",
        "a=b=3",
        "a=3=",
        "outdated=9223372036854775808",
        "outdated=٣",
        "outdated=0x1f",
        "outdated=1 2",
        "<a href=3>",
    ] {
        let report = counts(&format!("x=1\n{line}\ny=2\n"));
        assert_eq!(
            report.counts,
            [("x".to_owned(), 1), ("y".to_owned(), 2)],
            "{line}"
        );
        assert_eq!(
            said_of(report),
            format!("line 2, {line:?}, is not category=COUNT")
        );
    }
    let report = counts("x=1\nx=2\nx=3\n");
    assert_eq!(report.counts, [("x".to_owned(), 1)]);
    assert_eq!(
        said_of(report),
        "line 2, \"x=2\", is of a category that is there already, and 1 more"
    );
    let long = "x".repeat(MAX_NAME);
    assert_eq!(counts(&format!("{long}=1")).counts.len(), 1);
    assert_eq!(counts(&format!("{long}x=1")).counts.len(), 0);
}

#[test]
fn what_is_kept_of_a_flood_is_bounded() {
    let text: String = (0..50_000).map(|number| format!("{number}=1\n")).collect();
    let report = counts(&text);
    assert_eq!(report.counts.len(), MAX_CATEGORIES);
    assert_eq!(
        said_of(report),
        "line 1001, \"1000=1\", is one category more than are read, and 48999 more"
    );
    let list = names(&text);
    assert_eq!(list.names.len(), MAX_REPORTS);
    assert!(said(list).starts_with("line 201, \"200=1\", is one report more than are read"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in r"([a-z./<=0-9]|\n|\r| |\t|é|\x00|日|9223372036854775807){0,80}") {
        for name in names(&text).names {
            prop_assert!(!name.is_empty() && !name.contains('/'));
        }
        for (category, count) in counts(&text).counts {
            prop_assert!(!category.is_empty() && count >= 0);
        }
    }

    #[test]
    fn every_category_is_counted(
        pairs in prop::collection::btree_map("[a-zé+,-]([a-zé+, -]{0,10}[a-zé+,-])?", 0..=i64::MAX, 0..20)
    ) {
        let text: String = pairs.iter().map(|(category, count)| format!("{category}={count}\n")).collect();
        let report = counts(&text);
        prop_assert!(report.left_out.is_empty());
        prop_assert!(report.counts.into_iter().eq(pairs));
    }
}
