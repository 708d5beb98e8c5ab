//! A whole collector as its author writes it, with `async fn` and nothing imported from elsewhere.

use tidemark_collect::{CollectorError, Context, Description, Measurement, Metric, Points, Schema, Settings};

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Queue {
    /// Entries in it.
    count: i64,
}

/// The length of a queue.
#[derive(Settings)]
pub struct QueueLength {
    /// The file that holds it.
    #[default("/var/lib/queue/length")]
    file: String,
}

impl Metric for QueueLength {
    const NAME: &'static str = "queue-length";
    const MEASUREMENTS: &'static [&'static Schema] = &[Queue::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let text = cx.read_host(&self.file)?;
        let count = text
            .trim()
            .parse()
            .map_err(|error| CollectorError::parse(&self.file, error))?;
        Ok(Points::at(cx.now(), [Queue { count }]))
    }
}

pub(crate) fn main() {
    assert_eq!(Description::of::<QueueLength>().run_interval, "5m");
}
