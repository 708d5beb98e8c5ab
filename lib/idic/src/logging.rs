//! `[logging]`: tidemark's own log counts.

use tidemark_settings::{Key, Section, SectionReader, UnknownKeys};

use crate::key::key;

/// The keys of `[logging]`, the format's in both spellings that are met.
const KEYS: [Key; 5] = [
    key::<String>("logfile"),
    key::<String>("log_file_format"),
    key::<String>("logfile_format"),
    key::<String>("log_level"),
    key::<bool>("log_to_stdout"),
];

/// Which keys of `[logging]` are set.
pub(crate) struct Logging(pub(crate) Vec<&'static str>);

impl Section for Logging {
    const SUMMARY: &'static str = "The log of gostats.";
    const KEYS: &'static [Key] = &KEYS;
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Logging> {
        let mut set = Vec::new();
        let mut right = true;
        for key in &KEYS {
            right &= if key.name == "log_to_stdout" {
                section.optional::<bool>(key.name).is_some()
            } else {
                section.optional::<String>(key.name).is_some()
            };
            if section.value(key.name).is_some() {
                set.push(key.name);
            }
        }
        right.then_some(Logging(set))
    }
}
