//! The ten Ubuntu collectors, each from local copies of its sources, through the real programs, into a real InfluxDB 1 over
//! HTTPS: measurements, tags, types and values are those that dashboards have been fed with for years.
//!
//! `contract` writes them out. `world` plays the sources; `expected` says which points they are.

mod contract;
mod dashboards;
mod expected;
mod images;
mod instant;
mod prometheus;
mod upgrade;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidemark_testkit::{Cell, Ended, Home, Influxd, InfluxdOptions, http};

use crate::scene::{BOUND, Line};
use expected::EXPECTED;
use instant::Instant;

pub(crate) use contract::{CONTRACT, INTERVALS};
pub(crate) use world::World;

/// A home for the ten, and where they send.
struct Stage {
    home: Home,
    world: World,
    server: Influxd,
}

impl Stage {
    /// As a host of the Python collectors is: the place to send to is in the environment, nothing of it in the settings.
    fn new() -> Self {
        let stage = Self {
            home: Home::new(),
            world: World::new(),
            server: Influxd::start(InfluxdOptions::https("collector", "it is a secret")),
        };
        stage.home.settings(&stage.world.settings());
        stage
    }

    fn run(&self, collector: &str) -> Ended {
        let (user, password) = self.server.user().expect("a user");
        self.home
            .run(&format!("tidemark-{collector}"))
            .env("INFLUXDB_HOSTNAME", "localhost")
            .env("INFLUXDB_PORT", self.server.port().to_string())
            .env("INFLUXDB_USERNAME", user)
            .env("INFLUXDB_PASSWORD", password)
            .env("INFLUXDB_DATABASE", self.server.database())
            .env("SSL_CERT_FILE", self.server.ca_file())
            .bound(BOUND)
            .run()
            .expect_code(0)
    }

    /// One run of each, at which nothing is amiss.
    fn run_all(&self) {
        for (collector, _) in INTERVALS {
            let ended = self.run(collector);
            assert_eq!(ended.stderr, "", "{collector}");
        }
    }

    /// Every point of the ten, as `measurement,tag=value field=value @time`, sorted.
    fn stored(&self) -> Vec<String> {
        let mut all = Vec::new();
        for contract in &CONTRACT {
            all.extend(stored(&self.server, contract.measurement, self.world.now));
        }
        all.sort_unstable();
        all
    }

    /// Writes line protocol as another client would.
    fn write(&self, lines: &str) {
        let (user, password) = self.server.user().expect("a user");
        let url = format!("{}/write?db={}", self.server.url(), self.server.database());
        let request = http::Request::post(&url, lines.as_bytes()).basic(user, password);
        let answer = request.trust(self.server.ca_file()).send().expect("an answer");
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// What a collector would submit now.
    fn dry_run(&self, collector: &str) -> String {
        let run = self.home.run(&format!("tidemark-{collector}")).bound(BOUND);
        let ended = run.args(["--dry-run", "--output", "influx"]).run();
        ended.expect_code(0).stdout
    }
}

/// The points of a measurement, read from the retention policy that dashboards name. A time is `now` where it is not before
/// `now`, else how long before.
fn stored(server: &Influxd, measurement: &str, now: Instant) -> Vec<String> {
    let mut points = Vec::new();
    for series in server.query(&format!("SELECT * FROM \"autogen\".\"{measurement}\" GROUP BY *")) {
        let tags: String = series
            .tags
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!(",{name}={value}"))
            .collect();
        for row in &series.rows {
            let time: i64 = row[0].number().parse().expect("a time");
            let fields: Vec<String> = (series.columns.iter().zip(row).skip(1))
                .filter(|(_, cell)| **cell != Cell::Null)
                .map(|(name, cell)| format!("{name}={}", value(name, cell)))
                .collect();
            let time = since(time, now);
            points.push(format!("{measurement}{tags} {} @{time}", fields.join(",")));
        }
    }
    points
}

/// What each source of a world comes to, where a line of line protocol is.
pub(crate) fn assert_expected<'a>(world: &World, lines: impl IntoIterator<Item = &'a Line>) {
    let points: Vec<String> = lines.into_iter().map(|line| point(line, world.now)).collect();
    assert_all(&points);
}

/// A line of line protocol as [`stored`] has it.
fn point(line: &Line, now: Instant) -> String {
    let tags = line.tags.iter().map(|(name, value)| format!(",{name}={value}"));
    let number = |name: &str, text: &str| match text.trim_end_matches('i').parse::<f64>() {
        Ok(age) if name == "cnf_age" => format!("{age:.2}"),
        Ok(number) => number.to_string(),
        Err(_) => text.to_owned(),
    };
    let fields: Vec<String> = line
        .fields
        .iter()
        .map(|(name, text)| format!("{name}={}", number(name, text)))
        .collect();
    let time = since(line.time, now);
    format!(
        "{}{} {} @{time}",
        line.measurement,
        tags.collect::<String>(),
        fields.join(",")
    )
}

/// `now` where that time in nanoseconds is not before it, else how long before.
fn since(time: i64, now: Instant) -> String {
    match now.0 - time.div_euclid(1_000_000_000) {
        ..=0 => "now".to_owned(),
        before if before % 3600 == 0 => format!("-{}h", before / 3600),
        before => format!("-{before}s"),
    }
}

/// These are all the points that are due, and no others.
#[track_caller]
fn assert_all(points: &[String]) {
    let due: Vec<&str> = EXPECTED.lines().filter(|line| !line.is_empty()).collect();
    let is_missing = |line: &&&str| !points.iter().any(|other| other == **line);
    let missing: Vec<&&str> = due.iter().filter(is_missing).collect();
    let strange: Vec<&String> = points
        .iter()
        .filter(|line| !due.contains(&line.as_str()))
        .collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "missing: {missing:#?}\nstrange: {strange:#?}"
    );
    assert_eq!(points.len(), due.len());
}

/// A value as text; an age that moves with each second to two digits.
fn value(name: &str, cell: &Cell) -> String {
    match cell {
        Cell::Number(text) if name == "cnf_age" => {
            let age: f64 = text.parse().expect("a number");
            format!("{age:.2}")
        }
        Cell::Number(text) | Cell::Text(text) => text.clone(),
        Cell::Bool(value) => value.to_string(),
        Cell::Null => String::new(),
    }
}

#[test]
fn each_point_is_what_the_dashboards_know() {
    let stage = Stage::new();
    stage.run_all();
    let names: BTreeSet<String> = stage
        .server
        .query("SHOW MEASUREMENTS")
        .iter()
        .flat_map(|series| &series.rows)
        .map(|row| row[0].text().to_owned())
        .filter(|name| !name.starts_with("tidemark_"))
        .collect();
    let due: BTreeSet<String> = CONTRACT
        .iter()
        .map(|contract| contract.measurement.to_owned())
        .collect();
    assert_eq!(names, due);
    for contract in &CONTRACT {
        let name = contract.measurement;
        let types: BTreeMap<String, String> = contract
            .fields
            .iter()
            .map(|(field, kind)| ((*field).to_owned(), (*kind).to_owned()))
            .collect();
        assert_eq!(stage.server.field_types(name), types, "{name}");
        let tags: Vec<String> = stage
            .server
            .query(&format!("SHOW TAG KEYS FROM \"{name}\""))
            .iter()
            .flat_map(|series| &series.rows)
            .map(|row| row[0].text().to_owned())
            .collect();
        assert_eq!(tags, contract.tags, "{name}");
    }
}

#[test]
fn each_value_is_what_the_sources_say() {
    let stage = Stage::new();
    stage.run_all();
    assert_all(&stage.stored());
}

/// Times of the source's own are written over; the others are an hour apart.
#[test]
fn a_run_an_hour_later_doubles_nothing() {
    let stage = Stage::new();
    let mut points = 0;
    for (collector, _) in INTERVALS {
        let lines = stage.dry_run(collector);
        let began = stage.world.now.0 * 1_000_000_000;
        for line in lines.lines() {
            let (rest, time) = line.rsplit_once(' ').expect("a time");
            let time: i64 = time.parse().expect("a time");
            // As it was an hour ago.
            let time = if time >= began {
                time - 3_600_000_000_000
            } else {
                time
            };
            stage.write(&format!("{rest} {time}\n"));
            points += 1;
        }
    }
    let before = stage.stored();
    assert_eq!(before.len(), points, "each point is one in the database");
    stage.run_all();
    let after = stage.stored();
    let of_now = after.iter().filter(|line| line.ends_with("@now")).count();
    assert!(of_now > 50, "{of_now}");
    assert_eq!(after.len(), before.len() + of_now);
    for line in after.iter().filter(|line| !line.ends_with("@now")) {
        assert!(before.contains(line), "it was there before: {line}");
    }
}

/// What `--describe` says is the contract: what the README's table, the timers and the dashboards' tests read.
#[test]
fn each_description_is_the_contract() {
    let home = Home::new();
    for (collector, interval) in INTERVALS {
        let run = home.run(&format!("tidemark-{collector}")).arg("--describe");
        let described: Value = serde_json::from_str(&run.run().expect_code(0).stdout).expect("JSON");
        assert_eq!(described["run_interval"], interval, "{collector}");
        assert_eq!(described["default"], "off", "{collector}");
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
        let mut found = BTreeMap::new();
        for measurement in list(&described["measurements"]) {
            let mut tags: Vec<String> = list(&measurement["tags"]).iter().map(name).collect();
            tags.sort_unstable();
            let fields = list(&measurement["fields"]);
            let fields: BTreeMap<String, String> = fields
                .iter()
                .map(|field| (name(field), field["type"].as_str().unwrap_or_default().to_owned()))
                .collect();
            found.insert(name(&measurement), (tags, fields));
        }
        let short = |kind: &str| match kind {
            "integer" => "int".to_owned(),
            "boolean" => "bool".to_owned(),
            kind => kind.to_owned(),
        };
        let due: BTreeMap<_, _> = CONTRACT
            .iter()
            .filter(|contract| contract.collector == collector)
            .map(|contract| {
                let tags: Vec<String> = contract.tags.iter().map(|tag| (*tag).to_owned()).collect();
                let fields = contract.fields.iter();
                let fields: BTreeMap<_, _> = fields
                    .map(|(name, kind)| ((*name).to_owned(), short(kind)))
                    .collect();
                (contract.measurement.to_owned(), (tags, fields))
            })
            .collect();
        assert_eq!(found, due, "{collector}");
    }
}

/// None runs before its section exists; the line that `list` shows switches it on.
#[test]
fn each_is_off_until_its_section_exists() {
    let home = Home::new();
    let list = || {
        home.run("tidemark")
            .arg("list")
            .bound(BOUND)
            .run()
            .expect_code(0)
            .stdout
    };
    let started = |list: &str, collector: &str| {
        let row = list
            .lines()
            .find(|line| line.split_whitespace().next() == Some(collector));
        let row = row.unwrap_or_else(|| panic!("no row of {collector}: {list}"));
        !row.contains(&format!("off: needs [collector.{collector}] in the settings"))
    };
    let none = list();
    let file = home.config();
    // Collectors of other fields are off too.
    let off: Vec<&str> = none
        .lines()
        .filter(|line| line.contains("off: needs ["))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(
        none.contains(&format!(
            "{} are off. To switch one on, write its section into {}",
            off.len(),
            file.display()
        )),
        "{none}"
    );
    assert!(none.ends_with("\n    [collector.autopkgtest]\n"), "{none}");
    let mut settings = String::new();
    for (collector, _) in INTERVALS {
        assert!(!started(&none, collector), "{none}");
    }
    for collector in off {
        settings += &format!("[collector.{collector}]\n");
    }
    home.settings(&settings);
    let all = list();
    for (collector, _) in INTERVALS {
        assert!(started(&all, collector), "{all}");
    }
    assert!(!all.contains("To switch"), "{all}");
}
