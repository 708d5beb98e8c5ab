//! Lines of any bytes that can be read become pages that the strict reader takes, and a body of remote write.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::exposition::{self, Entry, Format, Reader, Times};
use tidemark_point::{Declarations, DeclaredField, Kind, Omission, line, remote_write};

fuzz_target!(|text: &[u8]| {
    let lines: Vec<_> = line::read(text).filter_map(Result::ok).collect();
    let mut declarations = Declarations::new();
    for line in &lines {
        for (index, (field, _)) in line.fields().iter().enumerate() {
            let declared = DeclaredField {
                kind: [Kind::Gauge, Kind::Counter][index % 2],
                unit: Some(field.as_ref().into()),
                help: field.as_ref().into(),
            };
            declarations.declare_field(&line.measurement(), field, declared);
        }
    }
    assert_eq!(declarations.to_string().parse(), Ok(declarations.clone()));
    let values: usize = lines.iter().map(|line| line.fields().len()).sum();
    let left_out = |left_out: &tidemark_point::LeftOut| -> u64 {
        Omission::ALL.into_iter().map(|reason| left_out.count(reason)).sum()
    };
    for declarations in [&Declarations::new(), &declarations] {
        for format in [Format::OpenMetrics, Format::Prometheus] {
            let page = exposition::write(&lines, declarations, format, Times::Keep);
            let entries: Result<Vec<_>, _> = Reader::new(&page.text, format).collect();
            let samples = match entries {
                Ok(entries) => entries.iter().filter(|entry| matches!(entry, Entry::Sample(_))).count(),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(samples, page.samples);
            assert_eq!(values as u64, page.samples as u64 + left_out(&page.left_out));
        }
        let request = remote_write::encode(&lines, declarations);
        assert_eq!(values as u64, request.samples as u64 + left_out(&request.left_out));
    }
});
