//! Mistakes in settings and on the command line: message and exit code.

use tidemark_testkit::{Ended, SinkServer};

use crate::scene::{Scene, playing};

/// A run with these settings ends with 78 before it collects, and tells every one of the words.
#[track_caller]
fn refused(settings: &str, words: &[&str]) -> Ended {
    let scene = Scene::new();
    let url = format!("url = \"{}\"", scene.source.url("/general.json"));
    scene.home.settings(&settings.replace("SOURCE", &url));
    let ended = scene.sponsoring().run();
    assert_eq!(ended.code, Some(78), "{settings}: {}", ended.stderr);
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "{word:?} is not in: {}",
            ended.stderr
        );
    }
    assert_eq!(ended.stdout, "");
    assert!(scene.source.requests().is_empty(), "it ends before it collects");
    ended
}

#[test]
fn each_kind_of_mistake_names_file_and_line() {
    for (settings, words) in [
        (
            "[hosts]\nname = \"x\"\n",
            &["tidemark.toml:1", "hosts", "host"][..],
        ),
        ("[host]\nnmae = \"x\"\n", &["tidemark.toml:2", "nmae", "name"]),
        ("[host]\nname = 5\n", &["tidemark.toml:2", "name", "string"]),
        ("[host\n", &["tidemark.toml:1"]),
        (
            "[host]\nname = \"a\"\nname = \"b\"\n",
            &["tidemark.toml:3", "name"],
        ),
        (
            "[collector.sponsoring]\nurl = \"no address\"\n",
            &["tidemark.toml:2", "url"],
        ),
        (
            "[collector.sponsoring]\nurll = \"http://x/\"\n",
            &["tidemark.toml:2", "urll", "url"],
        ),
        (
            "[collector.sponsoring]\ndeadline = \"soon\"\n",
            &["tidemark.toml:2", "deadline", "time span"],
        ),
        (
            "[collector.sponsoring]\nrun_interval = 0.5\n",
            &["tidemark.toml:2", "run_interval"],
        ),
        (
            "[outbox]\nmax_bytes = \"1 gigantobyte\"\n",
            &["tidemark.toml:2", "max_bytes"],
        ),
        ("[store]\nkeep = \"-1d\"\n", &["tidemark.toml:2", "keep"]),
        (
            "[[sink]]\ntype = \"influx\"\n",
            &["tidemark.toml:2", "influx", "influxdb"],
        ),
        (
            "[[sink]]\ntype = \"influxdb\"\nurl = \"http://h\"\n",
            &["tidemark.toml:1", "database"],
        ),
        (
            "[[sink]]\ntype = \"influxdb\"\nurl = \"ftp://h\"\ndatabase = \"d\"\n",
            &["tidemark.toml:3", "https"],
        ),
        (
            "[[sink]]\ntype = \"influxdb\"\nurl = \"http://h\"\ndatabase = \"d\"\npassword = \"p\"\n",
            &["username"],
        ),
        (
            "[[sink]]\ntype = \"discard\"\n[[sink]]\ntype = \"discard\"\n",
            &["tidemark.toml:4", "discard", "name"],
        ),
        (
            "[[sink]]\ntype = \"discard\"\nurl = \"http://h\"\n",
            &["tidemark.toml:3", "url"],
        ),
        ("[[sink]]\nname = \"x\"\n", &["tidemark.toml:1", "type"]),
    ] {
        let ended = refused(settings, words);
        assert!(!ended.stderr.contains("panicked"), "{settings}: {}", ended.stderr);
    }
}

#[test]
fn all_mistakes_at_once() {
    let ended = refused(
        "[host]\nnmae = \"x\"\n\n[outbox]\nmax_bytes = true\n\n[collector.sponsoring]\nurll = 1\nurl = 5\n",
        &[
            "tidemark.toml:2",
            "tidemark.toml:5",
            "tidemark.toml:8",
            "tidemark.toml:9",
        ],
    );
    assert_eq!(ended.stderr.lines().count(), 4, "one line each: {}", ended.stderr);
}

/// What a person reads who mistakes the sinks that are not InfluxDB 1, all at once.
#[test]
fn mistakes_of_sinks_say_what_to_write_instead() {
    let settings = "\
[[sink]]
type = \"influxdb2\"
url = \"http://h:8086/api/v2/write\"
org = \"\"
bucket = \"b\"

[[sink]]
type = \"remote-write\"
url = \"ftp://h\"
username = \"u\"
bearer_token = \"t\"

[[sink]]
type = \"textfile\"
directory = \"relative\"
database = \"d\"

[[sink]]
type = \"remote_write\"
";
    let expected = [
        "1:1: [[sink]] has no `token`; write token = { credential = \"NAME\" } in it",
        "3:7: `url` ends in /write; write the server's address alone instead",
        "4:7: `org` is empty; write a name on one line instead",
        "9:7: `url` is a URL of another kind than http or https; \
         write a URL like \"https://prometheus.example.com:9090/api/v1/write\" instead",
        "11:16: `bearer_token` stands beside `username`, and a request carries one of them; \
         remove it, or the username and the password",
        "15:13: `directory` is not an absolute path; write one that begins with / instead",
        "16:1: `database` is no key of a sink of type textfile; \
         write one of `name`, `type`, `only`, `except` and `directory` instead",
        "19:8: `type` is `remote_write`, which is no type of sink; write \"remote-write\" instead \
         (there are `influxdb`, `influxdb2`, `remote-write`, `textfile`, `store` and `discard`)",
    ];
    let ended = refused(settings, &[]);
    let told: Vec<&str> = ended
        .stderr
        .lines()
        .filter_map(|line| line.split_once("tidemark.toml:"))
        .map(|(_, told)| told)
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn folders_of_settings_are_read_and_a_key_twice_is_a_mistake() {
    let scene = Scene::new();
    scene.sinks("[[sink]]\ntype = \"discard\"\n");
    let folder = scene.home.path().join("conf.d");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("10-more.toml"), "[host]\nname = \"again\"\n").expect("a file");
    let ended = scene.sponsoring().run().expect_code(78);
    assert!(ended.stderr.contains("conf.d/10-more.toml:2"), "{}", ended.stderr);
    std::fs::write(folder.join("10-more.toml"), "[[sink]]\ntype = \"store\"\n").expect("a file");
    scene.collect();
    assert_eq!(scene.ledger("discard").delivered, 4);
    assert_eq!(scene.ledger("store").delivered, 4);
}

#[test]
fn a_file_that_is_not_there() {
    let scene = Scene::new();
    let ended = scene
        .sponsoring()
        .args(["--config", "/nonexistent/tidemark.toml"])
        .run()
        .expect_code(78);
    assert!(
        ended.stderr.contains("/nonexistent/tidemark.toml"),
        "{}",
        ended.stderr
    );
}

#[test]
fn files_that_are_no_text() {
    let scene = Scene::new();
    let folder = scene.home.path().to_owned();
    let latin = scene.home.file("latin.toml", b"[host]\nname = \"\xfc\"\n");
    let zeros = scene.home.file("zeros.toml", [0; 4096]);
    let huge = scene.home.path().join("huge.toml");
    std::fs::File::create(&huge)
        .and_then(|file| file.set_len(8 << 30))
        .expect("a sparse file");
    for path in [&folder, &latin, &zeros, &huge, &"/dev/zero".into()] {
        let ended = scene.sponsoring().arg("--config").arg(path).run();
        assert_eq!(ended.code, Some(78), "{}: {ended:?}", path.display());
        assert!(
            ended.stderr.contains(&path.display().to_string()),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.len() < 2000, "{}", ended.stderr);
        assert!(
            ended.peak_memory < 64 << 20,
            "{}: {} bytes",
            path.display(),
            ended.peak_memory
        );
    }
    assert!(scene.source.requests().is_empty());
}

/// What prints where nothing can be printed says so; a reader that went away is no failure.
#[test]
fn an_output_that_cannot_be_written() {
    let scene = Scene::new();
    scene.sinks("");
    let program = tidemark_testkit::program("tidemark-sponsoring")
        .display()
        .to_string();
    let shell = |script: &str| {
        let run = tidemark_testkit::Run::new("/bin/bash").args(["-c", script]);
        scene.home.at_home(run).run()
    };
    let full = shell(&format!("{program} --dry-run > /dev/full"));
    assert_eq!(full.code, Some(1), "{full:?}");
    assert!(full.stderr.contains("standard output"), "{}", full.stderr);
    let gone = shell(&format!("set -o pipefail; {program} --dry-run | true"));
    assert_eq!((gone.code, gone.stderr.as_str()), (Some(0), ""), "{gone:?}");
}

#[test]
fn some_but_not_all_of_the_five_variables() {
    let scene = Scene::new();
    scene.sinks("");
    let run = scene
        .sponsoring()
        .env("INFLUXDB_HOSTNAME", "h")
        .env("INFLUXDB_PASSWORD", "hunter2hunter2");
    let ended = run.run().expect_code(78);
    for name in ["INFLUXDB_PORT", "INFLUXDB_USERNAME", "INFLUXDB_DATABASE"] {
        assert!(ended.stderr.contains(name), "{name}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    assert!(scene.source.requests().is_empty());
}

#[test]
fn a_secret_that_does_not_resolve_ends_the_run_before_it_collects() {
    let sink = SinkServer::start();
    for (source, word) in [
        ("{ file = \"/nonexistent/password\" }", "/nonexistent/password"),
        ("{ env = \"NO_SUCH_PASSWORD\" }", "NO_SUCH_PASSWORD"),
        ("{ credential = \"no-such-credential\" }", "no-such-credential"),
    ] {
        let sink = playing("played", &sink);
        refused(
            &format!(
                "[collector.sponsoring]\nSOURCE\n\n{}\nusername = \"u\"\npassword = {source}\n",
                sink.trim_end()
            ),
            &[word],
        );
    }
    assert!(sink.requests().is_empty());
}

#[test]
fn mistakes_of_the_command_line_end_with_2() {
    let scene = Scene::new();
    scene.sinks("[[sink]]\ntype = \"discard\"\n");
    for arguments in [
        &["--output", "json"][..],
        &["--dry-run", "--output", "openmetrics-of-another-world"],
        &["--dri-run"],
        &["--every", "soon"],
        &["more"],
        &["--config"],
    ] {
        let ended = scene.sponsoring().args(arguments).run().expect_code(2);
        assert!(
            !ended.stderr.is_empty() && ended.stdout.is_empty(),
            "{arguments:?}: {ended:?}"
        );
    }
    for arguments in [
        &["no-such-command"][..],
        &["show"],
        &["run"],
        &["status", "--jsom"],
        &["outbox", "empty"],
    ] {
        let ended = scene.home.run("tidemark").args(arguments).run().expect_code(2);
        assert!(
            !ended.stderr.is_empty() && ended.stdout.is_empty(),
            "{arguments:?}: {ended:?}"
        );
    }
    assert!(scene.source.requests().is_empty());
}

#[test]
fn help_version_and_description_need_no_settings() {
    let scene = Scene::new();
    scene.home.settings("this is [no settings");
    for argument in ["--help", "--version", "--describe"] {
        let ended = scene.sponsoring().arg(argument).run().expect_code(0);
        assert!(
            !ended.stdout.is_empty() && ended.stderr.is_empty(),
            "{argument}: {ended:?}"
        );
    }
}
