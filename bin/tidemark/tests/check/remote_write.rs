//! A sink that takes Prometheus remote write.

use tidemark_testkit::{Answer, Prometheus, PrometheusOptions, SinkServer, VictoriaMetrics};

use super::*;

fn remote_write(url: &str, more: &str) -> String {
    sink("remote-write", url, more)
}

#[test]
fn real_ones_that_take_what_is_written() {
    let prometheus = Prometheus::start(PrometheusOptions {
        remote_write: true,
        user: true,
        ..PrometheusOptions::default()
    });
    let victoria = VictoriaMetrics::start();
    let (user, password) = prometheus.user().expect("a user");
    let site = Site::new(&format!(
        "{}{}{}",
        remote_write(
            &prometheus.write_url(),
            &format!("name = \"prometheus\"\nusername = \"{user}\"\npassword = \"{password}\"")
        ),
        remote_write(
            &prometheus.write_url(),
            &format!("name = \"password\"\nusername = \"{user}\"\npassword = \"wrong\"")
        ),
        remote_write(&format!("{}/api/v1/write", victoria.url()), "name = \"victoria\""),
    ));
    site.check(1).shows("remote-write");
    assert_eq!(
        prometheus.query("{__name__!=\"\"}", None),
        [],
        "an empty write stores nothing"
    );
}

#[test]
fn a_real_prometheus_that_is_no_receiver() {
    let prometheus = Prometheus::start(PrometheusOptions::default());
    let site = Site::new(&remote_write(&prometheus.write_url(), ""));
    site.check(1).shows("remote-write-no-receiver");
}

#[test]
fn its_answers() {
    let cases = [
        ("stored", Answer::new(200)),
        ("accepted", Answer::new(202)),
        ("login", Answer::new(200).body("<html>log in</html>")),
        ("bad-request", Answer::new(400).body("snappy: corrupt input")),
        ("token", Answer::new(401).body("no such token")),
        ("rights", Answer::new(403)),
        ("protocol", Answer::new(415).body("only remote write 2.0")),
        ("trouble", Answer::new(500).body("the head is closed")),
    ];
    let servers = cases.map(|(name, answer)| {
        let server = SinkServer::start();
        server.judge(move |_| answer.clone());
        (name, server)
    });
    let settings = servers.iter().map(|(name, server)| {
        remote_write(
            &server.url("/api/v1/write"),
            &format!("name = \"{name}\"\nbearer_token = \"hunter2\""),
        )
    });
    let site = Site::new(&settings.collect::<String>());
    site.check(1).shows("remote-write-answers");
    let request = &servers[0].1.requests()[0];
    assert_eq!(request.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(request.header("content-encoding"), Some("snappy"));
}
