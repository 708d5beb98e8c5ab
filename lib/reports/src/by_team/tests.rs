use std::fmt::Write as _;

use proptest::prelude::*;
use tidemark_testkit::ubuntu::{self, Size};
use tidemark_ubuntu::MAX_REMARKS;

use super::*;

/// The teams, a line each, then what is remarked.
fn read(yaml: &str) -> String {
    match parse([yaml]) {
        Ok(by_team) => lines(&by_team),
        Err(error) => format!("error: {}\n", told(&error)),
    }
}

/// An error and its cause.
fn told(error: &ByTeamError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn lines(by_team: &ByTeam) -> String {
    let mut text = String::new();
    for Team { name, count, age } in &by_team.teams {
        let _ = writeln!(text, "{name} {count} {age:?}");
    }
    for gap in &by_team.gaps {
        let _ = writeln!(text, "gap: {gap}");
    }
    for notice in &by_team.notices {
        let _ = writeln!(text, "notice: {notice}");
    }
    text
}

#[test]
fn packages_older_than_three_days_count_and_their_ages_have_a_mean() {
    let yaml = "\
desktop-packages:
- age: 3.0
  source: a
- age: 3.0000001
- age: 10
  source: c
- age: -1
kernel-packages:
- age: 0.5
ubuntu-server: []
null-team: null
tilde: ~
empty:
";
    let expected = "desktop-packages 2 6.50000005\nkernel-packages 0 0.0\nubuntu-server 0 0.0\nnull-team 0 0.0\ntilde 0 0.0\nempty 0 0.0\n";
    assert_eq!(read(yaml), expected);
}

#[test]
fn what_pythons_dumper_writes_is_read() {
    let yaml = "\
debcrafters-packages:
- age: 12.5
  data: !!python/object/apply:collections.defaultdict
    args:
    - &id001 !!python/name:builtins.dict ''
    dictitems:
      excuses:
      - 'Migration status for libimagequant (2.18.0-1build1 to 4.4.1-1): BLOCKED: Rejected/violates
        migration policy/introduces a regression'
      - \"\\u2219 \\u2219 autopkgtest for <a href=\\\"#a\\\">pillow</a>:\\
        \\ amd64: Regression \\u267B \"
      policy_info:
        age:
          age-requirement: 0
          current-age: 700.5
          verdict: PASS
        update-excuse: {'2112233': 1763000000}
      reason:
      - autopkgtest
  kind: package-in-proposed
  package_in_proposed: libimagequant
  regressions: []
- age: 7.5
  data: !!python/object/apply:collections.defaultdict
    args:
    - *id001
    dictitems: {}
  kind: regressing-other
";
    assert_eq!(read(yaml), "debcrafters-packages 2 10.0\n");
}

#[test]
fn yaml_in_all_its_styles_is_read() {
    let yaml = r#"# A comment
%YAML 1.2
---
"quoted\x20team": [{age: 5, note: "a: b, [c]"}, {"age": 7.0}, { 'age' : 9e0 , }]
'it''s': # another
  - {age: 4}
? complex key
: - age: 6
    text: |
      age: 100
      - age: 200
    folded: >-
      age: 300

      and
    plain text: over
      two lines
? [a, list]
: - age: 8
équipe 厨房: [{age: 5}]
nested:
  -
    deep: {age: 900, list: [{age: 901}, [{age: 902}]]}
    age: !!float 4.5
  - !custom {age: 5.5}
...
"#;
    // A comment before a directive, and a key that is a list: the first is no error, the second no team.
    let yaml = yaml.trim_start_matches("# A comment\n");
    let expected = "\
quoted team 3 7.0
it's 1 4.0
complex key 1 6.0
équipe 厨房 1 5.0
nested 2 5.0
gap: a key in line 17 is left out: it is no name of a team
";
    assert_eq!(read(yaml), expected);
}

#[test]
fn aliases_stand_for_what_they_name() {
    let yaml = "\
one: &list
- &package {age: 5, data: &data {age: 7}}
- {data: *data, age: &age 9}
two: *list
three:
- *package
- *data
- {age: *age}
- {<<: *data, source: merged}
- {<<: *data, age: 11}
- {age: 13, <<: *data}
- {? *key : 1, age: 15}
";
    let yaml = yaml.replace("{? *key : 1, age: 15}", "{age: 15}");
    let expected = "one 2 7.0\ntwo 2 7.0\nthree 7 9.571428571428571\n";
    assert_eq!(read(&yaml), expected);
    let yaml = "a: &a\n- &b {age: 5, self: *b}\n- *b\n- *a\nc: &d [*d]\ne: {f: &k age, g: [{*k : 4}]}\n*k : [{*k : 6}]\n";
    let expected = "\
a 2 5.0
c 0 0.0
age 1 6.0
gap: \"a\": the package in line 4 is left out: it has no age
gap: \"c\": the package in line 5 is left out: it has no age
gap: \"e\" is left out: it is a mapping, not a list
";
    assert_eq!(read(yaml), expected);
    assert!(read("a: *b\n").contains("unknown anchor"), "{}", read("a: *b\n"));
}

#[test]
fn a_package_without_an_age_is_a_gap_and_the_rest_counts() {
    let yaml = "\
team:
- age: 5
- source: none
- age: null
- age: old
- age: '9'
- age: ''
- age: [5]
- age: {days: 5}
- age: .inf
- age: 1e300
- null
- glibc
- [age, 5]
- age:
- age: yes
- age: 7
other:
- {}
not-a-list: {age: 5}
text: none
";
    let expected = "\
team 3 7.0
other 0 0.0
gap: \"team\": the package in line 3 is left out: it has no age
gap: \"team\": the package in line 4 is left out: its age is null, not a number
gap: \"team\": the package in line 5 is left out: its age is the text \"old\", not a number
gap: \"team\": the package in line 7 is left out: its age is the text \"\", not a number
gap: \"team\": the package in line 8 is left out: its age is a list, not a number
gap: and 11 more
";
    assert_eq!(read(yaml), expected);
    let yaml = "one: &list\n- {}\n- {age: 4}\ntwo: *list\n";
    let expected = "\
one 1 4.0
two 1 4.0
gap: \"one\": the package in line 2 is left out: it has no age
gap: \"two\": packages without an age are left out, as in the list that it names
";
    assert_eq!(read(yaml), expected);
}

#[test]
fn names_of_teams_are_any_text_that_can_be_a_tag() {
    let long = "ü".repeat(100);
    assert_eq!(read(&format!("{long}: []\n")), format!("{long} 0 0.0\n"));
    let shown = "ü".repeat(60);
    assert_eq!(
        read(&format!("{long}x: []\n'': []\n5: []\n")),
        format!(
            "5 0 0.0\ngap: \"{shown}\"… is left out: a team's name has 1 to 200 bytes\n\
             gap: \"\" is left out: a team's name has 1 to 200 bytes\n"
        )
    );
    let longer = "x".repeat(1000);
    assert!(read(&format!("{longer}: []\n")).starts_with("gap: \"xxxx"));
    let twice = "a: [{age: 4}]\nb: []\na: [{age: 5}, {age: 6}]\n";
    assert_eq!(
        read(twice),
        "a 2 5.5\nb 0 0.0\nnotice: \"a\" is there twice: the last counts\n"
    );
}

#[test]
fn what_is_something_else_fails_as_a_whole() {
    for (yaml, said) in [
        ("- age: 5\n", "it is a list, not a mapping of teams"),
        ("5\n", "it is the number 5, not a mapping of teams"),
        (
            "<!DOCTYPE html>\n<html><body>Log in</body></html>\n",
            "not a mapping of teams",
        ),
        ("<html>\n<p style=\"color: red\">\n", "not a mapping of teams"),
        ("a: []\n---\nb: []\n", "it holds more than one document"),
        ("a: [{age: 5}", "it is no YAML that can be read: "),
        ("a:\n- age: 'x\n", "it is no YAML that can be read: "),
        ("a: \"\\q\"\n", "it is no YAML that can be read: "),
        ("a: []\n  b: []\n", "it is no YAML that can be read: "),
        ("a:\n\t- age: 5\n", "it is no YAML that can be read: "),
    ] {
        let read = read(yaml);
        assert!(read.starts_with("error: ") && read.contains(said), "{yaml}{read}");
    }
    let cut = parse([&b"a:\n- age: 5\n- age: \xff\n"[..]]).unwrap_err();
    assert!(
        told(&cut).contains("not UTF-8 text: the byte at offset 19 cannot be"),
        "{}",
        told(&cut)
    );
    for nothing in ["", "\n", "# nothing\n", "--- \n", "null\n", "{}\n"] {
        assert_eq!(read(nothing), "", "{nothing}");
    }
}

#[test]
fn a_hostile_document_costs_little() {
    // Each list names the one before ten times.
    let mut laughs = "a0: &a0 [{age: 4}]\n".to_owned();
    for level in 1..2000 {
        let names = format!("*a{}, ", level - 1).repeat(10);
        let _ = writeln!(laughs, "a{level}: &a{level} [{names}]");
    }
    assert!(read(&laughs).starts_with("a0 1 4.0\na1 0 0.0\n"));

    for deep in [
        "[".repeat(1_000_000),
        "{a: ".repeat(1_000_000),
        "- ".repeat(1_000_000),
        "? ".repeat(1_000_000),
    ] {
        assert!(read(&format!("a: {deep}")).starts_with("error: it is no YAML"));
        assert!(read(&deep).starts_with("error: it is no YAML"));
    }
    let deep = format!("a: {}{}\nb: [{{age: 4}}]\n", "[".repeat(200), "]".repeat(200));
    assert!(read(&deep).contains("b 1 4.0\n"));

    // A few characters of a text may be read before the one before it counts.
    let text = "x".repeat(MAX_TEXT + 20);
    for long in [
        format!("a: {text}"),
        format!("a: '{text}'"),
        format!("a: |\n  {text}"),
        format!("# {text}\n"),
        format!("&{text} a: b"),
        "\n".repeat(MAX_TEXT + 20),
    ] {
        assert!(
            read(&long).contains("longer than 1048576 characters"),
            "{}",
            read(&long)
        );
    }
    let most = "x".repeat(MAX_TEXT - 100);
    assert_eq!(read(&format!("a: [{{age: 4, data: '{most}'}}]\n")), "a 1 4.0\n");

    let list = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    let anchors = |count| {
        format!(
            "a:\n{}",
            list(count, &|number| format!("- &a{number} {{age: 4}}\n"))
        )
    };
    assert_eq!(read(&anchors(MAX_ANCHORS)), "a 50000 4.0\n");
    assert_eq!(
        read(&anchors(MAX_ANCHORS + 1)),
        "error: it has more than 50000 anchors, the most that are read\n"
    );
    let teams = |count| list(count, &|number| format!("t{number}: []\n"));
    assert_eq!(read(&teams(MAX_TEAMS)).lines().count(), MAX_TEAMS);
    assert_eq!(
        read(&teams(MAX_TEAMS + 1)),
        "error: it has more than 10000 teams, the most that are read\n"
    );
}

#[test]
fn a_document_like_the_real_one_gives_what_is_in_it() {
    let made = ubuntu::update_excuses_by_team(Size::percent(10));
    let by_team = parse(made.text.as_bytes().chunks(16 << 10)).unwrap();
    let told = by_team
        .teams
        .iter()
        .map(|team| (team.name.clone(), team.count, team.age));
    let due = made
        .answer
        .teams
        .into_iter()
        .map(|team| (team.name, team.count, team.age));
    assert!(told.eq(due));
    assert_eq!(by_team.notices, [""; 0]);
    assert_eq!(
        by_team.gaps.len(),
        made.answer.malformed.min(MAX_REMARKS + 1),
        "{:?}",
        by_team.gaps
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"[-\[\]{}:,&*!|>'"%@?#~<. \n\tax05\u{e9}]{0,80}"#) {
        let _ = parse([&text[..]]);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5)) {
        let _ = parse(pieces);
    }

    #[test]
    fn what_is_written_is_counted(teams in prop::collection::btree_map("[a-z][a-z0-9-]{0,8}x", prop::collection::vec((-4.0..40.0_f64, 0..4_u8), 0..8), 0..6), cut in 0_usize..400) {
        // Written by another hand.
        let (mut yaml, mut expected) = (String::new(), String::new());
        for (name, packages) in &teams {
            let _ = writeln!(yaml, "{name}:{}", if packages.is_empty() { " []" } else { "" });
            for (age, style) in packages {
                let _ = match style {
                    0 => writeln!(yaml, "- age: {age:?}\n  data: {{age: 77}}"),
                    1 => writeln!(yaml, "- data:\n  - age: 77\n  age: {age:?}"),
                    2 => writeln!(yaml, "- {{'age': {age:e}, data: [age, 77]}}"),
                    _ => writeln!(yaml, "-\n    \"age\": {age:?} # days\n    data: |\n      age: 77"),
                };
            }
            let old: Vec<f64> = packages.iter().map(|(age, _)| *age).filter(|age| *age > 3.0).collect();
            let count = u32::try_from(old.len()).unwrap();
            let age = if count == 0 { 0.0 } else { old.iter().sum::<f64>() / f64::from(count) };
            let _ = writeln!(expected, "{name} {count} {age:?}");
        }
        let bytes = yaml.as_bytes();
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        prop_assert_eq!(lines(&parse([first, second]).unwrap()), expected);
    }
}
