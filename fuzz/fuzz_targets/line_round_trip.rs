//! Points of any parts are refused, or written as one line that is read back the same.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Point, Timestamp};

#[derive(Arbitrary, Debug)]
struct Parts {
    measurement: String,
    tags: Vec<(String, String)>,
    floats: Vec<(String, f64)>,
    ints: Vec<(String, i64)>,
    uints: Vec<(String, u64)>,
    strings: Vec<(String, String)>,
    time: i64,
}

fuzz_target!(|parts: Parts| {
    let mut builder = Point::builder(parts.measurement).time(Timestamp::from_nanos_clamped(parts.time));
    for (key, value) in parts.tags.into_iter().filter(|part| part.0 != "time") {
        builder = builder.tag(key, value);
    }
    for (key, value) in parts.floats.into_iter().filter(|part| part.0 != "time") {
        builder = builder.field(key, value);
    }
    for (key, value) in parts.ints.into_iter().filter(|part| part.0 != "time") {
        builder = builder.field(key, value);
    }
    for (key, value) in parts.uints.into_iter().filter(|part| part.0 != "time") {
        builder = builder.field(key, value);
    }
    for (key, value) in parts.strings.into_iter().filter(|part| part.0 != "time") {
        builder = builder.field(key, value);
    }
    let mut adjustments = Adjustments::default();
    let Ok(point) = builder.build(&mut adjustments) else {
        assert_eq!(adjustments.refused, 1);
        return;
    };
    let written = line::write(std::slice::from_ref(&point), Dialect::V2);
    assert_eq!(written.iter().filter(|&&byte| byte == b'\n').count(), 1);
    let mut read = line::parse(&written);
    assert_eq!(read.next(), Some(Ok(point)));
    assert_eq!(read.next(), None);
    assert!(read.adjustments().is_empty());
});
