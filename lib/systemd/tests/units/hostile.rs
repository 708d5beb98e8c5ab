//! Whatever names and texts hold: a unit reads back as what was meant, or is not made.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tidemark_settings::Span;
use tidemark_systemd::{Collector, Credential, Host, Needs, SinkNeeds, Unit, UnitError, units};

use crate::cases;
use crate::reader::{self, Entry};

/// Keys that only constant values are written for: a changed set of them is an injected line.
fn keys(unit: &Unit) -> Vec<String> {
    let entries = reader::read(&unit.text).unwrap();
    entries
        .iter()
        .map(|entry| format!("{}/{}", entry.section, entry.key))
        .collect()
}

fn values<'a>(entries: &'a [Entry], key: &str) -> Vec<&'a str> {
    entries
        .iter()
        .filter(|entry| entry.key == key)
        .map(|entry| entry.value.as_str())
        .collect()
}

/// Paths of all that keys of this name say, without the `-` that lets one be missing.
fn paths(entries: &[Entry], key: &str) -> Vec<PathBuf> {
    let words = values(entries, key)
        .into_iter()
        .flat_map(|value| reader::words(value).unwrap());
    words
        .map(|word| PathBuf::from(word.strip_prefix('-').unwrap_or(&word)))
        .collect()
}

#[test]
fn texts_inject_nothing() {
    let plain = units(&cases::sponsoring(), &cases::influxdb()).unwrap();
    for summary in [
        "",
        "a\nExecStart=/bin/sh",
        "a\r\n[Service]\rUser=root",
        "a\0User=root",
        "a\\",
        "a\\\\\\",
        "%n %H %% %",
        "; # $HOME ${HOME} `id` \"'",
        "\u{85}\u{2028}\u{2029}\u{feff}\u{202e}",
        &"x".repeat(2_000_000),
    ] {
        let collector = Collector {
            summary: summary.to_owned(),
            ..cases::sponsoring()
        };
        let made = units(&collector, &cases::influxdb()).unwrap();
        for (unit, plain) in made.iter().zip(&plain) {
            assert_eq!(keys(unit), keys(plain), "{:?}", summary.get(..40));
            assert!(unit.text.len() < plain.text.len() + 1000);
        }
    }
}

#[test]
fn names_that_are_none_make_no_unit() {
    let too_long = "a".repeat(300);
    for name in [
        "", "a b", "a\nb", "a%n", "a;b", "ä", "../a", "a/b", "-a", "A", "a.b", "flush", &too_long,
    ] {
        let collector = Collector {
            name: name.to_owned(),
            ..cases::sponsoring()
        };
        assert!(
            matches!(units(&collector, &Host::new()), Err(UnitError::Name { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn spans_that_nothing_can_wait_for_make_no_unit() {
    for (interval, deadline) in [("0", "5m"), ("5m", "0s")] {
        let collector = Collector {
            interval: interval.parse().unwrap(),
            deadline: deadline.parse().unwrap(),
            ..cases::sponsoring()
        };
        let error = units(&collector, &Host::new()).unwrap_err();
        assert!(
            error.to_string().contains("write a time span above zero"),
            "{error}"
        );
    }
    assert!("infinity".parse::<Span>().is_err());
}

#[test]
fn too_much_makes_no_unit() {
    let many = |count: usize| {
        (0..count)
            .map(|number| PathBuf::from(format!("/a{number}")))
            .collect::<Vec<_>>()
    };
    let mut collector = cases::sponsoring();
    collector.needs.paths = many(256);
    assert!(units(&collector, &Host::new()).is_ok());
    collector.needs.paths = many(257);
    assert!(matches!(
        units(&collector, &Host::new()),
        Err(UnitError::TooMany { .. })
    ));
    let mut host = Host::new();
    host.sinks.groups = vec!["g".to_owned(); 257];
    assert!(matches!(
        units(&cases::sponsoring(), &host),
        Err(UnitError::TooMany { .. })
    ));
}

#[test]
fn messages_are_one_short_line() {
    let collector = Collector {
        program: format!("/a\n{}", "b".repeat(200)).into(),
        ..cases::sponsoring()
    };
    let error = units(&collector, &Host::new()).unwrap_err().to_string();
    assert!(!error.contains('\n') && error.len() < 250, "{error}");
    assert!(
        error.starts_with("the path of the program, \"/a\\nbbb"),
        "{error}"
    );
}

#[test]
fn intervals_of_every_kind_read_back_as_systemd_reads_them() {
    for (interval, timer, service) in [
        ("5m", Some("OnUnitInactiveSec=5m"), "TimeoutStartSec=10min 30s"),
        ("1h 30min", Some("OnUnitInactiveSec=1h 30min"), "Type=oneshot"),
        ("90", Some("OnUnitInactiveSec=1min 30s"), "Type=oneshot"),
        ("2weeks", Some("OnUnitInactiveSec=2w"), "Type=oneshot"),
        ("60s", Some("OnUnitInactiveSec=1m"), "Type=oneshot"),
        (
            "59999ms",
            None,
            "ExecStart=/usr/lib/tidemark/collectors/tidemark-sponsoring \"--every=59s 999ms\"",
        ),
        (
            "1",
            None,
            "ExecStart=/usr/lib/tidemark/collectors/tidemark-sponsoring --every=1s",
        ),
        ("30s", None, "RestartSec=30s"),
        ("1s", None, "RestartSec=5s"),
        ("584541y", Some("OnUnitInactiveSec=584541y"), "Type=oneshot"),
    ] {
        let collector = Collector {
            interval: interval.parse().unwrap(),
            ..cases::sponsoring()
        };
        let made = units(&collector, &Host::new()).unwrap();
        let has = |unit: &Unit, line: &str| unit.text.lines().any(|other| other == line);
        assert!(has(&made[0], service), "{interval}: {}", made[0].text);
        assert_eq!(made.len(), if timer.is_some() { 2 } else { 1 }, "{interval}");
        if let Some(timer) = timer {
            assert!(has(&made[1], timer), "{interval}: {}", made[1].text);
        }
        assert_eq!(
            made.iter().map(|unit| unit.wanted).collect::<Vec<_>>(),
            match timer {
                Some(_) => vec![false, true],
                None => vec![true],
            }
        );
    }
}

/// Letters that mean something to systemd, and others.
fn text(most: usize) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        8 => prop::char::range('a', 'z'),
        6 => prop::sample::select(vec![
            ' ', '\t', '\n', '\r', '\0', '%', '\\', '"', '\'', ';', '#', '$', '{', '}', '=', '[', ']', ':', '-', '+', '!',
            '@', '~', '/', '.', ',', '\u{85}', '\u{a0}', '\u{2028}', '\u{feff}', 'ä', '💧',
        ]),
        1 => any::<char>(),
    ];
    prop::collection::vec(letter, 0..most).prop_map(|letters| letters.into_iter().collect())
}

/// Paths, of which nearly all can be written somehow.
fn path() -> impl Strategy<Value = PathBuf> {
    let start = prop::sample::select(vec![
        "/",
        "/home/",
        "/tmp/",
        "/var/lib/",
        "/srv/",
        "/dev/",
        "/proc/",
        "/proc/1/",
        "/opt/",
    ]);
    let letter = prop_oneof![
        2 => prop::char::range('a', 'z'),
        1 => prop::sample::select(" %\\\";#$(){}=[]:-+!@~/.,\u{a0}\u{2028}ä💧".chars().collect::<Vec<_>>()),
    ];
    let nearly =
        prop::collection::vec(letter, 0..20).prop_map(|letters| letters.into_iter().collect::<String>());
    prop_oneof![
        40 => (start, nearly).prop_map(|(start, rest)| PathBuf::from(format!("{start}{rest}x"))),
        1 => text(20).prop_map(PathBuf::from),
        1 => text(20).prop_map(|text| PathBuf::from(format!("/{text}"))),
    ]
}

fn collector() -> impl Strategy<Value = Collector> {
    let spans = (1_u64..1_000_000_000, 1_u64..1_000_000_000);
    let needs = (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(path(), 0..2),
        prop::collection::vec(path(), 0..3),
    );
    let name = prop_oneof![19 => "[a-z][a-z0-9-]{0,20}", 1 => text(20)];
    (name, text(300), path(), spans, needs).prop_map(
        |(name, summary, program, (interval, deadline), (network, listens, programs, paths))| Collector {
            name,
            summary,
            program,
            interval: Span::millis(interval),
            deadline: Span::millis(deadline),
            needs: Needs {
                network,
                listens,
                programs: programs
                    .iter()
                    .map(|program| program.to_str().unwrap().to_owned())
                    .collect(),
                paths,
            },
        },
    )
}

fn host() -> impl Strategy<Value = Host> {
    let credential = (
        prop_oneof![1 => text(20), 9 => "[!-~&&[^/:\\\\\"']]{1,20}"],
        prop::option::of(path()),
    );
    let credentials = prop::collection::vec(
        credential.prop_map(|(name, file)| Credential { name, file }),
        0..2,
    );
    let sinks = (
        any::<bool>(),
        prop::collection::vec(path(), 0..2),
        prop::collection::vec(path(), 0..2),
    );
    let group = prop_oneof![9 => "[a-z][a-z0-9_-]{0,20}", 1 => text(20)];
    (
        prop::option::of(path()),
        credentials,
        sinks,
        prop::collection::vec(group, 0..2),
    )
        .prop_map(
            |(settings_file, credentials, (network, write_paths, read_paths), groups)| Host {
                settings_file,
                credentials,
                sinks: SinkNeeds {
                    network,
                    write_paths,
                    read_paths,
                    groups,
                },
                ..Host::new()
            },
        )
}

fn straight(path: &Path) -> PathBuf {
    path.components().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn units_read_back_as_meant(collector in collector(), host in host()) {
        let Ok(made) = units(&collector, &host) else {
            return Ok(());
        };
        prop_assert_eq!(&made[0].file_name, &format!("tidemark-{}.service", collector.name));
        let service = reader::read(&made[0].text).map_err(TestCaseError::fail)?;
        let one = |key: &str| {
            let values = values(&service, key);
            assert_eq!(values.len(), 1, "{key}: {}", made[0].text);
            values[0].to_owned()
        };

        // The description is one line of the text's own words.
        let description = reader::without_specifiers(&one("Description")).map_err(TestCaseError::fail)?;
        let words = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
        let meant = words(&format!("tidemark collector {}: {}", collector.name, collector.summary));
        prop_assert!(meant.starts_with(&words(&description)), "{description:?} of {:?}", collector.summary);

        // The command is the program, and what was given to it.
        let mut command = vec![collector.program.to_str().unwrap().to_owned()];
        if collector.interval < Span::minutes(1) || collector.needs.listens {
            command.push(format!("--every={}", collector.interval));
        }
        if let Some(file) = &host.settings_file {
            command.extend(["--config".to_owned(), file.to_str().unwrap().to_owned()]);
        }
        prop_assert_eq!(reader::command(&one("ExecStart")).map_err(TestCaseError::fail)?, command);

        // Credentials are those that were given: a name, and the rest of the line is the path.
        let loaded: Vec<(String, Option<PathBuf>)> = values(&service, "LoadCredential")
            .into_iter()
            .map(|value| {
                let (name, file) = value.split_once(':').map_or((value, None), |(name, file)| (name, Some(file)));
                let plain = |text: &str| reader::without_specifiers(text).unwrap();
                (plain(name), file.map(|file| PathBuf::from(plain(file))))
            })
            .collect();
        let given: Vec<(String, Option<PathBuf>)> = host
            .credentials
            .iter()
            .map(|credential| (credential.name.clone(), credential.file.as_deref().map(straight)))
            .collect();
        prop_assert_eq!(loaded, given);

        // What is opened is what was asked for, and nothing else.
        let mut asked: Vec<PathBuf> = collector.needs.paths.clone();
        asked.extend(host.sinks.read_paths.clone());
        asked.extend(host.settings_file.as_deref().and_then(Path::parent).map(Path::to_owned));
        asked.push(collector.program.clone());
        asked.extend(collector.needs.programs.iter().map(PathBuf::from));
        let asked: Vec<PathBuf> = asked.iter().map(|path| straight(path)).collect();
        let systems = |path: &Path| ["/usr", "/bin", "/sbin", "/lib", "/lib64"].map(Path::new).contains(&path);
        for path in paths(&service, "BindReadOnlyPaths") {
            prop_assert!(systems(&path) || asked.contains(&path), "{path:?} is read");
        }
        let mut written: Vec<PathBuf> = host.sinks.write_paths.iter().map(|path| straight(path)).collect();
        written.push("/var/lib/tidemark".into());
        let mut writable = paths(&service, "ReadWritePaths");
        writable.extend(paths(&service, "BindPaths"));
        written.sort();
        written.dedup();
        writable.sort();
        prop_assert_eq!(&writable, &written);
        for path in paths(&service, "ExecPaths") {
            let given = straight(&collector.program) == path
                || collector.needs.programs.iter().any(|program| straight(Path::new(program)) == path);
            prop_assert!(systems(&path) || given, "{path:?} can be executed");
        }
        prop_assert_eq!(values(&service, "SupplementaryGroups"), host.sinks.groups.iter().map(String::as_str).collect::<Vec<_>>());

        // All other keys have constant values, each once, whatever was given.
        for key in ["User", "Type", "NoNewPrivileges", "ProtectSystem", "PrivateUsers", "StateDirectory"] {
            one(key);
        }
        prop_assert_eq!(one("User"), "tidemark");
        let network = collector.needs.network || collector.needs.listens || host.sinks.network;
        prop_assert_eq!(values(&service, "PrivateNetwork").is_empty(), network);

        if let Some(timer) = made.get(1) {
            let timer = reader::read(&timer.text).map_err(TestCaseError::fail)?;
            let interval: Span = values(&timer, "OnUnitInactiveSec")[0].parse().unwrap();
            prop_assert_eq!(interval, collector.interval);
            prop_assert_eq!(timer.len(), 9);
        }
    }
}

#[test]
fn a_program_that_listens_stays_at_any_interval() {
    for (interval, option, restart) in [
        ("5s", "--every=5s", "RestartSec=5s"),
        ("5m", "--every=5m", "RestartSec=1m"),
        ("1d", "--every=1d", "RestartSec=1m"),
    ] {
        let collector = Collector {
            interval: interval.parse().unwrap(),
            ..cases::onefs()
        };
        let made = units(&collector, &Host::new()).unwrap();
        let [service] = &made[..] else {
            panic!("{interval}: {made:?}");
        };
        assert!(
            service.wanted && service.text.contains(option),
            "{}",
            service.text
        );
        assert!(service.text.contains(restart), "{}", service.text);
    }
}
