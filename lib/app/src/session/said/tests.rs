use super::*;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// Keeps what is said, a line each.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Heard {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("tidemark")
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let level = match *event.metadata().level() {
            Level::INFO if event.metadata().target() == RUN => "run".to_owned(),
            level => level.to_string().to_lowercase(),
        };
        let line = format!("{level}: {}", message.0);
        self.0.lock().expect("lock").push(line);
    }
}

impl Heard {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(Registry::default().with(self.clone()))
    }

    /// What was said since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("lock"))
    }

    /// But for what is for who asks.
    fn aloud(&self) -> Vec<String> {
        let mut lines = self.take();
        lines.retain(|line| !line.starts_with("debug: "));
        lines
    }
}

fn run(said: &mut Said, target: Option<&str>, gaps: &[&str], notices: &[&str], error: Option<&str>) {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    said.begin(target, &owned(gaps), &owned(notices));
    let outcome = error.map_or(Ok(()), |error| Err(Failure::run(error)));
    said.end(target, 5, "collected 5 points in 1.0 ms".to_owned(), outcome);
}

#[test]
fn a_run_without_a_target_is_said_and_what_is_known_still_is() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    run(&mut said, None, &["a gap"], &["a notice"], None);
    run(
        &mut said,
        None,
        &["a gap", "another"],
        &["a notice"],
        Some("it failed"),
    );
    run(&mut said, None, &[], &[], Some("it failed"));
    run(&mut said, None, &["a gap"], &[], None);
    assert_eq!(
        heard.take(),
        [
            "warn: a gap",
            "info: a notice",
            "run: collected 5 points in 1.0 ms",
            "info: still: a gap",
            "warn: another",
            "info: a notice",
            "error: it failed",
            "info: still: it failed",
            "warn: a gap",
            "run: collected 5 points in 1.0 ms",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_new_of_a_target_is_said_once_and_compared_with_its_own() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    for _ in 0..3 {
        for target in ["cl1", "cl2"] {
            run(
                &mut said,
                Some(target),
                &["no fans"],
                &["an old version"],
                Some("no answer"),
            );
        }
    }
    assert_eq!(
        heard.aloud(),
        [
            "warn: cl1: no fans",
            "info: cl1: an old version",
            "warn: cl1: no answer",
            "warn: cl2: no fans",
            "info: cl2: an old version",
            "warn: cl2: no answer",
        ]
    );
    run(&mut said, Some("cl2"), &[], &[], None);
    run(&mut said, Some("cl2"), &[], &[], None);
    // What names its target already does so once.
    run(&mut said, Some("cl2"), &["https://cl2:8080 is away"], &[], None);
    assert_eq!(
        heard.aloud(),
        ["info: cl2: well again", "warn: https://cl2:8080 is away"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_said_once_though_runs_look_at_other_things_in_turns() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    let turn = |said: &mut Said| {
        run(said, Some("cl1"), &["no disks"], &["an old version"], None);
        run(said, Some("cl1"), &[], &[], None);
    };
    for _ in 0..200 {
        turn(&mut said);
        tokio::time::advance(Duration::from_secs(30)).await;
    }
    assert_eq!(
        heard.aloud(),
        ["warn: cl1: no disks", "info: cl1: an old version"]
    );
    tokio::time::advance(KNOWN_FOR).await;
    turn(&mut said);
    assert_eq!(heard.aloud().len(), 2, "it was well for long");

    // A failure is over with the first run that is well.
    for _ in 0..2 {
        run(&mut said, Some("cl1"), &[], &[], Some("no answer"));
        run(&mut said, Some("cl1"), &[], &[], Some("no answer"));
        run(&mut said, Some("cl1"), &[], &[], None);
    }
    let due = ["warn: cl1: no answer", "info: cl1: well again"];
    assert_eq!(heard.aloud(), [due, due].concat());
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_target_is_bounded() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    for number in 0..MAX_KNOWN + 10 {
        run(&mut said, Some("cl1"), &[&format!("gap {number}")], &[], None);
        said.sum_up();
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert_eq!(said.targets["cl1"].known.len(), MAX_KNOWN);
}

#[tokio::test(start_paused = true)]
async fn a_line_a_minute_sums_up() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    let nothing = tokio::time::timeout(10 * PERIOD, said.period_ended()).await;
    assert!(nothing.is_err());
    let began = Instant::now();
    for round in 0..4 {
        for number in 0..6 {
            let target = format!("cl{number}");
            let why = "x".repeat(200);
            let error = (number > 1).then_some(why.as_str());
            let gaps: &[&str] = if round == 0 { &["a gap"] } else { &[] };
            run(&mut said, Some(&target), gaps, &[], error);
        }
    }
    said.period_ended().await;
    assert_eq!(began.elapsed(), PERIOD);
    heard.take();
    said.sum_up();
    let why = format!("({}…)", "x".repeat(100));
    let line = format!(
        "run: 24 runs of 6 targets: collected 40 points, with 6 gaps; 4 failing: cl2 {why}, cl3 {why}, cl4 {why} and 1 more"
    );
    assert_eq!(heard.take(), [line]);
    // Without runs there is nothing to sum up.
    said.sum_up();
    assert!(heard.take().is_empty());
    run(&mut said, Some("cl1"), &[], &[], None);
    heard.take();
    said.sum_up();
    let lines = heard.take();
    assert!(
        lines[0].starts_with("run: 1 run of 1 target: collected 5 points; 4 failing"),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_counted_and_new_in_the_next_minute() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    let targets: Vec<String> = (0..150).map(|number| format!("cl{number}")).collect();
    let round = |said: &mut Said| {
        for target in &targets {
            run(said, Some(target), &[], &[], Some("no network"));
        }
        heard.aloud()
    };
    assert_eq!(round(&mut said).len(), 100);
    assert_eq!(round(&mut said).len(), 0);
    said.sum_up();
    let sum = heard.aloud();
    assert!(sum[0].contains("; 100 more was to be said"), "{sum:?}");
    assert_eq!(round(&mut said).len(), 50);
    assert_eq!(round(&mut said).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn targets_are_bounded_and_forgotten() {
    let mut said = Said::default();
    for number in 0..MAX_TARGETS + 10 {
        run(&mut said, Some(&format!("cl{number}")), &["a gap"], &[], None);
    }
    assert_eq!(said.targets.len(), MAX_TARGETS);
    assert_eq!(said.period.runs, MAX_TARGETS + 10);
    for _ in 0..FORGOTTEN_AFTER - 1 {
        said.sum_up();
        run(&mut said, Some("cl0"), &[], &[], None);
    }
    assert_eq!(said.targets.len(), MAX_TARGETS);
    said.sum_up();
    assert_eq!(said.targets.len(), 1);
}

#[test]
fn a_name_that_is_in_a_text_by_chance_is_said() {
    for (target, text, expected) in [
        (
            "cl1",
            "https://cl1.example.com:8080/x: no",
            "https://cl1.example.com:8080/x: no",
        ),
        ("cl1", "cl1: is down", "cl1: is down"),
        ("cl1", "https://cl17:8080/x: no", "cl1: https://cl17:8080/x: no"),
        ("cl1", "cl17 is not cl1", "cl1: cl17 is not cl1"),
        (
            "down",
            "check that it is not down",
            "down: check that it is not down",
        ),
        ("", "text", "text"),
    ] {
        assert_eq!(named(target, text), expected);
    }
}

#[test]
fn what_differs_in_a_count_alone_is_known() {
    let heard = Heard::default();
    let _listens = heard.listen();
    let mut said = Said::default();
    let broken = |whole: u32| format!("https://cl1/current: the body broke off ({whole} bytes were whole)");
    run(&mut said, Some("cl1"), &[], &[], Some(&broken(17_895)));
    assert_eq!(heard.aloud().len(), 1);
    run(&mut said, Some("cl1"), &[], &[], Some(&broken(4)));
    run(
        &mut said,
        Some("cl1"),
        &[],
        &["left out: 2 of null"],
        Some(&broken(21)),
    );
    run(
        &mut said,
        Some("cl1"),
        &[],
        &["left out: 12 of null"],
        Some(&broken(22)),
    );
    assert_eq!(heard.aloud(), ["info: cl1: left out: 2 of null"]);
    // Over, and begun again.
    run(&mut said, Some("cl1"), &[], &[], None);
    assert_eq!(heard.aloud(), ["info: cl1: well again"]);
    run(&mut said, Some("cl1"), &[], &[], Some(&broken(5)));
    assert_eq!(heard.aloud().len(), 1);
}

#[test]
fn codes_and_names_are_no_counts() {
    for (text, expected) in [
        (
            "3 of null (first node.load.1min)",
            "N of null (first node.load.1min)",
        ),
        (
            "of its 17819 bytes, after 17819 bytes",
            "of its N bytes, after N bytes",
        ),
        (
            "not whole within 30 s (40 bytes came)",
            "not whole within N s (N bytes came)",
        ),
        (
            "https://10.0.0.1:8080/: busy (503)",
            "https://10.0.0.1:8080/: busy (503)",
        ),
        ("redirects (302) to b", "redirects (302) to b"),
        ("key 5min of node 12", "key 5min of node 12"),
        ("9", "9"),
        ("é9 b", "é9 b"),
        ("", ""),
    ] {
        assert_eq!(gist(text), expected);
    }
}
