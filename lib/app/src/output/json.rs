//! Points as one JSON array.

use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};
use tidemark_point::{Point, Value};

/// One array of objects, indented, with a final newline.
///
/// Numbers keep every digit: integers are written whole (a reader that knows only doubles loses what lies beyond 2^53),
/// floats in the shortest form that reads back as the same number.
pub(super) fn write(points: &[Point]) -> Vec<u8> {
    let objects: Vec<Object<'_>> = points.iter().map(Object).collect();
    // Every key is a string and every float finite: there is nothing that could fail.
    let mut text = serde_json::to_vec_pretty(&objects).unwrap_or_default();
    text.push(b'\n');
    text
}

struct Object<'a>(&'a Point);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Point", 4)?;
        object.serialize_field("measurement", self.0.measurement())?;
        object.serialize_field("tags", &Tags(self.0))?;
        object.serialize_field("fields", &Fields(self.0))?;
        object.serialize_field("time", &self.0.time().to_string())?;
        object.end()
    }
}

struct Tags<'a>(&'a Point);

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.tags())
    }
}

struct Fields<'a>(&'a Point);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0.fields() {
            match value {
                Value::Float(number) => map.serialize_entry(key, number)?,
                Value::Int(number) => map.serialize_entry(key, number)?,
                Value::Uint(number) => map.serialize_entry(key, number)?,
                Value::Bool(truth) => map.serialize_entry(key, truth)?,
                Value::String(text) => map.serialize_entry(key, &**text)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::yaml::tests::samples;

    #[test]
    fn an_array_with_the_keys_of_the_contract() {
        let text = String::from_utf8(write(&samples())).expect("UTF-8");
        let first = r#"[
  {
    "measurement": "queue",
    "tags": {
      "release": "22.04",
      "report": "sponsoring"
    },
    "fields": {
      "count": 12,
      "oldest": 3.0
    },
    "time": "2026-11-21T07:00:00.5Z"
  },
"#;
        assert!(text.starts_with(first), "{text}");
        let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(parsed[1]["tags"], serde_json::json!({}));
        assert_eq!(parsed[1]["fields"]["most"].as_u64(), Some(u64::MAX));
        assert_eq!(parsed[1]["fields"]["share"].as_f64(), Some(1e22));
        assert!(parsed[1]["fields"]["share"].is_f64());
        assert_eq!(parsed[1]["fields"]["words"], "no: \"1\" # x");
        assert!(text.ends_with("]\n"));
    }

    #[test]
    fn no_points_are_an_empty_array() {
        assert_eq!(write(&[]), b"[]\n");
    }
}
