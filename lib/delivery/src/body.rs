//! The text of a batch: line protocol, as it is stored and as a sink gets it.

use tidemark_point::Point;
use tidemark_point::line::{self, Dialect};
use tidemark_settings::{SinkKind, SinkSettings};

/// The body of points as the first sink that takes this collector's batches gets it, byte for byte; as InfluxDB 1 would
/// get it where there is none.
#[must_use]
pub fn dry_run_body(points: &[Point], sinks: &[SinkSettings], collector: &str) -> Vec<u8> {
    let first = sinks.iter().find(|sink| sink.takes(collector));
    line::write(points, first.map_or(Dialect::V1, |sink| dialect(&sink.kind)))
}

/// The dialect that a sink takes.
pub(crate) fn dialect(kind: &SinkKind) -> Dialect {
    match kind {
        SinkKind::Influxdb(_) => Dialect::V1,
        _ => Dialect::V2,
    }
}
