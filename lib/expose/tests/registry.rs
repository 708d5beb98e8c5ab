//! What a registry shows, and for how long.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tidemark_collect::{ManualClock, Timestamp};
use tidemark_expose::{Family, Omitted, Registry, Source};
use tidemark_point::exposition::{Entry, Format, Reader};
use tidemark_testkit::promtool;

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds).unwrap()
}

fn registry() -> (Registry, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(at(1_700_000_000)));
    (Registry::new(clock.clone()), clock)
}

/// Labels, and values by family.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a Family, f64)]);

fn show(source: &Source, group: &str, rows: &[Row<'_>]) -> Omitted {
    let mut samples = source.samples();
    for (labels, values) in rows {
        samples.row(labels.iter().copied(), at(1_700_000_000));
        for (family, value) in *values {
            samples.value(family, *value);
        }
    }
    source.publish(group, samples, HALF_A_MINUTE)
}

/// The samples of a page that a strict reader takes, in order.
fn read(page: &[u8], format: Format) -> Vec<String> {
    let entries: Result<Vec<_>, _> = Reader::new(page, format).collect();
    let entries = entries.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(page)));
    let sample = |entry: &Entry<'_>| match entry {
        Entry::Sample(sample) => {
            let labels: BTreeMap<String, String> = sample
                .labels()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            Some(format!("{} {labels:?} {}", sample.name(), sample.value))
        }
        _ => None,
    };
    entries.iter().filter_map(sample).collect()
}

/// The page in both formats, which a strict reader takes and which hold the same.
fn shown(registry: &Registry, source: Option<&str>) -> Vec<String> {
    let [openmetrics, prometheus] = [Format::OpenMetrics, Format::Prometheus]
        .map(|format| read(&registry.snapshot(source).page(format).text(), format));
    assert_eq!(openmetrics, prometheus);
    prometheus
}

#[test]
fn families_are_grouped_across_sources_and_groups() {
    let (registry, _) = registry();
    let (up, heat) = (
        Family::new("up", "Whether \"it\" is\nup \\ down.\u{7}"),
        Family::new("heat_total", ""),
    );
    let one = registry.source("one", &[("cluster", "one"), ("where", "here \"or\\\nthere\"")]);
    let two = registry.source("two", &[("cluster", "two"), ("where", "-")]);
    for source in [&two, &one] {
        let rows: [Row<'_>; 2] = [
            (&[("node", "1")], &[(&up, 1.0), (&heat, 0.5)]),
            (&[("node", "2")], &[(&up, 0.0), (&heat, 1e300)]),
        ];
        assert!(show(source, "a", &rows).is_empty());
        assert!(show(source, "b", &[(&[], &[(&up, 7.0)])]).is_empty());
    }
    let text = registry.snapshot(None).page(Format::OpenMetrics).text();
    let one_s = "cluster=\"one\",where=\"here \\\"or\\\\\\nthere\\\"\"";
    let two_s = "cluster=\"two\",where=\"-\"";
    assert_eq!(
        String::from_utf8(text).unwrap(),
        format!(
            "# TYPE heat_total gauge\n\
             heat_total{{{one_s},node=\"1\"}} 0.5 1700000000\n\
             heat_total{{{one_s},node=\"2\"}} 1e+300 1700000000\n\
             heat_total{{{two_s},node=\"1\"}} 0.5 1700000000\n\
             heat_total{{{two_s},node=\"2\"}} 1e+300 1700000000\n\
             # TYPE up gauge\n\
             # HELP up Whether \\\"it\\\" is\\nup \\\\ down.\n\
             up{{{one_s},node=\"1\"}} 1 1700000000\n\
             up{{{one_s},node=\"2\"}} 0 1700000000\n\
             up{{{one_s}}} 7 1700000000\n\
             up{{{two_s},node=\"1\"}} 1 1700000000\n\
             up{{{two_s},node=\"2\"}} 0 1700000000\n\
             up{{{two_s}}} 7 1700000000\n\
             # EOF\n"
        )
    );
    let text = registry.snapshot(Some("two")).page(Format::Prometheus).text();
    assert_eq!(
        String::from_utf8(text.clone()).unwrap(),
        format!(
            "# TYPE heat_total untyped\n\
             heat_total{{{two_s},node=\"1\"}} 0.5 1700000000000\n\
             heat_total{{{two_s},node=\"2\"}} 1e+300 1700000000000\n\
             # TYPE up gauge\n\
             # HELP up Whether \"it\" is\\nup \\\\ down.\n\
             up{{{two_s},node=\"1\"}} 1 1700000000000\n\
             up{{{two_s},node=\"2\"}} 0 1700000000000\n\
             up{{{two_s}}} 7 1700000000000\n"
        )
    );
    assert_eq!(registry.snapshot(None).len(), 10);
    let checked = promtool::check_metrics(text);
    // Its lint wants help of every family; that of this one is not known.
    assert!(
        checked.stderr.lines().all(|line| line.contains("no help text")),
        "{}",
        checked.stderr
    );
    shown(&registry, None);
}

#[test]
fn samples_expire_when_the_next_are_overdue() {
    let (registry, clock) = registry();
    let up = Family::new("up", "");
    let source = registry.source("one", &[]);
    show(&source, "a", &[(&[("x", "a")], &[(&up, 1.0)])]);
    clock.advance(Duration::from_secs(40));
    show(&source, "b", &[(&[("x", "b")], &[(&up, 1.0)])]);
    assert_eq!(shown(&registry, None).len(), 2);
    clock.advance(Duration::from_secs(5));
    assert_eq!(
        shown(&registry, None).len(),
        2,
        "45 s of an interval of 30 s are over"
    );
    clock.advance(Duration::from_nanos(1));
    assert_eq!(shown(&registry, None), ["up {\"x\": \"b\"} 1"]);
    // A clock that goes back does not keep them for ever.
    clock.set(at(1_600_000_000));
    assert!(registry.snapshot(None).is_empty());
    clock.set(at(1_700_000_000));
    assert!(registry.snapshot(None).is_empty(), "forgotten");
}

#[test]
fn what_is_published_takes_the_place_of_what_was() {
    let (registry, _) = registry();
    let up = Family::new("up", "");
    let source = registry.source("one", &[]);
    let before = registry.snapshot(None);
    show(
        &source,
        "a",
        &[
            (&[("node", "1")], &[(&up, 1.0)]),
            (&[("node", "2")], &[(&up, 1.0)]),
        ],
    );
    show(&source, "b", &[(&[("node", "3")], &[(&up, 1.0)])]);
    let held = registry.snapshot(None);
    show(&source, "a", &[(&[("node", "2")], &[(&up, 5.0)])]);
    assert_eq!(
        shown(&registry, None),
        ["up {\"node\": \"2\"} 5", "up {\"node\": \"3\"} 1"]
    );
    source.retain(|group| group == "b");
    assert_eq!(shown(&registry, None), ["up {\"node\": \"3\"} 1"]);
    // Who asked before sees what there was.
    assert_eq!((before.len(), held.len()), (0, 3));
    assert_eq!(
        held.page(Format::Prometheus)
            .text()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        4
    );
}

#[test]
fn a_source_that_goes_takes_its_samples_along() {
    let (registry, _) = registry();
    let up = Family::new("up", "");
    let old = registry.source("one", &[("cluster", "a")]);
    show(&old, "a", &[(&[], &[(&up, 1.0)])]);
    // The same again keeps what there is, and the old handle has no say any more.
    let new = registry.source("one", &[("cluster", "a")]);
    show(&old, "a", &[(&[], &[(&up, 2.0)])]);
    drop(old);
    assert_eq!(shown(&registry, None), ["up {\"cluster\": \"a\"} 1"]);
    let renamed = registry.source("one", &[("cluster", "b")]);
    assert!(registry.snapshot(Some("one")).is_empty());
    drop(new);
    show(&renamed, "a", &[(&[], &[(&up, 3.0)])]);
    assert_eq!(shown(&registry, Some("one")), ["up {\"cluster\": \"b\"} 3"]);
    assert!(shown(&registry, Some("two")).is_empty());
    drop(renamed);
    assert!(registry.snapshot(None).is_empty());
    assert!(registry.sources().is_empty());
}

#[test]
fn of_one_series_the_last_sample_counts() {
    let (registry, clock) = registry();
    let (up, same) = (Family::new("up", ""), Family::new("up", "another of that name"));
    let source = registry.source("one", &[("cluster", "a")]);
    let omitted = show(
        &source,
        "a",
        &[
            (&[("x", "1")], &[(&up, 1.0)]),
            (&[("x", "2")], &[(&up, 2.0)]),
            (&[("x", "1")], &[(&up, 3.0)]),
            (&[("x", "3")], &[(&up, 4.0)]),
            (&[("x", "3")], &[(&up, 5.0)]),
        ],
    );
    assert_eq!(omitted.repeated, 2);
    assert_eq!(
        omitted.to_string(),
        "2 samples left out: a later one has the same name and labels"
    );
    assert_eq!(shown(&registry, None).len(), 3);
    // In another group of the source, under a family of the same name.
    clock.advance(Duration::from_secs(1));
    show(&source, "0", &[(&[("x", "2")], &[(&same, 6.0)])]);
    // In another source, whose label is this one's own.
    clock.advance(Duration::from_secs(1));
    let other = registry.source("other", &[("cluster", "b")]);
    show(
        &other,
        "a",
        &[
            (&[("x", "1"), ("cluster", "a")], &[(&up, 7.0)]),
            (&[], &[(&up, 8.0)]),
        ],
    );
    assert_eq!(
        shown(&registry, None),
        [
            "up {\"cluster\": \"a\", \"x\": \"2\"} 6",
            "up {\"cluster\": \"a\", \"x\": \"3\"} 5",
            "up {\"cluster\": \"a\", \"x\": \"1\"} 7",
            "up {\"cluster\": \"b\"} 8",
        ]
    );
}

#[test]
fn sources_whose_labels_fall_together_do_not_break_the_page() {
    let (registry, _) = registry();
    let up = Family::new("up", "");
    let one = registry.source("one", &[("a", "1")]);
    let two = registry.source("two", &[("b", "2")]);
    let three = registry.source("three", &[("a", "1")]);
    show(&one, "g", &[(&[("b", "2")], &[(&up, 1.0)])]);
    show(&two, "g", &[(&[("a", "1")], &[(&up, 1.0)])]);
    show(&three, "g", &[(&[("b", "2")], &[(&up, 1.0)])]);
    assert_eq!(shown(&registry, None).len(), 1);
}

#[test]
fn names_and_labels_are_made_valid() {
    let (registry, _) = registry();
    let family = Family::new("node.cpu-idle/avg%", "é\tx");
    assert_eq!((family.name(), family.help()), ("node_cpu_idle_avg_", "é x"));
    let source = registry.source("one", &[("9", "nine"), ("key_9", "dup"), ("empty", "kept")]);
    let omitted = show(
        &source,
        "a",
        &[
            (
                &[("b c", "1"), ("b_c", "2"), ("none", ""), ("ü", "\u{1f600}")],
                &[(&family, 1.0)],
            ),
            (
                &[("__name__", "x"), ("le", "0.5")],
                &[(&family, -0.25), (&family, f64::NAN)],
            ),
        ],
    );
    assert_eq!((omitted.label_clashes, omitted.not_finite), (1, 1));
    assert_eq!(
        shown(&registry, None),
        [
            "node_cpu_idle_avg_ {\"b_c\": \"1\", \"empty\": \"kept\", \"key_\": \"😀\", \"key_9\": \"nine\"} 1",
            "node_cpu_idle_avg_ {\"empty\": \"kept\", \"key_9\": \"nine\", \"key__name__\": \"x\", \"le\": \"0.5\"} -0.25",
        ]
    );
}

#[test]
fn a_long_page_comes_in_pieces() {
    let (registry, _) = registry();
    let families: Vec<Family> = (0..5)
        .map(|n| Family::new(&format!("f{n}"), "What it is."))
        .collect();
    let sources: Vec<Source> = (0..20)
        .map(|n| registry.source(&format!("{n:02}"), &[("cluster", &format!("{n:02}"))]))
        .collect();
    for source in &sources {
        let mut samples = source.samples();
        for node in 0..200 {
            samples.row([("node", node.to_string().as_str())], at(0));
            families
                .iter()
                .for_each(|family| samples.value(family, f64::from(node)));
        }
        source.publish("g", samples, HALF_A_MINUTE);
    }
    let mut page = registry.snapshot(None).page(Format::OpenMetrics);
    let mut pieces = Vec::new();
    loop {
        let mut piece = Vec::new();
        let more = page.write(&mut piece);
        assert!(piece.len() < 66_000, "{}", piece.len());
        pieces.push(piece);
        if !more {
            break;
        }
    }
    assert!(pieces.len() > 10, "{}", pieces.len());
    let text = pieces.concat();
    assert_eq!(read(&text, Format::OpenMetrics).len(), 20_000);
    assert_eq!(text, registry.snapshot(None).page(Format::OpenMetrics).text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is shown, a strict reader takes the page, and each series is there once, with its last value.
    #[test]
    fn every_page_is_valid(
        sources in prop::collection::vec(
            (
                prop::collection::vec(("[a-c_]{0,2}", "[xy\"\\\\\n,=]{0,3}"), 0..3),
                prop::collection::vec(
                    (
                        "[gh]",
                        prop::collection::vec(
                            (
                                prop::collection::vec(("[a-c_.]{0,2}|\\PC", "[xy\"\\\\\n,=]{0,3}|\\PC*"), 0..4),
                                prop::collection::vec((0_usize..5, any::<f64>()), 0..4),
                            ),
                            0..6,
                        ),
                    ),
                    0..3,
                ),
            ),
            0..4,
        ),
    ) {
        let (registry, clock) = registry();
        let families = ["up", "up", "a.b", "a_b", "x_total"].map(|name| Family::new(name, "Help \\ \"\n."));
        let mut kept = Vec::new();
        for (number, (labels, groups)) in sources.iter().enumerate() {
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            let source = registry.source(&number.to_string(), &labels);
            for (group, rows) in groups {
                let mut samples = source.samples();
                for (labels, values) in rows {
                    samples.row(labels.iter().map(|(name, value)| (&**name, &**value)), at(0));
                    for (family, value) in values {
                        samples.value(&families[*family], *value);
                    }
                }
                source.publish(group, samples, HALF_A_MINUTE);
                clock.advance(Duration::from_millis(1));
            }
            kept.push(source);
        }
        let lines = shown(&registry, None);
        let mut series: Vec<&str> = lines.iter().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
        series.sort_unstable();
        let count = series.len();
        series.dedup();
        prop_assert_eq!(series.len(), count);
    }
}
