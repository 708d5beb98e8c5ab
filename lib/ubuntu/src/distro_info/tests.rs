use proptest::prelude::*;
use tidemark_collect::chain;

use super::*;

/// A file of which each kind of release is there.
const CSV: &str = "\
version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy
6.06 LTS,Dapper Drake,dapper,2005-10-12,2006-06-01,2009-07-14,2011-06-01
14.04 LTS,Trusty Tahr,trusty,2013-10-17,2014-04-17,2019-04-25,2019-04-25,2024-04-25,2026-04-28
23.10,Mantic Minotaur,mantic,2023-04-20,2023-10-12,2024-07-11
24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2034-04-25,2036-04-29
24.10,Oracular Oriole,oracular,2024-04-25,2024-10-10,2025-07-10
";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn names<'a>(releases: impl Iterator<Item = &'a Release>) -> Vec<&'a str> {
    releases.map(Release::series).collect()
}

fn parse(csv: &str) -> DistroInfo {
    DistroInfo::parse(csv).unwrap()
}

/// What is wrong with a file.
fn refused(csv: &str) -> String {
    DistroInfo::parse(csv).unwrap_err().to_string()
}

#[test]
fn a_release_is_supported_from_its_day_to_its_last() {
    let info = parse(CSV);
    for (date, series) in [
        ("2006-05-31", &[][..]),
        ("2006-06-01", &["dapper"]),
        // The desktop's last day, and the day after: the server has two years more.
        ("2009-07-14", &["dapper"]),
        ("2009-07-15", &["dapper"]),
        ("2011-06-01", &["dapper"]),
        ("2011-06-02", &[]),
        ("2019-04-25", &["trusty"]),
        ("2019-04-26", &[]),
        ("2024-02-29", &["mantic"]),
        ("2024-04-24", &["mantic"]),
        ("2024-04-25", &["mantic", "noble"]),
        ("2024-07-11", &["mantic", "noble"]),
        ("2024-07-12", &["noble"]),
    ] {
        assert_eq!(names(info.supported(day(date))), series, "{date}");
    }
}

#[test]
fn extended_maintenance_goes_to_its_last_day() {
    let info = parse(CSV);
    for (date, series) in [
        ("2014-04-16", &[][..]),
        ("2014-04-17", &["trusty"]),
        ("2024-04-24", &["trusty"]),
        ("2024-04-25", &["trusty", "noble"]),
        ("2024-04-26", &["noble"]),
        ("2034-04-25", &["noble"]),
        ("2034-04-26", &[]),
    ] {
        assert_eq!(names(info.esm(day(date))), series, "{date}");
    }
}

#[test]
fn a_release_is_in_development_from_its_first_day_until_its_release() {
    let info = parse(CSV);
    for (date, series) in [
        ("2023-04-19", None),
        ("2023-04-20", Some("mantic")),
        ("2023-10-11", Some("mantic")),
        // Mantic is released and noble begins.
        ("2023-10-12", Some("noble")),
        ("2024-02-29", Some("noble")),
        ("2024-04-24", Some("noble")),
        ("2024-04-25", Some("oracular")),
        ("2024-10-10", None),
    ] {
        assert_eq!(info.development(day(date)).map(Release::series), series, "{date}");
    }
    assert_eq!(info.development_series(day("2024-02-29")).unwrap(), "noble");
    let said = info
        .development_series(day("2026-11-21"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "the list of Ubuntu's releases knows none in the making on 2026-11-21 (its newest is oracular): upgrade the \
         package distro-info-data"
    );
    // Of two the newer.
    let two = parse("series,created,release,eol\nolder,2024-01-01,,\nnewer,2024-02-01,2024-05-01,\n");
    assert_eq!(
        two.development(day("2024-01-31")).map(Release::series),
        Some("older")
    );
    assert_eq!(
        two.development(day("2024-02-01")).map(Release::series),
        Some("newer")
    );
    assert_eq!(
        two.development(day("2024-05-01")).map(Release::series),
        Some("older")
    );
}

#[test]
fn dates_may_be_missing_and_columns_may_be_others() {
    // A file of the time before eol-server, in another order, with a column that nobody knows.
    let info = parse(
        "codename,eol,series,colour,release,created\nX Y,,one,red,2024-01-01,2023-01-01\nZ,2024-12,two,,2024-02-29,\nA,,three\n",
    );
    assert_eq!(info.remarks(), [""; 0]);
    assert_eq!(info.find("one").unwrap().version(), "");
    assert_eq!(info.find("two").unwrap().release(), Some(day("2024-02-29")));
    assert_eq!(info.find("three").unwrap().created(), None);
    assert_eq!(info.find("four"), None);
    // One whose end is not known is not past it; a month is over on its last day.
    assert_eq!(names(info.supported(day("2024-12-31"))), ["one", "two"]);
    assert_eq!(names(info.supported(day("2025-01-01"))), ["one"]);
    assert_eq!(names(info.supported(day("2024-02-28"))), ["one"]);
    assert_eq!(names(info.esm(day("2024-12-31"))), [""; 0]);
    assert_eq!(info.development(day("2023-06-01")).unwrap().series(), "one");
}

#[test]
fn a_month_ends_on_its_last_day() {
    for (text, due) in [
        ("2024-02", "2024-02-29"),
        ("2023-02", "2023-02-28"),
        ("2023-12", "2023-12-31"),
        ("2024-02-29", "2024-02-29"),
    ] {
        assert_eq!(date(text), Ok(Some(day(due))), "{text}");
    }
    for text in [
        "2023-02-29",
        "2024-13",
        "2024",
        "soon",
        "2024-00-01",
        "-",
        "20240229",
        "9999999-01-01",
        "+262142-12",
    ] {
        assert!(date(text).is_err(), "{text}");
    }
}

#[test]
fn a_damaged_row_costs_itself_alone() {
    let csv = "\
version,codename,series,created,release,eol
1,A,one,2023-01-01,2023-06-01,2024-01-01
2,B,Two Words,2023-01-01,2023-06-01,2024-01-01
3,C,three,2023-01-01,June,2024-01-01
4,\"D,four,2023-01-01,2023-06-01,2024-01-01
\n  \n5,E,../etc,2023-01-01,2023-06-01,2024-01-01
6
7,\"F\",\"seven\",\"2023-01-01\", 2023-06-01 ,2024-01-01,
8,G,,2023-01-01,2023-06-01,2024-01-01
9,H,nine,2023-01-01,2023-06-31,2024-01-01\r
10,I,ten,2023-01-01,2023-06-01,2024-01-01,more,and more\r
";
    let info = parse(csv);
    assert_eq!(names(info.releases().iter()), ["one", "four", "seven", "ten"]);
    assert_eq!(
        info.remarks(),
        [
            "the release in line 3 is left out: \"Two Words\" is no series",
            "the release in line 4 is left out: \"June\" is no date",
            "the release in line 8 is left out: \"../etc\" is no series",
            "the release in line 9 is left out: \"\" is no series",
            "the release in line 11 is left out: \"\" is no series",
            "and 1 more",
        ]
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let csv = |rows: usize| format!("series,created,release,eol\n{}", "one,,,\n".repeat(rows));
    assert_eq!(parse(&csv(10_000)).remarks(), [""; 0]);
    let info = parse(&csv(10_001));
    assert_eq!(info.releases().len(), 10_000);
    assert_eq!(info.remarks(), ["what follows its first 10000 rows is left out"]);
    let long = "x".repeat(1_000_000);
    let info = parse(&format!(
        "series,created,release,eol\none,,,\n{long},,,\ntwo,{long},,\n"
    ));
    assert_eq!(info.remarks().len(), 2);
    assert!(
        info.remarks().iter().all(|remark| remark.len() < 120),
        "{:?}",
        info.remarks()
    );
}

#[test]
fn a_file_that_is_no_list_says_what_is_wrong() {
    assert_eq!(refused(""), "it has no column `series`");
    assert_eq!(refused("<html>\n<body>\n"), "it has no column `series`");
    assert_eq!(
        refused("version,series,created,eol\n1,one,2023-01-01,\n"),
        "it has no column `release`"
    );
    assert_eq!(refused("series,created,release,eol\n"), "it has no rows");
    assert_eq!(
        refused("series,created,release,eol\nONE,2023-01-01,,\n"),
        "none of its rows can be read: the release in line 2 is left out: \"ONE\" is no series"
    );
}

#[test]
fn what_is_read_of_the_host_names_the_package() {
    let root = tempfile::tempdir().unwrap();
    let cx = Context::builder().host_root(root.path()).build();
    let read = || DistroInfo::read(&cx, "/ubuntu.csv").map_err(|error| chain(&error));
    let said = read().unwrap_err();
    assert!(
        said.starts_with("cannot read the list of Ubuntu's releases: install the package distro-info-data anew, or name another file in `distro_info`: cannot read ")
            && said.contains("ubuntu.csv: No such file"),
        "{said}"
    );
    let write = |text: &[u8]| std::fs::write(root.path().join("ubuntu.csv"), text).unwrap();
    write(b"");
    assert_eq!(
        read().unwrap_err(),
        "/ubuntu.csv is no list of Ubuntu's releases: install the package distro-info-data anew, or name another file \
         in `distro_info`: it has no column `series`"
    );
    write(b"series\xff");
    assert!(
        read().unwrap_err().contains("is not UTF-8 text"),
        "{}",
        read().unwrap_err()
    );
    write(b"\xef\xbb\xbfseries,created,release,eol\none,2023-01-01,,\nONE,,,\n");
    assert_eq!(names(read().unwrap().releases().iter()), ["one"]);
    assert_eq!(
        cx.take_gaps(),
        [
            "/ubuntu.csv: the release in line 3 is left out: \"ONE\" is no series; install the package distro-info-data \
             anew, or name another file in `distro_info`"
        ]
    );
}

#[test]
fn the_list_of_this_host_is_read_whole() {
    // Of the package distro-info-data, which the tests install.
    let text = std::fs::read_to_string(PATH).unwrap();
    let info = parse(&text);
    assert_eq!(info.remarks(), [""; 0]);
    assert_eq!(info.releases().len(), text.lines().count() - 1);
    assert_eq!(
        names(info.supported(day("2024-02-29"))),
        ["focal", "jammy", "mantic"]
    );
    assert_eq!(
        names(info.esm(day("2024-02-29"))),
        ["trusty", "xenial", "bionic", "focal", "jammy"]
    );
    assert_eq!(info.development_series(day("2024-02-29")).unwrap(), "noble");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9,\"\n\r -]{0,200}") {
        let _ = DistroInfo::parse(&text);
        let _ = DistroInfo::parse(&format!("series,created,release,eol,eol-server,eol-esm\n{text}"));
    }

    #[test]
    fn a_release_is_never_in_development_and_out(created in 0..4000_i32, made in 0..400_i32, lives in 0..4000_i32, at in -10..9000_i32) {
        let date = |days: i32| NaiveDate::from_num_days_from_ce_opt(738_000 + days).unwrap();
        let (release, eol) = (created + made, created + made + lives);
        let info = parse(&format!("series,created,release,eol\none,{},{},{}\n", date(created), date(release), date(eol)));
        let one = info.find("one").unwrap();
        prop_assert_eq!(one.is_development(date(at)), (created..release).contains(&at));
        prop_assert_eq!(one.is_supported(date(at)), (release..=eol).contains(&at));
    }
}
