//! Files of figures that grow at their end: CSV, a row a look, its time in milliseconds since 1970 and whole numbers.
//!
//! Somebody else's program appends a row each time that it has looked. A collector that runs more often, and now and then
//! not at all, reads the rows of the last hours, each with its own time: a row that is delivered twice is one point.
//!
//! ```
//! use std::time::Duration;
//! use tidemark_collect::Timestamp;
//! use tidemark_ubuntu::rows::recent;
//!
//! let text = "1795200000000,3,40\n1795240800000,4,41\n1795244400000,five,6\n";
//! let now = Timestamp::from_millis(1_795_244_400_000).unwrap();
//! let recent = recent::<2>(text, now).unwrap();
//! assert_eq!(recent.rows.len(), 1); // the first is older than 12 hours
//! assert_eq!(recent.rows[0].values, [4, 41]);
//! assert_eq!(recent.gaps, [r#"the row "1795244400000,five,6" is left out: "five" is no whole number"#]);
//! ```

use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{CollectorError, Context, Timestamp};

use crate::{Remarks, is_cut, shown};

/// Rows that are younger than this are recent: 12 hours. One that is exactly as old is not.
pub const RECENT: Duration = Duration::from_secs(12 * 60 * 60);
/// How much of a file's end [`tail`] asks for, in bytes: 12 hours of a row each quarter of an hour.
pub const TAIL_BYTES: u64 = 2048;
/// The longest file that [`tail`] reads where the server gives the whole.
pub const TAIL_MAX_BYTES: u64 = 16 << 20;
/// The most recent rows that are taken: one each four seconds.
pub const MAX_ROWS: usize = 10_000;

/// A row that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row<const N: usize> {
    /// Its own time.
    pub time: Timestamp,
    /// What it says, in the order of the columns.
    pub values: [i64; N],
}

/// The recent rows of a file, and what there is to tell of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recent<const N: usize> {
    /// The rows, in the order of the file.
    pub rows: Vec<Row<N>>,
    /// Rows that are damaged and may be recent, a line each; bounded.
    pub gaps: Vec<String>,
    /// What is odd, and loses nothing: rows in the future, damaged rows that were there before recent ones, no recent
    /// rows at all; bounded.
    pub notices: Vec<String>,
}

impl<const N: usize> Recent<N> {
    /// The rows; what there is to tell is told of `what`.
    pub fn tell(self, cx: &Context, what: impl Display) -> Vec<Row<N>> {
        for gap in self.gaps {
            cx.gap(format_args!("{what}: {gap}"));
        }
        for notice in self.notices {
            cx.notice(format_args!("{what}: {notice}"));
        }
        self.rows
    }
}

/// The recent rows of a file without a header: a time and `N` numbers a row.
///
/// # Errors
/// Where it has rows, and none of them can be read.
pub fn recent<const N: usize>(text: &str, now: Timestamp) -> Result<Recent<N>, RowsError> {
    let columns = Columns {
        time: 0,
        values: std::array::from_fn(|value| value + 1),
        exactly: Some(N + 1),
    };
    Gathered::new(now).gather(reader(text, false), &columns)
}

/// The recent rows of a file with a header: the column called `time`, and those called `names`, wherever they are.
///
/// # Errors
/// Where a column is missing, and where it has rows, and none of them can be read.
pub fn recent_named<const N: usize>(
    text: &str,
    time: &'static str,
    names: [&'static str; N],
    now: Timestamp,
) -> Result<Recent<N>, RowsError> {
    let mut rows = reader(text, true);
    let header = rows.headers().cloned().unwrap_or_default();
    let column = |name: &'static str| {
        let place = header.iter().position(|found| unquoted(found) == name);
        place.ok_or(RowsError::NoColumn(name))
    };
    let mut columns = Columns {
        time: column(time)?,
        values: [0; N],
        exactly: None,
    };
    for (place, name) in columns.values.iter_mut().zip(names) {
        *place = column(name)?;
    }
    Gathered::new(now).gather(rows, &columns)
}

/// The end of a file that grows there: whole lines, by a request for its last [`TAIL_BYTES`]. The whole file where it is
/// shorter, and where the server knows no ranges. A file without bytes is an empty text.
///
/// # Errors
/// Where it cannot be had, is longer than [`TAIL_MAX_BYTES`] and comes whole, has no line that is whole, or is not UTF-8.
pub async fn tail(cx: &Context, url: &Url) -> Result<String, CollectorError> {
    let asked = cx
        .http()
        .get(url)
        .header("range", &format!("bytes=-{TAIL_BYTES}"))
        .max_bytes(TAIL_MAX_BYTES)
        .stream()
        .await;
    let mut body = match asked {
        Ok(body) => body,
        // There is no last byte.
        Err(error) if error.status() == Some(416) => return Ok(String::new()),
        Err(error) => return Err(error.into()),
    };
    let is_cut = is_cut(&body);
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    if is_cut {
        // The first line is the end of one.
        let fragment = bytes.iter().position(|byte| *byte == b'\n');
        bytes.drain(..fragment.map_or(bytes.len(), |end| end + 1));
        if bytes.is_empty() {
            let reason = format!("its last {TAIL_BYTES} bytes hold no whole line");
            return Err(CollectorError::parse(redacted(url), reason));
        }
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let reason = format!("it is not UTF-8 text: the byte at offset {at} of what came cannot be");
        CollectorError::parse(redacted(url), reason)
    })
}

/// Reads lines. A quote is a character like others: one that is not closed must not take the following lines along.
pub(crate) fn reader(text: &str, has_header: bool) -> csv::Reader<&[u8]> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    csv::ReaderBuilder::new()
        .has_headers(has_header)
        .flexible(true)
        .quoting(false)
        // With the other line ends the numbers of lines are wrong; a value is taken without what is around it.
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text.as_bytes())
}

/// A value without the spaces and the quotes around it.
pub(crate) fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value).trim()
}

/// Where the values are.
struct Columns<const N: usize> {
    time: usize,
    values: [usize; N],
    /// How many there are, where a row with more is damaged too.
    exactly: Option<usize>,
}

impl<const N: usize> Columns<N> {
    /// A row as people find it again: by its line, and where there is no header, by its text. What has none may be the end
    /// of a file, whose lines have other numbers in the whole.
    fn shown(&self, row: &csv::StringRecord) -> String {
        match self.exactly {
            None => format!("in line {}", row.position().map_or(0, csv::Position::line)),
            Some(_) => shown(&row.iter().collect::<Vec<_>>().join(",")),
        }
    }
}

/// What is read so far.
struct Gathered<const N: usize> {
    now: Timestamp,
    recent: Recent<N>,
    /// Rows that can be read, old ones too.
    readable: usize,
    newest: Option<Timestamp>,
    /// Damaged rows after the last old one, which may be recent, and those before.
    damaged: Remarks,
    old_damaged: usize,
    /// Recent rows over the bound.
    too_many: usize,
    future: usize,
}

impl<const N: usize> Gathered<N> {
    fn new(now: Timestamp) -> Self {
        Self {
            now,
            recent: Recent {
                rows: Vec::new(),
                gaps: Vec::new(),
                notices: Vec::new(),
            },
            readable: 0,
            newest: None,
            damaged: Remarks::default(),
            old_damaged: 0,
            too_many: 0,
            future: 0,
        }
    }

    fn gather(mut self, mut rows: csv::Reader<&[u8]>, columns: &Columns<N>) -> Result<Recent<N>, RowsError> {
        let mut row = csv::StringRecord::new();
        // Text that is UTF-8 and rows of any length leave the reader nothing to fail of.
        while rows.read_record(&mut row).unwrap_or(false) {
            if row.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            if let Err(reason) = self.take(&row, columns) {
                self.damaged
                    .add(|| format!("the row {} is left out: {reason}", columns.shown(&row)));
            }
        }
        self.end()
    }

    fn take(&mut self, row: &csv::StringRecord, columns: &Columns<N>) -> Result<(), String> {
        let whole = |column: usize| {
            let value = row
                .get(column)
                .ok_or_else(|| format!("it has {} columns", row.len()))?;
            let value = unquoted(value);
            let number = value.parse::<i64>();
            number.map_err(|_| format!("{} is no whole number", shown(value)))
        };
        let time = whole(columns.time)?;
        let time = Timestamp::from_millis(time).ok_or_else(|| format!("{time} ms is no time"))?;
        self.newest = self.newest.max(Some(time));
        if time.saturating_add(RECENT) <= self.now {
            // Rows are in the order of time: what is before an old one is old. Its other columns do not matter.
            self.readable += 1;
            self.old_damaged += std::mem::take(&mut self.damaged).count();
            return Ok(());
        }
        if let Some(exactly) = columns.exactly
            && row.len() != exactly
        {
            return Err(format!("it has {} columns, not {exactly}", row.len()));
        }
        let mut values = [0; N];
        for (value, column) in values.iter_mut().zip(columns.values) {
            *value = whole(column)?;
        }
        self.readable += 1;
        if self.recent.rows.len() == MAX_ROWS {
            self.too_many += 1;
            return Ok(());
        }
        self.future += usize::from(time > self.now);
        self.recent.rows.push(Row { time, values });
        Ok(())
    }

    fn end(mut self) -> Result<Recent<N>, RowsError> {
        if self.readable == 0 && !self.damaged.is_empty() {
            return Err(RowsError::NoRows(self.damaged.to_string()));
        }
        self.recent.gaps.extend(self.damaged.into_lines());
        if self.too_many > 0 {
            self.recent.gaps.push(format!(
                "{} rows are left out: more than {MAX_ROWS} are of the last 12 hours",
                self.too_many
            ));
        }
        let notices = &mut self.recent.notices;
        if self.old_damaged > 0 {
            notices.push(format!(
                "damaged rows that are older than 12 hours: {}",
                self.old_damaged
            ));
        }
        if self.future > 0 {
            notices.push(format!("rows of a time to come: {}", self.future));
        }
        if self.recent.rows.is_empty() && self.recent.gaps.is_empty() {
            notices.push(match self.newest {
                Some(newest) => format!("no row of the last 12 hours: the newest is of {newest}"),
                None => "it has no rows".to_owned(),
            });
        }
        Ok(self.recent)
    }
}

/// Why a text has no such rows.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RowsError {
    /// The header does not have this column.
    NoColumn(&'static str),
    /// There are rows, and none can be read; with what is wrong with the first, and the number of the others.
    NoRows(String),
}

impl Display for RowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn(name) => write!(f, "its first line does not name a column `{name}`"),
            Self::NoRows(first) => write!(f, "none of its rows can be read: {first}"),
        }
    }
}

impl Error for RowsError {}

#[cfg(test)]
mod tests;
