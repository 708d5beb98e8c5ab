//! A struct that is a point.

use std::borrow::Cow;

use crate::{Adjustments, FieldType, Point, PointError, Schema, Timestamp, Value};

/// A struct whose values become points of one measurement. Derived, see `derive(Measurement)`.
pub trait Measurement {
    /// The measurement's declaration.
    const SCHEMA: &'static Schema;

    /// The point. Its time is the struct's own where it has one, else `time`.
    ///
    /// What had to be changed is counted in `adjustments`; a point that cannot be made is an error (and counted).
    fn into_point(self, time: Timestamp, adjustments: &mut Adjustments) -> Result<Point, PointError>;
}

/// A type that a field of a derived [`Measurement`] may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a measurement",
    label = "not a field type",
    note = "fields are f64, f32, i64, i32, u64, u32, bool, String or &'static str, or an Option of one; \
            mark a tag with #[tag] and the point's time with #[time]"
)]
pub trait IntoField {
    /// The type of the field.
    const FIELD_TYPE: FieldType;

    /// The value; `None` leaves the field out.
    fn into_field(self) -> Option<Value>;
}

macro_rules! into_field {
    ($($from:ty => $field_type:ident),* $(,)?) => {
        $(impl IntoField for $from {
            const FIELD_TYPE: FieldType = FieldType::$field_type;

            fn into_field(self) -> Option<Value> {
                Some(Value::from(self))
            }
        })*
    };
}

into_field! {
    f64 => Float,
    f32 => Float,
    i64 => Int,
    i32 => Int,
    i16 => Int,
    i8 => Int,
    u64 => Uint,
    u32 => Uint,
    u16 => Uint,
    u8 => Uint,
    bool => Bool,
    &'static str => String,
    String => String,
    Box<str> => String,
}

impl<T: IntoField> IntoField for Option<T> {
    const FIELD_TYPE: FieldType = T::FIELD_TYPE;

    fn into_field(self) -> Option<Value> {
        self.and_then(T::into_field)
    }
}

/// A type that the `#[time]` of a derived [`Measurement`] may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the time of a point",
    label = "not a time",
    note = "#[time] goes with a Timestamp or an Option<Timestamp>"
)]
pub trait IntoTime {
    /// The point's own time; `None` gives it that of the run.
    fn into_time(self) -> Option<Timestamp>;
}

impl IntoTime for Timestamp {
    fn into_time(self) -> Option<Timestamp> {
        Some(self)
    }
}

impl IntoTime for Option<Timestamp> {
    fn into_time(self) -> Option<Timestamp> {
        self
    }
}

/// A type that a `#[tag]` of a derived [`Measurement`] may have: a string, as it is.
///
/// The derive takes the texts of all other types from their `Display`.
pub trait IntoTag {
    /// The tag's value.
    fn into_tag(self) -> Cow<'static, str>;
}

impl<T: Into<Cow<'static, str>>> IntoTag for T {
    fn into_tag(self) -> Cow<'static, str> {
        self.into()
    }
}
