//! Open files of the whole host, from `/proc/sys/fs/file-nr`.

use crate::table::{Broken, number};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/sys/fs/file-nr";

/// Open files of the whole host.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_files")]
pub(crate) struct Files {
    /// The host's name.
    #[tag]
    host: String,
    /// File handles in use.
    open: u64,
    /// The most that there can be.
    max: u64,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let text = topic.read(PATH)?;
    let (open, max) = parse(&text).map_err(|broken| CollectorError::parse(PATH, broken))?;
    let host = topic.host_name();
    topic.push(Files { host, open, max });
    Ok(())
}

/// `591 0 2465620`: allocated, of these unused (0 since Linux 2.6), the most.
fn parse(text: &str) -> Result<(u64, u64), Broken> {
    let mut words = text.split_ascii_whitespace();
    let mut word = |name| number(words.next(), name).map_err(|reason| Broken::at(1, reason));
    let allocated = word("the number of file handles")?;
    let unused = word("the number of unused file handles")?;
    let max = word("the most file handles")?;
    let open = allocated
        .checked_sub(unused)
        .ok_or_else(|| Broken::at(1, format!("{unused} of {allocated} file handles unused")))?;
    Ok((open, max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn open_and_the_most() {
        assert_eq!(parse("591\t0\t2465620\n"), Ok((591, 2_465_620)));
        assert_eq!(
            parse("591 91 9223372036854775807"),
            Ok((500, 9_223_372_036_854_775_807))
        );
    }

    #[test]
    fn a_broken_file_says_what_is_wrong() {
        let said = |text| parse(text).unwrap_err().to_string();
        assert_eq!(said("591\t0"), "line 1: the most file handles is missing");
        assert_eq!(said("1 2 3"), "line 1: 2 of 1 file handles unused");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}|[0-9 \t]{0,80}") {
            let _ = parse(&text);
        }
    }
}
