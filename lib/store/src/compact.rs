//! Compaction: many rows of a family become few chunks.

use std::collections::HashMap;

use crate::StoreError;
use crate::database::Database;
use crate::layouts;
use crate::merge::Merger;
use crate::part::{Cell, Decoder, Wanted};
use crate::write;

/// Rows of a family that are worth a compaction.
const MIN_ROWS: i64 = 64;
/// Samples that are merged at once: about 32 MiB of memory.
const MAX_SAMPLES: u64 = 1 << 20;

/// What compaction did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Compacted {
    /// Rows that became chunks.
    pub(crate) rows: u64,
    /// Samples of rows that were damaged, and are gone.
    pub(crate) damaged: u64,
}

/// Compacts each family that has at least `min_rows` rows, where given, else the usual number.
pub(crate) async fn compact(
    database: &mut Database,
    decoder: &mut Decoder,
    min_rows: Option<i64>,
) -> Result<Compacted, StoreError> {
    let min_rows = min_rows.unwrap_or(MIN_ROWS).max(1);
    let query = sqlx::query("SELECT family FROM fresh GROUP BY family HAVING count(*) > ?").bind(min_rows);
    let rows = database.fetch("look for rows to compact", query).await?;
    let mut done = Compacted::default();
    for row in &rows {
        let family: u8 = database.get(row, 0)?;
        loop {
            database.begin("BEGIN IMMEDIATE").await?;
            let result = compact_family(database, decoder, family, min_rows).await;
            let part = database.end(result).await?;
            done.rows += part.rows;
            done.damaged += part.damaged;
            if part.rows == 0 {
                break;
            }
        }
    }
    Ok(done)
}

/// Compacts a family's oldest rows, all but its newest: so a family's rows are always written after its chunks,
/// the layout of its next batch is mostly still there, and the largest id in use never goes down.
async fn compact_family(
    database: &mut Database,
    decoder: &mut Decoder,
    family: u8,
    min_rows: i64,
) -> Result<Compacted, StoreError> {
    let query =
        sqlx::query("SELECT id, samples FROM fresh WHERE family = ? ORDER BY id").bind(i64::from(family));
    let mut rows = Vec::new();
    for row in database.fetch("look for rows to compact", query).await? {
        rows.push((
            database.get::<i64>(&row, 0)?,
            database.get::<i64>(&row, 1)?.cast_unsigned(),
        ));
    }
    rows.pop();
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) < min_rows {
        return Ok(Compacted::default());
    }
    let mut samples = 0_u64;
    let mut sequence = 0;
    for (nth, (id, count)) in rows.iter().enumerate() {
        samples = samples.saturating_add(*count);
        if nth > 1 && samples > MAX_SAMPLES {
            break;
        }
        sequence = *id;
    }
    let layouts = layouts::of_family(database, &mut decoder.codec, Some(family)).await?;
    let query =
        sqlx::query("SELECT layout, samples, data FROM fresh WHERE family = ? AND id <= ? ORDER BY id")
            .bind(i64::from(family))
            .bind(sequence);
    let rows = database.fetch("read rows to compact", query).await?;
    let mut done = Compacted {
        rows: rows.len() as u64,
        damaged: 0,
    };
    let mut merger = Merger::default();
    let mut slots = HashMap::new();
    for row in &rows {
        let id: i64 = database.get(row, 0)?;
        let samples = database.get::<i64>(row, 1)?.cast_unsigned();
        let data: &[u8] = database.get(row, 2)?;
        let Some(layout) = layouts.get(&id) else {
            done.damaged += samples;
            continue;
        };
        let slots = slots.entry(id).or_insert_with(|| merger.slots(layout));
        let columns = vec![true; layout.len()];
        let wanted = Wanted::always(&columns);
        let push = |column: usize, time, cell: Cell<'_>| {
            if let Some(slot) = slots.get(column) {
                merger.push(*slot, time, cell);
            }
        };
        if decoder.visit(data, layout, wanted, push).is_err() {
            // What was pushed of it before the damage showed is as good as any: the checksum comes first.
            done.damaged += samples;
        }
    }
    drop(rows);
    let chunks = merger
        .finish(family, &mut decoder.codec)
        .map_err(|source| StoreError::Compress {
            path: database.path().to_path_buf(),
            source,
        })?;
    write::insert_chunks(database, &mut decoder.codec, sequence, &chunks).await?;
    let query = sqlx::query("DELETE FROM fresh WHERE family = ? AND id <= ?")
        .bind(i64::from(family))
        .bind(sequence);
    database.execute("delete compacted rows", query).await?;
    Ok(done)
}
