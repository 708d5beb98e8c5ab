//! What no input may do: end the program, or take more than its length in time.

use std::time::Duration;

use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use tidemark_settings::Size;

use crate::written::Written;

/// Pieces that settings are made of, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[host]\n".to_owned()),
        Just("[[sink]]\n".to_owned()),
        Just("[sink]\n".to_owned()),
        Just("[collector.host]\n".to_owned()),
        Just("[collector.host.x]\n".to_owned()),
        Just("[[collector.host]]\n".to_owned()),
        Just("type = \"influxdb\"\n".to_owned()),
        Just("type = \"store\"\n".to_owned()),
        Just("password = { file = \"/x\" }\n".to_owned()),
        Just("host.tags.a = \"b\"\n".to_owned()),
        Just("only = [\"a\", 5, [], {}]\n".to_owned()),
        Just("name = \"\"\"\n".to_owned()),
        "[a-z_]{1,8} = [0-9a-z\"'{}\\[\\],.: -]{0,12}\n",
        "[\\[\\]{}=.,\"'#\\\\\n a-z0-9é]{0,12}",
    ]
}

/// How long this thread has had a processor: what else the machine does is not in it.
fn busy() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_settings_or_mistakes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Written::main(bytes).report();
    }

    #[test]
    fn any_pieces_are_settings_or_mistakes(
        main in proptest::collection::vec(piece(), 0..12),
        beside in proptest::collection::vec(piece(), 0..6),
    ) {
        let written = Written::main(main.concat()).file("conf.d/a.toml", beside.concat());
        let written = written.known(&[("host", &["x"])]);
        // Each line of a report begins with a place.
        for line in written.report().lines() {
            prop_assert!(line.starts_with("F") || line.starts_with("D/conf.d"), "{line}");
        }
    }

    #[test]
    fn any_text_is_a_size_or_an_error(text in "[0-9. kKMGTiB-]{0,24}|.{0,24}") {
        if let Ok(size) = text.parse::<Size>() {
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}

/// The text of as near `bytes` as whole repetitions make.
fn repeated(before: &str, piece: impl Fn(usize) -> String, after: &str, bytes: usize) -> String {
    let mut text = before.to_owned();
    let mut index = 0;
    while text.len() < bytes {
        text.push_str(&piece(index));
        index += 1;
    }
    text.push_str(after);
    text
}

#[test]
fn the_largest_files_take_no_longer_than_their_length() {
    type Piece = fn(usize) -> String;
    let shapes: [(&str, &str, Piece, &str); 14] = [
        ("unknown sections", "", |index| format!("[s{index}]\n"), ""),
        ("unknown keys", "[host]\n", |index| format!("k{index} = 1\n"), ""),
        (
            "unknown keys of one line",
            "[host]\ntags = {",
            |index| format!("k{index} = 1, "),
            "z = 1 }\n",
        ),
        (
            "one key again and again",
            "[host]\n",
            |_| "name = 1\n".to_owned(),
            "",
        ),
        ("one section again and again", "", |_| "[host]\n".to_owned(), ""),
        (
            "one key again and again in a line",
            "[host]\ntags = {",
            |_| "k = 1, ".to_owned(),
            "k = 1 }\n",
        ),
        ("sinks", "", |_| "[[sink]]\n".to_owned(), ""),
        (
            "sinks of one name",
            "",
            |_| "[[sink]]\ntype = \"discard\"\n".to_owned(),
            "",
        ),
        ("wrong items", "[[sink]]\nonly = [", |_| "1,".to_owned(), "1]\n"),
        ("open lists", "a = ", |_| "[".to_owned(), ""),
        ("open tables", "a = ", |_| "{a=".to_owned(), ""),
        ("parts of a key", "", |_| "a.".to_owned(), "a = 1\n"),
        ("quotes", "a = ", |_| "\"".to_owned(), ""),
        ("garbage", "", |_| "= ] ".to_owned(), ""),
    ];
    for (name, before, piece, after) in shapes {
        let time = |bytes: usize| {
            let written = Written::main(repeated(before, piece, after, bytes));
            let start = busy();
            assert_ne!(written.report(), "", "{name}");
            busy() - start
        };
        let small = (0..3).map(|_| time(30_000)).min().unwrap_or_default();
        // Ten times the length: a hundred times the time would be quadratic. Others have the machine's caches too: hence
        // the room, and another try.
        let bound = small * 30 + Duration::from_millis(50);
        let large: Vec<Duration> = (0..3)
            .map(|_| time(300_000))
            .take_while(|time| *time >= bound)
            .collect();
        assert!(
            large.len() < 3,
            "{name}: {small:?} for 30 kB, {large:?} for 300 kB"
        );
    }
}
