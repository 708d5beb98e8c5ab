//! Compaction: many rows become few chunks.

use std::collections::{BTreeSet, HashMap};

use crate::StoreError;
use crate::database::{Database, json_list};
use crate::layouts;
use crate::merge::{Merger, Target};
use crate::part::Decoder;
use crate::write;

/// Samples that are merged at once: about 16 MiB of memory.
const MAX_SAMPLES: u64 = 1 << 20;

/// What compaction did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Compacted {
    /// Rows that became chunks.
    pub(crate) rows: u64,
    /// Samples of rows that were damaged, and are gone.
    pub(crate) damaged: u64,
}

/// Compacts where there are `min_rows` rows or more besides the newest.
pub(crate) async fn compact(
    database: &mut Database,
    decoder: &mut Decoder,
    min_rows: usize,
) -> Result<Compacted, StoreError> {
    let mut done = Compacted::default();
    let mut min_rows = min_rows;
    loop {
        database.begin("BEGIN IMMEDIATE").await?;
        let result = step(database, decoder, min_rows).await;
        let part = database.end(result).await?;
        done.rows += part.rows;
        done.damaged += part.damaged;
        if part.rows == 0 {
            return Ok(done);
        }
        // What is left over of these rows is taken too.
        min_rows = 1;
    }
}

/// What one step compacts.
struct Plan {
    /// The layouts of the rows, as JSON.
    layouts: String,
    /// The last id that is taken.
    until: i64,
}

/// Chooses the oldest rows, all but the newest: so rows are always newer than chunks, and the largest id in use never
/// goes down.
async fn plan(database: &mut Database, min_rows: usize) -> Result<Option<Plan>, StoreError> {
    let query = sqlx::query(
        "SELECT id, layout, samples FROM fresh WHERE id < (SELECT max(id) FROM fresh) ORDER BY id",
    );
    let rows = database.fetch("look for rows to compact", query).await?;
    if rows.len() < min_rows {
        return Ok(None);
    }
    let (mut until, mut samples) = (None, 0_u64);
    let mut layouts = BTreeSet::new();
    for row in rows {
        samples = samples.saturating_add(database.get::<i64>(&row, 2)?.cast_unsigned());
        if until.is_some() && samples > MAX_SAMPLES {
            break;
        }
        layouts.insert(database.get::<i64>(&row, 1)?);
        until = Some(database.get::<i64>(&row, 0)?);
    }
    Ok(until.map(|until| Plan {
        layouts: json_list(layouts.into_iter()),
        until,
    }))
}

async fn step(
    database: &mut Database,
    decoder: &mut Decoder,
    min_rows: usize,
) -> Result<Compacted, StoreError> {
    let Some(plan) = plan(database, min_rows).await? else {
        return Ok(Compacted::default());
    };
    let layouts = layouts::of_ids(database, &mut decoder.codec, plan.layouts).await?;
    let query =
        sqlx::query("SELECT layout, samples, data FROM fresh WHERE id <= ? ORDER BY id").bind(plan.until);
    let rows = database.fetch("read rows to compact", query).await?;
    let mut done = Compacted {
        rows: rows.len() as u64,
        damaged: 0,
    };
    let mut merger = Merger::default();
    // By layout, and by the columns of a grid.
    let mut sources = HashMap::new();
    for row in rows {
        let layout_id: i64 = database.get(&row, 0)?;
        let samples = database.get::<i64>(&row, 1)?.cast_unsigned();
        let data: &[u8] = database.get(&row, 2)?;
        let grids = layouts
            .get(&layout_id)
            .and_then(|layout| Some((layout, decoder.grids(data, layout).ok()?)));
        let Some((layout, grids)) = grids else {
            // A row that retention has emptied has no layout either, and no samples.
            done.damaged += samples;
            continue;
        };
        for grid in grids {
            let source = *sources
                .entry((layout_id, grid.columns.start, grid.columns.end))
                .or_insert_with(|| merger.source(layout, grid.columns));
            merger.add(source, grid.times, grid.values);
        }
    }
    let chunks = merger
        .finish(Target::Chunks, &mut decoder.codec)
        .map_err(|source| StoreError::Compress {
            path: database.path().to_path_buf(),
            source,
        })?;
    drop(merger);
    write::chunks(database, &mut decoder.codec, plan.until, chunks).await?;
    let query = sqlx::query("DELETE FROM fresh WHERE id <= ?").bind(plan.until);
    database.execute("delete compacted rows", query).await?;
    Ok(done)
}
