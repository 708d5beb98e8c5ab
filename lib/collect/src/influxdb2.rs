use std::error::Error;
use std::fmt;
use std::io;

use influxdb2::models::{DataPoint, FieldValue, WriteDataPoint};
use tidemark_point::line::{self, Dialect, LineError, LineErrorKind};
use tidemark_point::{Point, Timestamp, Value};

use crate::{Batch, Points};

/// The most characters of a line that an error shows.
const SHOWN: usize = 200;

impl Points {
    /// Adds a point of the `influxdb2` crate; `time` is for one without a time of its own.
    ///
    /// Its parts are private, so it is written by that crate and read back by our strict reader. That writer does
    /// not check what it writes; so what could not be stored, or would be read as something else, is refused.
    ///
    /// # Errors
    /// No point is added where it holds a line break or tab, NaN or an infinite number, an empty tag or name, or a
    /// backslash that its line does not carry exactly.
    pub fn push_data_point(&mut self, point: &DataPoint, time: Timestamp) -> Result<(), DataPointError> {
        let mut line = Vec::new();
        point
            .write_data_point_to(&mut line)
            .map_err(DataPointError::Write)?;
        let end = line.len() - usize::from(line.ends_with(b"\n"));
        let shown = |line: &[u8]| -> String { String::from_utf8_lossy(line).chars().take(SHOWN).collect() };
        if let Some(at) = line[..end].iter().position(u8::is_ascii_control) {
            return Err(DataPointError::Control {
                byte: line[at],
                line: shown(&line[..end]),
            });
        }
        let mut parser = line::parse(&line[..end]).default_time(time);
        let read = match parser.next() {
            Some(Ok(read)) => read,
            Some(Err(source)) => {
                return Err(DataPointError::Line {
                    line: shown(&line[..end]),
                    source,
                });
            }
            // A comment, by that writer's account.
            None => {
                return Err(DataPointError::Inexact {
                    line: shown(&line[..end]),
                });
            }
        };
        // Without a backslash, a line can be read in one way. With one, only going back shows what was meant.
        if line.contains(&b'\\') && !is_same(point, &read) {
            return Err(DataPointError::Inexact {
                line: shown(&line[..end]),
            });
        }
        let adjustments = parser.adjustments().clone();
        self.adjustments_mut().merge(&adjustments);
        self.push_point(read);
        Ok(())
    }
}

/// Whether what was read is what was written. The parts of the original show in its debug text alone.
fn is_same(original: &DataPoint, read: &Point) -> bool {
    let debug = format!("{original:?}");
    let mut builder = DataPoint::builder(read.measurement());
    for (key, value) in read.tags() {
        builder = builder.tag(key, value);
    }
    for (key, value) in read.fields() {
        let value: FieldValue = match value {
            Value::Float(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Bool(value) => (*value).into(),
            Value::String(value) => (&**value).into(),
            // That crate has no such values.
            Value::Uint(_) => return false,
        };
        builder = builder.field(key, value);
    }
    // The default time is not in the original.
    if debug.ends_with("timestamp: None }") {
        return builder.build().is_ok_and(|again| format!("{again:?}") == debug);
    }
    builder
        .timestamp(read.time().nanos())
        .build()
        .is_ok_and(|again| format!("{again:?}") == debug)
}

/// All points of the batch in line protocol, for that crate's clients; times in ns, unsigned integers as `u`.
impl WriteDataPoint for Batch {
    fn write_data_point_to<W: io::Write>(&self, mut out: W) -> io::Result<()> {
        out.write_all(&line::write(&self.points, Dialect::V2))
    }
}

/// All points in line protocol, for that crate's clients; times in ns, unsigned integers as `u`.
impl WriteDataPoint for Points {
    fn write_data_point_to<W: io::Write>(&self, mut out: W) -> io::Result<()> {
        let mut text = Vec::new();
        for point in self {
            line::write_point(&mut text, point, Dialect::V2);
        }
        out.write_all(&text)
    }
}

/// Why a point of the `influxdb2` crate is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum DataPointError {
    /// It could not be written.
    Write(io::Error),
    /// It holds a line break, a tab or another control character.
    Control {
        /// The character.
        byte: u8,
        /// The start of what that crate wrote.
        line: String,
    },
    /// What that crate wrote of it is not line protocol.
    Line {
        /// The start of what that crate wrote.
        line: String,
        /// Where and why.
        source: LineError,
    },
    /// What that crate wrote of it says something else.
    Inexact {
        /// The start of what that crate wrote.
        line: String,
    },
}

impl fmt::Display for DataPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(_) => f.write_str("a DataPoint could not be written"),
            Self::Control { byte, line } => write!(
                f,
                "a DataPoint holds the control character `{}`, which would break its line; replace it: {line:?}",
                byte.escape_ascii()
            ),
            Self::Line { line, source } => {
                f.write_str("a DataPoint cannot be stored as it is")?;
                if matches!(
                    source.kind,
                    LineErrorKind::InvalidValue | LineErrorKind::InvalidNumber(_)
                ) {
                    f.write_str(" (NaN and infinite numbers cannot be: leave such fields out)")?;
                }
                write!(f, ": {line:?}")
            }
            Self::Inexact { line } => write!(
                f,
                "a DataPoint would be stored as another one, for the backslash or `#` in it; replace it: {line:?}"
            ),
        }
    }
}

impl Error for DataPointError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Write(source) => Some(source),
            Self::Line { source, .. } => Some(source),
            Self::Control { .. } | Self::Inexact { .. } => None,
        }
    }
}
