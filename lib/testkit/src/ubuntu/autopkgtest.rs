//! The documents of the autopkgtest service.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::names::{below, json, package, version, words};
use super::{ARCHITECTURES, Made, Size};
use crate::Random;

const SERIES: [&str; 5] = ["resolute", "questing", "noble", "jammy", "focal"];

/// `running.json`, 250 tests and 320 KB where it is real. The answer is how many run for each release and architecture.
pub fn running_json(size: Size) -> Made<BTreeMap<(String, String), i64>> {
    let mut random = Random::new(250);
    let mut text = String::from("{");
    let mut answer = BTreeMap::new();
    for number in 0..size.of(250) {
        let name = format!("{}-{number}", package(&mut random));
        let (series, arch) = (
            SERIES[below(&mut random, 5)],
            ARCHITECTURES[below(&mut random, 8)],
        );
        let trigger = format!("{}/{}", package(&mut random), version(&mut random));
        let parameters =
            format!("requester_britney;submit-time_2026-11-21 04:44:03+0000;triggers_['{trigger}'];");
        let mut log = String::new();
        for line in 0..12 {
            let _ = writeln!(
                log,
                "{}s {} \"{}\"",
                2_000 + line * 3,
                package(&mut random),
                words(&mut random, 8)
            );
        }
        let _ = write!(
            text,
            "{}{}: {{{}: {{\"{series}\": {{\"{arch}\": [{{\"requester\": \"britney\", \"submit-time\": \"2026-11-21 04:44:03+0000\", \"triggers\": [{}], \"uuid\": \"{:032x}\", \"all-proposed\": null}}, {}, {}]}}}}}}",
            if number == 0 { "" } else { ", " },
            json(&name),
            json(&parameters),
            json(&trigger),
            random.next_u64(),
            random.below(30_000),
            json(&log),
        );
        *answer.entry((series.to_owned(), arch.to_owned())).or_default() += 1;
    }
    text.push_str("}\n");
    Made { text, answer }
}

/// `queue_size.json`, with as many releases as asked for times five. The answer is each queue.
pub fn queue_size_json(size: Size) -> Made<BTreeMap<(String, String, String), i64>> {
    let mut random = Random::new(25);
    let mut text = String::from("{");
    let mut answer = BTreeMap::new();
    for (place, context) in ["ubuntu", "huge", "ppa", "upstream"].into_iter().enumerate() {
        let _ = write!(text, "{}\"{context}\": {{", if place == 0 { "" } else { ", " });
        for number in 0..size.of(5) {
            let series = SERIES
                .get(number)
                .map_or_else(|| format!("series-{number}"), |name| (*name).to_owned());
            let _ = write!(text, "{}\"{series}\": {{", if number == 0 { "" } else { ", " });
            for (place, arch) in ARCHITECTURES.iter().enumerate() {
                let count = i64::try_from(random.below(4_000)).expect("a small number");
                let _ = write!(text, "{}\"{arch}\": {count}", if place == 0 { "" } else { ", " });
                answer.insert((context.to_owned(), series.clone(), (*arch).to_owned()), count);
            }
            text.push('}');
        }
        text.push('}');
    }
    text.push_str("}\n");
    Made { text, answer }
}
