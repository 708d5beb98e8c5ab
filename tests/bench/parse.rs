//! One parse in a process of its own, for the benchmark beside Python: reads a file as a collector reads that source, prints
//! the answer, and on standard error how much memory it took.
//!
//! `parse SOURCE FILE NOW`, with NOW in milliseconds since the epoch.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that cannot be made fails"
)]

#[path = "ubuntu/readings.rs"]
mod readings;

use std::fs::File;
use std::io::Read as _;
use std::iter;

use readings::{PIECE, Read, reading};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [source, file, now] = words.as_slice() else {
        panic!("parse SOURCE FILE NOW");
    };
    let now = now.parse().unwrap();
    let answer = match reading(source) {
        Read::Whole(parse) => parse(&std::fs::read_to_string(file).unwrap(), now),
        Read::Bytes(parse) => parse(&std::fs::read(file).unwrap(), now),
        Read::Pieces(parse) => {
            let mut file = File::open(file).unwrap();
            parse(&mut iter::from_fn(|| {
                let mut piece = vec![0; PIECE];
                let count = file.read(&mut piece).unwrap();
                piece.truncate(count);
                (count > 0).then_some(piece)
            }))
        }
    };
    print!("{answer}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    eprintln!("{}", peak.unwrap());
}
