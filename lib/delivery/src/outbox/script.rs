//! Statements that SQLite's thread runs in one go: each hop to it and back costs more CPU than a small statement.

use std::sync::atomic::Ordering;

use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};
use tokio::sync::MutexGuard;

use super::Outbox;
use crate::DeliveryError;

/// Statements with their values. Each `?` takes the next value; numbered ones would be counted for each statement anew.
pub(super) struct Script {
    sql: String,
    values: Result<SqliteArguments, BoxDynError>,
}

impl Script {
    pub(super) fn new() -> Self {
        Self {
            sql: String::new(),
            values: Ok(SqliteArguments::default()),
        }
    }

    /// Adds SQL. What users or servers wrote goes in as values alone.
    pub(super) fn sql(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds the next value.
    pub(super) fn value<'t>(&mut self, value: impl Encode<'t, Sqlite> + Type<Sqlite>) -> &mut Self {
        if let Ok(values) = &mut self.values
            && let Err(error) = values.add(value)
        {
            self.values = Err(error);
        }
        self
    }

    /// Adds values, for a list in brackets.
    pub(super) fn values<'t, T>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self
    where
        T: Encode<'t, Sqlite> + Type<Sqlite>,
    {
        for (place, value) in values.into_iter().enumerate() {
            self.sql(if place == 0 { "?" } else { ", ?" }).value(value);
        }
        self
    }

    /// Runs it in the transaction that the connection is in.
    pub(super) async fn run(self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let values = self.values.map_err(sqlx::Error::Encode)?;
        sqlx::query_with(AssertSqlSafe(self.sql), values)
            .execute(db)
            .await?;
        Ok(())
    }
}

impl Outbox {
    /// The connection. Where a script was broken off, because its future was dropped, its transaction ends first.
    pub(super) async fn connection(&self) -> MutexGuard<'_, SqliteConnection> {
        let mut db = self.db.lock().await;
        if self.broken_off.swap(false, Ordering::Relaxed) {
            roll_back(&mut db).await;
        }
        db
    }

    /// Runs a script in a transaction of its own; all or nothing, durably.
    pub(super) async fn run_alone(
        &self,
        db: &mut SqliteConnection,
        mut script: Script,
    ) -> Result<(), DeliveryError> {
        script.sql.insert_str(0, "BEGIN IMMEDIATE;\n");
        script.sql.push_str("COMMIT;");
        self.broken_off.store(true, Ordering::Relaxed);
        let result = script.run(db).await;
        if result.is_err() {
            roll_back(db).await;
        }
        self.broken_off.store(false, Ordering::Relaxed);
        result.map_err(|error| self.failed(error))
    }
}

/// Ends the transaction that a script has begun, if it is in one still.
async fn roll_back(db: &mut SqliteConnection) {
    if let Err(error) = sqlx::raw_sql("ROLLBACK").execute(db).await {
        tracing::debug!("nothing to roll back: {error}");
    }
}
