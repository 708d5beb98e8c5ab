//! Into a real InfluxDB over HTTPS, with a user and a password: what is read back is what was collected, to the last
//! digit, with its types.
//!
//! A second sink records the same batches: what it was sent is compared with what the database gives back.

use std::collections::{BTreeMap, BTreeSet};

use tidemark_testkit::{Cell, InfluxTls, Influxd, InfluxdOptions, SinkServer};

use crate::scene::{BOUND, Line, Scene, influxdb, lines, playing};

fn server(tls: InfluxTls) -> Influxd {
    let user = Some(("metrics".to_owned(), "it is a secret".to_owned()));
    Influxd::start(InfluxdOptions {
        tls,
        user,
        ..InfluxdOptions::default()
    })
}

/// The type that InfluxDB gives a field written like this.
fn type_of(value: &str) -> &'static str {
    match value.as_bytes() {
        [b'"', ..] => "string",
        [.., b'i'] => "integer",
        [b't' | b'f' | b'T' | b'F', ..] => "boolean",
        _ => "float",
    }
}

/// What InfluxDB gives back for a field written like this.
#[track_caller]
fn assert_same(cell: &Cell, written: &str, place: &str) {
    match (cell, type_of(written)) {
        (Cell::Number(text), "integer") => assert_eq!(format!("{text}i"), written, "{place}"),
        (Cell::Number(text), "float") => {
            let [read, sent]: [f64; 2] = [text, written].map(|text| text.parse().expect("a number"));
            assert_eq!(read.to_bits(), sent.to_bits(), "{place}: {text} is not {written}");
        }
        (Cell::Text(text), "string") => {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            assert_eq!(format!("\"{escaped}\""), written, "{place}");
        }
        (Cell::Bool(value), "boolean") => assert_eq!(value.to_string(), written, "{place}"),
        _ => panic!("{place}: {cell:?} is not {written}"),
    }
}

/// Every point that was sent is in the database as it was sent, and nothing else is.
#[track_caller]
fn assert_stored(server: &Influxd, sent: &[Line]) {
    let mut stored = 0;
    for measurement in sent.iter().map(|line| &line.measurement).collect::<BTreeSet<_>>() {
        let types = server.field_types(measurement);
        let rows = rows(server, measurement);
        stored += rows.len();
        for line in sent.iter().filter(|line| line.measurement == *measurement) {
            let row = rows
                .get(&line.key())
                .unwrap_or_else(|| panic!("not stored: {line:?}"));
            assert_eq!(
                row.keys().collect::<Vec<_>>(),
                line.fields.keys().collect::<Vec<_>>(),
                "{}",
                line.key()
            );
            for (field, written) in &line.fields {
                assert_same(&row[field], written, &format!("{} {field}", line.key()));
                assert_eq!(types[field], type_of(written), "{measurement} {field}");
            }
        }
    }
    assert_eq!(stored, sent.len(), "points stored, points sent");
    let measurements = server
        .query("SHOW MEASUREMENTS")
        .iter()
        .map(|series| series.rows.len())
        .sum::<usize>();
    let sent = sent.iter().map(|line| &line.measurement).collect::<BTreeSet<_>>();
    assert_eq!(measurements, sent.len(), "measurements stored, measurements sent");
}

/// The fields of each point of a measurement, by the point's key.
fn rows(server: &Influxd, measurement: &str) -> BTreeMap<String, BTreeMap<String, Cell>> {
    let mut rows = BTreeMap::new();
    for series in server.query(&format!("SELECT * FROM \"{measurement}\" GROUP BY *")) {
        // Tags that a series does not have are given as empty ones.
        let tags: BTreeMap<String, String> = series
            .tags
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        for row in &series.rows {
            let fields: BTreeMap<String, Cell> = series.columns[1..]
                .iter()
                .cloned()
                .zip(row[1..].iter().cloned())
                .filter(|(_, cell)| *cell != Cell::Null)
                .collect();
            let time = row[0].number().parse().expect("a time");
            let line = Line {
                measurement: measurement.to_owned(),
                tags: tags.clone(),
                fields: BTreeMap::new(),
                time,
            };
            rows.insert(line.key(), fields);
        }
    }
    rows
}

fn sent(witness: &SinkServer) -> Vec<Line> {
    witness
        .requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .collect()
}

#[test]
fn of_a_report() {
    let (server, witness) = (server(InfluxTls::Authority), SinkServer::start());
    let scene = Scene::new();
    scene.report(40);
    scene.sinks(&(influxdb("database", &server) + &playing("witness", &witness)));
    scene.collect();
    let sent = sent(&witness);
    assert_eq!(sent.len(), 42, "a point a set, one for all, and the run's own");
    assert_stored(&server, &sent);
    assert_eq!(scene.ledger("database").figures(), (42, 42, 0, 0));
}

#[test]
fn of_this_machine() {
    let (server, witness) = (server(InfluxTls::Authority), SinkServer::start());
    let scene = Scene::new();
    scene.sinks(&(influxdb("database", &server) + &playing("witness", &witness)));
    for _ in 0..2 {
        scene.home.run("tidemark-host").bound(BOUND).run().expect_code(0);
    }
    let sent = sent(&witness);
    let kinds: BTreeSet<&str> = sent
        .iter()
        .flat_map(|line| line.fields.values())
        .map(|text| type_of(text))
        .collect();
    assert!(
        kinds.is_superset(&BTreeSet::from(["float", "integer"])),
        "{kinds:?}"
    );
    assert!(sent.len() > 20, "{} points", sent.len());
    assert_stored(&server, &sent);
}

#[test]
fn with_a_self_signed_certificate_named_as_exactly_the_server_s() {
    let server = server(InfluxTls::SelfSigned);
    let scene = Scene::new();
    scene.sinks(&influxdb("database", &server));
    scene.collect();
    assert_eq!(server.count(crate::scene::QUEUE, "count"), 3);
    assert_eq!(scene.ledger("database").figures(), (4, 4, 0, 0));
}

/// Names that break writers of line protocol: each is stored once, as it was sent, and breaks no other.
#[test]
fn of_names_that_break_writers() {
    let (server, witness) = (server(InfluxTls::None), SinkServer::start());
    let scene = Scene::new();
    let names = [
        "a b",
        "a,b",
        "a=b",
        "a\\",
        "a\\\\",
        "\\ b",
        "a\nm f=1 1",
        "\rc",
        "c\td",
        "\"a\"",
        "'",
        " ",
        "#a",
        "ü",
        "𝕒",
        "\u{0}b",
        "a\u{2028}b",
        "_field",
        "time",
    ];
    let entries: Vec<serde_json::Value> = names
        .iter()
        .map(|name| serde_json::json!({ "date_queued": "01/02/26", "sets": [name] }))
        .collect();
    let report = serde_json::Value::from(entries).to_string();
    scene
        .source
        .route("/general.json", tidemark_testkit::Answer::ok(report));
    scene.sinks(&(influxdb("database", &server) + &playing("witness", &witness)));
    scene.collect();
    scene.flush();
    let sent = sent(&witness);
    let reports: BTreeSet<&String> = sent.iter().filter_map(|line| line.tags.get("report")).collect();
    assert_eq!(
        reports.len(),
        names.len() + 1,
        "each name, and all of them: {reports:?}"
    );
    let sent: Vec<Line> = sent
        .into_iter()
        .filter(|line| line.measurement != "tidemark_sink")
        .collect();
    let ledger = scene.ledger("database");
    assert_eq!(
        ledger.figures().3,
        0,
        "nothing is refused: {ledger:?} {}",
        scene.rejected()
    );
    server.query("DROP MEASUREMENT tidemark_sink");
    assert_stored(&server, &sent);
}

/// A name longer than the database takes costs no other point.
#[test]
fn of_a_name_that_is_too_long() {
    let server = server(InfluxTls::None);
    let scene = Scene::new();
    let long = "x".repeat(70_000);
    let report = format!(
        r#"[{{"date_queued":"01/02/26","sets":["before","{long}"]}},{{"date_queued":"01/02/26","sets":["yonder"]}}]"#
    );
    scene
        .source
        .route("/general.json", tidemark_testkit::Answer::ok(report));
    scene.sinks(&influxdb("database", &server));
    scene.collect();
    scene.flush();
    let ledger = scene.ledger("database");
    assert_eq!(ledger.waiting, 0, "{ledger:?}");
    let series = server.query("SELECT count FROM sponsoring_queue_stats GROUP BY report");
    let reports: BTreeSet<&str> = series
        .iter()
        .map(|series| series.tags["report"].as_str())
        .collect();
    for name in ["before", "yonder", "sponsoring"] {
        assert!(reports.contains(name), "{name}: {} reports", reports.len());
    }
}

/// The variables of the Python collectors: over HTTPS, with the system's certificates.
#[test]
fn with_the_five_variables_and_no_settings() {
    let server = server(InfluxTls::Authority);
    let scene = Scene::new();
    scene.sinks("");
    let variables = |run: tidemark_testkit::Run| {
        run.env("INFLUXDB_HOSTNAME", "localhost")
            .env("INFLUXDB_PORT", server.port().to_string())
            .env("INFLUXDB_USERNAME", "metrics")
            .env("INFLUXDB_PASSWORD", "it is a secret")
            .env("INFLUXDB_DATABASE", "metrics")
            .env("SSL_CERT_FILE", server.ca_file())
    };
    variables(scene.sponsoring()).run().expect_code(0);
    assert_eq!(server.count(crate::scene::QUEUE, "count"), 3);
    assert_eq!(server.count("tidemark_run", "ok"), 1);
}
