//! The load averages, from `/proc/loadavg`.

use crate::table::{Broken, decimal};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/loadavg";

/// How many threads ran, waited for a CPU or for a disk, as a decaying mean.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_load")]
pub(crate) struct Load {
    /// The host's name.
    #[tag]
    host: String,
    /// Over the last minute.
    load1: f64,
    /// Over the last five minutes.
    load5: f64,
    /// Over the last fifteen minutes.
    load15: f64,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let text = topic.read(PATH)?;
    let [load1, load5, load15] = parse(&text).map_err(|broken| CollectorError::parse(PATH, broken))?;
    let host = topic.host_name();
    topic.push(Load {
        host,
        load1,
        load5,
        load15,
    });
    Ok(())
}

/// `0.36 0.76 0.42 1/94 11992`: the three averages.
fn parse(text: &str) -> Result<[f64; 3], Broken> {
    let mut words = text.split_ascii_whitespace();
    let mut average = |name| decimal(words.next(), name).map_err(|reason| Broken::at(1, reason));
    Ok([
        average("the load of one minute")?,
        average("the load of five minutes")?,
        average("the load of fifteen minutes")?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_averages() {
        assert_eq!(parse("0.36 0.76 0.42 1/94 11992\n"), Ok([0.36, 0.76, 0.42]));
        assert_eq!(parse("12345.00 0.00 0.01 2/3 4"), Ok([12345.0, 0.0, 0.01]));
    }

    #[test]
    fn a_broken_file_says_what_is_missing() {
        let said = |text| parse(text).unwrap_err().to_string();
        assert_eq!(said(""), "line 1: the load of one minute is missing");
        assert_eq!(
            said("0.36 0.76"),
            "line 1: the load of fifteen minutes is missing"
        );
        assert_eq!(
            said("0.36 nan 1"),
            "line 1: the load of five minutes is no decimal number: \"nan\""
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}|[0-9. /]{0,40}") {
            let _ = parse(&text);
        }
    }
}
