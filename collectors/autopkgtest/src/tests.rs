use std::fmt::Write as _;

use proptest::prelude::*;
use tidemark_ubuntu::Remarks;

use super::*;

mod run;

/// The queues of a document, a line each, then what is remarked.
fn queues(json: &str) -> String {
    let document: Document<Queues> = serde_json::from_str(json).unwrap();
    let mut text = String::new();
    for queue in document.tree.measurements("staging") {
        assert_eq!(queue.instance, "staging");
        let _ = writeln!(
            text,
            "{} {} {} {}",
            queue.context, queue.release, queue.arch, queue.count
        );
    }
    text + &remarks(document.faults, document.notices)
}

/// The running tests of a document, a line for each release and architecture, then what is remarked.
fn running(json: &str) -> String {
    let document: Document<Running> = serde_json::from_str(json).unwrap();
    let mut text = String::new();
    for tests in document.tree.measurements("production") {
        assert_eq!(tests.instance, "production");
        let _ = writeln!(text, "{} {} {}", tests.release, tests.arch, tests.count);
    }
    text + &remarks(document.faults, document.notices)
}

fn remarks(faults: Remarks, notices: Remarks) -> String {
    let mut text = String::new();
    for fault in faults.into_lines() {
        let _ = writeln!(text, "fault: {fault}");
    }
    for notice in notices.into_lines() {
        let _ = writeln!(text, "notice: {notice}");
    }
    text
}

#[test]
fn each_queue_counts_the_empty_ones_too() {
    let json = r#"{
      "ubuntu": {"noble": {"amd64": 12, "arm64": 0}, "jammy": {"amd64": 9223372036854775807}},
      "ppa": {}, "huge": {"noble": {}}
    }"#;
    let expected = "ubuntu noble amd64 12\nubuntu noble arm64 0\nubuntu jammy amd64 9223372036854775807\n";
    assert_eq!(queues(json), expected);
    assert_eq!(queues("{}"), "");
}

#[test]
fn a_test_that_runs_counts_once_for_package_parameters_release_and_architecture() {
    let json = r#"{
      "systemd": {
        "": {"noble": {"amd64": [{}, 5, "log"], "arm64": [{}, 5, "log"]}},
        "all-proposed_1;": {"noble": {"amd64": [{"a": [{"noble": {"amd64": []}}]}, 0, ""]}, "jammy": {"amd64": []}}
      },
      "dbus": {"ppas_['a/b'];": {"noble": {"amd64": [null, null, null, "more"]}}},
      "idle": {}, "idle2": {"": {}}, "idle3": {"": {"noble": {}}}
    }"#;
    assert_eq!(running(json), "jammy amd64 1\nnoble amd64 3\nnoble arm64 1\n");
    assert_eq!(running("{}"), "");
}

#[test]
fn what_is_wrong_in_a_document_is_named_and_the_rest_counts() {
    let json = r#"{
      "ubuntu": {"noble": {"amd64": null, "arm64": "7", "armhf": -1, "i386": 1.5, "s390x": [1], "riscv64": {"size": 2},
                           "ppc64el": true, "hppa": 3.0, "loong64": 18446744073709551615, "sh4": 3}},
      "ppa": null,
      "huge": {"noble": [], "jammy": 4},
      "upstream": {"noble": {"": 5}}
    }"#;
    let expected = "\
ubuntu noble sh4 3
fault: ubuntu / noble / amd64 is null, not a count
fault: ubuntu / noble / arm64 is the text \"7\", not a count
fault: ubuntu / noble / armhf is -1, not a count
fault: ubuntu / noble / i386 is 1.5, not a count
fault: ubuntu / noble / s390x is a list, not a count
fault: and 8 more
";
    assert_eq!(queues(json), expected);

    let json = r#"{
      "ubuntu": {"noble": {"riscv64": {"size": 2}, "ppc64el": true, "hppa": 3.0, "loong64": 18446744073709551615}},
      "ppa": null
    }"#;
    let expected = "\
fault: ubuntu / noble / riscv64 is an object, not a count
fault: ubuntu / noble / ppc64el is true, not a count
fault: ubuntu / noble / hppa is 3.0, not a count
fault: ubuntu / noble / loong64 is 18446744073709551615, not a count
fault: ppa is null, not an object
";
    assert_eq!(queues(json), expected);

    let json = r#"{
      "a": {"": {"noble": {"amd64": {"0": []}, "arm64": null, "i386": [1]}}},
      "b": {"": {"": {"amd64": []}}},
      "c": "", "d": {"p": [{"noble": {"amd64": []}}]}
    }"#;
    let expected = "\
noble i386 1
fault: a / \"\" / noble / amd64 is an object, not a list
fault: a / \"\" / noble / arm64 is null, not a list
fault: b / \"\" / \"\" / amd64: the release has no name, or one of more than 200 bytes
fault: c is the text \"\", not an object
fault: d / p is a list, not an object
";
    assert_eq!(running(json), expected);
}

#[test]
fn a_name_that_is_there_twice_counts_once() {
    let json = r#"{"ubuntu": {"noble": {"amd64": 1, "amd64": 2}}, "ppa": {"noble": {"amd64": 3}},
                   "ubuntu": {"noble": {"amd64": 4}}}"#;
    let expected = "\
ubuntu noble amd64 1
ppa noble amd64 3
notice: ubuntu / noble / amd64 is there twice: the first counts
notice: ubuntu is there twice: the first counts
";
    assert_eq!(queues(json), expected);
    let json = r#"{"a": {"p": {"noble": {"amd64": []}}, "\u0070": {"noble": {"amd64": []}}}}"#;
    assert_eq!(
        running(json),
        "noble amd64 1\nnotice: a / p is there twice: the first counts\n"
    );
}

#[test]
fn names_are_any_text_and_long_ones_are_shown_cut() {
    assert_eq!(
        queues(r#"{"k\u00fcche": {"\u53a8\u623f": {"\ud83d\ude00": 1}}}"#),
        "küche 厨房 😀 1\n"
    );
    let long = "ü".repeat(100);
    assert_eq!(
        queues(&format!(r#"{{"{long}": {{"noble": {{"amd64": 1}}}}}}"#)),
        format!("{long} noble amd64 1\n")
    );
    let json = format!(r#"{{"{long}": {{"noble": {{"amd64{long}": 1, "i386": null}}}}}}"#);
    let cut = "ü".repeat(60);
    let expected = format!(
        "fault: {cut}… / noble / amd64{}…: the architecture has no name, or one of more than 200 bytes\n\
         fault: {cut}… / noble / i386 is null, not a count\n",
        "ü".repeat(55)
    );
    assert_eq!(queues(&json), expected);
    // Logs hold what workers read, halves of characters too.
    assert_eq!(
        running(r#"{"a": {"": {"noble": {"amd64": [{}, 1, "\ud83d \udc00 \u0000"]}}}}"#),
        "noble amd64 1\n"
    );
}

#[test]
fn what_is_no_object_fails_as_a_whole() {
    for json in ["null", "[]", "3", "-3", "0.5", "\"x\"", "true"] {
        let error = serde_json::from_str::<Document<Running>>(json)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("expected an object with a name for each package"),
            "{error}"
        );
    }
    for json in [
        "",
        "{",
        r#"{"a"}"#,
        r#"{"a": {"b": }}"#,
        "{} {}",
        r#"{"a": NaN}"#,
        r#"{1: {}}"#,
    ] {
        assert!(serde_json::from_str::<Document<Queues>>(json).is_err(), "{json}");
    }
}

#[test]
fn a_flood_of_names_fails_and_is_bounded() {
    let objects = |count: usize, each: &dyn Fn(usize) -> String| {
        let parts: Vec<String> = (0..count).map(each).collect();
        format!("{{{}}}", parts.join(","))
    };
    let packages = |count| objects(count, &|number| format!("\"{number}\":{{}}"));
    assert_eq!(running(&packages(100_000)), "");
    let error = serde_json::from_str::<Document<Running>>(&packages(100_001)).unwrap_err();
    assert!(error.to_string().contains("more than 100000 names"), "{error}");

    let archs = |count, value: &str| objects(count, &|number| format!("\"{number}\":{value}"));
    let tests = |count| format!(r#"{{"a":{{"p":{{"noble":{}}}}}}}"#, archs(count, "[]"));
    assert_eq!(running(&tests(10_000)).lines().count(), 10_000);
    let error = serde_json::from_str::<Document<Running>>(&tests(10_001)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("more than 10000 pairs of release and architecture"),
        "{error}"
    );
    let counts = |count| format!(r#"{{"a":{{"noble":{}}}}}"#, archs(count, "0"));
    assert_eq!(queues(&counts(10_000)).lines().count(), 10_000);
    let error = serde_json::from_str::<Document<Queues>>(&counts(10_001)).unwrap_err();
    assert!(error.to_string().contains("more than 10000 queues"), "{error}");
}

#[test]
fn what_is_skipped_may_be_nested_as_deeply_as_it_is_long() {
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    let json = format!(r#"{{"a": {{"p": {{"noble": {{"amd64": [{open}{close}], "i386": []}}}}}}}}"#);
    assert_eq!(running(&json), "noble amd64 1\nnoble i386 1\n");
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in r#"[{}\[\]":,0-9a-z\\ -]{0,60}"#) {
        let _ = serde_json::from_str::<Document<Queues>>(&text);
        let _ = serde_json::from_str::<Document<Running>>(&text);
    }

    #[test]
    fn every_test_that_is_written_is_counted(
        tests in prop::collection::btree_set(("[a-c]", "[pü\"]", "[n-p]", "[x-z]"), 0..60)
    ) {
        // Written by another hand: a DOM.
        let mut root = serde_json::json!({});
        let mut expected = std::collections::BTreeMap::<(String, String), i64>::new();
        for (package, parameters, release, arch) in tests {
            root[&package][&parameters][&release][&arch] = serde_json::json!([{}, 1, "log"]);
            *expected.entry((release, arch)).or_default() += 1;
        }
        let lines: String = expected
            .iter()
            .map(|((release, arch), count)| format!("{release} {arch} {count}\n"))
            .collect();
        prop_assert_eq!(running(&root.to_string()), lines);
    }
}
