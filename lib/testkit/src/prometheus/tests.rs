use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::wait::wait_until;

/// A remote write of one series `name` with one sample, at its smallest: protobuf within a snappy block without any
/// compression.
fn write_request(name: &str, time: i64, value: f64) -> Vec<u8> {
    let part = |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let label = [part(0x0A, b"__name__"), part(0x12, name.as_bytes())].concat();
    let mut sample = vec![0x09];
    sample.extend_from_slice(&value.to_le_bytes());
    sample.push(0x10);
    let mut left = u64::try_from(time).unwrap();
    while left >= 0x80 {
        sample.push(u8::try_from(left & 0x7F).unwrap() | 0x80);
        left >>= 7;
    }
    sample.push(u8::try_from(left).unwrap());
    let series = [part(0x0A, &label), part(0x12, &sample)].concat();
    let request = part(0x0A, &series);
    let length = u8::try_from(request.len()).unwrap();
    assert!(
        (60..128).contains(&length),
        "a literal of one length byte: {length}"
    );
    [&[length, 60 << 2, length - 1], &request[..]].concat()
}

fn write_to(server: &Prometheus, body: &[u8]) -> http::Response {
    let mut request = http::Request::post(&server.write_url(), body)
        .header("Content-Type", "application/x-protobuf")
        .header("Content-Encoding", "snappy")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0");
    if let Some((user, password)) = server.user() {
        request = request.basic(user, password);
    }
    if server.options.tls {
        request = request.trust(server.ca_file());
    }
    request.send().expect("an answer")
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a real server has the real time")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

const NAME: &str = "a_metric_with_a_name_that_is_long_enough_for_this";

#[test]
fn stores_and_gives_back_to_the_last_digit() {
    let mut server = Prometheus::start(PrometheusOptions {
        remote_write: true,
        tls: true,
        user: true,
        ..PrometheusOptions::default()
    });
    let time = now();
    let answer = write_to(&server, &write_request(NAME, time, 0.1 + 0.2));
    assert_eq!(answer.status, 204, "{}", answer.text());
    let expected = Samples {
        labels: BTreeMap::from([("__name__".to_owned(), NAME.to_owned())]),
        samples: vec![(time, "0.30000000000000004".to_owned())],
    };
    assert_eq!(server.stored(NAME), std::slice::from_ref(&expected));
    let range = server.query_range(NAME, time, time + 2000, 1000);
    assert_eq!(range[0].samples.len(), 3);
    assert_eq!(server.query(NAME, Some(time - 1)), []);
    // Without the password nobody is let in.
    let open = http::Request::get(&format!("{}/-/ready", server.url()))
        .trust(server.ca_file())
        .send();
    assert_eq!(open.unwrap().status, 401);
    server.kill();
    server.restart();
    assert_eq!(server.stored(NAME), [expected]);
    let late = write_to(&server, &write_request(NAME, time - 86_400_000, 1.0));
    assert_eq!((late.status, late.text().trim()), (400, "out of bounds"));
}

#[test]
fn takes_no_remote_write_unless_told() {
    let server = Prometheus::start(PrometheusOptions::default());
    let answer = write_to(&server, &write_request(NAME, now(), 1.0));
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert!(
        answer.text().contains("remote write receiver"),
        "{}",
        answer.text()
    );
}

#[test]
fn evaluates_rules() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let rule =
        "{alert: Always, expr: 'vector(1)', labels: {severity: page}, annotations: {summary: it is so}}";
    fs::write(
        &rules,
        format!("groups:\n  - name: g\n    rules:\n      - {rule}\n"),
    )
    .unwrap();
    let server = Prometheus::start(PrometheusOptions {
        rules: vec![rules],
        ..PrometheusOptions::default()
    });
    // An alert is there an instant before its rule is told to be well.
    let health = BTreeMap::from([("Always".to_owned(), "ok".to_owned())]);
    wait_until("an evaluation", Duration::from_secs(60), || {
        server.rule_health() == health && !server.alerts().is_empty()
    });
    let alert = &server.alerts()[0];
    assert_eq!(alert.labels["alertname"], "Always");
    assert_eq!(
        (alert.state.as_str(), alert.annotations["summary"].as_str()),
        ("firing", "it is so")
    );
}
