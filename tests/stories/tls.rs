//! Certificates: right ones, wrong ones, self-signed ones, of the sink and of the source.

use std::path::Path;

use tidemark_testkit::{Answer, Certificates, Identity, SinkServer, Source};

use crate::scene::{Scene, playing, report};

/// A run into a sink with this certificate, with more keys of the sink.
fn run_into(identity: &Identity, keys: &str) -> (Scene, SinkServer, tidemark_testkit::Ended) {
    let sink = SinkServer::https(identity);
    let scene = Scene::new();
    scene.sinks(&format!("{}\n{keys}\n", playing("played", &sink).trim_end()));
    let ended = scene.collect();
    (scene, sink, ended)
}

fn ca_file(path: &Path) -> String {
    format!("ca_file = \"{}\"", path.display())
}

#[track_caller]
fn assert_taken(identity: &Identity, keys: &str) {
    let (scene, _sink, ended) = run_into(identity, keys);
    assert_eq!(
        scene.ledger("played").figures(),
        (4, 4, 0, 0),
        "{keys}: {}",
        ended.stderr
    );
}

#[track_caller]
fn assert_refused(identity: &Identity, keys: &str, reasons: &[&str]) {
    let (scene, sink, _) = run_into(identity, keys);
    let ledger = scene.ledger("played");
    assert_eq!(ledger.figures(), (4, 0, 4, 0), "{keys}");
    assert!(
        reasons.iter().any(|reason| ledger.said().contains(reason)),
        "none of {reasons:?} in {ledger:?}"
    );
    assert!(sink.requests().is_empty(), "nothing was said to a stranger");
}

#[test]
fn of_an_authority_that_is_named() {
    let certificates = Certificates::new();
    assert_taken(&certificates.leaf, &ca_file(certificates.authority()));
}

#[test]
fn named_as_exactly_the_server_s_own() {
    let certificates = Certificates::new();
    assert_taken(&certificates.leaf, &ca_file(&certificates.leaf.certificate));
    assert_taken(
        &certificates.self_signed,
        &ca_file(&certificates.self_signed.certificate),
    );
}

#[test]
fn of_an_authority_that_nobody_named() {
    let certificates = Certificates::new();
    let reasons = ["issuer", "authority"];
    assert_refused(&certificates.leaf, "", &reasons);
    assert_refused(
        &certificates.stranger,
        &ca_file(certificates.authority()),
        &reasons,
    );
    let reasons = ["issuer", "authority", "certificate"];
    assert_refused(&certificates.self_signed, "", &reasons);
    assert_refused(
        &certificates.self_signed,
        &ca_file(certificates.authority()),
        &reasons,
    );
}

#[test]
fn of_another_name_or_out_of_date() {
    let certificates = Certificates::new();
    assert_refused(
        &certificates.wrong_name,
        &ca_file(certificates.authority()),
        &["name"],
    );
    assert_refused(
        &certificates.expired,
        &ca_file(certificates.authority()),
        &["expired"],
    );
}

#[test]
fn that_is_not_looked_at_is_a_notice_at_every_run() {
    let certificates = Certificates::new();
    let sink = SinkServer::https(&certificates.stranger);
    let scene = Scene::new();
    scene.sinks(&format!(
        "{}\ninsecure_skip_verify = true\n",
        playing("played", &sink).trim_end()
    ));
    for _ in 0..2 {
        let ended = scene.collect();
        assert!(ended.stderr.contains("insecure_skip_verify"), "{}", ended.stderr);
    }
    assert_eq!(scene.ledger("played").figures(), (8, 8, 0, 0));
}

/// A password goes to nobody whose certificate is not right.
#[test]
fn a_stranger_is_not_told_the_password() {
    let certificates = Certificates::new();
    assert_refused(
        &certificates.wrong_name,
        &format!(
            "{}\nusername = \"u\"\npassword = \"p\"",
            ca_file(certificates.authority())
        ),
        &["name"],
    );
}

#[test]
fn of_the_source() {
    let certificates = Certificates::new();
    let sink = SinkServer::start();
    for (identity, trusted, code) in [
        (&certificates.leaf, true, 0),
        (&certificates.leaf, false, 1),
        (&certificates.wrong_name, true, 1),
        (&certificates.expired, true, 1),
        (&certificates.stranger, true, 1),
    ] {
        let source = Source::https(identity);
        source.route("/general.json", Answer::ok(report(2)));
        let scene = Scene::new();
        let url = source.url("/general.json");
        scene.home.settings(&format!(
            "[collector.sponsoring]\nurl = \"{url}\"\n\n{}",
            playing("played", &sink)
        ));
        let mut run = scene.sponsoring();
        if trusted {
            run = run.env("SSL_CERT_FILE", certificates.authority());
        }
        let ended = run.run().expect_code(code);
        if code == 1 {
            assert!(
                ended.stderr.contains(&url) && ended.stderr.contains("certificate"),
                "{}",
                ended.stderr
            );
            assert!(source.requests().is_empty());
        }
    }
}

#[test]
fn a_ca_file_that_is_not_there_or_is_none_is_a_mistake_of_the_settings() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    let nothing = scene.home.file("nothing.pem", "this is no certificate\n");
    for path in [Path::new("/nonexistent/ca.pem"), &nothing] {
        let text = playing("played", &sink).replace("http://", "https://");
        scene.sinks(&format!("{}\n{}\n", text.trim_end(), ca_file(path)));
        let ended = scene.sponsoring().run().expect_code(78);
        assert!(
            ended.stderr.contains(&path.display().to_string()),
            "{}",
            ended.stderr
        );
        assert!(scene.source.requests().is_empty(), "it ends before it collects");
    }
}
