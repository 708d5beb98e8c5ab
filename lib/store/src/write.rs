//! Writing rows: one statement where their layouts are known, else a transaction that adds the new ones.

use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::batch::Part;
use crate::database::Database;
use crate::frame::Codec;

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
pub(crate) async fn known(database: &mut Database, rows: &[Part]) -> Result<Option<Ids>, StoreError> {
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
    rows: &[Part],
) -> Result<Ids, StoreError> {
    database.begin("BEGIN IMMEDIATE").await?;
    let result = any_within(database, codec, rows).await;
    database.end(result).await
}

async fn any_within(database: &mut Database, codec: &mut Codec, rows: &[Part]) -> Result<Ids, StoreError> {
    add_layouts(database, codec, rows).await?;
    let mut ids = Ids { last: 0, count: 0 };
    for rows in rows.chunks(STATEMENT_ROWS) {
        let part = insert(database, rows)
            .await
            .map_err(|source| database.error("write a batch", source))?;
        ids = Ids {
            last: part.last,
            count: ids.count + part.count,
        };
    }
    Ok(ids)
}

/// Adds the layouts of parts that are not there yet.
pub(crate) async fn add_layouts(
    database: &mut Database,
    codec: &mut Codec,
    parts: &[Part],
) -> Result<(), StoreError> {
    for part in parts {
        let hash = part.hash.to_be_bytes().to_vec();
        let query = sqlx::query("SELECT 1 FROM layout WHERE hash = ?").bind(hash.clone());
        if !database.fetch("look for a layout", query).await?.is_empty() {
            continue;
        }
        let names = codec.pack(&part.text).map_err(|source| StoreError::Compress {
            path: database.path().to_path_buf(),
            source,
        })?;
        let query = sqlx::query("INSERT INTO layout (hash, family, names) VALUES (?, ?, ?)")
            .bind(hash)
            .bind(i64::from(part.family))
            .bind(names);
        database.execute("add a layout", query).await?;
    }
    Ok(())
}

async fn insert(database: &mut Database, rows: &[Part]) -> Result<Ids, sqlx::Error> {
    let mut sql = String::with_capacity(96 + 64 * rows.len());
    sql.push_str("INSERT INTO fresh (family, layout, first, last, samples, data) VALUES ");
    for nth in 0..rows.len() {
        sql.push_str(if nth == 0 { "" } else { "," });
        sql.push_str("(?,(SELECT id FROM layout WHERE hash=?),?,?,?,?)");
    }
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in rows {
        query = query
            .bind(i64::from(row.family))
            .bind(row.hash.to_be_bytes().to_vec())
            .bind(row.first)
            .bind(row.last)
            .bind(row.samples.cast_signed())
            .bind(row.data.clone());
    }
    let done = database.try_execute(query).await?;
    Ok(Ids {
        last: done.last_insert_rowid(),
        count: done.rows_affected().cast_signed(),
    })
}

/// Stores chunks, within a transaction.
pub(crate) async fn insert_chunks(
    database: &mut Database,
    codec: &mut Codec,
    sequence: i64,
    chunks: &[Part],
) -> Result<(), StoreError> {
    add_layouts(database, codec, chunks).await?;
    for chunk in chunks {
        let query = sqlx::query(
            "INSERT INTO chunk (family, layout, sequence, first, last, samples, data) \
             VALUES (?, (SELECT id FROM layout WHERE hash = ?), ?, ?, ?, ?, ?)",
        )
        .bind(i64::from(chunk.family))
        .bind(chunk.hash.to_be_bytes().to_vec())
        .bind(sequence)
        .bind(chunk.first)
        .bind(chunk.last)
        .bind(chunk.samples.cast_signed())
        .bind(chunk.data.clone());
        database.execute("write a chunk", query).await?;
    }
    Ok(())
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
