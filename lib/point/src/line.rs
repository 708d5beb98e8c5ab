//! InfluxDB line protocol: a writer that every InfluxDB takes, and a strict reader.
//!
//! The writer needs to check nothing, since a [`Point`](crate::Point) is valid. The reader takes what InfluxDB
//! takes: escapes, quoted strings with line breaks, the suffixes `i` and `u`, all spellings of true and false,
//! negative times, lines without a time, blank lines, comments, LF and CR LF. It refuses the rest with line and
//! column. Where InfluxDB is lax and its grammar is not, it is strict: no tabs for spaces, no string that goes on
//! out of a comment. The grammar: <https://github.com/influxdata/line-protocol/blob/v2/line-protocol.ebnf>

mod borrowed;
mod error;
mod read;
mod scan;
mod write;

pub use borrowed::{BorrowedPoint, BorrowedValue};
pub use error::{LineError, LineErrorKind};
pub use read::{Parser, Reader, parse, parse_line, read};
pub use write::{write, write_point};

/// Whose line protocol is written.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// InfluxDB 1: it has no unsigned integers. They are written as signed ones, and those beyond `i64::MAX`
    /// as `i64::MAX`; never as floats, which would give the field two types. Fields called `time`, which it does not
    /// store, are left out.
    V1,
    /// InfluxDB 2 and later: unsigned integers end in `u`.
    V2,
}
