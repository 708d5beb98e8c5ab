//! Any bytes are read without harm, and each point among them is written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::Timestamp;
use tidemark_point::line::{self, Dialect};

fuzz_target!(|text: &[u8]| {
    let mut parser = line::parse(text).default_time(Timestamp::EPOCH);
    let mut end = 0;
    while let Some(item) = parser.next() {
        let range = parser.range();
        assert!(range.start >= end && range.end <= text.len() && !range.is_empty());
        end = range.end;
        let Ok(point) = item else { continue };
        if point.tags().any(|tag| tag.0 == "time") || point.fields().any(|field| field.0 == "time") {
            continue; // Line protocol leaves these out.
        }
        let written = line::write(std::slice::from_ref(&point), Dialect::V2);
        let mut again = line::parse(&written);
        assert_eq!(again.next(), Some(Ok(point)));
        assert_eq!(again.next(), None);
        assert!(again.adjustments().is_empty());
    }
    if let Ok(text) = str::from_utf8(text) {
        let _ = line::parse_line(text);
    }
});
