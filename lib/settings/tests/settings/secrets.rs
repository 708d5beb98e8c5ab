//! Secrets: found where they are, and never printed.

use std::error::Error;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::{CWD, Mode, mkfifoat};
use tidemark_settings::{Secret, SecretError, SecretSource, SinkKind};

use crate::written::Written;

/// What a settings file says about the password of its sink.
fn written(password: &str) -> Written {
    Written::main(sink(password))
}

fn sink(password: &str) -> String {
    format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"https://h\"\ndatabase = \"m\"\nusername = \"u\"\npassword = {password}\n"
    )
}

fn resolve(written: &Written) -> Result<Secret, SecretError> {
    let loaded = written.loaded();
    let SinkKind::Influxdb(influxdb) = &loaded.settings.sinks[0].kind else {
        panic!()
    };
    influxdb
        .password
        .as_ref()
        .unwrap()
        .resolve(written.environment(), &written.places())
}

/// The error as a person reads it, causes included.
fn error(written: &Written) -> String {
    let error = resolve(written).err().unwrap();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    written.short(&text)
}

#[test]
fn a_plain_string() {
    assert_eq!(resolve(&written("\"hünter 2\"")).unwrap().expose(), "hünter 2");
}

#[test]
fn a_variable() {
    let of = |value: &[u8]| {
        let value = std::ffi::OsString::from_vec(value.to_vec());
        written("{ env = \"PASSWORD\" }").variable("PASSWORD", value)
    };
    assert_eq!(resolve(&of(b"hunter2")).unwrap().expose(), "hunter2");
    assert_eq!(
        error(&written("{ env = \"PASSWORD\" }")),
        "the secret $PASSWORD is not set; set this environment variable"
    );
    assert_eq!(
        error(&of(b"")),
        "the secret $PASSWORD is empty; write the secret into it"
    );
    assert_eq!(
        error(&of(b"hunter2\xff")),
        "the secret $PASSWORD is not UTF-8 text; write the secret alone, on one line"
    );
    // Only a file ends with a newline that does not count.
    assert_eq!(
        error(&of(b"hunter2\n")),
        "the secret $PASSWORD holds a control character or a second line; write the secret alone, on one line"
    );
}

#[test]
fn a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let settings = written(&format!("{{ file = {:?} }}", path.display().to_string()));
    let short = |text: String| text.replace(&path.display().to_string(), "P");

    assert_eq!(
        short(error(&settings)),
        "the secret file P does not exist; create it, or name another"
    );
    for (text, secret) in [
        ("hunter2", "hunter2"),
        ("hunter2\n", "hunter2"),
        ("hunter2\r\n", "hunter2"),
        (" hunter2 \n", " hunter2 "),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(resolve(&settings).unwrap().expose(), secret);
    }
    for (text, expected) in [
        (&b""[..], "is empty; write the secret into it"),
        (b"\n", "is empty; write the secret into it"),
        (
            b"hunter2\n\n",
            "holds a control character or a second line; write the secret alone, on one line",
        ),
        (
            b"hunter2\0",
            "holds a control character or a second line; write the secret alone, on one line",
        ),
        (
            b"hunter2\xff",
            "is not UTF-8 text; write the secret alone, on one line",
        ),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(short(error(&settings)), format!("the secret file P {expected}"));
    }
    fs::write(&path, "x".repeat(64 * 1024) + "\n").unwrap();
    assert_eq!(resolve(&settings).unwrap().expose().len(), 64 * 1024);
    fs::write(&path, "x".repeat(64 * 1024 + 2)).unwrap();
    let too_long = "the secret file P is longer than 64 KiB; write the secret alone, on one line";
    assert_eq!(short(error(&settings)), too_long);
    fs::write(&path, "x".repeat(64 * 1024 + 1)).unwrap();
    assert_eq!(short(error(&settings)), too_long);

    fs::remove_file(&path).unwrap();
    mkfifoat(CWD, &path, Mode::RWXU).unwrap();
    assert_eq!(
        short(error(&settings)),
        "the secret file P is not a regular file; name a regular file instead"
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        short(error(&settings)),
        "the secret file P is a directory; name a regular file instead"
    );
}

#[test]
fn a_file_that_everybody_may_read_is_a_notice() {
    let settings = written("{ env = \"X\" }");
    let path = settings.path("password");
    let settings = settings
        .file("password", "hunter2")
        .file("tidemark.toml", sink(&format!("{{ file = {path:?} }}")));
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let open = settings.open_to_others();
    mode(0o640);
    assert_eq!(settings.notices(), "");
    mode(0o644);
    let notice = "F:6:12: [[sink]] takes a secret from a file, and every user of this host may read D/password; run \
                  chmod o= D/password";
    assert_eq!(settings.notices(), if open { notice } else { "" });
}

#[test]
fn a_credential() {
    let settings = written("{ credential = \"influxdb\" }");
    assert_eq!(
        error(&settings),
        "the credential `influxdb` cannot be read, as $CREDENTIALS_DIRECTORY is not set; add LoadCredential=influxdb to \
         the unit, or run as root"
    );
    let settings = settings.file("credentials/influxdb", "hunter2\n");
    let folder = settings.path("credentials");
    let settings = settings.variable("CREDENTIALS_DIRECTORY", folder);
    assert_eq!(resolve(&settings).unwrap().expose(), "hunter2");
    fs::remove_file(settings.path("credentials/influxdb")).unwrap();
    assert_eq!(
        error(&settings),
        "the secret file D/credentials/influxdb does not exist; create it, or name another"
    );
}

#[test]
fn a_file_that_systemd_hands_over() {
    let settings = written("{ env = \"X\" }");
    let path = settings.path("password");
    let source = SecretSource::File(path.clone());
    let held = format!("credentials/{}", source.credential_name().unwrap());
    let settings = settings
        .file("tidemark.toml", sink(&format!("{{ file = {path:?} }}")))
        .file("credentials/other", "");
    let folder = settings.path("credentials");
    let settings = settings.variable("CREDENTIALS_DIRECTORY", folder);
    let missing = "the secret file D/password does not exist; create it, or name another";
    assert_eq!(error(&settings), missing);
    // What stands for a file that systemd could not read.
    let settings = settings.file(&held, "\n");
    assert_eq!(error(&settings), missing);
    let settings = settings.file("password", "of the file\n");
    assert_eq!(resolve(&settings).unwrap().expose(), "of the file");
    let settings = settings.file(&held, "handed over\n");
    assert_eq!(resolve(&settings).unwrap().expose(), "handed over");
    let settings = settings.file(&held, "two\nlines\n");
    assert_eq!(
        error(&settings),
        "the secret file D/password holds a control character or a second line; write the secret alone, on one line"
    );
}

#[test]
fn names_of_credentials_for_files() {
    let name = |path: &str| SecretSource::File(path.into()).credential_name();
    let names: Vec<String> = [
        "/a/b", "/a-b", "/a_b", "/a_2db", "/a.b", "/a b", "/ä", "/a//b", "/a:b%\\",
    ]
    .iter()
    .map(|path| name(path).unwrap())
    .collect();
    assert_eq!(
        names,
        [
            "tidemark.file.a-b",
            "tidemark.file.a_2db",
            "tidemark.file.a_5fb",
            "tidemark.file.a_5f2db",
            "tidemark.file.a.b",
            "tidemark.file.a_20b",
            "tidemark.file._c3_a4",
            "tidemark.file.a--b",
            "tidemark.file.a_3ab_25_5c",
        ]
    );
    assert_eq!(name(&format!("/{}", "a".repeat(241))).unwrap().len(), 255);
    assert_eq!(name(&format!("/{}", "a".repeat(242))), None);
    assert_eq!(
        SecretSource::Credential("x".to_owned())
            .credential_name()
            .as_deref(),
        Some("x")
    );
    assert_eq!(SecretSource::Environment("X".to_owned()).credential_name(), None);
}

#[test]
fn sources_that_are_wrong() {
    const ADVICE: &str = "write { credential = \"NAME\" }, { file = \"PATH\" }, { env = \"NAME\" } or a string in quotes instead";
    let name = "write a name of letters, digits and _ instead";
    for (password, column, expected) in [
        ("5", 12, format!("`password` is an integer, where a secret is needed; {ADVICE}")),
        ("[\"hunter2\"]", 12, format!("`password` is a list, where a secret is needed; {ADVICE}")),
        ("\"\"", 12, format!("`password` is empty; {ADVICE}")),
        ("\"hunter2\\n\"", 12, format!("`password` holds a control character or a second line; {ADVICE}")),
        ("{}", 12, format!("`password` must hold one of `credential`, `file` and `env`; {ADVICE}")),
        (
            "{ env = \"A\", file = \"/a\" }",
            12,
            format!("`password` must hold one of `credential`, `file` and `env`; {ADVICE}"),
        ),
        ("{ credentail = \"a\" }", 14, "`password` has `credentail`; write `credential` instead".to_owned()),
        (
            "{ hunter2 = \"a\" }",
            14,
            format!("`password` has a key that is none of `credential`, `file` and `env`; {ADVICE}"),
        ),
        ("{ env = \"hunter 2\" }", 20, format!("`password` has `env`, which is not the name of an environment variable; {name}")),
        ("{ env = \"2B\" }", 20, format!("`password` has `env`, which is not the name of an environment variable; {name}")),
        ("{ credential = \"../hunter2\" }", 27, format!("`password` has `credential`, which is not the name of a credential; {name}")),
        (
            "{ credential = 5 }",
            27,
            "`password` has `credential`, which is an integer, where a string is needed; write a name in quotes instead"
                .to_owned(),
        ),
        (
            "{ file = \"hunter2\" }",
            21,
            "`password` has `file`, which is not an absolute path; write one that begins with / instead".to_owned(),
        ),
    ] {
        assert_eq!(written(password).report(), format!("F:6:{column}: {expected}"));
    }
}

/// Ways to write a password of which most are wrong.
const PASSWORDS: [&str; 24] = [
    "hunter2",
    "hunter2 hunter2",
    "\"hunter2",
    "'hunter2",
    "\"\"\"hunter2",
    "\"hunter2\" hunter2",
    "\"hun\"hunter2\"",
    "hunter2\"",
    "\"hunter2\\q\"",
    "\"hunter2\\u12\"",
    "\"hunter2\\n\"",
    "\"hunter2\u{1}\"",
    "12hunter2",
    "{ hunter2 }",
    "{ hunter2 = 5 }",
    "{ env = hunter2 }",
    "{ env = \"hunter2 \" }",
    "{ file = \"hunter2\" }",
    "{ credential = \"/hunter2\" }",
    "{ credential = \"hunter's\" }",
    "{ credential = 'hunter\\2' }",
    "[\"hunter2\"]",
    "= hunter2",
    "\"hunter2\"\npassword = \"hunter2\"",
];

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    for password in PASSWORDS {
        for rest in ["", "unknown = 5\n", "[host]\nname = 5\n"] {
            let text = format!(
                "[[sink]]\ntype = \"influxdb\"\nurl = \"https://u:hunter2@h\"\ndatabase = \"m\"\nusername = \"u\"\n\
                 password = {password}\n{rest}"
            );
            let Err(mistakes) = Written::main(text).load() else {
                panic!("{password} was taken")
            };
            let printed = format!("{mistakes}\n{mistakes:?}\n{mistakes:#?}");
            assert!(!printed.contains("hunter"), "{printed}");
        }
    }
}

#[test]
fn nothing_that_was_read_prints_a_secret() {
    let written = written("\"hunter2\"");
    let loaded = written.loaded();
    assert!(!format!("{:?} {:?}", loaded.settings, loaded.notices).contains("hunter"));
    assert_eq!(format!("{:?}", resolve(&written).unwrap()), "Secret(..)");
    let SinkKind::Influxdb(influxdb) = &loaded.settings.sinks[0].kind else {
        panic!()
    };
    assert_eq!(format!("{:?}", influxdb.password), "Some(Plain(Secret(..)))");
    for value in ["hunter2\u{7f}", "hunter2\n"] {
        let variable = Written::main("").variable("PASSWORD", value);
        let source = SecretSource::Environment("PASSWORD".to_owned());
        let error = source
            .resolve(variable.environment(), &variable.places())
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }
}
