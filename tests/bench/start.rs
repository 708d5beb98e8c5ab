//! What a program costs before it does anything, and on disk.

use tidemark_testkit::{Run, program};

use crate::measure::{Contender, in_turns, size, table};

const PROGRAMS: [&str; 3] = ["tidemark-sponsoring", "tidemark-host", "tidemark"];

pub(crate) fn run() {
    let mut contenders: Vec<Contender<'_>> = PROGRAMS
        .iter()
        .map(|name| Contender {
            name,
            make: Box::new(|| Run::new(program(name)).arg("--help")),
        })
        .collect();
    contenders.push(Contender {
        name: "/bin/true",
        make: Box::new(|| Run::new("/bin/true")),
    });
    table("`--help`", &in_turns(60, &contenders));
    println!("\n| program | MB |\n|---|---|");
    for name in PROGRAMS {
        println!("| {name} | {:.2} |", size(&program(name)));
    }
}
