//! Loading layouts from the file.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;

use crate::StoreError;
use crate::database::{Database, Query};
use crate::frame::Codec;
use crate::layout::{Layout, MANY_FAMILIES};

/// Layouts by their ids.
pub(crate) type Layouts = HashMap<i64, Layout>;

/// The layouts that may have series of a family, or all.
pub(crate) async fn of_family(
    database: &mut Database,
    codec: &mut Codec,
    family: Option<u8>,
) -> Result<Layouts, StoreError> {
    let query = match family {
        Some(family) => sqlx::query("SELECT id, hash, names FROM layout WHERE family IN (?, ?)")
            .bind(i64::from(family))
            .bind(i64::from(MANY_FAMILIES)),
        None => sqlx::query("SELECT id, hash, names FROM layout"),
    };
    load(database, codec, query).await
}

/// The layouts with these ids, a JSON list.
pub(crate) async fn of_ids(
    database: &mut Database,
    codec: &mut Codec,
    ids: String,
) -> Result<Layouts, StoreError> {
    let query =
        sqlx::query("SELECT id, hash, names FROM layout WHERE id IN (SELECT value FROM json_each(?))")
            .bind(ids);
    load(database, codec, query).await
}

/// Reads the layouts that a query finds. One that is damaged is left out, and with it the parts that have it.
async fn load(database: &mut Database, codec: &mut Codec, query: Query) -> Result<Layouts, StoreError> {
    let rows = database.fetch("read layouts", query).await?;
    let mut layouts = Layouts::with_capacity(rows.len());
    for row in &rows {
        if let Some(layout) = read(database, codec, row)? {
            layouts.insert(database.get(row, 0)?, layout);
        }
    }
    Ok(layouts)
}

fn read(database: &Database, codec: &mut Codec, row: &SqliteRow) -> Result<Option<Layout>, StoreError> {
    let hash: &[u8] = database.get(row, 1)?;
    let names: &[u8] = database.get(row, 2)?;
    let layout = codec.unpack_all(names).and_then(Layout::read).ok();
    Ok(layout.filter(|layout| layout.hash().to_be_bytes() == hash))
}
