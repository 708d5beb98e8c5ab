//! Into a real Prometheus by remote write and by textfile, and a real VictoriaMetrics: what is read back is what was
//! collected, to the last digit.
//!
//! A witness, in InfluxDB's place, is sent the same batches: what it got is compared with what the others give back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tidemark_collect::{Clock, SystemClock};
use tidemark_delivery::Run as Record;
use tidemark_point::{Adjustments, FieldSchema, FieldType, Kind, Point, Schema, TagSchema, Timestamp};
use tidemark_testkit::{
    Answer, NodeExporter, Prometheus, PrometheusOptions, SinkServer, Source, VictoriaMetrics, promtool,
    wait_until,
};

use crate::scene::{BOUND, Line, Scene, Submitter, lines, playing};

/// A sample: its labels with its name among them, its time in milliseconds, and the bits of its value.
type Sample = (BTreeMap<String, String>, i64, u64);

fn receiver(tls: bool) -> Prometheus {
    Prometheus::start(PrometheusOptions {
        remote_write: true,
        tls,
        user: tls,
        ..PrometheusOptions::default()
    })
}

/// A `[[sink]]` of that name: a real Prometheus. Its password is plain; a certificate is named where it has one.
fn remote_write(name: &str, server: &Prometheus) -> String {
    let mut text = format!(
        "[[sink]]\nname = \"{name}\"\ntype = \"remote-write\"\nurl = \"{}\"\n",
        server.write_url()
    );
    if let Some((user, password)) = server.user() {
        let _ = writeln!(text, "username = \"{user}\"\npassword = \"{password}\"");
        let _ = writeln!(text, "ca_file = \"{}\"", server.ca_file().display());
    }
    text + "\n"
}

/// A `[[sink]]`: a folder of the scene's.
fn textfile(scene: &Scene) -> (String, PathBuf) {
    let folder = scene.home.path().join("textfiles");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.display();
    let sink = format!("[[sink]]\nname = \"textfile\"\ntype = \"textfile\"\ndirectory = \"{path}\"\n\n");
    (sink, folder)
}

/// The counters that a program declares, as `measurement field`.
fn counters(scene: &Scene, program: &str) -> BTreeSet<String> {
    let described = scene.home.run(program).arg("--describe").run().expect_code(0);
    let described: Value = serde_json::from_str(&described.stdout).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut counters = BTreeSet::from([
        "tidemark_sink rejected".to_owned(),
        "tidemark_sink dropped".to_owned(),
    ]);
    for measurement in list(&described["measurements"]) {
        for field in list(&measurement["fields"]) {
            if field["kind"] == "counter" {
                let [measurement, field] =
                    [&measurement, &field].map(|value| value["name"].as_str().unwrap_or_default().to_owned());
                counters.insert(format!("{measurement} {field}"));
            }
        }
    }
    counters
}

/// The samples that a line of line protocol should become: numbers and bools.
fn expected(line: &Line, counters: &BTreeSet<String>) -> Vec<Sample> {
    let clean = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let mut samples = Vec::new();
    for (field, written) in &line.fields {
        let value: f64 = match written.as_bytes() {
            [b'"', ..] => continue,
            [b't' | b'T', ..] => 1.0,
            [b'f' | b'F', ..] => 0.0,
            _ => written.trim_end_matches(['i', 'u']).parse().expect("a number"),
        };
        let mut name = clean(&line.measurement);
        if field != "value" {
            name += &format!("_{}", clean(field));
        }
        if counters.contains(&format!("{} {field}", line.measurement)) && !name.ends_with("_total") {
            name += "_total";
        }
        let mut labels = line.tags.clone();
        labels.insert("__name__".to_owned(), name);
        samples.push((labels, line.time.div_euclid(1_000_000), value.to_bits()));
    }
    samples
}

fn sent(witness: &SinkServer) -> Vec<Line> {
    witness
        .requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .collect()
}

/// Everything that a server stores, as it was given.
fn stored(server: &Prometheus) -> BTreeSet<Sample> {
    let mut samples = BTreeSet::new();
    for series in server.stored("{__name__!=\"\"}") {
        for (time, value) in series.samples {
            let value: f64 = value.parse().expect("a number");
            samples.insert((series.labels.clone(), time, value.to_bits()));
        }
    }
    samples
}

#[track_caller]
fn assert_same(found: &BTreeSet<Sample>, expected: &BTreeSet<Sample>) {
    let missing: Vec<_> = expected.difference(found).take(3).collect();
    let strange: Vec<_> = found.difference(expected).take(3).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "missing: {missing:?}; strange: {strange:?}"
    );
    assert_eq!(found.len(), expected.len());
}

/// The samples of a page without times, each with that time: not the programs' own reader.
#[track_caller]
fn page(text: &str, time: i64) -> BTreeSet<Sample> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
            let mut labels = BTreeMap::from([("__name__".to_owned(), name.to_owned())]);
            let mut rest = rest;
            while rest != "}" {
                let (label, value) = rest.trim_start_matches(',').split_once("=\"").expect("a label");
                let end = value
                    .char_indices()
                    .scan(false, |escaped, (at, letter)| {
                        let ends = letter == '"' && !*escaped;
                        *escaped = letter == '\\' && !*escaped;
                        Some((at, ends))
                    })
                    .find_map(|(at, ends)| ends.then_some(at))
                    .expect("a closing quote");
                let plain = value[..end]
                    .replace("\\\\", "\u{0}")
                    .replace("\\n", "\n")
                    .replace("\\\"", "\"")
                    .replace('\u{0}', "\\");
                labels.insert(label.to_owned(), plain);
                rest = &value[end + 1..];
            }
            let value: f64 = value.parse().expect("a number");
            (labels, time, value.to_bits())
        })
        .collect()
}

/// One run of each collector that needs nothing from elsewhere, to all of them at once.
#[test]
fn of_this_machine_and_of_a_report() {
    let (server, witness) = (receiver(true), SinkServer::start());
    let scene = Scene::new();
    let (files, folder) = textfile(&scene);
    scene.sinks(&(remote_write("prometheus", &server) + &files + &playing("witness", &witness)));
    scene.collect();
    scene.home.run("tidemark-host").bound(BOUND).run().expect_code(0);

    let sent = sent(&witness);
    let mut counters = counters(&scene, "tidemark-host");
    counters.extend(self::counters(&scene, "tidemark-sponsoring"));
    let wanted: BTreeSet<Sample> = sent.iter().flat_map(|line| expected(line, &counters)).collect();
    let totals = wanted
        .iter()
        .filter(|(labels, ..)| labels["__name__"].ends_with("_seconds_total"));
    assert!(totals.count() > 3 && wanted.len() > 100, "{wanted:?}");
    assert_same(&stored(&server), &wanted);
    for sink in ["prometheus", "textfile", "witness"] {
        let collected = sent.len() as u64;
        assert_eq!(
            scene.ledger(sink).figures(),
            (collected, collected, 0, 0),
            "{sink}"
        );
    }

    let exporter = NodeExporter::start(&folder);
    let text = exporter.scrape();
    let ours = |name: &str| {
        ["sponsoring_", "host_", "tidemark_"]
            .iter()
            .any(|begin| name.starts_with(begin))
    };
    let served: String = text
        .lines()
        .filter(|line| ours(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let timeless: BTreeSet<Sample> = wanted
        .iter()
        .map(|(labels, _, bits)| (labels.clone(), 0, *bits))
        .collect();
    assert_same(&page(&served, 0), &timeless);
    assert!(text.contains("node_textfile_scrape_error 0"), "{text}");
    // Prometheus' own tool and our strict reader have nothing to say of the files.
    let mut pages = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder").flatten() {
        let page = std::fs::read(entry.path()).expect("a page");
        let checked = promtool::check_metrics(page);
        assert_eq!(
            (checked.code, checked.stderr.as_str()),
            (Some(0), ""),
            "{:?}",
            entry.path()
        );
        let lint = format!("lint --from prometheus {}", entry.path().display());
        scene.tidemark(&lint).run().expect_code(0);
        pages += 1;
    }
    assert_eq!(pages, 4, "a page a collector, and one a run");

    // And by way of node_exporter they come to the same.
    let scraper = Prometheus::start(PrometheusOptions {
        targets: vec![exporter.target()],
        ..PrometheusOptions::default()
    });
    let mut found = Vec::new();
    wait_until("a scrape", BOUND, || {
        found = scraper.query("{__name__=~\"(sponsoring|host|tidemark)_.+\"}", None);
        !found.is_empty()
    });
    let scraped: BTreeSet<Sample> = found
        .into_iter()
        .map(|mut series| {
            assert_eq!(series.labels.remove("job").as_deref(), Some("test"));
            series.labels.remove("instance");
            let value: f64 = series.samples[0].1.parse().expect("a number");
            (series.labels, 0, value.to_bits())
        })
        .collect();
    assert_same(&scraped, &timeless);
}

/// Values that lose digits where somebody is careless.
const VALUES: &Schema = &Schema {
    measurement: "test values",
    help: "Values at the edge.",
    tags: &[TagSchema {
        name: "a.b",
        help: "A tag.",
    }],
    fields: &[
        field("value", Kind::Gauge, FieldType::Float),
        field("float", Kind::Gauge, FieldType::Float),
        field("int", Kind::Gauge, FieldType::Int),
        field("uint", Kind::Counter, FieldType::Uint),
        field("seen", Kind::Gauge, FieldType::Bool),
        field("text", Kind::Gauge, FieldType::String),
        field("bytes_total", Kind::Counter, FieldType::Int),
    ],
};

const fn field(name: &'static str, kind: Kind, field_type: FieldType) -> FieldSchema {
    FieldSchema {
        name,
        kind,
        field_type,
        unit: None,
        help: "A field.",
    }
}

fn build(builder: tidemark_point::PointBuilder) -> Point {
    builder.build(&mut Adjustments::default()).expect("a point")
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "as Prometheus has them")]
fn to_the_last_digit() {
    let server = receiver(false);
    let scene = Scene::new();
    let (files, folder) = textfile(&scene);
    scene.sinks(&(remote_write("prometheus", &server) + &files));
    let now = SystemClock.now();
    let milliseconds = now.nanos().div_euclid(1_000_000);
    let floats = [
        0.1 + 0.2,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        -0.0,
        0.0,
        1e15,
        1e16,
        123_456_789.123_456_79,
        1.0 / 3.0,
    ];
    let ints = [
        i64::MAX,
        i64::MIN,
        0,
        -1,
        (1 << 53) + 1,
        9_007_199_254_740_993,
        1 << 62,
    ];
    let mut points = Vec::new();
    let mut wanted = BTreeSet::new();
    let mut want = |name: &str, tag: &str, value: f64| {
        let labels = [("__name__", name), ("a_b", tag)];
        let labels = labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        wanted.insert((labels, milliseconds, value.to_bits()));
    };
    for (number, float) in floats.into_iter().enumerate() {
        let tag = format!("float {number} \"é\\x=");
        want("test_values", &tag, float);
        want("test_values_float", &tag, -float);
        let builder = Point::builder("test values").tag("a.b", tag);
        points.push(build(
            builder.field("value", float).field("float", -float).time(now),
        ));
    }
    for (number, int) in ints.into_iter().enumerate() {
        let tag = format!("int {number}");
        want("test_values_int", &tag, int as f64);
        want("test_values_bytes_total", &tag, int.unsigned_abs() as f64);
        want("test_values_uint_total", &tag, (u64::MAX - number as u64) as f64);
        want("test_values_seen", &tag, f64::from(u8::from(number % 2 == 0)));
        let builder = Point::builder("test values").tag("a.b", tag).field("int", int);
        let builder = builder.field(
            "bytes_total",
            i64::try_from(int.unsigned_abs()).unwrap_or(i64::MAX),
        );
        let builder = builder
            .field("uint", u64::MAX - number as u64)
            .field("seen", number % 2 == 0);
        points.push(build(builder.field("text", "no number").time(now)));
    }
    let mut submitter = Submitter::new(&scene.home, &[VALUES]);
    submitter.submit(&Record::new("values", now, Duration::from_secs(60)), &points);
    let report = submitter.deliver();
    assert!(report.is_drained(), "{report:?}");
    let own = |(labels, ..): &Sample| labels["__name__"].starts_with("tidemark_");
    let found: BTreeSet<Sample> = stored(&server)
        .into_iter()
        .filter(|sample| !own(sample))
        .collect();
    assert_same(&found, &wanted);
    let ours = |text: &str| -> String {
        let ours = text.lines().filter(|line| line.starts_with("test_values"));
        ours.map(|line| format!("{line}\n")).collect()
    };
    let file = std::fs::read_to_string(folder.join("tidemark-values.prom")).expect("the page");
    assert_same(&page(&ours(&file), milliseconds), &wanted);
    // node_exporter itself loses the sign of a zero.
    let unsigned = |(labels, time, bits): Sample| (labels, time, (f64::from_bits(bits) + 0.0).to_bits());
    let served = page(&ours(&NodeExporter::start(&folder).scrape()), milliseconds);
    assert_same(&served, &wanted.into_iter().map(unsigned).collect());
}

/// What a Prometheus refuses for good is set aside with its words, and not sent again; the rest of the batch is stored.
#[test]
fn of_times_that_a_prometheus_refuses() {
    let server = receiver(false);
    let scene = Scene::new();
    scene.sinks(&remote_write("prometheus", &server));
    let now = SystemClock.now();
    let mut submitter = Submitter::new(&scene.home, &[]);
    let record = |at: Timestamp| Record::new("past", at, Duration::from_secs(60));
    submitter.submit(
        &record(now),
        &[build(Point::builder("m").field("f", 1.0).time(now))],
    );
    assert!(submitter.deliver().is_drained());

    let later = now.saturating_add(Duration::from_secs(1));
    let day = Duration::from_secs(86_400);
    let mut points: Vec<Point> = (0..40_u32)
        .map(|number| {
            build(
                Point::builder("m")
                    .tag("n", number.to_string())
                    .field("f", 2.0)
                    .time(later),
            )
        })
        .collect();
    for number in [7, 23] {
        let old = Point::builder("m")
            .tag("n", format!("old {number}"))
            .field("f", 3.0);
        points.insert(number, build(old.time(now.saturating_sub(day))));
    }
    // The same series again, with a time before the last one.
    let before = now.saturating_sub(Duration::from_secs(10));
    points.push(build(Point::builder("m").field("f", 4.0).time(before)));
    // And another value for a time that is there.
    let changed = build(Point::builder("m").field("f", 5.0).time(now));
    submitter.submit(&record(later), &points);
    submitter.submit(&record(later.saturating_add(day / 86_400)), &[changed]);
    let report = submitter.deliver();
    assert!(report.is_drained(), "{report:?}");

    let ledger = scene.ledger("prometheus");
    assert_eq!(ledger.figures(), (1 + 43 + 1 + 3, 48 - 4, 0, 4), "{ledger:?}");
    let rejected = scene
        .tidemark("outbox show --rejected")
        .run()
        .expect_code(0)
        .stdout;
    for reason in [
        "out of bounds",
        "out of order sample",
        "duplicate sample for timestamp",
    ] {
        assert!(rejected.contains(reason), "{reason:?} in: {rejected}");
    }
    let mut values: Vec<String> = Vec::new();
    for series in server.stored("m_f") {
        values.extend(series.samples.into_iter().map(|(_, value)| value));
    }
    values.sort();
    let good: Vec<String> = std::iter::once("1")
        .chain(std::iter::repeat_n("2", 40))
        .map(str::to_owned)
        .collect();
    assert_eq!(values, good);
    // Nothing of it is tried again.
    let report = submitter.deliver();
    assert!(
        report
            .sinks
            .iter()
            .all(|sink| sink.rejected == 0 && sink.delivered == 0),
        "{report:?}"
    );
}

/// A Prometheus that takes no remote writes: all is kept, and it is said which flag is missing.
#[test]
fn of_a_prometheus_without_the_receiver() {
    let server = Prometheus::start(PrometheusOptions::default());
    let scene = Scene::new();
    scene.sinks(&remote_write("prometheus", &server));
    scene.collect();
    let ledger = scene.ledger("prometheus");
    assert_eq!(ledger.figures(), (4, 0, 4, 0), "{ledger:?}");
    assert!(
        ledger.said().contains("--web.enable-remote-write-receiver"),
        "{ledger:?}"
    );
}

/// What is wrong with the way to a Prometheus is said, and all is kept; once it is mended all goes through.
#[test]
fn of_credentials_and_certificates_that_are_wrong() {
    let server = receiver(true);
    let scene = Scene::new();
    let right = remote_write("prometheus", &server);
    let (_, password) = server.user().expect("a user");
    let no_authority: String = right
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .map(|line| format!("{line}\n"))
        .collect();
    for (wrong, reason) in [
        (right.replace(password, "other"), "401"),
        (no_authority, "certificate"),
    ] {
        scene.sinks(&wrong);
        scene.collect();
        let ledger = scene.ledger("prometheus");
        assert_eq!((ledger.delivered, ledger.rejected), (0, 0), "{ledger:?}");
        assert!(ledger.said().contains(reason), "{reason}: {ledger:?}");
    }
    scene.sinks(&right);
    scene.flush();
    assert_eq!(scene.ledger("prometheus").figures(), (8, 8, 0, 0));
}

/// VictoriaMetrics takes what is sent to InfluxDB 2. It rounds values, and stores no strings.
#[test]
fn victoria_metrics_takes_what_influxdb_2_takes() {
    let (server, witness) = (VictoriaMetrics::start(), SinkServer::start());
    let scene = Scene::new();
    let url = server.url();
    let sink = format!(
        "[[sink]]\nname = \"victoria\"\ntype = \"influxdb2\"\nurl = \"{url}\"\norg = \"o\"\nbucket = \"b\"\ntoken = \"t\"\n\n"
    );
    scene.sinks(&(sink + &playing("witness", &witness)));
    scene.collect();
    scene.home.run("tidemark-host").bound(BOUND).run().expect_code(0);
    let sent = sent(&witness);
    let collected = sent.len() as u64;
    assert_eq!(scene.ledger("victoria").figures(), (collected, collected, 0, 0));
    // InfluxDB 2 knows no kinds, so no name ends in `_total` for its sake. VictoriaMetrics names the database as well.
    let mut wanted: BTreeMap<(BTreeMap<String, String>, i64), f64> = BTreeMap::new();
    for (labels, time, bits) in sent.iter().flat_map(|line| expected(line, &BTreeSet::new())) {
        wanted.insert((labels, time), f64::from_bits(bits));
    }
    let mut found = 0;
    for mut series in server.export("{__name__!=\"\"}") {
        series.labels.remove("db");
        for (time, value) in series.samples {
            let value: f64 = value.parse().expect("a number");
            let key = (series.labels.clone(), time);
            let wanted = wanted.get(&key).unwrap_or_else(|| panic!("{key:?} was not sent"));
            let apart = (value - wanted).abs();
            assert!(apart <= wanted.abs() * 1e-12, "{key:?}: {value} is not {wanted}");
            found += 1;
        }
    }
    assert_eq!(found, wanted.len());
}

/// A dry run's page is read by Prometheus, by its tool, and by our own strict reader.
#[test]
fn a_page_of_openmetrics_is_taken() {
    let scene = Scene::new();
    scene.sinks("");
    let source = Source::http();
    for program in ["tidemark-sponsoring", "tidemark-host"] {
        let dry = scene
            .home
            .run(program)
            .args(["-n", "--output", "openmetrics"])
            .bound(BOUND);
        let text = dry.run().expect_code(0).stdout;
        assert!(text.ends_with("# EOF\n"), "{text}");
        let path = scene.home.file("page.om", &text);
        let lint = format!("lint --from openmetrics {}", path.display());
        scene.tidemark(&lint).run().expect_code(0);
        let blocks = scene.home.path().join(format!("blocks-{program}"));
        let made = promtool::blocks_from_openmetrics(&path, &blocks);
        assert_eq!(made.code, Some(0), "{made:?}");

        let page = Answer::ok(&text).header(
            "Content-Type",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        );
        source.route("/metrics", page);
        let server = Prometheus::start(PrometheusOptions {
            targets: vec![format!("localhost:{}", source.port())],
            ..PrometheusOptions::default()
        });
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        // Asked at once: on a machine that is busy the next scrape may be too late, and say that there is nothing.
        let mut scraped = Vec::new();
        wait_until("a scrape", BOUND, || {
            scraped = server.query("scrape_samples_scraped and on (instance) up == 1", None);
            !scraped.is_empty()
        });
        assert_eq!(scraped[0].samples[0].1, samples.to_string(), "{program}");
        let begin = if program == "tidemark-host" {
            "host_"
        } else {
            "sponsoring_"
        };
        let found = server.stored(&format!("{{__name__=~\"{begin}.+\"}}"));
        assert_eq!(found.len(), samples, "{program}");
    }
}
