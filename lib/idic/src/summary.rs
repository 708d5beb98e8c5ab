//! `[summary_stats]`.

use tidemark_settings::{Key, Section, SectionReader, UnknownKeys};

use crate::key::key;

/// `[summary_stats]`: which summaries are fetched.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SummaryStats {
    /// By protocol.
    pub protocol: bool,
    /// By client.
    pub client: bool,
    /// By drive.
    pub drive: bool,
}

impl SummaryStats {
    /// Whether any is fetched.
    #[must_use]
    pub fn any(self) -> bool {
        self.protocol || self.client || self.drive
    }
}

impl Section for SummaryStats {
    const SUMMARY: &'static str = "The summaries that are fetched.";
    const KEYS: &'static [Key] = &[
        key::<bool>("protocol"),
        key::<bool>("client"),
        key::<bool>("drive"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<SummaryStats> {
        let protocol = section.optional::<bool>("protocol");
        let client = section.optional::<bool>("client");
        let drive = section.optional::<bool>("drive");
        Some(SummaryStats {
            protocol: protocol?.unwrap_or(false),
            client: client?.unwrap_or(false),
            drive: drive?.unwrap_or(false),
        })
    }
}
