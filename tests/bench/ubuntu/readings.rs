//! The parsers of the collectors, each with its answer in words.

use std::fmt::Write as _;

use tidemark_britney::generated::Search;
use tidemark_britney::logs;
use tidemark_collect::Timestamp;
use tidemark_images::path::Series;
use tidemark_reports::{by_team, rls};
use tidemark_ubuntu::rows::{Row, recent, recent_named};
use tidemark_ubuntu::{apache_index, distro_info};
use tidemark_ubuntu_archive::{priority_mismatches, reviews, summary};
use tidemark_upload_queues::queue::Queue;
use tidemark_upload_queues::upload::Entry;

/// How a collector reads a source.
#[derive(Clone, Copy)]
pub(crate) enum Read {
    /// As a text that is there.
    Whole(fn(&str, i64) -> String),
    /// As bytes that are there.
    Bytes(fn(&[u8], i64) -> String),
    /// As it comes.
    Pieces(fn(&mut dyn Iterator<Item = Vec<u8>>) -> String),
}

/// The bytes that come at a time.
pub(crate) const PIECE: usize = 16 << 10;

/// How each is read, by its name.
pub(crate) const READINGS: &[(&str, Read)] = &[
    ("update_excuses_by_team.yaml", Read::Pieces(excuses_by_team)),
    ("update_excuses.html", Read::Pieces(generated)),
    ("update_excuses.csv", Read::Whole(excuses)),
    ("log", Read::Pieces(log)),
    ("rls-tracking.json", Read::Bytes(bugs)),
    ("getPackageUploads", Read::Bytes(uploads)),
    ("nbs.csv", Read::Whole(rows::<2>)),
    ("component-mismatches.csv", Read::Whole(rows::<4>)),
    ("outdate.txt", Read::Pieces(by_architecture)),
    ("uninst.txt", Read::Pieces(by_architecture)),
    (
        "priority-mismatches.txt",
        Read::Whole(|text, _| format!("{:?}", priority_mismatches::parse(text).unwrap())),
    ),
    (
        "+activereviews",
        Read::Whole(|text, _| format!("{:?}", reviews::count(text).unwrap())),
    ),
    ("an index, a table", Read::Whole(index)),
    ("an index, preformatted", Read::Whole(index)),
    ("distro-info", Read::Whole(releases)),
    ("a listing of rsync", Read::Whole(listing)),
    (
        "a report of versions",
        Read::Whole(|text, _| format!("{}", tidemark_versions::report::counts(text).counts.len())),
    ),
];

/// How that one is read.
pub(crate) fn reading(name: &str) -> Read {
    let known = READINGS.iter().find(|(known, _)| *known == name);
    known.unwrap().1
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(milliseconds).unwrap()
}

fn rows<const N: usize>(text: &str, now: i64) -> String {
    said(&recent::<N>(text, time(now)).unwrap().rows)
}

fn said<const N: usize>(rows: &[Row<N>]) -> String {
    let mut out = String::new();
    for row in rows {
        let _ = write!(out, "{}", row.time.nanos() / 1_000_000);
        for value in row.values {
            let _ = write!(out, " {value}");
        }
        out.push('\n');
    }
    out
}

fn excuses_by_team(pieces: &mut dyn Iterator<Item = Vec<u8>>) -> String {
    let mut out = String::new();
    for team in by_team::parse(pieces).unwrap().teams {
        let _ = writeln!(out, "{} {} {:?}", team.name, team.count, team.age);
    }
    out
}

fn generated(pieces: &mut dyn Iterator<Item = Vec<u8>>) -> String {
    let mut search = Search::default();
    let mut found = None;
    while let (None, Some(piece)) = (found, pieces.next()) {
        found = search.look(&piece);
    }
    let found = found.unwrap();
    format!("{}\n", found.timestamp())
}

fn excuses(text: &str, now: i64) -> String {
    let names = [
        "valid candidates",
        "not considered",
        "total",
        "median age",
        "backlog",
    ];
    said(&recent_named(text, "time", names, time(now)).unwrap().rows)
}

/// As from a server that knows no ranges: the beginning and the end of what comes.
fn log(pieces: &mut dyn Iterator<Item = Vec<u8>>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let beginning = pieces.next().unwrap();
    let started = logs::started(&text(&beginning[..256])).unwrap();
    let mut end = beginning;
    for piece in pieces {
        end.extend_from_slice(&piece);
        end.drain(..end.len().saturating_sub(256));
    }
    let finished = logs::finished(&text(&end)).unwrap();
    format!("{}\n", (finished - started).num_minutes())
}

fn bugs(json: &[u8], _: i64) -> String {
    let report = rls::parse(std::str::from_utf8(json).unwrap()).unwrap();
    let mut out = String::new();
    for (team, count) in &report.bugs {
        let _ = writeln!(out, "{team} {count}");
    }
    out
}

/// A page, of which the client of Launchpad takes the entries.
fn uploads(json: &[u8], now: i64) -> String {
    #[derive(serde::Deserialize)]
    struct Page {
        entries: Vec<Entry>,
    }
    let page: Page = serde_json::from_str(std::str::from_utf8(json).unwrap()).unwrap();
    let queue = Queue::of(page.entries, time(now));
    let (ages, types) = (queue.ages.unwrap(), queue.types.unwrap());
    format!(
        "{} {} {} {} {} {}\n",
        queue.count, ages.oldest, ages.backlog, types.source, types.binary, types.sync
    )
}

fn by_architecture(pieces: &mut dyn Iterator<Item = Vec<u8>>) -> String {
    let mut search = summary::Search::default();
    for piece in pieces {
        search.look(&piece).unwrap();
    }
    let summary = search.end().unwrap();
    let mut out = summary.generated.timestamp().to_string();
    for (arch, count) in &summary.counts {
        let _ = write!(out, " {arch}={count}");
    }
    out + "\n"
}

fn releases(text: &str, _: i64) -> String {
    let info = distro_info::DistroInfo::parse(text).unwrap();
    info.releases().len().to_string()
}

fn index(text: &str, _: i64) -> String {
    apache_index::parse(text).len().to_string()
}

fn listing(text: &str, _: i64) -> String {
    let series = Series {
        active: ["resolute", "questing", "noble", "jammy"]
            .map(str::to_owned)
            .into(),
        is_complete: true,
    };
    let listing = tidemark_images::listing::parse(text, &series);
    listing.images.len().to_string()
}
