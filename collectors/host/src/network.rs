//! Network interfaces, from `/proc/1/net/dev`.

use crate::patterns::any_matches;
use crate::table::{Rows, number};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

/// The interfaces of the host's first process: a sandbox may give this one a network of its own, with `lo` alone.
const PATH: &str = "/proc/1/net/dev";
/// The interfaces that this process sees, where the first one is hidden.
const OWN_PATH: &str = "/proc/self/net/dev";
/// The two lines with the columns' names.
const HEADER_LINES: usize = 2;

/// One interface's work since it was made.
#[derive(Clone, Debug, PartialEq, Measurement)]
#[measurement("host_network")]
pub(crate) struct Network {
    /// The host's name.
    #[tag]
    host: String,
    /// The interface.
    #[tag]
    interface: String,
    /// Bytes received.
    #[unit("bytes")]
    #[counter]
    received_bytes: u64,
    /// Packets received.
    #[counter]
    received_packets: u64,
    /// Packets received that were bad.
    #[counter]
    received_errors: u64,
    /// Packets received that were dropped.
    #[counter]
    received_drops: u64,
    /// Bytes sent.
    #[unit("bytes")]
    #[counter]
    sent_bytes: u64,
    /// Packets sent.
    #[counter]
    sent_packets: u64,
    /// Packets that could not be sent.
    #[counter]
    sent_errors: u64,
    /// Packets to send that were dropped.
    #[counter]
    sent_drops: u64,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let (path, text) = match topic.read(PATH) {
        Ok(text) => (PATH, text),
        Err(_) => (OWN_PATH, topic.read(OWN_PATH)?),
    };
    let except = &topic.settings().interfaces_except;
    let table = parse(&text, &topic.host_name());
    for network in table.rows {
        if !any_matches(except, &network.interface) {
            topic.push(network);
        }
    }
    if let Some(broken) = table.broken {
        topic.gap(&CollectorError::parse(path, broken));
    }
    Ok(())
}

/// The columns up to the last that counts here.
const COLUMNS: [&str; 12] = [
    "bytes received",
    "packets received",
    "errors received",
    "drops received",
    "fifo errors received",
    "frame errors received",
    "compressed packets received",
    "multicast packets received",
    "bytes sent",
    "packets sent",
    "errors sent",
    "drops sent",
];

/// `  eth0: 98197827    5318    0    0 ...`: name, then of what was received and of what was sent eight columns each.
fn parse(text: &str, host: &str) -> Rows<Network> {
    Rows::read(text, HEADER_LINES, |line| {
        // A name may have a colon (an alias) but no space, and nothing need be between its last colon and a number.
        let (name, counts) = line.rsplit_once(':').ok_or("no colon")?;
        let interface = name.trim_ascii().to_owned();
        if interface.is_empty() {
            return Err("no name".into());
        }
        let mut words = counts.split_ascii_whitespace();
        let mut counts = [0; COLUMNS.len()];
        for (count, name) in counts.iter_mut().zip(COLUMNS) {
            *count = number(words.next(), name)?;
        }
        let [
            received_bytes,
            received_packets,
            received_errors,
            received_drops,
            _,
            _,
            _,
            _,
            sent @ ..,
        ] = counts;
        let [sent_bytes, sent_packets, sent_errors, sent_drops] = sent;
        Ok(Some(Network {
            host: host.to_owned(),
            interface,
            received_bytes,
            received_packets,
            received_errors,
            received_drops,
            sent_bytes,
            sent_packets,
            sent_errors,
            sent_drops,
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
";

    fn network(interface: &str, counts: [u64; 8]) -> Network {
        let [
            received_bytes,
            received_packets,
            received_errors,
            received_drops,
            ..,
        ] = counts;
        let [.., sent_bytes, sent_packets, sent_errors, sent_drops] = counts;
        Network {
            host: "h".into(),
            interface: interface.into(),
            received_bytes,
            received_packets,
            received_errors,
            received_drops,
            sent_bytes,
            sent_packets,
            sent_errors,
            sent_drops,
        }
    }

    #[test]
    fn eight_columns_each_way() {
        let table = parse(
            &format!(
                "{HEADER}  eth0: 98197827    5318    1    2    0     0          0         9   387827    3179    3    4    0     5       0          0\n"
            ),
            "h",
        );
        assert_eq!(table.broken, None);
        assert_eq!(
            table.rows,
            [network("eth0", [98_197_827, 5318, 1, 2, 387_827, 3179, 3, 4])]
        );
    }

    #[test]
    fn names_may_be_strange_and_numbers_huge() {
        let max = u64::MAX;
        let text = format!(
            "{HEADER}eth0:1:{max} 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\nété: 1 2 3 4 0 0 0 0 5 6 7 {max} 0 0 0 0\n"
        );
        let table = parse(&text, "h");
        assert_eq!(table.broken, None);
        let expected = [
            network("eth0:1", [max, 2, 3, 4, 5, 6, 7, 8]),
            network("été", [1, 2, 3, 4, 5, 6, 7, max]),
        ];
        assert_eq!(table.rows, expected);
    }

    #[test]
    fn a_broken_row_leaves_the_others() {
        let table = parse(
            &format!("{HEADER}lo: 1 2 3\neth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n: 1\nx\n"),
            "h",
        );
        assert_eq!(table.rows, [network("eth0", [1, 2, 3, 4, 5, 6, 7, 8])]);
        assert_eq!(
            table.broken.unwrap().to_string(),
            "line 3: drops received is missing in \"lo: 1 2 3\" (and 2 more lines)"
        );
        assert_eq!(
            parse("", "h"),
            Rows {
                rows: vec![],
                broken: None
            }
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|\n\n(eth[0-9]:( [0-9]{1,21}){0,16}\n){0,4}") {
            let _ = parse(&text, "h");
        }
    }
}
