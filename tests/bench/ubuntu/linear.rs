//! Each parser over sources of one, ten and a hundred times a length.

use std::time::Duration;

use tidemark_testkit::ubuntu::NOW;

use super::cases::CASES;
use super::readings::{PIECE, Read, reading};
use crate::measure::own_cpu;

/// How often each is read at least; the quickest counts.
const ROUNDS: usize = 5;
/// As long as this, a source is read again and again.
const LEAST: Duration = Duration::from_millis(300);

pub(crate) fn run() {
    println!("\n### Each parser over 1, 10 and 100 times a source, CPU ns a byte");
    println!("| source | bytes at 1x | 1x | 10x | 100x | 100x / 1x |\n|---|---|---|---|---|---|");
    for case in CASES {
        let mut bytes = 0;
        let costs = [1, 10, 100].map(|times| {
            let text = (case.make)(case.first.times(times), NOW);
            if times == 1 {
                bytes = text.len();
            }
            cost(&text, reading(case.name))
        });
        println!(
            "| {} | {bytes} | {:.2} | {:.2} | {:.2} | {:.2} |",
            case.name,
            costs[0],
            costs[1],
            costs[2],
            costs[2] / costs[0],
        );
    }
}

/// CPU nanoseconds a byte, the quickest of several rounds.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn cost(text: &str, read: Read) -> f64 {
    let (mut best, mut all) = (Duration::MAX, Duration::ZERO);
    let mut round = 0;
    // What is quick is read many times a round: the clock has its grain.
    let times = (200_000 / text.len()).max(1);
    while round < ROUNDS || all < LEAST {
        let cpu = own_cpu(|| {
            for _ in 0..times {
                std::hint::black_box(answer(read, text));
            }
        });
        (best, all, round) = (best.min(cpu), all + cpu, round + 1);
    }
    best.as_nanos() as f64 / times as f64 / text.len() as f64
}

fn answer(read: Read, text: &str) -> String {
    match read {
        Read::Whole(parse) => parse(text, NOW),
        Read::Bytes(parse) => parse(text.as_bytes(), NOW),
        Read::Pieces(parse) => parse(&mut text.as_bytes().chunks(PIECE).map(<[u8]>::to_vec)),
    }
}
