//! A collector with many targets, a file of its own, options and a subcommand of its own. The tests run it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidemark_app::clap::{Arg, ArgMatches, Command, value_parser};
use tidemark_app::exit::{Failure, print};
use tidemark_app::{Extras, Loaded, Surroundings};
use tidemark_collect::{
    Batch, Batches, CollectorError, Context, Measurement, Metric, Points, Schema, Settings, Span,
};
use tokio::time::{Instant, MissedTickBehavior};

/// A look at a target.
#[derive(Measurement)]
#[measurement("looked")]
struct Looked {
    /// At what.
    #[tag]
    target: String,
    /// Which of its points.
    #[tag]
    index: u64,
    /// How many looks there were since the program began, whatever the settings were meanwhile.
    count: u64,
}

/// Looks at targets.
#[derive(Settings)]
struct Targets {
    /// The file with the targets' names, a line each.
    #[default("/nowhere")]
    file: PathBuf,
    /// Those that fail.
    #[default([])]
    fail: Vec<String>,
    /// How many points each gives.
    #[default(1)]
    points: u64,
    /// How long it goes on after it was told to end.
    #[default("0s")]
    lingers: Span,
}

/// What is learnt of the settings, and kept between them.
struct Known {
    settings: Targets,
    names: Vec<String>,
    looks: Arc<AtomicU64>,
}

impl tidemark_collect::Section for Known {
    const SUMMARY: &'static str = <Targets as tidemark_collect::Section>::SUMMARY;
    const KEYS: &'static [tidemark_collect::__private::settings::Key] =
        <Targets as tidemark_collect::Section>::KEYS;

    fn read(reader: &mut tidemark_collect::__private::settings::SectionReader<'_>) -> Option<Self> {
        Some(Self {
            settings: Targets::read(reader)?,
            names: Vec::new(),
            looks: Arc::default(),
        })
    }
}

impl Known {
    fn look(&self, cx: &Context, name: &str) -> Batch {
        let of_target = cx.for_target(name);
        let count = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        let outcome = if self.settings.fail.iter().any(|fail| fail == name) {
            Err(CollectorError::other("it does not answer"))
        } else {
            let looked = |index: u64| Looked {
                target: name.to_owned(),
                index,
                count,
            };
            Ok(Points::at(cx.now(), (0..self.settings.points).map(looked)))
        };
        Batch::new(&of_target, cx.now(), Duration::from_millis(1), outcome)
    }
}

impl Metric for Known {
    const NAME: &'static str = "targets";
    const RUN_INTERVAL: Span = Span::secs(1);
    const DEADLINE: Span = Span::secs(5);
    const MEASUREMENTS: &'static [&'static Schema] = &[Looked::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let names = u64::try_from(self.names.len()).unwrap_or(0);
        let looked = |index: u64| Looked {
            target: "all".to_owned(),
            index,
            count: 1,
        };
        Ok(Points::at(cx.now(), (0..names).map(looked)))
    }

    async fn every(&self, cx: &Context, out: &mut Batches) -> Result<(), CollectorError> {
        let mut ticks = tokio::time::interval(cx.interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                () = cx.shutdown().fired() => break,
                _ = ticks.tick() => {}
            }
            for name in &self.names {
                out.send(self.look(cx, name)).await?;
            }
        }
        let end = Instant::now() + self.settings.lingers.as_duration();
        tokio::time::sleep_until(end).await;
        // The last word.
        out.send(self.look(cx, "goodbye")).await
    }

    fn take_over(&mut self, before: &Self) {
        self.looks = Arc::clone(&before.looks);
    }
}

struct Program;

impl Extras<Known> for Program {
    fn command(command: Command) -> Command {
        command
            .arg(
                Arg::new("file")
                    .long("file")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .help("Take the targets from this file"),
            )
            .subcommand(Command::new("greet").about("Say hello"))
    }

    fn subcommand(matches: &ArgMatches, _: &Surroundings) -> Option<Result<(), Failure>> {
        matches.subcommand_matches("greet").map(|_| print(b"hello\n"))
    }

    fn prepare(
        metric: &mut Known,
        loaded: &mut Loaded,
        matches: &ArgMatches,
        _: &Surroundings,
    ) -> Result<(), Failure> {
        if let Some(file) = matches.get_one::<PathBuf>("file") {
            metric.settings.file.clone_from(file);
        }
        let path = metric.settings.file.display();
        let text = std::fs::read_to_string(&metric.settings.file)
            .map_err(|error| Failure::settings(format!("{path} cannot be read: {error}")))?;
        metric.names = text.split_whitespace().map(str::to_owned).collect();
        if let Some(name) = metric.names.iter().find(|name| name.contains('!')) {
            let what = format!("{path}: {name:?} is no target\n{path}: mend it");
            return Err(Failure::settings(what));
        }
        assert_ne!(metric.names, ["panic"], "a mistake in the collector");
        if metric.names.is_empty() {
            loaded.notices.push(format!("{path} names no target"));
        }
        Ok(())
    }

    fn watched(metric: &Known) -> Vec<PathBuf> {
        vec![metric.settings.file.clone()]
    }
}

tidemark_app::main!(Known, Program);
