//! Names that mean something to systemd, in all that units are made of: each unit does what was meant, and nothing else.

use std::fmt::Write as _;
use std::path::PathBuf;

use tidemark_systemd::{Collector, Credential, Host, Needs, SinkNeeds, units};
use tidemark_testkit::Systemd;

use super::{install_units, machine};

/// Where an injected line would leave a trace.
const TRACE: &str = "/var/lib/injected";

/// Words that mean something where systemd reads a path, a word or a command.
const ODD: [&str; 20] = [
    "a b",
    " ",
    "%n",
    "%",
    ";",
    "a ; b",
    "#x",
    "$HOME",
    "${HOME} $$",
    "-x",
    "@x",
    "!x",
    "+x",
    ":x",
    "x:y:z",
    "a=b",
    "[Service]",
    "~*?",
    "ä💧\u{a0}\u{2028}x",
    "-/tmp",
];

/// An odd part of paths that are no program's.
const ODDER: [&str; 4] = ["back\\slash", "it's", "\"quoted\" x", "\\x41\\n"];

/// A word of sh.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The longest name that a filesystem takes.
fn long() -> String {
    "y".repeat(255)
}

/// A collector that says its command line, its credentials, what it reads, and where it writes; on a host that has an odd
/// name for everything.
fn odd(machine: &Systemd, number: usize, word: &str, program_word: &str) -> (Collector, Host, Vec<String>) {
    let program = format!("/opt/{program_word}/tidemark-{number}");
    let reads = format!("/srv/{word}/of {number}");
    let writes = format!("/var/spool/{word}/{number}");
    let settings = format!("/home/{word}/{number}.toml");
    let secret = format!("/root/{word}/{number}");
    let credential = format!("{number}%n;$x#[y]=~");
    machine.install(&reads, "read\n", 0o644, "root");
    machine.install(&settings, "set\n", 0o644, "root");
    machine.install(&secret, "secret\n", 0o600, "root");
    let folder = ["sh", "-c", "mkdir -p \"$1\" && chown tidemark \"$1\"", "folder"];
    machine.command(folder).arg(&writes).run().expect_code(0);
    let mut script =
        String::from("#!/bin/sh\nfor word in \"$0\" \"$@\"; do printf 'word: %s\\n' \"$word\"; done\n");
    let _ = writeln!(script, "cat \"$CREDENTIALS_DIRECTORY/\"{}", quote(&credential));
    let _ = writeln!(script, "cat {} {}", quote(&reads), quote(&settings));
    let _ = writeln!(script, "echo written >{}/file && echo written", quote(&writes));
    machine.install(&program, script, 0o755, "root");
    let collector = Collector {
        name: format!("odd{number}"),
        summary: format!("{word}\n[Service]\nExecStartPre=+/bin/touch {TRACE}\r\nUser=root\\\n\\"),
        program: program.clone().into(),
        interval: tidemark_settings::Span::minutes(5),
        deadline: tidemark_settings::Span::minutes(1),
        needs: Needs {
            programs: vec!["cat".to_owned(), word.to_owned()],
            paths: vec![reads.into()],
            ..Needs::default()
        },
    };
    let said = vec![
        format!("word: {program}"),
        "word: --config".to_owned(),
        format!("word: {settings}"),
        "secret".to_owned(),
        "read".to_owned(),
        "set".to_owned(),
        "written".to_owned(),
    ];
    let host = Host {
        settings_file: Some(settings.into()),
        credentials: vec![Credential {
            name: credential,
            file: Some(secret.into()),
        }],
        sinks: SinkNeeds {
            write_paths: vec![PathBuf::from(writes)],
            ..SinkNeeds::default()
        },
        ..Host::new()
    };
    (collector, host, said)
}

/// A path that is made of odd words is the one that the program gets, reads, or writes.
#[test]
fn units_of_odd_names_do_what_was_meant() {
    let machine = machine();
    let long = long();
    let mut words: Vec<(&str, &str)> = ODD.iter().map(|&word| (word, word)).collect();
    words.extend(ODDER.map(|word| (word, "plain")));
    words.push((&long, &long));
    let mut odd_ones = Vec::new();
    let mut all = Vec::new();
    for (number, (word, program)) in words.into_iter().enumerate() {
        let (collector, host, said) = odd(&machine, number, word, program);
        let made = units(&collector, &host).unwrap_or_else(|why| panic!("{word:?}: {why}"));
        odd_ones.push((word, made[0].file_name.clone(), said));
        all.extend(made);
    }
    install_units(&machine, &all);
    let files = odd_ones.iter().map(|(_, service, _)| service);
    let verified = machine
        .command(["systemd-analyze", "verify", "--man=no"])
        .args(files)
        .run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));
    let services: Vec<&str> = odd_ones.iter().map(|(_, service, _)| service.as_str()).collect();
    machine.command(["systemctl", "start"]).args(&services).run();
    for (word, service, expected) in &odd_ones {
        let said: Vec<String> = machine
            .journal(service, &["_TRANSPORT=stdout"])
            .iter()
            .map(|entry| entry.message().to_owned())
            .collect();
        assert_eq!(
            &said,
            expected,
            "{word:?}: {}",
            machine.systemctl(["cat", service])
        );
        assert_eq!(machine.property(service, "Result"), "success", "{word:?}");
        let description = machine.property(service, "Description");
        assert!(
            description.starts_with("tidemark collector odd")
                && (description.contains("ExecStartPre") || description.ends_with('…')),
            "{description:?}"
        );
    }
    machine.run(["test", "-e", TRACE]).expect_code(1);
}
