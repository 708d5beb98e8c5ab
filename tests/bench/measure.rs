//! Runs of several programs in turns, so that a warm cache or a busy moment is everybody's.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tidemark_testkit::{Ended, Run};

/// One program's figures.
pub(crate) struct Figures {
    /// What was run.
    pub(crate) name: &'static str,
    /// User and system time, the median.
    pub(crate) cpu: Duration,
    /// From start to end, the median.
    pub(crate) wall: Duration,
    /// Peak resident memory in bytes, the largest seen.
    pub(crate) peak: u64,
}

/// A program to measure, made anew for each round.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) make: Box<dyn Fn() -> Run + 'a>,
}

/// Runs each contender once a round; the first two rounds do not count.
pub(crate) fn in_turns(rounds: usize, contenders: &[Contender<'_>]) -> Vec<Figures> {
    let mut ended: Vec<Vec<Ended>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds + 2 {
        for (contender, ended) in contenders.iter().zip(&mut ended) {
            let run = (contender.make)().run().expect_code(0);
            if round >= 2 {
                ended.push(run);
            }
        }
    }
    contenders
        .iter()
        .zip(ended)
        .map(|(contender, ended)| Figures {
            name: contender.name,
            cpu: median(ended.iter().map(|run| run.cpu).collect()),
            wall: median(ended.iter().map(|run| run.wall).collect()),
            peak: ended.iter().map(peak).max().unwrap_or(0),
        })
        .collect()
}

/// Its peak memory: where a program says it of itself, no look from outside came too early.
fn peak(run: &Ended) -> u64 {
    let said = run.stderr.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = said.and_then(|said| said.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or(run.peak_memory, |kib| kib * 1024)
}

/// The middle one.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Prints the figures as a table, with the first one's share of each other's CPU and wall time.
pub(crate) fn table(title: &str, figures: &[Figures]) {
    println!(
        "\n### {title}\n| program | CPU ms | wall ms | peak MiB | CPU of the first / its CPU | wall of the first / its wall |"
    );
    println!("|---|---|---|---|---|---|");
    let first = &figures[0];
    for one in figures {
        println!(
            "| {} | {:.2} | {:.2} | {:.1} | {:.3} | {:.3} |",
            one.name,
            one.cpu.as_secs_f64() * 1e3,
            one.wall.as_secs_f64() * 1e3,
            mib(one.peak),
            first.cpu.as_secs_f64() / one.cpu.as_secs_f64(),
            first.wall.as_secs_f64() / one.wall.as_secs_f64(),
        );
    }
}

/// Bytes as MiB.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A file's size in MB.
pub(crate) fn size(path: &std::path::Path) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let bytes = fs::metadata(path).unwrap().len() as f64;
    bytes / 1e6
}

/// The CPU time that it takes of this process.
pub(crate) fn own_cpu(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let before = now();
    work();
    now() - before
}
