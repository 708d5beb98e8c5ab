//! Writing rows: one statement where their layouts are known, else a transaction that adds the new ones.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::batch::Part;
use crate::database::Database;
use crate::frame::Codec;
use crate::layout::{Layout, MANY_FAMILIES};

/// Rows of one statement.
const STATEMENT_ROWS: usize = 128;
/// `SQLITE_CONSTRAINT_NOTNULL`: what a row gives whose layout is not there.
const NOT_NULL: &str = "1299";

/// The ids that a write gave out: the last one, and how many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ids {
    pub(crate) last: i64,
    pub(crate) count: i64,
}

/// Stores rows whose layouts are all known, in one statement that is a transaction by itself. `None`, and nothing
/// is stored, where one is not, or where the rows are too many for a statement.
pub(crate) async fn known(database: &mut Database, rows: Vec<Part<'_>>) -> Result<Option<Ids>, StoreError> {
    if rows.len() > STATEMENT_ROWS {
        return Ok(None);
    }
    match insert(database, rows).await {
        Ok(ids) => Ok(Some(ids)),
        Err(error)
            if error
                .as_database_error()
                .and_then(|error| error.code())
                .as_deref()
                == Some(NOT_NULL) =>
        {
            Ok(None)
        }
        Err(source) => Err(database.error("write a batch", source)),
    }
}

/// Stores rows and the layouts that are new, all or none.
pub(crate) async fn any(
    database: &mut Database,
    codec: &mut Codec,
    rows: Vec<Part<'_>>,
) -> Result<Ids, StoreError> {
    database.begin("BEGIN IMMEDIATE").await?;
    let result = any_within(database, codec, rows).await;
    database.end(result).await
}

async fn any_within(
    database: &mut Database,
    codec: &mut Codec,
    mut rows: Vec<Part<'_>>,
) -> Result<Ids, StoreError> {
    add_layouts(database, codec, &rows).await?;
    let mut ids = Ids { last: 0, count: 0 };
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(STATEMENT_ROWS));
        let part = insert(database, rows)
            .await
            .map_err(|source| database.error("write a batch", source))?;
        ids = Ids {
            last: part.last,
            count: ids.count + part.count,
        };
        rows = rest;
    }
    Ok(ids)
}

/// Adds the layouts of parts that are not there yet.
async fn add_layouts(
    database: &mut Database,
    codec: &mut Codec,
    parts: &[Part<'_>],
) -> Result<(), StoreError> {
    for parts in parts.chunks(STATEMENT_ROWS) {
        let mut query = sqlx::query(AssertSqlSafe(format!(
            "SELECT hash FROM layout WHERE hash IN ({})",
            list("?", parts.len())
        )));
        for part in parts {
            query = query.bind(part.hash.to_be_bytes().to_vec());
        }
        let mut known = HashSet::new();
        for row in database.fetch("look for layouts", query).await? {
            known.insert(database.get::<Vec<u8>>(&row, 0)?);
        }
        for part in parts {
            let hash = part.hash.to_be_bytes().to_vec();
            if !known.insert(hash.clone()) {
                continue;
            }
            // The text was made here, so it reads back.
            let family = Layout::read(part.text.to_vec()).map_or(MANY_FAMILIES, |layout| layout.family());
            let names = codec.pack(&part.text).map_err(|source| StoreError::Compress {
                path: database.path().to_path_buf(),
                source,
            })?;
            let query = sqlx::query("INSERT INTO layout (hash, family, names) VALUES (?, ?, ?)")
                .bind(hash)
                .bind(i64::from(family))
                .bind(names);
            database.execute("add a layout", query).await?;
        }
    }
    Ok(())
}

async fn insert(database: &mut Database, rows: Vec<Part<'_>>) -> Result<Ids, sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO fresh (layout, first, last, samples, data) VALUES {}",
        list("((SELECT id FROM layout WHERE hash=?),?,?,?,?)", rows.len())
    )));
    for row in rows {
        query = query
            .bind(row.hash.to_be_bytes().to_vec())
            .bind(row.first)
            .bind(row.last)
            .bind(row.samples.cast_signed())
            .bind(row.data);
    }
    let done = database.try_execute(query).await?;
    Ok(Ids {
        last: done.last_insert_rowid(),
        count: done.rows_affected().cast_signed(),
    })
}

/// Stores chunks, within a transaction.
pub(crate) async fn chunks(
    database: &mut Database,
    codec: &mut Codec,
    sequence: i64,
    mut chunks: Vec<Part<'_>>,
) -> Result<(), StoreError> {
    add_layouts(database, codec, &chunks).await?;
    while !chunks.is_empty() {
        let rest = chunks.split_off(chunks.len().min(STATEMENT_ROWS));
        // A chunk's layout is of one family.
        let mut query = sqlx::query(AssertSqlSafe(format!(
            "WITH new (hash, sequence, first, last, samples, data) AS (VALUES {}) \
             INSERT INTO chunk (family, layout, sequence, first, last, samples, data) \
             SELECT family, id, sequence, first, last, samples, data FROM new JOIN layout USING (hash)",
            list("(?,?,?,?,?,?)", chunks.len())
        )));
        for chunk in chunks {
            query = query
                .bind(chunk.hash.to_be_bytes().to_vec())
                .bind(sequence)
                .bind(chunk.first)
                .bind(chunk.last)
                .bind(chunk.samples.cast_signed())
                .bind(chunk.data);
        }
        database.execute("write chunks", query).await?;
        chunks = rest;
    }
    Ok(())
}

/// An item of SQL, so many times, with commas between.
fn list(item: &str, count: usize) -> String {
    vec![item; count].join(",")
}

/// A number from a query of one row; `None` where it is NULL.
pub(crate) async fn number(
    database: &mut Database,
    action: &'static str,
    sql: &'static str,
) -> Result<Option<i64>, StoreError> {
    let rows = database.fetch(action, sqlx::query(sql)).await?;
    rows.first().map_or(Ok(None), |row| database.get(row, 0))
}
