//! Reading: the series that are meant, their samples in a range, their newest values.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::sqlite::SqliteRow;
use tidemark_point::{Adjustments, Point, Timestamp, Value};

use crate::database::{Database, json_list};
use crate::layout::{self, series_name};
use crate::layouts::{self, Layouts};
use crate::part::{Decoder, Wanted};
use crate::{LastValue, Selector, SeriesName, SeriesSamples, StoreError};

/// Series that are meant, and where they are.
#[derive(Debug)]
pub(crate) struct Found {
    /// The layouts that have any of them.
    layouts: Layouts,
    /// The series, in the order of their names.
    pub(crate) names: Vec<SeriesName>,
    /// By layout: which column is which series.
    columns: HashMap<i64, LayoutColumns>,
}

/// The columns of a layout that are wanted.
#[derive(Debug)]
struct LayoutColumns {
    wanted: Vec<bool>,
    /// The place of the series in `names`; not meant where the column is not wanted.
    series: Vec<usize>,
}

impl Found {
    /// Looks through the layouts for the series that are meant.
    pub(crate) async fn load(
        database: &mut Database,
        decoder: &mut Decoder,
        selector: &Selector,
    ) -> Result<Self, StoreError> {
        let measurement = selector.measurement.as_deref().and_then(escaped);
        let family = measurement.as_deref().map(layout::family);
        let layouts = layouts::of_family(database, &mut decoder.codec, family).await?;
        Ok(Self::new(layouts, selector, measurement.as_deref()))
    }

    /// Of those with the measurement, as keys have it, where one is given.
    fn new(mut layouts: Layouts, selector: &Selector, measurement: Option<&str>) -> Self {
        let may_match = |key: &str| {
            measurement.is_none_or(|name| {
                key.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
            })
        };
        let mut places: HashMap<(&str, &str), Option<usize>> = HashMap::new();
        let mut names: Vec<SeriesName> = Vec::new();
        let mut columns: HashMap<i64, LayoutColumns> = HashMap::new();
        for (id, layout) in &layouts {
            let mut wanted = Vec::with_capacity(layout.len());
            let mut series = Vec::with_capacity(layout.len());
            // The columns of a point are side by side: its key is read once.
            let mut point: Option<(&str, Option<SeriesName>)> = None;
            for (key, field, _) in layout.columns() {
                if !may_match(key) {
                    wanted.push(false);
                    series.push(usize::MAX);
                    continue;
                }
                let place = *places.entry((key, field)).or_insert_with(|| {
                    if point.as_ref().is_none_or(|(read, _)| *read != key) {
                        point = Some((key, series_name(key, "")));
                    }
                    let mut name = point.as_ref()?.1.clone()?;
                    name.field = field.to_owned();
                    if !selector.matches(&name) {
                        return None;
                    }
                    names.push(name);
                    Some(names.len() - 1)
                });
                wanted.push(place.is_some());
                series.push(place.unwrap_or(usize::MAX));
            }
            if wanted.contains(&true) {
                columns.insert(*id, LayoutColumns { wanted, series });
            }
        }
        drop(places);
        layouts.retain(|id, _| columns.contains_key(id));
        let mut found = Self {
            layouts,
            names,
            columns,
        };
        found.sort();
        found
    }

    /// Brings the names in order.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by(|a, b| self.names[*a].cmp(&self.names[*b]));
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        for columns in self.columns.values_mut() {
            for series in &mut columns.series {
                *series = place.get(*series).copied().unwrap_or(usize::MAX);
            }
        }
        self.names.sort_unstable();
    }

    /// Only the series from `range` of the names; their places count from its start.
    pub(crate) fn only(&self, range: &Range<usize>) -> HashMap<i64, Vec<bool>> {
        let mut only = HashMap::new();
        for (id, columns) in &self.columns {
            let wanted: Vec<bool> = columns
                .series
                .iter()
                .map(|series| range.contains(series))
                .collect();
            if wanted.contains(&true) {
                only.insert(*id, wanted);
            }
        }
        only
    }

    /// All of them.
    fn all(&self) -> HashMap<i64, Vec<bool>> {
        self.columns
            .iter()
            .map(|(id, columns)| (*id, columns.wanted.clone()))
            .collect()
    }
}

/// A measurement as series keys have it; `None` where no point can have it.
fn escaped(measurement: &str) -> Option<String> {
    let point = Point::builder(measurement)
        .field("x", 0_i64)
        .build(&mut Adjustments::default());
    point.ok().map(|point| point.series_key().to_owned())
}

/// The parts of a query, the one written first before the others: `layout`, order of writing, `data`.
struct Parts {
    rows: Vec<SqliteRow>,
}

impl Parts {
    /// Puts chunks before rows, each in the order of writing. All rows are newer than all chunks.
    fn sorted(database: &Database, chunks: Vec<SqliteRow>, rows: Vec<SqliteRow>) -> Result<Self, StoreError> {
        let mut keyed = Vec::with_capacity(chunks.len() + rows.len());
        for (rank, row) in chunks
            .into_iter()
            .map(|row| (0, row))
            .chain(rows.into_iter().map(|row| (1, row)))
        {
            keyed.push(((rank, database.get::<i64>(&row, 1)?), row));
        }
        keyed.sort_by_key(|(key, _)| *key);
        Ok(Self {
            rows: keyed.into_iter().map(|(_, row)| row).collect(),
        })
    }
}

/// The samples of `range` for the wanted columns, by the series' place in the names. Damaged parts are left out and
/// counted.
pub(crate) async fn samples(
    database: &mut Database,
    decoder: &mut Decoder,
    found: &Found,
    wanted: Option<&HashMap<i64, Vec<bool>>>,
    times: &Range<Timestamp>,
    damaged: &mut u64,
) -> Result<HashMap<usize, Vec<(Timestamp, Value)>>, StoreError> {
    let all;
    let wanted = match wanted {
        Some(wanted) => wanted,
        None => {
            all = found.all();
            &all
        }
    };
    let layouts = json_list(wanted.keys().copied());
    let (from, to) = (times.start.nanos(), times.end.nanos());
    let query = sqlx::query(
        "SELECT layout, sequence, data FROM chunk WHERE family IN (SELECT family FROM layout \
         WHERE id IN (SELECT value FROM json_each(?1))) AND last >= ?2 AND first < ?3 \
         AND layout IN (SELECT value FROM json_each(?1))",
    )
    .bind(layouts.clone())
    .bind(from)
    .bind(to);
    let chunks = database.fetch("read chunks", query).await?;
    let query = sqlx::query(
        "SELECT layout, id, data FROM fresh WHERE last >= ?2 AND first < ?3 \
         AND layout IN (SELECT value FROM json_each(?1))",
    )
    .bind(layouts)
    .bind(from)
    .bind(to);
    let rows = database.fetch("read rows", query).await?;
    let mut samples: HashMap<usize, Vec<(Timestamp, Value)>> = HashMap::new();
    for row in &Parts::sorted(database, chunks, rows)?.rows {
        let id: i64 = database.get(row, 0)?;
        let data: &[u8] = database.get(row, 2)?;
        let (Some(layout), Some(columns), Some(wanted)) =
            (found.layouts.get(&id), found.columns.get(&id), wanted.get(&id))
        else {
            continue;
        };
        let wanted = Wanted {
            columns: wanted,
            from,
            to,
        };
        let result = decoder.visit(data, layout, wanted, |column, time, cell| {
            if let Some(series) = columns.series.get(column) {
                let sample = (Timestamp::from_nanos_clamped(time), cell.to_value());
                samples.entry(*series).or_default().push(sample);
            }
        });
        *damaged += u64::from(result.is_err());
    }
    for series in samples.values_mut() {
        if !series.is_sorted_by(|a, b| a.0 < b.0) {
            // The order of writing stays among equal times, and the last of them counts.
            series.reverse();
            series.sort_by_key(|(time, _)| *time);
            series.dedup_by_key(|(time, _)| *time);
        }
    }
    Ok(samples)
}

/// The samples of `times` of all series that were found.
pub(crate) async fn range(
    database: &mut Database,
    decoder: &mut Decoder,
    found: Found,
    times: &Range<Timestamp>,
    damaged: &mut u64,
) -> Result<Vec<SeriesSamples>, StoreError> {
    let mut samples = samples(database, decoder, &found, None, times, damaged).await?;
    let series = found.names.into_iter().enumerate();
    Ok(series
        .filter_map(|(place, series)| {
            let samples = samples.remove(&place)?;
            Some(SeriesSamples { series, samples })
        })
        .collect())
}

/// The newest sample of a series so far: time, order of writing, value.
type Best = Option<(i64, (u8, i64), Value)>;

/// The newest values of all series that were found.
///
/// First the newest part of each layout is read; then those that may hold something newer for a series of theirs,
/// which are none where each part goes on where the one before ended.
pub(crate) async fn last(
    database: &mut Database,
    decoder: &mut Decoder,
    found: Found,
    damaged: &mut u64,
) -> Result<Vec<LastValue>, StoreError> {
    let mut best: Vec<Best> = vec![None; found.names.len()];
    let layouts = json_list(found.columns.keys().copied());
    let chunk_newest = sqlx::query(
        "SELECT layout, sequence, data, id FROM chunk WHERE id IN (SELECT id FROM \
         (SELECT id, max(last) FROM chunk WHERE layout IN (SELECT value FROM json_each(?)) GROUP BY layout))",
    )
    .bind(layouts.clone());
    let row_newest = sqlx::query(
        "SELECT layout, id, data, id FROM fresh WHERE id IN (SELECT id FROM \
         (SELECT id, max(last) FROM fresh WHERE layout IN (SELECT value FROM json_each(?)) GROUP BY layout))",
    )
    .bind(layouts);
    let chunks = database.fetch("read chunks", chunk_newest).await?;
    let rows = database.fetch("read rows", row_newest).await?;
    let mut seen = [Vec::new(), Vec::new()];
    for (rank, parts) in [(0, &chunks), (1, &rows)] {
        for part in parts {
            seen[usize::from(rank)].push(database.get::<i64>(part, 3)?);
            *damaged += u64::from(!improve(database, decoder, &found, rank, part, &mut best)?);
        }
    }
    drop((chunks, rows));

    let reach = found.reach(&best);
    let lowest = reach.values().copied().min().unwrap_or(i64::MAX);
    for (rank, candidates, read) in [
        (
            0_u8,
            "SELECT id, layout, last FROM chunk WHERE last >= ?",
            "SELECT layout, sequence, data FROM chunk WHERE id IN (SELECT value FROM json_each(?))",
        ),
        (
            1,
            "SELECT id, layout, last FROM fresh WHERE last >= ?",
            "SELECT layout, id, data FROM fresh WHERE id IN (SELECT value FROM json_each(?))",
        ),
    ] {
        let seen = &seen[usize::from(rank)];
        let mut ids = Vec::new();
        for row in database
            .fetch("look for newer parts", sqlx::query(candidates).bind(lowest))
            .await?
        {
            let id: i64 = database.get(&row, 0)?;
            let reach = reach.get(&database.get::<i64>(&row, 1)?);
            if reach.is_some_and(|reach| database.get::<i64>(&row, 2).is_ok_and(|last| last >= *reach))
                && !seen.contains(&id)
            {
                ids.push(id);
            }
        }
        if ids.is_empty() {
            continue;
        }
        let query = sqlx::query(read).bind(json_list(ids.into_iter()));
        for part in &database.fetch("read newer parts", query).await? {
            *damaged += u64::from(!improve(database, decoder, &found, rank, part, &mut best)?);
        }
    }
    Ok(found
        .names
        .into_iter()
        .zip(best)
        .filter_map(|(series, best)| {
            let (time, _, value) = best?;
            Some(LastValue {
                series,
                time: Timestamp::from_nanos_clamped(time),
                value,
            })
        })
        .collect())
}

impl Found {
    /// By layout: the time at and after which one of its parts may still improve a series of it.
    fn reach(&self, best: &[Best]) -> HashMap<i64, i64> {
        let time_of = |series: &usize| {
            best.get(*series)
                .map(|best| best.as_ref().map_or(i64::MIN, |best| best.0))
        };
        self.columns
            .iter()
            .map(|(id, columns)| {
                (
                    *id,
                    columns
                        .series
                        .iter()
                        .filter_map(time_of)
                        .min()
                        .unwrap_or(i64::MAX),
                )
            })
            .collect()
    }
}

/// Takes what is newer in a part. False where the part is damaged.
fn improve(
    database: &Database,
    decoder: &mut Decoder,
    found: &Found,
    rank: u8,
    part: &SqliteRow,
    best: &mut [Best],
) -> Result<bool, StoreError> {
    let id: i64 = database.get(part, 0)?;
    let order = (rank, database.get::<i64>(part, 1)?);
    let data: &[u8] = database.get(part, 2)?;
    let (Some(layout), Some(columns)) = (found.layouts.get(&id), found.columns.get(&id)) else {
        return Ok(true);
    };
    let result = decoder.visit(
        data,
        layout,
        Wanted::always(&columns.wanted),
        |column, time, cell| {
            let Some(best) = columns
                .series
                .get(column)
                .and_then(|series| best.get_mut(*series))
            else {
                return;
            };
            if best
                .as_ref()
                .is_none_or(|(newest, written, _)| (*newest, *written) <= (time, order))
            {
                *best = Some((time, order, cell.to_value()));
            }
        },
    );
    Ok(result.is_ok())
}
