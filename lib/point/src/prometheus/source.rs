//! Points of either sort, read part by part.

use std::borrow::Cow;

use super::gather::Number;
use crate::line::{BorrowedPoint, BorrowedValue};
use crate::{Point, Timestamp, Value};

/// A point of its own, or one borrowed from a line: the writers for Prometheus take both.
#[expect(private_bounds, reason = "what is read of a point is no interface for others")]
pub trait AnyPoint: Parts {}

impl AnyPoint for Point {}
impl AnyPoint for BorrowedPoint<'_> {}
impl<P: AnyPoint> AnyPoint for &P {}

/// What the writers read.
pub(crate) trait Parts {
    /// The same text for each point of a series.
    fn series_key(&self) -> Cow<'_, str>;
    fn measurement(&self) -> Cow<'_, str>;
    fn each_tag(&self, visit: impl FnMut(&str, &str));
    /// Each field; no number where it is a string.
    fn each_field(&self, visit: impl FnMut(&str, Option<Number>));
    fn time(&self) -> Option<Timestamp>;
}

impl Parts for Point {
    fn series_key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.series_key())
    }

    fn measurement(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.measurement())
    }

    fn each_tag(&self, mut visit: impl FnMut(&str, &str)) {
        for (key, value) in self.tags() {
            visit(key, value);
        }
    }

    fn each_field(&self, mut visit: impl FnMut(&str, Option<Number>)) {
        for (key, value) in self.fields() {
            let number = match value {
                Value::Float(float) => Some(Number::Float(*float)),
                Value::Int(int) => Some(Number::Int(*int)),
                Value::Uint(uint) => Some(Number::Uint(*uint)),
                Value::Bool(truth) => Some(Number::Uint(u64::from(*truth))),
                Value::String(_) => None,
            };
            visit(key, number);
        }
    }

    fn time(&self) -> Option<Timestamp> {
        Some(self.time())
    }
}

impl Parts for BorrowedPoint<'_> {
    fn series_key(&self) -> Cow<'_, str> {
        self.series_key()
    }

    fn measurement(&self) -> Cow<'_, str> {
        self.measurement()
    }

    fn each_tag(&self, mut visit: impl FnMut(&str, &str)) {
        for (key, value) in self.tags() {
            visit(&key, &value);
        }
    }

    fn each_field(&self, mut visit: impl FnMut(&str, Option<Number>)) {
        for (key, value) in self.fields() {
            let number = match value {
                BorrowedValue::Float(float) => Some(Number::Float(*float)),
                BorrowedValue::Int(int) => Some(Number::Int(*int)),
                BorrowedValue::Uint(uint) => Some(Number::Uint(*uint)),
                BorrowedValue::Bool(truth) => Some(Number::Uint(u64::from(*truth))),
                BorrowedValue::String(_) => None,
            };
            visit(key, number);
        }
    }

    fn time(&self) -> Option<Timestamp> {
        self.time()
    }
}

impl<P: Parts> Parts for &P {
    fn series_key(&self) -> Cow<'_, str> {
        P::series_key(self)
    }

    fn measurement(&self) -> Cow<'_, str> {
        P::measurement(self)
    }

    fn each_tag(&self, visit: impl FnMut(&str, &str)) {
        P::each_tag(self, visit);
    }

    fn each_field(&self, visit: impl FnMut(&str, Option<Number>)) {
        P::each_field(self, visit);
    }

    fn time(&self) -> Option<Timestamp> {
        P::time(self)
    }
}
