//! The points of a page.

use super::entry::{Entry, Sample};
use super::error::{TextError, TextErrorKind};
use super::{Format, Reader};
use crate::{Adjustments, Point, PointError, Timestamp, Value};

/// The field of a point that a sample becomes.
const VALUE: &str = "value";

/// Makes a point of each sample of a page, see [`Points`]. A sample without a time gets `default_time`.
pub fn points(page: &[u8], format: Format, default_time: Timestamp) -> Points<'_> {
    Points {
        reader: Reader::new(page, format),
        default_time,
        adjustments: Adjustments::default(),
    }
}

/// The points of a page: the measurement is the sample's whole name, the one field `value` a float, and the labels
/// are the tags.
///
/// A sample that is NaN or infinite makes no point, and is counted in [`Points::adjustments`], as is all that was
/// changed to make points valid. Types, units, help and exemplars are left out.
#[derive(Clone, Debug)]
pub struct Points<'a> {
    reader: Reader<'a>,
    default_time: Timestamp,
    adjustments: Adjustments,
}

impl<'a> Points<'a> {
    /// Reads as [`Reader::lenient`].
    #[must_use]
    pub fn lenient(mut self) -> Points<'a> {
        self.reader = self.reader.lenient();
        self
    }

    /// Leaves bad lines out, as [`Reader::skip_bad_lines`].
    #[must_use]
    pub fn skip_bad_lines(mut self) -> Points<'a> {
        self.reader = self.reader.skip_bad_lines();
        self
    }

    /// The reader of the page, which counts its bad lines.
    pub fn reader(&self) -> &Reader<'a> {
        &self.reader
    }

    /// What was changed or left out so far to make valid points.
    pub fn adjustments(&self) -> &Adjustments {
        &self.adjustments
    }

    fn point(&mut self, sample: Sample<'a>) -> Option<Result<Point, TextError>> {
        if sample.is_time_beyond() {
            return Some(Err(self.error(TextErrorKind::TimeNotStored)));
        }
        let mut builder = Point::builder(&sample.name).time(sample.time.unwrap_or(self.default_time));
        for (key, value) in sample.labels() {
            builder.set_tag(&key, &value);
        }
        builder.set_field(VALUE, Value::from(sample.value));
        match builder.build(&mut self.adjustments) {
            Ok(point) => Some(Ok(point)),
            Err(PointError::NoFields { .. }) => None,
            Err(source) => Some(Err(self.error(TextErrorKind::Point(source)))),
        }
    }

    fn error(&self, kind: TextErrorKind) -> TextError {
        TextError {
            line: self.reader.line(),
            column: 1,
            kind,
        }
    }
}

impl Iterator for Points<'_> {
    type Item = Result<Point, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let made = match self.reader.next()? {
                Ok(Entry::Sample(sample)) => self.point(sample),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            };
            if made.is_some() {
                return made;
            }
        }
    }
}
