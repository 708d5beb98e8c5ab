//! A sink that is an InfluxDB 2: what takes its writes, and what it answers.

use tidemark_testkit::{Answer, Influxd, InfluxdOptions, SinkServer, VictoriaMetrics};

use super::*;

fn influxdb2(url: &str, more: &str) -> String {
    let more = format!("org = \"ubuntu\"\nbucket = \"metrics\"\ntoken = \"hunter2\"\n{more}");
    sink("influxdb2", url, &more)
}

#[test]
fn a_real_one_that_takes_its_writes() {
    let server = VictoriaMetrics::start();
    let site = Site::new(&influxdb2(&server.url(), ""));
    site.check(0).shows("influxdb2");
    let exported = server.export("{__name__=~\".+\"}");
    assert_eq!(exported.len(), 0, "an empty write stores nothing");
}

#[test]
fn a_real_influxdb_1_in_its_place() {
    let server = Influxd::start(InfluxdOptions::default());
    Site::new(&influxdb2(&server.url(), ""))
        .check(1)
        .shows("influxdb2-is-1");
}

#[test]
fn its_answers() {
    let named = |status, body: &str| {
        Answer::new(status)
            .body(body)
            .header("X-Influxdb-Version", "v2.7.4")
            .header("X-Influxdb-Build", "OSS")
    };
    let cases = [
        ("taken", named(204, "")),
        // Before 2.1, after all that matters was checked.
        (
            "points",
            named(400, r#"{"code":"invalid","message":"writing requires points"}"#),
        ),
        (
            "token",
            named(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#),
        ),
        (
            "rights",
            named(
                403,
                r#"{"code":"forbidden","message":"insufficient permissions for write"}"#,
            ),
        ),
        (
            "bucket",
            named(
                404,
                r#"{"code":"not found","message":"bucket \"metrics\" not found"}"#,
            ),
        ),
        (
            "org",
            named(
                404,
                r#"{"code":"not found","message":"organization name \"ubuntu\" not found"}"#,
            ),
        ),
        ("page", Answer::new(404).body("404 page not found")),
        ("login", Answer::new(200).body("<html>log in</html>")),
        (
            "trouble",
            named(503, r#"{"code":"unavailable","message":"not ready"}"#),
        ),
    ];
    let servers = cases.map(|(name, answer)| {
        let server = SinkServer::start();
        server.judge(move |_| answer.clone());
        (name, server)
    });
    let settings = servers
        .iter()
        .map(|(name, server)| influxdb2(&server.url(""), &format!("name = \"{name}\"")));
    let site = Site::new(&settings.collect::<String>());
    site.check(1).shows("influxdb2-answers");
    let request = &servers[0].1.requests()[0];
    assert_eq!(request.header("authorization"), Some("Token hunter2"));
    assert_eq!(request.text(), "");
}
