//! A field's value and its type.

use std::fmt;

/// The value of a field.
///
/// In a [`Point`](crate::Point) a float is finite and a string has no line breaks; a value on its own may be
/// anything.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A 64-bit float.
    Float(f64),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// True or false.
    Bool(bool),
    /// A text.
    String(Box<str>),
}

impl Value {
    /// The value's type.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Value::Float(_) => FieldType::Float,
            Value::Int(_) => FieldType::Int,
            Value::Uint(_) => FieldType::Uint,
            Value::Bool(_) => FieldType::Bool,
            Value::String(_) => FieldType::String,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Value {
                Value::$variant(value.into())
            }
        })*
    };
}

value_from! {
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
    &str => String,
    String => String,
    Box<str> => String,
}

/// The type of a field. InfluxDB refuses a field that has two.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FieldType {
    /// A finite 64-bit float.
    Float,
    /// A signed 64-bit integer.
    Int,
    /// An unsigned 64-bit integer.
    Uint,
    /// True or false.
    Bool,
    /// A text.
    String,
}

impl FieldType {
    /// The type's name: `float`, `int`, `uint`, `bool` or `string`.
    pub const fn name(self) -> &'static str {
        match self {
            FieldType::Float => "float",
            FieldType::Int => "int",
            FieldType::Uint => "uint",
            FieldType::Bool => "bool",
            FieldType::String => "string",
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rust_type_has_one_field_type() {
        let types = [
            (Value::from(1.5_f64), "float"),
            (Value::from(1.5_f32), "float"),
            (Value::from(-1_i64), "int"),
            (Value::from(-1_i32), "int"),
            (Value::from(1_u64), "uint"),
            (Value::from(1_u32), "uint"),
            (Value::from(true), "bool"),
            (Value::from("x"), "string"),
            (Value::from(String::from("x")), "string"),
        ];
        for (value, name) in types {
            assert_eq!(value.field_type().to_string(), name, "{value:?}");
        }
    }
}
