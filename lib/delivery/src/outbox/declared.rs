//! What the texts of Prometheus say about a collector's fields and points do not hold: kept beside its batches, where one
//! of their sinks needs it.

use tidemark_point::Declarations;

use super::Outbox;
use super::script::Script;
use crate::DeliveryError;
use crate::sink::SinkSpec;

impl Outbox {
    /// The text to keep with a commit; none where no sink needs it, or nothing is declared.
    pub(super) fn declared_for(&self, sinks: &[&SinkSpec]) -> Option<String> {
        if self.declared.is_empty() || !sinks.iter().any(|sink| sink.needs_declarations()) {
            return None;
        }
        Some(Declarations::from(self.declared).to_string())
    }

    /// What is known of the fields of a collector's points: what its newest commit declared.
    pub(crate) async fn declarations(&self, collector: &str) -> Result<Declarations, DeliveryError> {
        let mut db = self.connection().await;
        let text: Option<String> = sqlx::query_scalar("SELECT text FROM declaration WHERE collector = ?")
            .bind(collector)
            .fetch_optional(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
        let parsed = text.as_deref().unwrap_or_default().parse();
        Ok(parsed.unwrap_or_else(|error| {
            tracing::warn!(
                "what {collector} declares cannot be read, its fields count as undeclared: {error}"
            );
            Declarations::new()
        }))
    }
}

impl Script {
    /// Keeps what a collector declares, where that has changed.
    pub(super) fn declaring(mut self, collector: &str, declared: Option<String>) -> Self {
        if let Some(text) = declared {
            self.sql(
                "INSERT INTO declaration (collector, text) VALUES (?, ?) ON CONFLICT (collector)
                 DO UPDATE SET text = excluded.text WHERE declaration.text <> excluded.text;\n",
            )
            .value(collector)
            .value(text);
        }
        self
    }
}
