//! A sink of type `textfile`.

use std::path::PathBuf;

use crate::SectionReader;

/// What a sink of type `textfile` needs.
#[derive(Clone, Debug)]
pub struct TextfileSettings {
    /// The folder that node_exporter reads (`--collector.textfile.directory`). An absolute path.
    pub directory: PathBuf,
}

pub(super) const KEYS: [&str; 1] = ["directory"];

impl TextfileSettings {
    pub(super) fn read(section: &mut SectionReader<'_>) -> Option<TextfileSettings> {
        let directory = section.required::<PathBuf>("directory")?;
        Some(TextfileSettings { directory })
    }
}
