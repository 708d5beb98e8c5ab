//! One run of a collector beside curl and Python: GETs of its documents and a POST of its points, HTTPS both ways.

use std::path::{Path, PathBuf};

use tidemark_testkit::{Answer, Certificates, Home, Influxd, InfluxdOptions, Run, Source};

use crate::measure::{Contender, in_turns, table};

const PASSWORD: &str = "a password of some length";

/// A document that a collector reads.
struct Document {
    /// The setting with its address.
    key: &'static str,
    /// Which of the servers has it.
    server: usize,
    /// Where it is there.
    path: &'static str,
    /// The recorded one, among the collector's fixtures.
    fixture: &'static str,
}

/// A report of 120 entries.
pub(crate) fn sponsoring() {
    let report = Document {
        key: "url",
        server: 0,
        path: "/jsons/general.json",
        fixture: "general.json",
    };
    run("sponsoring", &[report]);
}

/// Four documents of two servers, 359 KB.
pub(crate) fn autopkgtest() {
    let document = |key, server, path, fixture| Document {
        key,
        server,
        path,
        fixture,
    };
    let (queues, running) = ("/queue_size.json", "/static/running.json");
    let documents = [
        document("production_queue_size", 0, queues, "production-queue_size.json"),
        document("production_running", 0, running, "production-running.json"),
        document("staging_queue_size", 1, queues, "staging-queue_size.json"),
        document("staging_running", 1, running, "staging-running.json"),
    ];
    run("autopkgtest", &documents);
}

fn run(collector: &'static str, documents: &[Document]) {
    let certificates = Certificates::new();
    let sources = [
        Source::https(&certificates.leaf),
        Source::https(&certificates.leaf),
    ];
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = here.join("../collectors").join(collector).join("fixtures");
    for document in documents {
        let body = std::fs::read(fixtures.join(document.fixture)).unwrap();
        sources[document.server].route(document.path, Answer::ok(body));
    }
    let urls: Vec<String> = documents
        .iter()
        .map(|document| sources[document.server].url(document.path))
        .collect();
    let influxd = Influxd::start(InfluxdOptions::https("collector", PASSWORD));

    // The authorities in one file, behind the 140 that a host trusts. curl's library takes the first of one name, so for
    // curl each has a file of its own.
    let home = Home::new();
    let host = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    let with = |name: &str, authorities: &[&Path]| {
        let mut bundle = host.clone();
        for authority in authorities {
            bundle.extend(std::fs::read(authority).unwrap());
        }
        home.file(name, bundle)
    };
    let authorities = [certificates.authority(), influxd.certificates().authority()];
    let bundle = with("bundle.pem", &authorities);
    let of_source = with("source.pem", &authorities[..1]);
    let of_influxd = with("influxd.pem", &authorities[1..]);
    let addresses = documents.iter().zip(&urls);
    let keys: String = addresses
        .map(|(document, url)| format!("{} = \"{url}\"\n", document.key))
        .collect();
    home.settings(&format!(
        "[collector.{collector}]\n{keys}[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\n\
         database = \"metrics\"\nusername = \"collector\"\npassword = {{ env = \"PASSWORD\" }}\n",
        influxd.url()
    ));

    let program = format!("tidemark-{collector}");
    let ours = || {
        home.run(&program)
            .env("SSL_CERT_FILE", &bundle)
            .env("PASSWORD", PASSWORD)
    };
    let body = ours().args(["--dry-run", "--output", "influx"]).run();
    let body = home.file("body", body.expect_code(0).stdout_bytes);
    let post = Post {
        netrc: home.file(
            "netrc",
            format!("machine localhost login collector password \"{PASSWORD}\"\nmachine 127.0.0.1 login collector password \"{PASSWORD}\"\n"),
        ),
        body,
        url: format!("{}/write?db=metrics&precision=ns", influxd.url()),
    };
    let none = || vec!["-k".to_owned()];
    let file = |path: &Path| vec!["--cacert".to_owned(), path.display().to_string()];
    let port = influxd.port().to_string();
    let python = || {
        Run::new("/usr/bin/python3")
            .arg(here.join("bench/peer.py"))
            .args([collector, "127.0.0.1", &port, "collector", "metrics"])
            .args(&urls)
            .env("INFLUXDB_PASSWORD", PASSWORD)
    };
    let figures = in_turns(
        20,
        &[
            Contender {
                name: "tidemark, verified",
                make: Box::new(ours),
            },
            Contender {
                name: "curl -k",
                make: Box::new(|| curl(&urls, &post, [none(), none()])),
            },
            Contender {
                name: "curl, verified",
                make: Box::new(|| curl(&urls, &post, [file(&of_source), file(&of_influxd)])),
            },
            Contender {
                name: "Python (urllib, python3-influxdb)",
                make: Box::new(python),
            },
        ],
    );
    let title = format!("One run of {collector}: HTTPS both ways, a user, outbox on disk");
    table(&title, &figures);
}

/// What curl posts, and where.
struct Post {
    netrc: PathBuf,
    body: PathBuf,
    url: String,
}

/// One curl for all, which keeps its connections; how it trusts the sources and the sink.
fn curl(urls: &[String], post: &Post, trust: [Vec<String>; 2]) -> Run {
    Run::new("curl")
        .args(["-sS", "--fail"])
        .args(&trust[0])
        .args(urls.iter().flat_map(|url| ["-o", "/dev/null", url]))
        .args(["--next", "-sS", "--fail"])
        .args(&trust[1])
        .arg("--netrc-file")
        .arg(&post.netrc)
        .arg("--data-binary")
        .arg(format!("@{}", post.body.display()))
        .arg(&post.url)
}
