//! `tidemark lint`: whether a page of metrics is right, and where it is not.

mod convert;
mod findings;
mod guess;
mod influx;
mod input;
mod meaning;
mod page;
mod translate;

use std::process::ExitCode;

use tidemark_app::exit::{self, Failure};
use tidemark_collect::{Clock as _, SystemClock};
use tidemark_point::exposition::Format;

use self::convert::Converter;
use self::findings::{Channel, Findings, Place};
use self::input::Input;
use crate::arguments::{ConvertedFormat, LintArguments, PageFormat};
use crate::wording::counted;

/// Checks what the line says.
pub(crate) fn lint(arguments: &LintArguments) -> Result<ExitCode, Failure> {
    let mut input = Input::open(arguments.file.as_deref())?;
    let channel = match arguments.to {
        Some(_) => Channel::Error,
        None => Channel::Output,
    };
    let mut findings = Findings::new(&input.name, channel);
    let read = check(arguments, &mut input, &mut findings)?;
    findings.sum_up(&read)?;
    Ok(ExitCode::from(match findings.is_clean() {
        true => exit::OK,
        false => exit::FAILED,
    }))
}

/// Checks the input; what it was, in words.
fn check(arguments: &LintArguments, input: &mut Input, findings: &mut Findings) -> Result<String, Failure> {
    let begin = Place::new(1, 1);
    if let Some(what) = input.is_no_text() {
        findings.mistake(begin, &what)?;
        return Ok("not text".to_owned());
    }
    if arguments.from.is_none()
        && let Some(what) = guess::something_else(&input.head)
    {
        findings.mistake(begin, what)?;
        return Ok("no page of metrics".to_owned());
    }
    if input.mark > 0 && !arguments.lenient {
        findings.mistake(
            begin,
            "a byte order mark, which becomes a part of the first name; save the file as UTF-8 without it",
        )?;
    }
    if input.head.is_empty() && arguments.from != Some(PageFormat::OpenMetrics) {
        findings.notice(begin, "there is nothing in it")?;
    }
    let now = SystemClock.now();
    let is_guessed = arguments.from.is_none();
    let guessed = |name: &str| match is_guessed {
        true => format!("{name} (found out; --from names another)"),
        false => name.to_owned(),
    };
    let is_line_protocol = match arguments.from {
        Some(from) => from == PageFormat::Influx,
        None => guess::is_line_protocol(&input.head),
    };
    if is_line_protocol {
        let mut converter = Converter::new(arguments.to);
        let points = influx::Lint::new(arguments, findings, &mut converter, now).run(input)?;
        converter.end(findings)?;
        return Ok(format!(
            "{}, {}",
            guessed("line protocol"),
            counted(points, "point", "points")
        ));
    }
    let page = page::read(input)?;
    let (format, name) = match arguments.from.unwrap_or_else(|| guess::exposition(&page)) {
        PageFormat::OpenMetrics => (Format::OpenMetrics, "OpenMetrics 1.0"),
        PageFormat::Prometheus | PageFormat::Influx => (Format::Prometheus, "Prometheus text 0.0.4"),
    };
    // From page to page, families stay as they are: that goes by no points.
    let of_points = arguments.to.filter(|to| *to != ConvertedFormat::OpenMetrics);
    let mut converter = Converter::new(of_points);
    let samples = page::lint(&page, format, arguments, now, findings, &mut converter)?;
    converter.end(findings)?;
    Ok(format!(
        "{}, {}",
        guessed(name),
        counted(samples, "sample", "samples")
    ))
}
