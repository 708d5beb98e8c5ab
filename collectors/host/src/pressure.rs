//! Pressure stall information, from `/proc/pressure`: how much time was lost waiting for what is scarce.

use crate::table::{Rows, decimal, number, seconds};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

/// What can be scarce: each a file in `/proc/pressure`. Older kernels have no `irq`, some have none at all.
const RESOURCES: [&str; 4] = ["cpu", "memory", "io", "irq"];

/// Time lost by waiting for a resource.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_pressure")]
pub(crate) struct Pressure {
    /// The host's name.
    #[tag]
    host: String,
    /// What was waited for: cpu, memory, io or irq.
    #[tag]
    resource: &'static str,
    /// Who waited: `some` (at least one thread) or `full` (all that had something to do).
    #[tag]
    scope: &'static str,
    /// Share of the last ten seconds.
    #[unit("ratio")]
    avg10: f64,
    /// Share of the last minute.
    #[unit("ratio")]
    avg60: f64,
    /// Share of the last five minutes.
    #[unit("ratio")]
    avg300: f64,
    /// Time lost since the boot.
    #[unit("seconds")]
    #[counter]
    stalled_seconds: f64,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    for resource in RESOURCES {
        let path = format!("/proc/pressure/{resource}");
        let table = match topic.read_if_there(&path) {
            Ok(Some(text)) => parse(&text),
            Ok(None) => continue,
            Err(error) => {
                topic.gap(&error);
                continue;
            }
        };
        for Stall {
            scope,
            averages: [avg10, avg60, avg300],
            stalled_seconds,
        } in table.rows
        {
            let host = topic.host_name();
            topic.push(Pressure {
                host,
                resource,
                scope,
                avg10,
                avg60,
                avg300,
                stalled_seconds,
            });
        }
        if let Some(broken) = table.broken {
            topic.gap(&CollectorError::parse(&path, broken));
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Stall {
    scope: &'static str,
    /// Of 10, 60 and 300 seconds, as shares of one.
    averages: [f64; 3],
    stalled_seconds: f64,
}

/// `some avg10=0.43 avg60=1.61 avg300=2.12 total=19459445`: percent, and microseconds.
fn parse(text: &str) -> Rows<Stall> {
    Rows::read(text, 0, |line| {
        let mut words = line.split_ascii_whitespace();
        let scope = match words.next() {
            Some("some") => "some",
            Some("full") => "full",
            _ => return Err("neither some nor full".into()),
        };
        let mut word = |name: &str| {
            let word = words
                .next()
                .and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.ok_or_else(|| format!("{name} is missing"))
        };
        let averages = [
            share(word("avg10")?, "avg10")?,
            share(word("avg60")?, "avg60")?,
            share(word("avg300")?, "avg300")?,
        ];
        let stalled_seconds = seconds(number(Some(word("total")?), "total")?, 1e6);
        Ok(Some(Stall {
            scope,
            averages,
            stalled_seconds,
        }))
    })
}

/// Percent with two digits as a share of one: by way of a whole number, so that `0.07` is `0.0007` to the digit.
fn share(percent: &str, name: &str) -> Result<f64, String> {
    Ok((decimal(Some(percent), name)? * 100.0).round() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percent_becomes_a_share_and_microseconds_seconds() {
        let table = parse(
            "some avg10=0.43 avg60=1.61 avg300=0.07 total=19459445\n\
             full avg10=100.00 avg60=0.00 avg300=29.35 total=0\n",
        );
        assert_eq!(table.broken, None);
        assert_eq!(
            table.rows,
            [
                Stall {
                    scope: "some",
                    averages: [0.0043, 0.0161, 0.0007],
                    stalled_seconds: 19.459_445
                },
                Stall {
                    scope: "full",
                    averages: [1.0, 0.0, 0.2935],
                    stalled_seconds: 0.0
                },
            ]
        );
    }

    #[test]
    fn every_percent_is_its_share_to_the_digit() {
        for hundredths in 0..=10_000_u32 {
            let percent = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            assert_eq!(
                share(&percent, "n"),
                format!("{}e-4", hundredths).parse().map_err(|_| String::new())
            );
        }
    }

    #[test]
    fn a_broken_row_leaves_the_other() {
        let table =
            parse("some avg10=0.43 avg60=1.61 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n");
        assert_eq!(table.rows.len(), 1);
        assert!(
            table
                .broken
                .unwrap()
                .to_string()
                .starts_with("line 1: avg300 is missing in")
        );
        assert!(parse("most avg10=0.00").broken.is_some());
        assert!(parse("some avg10=-1 avg60=0 avg300=0 total=0").broken.is_some());
        assert_eq!(
            parse(""),
            Rows {
                rows: vec![],
                broken: None
            }
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|(some|full)( avg10=[0-9.]{0,9}| total=[0-9]{0,30}){0,5}") {
            let _ = parse(&text);
        }
    }
}
