//! The keys of the file's sections.

use tidemark_settings::{Key, SettingValue};

/// A key that is read as `T`.
pub(crate) const fn key<T: SettingValue>(name: &'static str) -> Key {
    Key {
        name,
        type_name: T::TYPE,
        default: None,
        help: "",
        keys: &[],
    }
}
