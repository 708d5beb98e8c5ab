use super::*;

fn write(server: &Influxd, lines: &str) -> http::Response {
    let url = format!("{}/write?db={}&precision=ns", server.url(), server.database());
    let mut request = http::Request::post(&url, lines.as_bytes());
    if let Some((user, password)) = server.user() {
        request = request.basic(user, password);
    }
    if server.options.tls != InfluxTls::None {
        request = request.trust(server.ca_file());
    }
    request.send().expect("an answer")
}

#[test]
fn stores_and_gives_back_to_the_last_digit() {
    let server = Influxd::start(InfluxdOptions::default());
    let lines = "m,host=a f=0.30000000000000004,i=9223372036854775807i,z=-0.0,tiny=5e-324,s=\"a \\\"b\\\"\",b=true 5\n";
    assert_eq!(write(&server, lines).status, 204);
    let series = server.query("SELECT b, f, i, s, tiny, z FROM m GROUP BY host");
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].name, "m");
    assert_eq!(
        series[0].tags,
        BTreeMap::from([("host".to_owned(), "a".to_owned())])
    );
    assert_eq!(series[0].columns, ["time", "b", "f", "i", "s", "tiny", "z"]);
    let number = |text: &str| Cell::Number(text.to_owned());
    assert_eq!(
        series[0].rows,
        [[
            number("5"),
            Cell::Bool(true),
            number("0.30000000000000004"),
            number("9223372036854775807"),
            Cell::Text("a \"b\"".to_owned()),
            number("5e-324"),
            number("-0"),
        ]]
    );
    let types = server.field_types("m");
    let types: Vec<(&str, &str)> = types
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.as_str()))
        .collect();
    let expected = [
        ("b", "boolean"),
        ("f", "float"),
        ("i", "integer"),
        ("s", "string"),
        ("tiny", "float"),
        ("z", "float"),
    ];
    assert_eq!(types, expected);
    assert_eq!((server.count("m", "f"), server.count("m", "nothing")), (1, 0));
}

#[test]
fn comes_and_goes_on_its_port_with_its_data() {
    let mut server = Influxd::start(InfluxdOptions::default());
    assert_eq!(write(&server, "m f=1 1\n").status, 204);
    let url = server.url();
    server.stop();
    assert!(http::Request::get(&format!("{url}/ping")).send().is_err());
    server.restart();
    assert_eq!(server.url(), url);
    assert_eq!(write(&server, "m f=2 2\n").status, 204);
    server.kill();
    server.restart();
    assert_eq!(server.count("m", "f"), 2);
    // Nothing where it runs.
    server.restart();
    assert_eq!(server.count("m", "f"), 2);
}

#[test]
fn has_a_user_over_https() {
    let server = Influxd::start(InfluxdOptions::https("metrics user", "it's \\ a secret"));
    assert_eq!(write(&server, "m f=1 1\n").status, 204);
    let url = format!("{}/write?db=metrics", server.url());
    let answer = http::Request::post(&url, b"m f=1 1\n")
        .trust(server.ca_file())
        .send()
        .unwrap();
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(server.count("m", "f"), 1);
}

#[test]
fn has_a_self_signed_certificate() {
    let server = Influxd::start(InfluxdOptions {
        tls: InfluxTls::SelfSigned,
        ..InfluxdOptions::default()
    });
    let why = http::Request::get(&format!("{}/ping", server.url()))
        .trust(server.ca_file())
        .send();
    assert!(
        why.expect_err("CA:TRUE")
            .to_string()
            .contains("CaUsedAsEndEntity")
    );
    assert_eq!(server.query("SHOW DATABASES").len(), 1);
}

#[test]
fn a_bad_line_answers_400_and_a_bad_query_panics() {
    let server = Influxd::start(InfluxdOptions::default());
    let answer = write(&server, "m f=1 1\nm f= 2\n");
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("partial write: unable to parse 'm f= 2'"),
        "{}",
        answer.text()
    );
    let why = std::panic::catch_unwind(|| server.query("SELEKT")).expect_err("must panic");
    assert!(
        why.downcast_ref::<String>()
            .is_some_and(|text| text.contains("SELEKT"))
    );
}

#[test]
fn goes_with_its_value_when_a_test_panics() {
    let port = std::panic::catch_unwind(|| {
        let server = Influxd::start(InfluxdOptions::default());
        let port = server.port();
        std::panic::panic_any(port);
    })
    .expect_err("must panic");
    let port = *port.downcast_ref::<u16>().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn has_the_bounds_that_a_test_gives_it() {
    let http = "max-body-size = 100".to_owned();
    let data = "max-values-per-tag = 2".to_owned();
    let server = Influxd::start(InfluxdOptions {
        http,
        data,
        ..InfluxdOptions::default()
    });
    assert_eq!(write(&server, &"m f=1\n".repeat(20)).status, 413);
    // The server counts the values that were there before a request.
    assert_eq!(write(&server, "m,t=a f=1 1\nm,t=b f=1 1\n").status, 204);
    let answer = write(&server, "m,t=c f=1 2\nm,t=a f=1 2\n");
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .text()
            .contains("partial write: max-values-per-tag limit exceeded"),
        "{}",
        answer.text()
    );
    assert_eq!(server.count("m", "f"), 3, "{}", answer.text());
}
