//! Any bytes are read without harm, and each point among them is written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Timestamp};

fuzz_target!(|text: &[u8]| {
    let mut parser = line::parse(text).default_time(Timestamp::EPOCH);
    let mut end = 0;
    while let Some(item) = parser.next() {
        let range = parser.range();
        assert!(range.start >= end && range.end <= text.len() && !range.is_empty());
        end = range.end;
        let Ok(point) = item else { continue };
        if point.tag("time").is_some() {
            continue; // Line protocol leaves it out.
        }
        let mut counted = Adjustments::default();
        counted.time_keys = u64::from(point.field("time").is_some());
        let written = line::write(std::slice::from_ref(&point), Dialect::V2);
        let mut again = line::parse(&written);
        assert_eq!(again.next(), Some(Ok(point)));
        assert_eq!(again.next(), None);
        assert_eq!(again.adjustments(), &counted);
    }
    if let Ok(text) = str::from_utf8(text) {
        let _ = line::parse_line(text);
    }
});
