use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// What a collection says of its size.
#[derive(Debug, PartialEq)]
pub(super) enum Count {
    /// So many.
    Of(u64),
    /// This address knows.
    At(String),
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Answer)
    }
}

/// A number, or a page of the collection.
struct Answer;

impl<'de> Visitor<'de> for Answer {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of entries, or an object with its total_size")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
        Ok(Count::Of(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut page: A) -> Result<Count, A::Error> {
        let mut count: Option<u64> = None;
        let mut link: Option<String> = None;
        while let Some(key) = page.next_key::<Key>()? {
            match key {
                Key::TotalSize => count = page.next_value()?,
                Key::TotalSizeLink => link = page.next_value()?,
                Key::Other => {
                    page.next_value::<IgnoredAny>()?;
                }
            }
        }
        match (count, link) {
            (Some(count), _) => Ok(Count::Of(count)),
            (None, Some(link)) => Ok(Count::At(link)),
            (None, None) => Err(A::Error::missing_field("total_size")),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    TotalSize,
    TotalSizeLink,
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Count, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_count_is_a_number_a_size_or_somewhere_else() {
        assert_eq!(read("49"), Ok(Count::Of(49)));
        assert_eq!(read(" 0\n"), Ok(Count::Of(0)));
        assert_eq!(
            read(r#"{"total_size": 7, "start": 0, "entries": [{"a": [1]}]}"#),
            Ok(Count::Of(7))
        );
        assert_eq!(
            read(r#"{"start": 0, "total_size_link": "https://h/x?ws.show=total_size", "entries": []}"#),
            Ok(Count::At("https://h/x?ws.show=total_size".into()))
        );
        assert_eq!(
            read(r#"{"total_size_link": "x", "total_size": 3}"#),
            Ok(Count::Of(3))
        );
        assert_eq!(
            read(r#"{"total_size": null, "total_size_link": "x"}"#),
            Ok(Count::At("x".into()))
        );
    }

    #[test]
    fn what_is_no_count_is_said() {
        let due = "expected a number of entries, or an object with its total_size";
        for json in ["null", "\"49\"", "-1", "4.0", "[]", "true"] {
            let error = read(json).unwrap_err();
            assert!(error.contains(due), "{json}: {error}");
        }
        for json in ["{}", r#"{"total_size": null}"#, r#"{"entries": [1, 2]}"#] {
            let error = read(json).unwrap_err();
            assert!(error.contains("missing field `total_size`"), "{json}: {error}");
        }
        for json in [
            r#"{"total_size": -1}"#,
            r#"{"total_size": "7"}"#,
            r#"{"total_size_link": 7}"#,
        ] {
            assert!(read(json).unwrap_err().contains("invalid"), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in r#"[{}\[\]":,0-9.e\\ -]{0,40}"#) {
            let _ = read(&text);
            let _ = read(&format!("{{\"total_size\": {text}, \"total_size_link\": \"{text}\"}}"));
        }

        #[test]
        fn any_count_is_taken(count: u64) {
            prop_assert_eq!(read(&count.to_string()), Ok(Count::Of(count)));
            prop_assert_eq!(read(&format!("{{\"a\": [{count}], \"total_size\": {count}}}")), Ok(Count::Of(count)));
        }
    }
}
