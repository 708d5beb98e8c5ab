//! `tidemark show NAME`: a collector's values in the store.

mod text;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use tidemark_app::block_on;
use tidemark_app::exit::{self, Failure};
use tidemark_app::output::{Format, render};
use tidemark_collect::{Clock as _, Description, SystemClock, chain};
use tidemark_point::line::Dialect;
use tidemark_point::{Adjustments, Declarations, DeclaredField, Kind, Point, Timestamp, Value};
use tidemark_settings::{Settings, SinkKind, Span};
use tidemark_store::{LastValue, Selector, SeriesName, SeriesSamples, Store, StoreError};

use crate::Command;
use crate::catalogue;
use crate::state;
use crate::up::sink_text;

/// Prints the newest values, or those of the time `since`.
pub(crate) fn show(
    command: &Command,
    name: &str,
    since: Option<Span>,
    output: Option<Format>,
) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    let state = state::folder(command)?;
    let installed = catalogue::installed(&command.here);
    let described = catalogue::describe(name, catalogue::program(&installed, name)?)?;
    let Some(file) = state::file(&state, state::STORE)? else {
        return Err(nothing_stored(command, name, &loaded.settings, &state));
    };
    let now = SystemClock.now();
    let range = since.map(|since| now.saturating_sub(since.as_duration())..Timestamp::MAX);
    let series = block_on(async {
        let read = read(&file, &described.description, range).await;
        read.map_err(|error| Failure::run(chain(&error)))
    })?;
    if !takes(&loaded.settings, name) {
        // What is there is old: the operator should know before it is read.
        exit::complain(crate::PROGRAM, &not_a_sink(name, &loaded.settings, &state));
    }
    let text = match output {
        Some(format) => {
            let declarations = declarations(&described.description);
            let rendered = render(&points(&series), format, Dialect::V2, &declarations);
            if !rendered.left_out.is_empty() {
                exit::complain(crate::PROGRAM, &rendered.left_out.to_string());
            }
            rendered.text
        }
        None if series.is_empty() => {
            return Err(Failure::run(match since {
                Some(since) => format!(
                    "the store has no values of {name} of the last {since}; `tidemark status` says how it is"
                ),
                None => format!("the store has no values of {name}; `tidemark run {name}` collects some"),
            }));
        }
        None if since.is_some() => text::ranges(&series, &described.description, now).into_bytes(),
        None => text::newest(&series, &described.description, now).into_bytes(),
    };
    exit::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The series of the collector: its measurements, or all others' where names come from the source.
async fn read(
    file: &Path,
    description: &Description,
    range: Option<Range<Timestamp>>,
) -> Result<Vec<SeriesSamples>, StoreError> {
    let mut store = Store::open_read_only(file).await?;
    let mut selectors: Vec<Selector> = description
        .measurements
        .iter()
        .map(|measurement| Selector::new().measurement(measurement.name.as_str()))
        .collect();
    if description.dynamic {
        selectors = vec![Selector::new()];
    }
    let mut series = Vec::new();
    for selector in &selectors {
        match &range {
            Some(range) => series.extend(store.range(selector, range.clone()).await?),
            None => series.extend(store.last(selector).await?.into_iter().map(alone)),
        }
    }
    store.close().await?;
    Ok(series)
}

fn alone(last: LastValue) -> SeriesSamples {
    SeriesSamples {
        series: last.series,
        samples: vec![(last.time, last.value)],
    }
}

/// Whether the store is a sink that takes the collector's batches.
pub(crate) fn takes(settings: &Settings, name: &str) -> bool {
    settings
        .sinks
        .iter()
        .any(|sink| matches!(sink.kind, SinkKind::Store) && sink.takes(name))
}

fn nothing_stored(command: &Command, name: &str, settings: &Settings, state: &Path) -> Failure {
    if takes(settings, name) {
        let elsewhere = state::elsewhere(command, state).map(|hint| format!(" ({hint})"));
        return Failure::run(format!(
            "there is no store in {} yet; `tidemark run {name}` or `tidemark up` begins it{}",
            state.display(),
            elsewhere.unwrap_or_default()
        ));
    }
    Failure::run(not_a_sink(name, settings, state))
}

fn not_a_sink(name: &str, settings: &Settings, state: &Path) -> String {
    let takers = settings.sinks.iter().filter(|sink| sink.takes(name));
    let takers: Vec<String> = takers.map(|sink| sink_text(sink, state)).collect();
    let goes = if takers.is_empty() {
        "nowhere".to_owned()
    } else {
        takers.join(" and ")
    };
    format!(
        "the store is no sink for {name}: its points go to {goes}; a [[sink]] with type = \"store\" keeps them here too"
    )
}

/// What the collector's description says of its fields, for texts that have room for it.
fn declarations(description: &Description) -> Declarations {
    let mut declarations = Declarations::new();
    for measurement in &description.measurements {
        declarations.declare_measurement(&measurement.name, &measurement.help);
        for field in &measurement.fields {
            let declared = DeclaredField {
                kind: Kind::from_name(&field.kind).unwrap_or(Kind::Gauge),
                unit: field.unit.as_deref().map(Box::from),
                help: field.help.as_str().into(),
            };
            declarations.declare_field(&measurement.name, &field.name, declared);
        }
    }
    declarations
}

/// The samples as points again: one for each series of tags and time.
fn points(series: &[SeriesSamples]) -> Vec<Point> {
    type Key<'a> = (Timestamp, &'a str, &'a [(String, String)]);
    let mut grouped: BTreeMap<Key<'_>, Vec<(&str, &Value)>> = BTreeMap::new();
    for SeriesSamples {
        series: SeriesName {
            measurement,
            tags,
            field,
        },
        samples,
    } in series
    {
        for (time, value) in samples {
            grouped
                .entry((*time, measurement, tags))
                .or_default()
                .push((field, value));
        }
    }
    let point = |((time, measurement, tags), fields): (Key<'_>, Vec<(&str, &Value)>)| {
        let mut builder = Point::builder(measurement).time(time);
        for (key, value) in tags {
            builder = builder.tag(key, value);
        }
        for (field, value) in fields {
            builder = builder.field(field, value.clone());
        }
        // They were valid when they were stored.
        builder.build(&mut Adjustments::default()).ok()
    };
    grouped.into_iter().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(tags: &[(&str, &str)], field: &str, samples: &[(i64, Value)]) -> SeriesSamples {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let samples = samples
            .iter()
            .map(|(time, value)| (Timestamp::from_secs(*time).unwrap(), value.clone()));
        SeriesSamples {
            series: SeriesName {
                measurement: "m".into(),
                tags,
                field: field.into(),
            },
            samples: samples.collect(),
        }
    }

    #[test]
    fn fields_of_the_same_tags_and_time_are_one_point() {
        let points = points(&[
            series(&[("a", "1")], "x", &[(1, Value::Int(1)), (2, Value::Int(2))]),
            series(&[("a", "1")], "y", &[(2, Value::Bool(true))]),
            series(&[], "x", &[(2, Value::Float(0.5))]),
        ]);
        let text = String::from_utf8(tidemark_point::line::write(&points, Dialect::V2)).unwrap();
        assert_eq!(
            text,
            "m,a=1 x=1i 1000000000\nm x=0.5 2000000000\nm,a=1 x=2i,y=true 2000000000\n"
        );
    }
}
