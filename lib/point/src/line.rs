//! InfluxDB line protocol: a writer that every InfluxDB takes, and a strict reader.

mod error;
mod read;
mod write;

pub use error::{LineError, LineErrorKind};
pub use read::{BorrowedPoint, BorrowedValue, Lines, Parser, RawLine, lines, parse, parse_line};
pub use write::{write, write_point};

/// Whose line protocol is written.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// InfluxDB 1: it has no unsigned integers. They are written as signed ones, and those beyond `i64::MAX`
    /// as `i64::MAX`; never as floats, which would give the field two types.
    V1,
    /// InfluxDB 2 and later: unsigned integers end in `u`.
    V2,
}
