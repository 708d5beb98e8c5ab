//! The parse of each source of over 1 MB beside the same in Python: whole processes that read the file from disk.

use std::path::Path;

use tidemark_testkit::ubuntu::{NOW, Size};
use tidemark_testkit::{Home, Run, program};

use super::cases::CASES;
use crate::measure::{Contender, Figures, in_turns, mib};

pub(crate) fn run() {
    let home = Home::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/parse.py");
    let program = program("examples/parse");
    let now = NOW.to_string();
    println!("\n### The parse of each long source beside Python: whole processes");
    println!(
        "| source | MB | CPU ms | Python | ratio | wall ms | Python | peak MiB | Python | ratio |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for case in CASES.iter().filter(|case| case.is_long) {
        let text = (case.make)(Size::REAL, NOW);
        let file = home.file("source", &text);
        let ours = || Run::new(&program).arg(case.name).arg(&file).arg(&now);
        let python = || {
            Run::new("/usr/bin/python3")
                .arg(&script)
                .arg(case.name)
                .arg(&file)
                .arg(&now)
        };
        // Both say the same, or there is nothing to compare.
        let (our, their) = (ours().run().expect_code(0), python().run().expect_code(0));
        assert_eq!(our.stdout, their.stdout, "{}", case.name);
        let figures = in_turns(
            10,
            &[
                Contender {
                    name: case.name,
                    make: Box::new(ours),
                },
                Contender {
                    name: "Python",
                    make: Box::new(python),
                },
            ],
        );
        row(text.len(), &figures);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn row(bytes: usize, figures: &[Figures]) {
    let [ours, python] = figures else {
        return;
    };
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    println!(
        "| {} | {:.2} | {:.2} | {:.1} | 1/{:.1} | {:.2} | {:.1} | {:.1} | {:.1} | 1/{:.1} |",
        ours.name,
        bytes as f64 / 1e6,
        milliseconds(ours.cpu),
        milliseconds(python.cpu),
        python.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
        milliseconds(ours.wall),
        milliseconds(python.wall),
        mib(ours.peak),
        mib(python.peak),
        python.peak as f64 / ours.peak as f64,
    );
}
