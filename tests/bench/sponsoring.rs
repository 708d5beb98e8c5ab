//! One run of `tidemark-sponsoring` beside curl and Python: a GET of 120 entries and a POST of its points, HTTPS both ways.

use std::path::Path;

use tidemark_testkit::{Answer, Certificates, Home, InfluxTls, Influxd, InfluxdOptions, Run, Source};

use crate::measure::{Contender, in_turns, table};

const PASSWORD: &str = "a password of some length";

pub(crate) fn run() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    let entries =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../collectors/sponsoring/fixtures/general.json");
    source.route("/jsons/general.json", Answer::ok(std::fs::read(entries).unwrap()));
    let influxd = Influxd::start(InfluxdOptions {
        tls: InfluxTls::Authority,
        user: Some(("collector".to_owned(), PASSWORD.to_owned())),
        ..InfluxdOptions::default()
    });

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
    let source_url = source.url("/jsons/general.json");
    home.settings(&format!(
        "[collector.sponsoring]\nurl = \"{source_url}\"\n[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\n\
         database = \"metrics\"\nusername = \"collector\"\npassword = {{ env = \"PASSWORD\" }}\n",
        influxd.url()
    ));

    let body = home
        .run("tidemark-sponsoring")
        .args(["--dry-run", "--output", "influx"]);
    let body = body
        .env("SSL_CERT_FILE", &bundle)
        .env("PASSWORD", PASSWORD)
        .run()
        .expect_code(0);
    let body = home.file("body", body.stdout_bytes);
    let netrc = home.file(
        "netrc",
        format!("machine localhost login collector password \"{PASSWORD}\"\nmachine 127.0.0.1 login collector password \"{PASSWORD}\"\n"),
    );
    let write_url = format!("{}/write?db=metrics&precision=ns", influxd.url());
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/sponsoring.py");

    let ours = || {
        home.run("tidemark-sponsoring")
            .env("SSL_CERT_FILE", &bundle)
            .env("PASSWORD", PASSWORD)
    };
    let curl = |trust: [Vec<String>; 2]| {
        Run::new("curl")
            .args(["-sS", "--fail"])
            .args(&trust[0])
            .args(["-o", "/dev/null", &source_url, "--next", "-sS", "--fail"])
            .args(&trust[1])
            .args(["--netrc-file", netrc.to_str().unwrap(), "--data-binary"])
            .arg(format!("@{}", body.display()))
            .arg(&write_url)
    };
    let none = || vec!["-k".to_owned()];
    let file = |path: &Path| vec!["--cacert".to_owned(), path.display().to_string()];
    let python = || {
        Run::new("/usr/bin/python3")
            .arg(&peer)
            .args([
                &source_url,
                "127.0.0.1",
                &influxd.port().to_string(),
                "collector",
                "metrics",
            ])
            .env("INFLUXDB_PASSWORD", PASSWORD)
    };
    let figures = in_turns(
        20,
        &[
            Contender {
                name: "tidemark-sponsoring, verified",
                make: Box::new(ours),
            },
            Contender {
                name: "curl -k",
                make: Box::new(|| curl([none(), none()])),
            },
            Contender {
                name: "curl, verified",
                make: Box::new(|| curl([file(&of_source), file(&of_influxd)])),
            },
            Contender {
                name: "Python (urllib, python3-influxdb)",
                make: Box::new(python),
            },
        ],
    );
    table(
        "One run of sponsoring: HTTPS both ways, a user, outbox on disk",
        &figures,
    );
}
