//! A collector that behaves as its settings say: well, or badly in one of many ways. The tests run it.

use std::io::Write as _;

use tidemark_collect::{CollectorError, Context, Measurement, Metric, Point, Points, Schema, Settings, Span};

/// A value that can be told from others.
#[derive(Measurement)]
#[measurement("behaving")]
struct Value {
    /// Which of the run's points.
    #[tag]
    index: u64,
    /// The same as the index.
    value: u64,
    /// A third of it.
    #[unit("s")]
    third: f64,
}

/// Behaves as it is told.
#[derive(Settings)]
struct Behaving {
    /// What to do: ok, empty, partial, notice, fail, hostile, hang, block, panic, undeclared, twice.
    #[default("ok")]
    behaviour: String,
    /// How many points.
    #[default(3)]
    points: u64,
    /// How long a run takes at least.
    #[default("0s")]
    takes: Span,
}

impl Metric for Behaving {
    const NAME: &'static str = "behaving";
    const RUN_INTERVAL: Span = Span::minutes(1);
    const DEADLINE: Span = Span::secs(30);
    const MEASUREMENTS: &'static [&'static Schema] = &[Value::SCHEMA];

    #[expect(clippy::panic, reason = "one of the ways to behave badly")]
    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        if !self.takes.as_duration().is_zero() {
            // Who waits for the run to be under way cannot know by what is logged.
            let _ = writeln!(std::io::stderr(), "a run that takes {}", self.takes);
        }
        tokio::time::sleep(self.takes.as_duration()).await;
        let value = |index: u64| Value {
            index,
            value: index,
            third: f64::from(u32::try_from(index).unwrap_or(0)) / 3.0,
        };
        let mut points = Points::at(cx.now(), (0..self.points).map(value));
        match self.behaviour.as_str() {
            "ok" => {}
            "empty" => points = Points::new(),
            "partial" => cx.gap("one of two sources is missing"),
            "notice" => cx.notice("all is well, and more"),
            "fail" => {
                return Err(CollectorError::caused(
                    "http://source/page: the source is down",
                    "connection refused",
                ));
            }
            "hostile" => {
                let more = "x".repeat(10_000_000);
                return Err(CollectorError::other(format_args!(
                    "what a source says\nPRIORITY=0\nINJECTED=1\n\u{1b}[2J\u{0} {more}"
                )));
            }
            "hang" => std::future::pending().await,
            "block" => block(),
            "panic" => panic!("a mistake with a secret-free text"),
            "undeclared" => {
                let undeclared = Point::builder("behaving").field("other", 1_i64).time(cx.now());
                let point = undeclared.build(points.adjustments_mut());
                points.push_point(point.map_err(|error| CollectorError::caused("a point", error))?);
            }
            "twice" => points.extend_at(cx.now(), (0..self.points).map(value)),
            other => {
                return Err(CollectorError::other(format_args!(
                    "behaviour {other:?} is unknown"
                )));
            }
        }
        Ok(points)
    }
}

/// Never yields and never ends.
fn block() -> ! {
    loop {
        std::thread::park();
    }
}

tidemark_app::main!(Behaving);
