//! What is right by the grammar of line protocol, and is refused all the same, or not meant.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use tidemark_app::exit::Failure;
use tidemark_point::line::{BorrowedPoint, BorrowedValue};
use tidemark_point::{FieldType, MAX_STRING_BYTES, Timestamp};

use super::findings::{Findings, Place};
use super::influx::{out_of_range, scaled};
use crate::arguments::Precision;

/// Fields whose types are remembered.
const MAX_FIELDS: usize = 1_000_000;
/// Points that are remembered, to find those of the same series and time.
const MAX_POINTS: usize = 2_000_000;
/// What InfluxDB keeps for itself: <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#naming-restrictions>
const RESERVED: char = '_';
/// A tag of this name is refused, and a field of it is not stored by InfluxDB 1.
const TIME: &str = "time";
/// Seconds from 1970 to September 2001: measured times are later. A thousand times as many are 33,000 years.
const EARLIEST_LIKELY: i64 = 1_000_000_000;

/// What was seen so far.
pub(super) struct Meaning {
    lenient: bool,
    precision: Precision,
    hashes: RandomState,
    /// The type of each field of each measurement, and the line that had it first.
    types: HashMap<u64, (FieldType, usize)>,
    /// Series with their times.
    points: HashSet<u64>,
    /// What is said once.
    said: Said,
}

#[derive(Default)]
struct Said {
    uints: bool,
    field_time: bool,
    reserved: bool,
    early: bool,
    no_more_types: bool,
    no_more_points: bool,
}

impl Meaning {
    pub(super) fn new(lenient: bool, precision: Precision) -> Self {
        Self {
            lenient,
            precision,
            hashes: RandomState::new(),
            types: HashMap::new(),
            points: HashSet::new(),
            said: Said::default(),
        }
    }

    /// Checks a point that is written as `text` at `place`. Whether it is right.
    pub(super) fn check(
        &mut self,
        point: &BorrowedPoint<'_>,
        text: &[u8],
        place: Place,
        findings: &mut Findings,
    ) -> Result<bool, Failure> {
        let column = |offset: usize| Place::new(place.line, place.column + offset);
        let mut is_good = true;
        let series = point.raw_series_key();
        if let Some(at) = series.bytes().position(|byte| byte.is_ascii_control()) {
            let what = "a control character in a tag's value; write the text without it";
            is_good &= self.refused(column(at), what, findings)?;
        }
        if point.tags().any(|(key, _)| key == TIME) {
            let what = "a tag is called time: servers refuse the point; call it otherwise";
            is_good &= self.refused(place, what, findings)?;
        }
        let measurement = point.measurement();
        let fields = point.fields();
        if fields.iter().all(|(key, _)| key == TIME) {
            let what = "no field but one called time, which InfluxDB 1 does not store; call it otherwise";
            is_good &= self.refused(column(series.len() + 1), what, findings)?;
            self.said.field_time = true;
        }
        let mut keys = HashSet::new();
        let mut places = Places::new(text, place);
        for (key, value) in fields {
            let at = places.of_key(key).unwrap_or(column(series.len() + 1));
            if fields.len() > 1 && !keys.insert(key.as_ref()) {
                let what =
                    format!("the field {key:?} is given twice: its last value counts; write each field once");
                findings.notice(at, &what)?;
            }
            is_good &= self.field(&measurement, (key, value), at, findings)?;
        }
        let reserved = |name: &str| name.starts_with(RESERVED);
        let names_reserved = reserved(&measurement)
            || point.tags().any(|(key, _)| reserved(&key))
            || fields.iter().any(|(key, _)| reserved(key));
        if names_reserved && !std::mem::replace(&mut self.said.reserved, true) {
            let what = "a name that begins with _: InfluxDB 2 keeps these for itself";
            findings.notice(place, what)?;
        }
        is_good &= self.time(point, text, place, findings)?;
        Ok(is_good)
    }

    /// A mistake; a notice where it is enough that a server takes it.
    fn refused(&self, place: Place, what: &str, findings: &mut Findings) -> Result<bool, Failure> {
        match self.lenient {
            true => findings.notice(place, what)?,
            false => findings.mistake(place, what)?,
        }
        Ok(self.lenient)
    }

    fn field(
        &mut self,
        measurement: &str,
        (key, value): (&str, &BorrowedValue<'_>),
        place: Place,
        findings: &mut Findings,
    ) -> Result<bool, Failure> {
        let field_type = match value {
            BorrowedValue::Float(_) => FieldType::Float,
            BorrowedValue::Int(_) => FieldType::Int,
            BorrowedValue::Uint(_) => FieldType::Uint,
            BorrowedValue::Bool(_) => FieldType::Bool,
            BorrowedValue::String(_) => FieldType::String,
        };
        if field_type == FieldType::Uint && !std::mem::replace(&mut self.said.uints, true) {
            findings.notice(
                place,
                "an unsigned integer (u): InfluxDB 1 refuses it, write i for it",
            )?;
        }
        if let BorrowedValue::String(text) = value
            && text.len() > MAX_STRING_BYTES
        {
            let what = format!(
                "a string of {} bytes: InfluxDB stores {MAX_STRING_BYTES} at most",
                text.len()
            );
            findings.notice(place, &what)?;
        }
        if key == TIME && !std::mem::replace(&mut self.said.field_time, true) {
            let what = "a field called time: InfluxDB 1 does not store it; call it otherwise";
            findings.notice(place, what)?;
        }
        let hash = self.hashes.hash_one((measurement, key));
        match self.types.get(&hash) {
            Some((first, _)) if *first == field_type => Ok(true),
            Some((first, line)) => {
                let what = format!(
                    "the field {key:?} of {measurement:?} is {}, and was {} in line {line}: servers refuse one of \
                     them; write one type",
                    with_article(field_type),
                    with_article(*first)
                );
                self.refused(place, &what, findings)
            }
            None if self.types.len() < MAX_FIELDS => {
                self.types.insert(hash, (field_type, place.line));
                Ok(true)
            }
            None => {
                self.said.no_more_types = true;
                Ok(true)
            }
        }
    }

    fn time(
        &mut self,
        point: &BorrowedPoint<'_>,
        text: &[u8],
        place: Place,
        findings: &mut Findings,
    ) -> Result<bool, Failure> {
        if let Some(written) = point.time() {
            let digits = text.trim_ascii_end();
            let token = digits
                .iter()
                .rposition(|byte| *byte == b' ')
                .map_or(0, |at| at + 1);
            let at = Places::new(text, place).of_offset(token).unwrap_or(place);
            if scaled(written, self.precision).is_none() {
                findings.mistake(at, &out_of_range(self.precision))?;
                return Ok(false);
            }
            self.early(written, at, findings)?;
        }
        if self.points.len() >= MAX_POINTS {
            self.said.no_more_points = true;
            return Ok(true);
        }
        let hash = self
            .hashes
            .hash_one((point.series_key(), point.time().map(Timestamp::nanos)));
        if !self.points.insert(hash) {
            let what = "a point of this series and time came before: servers merge their fields, and the last value counts";
            findings.notice(place, what)?;
        }
        Ok(true)
    }

    /// Says once that times look like a coarser unit.
    fn early(&mut self, written: Timestamp, place: Place, findings: &mut Findings) -> Result<(), Failure> {
        let Some(unit) = likely_unit(written.nanos(), self.precision) else {
            return Ok(());
        };
        if !std::mem::replace(&mut self.said.early, true) {
            let time = scaled(written, self.precision).unwrap_or(written);
            let what = format!("this is {time}; if it is meant in another unit, name it: --precision {unit}");
            findings.notice(place, &what)?;
        }
        Ok(())
    }

    /// Says what was not looked at.
    pub(super) fn end(&self, findings: &mut Findings) -> Result<(), Failure> {
        let whole = Place::new(1, 1);
        if self.said.no_more_types {
            let what = format!("types were compared for the first {MAX_FIELDS} fields alone");
            findings.notice(whole, &what)?;
        }
        if self.said.no_more_points {
            let what = format!("points of one time were looked for among the first {MAX_POINTS} alone");
            findings.notice(whole, &what)?;
        }
        Ok(())
    }
}

/// The unit that a number is probably meant in, where that is a coarser one.
fn likely_unit(number: i64, precision: Precision) -> Option<&'static str> {
    let nanos = precision.nanos();
    [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
        .into_iter()
        .filter(|(_, unit)| *unit > nanos)
        .find(|(_, unit)| {
            let earliest = EARLIEST_LIKELY * (1_000_000_000 / unit);
            (earliest..earliest * 1_000).contains(&number)
        })
        .map(|(name, _)| name)
}

fn with_article(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Float => "a float",
        FieldType::Int => "an integer (i)",
        FieldType::Uint => "an unsigned integer (u)",
        FieldType::Bool => "true or false",
        FieldType::String => "a string",
    }
}

/// The places of parts of a point's text, each looked for from the one before it.
struct Places<'a> {
    text: &'a [u8],
    /// Where `place` is in the text.
    offset: usize,
    place: Place,
}

impl<'a> Places<'a> {
    /// Of a text that begins at `place`.
    fn new(text: &'a [u8], place: Place) -> Self {
        Self {
            text,
            offset: 0,
            place,
        }
    }

    /// The place of a key that is a part of the text, behind the one before it; none where it is not, for its escapes.
    fn of_key(&mut self, key: &str) -> Option<Place> {
        let offset = key.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        self.of_offset(offset)
    }

    /// The place of a byte of the text, which is not before the one before it.
    fn of_offset(&mut self, offset: usize) -> Option<Place> {
        let between = self.text.get(self.offset..offset)?;
        match between.iter().rposition(|byte| *byte == b'\n') {
            None => self.place.column += between.len(),
            Some(at) => {
                self.place.line += between.iter().filter(|byte| **byte == b'\n').count();
                self.place.column = between.len() - at;
            }
        }
        self.offset = offset;
        Some(self.place)
    }
}
