//! Names that mean something to systemd, in all that units are made of: each unit does what was meant, and nothing else.

use std::fmt::Write as _;
use std::path::PathBuf;

use tidemark_systemd::{Collector, Credential, Host, Needs, SinkNeeds, units};
use tidemark_testkit::{JournalEntry, SinkServer, Systemd};

use super::{BOUND, add_generator, install_units, machine};

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
        .bound(2 * BOUND)
        .run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));
    let services: Vec<&str> = odd_ones.iter().map(|(_, service, _)| service.as_str()).collect();
    let start = machine.command(["systemctl", "start"]).args(&services);
    start.bound(2 * BOUND).run();
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

/// A program that does nothing, with a description that has these texts.
fn describe(machine: &Systemd, file: &str, name: &str, summary: &str, [program, path]: [&str; 2]) {
    let description = serde_json::json!({
        "name": name, "summary": summary, "version": "0.1.0", "run_interval": "5m", "deadline": "10m", "default": "on",
        "needs": {"network": false, "programs": ["true", program], "paths": [path]},
        "measurements": [], "settings": [],
    });
    let folder = "/usr/lib/tidemark/collectors";
    machine.install(
        format!("{folder}/{file}.json"),
        description.to_string(),
        0o644,
        "root",
    );
    machine.install(format!("{folder}/tidemark-{file}"), "#!/bin/sh\n", 0o755, "root");
}

/// What is generated, by the names of its files.
fn generated(machine: &Systemd) -> Vec<String> {
    let listed = machine
        .run(["ls", "/run/systemd/generator"])
        .expect_code(0)
        .stdout;
    let units = listed.lines().filter(|name| name.starts_with("tidemark-"));
    units.map(str::to_owned).collect()
}

/// Verifies all that is generated, starts the services, and finds no trace of what was injected.
fn nothing_is_injected(machine: &Systemd) {
    let names = generated(machine);
    let files = names.iter().map(|name| format!("/run/systemd/generator/{name}"));
    let verify = ["systemd-analyze", "verify", "--man=no"];
    let verified = machine.command(verify).args(files).run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));
    let services: Vec<&String> = names.iter().filter(|name| name.ends_with(".service")).collect();
    for service in &services {
        for (key, value) in [
            ("User", "tidemark"),
            ("NoNewPrivileges", "yes"),
            ("ExecStartPre", ""),
        ] {
            assert_eq!(machine.property(service, key), value, "{service}: {key}");
        }
    }
    machine.command(["systemctl", "start"]).args(&services).run();
    machine.run(["test", "-e", TRACE]).expect_code(1);
}

/// Hostile names of files, in descriptions and in settings: sound collectors have their units, and these do their work.
#[test]
fn a_host_of_hostile_names_has_sound_units() {
    let machine = machine();
    let server = SinkServer::start();
    add_generator(&machine);
    let inject = format!("x\n[Service]\nExecStartPre=+/bin/touch {TRACE}\n");
    let (long, longest) = ("y".repeat(300), "a".repeat(246));
    let hostile = [
        "a b",
        "a%n",
        "a;b",
        "$a",
        "a\\x41",
        "a\"b",
        "a'b",
        "ä",
        "a\u{2028}b",
        "A",
        "-a",
        "a.b",
        "a@b",
        "a\n[Service]",
        &longest,
    ];
    for name in hostile {
        describe(&machine, name, name, "Of a hostile name.", ["true", "/etc"]);
    }
    // What can be written makes units.
    describe(&machine, "summary", "summary", &inject, ["true", "/etc"]);
    let path = "/etc/%n $x \\";
    describe(&machine, "backslash", "backslash", "100% \\", ["%n", path]);
    let path = format!("/srv/{}", [&*longest; 8].join("/"));
    describe(&machine, "wide", "wide", &long, [&long, &path]);
    // What cannot makes none.
    let path = format!("/srv/{long}");
    describe(
        &machine,
        "wrong-name-in-path",
        "wrong-name-in-path",
        "A path.",
        ["true", &path],
    );
    let path = format!("/srv/{inject}");
    describe(&machine, "wrong-path", "wrong-path", "A path.", ["true", &path]);
    describe(
        &machine,
        "wrong-program",
        "wrong-program",
        "A program.",
        [&path, "/etc"],
    );
    describe(
        &machine,
        "wrong-name",
        "x\nUser=root",
        "A name.",
        ["true", "/etc"],
    );

    let scraped = "/srv/%n; $HOME [x] #ä/it's";
    let secret = "/root/a b%n:;\\x41/secret";
    machine.install(secret, "secret", 0o600, "root");
    let folder = ["sh", "-c", "mkdir -p \"$1\" && chown tidemark \"$1\"", "folder"];
    machine.command(folder).arg(scraped).run().expect_code(0);
    let url = server.url("");
    let settings = format!(
        "[[sink]]\ntype = \"textfile\"\ndirectory = \"{scraped}\"\n\
         [[sink]]\ntype = \"influxdb\"\nurl = \"{url}\"\ndatabase = \"%n;\"\nusername = \"u\"\n\
         password = {{ file = '{secret}' }}\n\
         [[sink]]\ntype = \"influxdb2\"\nurl = \"{url}\"\norg = \"o\"\nbucket = \"b\"\n\
         token = {{ credential = \"%n;$x#[y]=~\" }}\n"
    );
    machine.install("/etc/credstore/%n;$x#[y]=~", "token", 0o600, "root");
    machine.install("/etc/tidemark/tidemark.toml", settings, 0o640, "root:tidemark");
    machine.daemon_reload();
    let both = |name: &str| {
        [
            format!("tidemark-{name}.service"),
            format!("tidemark-{name}.timer"),
        ]
    };
    let sound = ["backslash", "flush", "host", "summary", "wide"];
    assert_eq!(generated(&machine), sound.map(both).concat());
    nothing_is_injected(&machine);
    for name in ["host", "summary", "backslash", "wide"] {
        let service = format!("tidemark-{name}.service");
        let said = machine.journal(&service, &[]);
        let said: Vec<&str> = said.iter().map(JournalEntry::message).collect();
        assert_eq!(machine.property(&service, "Result"), "success", "{said:?}");
    }
    let files = machine.command(["ls"]).arg(scraped).run().expect_code(0).stdout;
    assert!(files.contains("host"), "{files}");
    let requests = server.requests();
    let secrets = requests
        .iter()
        .filter_map(|request| request.header("authorization"));
    let secrets: Vec<&str> = secrets.collect();
    for secret in ["Basic dTpzZWNyZXQ=", "Token token"] {
        assert!(secrets.contains(&secret), "{secrets:?}");
    }

    // Settings that are refused, and a folder that no unit can name: neither costs a collector its timer.
    for settings in [
        format!("[[sink]]\ntype = \"store\"\nname = \"\"\"{inject}\"\"\"\n"),
        format!("[[sink]]\ntype = \"store\"\nname = \"{long}\"\n"),
        format!("[[sink]]\ntype = \"textfile\"\ndirectory = \"\"\"/srv/{inject}\"\"\"\n"),
    ] {
        machine.install("/etc/tidemark/tidemark.toml", settings, 0o640, "root:tidemark");
        machine.daemon_reload();
        assert_eq!(generated(&machine), sound.map(both).concat());
        nothing_is_injected(&machine);
    }
}
