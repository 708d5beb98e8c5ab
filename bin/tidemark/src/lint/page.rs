//! Checking a page of the text formats of Prometheus.

use tidemark_app::exit::Failure;
use tidemark_point::exposition::{Entry, Format, Reader, Sample, TextErrorKind};
use tidemark_point::{Adjustments, Point, PointError, Timestamp};

use super::convert::Converter;
use super::findings::{Findings, Place};
use super::input::Input;
use super::translate::{Translated, Translation};
use crate::arguments::{ConvertedFormat, LintArguments};
use crate::wording::counted;

/// The longest page. A scraped one is a hundred times smaller.
pub(super) const MAX_PAGE_BYTES: usize = 128 * 1024 * 1024;

/// The whole page.
pub(super) fn read(input: &mut Input) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    match input.read(MAX_PAGE_BYTES + 1, &mut page)? > MAX_PAGE_BYTES {
        true => Err(Failure::run(format!(
            "{}: this is longer than {MAX_PAGE_BYTES} bytes, which no page is: divide it; line protocol may be of any \
             length (--from influx)",
            input.name
        ))),
        false => Ok(page),
    }
}

/// Checks a page, and converts what is right; samples without a time have that of now then. How many samples it had.
pub(super) fn lint(
    page: &[u8],
    format: Format,
    arguments: &LintArguments,
    now: Timestamp,
    findings: &mut Findings,
    converter: &mut Converter,
) -> Result<u64, Failure> {
    let mut reader = Reader::new(page, format);
    if arguments.lenient {
        reader = reader.lenient();
    }
    let to_page = arguments.to == Some(ConvertedFormat::OpenMetrics);
    let mut translation = Translation::new(format);
    let mut adjustments = Adjustments::default();
    let (mut samples, mut without_time) = (0, 0_u64);
    while let Some(entry) = reader.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                findings.mistake(Place::new(error.line, error.column), &error.kind.to_string())?;
                continue;
            }
        };
        if let Entry::Sample(sample) = &entry {
            samples += 1;
            if converter.is_wanted() && sample.is_time_beyond() {
                let what = TextErrorKind::TimeNotStored.to_string();
                findings.mistake(Place::new(reader.line(), 1), &what)?;
                continue;
            }
            if converter.is_wanted() && !to_page {
                without_time += u64::from(sample.time.is_none());
                if let Some(point) = point(sample, now, &mut adjustments) {
                    converter.push(point)?;
                }
            }
        }
        if to_page {
            translation.add(entry);
        }
    }
    let whole = Place::new(1, 1);
    if to_page {
        let yielded = translation.yield_names();
        if yielded > 0 {
            let counters = counted(yielded, "counter is", "counters are");
            let what = format!("converted: {counters} of unknown type, for another family has the name");
            findings.notice(whole, &what)?;
        }
        match translation.page() {
            Ok(translated) => {
                report(&translated, findings)?;
                converter.print(&translated.page)?;
            }
            Err(error) => findings.mistake(
                whole,
                &format!("what is right in it makes no page of OpenMetrics: {}", error.kind),
            )?,
        }
    }
    if without_time > 0 {
        let without = counted(without_time, "sample has", "samples have");
        let what = format!("{without} no time, and that of now where they are converted");
        findings.notice(whole, &what)?;
    }
    if !adjustments.is_empty() {
        findings.notice(whole, &format!("converted: {adjustments}"))?;
    }
    Ok(samples)
}

/// Says what is not as it was.
fn report(translated: &Translated, findings: &mut Findings) -> Result<(), Failure> {
    let whole = Place::new(1, 1);
    for (name, why) in &translated.left_out {
        let what = format!("samples called {name} are left out of the converted page: {why}");
        findings.mistake(whole, &what)?;
    }
    for (name, why) in &translated.untyped {
        findings.notice(whole, &format!("converted: {name} is of unknown type: {why}"))?;
    }
    if translated.repeated > 0 {
        let repeated = counted(translated.repeated, "sample came", "samples came");
        let what = format!("converted: {repeated} before, and the first one counts");
        findings.notice(whole, &what)?;
    }
    Ok(())
}

/// A sample as a point, as [`tidemark_point::exposition::points`] makes it; none where it cannot be stored.
fn point(sample: &Sample<'_>, now: Timestamp, adjustments: &mut Adjustments) -> Option<Point> {
    let mut builder = Point::builder(sample.name());
    for (name, value) in sample.labels() {
        builder = builder.tag(name, value);
    }
    let built: Result<Point, PointError> = builder
        .field("value", sample.value)
        .time(sample.time.unwrap_or(now))
        .build(adjustments);
    built.ok()
}
