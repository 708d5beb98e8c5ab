//! The tables that grow by a row each run: times in milliseconds, then numbers.

use std::fmt::Write as _;

use chrono::Days;

use super::{Made, Size, utc};
use crate::Random;

/// 12 hours.
const RECENT: i64 = 12 * 3_600_000;

/// What is right to read in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The rows of the last 12 hours, in their order: the time in milliseconds, then the columns. A row exactly 12 hours
    /// old is out.
    pub recent: Vec<(i64, Vec<i64>)>,
    /// Rows that are none, all of them within the last 12 hours.
    pub malformed: usize,
    /// All rows, the heading not counted.
    pub all: usize,
}

/// `update_excuses.csv`: a heading, and six years of rows, two an hour; 4 MB where it is real.
pub fn update_excuses_csv(size: Size, now: i64) -> Made<Rows> {
    let heading = "time,valid candidates,not considered,total,median age,backlog\n";
    table(
        heading,
        size.of(105_000),
        1_800_000,
        now,
        [400, 2_000, 2_400, 60, 900_000],
    )
}

/// `nbs.csv`: no heading, a row an hour; 1 MB where it is real.
pub fn nbs_csv(size: Size, now: i64) -> Made<Rows> {
    table("", size.of(48_000), 3_600_000, now, [300, 900])
}

/// `component-mismatches.csv`, and the one of the pocket `proposed`: no heading, two rows an hour; 1.6 MB where it is real.
pub fn component_mismatches_csv(size: Size, now: i64) -> Made<Rows> {
    table("", size.of(60_000), 1_800_000, now, [90, 200, 70, 300])
}

/// Rows of which the newest is a minute old; one lies exactly on the edge of 12 hours, one a millisecond within.
fn table<const N: usize>(heading: &str, rows: usize, step: i64, now: i64, most: [u64; N]) -> Made<Rows> {
    let mut random = Random::new(rows as u64 + N as u64);
    let mut text = heading.to_owned();
    let mut answer = Rows {
        recent: Vec::new(),
        malformed: 0,
        all: rows,
    };
    for row in (0..rows).rev() {
        let jitter = i64::try_from(random.below(60_000)).expect("below a minute");
        let steps = super::small(row);
        let mut time = now - 60_000 - steps * step - jitter;
        let at_edge = RECENT / step;
        if steps == at_edge {
            time = now - RECENT;
        } else if steps == at_edge - 1 {
            time = now - RECENT + 1;
        }
        let columns = most.map(|most| i64::try_from(random.below(most)).expect("a small number"));
        // What a run that was stopped leaves, and what a wrong median is.
        let wrong = match row {
            5 => Some(format!("{time},{}", columns[0])),
            7 => Some(format!("{time},nan,{}", text_of(&columns[1..]))),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let _ = writeln!(text, "{wrong}");
            answer.malformed += 1;
            continue;
        }
        let _ = writeln!(text, "{time},{}", text_of(&columns));
        if time > now - RECENT {
            answer.recent.push((time, columns.to_vec()));
        }
    }
    Made { text, answer }
}

fn text_of(columns: &[i64]) -> String {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    columns.join(",")
}

/// `distro-info`'s `ubuntu.csv` with so many releases of half a year each, of which every fourth has longer support; the
/// last is not yet released. The real one has 45. The answer is the series that are supported at `now`: released, and
/// before the later of `eol` and `eol-server`.
pub fn distro_info_csv(size: Size, now: i64) -> Made<Vec<String>> {
    let releases = size.of(45);
    let today = utc(now).date_naive();
    let mut text =
        String::from("version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy\n");
    let mut answer = Vec::new();
    for number in 0..releases {
        let before = Days::new(183 * (releases - number) as u64);
        let created = today.checked_sub_days(before).expect("a date");
        let release = created.checked_add_days(Days::new(190)).expect("a date");
        let long = number % 4 == 2;
        let eol = release
            .checked_add_days(Days::new(if long { 1_850 } else { 270 }))
            .expect("a date");
        let name = letters(number);
        let _ = write!(
            text,
            "{}.{:02},{} Ünicorn,{name},{created},{release},{eol}",
            number / 2 + 4,
            if number % 2 == 0 { 4 } else { 10 },
            name.to_uppercase()
        );
        if long {
            let esm = eol.checked_add_days(Days::new(1_825)).expect("a date");
            let _ = write!(text, ",{eol},{esm}");
        }
        text.push('\n');
        if release <= today && today <= eol {
            answer.push(name);
        }
    }
    Made { text, answer }
}

/// A codename for a number.
fn letters(mut number: usize) -> String {
    let mut name = String::from("series");
    loop {
        name.push(char::from(b'a' + u8::try_from(number % 26).expect("a letter")));
        number /= 26;
        if number == 0 {
            return name;
        }
    }
}
