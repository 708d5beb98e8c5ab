//! No secret in any output, file or process list.

use std::fs;
use std::time::Duration;

use tidemark_testkit::{Answer, Certificates, Ended, Request, Run, SinkServer, wait_until};

use crate::scene::{Scene, files};

const PASSWORD: &str = "Tr0ub4dor-and-3";
const USER: &str = "somebody";

/// The password as it may be written somewhere: plain, and as HTTP's basic credentials.
fn forms() -> Vec<Vec<u8>> {
    // base64 of `somebody:Tr0ub4dor-and-3`, without its end.
    let encoded = Run::new("base64")
        .stdin(format!("{USER}:{PASSWORD}"))
        .run()
        .stdout;
    let encoded = encoded.trim().trim_end_matches('=');
    vec![PASSWORD.into(), encoded[12..encoded.len() - 1].into()]
}

#[track_caller]
fn assert_absent(bytes: &[u8], place: &str) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(
            !found,
            "{place} holds the password: {}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[track_caller]
fn assert_silent(ended: &Ended, place: &str) {
    assert!(!ended.stderr.contains("panicked"), "{place}: {}", ended.stderr);
    assert_absent(&ended.stdout_bytes, &format!("standard output of {place}"));
    assert_absent(ended.stderr.as_bytes(), &format!("standard error of {place}"));
}

/// The commands of an operator, and their outputs.
#[track_caller]
fn assert_commands_silent(scene: &Scene) {
    for arguments in [
        "check",
        "-v check --json",
        "status",
        "status --json",
        "-v status",
        "list",
        "outbox list",
        "outbox show",
        "outbox show --rejected",
        "outbox flush",
        "show sponsoring",
    ] {
        assert_silent(&with_secrets(scene.tidemark(arguments)).run(), arguments);
    }
    for (path, content) in files(&scene.home.state()) {
        assert_absent(&content, &path);
    }
}

fn with_secrets(run: Run) -> Run {
    run.env("SINK_PASSWORD", PASSWORD)
}

/// The keys of each type of sink that has a secret, but for its name and address. SECRET is where the secret comes from.
const KINDS: [(&str, &str); 4] = [
    (
        "influxdb",
        "database = \"metrics\"\nusername = \"somebody\"\npassword = SECRET",
    ),
    ("influxdb2", "org = \"o\"\nbucket = \"b\"\ntoken = SECRET"),
    ("remote-write", "username = \"somebody\"\npassword = SECRET"),
    ("remote-write", "bearer_token = SECRET"),
];

fn settings(scene: &Scene, sink: &SinkServer, source: &str) {
    settings_of(KINDS[0], scene, sink, source);
}

fn settings_of((kind, keys): (&str, &str), scene: &Scene, sink: &SinkServer, source: &str) {
    let path = if kind == "remote-write" { "/write" } else { "" };
    let (url, keys) = (sink.url(path), keys.replace("SECRET", source));
    scene.sinks(&format!(
        "[[sink]]\nname = \"played\"\ntype = \"{kind}\"\nurl = \"{url}\"\n{keys}\n"
    ));
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let forms = forms();
    let sink = SinkServer::start();
    let scene = Scene::new();
    for kind in KINDS {
        sink.forget();
        settings_of(kind, &scene, &sink, &format!("\"{PASSWORD}\""));
        scene.collect();
        let header = sink.requests()[0]
            .header("authorization")
            .unwrap_or_default()
            .to_owned();
        let form = &forms[usize::from(kind.1.contains("username"))];
        let form = String::from_utf8(form.clone()).expect("ASCII");
        assert!(header.contains(&form), "the sink was told the secret: {header}");
    }
    let settings = fs::read(scene.home.config()).expect("the settings");
    assert!(settings.windows(PASSWORD.len()).any(|window| window == forms[0]));
}

#[test]
fn from_each_place_where_a_password_may_be_kept() {
    assert_places_silent(KINDS[0]);
    assert_places_silent(KINDS[2]);
}

#[test]
fn from_each_place_where_a_token_may_be_kept() {
    assert_places_silent(KINDS[1]);
    assert_places_silent(KINDS[3]);
}

#[track_caller]
fn assert_places_silent(kind: (&str, &str)) {
    for source in ["plain", "file", "env", "credential"] {
        let sink = SinkServer::start();
        let scene = Scene::new();
        let file = scene.home.file("password", PASSWORD);
        let credentials = scene.home.path().join("credentials");
        fs::create_dir(&credentials).expect("a folder");
        fs::write(credentials.join("influxdb"), PASSWORD).expect("a file");
        let value = match source {
            "plain" => format!("\"{PASSWORD}\""),
            "file" => format!("{{ file = \"{}\" }}", file.display()),
            "env" => "{ env = \"SINK_PASSWORD\" }".to_owned(),
            _ => "{ credential = \"influxdb\" }".to_owned(),
        };
        settings_of(kind, &scene, &sink, &value);
        let run = || {
            with_secrets(scene.sponsoring())
                .env("CREDENTIALS_DIRECTORY", &credentials)
                .arg("-vv")
        };
        for answer in [
            Answer::new(204),
            Answer::new(401),
            Answer::new(500),
            Answer::reset(),
        ] {
            sink.judge(move |_| answer.clone());
            assert_silent(&run().run(), source);
        }
        let told = sink
            .requests()
            .iter()
            .filter(|request| request.header("authorization").is_some())
            .count();
        assert!(told > 0, "{source}: the sink is told the password");
        for arguments in [
            &["-n"][..],
            &["-n", "--output", "influx"],
            &["--describe"],
            &["--every", "never"],
        ] {
            assert_silent(&run().args(arguments).run(), source);
        }
        for (path, content) in files(&scene.home.state()) {
            assert_absent(&content, &path);
        }
    }
}

/// A server that says what it was sent is believed, but not repeated with the password in it.
#[test]
fn in_a_backlog_and_in_what_an_operator_sees() {
    for kind in KINDS {
        let sink = SinkServer::start();
        let scene = Scene::new();
        settings_of(kind, &scene, &sink, "{ env = \"SINK_PASSWORD\" }");
        // What was sent, said back in all its forms.
        let told = |request: &Request| {
            let header = request.header("authorization").unwrap_or_default();
            format!("unable to parse: {header} {PASSWORD}")
        };
        sink.judge(move |request| Answer::new(503).body(told(request)));
        for _ in 0..2 {
            assert_silent(&with_secrets(scene.sponsoring()).arg("-v").run(), "a run");
        }
        assert_commands_silent(&scene);
        sink.judge(move |request| {
            let error =
                serde_json::json!({ "error": told(request), "code": "invalid", "message": told(request) });
            Answer::new(400).body(error.to_string())
        });
        assert_commands_silent(&scene);
    }
}

#[test]
fn in_errors_of_tls_and_of_addresses() {
    let certificates = Certificates::new();
    let sink = SinkServer::https(&certificates.leaf);
    let scene = Scene::new();
    settings(&scene, &sink, &format!("\"{PASSWORD}\""));
    assert_silent(&scene.sponsoring().arg("-vv").run(), "a wrong authority");
    assert_commands_silent(&scene);
    for url in [
        format!("http://{USER}:{PASSWORD}@localhost:1"),
        format!("http://localhost:1/?p={PASSWORD}"),
        format!("http://localhost:1:{PASSWORD}/"),
    ] {
        scene.sinks(&format!(
            "[[sink]]\ntype = \"influxdb\"\nurl = \"{url}\"\ndatabase = \"d\"\n"
        ));
        let ended = scene.sponsoring().run();
        assert_eq!(ended.code, Some(78), "{url}: {ended:?}");
        assert_silent(&ended, &url);
    }
}

#[test]
fn in_mistakes_beside_it() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    for value in [
        format!("\"{PASSWORD}\"\nusername = 5"),
        format!("{{ plain = \"{PASSWORD}\" }}"),
        format!("[\"{PASSWORD}\"]"),
        format!("\"{PASSWORD}\nno end"),
        format!("'{PASSWORD}' x"),
    ] {
        for kind in KINDS {
            settings_of(kind, &scene, &sink, &value);
            for ended in [scene.sponsoring().run(), scene.tidemark("check").run()] {
                assert_ne!(ended.code, Some(0), "{value}: {ended:?}");
                assert_silent(&ended, &value);
            }
        }
    }
}

#[test]
fn in_the_process_list() {
    let sink = SinkServer::start();
    sink.judge(|_| Answer::hang());
    let scene = Scene::new();
    settings(&scene, &sink, &format!("\"{PASSWORD}\""));
    for arguments in ["run sponsoring", "outbox flush"] {
        let before = sink.requests().len();
        let running = scene.tidemark(arguments).start();
        wait_until("the sink is asked", Duration::from_secs(30), || {
            sink.requests().len() > before
        });
        for pid in running.processes() {
            for file in ["cmdline", "environ", "comm"] {
                let content = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                assert!(!content.is_empty(), "{file} of {arguments}");
                assert_absent(&content, &format!("{file} of {arguments}"));
            }
        }
        assert_silent(&running.kill(), arguments);
    }
}

/// A password goes nowhere but to its own sink.
#[test]
fn a_redirect_is_not_told_it() {
    let (sink, elsewhere) = (SinkServer::start(), SinkServer::start());
    let url = elsewhere.url("/write");
    sink.judge(move |_| Answer::new(307).header("Location", &url));
    let scene = Scene::new();
    settings(&scene, &sink, &format!("\"{PASSWORD}\""));
    assert_silent(&scene.collect(), "a run");
    assert!(elsewhere.requests().is_empty());
}
