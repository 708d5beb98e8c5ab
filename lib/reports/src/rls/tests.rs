use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;
use tidemark_testkit::ubuntu::{Size, rls_json};

use super::*;

/// The teams of a report, a line each, then what is left out.
fn read(json: &str) -> String {
    let report = parse(json).unwrap();
    let mut text = String::new();
    for (team, bugs) in report.bugs {
        let _ = writeln!(text, "{team} {bugs}");
    }
    if !report.left_out.is_empty() {
        let _ = writeln!(text, "left out: {}", report.left_out);
    }
    text
}

/// Why a report cannot be read.
fn refused(json: &str) -> String {
    parse(json).unwrap_err().to_string()
}

#[test]
fn a_bug_counts_once_for_each_of_its_teams() {
    let json = r#"{
      "generated": "now", "milestones": {"tasks": {"9": [{"team": ["x"]}]}},
      "tasks": {
        "1": [{"team": ["a", "b"], "title": "t"}, {"title": "t", "team": ["a"]}, {"team": null}],
        "2": [{"team": []}],
        "3": [],
        "4": [{"team": ["b", "b"], "tasks": {"9": [{"team": ["x"]}]}}],
        "5": [{"team": ["\u00e9quipe", "b"]}]
      },
      "last": [[], {}, null]
    }"#;
    assert_eq!(read(json), "a 1\nb 3\néquipe 1\n");
    assert_eq!(read(r#"{"tasks": {}}"#), "");
}

#[test]
fn what_is_of_another_shape_is_left_out_and_the_rest_counts() {
    let bug = |tasks: &str| {
        read(&format!(
            r#"{{"tasks": {{"1": [{{"team": ["a"]}}], "2": {tasks}, "3": [{{"team": ["a"]}}]}}}}"#
        ))
    };
    for (tasks, why) in [
        ("null", "bug \"2\" is null, not a list of tasks"),
        ("7", "bug \"2\" is 7, not a list of tasks"),
        ("\"x\"", "bug \"2\" is the text \"x\", not a list of tasks"),
        (
            "{\"team\": [\"a\"]}",
            "bug \"2\" is an object, not a list of tasks",
        ),
        ("[null]", "a task of bug \"2\" is null, not an object"),
        (
            "[[{\"team\": [\"a\"]}]]",
            "a task of bug \"2\" is a list, not an object",
        ),
        ("[\"a\"]", "a task of bug \"2\" is the text \"a\", not an object"),
        ("[-1]", "a task of bug \"2\" is -1, not an object"),
        ("[{}]", "a task of bug \"2\" has no `team`"),
        (
            "[{\"teams\": [\"a\"], \"Team\": [\"a\"]}]",
            "a task of bug \"2\" has no `team`",
        ),
        (
            "[{\"team\": \"a\"}]",
            "the `team` of a task of bug \"2\" is the text \"a\", not a list or null",
        ),
        (
            "[{\"team\": {\"a\": 1}}]",
            "the `team` of a task of bug \"2\" is an object, not a list or null",
        ),
        (
            "[{\"team\": true}]",
            "the `team` of a task of bug \"2\" is true, not a list or null",
        ),
        ("[{\"team\": [null]}]", "a team of bug \"2\" is null, not a name"),
        ("[{\"team\": [1.5]}]", "a team of bug \"2\" is 1.5, not a name"),
        (
            "[{\"team\": [[\"a\"]]}]",
            "a team of bug \"2\" is a list, not a name",
        ),
        (
            "[{\"team\": [{\"name\": \"a\"}]}]",
            "a team of bug \"2\" is an object, not a name",
        ),
        (
            "[{\"team\": [\"\"]}]",
            "bug \"2\" has a team without a name, or with one of more than 200 bytes",
        ),
    ] {
        assert_eq!(bug(tasks), format!("a 2\nleft out: {why}\n"));
    }
    // What is wrong in a bug costs it nothing else.
    assert_eq!(
        bug(r#"[null, {"team": [3, "a", "b"]}, {"team": 4}, {"team": ["b"], "team": ["c"]}]"#),
        "a 3\nb 1\nleft out: a task of bug \"2\" is null, not an object, and 2 more\n"
    );
    let long = "x".repeat(200);
    assert_eq!(
        bug(&format!("[{{\"team\": [\"{long}\"]}}]")),
        format!("a 2\n{long} 1\n")
    );
    assert!(
        bug(&format!("[{{\"team\": [\"{long}x\"]}}]")).starts_with("a 2\nleft out: bug \"2\" has a team")
    );
}

#[test]
fn a_bug_that_is_there_twice_counts_once() {
    let json = r#"{"tasks": {"1": [{"team": ["a"]}], "\u0031": [{"team": ["a", "b"]}]}, "tasks": {"2": [{"team": ["c"]}]}}"#;
    assert_eq!(
        read(json),
        "a 1\nleft out: bug \"1\" is there twice: the first counts\n"
    );
}

#[test]
fn what_is_no_report_fails_as_a_whole() {
    for json in ["null", "[]", "3", "\"x\"", "true"] {
        assert!(
            refused(json).contains("expected an object with `tasks`"),
            "{json}"
        );
    }
    assert!(refused("{}").contains("missing field `tasks`"));
    assert!(refused(r#"{"task": {}}"#).contains("missing field `tasks`"));
    for json in [r#"{"tasks": null}"#, r#"{"tasks": []}"#, r#"{"tasks": "x"}"#] {
        assert!(
            refused(json).contains("expected an object with the tasks of each bug"),
            "{json}"
        );
    }
    for json in [
        "",
        "{",
        r#"{"tasks": {"1": [{"team": ["a"]}]"#,
        "{\"tasks\": {}} x",
        r#"{"tasks": {1: []}}"#,
    ] {
        refused(json);
    }
}

#[test]
fn a_flood_fails_and_is_bounded() {
    let bugs = |count: usize, tasks: &dyn Fn(usize) -> String| {
        let bugs: Vec<String> = (0..count)
            .map(|number| format!("\"{number}\":{}", tasks(number)))
            .collect();
        format!("{{\"tasks\":{{{}}}}}", bugs.join(","))
    };
    assert_eq!(read(&bugs(MAX_BUGS, &|_| "[]".into())), "");
    assert!(refused(&bugs(MAX_BUGS + 1, &|_| "[]".into())).contains("more than 100000 bugs"));
    let team = |number: usize| format!("[{{\"team\":[\"{number}\"]}}]");
    assert_eq!(read(&bugs(MAX_TEAMS, &team)).lines().count(), MAX_TEAMS);
    assert!(refused(&bugs(MAX_TEAMS + 1, &team)).contains("more than 1000 teams"));
    let teams = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("\"{number}\"")).collect();
        format!("{{\"tasks\":{{\"1\":[{{\"team\":[{}]}}]}}}}", names.join(","))
    };
    assert_eq!(read(&teams(MAX_TEAMS)).lines().count(), MAX_TEAMS);
    assert!(refused(&teams(MAX_TEAMS + 1)).contains("more than 1000 teams"));
}

#[test]
fn what_is_skipped_may_be_nested_as_deeply_as_it_is_long() {
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    let json =
        format!(r#"{{"x": {open}{close}, "tasks": {{"1": [{{"y": {open}{close}, "team": ["a"]}}]}}}}"#);
    assert_eq!(read(&json), "a 1\n");
}

#[test]
fn a_report_of_real_size_is_counted() {
    let made = rls_json(Size::REAL);
    assert!(made.text.len() > 1 << 20);
    let report = parse(&made.text).unwrap();
    assert_eq!(
        (report.bugs, report.left_out.to_string()),
        (made.answer.bugs, String::new())
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in r#"(\{|\}|\[|\]|"|:|,|"tasks":|"team":|"1":|null|[0-9a-z]| |\\|é){0,60}"#) {
        let _ = parse(&text);
        let _ = parse(&format!("{{\"tasks\": {{\"1\": {text}}}}}"));
    }

    #[test]
    fn every_bug_of_a_team_is_counted(
        bugs in prop::collection::btree_map(
            "[1-9]{1,4}",
            prop::collection::vec(prop::option::of(prop::collection::vec("[a-dé\"]{1,2}", 0..4)), 0..4),
            0..20,
        )
    ) {
        let mut expected = std::collections::BTreeMap::<String, i64>::new();
        for teams in bugs.values() {
            let teams: std::collections::BTreeSet<_> = teams.iter().flatten().flatten().collect();
            teams.into_iter().for_each(|team| *expected.entry(team.clone()).or_default() += 1);
        }
        // Written by another hand: a DOM.
        let tasks: serde_json::Map<String, serde_json::Value> = bugs
            .iter()
            .map(|(bug, tasks)| {
                let tasks = tasks.iter().map(|team| json!({"package": "x", "team": team, "title": "é\n"}));
                (bug.clone(), tasks.collect())
            })
            .collect();
        let report = parse(&json!({"a": 1, "tasks": tasks}).to_string()).unwrap();
        prop_assert!(report.left_out.is_empty());
        prop_assert_eq!(report.bugs, expected);
    }
}
