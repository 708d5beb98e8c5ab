//! Any bytes are read as either text format without harm, and each mistake has a place in the page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::Timestamp;
use tidemark_point::exposition::{Entry, Format, Reader, points};

fuzz_target!(|page: &[u8]| {
    for format in [Format::Prometheus, Format::OpenMetrics] {
        for lenient in [false, true] {
            let reader = Reader::new(page, format);
            let reader = if lenient { reader.lenient() } else { reader };
            for entry in reader {
                match entry {
                    Ok(Entry::Sample(sample)) => {
                        let exemplar = sample.exemplar.iter().flat_map(|exemplar| exemplar.labels());
                        for (name, _) in sample.labels().chain(exemplar) {
                            assert!(!name.is_empty());
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let line = page.split(|&byte| byte == b'\n').nth(error.line - 1);
                        let length = line.unwrap_or_default().len();
                        assert!((1..=length + 1).contains(&error.column), "{error}");
                    }
                }
            }
        }
        for point in points(page, format, Timestamp::EPOCH).lenient().flatten() {
            assert_eq!(point.fields().count(), 1);
        }
    }
});
