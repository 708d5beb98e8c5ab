//! The real program, over HTTPS: each document failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fmt::Write as _;
use std::path::Path;

use tidemark_testkit::{Answer, Certificates, Ended, Home, Matrix, Part, Route, Source, without_times};

const PATHS: [&str; 2] = ["/queue_size.json", "/static/running.json"];
const INSTANCES: [&str; 2] = ["production", "staging"];
const KEYS: [&str; 4] = [
    "production_queue_size",
    "production_running",
    "staging_queue_size",
    "staging_running",
];
const NAMES: [&str; 4] = [
    "production's queues",
    "production's running tests",
    "staging's queues",
    "staging's running tests",
];

/// Both instances over HTTPS with the recorded documents, and a home for the program.
struct Scene {
    certificates: Certificates,
    instances: [Source; 2],
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let certificates = Certificates::new();
        let instances = INSTANCES.map(|_| Source::https(&certificates.leaf));
        let scene = Self {
            certificates,
            instances,
            home: Home::new(),
        };
        for document in 0..4 {
            scene.answers(document, Answer::ok(fixture(document)).gzip());
        }
        scene.settings(&[0, 1, 2, 3].map(|document| scene.url(document)));
        scene
    }

    fn url(&self, document: usize) -> String {
        self.instances[document / 2].url(PATHS[document % 2])
    }

    fn answers(&self, document: usize, answer: Answer) {
        self.instances[document / 2].route(PATHS[document % 2], answer);
    }

    fn settings(&self, urls: &[String; 4]) {
        self.home.settings(&settings(urls));
    }

    fn dry_run(&self) -> Ended {
        let run = self.home.run("tidemark-autopkgtest");
        run.args(["--dry-run", "--output", "influx"])
            .env("SSL_CERT_FILE", self.certificates.authority())
            .run()
    }
}

/// The collector's section with these addresses.
fn settings(urls: &[String; 4]) -> String {
    let mut text = String::from("[collector.autopkgtest]\n");
    for (key, url) in KEYS.iter().zip(urls) {
        let _ = writeln!(text, "{key} = \"{url}\"");
    }
    text
}

fn fixture(document: usize) -> String {
    let name = format!(
        "fixtures/{}-{}",
        INSTANCES[document / 2],
        &PATHS[document % 2].rsplit('/').next().unwrap()
    );
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The lines of these documents, without their times, sorted.
fn expected(documents: impl Fn(usize) -> bool) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected.influx");
    let of = |line: &str| {
        let instance = usize::from(line.contains("instance=staging"));
        instance * 2 + usize::from(line.starts_with("autopkgtest_running"))
    };
    let text = std::fs::read_to_string(path).unwrap();
    sorted(
        &text
            .lines()
            .filter(|line| documents(of(line)))
            .fold(String::new(), |all, line| all + line + "\n"),
    )
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = without_times(text).into_iter().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// One document fails: one line names it and says why, and the others' points are there.
#[track_caller]
fn fails(scene: &Scene, broken: usize, said: &str) {
    let ended = scene.dry_run().expect_code(0);
    assert_eq!(
        sorted(&ended.stdout),
        expected(|document| document != broken),
        "{said}"
    );
    let lines: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains(NAMES[broken]))
        .collect();
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    assert!(lines[0].contains(said), "{}", ended.stderr);
    let others = NAMES.iter().filter(|name| ended.stderr.contains(*name)).count();
    assert_eq!(others, 1, "{}", ended.stderr);
}

#[test]
fn all_four_over_one_connection_each() {
    let scene = Scene::new();
    let ended = scene.dry_run().expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(sorted(&ended.stdout), expected(|_| true));
    for instance in &scene.instances {
        assert_eq!((instance.requests().len(), instance.connections()), (2, 1));
    }
}

#[test]
fn a_document_that_is_not_answered() {
    for broken in 0..4 {
        let scene = Scene::new();
        scene.answers(broken, Answer::new(404).body("no such page"));
        fails(&scene, broken, "answered 404 Not Found");
        scene.answers(broken, Answer::new(500).body("internal error"));
        fails(&scene, broken, "answered 500 Internal Server Error");
        scene.answers(broken, Answer::reset());
        fails(&scene, broken, &scene.url(broken));
        // Nobody listens there.
        let gone = Source::http();
        gone.close();
        let mut urls = [0, 1, 2, 3].map(|document| scene.url(document));
        urls[broken] = gone.url("/x.json");
        scene.settings(&urls);
        fails(&scene, broken, "cannot connect: Connection refused");
    }
}

#[test]
fn a_document_that_is_no_document() {
    for broken in 0..4 {
        let scene = Scene::new();
        scene.answers(broken, Answer::ok(""));
        fails(&scene, broken, "answered 200 with an empty body (0 bytes)");
        let page = Answer::ok("<!DOCTYPE html><title>Log in</title>").header("Content-Type", "text/html");
        scene.answers(broken, page);
        fails(
            &scene,
            broken,
            "answered 200 with an HTML page where JSON was due (text/html)",
        );
        let whole = fixture(broken);
        scene.answers(broken, Answer::ok(&whole[..whole.len() / 2]));
        fails(&scene, broken, "EOF while parsing");
        scene.answers(broken, Answer::ok(&whole).cut_after(1000));
        fails(&scene, broken, "the body broke off or is damaged");
        scene.answers(broken, Answer::ok(r#"["ubuntu", "noble", "amd64", 3]"#));
        fails(
            &scene,
            broken,
            "invalid type: sequence, expected an object with a name for each",
        );
        scene.answers(broken, Answer::ok(r#"{"ubuntu": "noble"}"#));
        fails(&scene, broken, "ubuntu is the text \"noble\", not an object");
    }
}

#[test]
fn nothing_to_read_is_an_error_of_one_run() {
    let scene = Scene::new();
    for instance in &scene.instances {
        instance.close();
    }
    let ended = scene.dry_run().expect_code(1);
    assert_eq!(ended.stdout, "");
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.contains("none of the 4 parts gave anything; the first, production's queues: https://")
            && last.contains("Connection refused"),
        "{}",
        ended.stderr
    );
    for name in NAMES {
        assert!(ended.stderr.contains(name), "{}", ended.stderr);
    }
}

#[test]
fn each_document_failing_in_each_way() {
    let part = |document: usize| {
        let measurement = ["autopkgtest_queue_size", "autopkgtest_running"][document % 2];
        let instance = format!("instance={}", INSTANCES[document / 2]);
        let lost = move |line: &str| line.starts_with(measurement) && line.contains(&instance);
        let wrong = r#"{"ubuntu": ["noble", "amd64", 3], "ppa": null}"#;
        let route = Route::new(PATHS[document % 2], fixture(document), wrong);
        Part::new(NAMES[document], lost).route(route.at(INSTANCES[document / 2]))
    };
    Matrix::new("tidemark-autopkgtest", |bases| {
        let url = |document: usize| bases.url(INSTANCES[document / 2]) + PATHS[document % 2];
        settings(&[0, 1, 2, 3].map(url))
    })
    .parts([0, 1, 2, 3].map(part))
    .check();
}

#[test]
fn whatever_a_document_holds_the_run_stays_small() {
    let scene = Scene::new();
    // Eight MiB of names, in each instance: of packages, as many as are read and more; of architectures.
    let names = |count: usize, value: &str| {
        let parts: Vec<String> = (0..count)
            .map(|number| format!("\"{number:07}\":{value}"))
            .collect();
        format!("{{{}}}", parts.join(","))
    };
    scene.answers(1, Answer::ok(names(99_999, "{}")).gzip());
    scene.answers(3, Answer::ok(names(600_000, "{}")).gzip());
    let queues = |archs| format!("{{\"ubuntu\":{{\"noble\":{}}}}}", names(archs, "0"));
    scene.answers(0, Answer::ok(queues(600_000)).gzip());
    scene.answers(2, Answer::ok(queues(600_000)).gzip());
    let ended = scene.dry_run().expect_code(0);
    assert!(
        ended.stderr.contains("more than 100000 names"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("more than 10000 queues"),
        "{}",
        ended.stderr
    );
    assert!(ended.peak_memory < 64 << 20, "{} bytes", ended.peak_memory);
}
