//! Compaction: many rows of a family become few chunks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::StoreError;
use crate::database::{Database, json_list};
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

/// Compacts each family that has more than `min_rows` rows, where given, else the usual number.
pub(crate) async fn compact(
    database: &mut Database,
    decoder: &mut Decoder,
    min_rows: Option<i64>,
) -> Result<Compacted, StoreError> {
    let mut done = Compacted::default();
    loop {
        database.begin("BEGIN IMMEDIATE").await?;
        let result = step(database, decoder, min_rows.unwrap_or(MIN_ROWS)).await;
        let part = database.end(result).await?;
        done.rows += part.rows;
        done.damaged += part.damaged;
        if part.rows == 0 {
            return Ok(done);
        }
    }
}

/// What one step compacts.
struct Plan {
    /// The families, as JSON.
    families: String,
    /// The newest row of each, which stays, as JSON.
    newest: String,
    /// The layouts of the rows, as JSON.
    layouts: String,
    /// The last id that is taken.
    until: i64,
}

/// Chooses the oldest rows of the families that have many, all but the newest of each: so a family's rows are always
/// newer than its chunks, the layout of its next batch is mostly still there, and the largest id in use never goes
/// down. The table has no index, so all families are done in one pass.
async fn plan(database: &mut Database, min_rows: i64) -> Result<Option<Plan>, StoreError> {
    let query =
        sqlx::query("SELECT family, max(id) FROM fresh GROUP BY family HAVING count(*) > ?").bind(min_rows);
    let (mut families, mut newest) = (Vec::new(), Vec::new());
    for row in database.fetch("look for rows to compact", query).await? {
        families.push(database.get::<i64>(&row, 0)?);
        newest.push(database.get::<i64>(&row, 1)?);
    }
    let (families, newest) = (json_list(families.into_iter()), json_list(newest.into_iter()));
    let query = sqlx::query(
        "SELECT id, layout, samples FROM fresh WHERE family IN (SELECT value FROM json_each(?)) \
         AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(families.clone())
    .bind(newest.clone());
    let (mut until, mut samples) = (None, 0_u64);
    let mut layouts = BTreeSet::new();
    for row in database.fetch("look for rows to compact", query).await? {
        samples = samples.saturating_add(database.get::<i64>(&row, 2)?.cast_unsigned());
        if until.is_some() && samples > MAX_SAMPLES {
            break;
        }
        layouts.insert(database.get::<i64>(&row, 1)?);
        until = Some(database.get::<i64>(&row, 0)?);
    }
    Ok(until.map(|until| Plan {
        families,
        newest,
        layouts: json_list(layouts.into_iter()),
        until,
    }))
}

async fn step(
    database: &mut Database,
    decoder: &mut Decoder,
    min_rows: i64,
) -> Result<Compacted, StoreError> {
    let Some(plan) = plan(database, min_rows).await? else {
        return Ok(Compacted::default());
    };
    let layouts = layouts::of_ids(database, &mut decoder.codec, plan.layouts.clone()).await?;
    let query = sqlx::query(
        "SELECT id, family, layout, samples, data FROM fresh WHERE id <= ? \
         AND family IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(plan.until)
    .bind(plan.families.clone())
    .bind(plan.newest.clone());
    let rows = database.fetch("read rows to compact", query).await?;
    let mut done = Compacted {
        rows: rows.len() as u64,
        damaged: 0,
    };
    // By family: its largest id, and its samples.
    let mut mergers: BTreeMap<u8, (i64, Merger)> = BTreeMap::new();
    let mut slots: HashMap<i64, Vec<usize>> = HashMap::new();
    for row in &rows {
        let family: u8 = database.get(row, 1)?;
        let layout_id: i64 = database.get(row, 2)?;
        let samples = database.get::<i64>(row, 3)?.cast_unsigned();
        let data: &[u8] = database.get(row, 4)?;
        let Some(layout) = layouts.get(&layout_id) else {
            // A row that retention has emptied has none either, and no samples.
            done.damaged += samples;
            continue;
        };
        let (sequence, merger) = mergers.entry(family).or_default();
        *sequence = database.get(row, 0)?;
        let slots = slots.entry(layout_id).or_insert_with(|| merger.slots(layout));
        let columns = vec![true; layout.len()];
        let push = |column: usize, time, cell: Cell<'_>| {
            if let Some(slot) = slots.get(column) {
                merger.push(*slot, time, cell);
            }
        };
        if decoder
            .visit(data, layout, Wanted::always(&columns), push)
            .is_err()
        {
            done.damaged += samples;
        }
    }
    drop(rows);
    for (family, (sequence, merger)) in mergers {
        let chunks = merger
            .finish(family, &mut decoder.codec)
            .map_err(|source| StoreError::Compress {
                path: database.path().to_path_buf(),
                source,
            })?;
        write::insert_chunks(database, &mut decoder.codec, sequence, &chunks).await?;
    }
    let query = sqlx::query(
        "DELETE FROM fresh WHERE id <= ? AND family IN (SELECT value FROM json_each(?)) \
         AND id NOT IN (SELECT value FROM json_each(?))",
    )
    .bind(plan.until)
    .bind(plan.families)
    .bind(plan.newest);
    database.execute("delete compacted rows", query).await?;
    Ok(done)
}
