//! What a strict reader takes, a lenient one reads the same, but for times that cannot be stored; and its entries, written plainly, are taken again.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use tidemark_point::exposition::{Entry, Exemplar, Format, Labels, Reader};

fuzz_target!(|page: &[u8]| {
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let strict: Result<Vec<_>, _> = Reader::new(page, format).collect();
        let Ok(strict) = strict else { continue };
        // What cannot be stored is a mistake to the lenient reader.
        let beyond = |entry: &Entry<'_>| matches!(entry, Entry::Sample(sample) if sample.is_time_beyond());
        if strict.iter().any(beyond) {
            continue;
        }
        let lenient: Result<Vec<_>, _> = Reader::new(page, format).lenient().collect();
        assert_eq!(format!("{lenient:?}"), format!("{:?}", Ok::<_, ()>(&strict)));
        let mut text = String::new();
        for entry in &strict {
            write(&mut text, entry, format);
        }
        let again: Result<Vec<_>, _> = Reader::new(text.as_bytes(), format).collect();
        let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(again.len(), strict.len());
    }
});

fn write(text: &mut String, entry: &Entry<'_>, format: Format) {
    let _ = match entry {
        Entry::Type { family, family_type } => {
            writeln!(
                text,
                "# TYPE {family} {}",
                family_type.name(format).unwrap_or_default()
            )
        }
        Entry::Unit { family, unit } => writeln!(text, "# UNIT {family} {unit}"),
        Entry::Help { family, help } => {
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            match format {
                Format::Prometheus => writeln!(text, "# HELP {family} {help}"),
                Format::OpenMetrics => writeln!(text, "# HELP {family} {}", help.replace('"', "\\\"")),
            }
        }
        Entry::Sample(sample) => {
            text.push_str(sample.name());
            labels(text, sample.labels());
            number(text, sample.value);
            if let Some(time) = sample.time {
                let _ = match format {
                    Format::Prometheus => write!(text, " {}", time.nanos() / 1_000_000),
                    Format::OpenMetrics => write!(text, " {}e-9", time.nanos()),
                };
            }
            if let Some(Exemplar { value, .. }) = &sample.exemplar {
                text.push_str(" # ");
                labels(
                    text,
                    sample.exemplar.iter().flat_map(|exemplar| exemplar.labels()),
                );
                number(text, *value);
            }
            writeln!(text)
        }
        Entry::Eof => writeln!(text, "# EOF"),
    };
}

fn labels<'a>(text: &mut String, labels: impl Iterator<Item = <Labels<'a> as Iterator>::Item>) {
    let labels: Vec<String> = labels
        .map(|(name, value)| {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("{name}=\"{value}\"")
        })
        .collect();
    let _ = write!(text, "{{{}}}", labels.join(","));
}

fn number(text: &mut String, value: f64) {
    let _ = match value.is_infinite() {
        true => write!(text, " {}Inf", if value < 0.0 { "-" } else { "+" }),
        false => write!(text, " {value:e}"),
    };
}
