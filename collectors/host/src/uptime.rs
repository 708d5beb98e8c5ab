//! How long the host has been up, from `/proc/uptime`.

use crate::table::{Broken, decimal};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/uptime";

/// How long the host has been up.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_uptime")]
pub(crate) struct Uptime {
    /// The host's name.
    #[tag]
    host: String,
    /// Since the boot, the time asleep included.
    #[unit("seconds")]
    seconds: f64,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let text = topic.read(PATH)?;
    let seconds = parse(&text).map_err(|broken| CollectorError::parse(PATH, broken))?;
    let host = topic.host_name();
    topic.push(Uptime { host, seconds });
    Ok(())
}

/// `3227.47 5922.64`: the time up; the second word is the CPUs' idle time.
fn parse(text: &str) -> Result<f64, Broken> {
    decimal(text.split_ascii_whitespace().next(), "the uptime").map_err(|reason| Broken::at(1, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_word() {
        assert_eq!(parse("3227.47 5922.64\n"), Ok(3227.47));
        assert_eq!(parse("0.00 0.00\n"), Ok(0.0));
        assert_eq!(
            parse("").unwrap_err().to_string(),
            "line 1: the uptime is missing"
        );
        assert!(parse("soon").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
            let _ = parse(&text);
        }
    }
}
