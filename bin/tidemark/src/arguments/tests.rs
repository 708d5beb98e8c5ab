use super::*;

fn parse(line: &[&str]) -> Result<Request, Failure> {
    super::parse(
        std::iter::once("tidemark")
            .chain(line.iter().copied())
            .map(OsString::from),
    )
}

#[track_caller]
fn done(line: &[&str]) -> Arguments {
    match parse(line) {
        Ok(Request::Do(arguments)) => arguments,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[track_caller]
fn message(line: &[&str]) -> String {
    let failure = parse(line).expect_err("a usage error");
    assert_eq!(failure.code(), 2, "{line:?}");
    let text = failure.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn an_argument_that_is_no_text_is_one_line() {
    use std::os::unix::ffi::OsStringExt as _;
    let line = |words: [&str; 2]| {
        let words = words.map(OsString::from).into_iter();
        let strange = OsString::from_vec(vec![0xff, 0xfe]);
        super::parse(std::iter::once("tidemark".into()).chain(words).chain([strange]))
    };
    for words in [["show", "--since"], ["outbox", "show"], ["status", "-v"]] {
        let failure = line(words).expect_err("a usage error");
        assert_eq!(
            (failure.code(), failure.to_string().lines().count()),
            (2, 1),
            "{words:?}"
        );
    }
    // A file may be called anything.
    assert!(matches!(line(["list", "--config"]), Ok(Request::Do(_))));
}

#[test]
fn the_command_is_sound() {
    command().debug_assert();
}

#[test]
fn subcommands_are_read() {
    let cases: [(&[&str], Subcommand); 24] = [
        (&["up"], Subcommand::Up),
        (&["list"], Subcommand::List),
        (
            &["status"],
            Subcommand::Status {
                json: false,
                check: false,
            },
        ),
        (
            &["status", "--json", "--check"],
            Subcommand::Status {
                json: true,
                check: true,
            },
        ),
        (
            &["show", "host"],
            Subcommand::Show {
                name: "host".into(),
                since: None,
                output: None,
            },
        ),
        (
            &["show", "host", "--since", "1h", "--output", "influx"],
            Subcommand::Show {
                name: "host".into(),
                since: Some(Span::hours(1)),
                output: Some(Format::Influx),
            },
        ),
        (
            &["run", "a", "b", "-n"],
            Subcommand::Run {
                names: vec!["a".into(), "b".into()],
                dry_run: Some(Format::Yaml),
            },
        ),
        (
            &["outbox", "list"],
            Subcommand::Outbox(OutboxAction::List { sink: None }),
        ),
        (
            &["outbox", "show", "7"],
            Subcommand::Outbox(OutboxAction::Show {
                what: Some("7".into()),
            }),
        ),
        (
            &["outbox", "show", "db", "--rejected"],
            Subcommand::Outbox(OutboxAction::Rejected {
                sink: Some("db".into()),
                format: None,
            }),
        ),
        (
            &["outbox", "show", "--rejected", "--sink=db", "--output", "influx"],
            Subcommand::Outbox(OutboxAction::Rejected {
                sink: Some("db".into()),
                format: Some(RejectedFormat::Influx),
            }),
        ),
        (
            &["outbox", "retry", "--from", "-"],
            Subcommand::Outbox(OutboxAction::RetryFrom {
                file: "-".into(),
                sink: None,
            }),
        ),
        (
            &["lint"],
            Subcommand::Lint(LintArguments {
                file: None,
                from: None,
                to: None,
                lenient: false,
                precision: Precision::Nanoseconds,
            }),
        ),
        (
            &[
                "lint",
                "--from=influx",
                "--to=json",
                "--lenient",
                "--precision=ms",
                "page",
            ],
            Subcommand::Lint(LintArguments {
                file: Some("page".into()),
                from: Some(PageFormat::Influx),
                to: Some(ConvertedFormat::Json),
                lenient: true,
                precision: Precision::Milliseconds,
            }),
        ),
        (
            &["units", "print"],
            Subcommand::Units(UnitsAction::Print { to: None }),
        ),
        (
            &["units", "print", "--to=units"],
            Subcommand::Units(UnitsAction::Print {
                to: Some("units".into()),
            }),
        ),
        (
            &["units", "sync", "--wait"],
            Subcommand::Units(UnitsAction::Sync { wait: true }),
        ),
        (
            &["units", "verify", "--json"],
            Subcommand::Units(UnitsAction::Verify { json: true }),
        ),
        (
            &["completions", "fish"],
            Subcommand::Completions(Completions::Fish),
        ),
        (
            &["man", "host"],
            Subcommand::Man {
                name: Some("host".into()),
            },
        ),
        (
            &["outbox", "flush"],
            Subcommand::Outbox(OutboxAction::Flush { due: false }),
        ),
        (
            &["outbox", "flush", "--due"],
            Subcommand::Outbox(OutboxAction::Flush { due: true }),
        ),
        (
            &["outbox", "retry", "db"],
            Subcommand::Outbox(OutboxAction::Retry {
                sink: Some("db".into()),
            }),
        ),
        (
            &["outbox", "drop", "db", "--waiting"],
            Subcommand::Outbox(OutboxAction::Drop {
                sink: Some("db".into()),
                batch: None,
                waiting: true,
            }),
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(done(line).subcommand, expected, "{line:?}");
    }
}

#[test]
fn config_and_verbose_go_before_or_after() {
    for line in [
        &["--config", "x.toml", "-v", "status"][..],
        &["status", "--config", "x.toml", "-v"],
        &["-v", "status", "-c", "x.toml"],
        &["-c", "x.toml", "outbox", "-v", "flush"],
        &["outbox", "flush", "-v", "--config=x.toml"],
    ] {
        let arguments = done(line);
        assert_eq!(arguments.config, Some(PathBuf::from("x.toml")), "{line:?}");
        assert_eq!(arguments.verbose, 1, "{line:?}");
    }
}

#[test]
fn wrong_lines_say_what_to_type() {
    assert!(message(&[]).contains("`tidemark --help`"));
    assert!(message(&["outbox"]).contains("--help"));
    assert!(message(&["statsu"]).contains("'status'"));
    assert!(message(&["show"]).contains("<NAME>"));
    assert!(message(&["run"]).contains("<NAME>..."));
    assert!(message(&["show", "host", "--since", "soon"]).contains("1h or 2d"));
    assert!(message(&["show", "host", "--since", "0"]).contains("holds nothing"));
    assert!(message(&["show", "host", "--output", "xml"]).contains("yaml, influx, openmetrics, json"));
    assert!(message(&["lint", "--from", "xml"]).contains("openmetrics, prometheus, influx"));
    assert!(message(&["lint", "--from=openmetrics", "--precision=s"]).contains("line protocol alone"));
    assert!(message(&["completions"]).contains("<SHELL>"));
    assert!(message(&["new"]).contains("<NAME>"));
    assert!(message(&["units"]).contains("--help"));
    assert!(message(&["units", "print", "--to"]).contains("--to <DIR>"));
}

#[test]
fn a_new_collector_has_a_name_and_perhaps_a_place() {
    let expected = |dir: Option<&str>| Subcommand::New {
        name: "disk-health".to_owned(),
        dir: dir.map(PathBuf::from),
    };
    let read = |line: &[&str]| done(line).subcommand;
    assert_eq!(read(&["new", "disk-health"]), expected(None));
    assert_eq!(
        read(&["new", "--dir", "/src", "disk-health"]),
        expected(Some("/src"))
    );
}

#[test]
fn help_is_printed_for_each() {
    for line in [
        &["--help"][..],
        &["status", "-h"],
        &["outbox", "--help"],
        &["outbox", "drop", "-h"],
    ] {
        let Ok(Request::Print(text)) = parse(line) else {
            panic!("{line:?}")
        };
        assert!(text.contains("Usage: tidemark"), "{text}");
    }
    let Ok(Request::Print(version)) = parse(&["-V"]) else {
        panic!("version")
    };
    assert_eq!(version, concat!("tidemark ", env!("CARGO_PKG_VERSION"), "\n"));
}
