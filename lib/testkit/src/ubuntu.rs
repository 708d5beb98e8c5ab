//! Sources of the Ubuntu community: as long as the real ones and of their shape, made from a seed, each with what is
//! right to read in it.
//!
//! What it is: what cannot be a recorded file, for its length. The same [`Size`] gives the same bytes. The odd bits of the
//! real ones are in: nulls, missing and further keys, text beyond ASCII, quoting in every style, folded lines, aliases.
//! `now` is in milliseconds since the epoch; [`NOW`] does where no clock counts.
//!
//! What it is not: what a source says when it fails. That is for [`Answer`](crate::Answer).
//!
//! ```
//! use tidemark_testkit::ubuntu::{self, Size};
//!
//! let made = ubuntu::update_excuses_by_team(Size::percent(1));
//! assert!(made.text.starts_with("debcrafters-packages:\n- kind: "));
//! assert!(made.answer.teams.iter().any(|team| team.count > 0 && team.age > 3.0));
//! ```

mod autopkgtest;
mod excuses;
mod excuses_by_team;
mod indexes;
mod log;
mod names;
mod reports;
mod reviews;
mod rls;
mod rows;
mod rsync;
#[cfg(test)]
mod tests;
mod uploads;

pub use autopkgtest::{queue_size_json, running_json};
pub use excuses::update_excuses_html;
pub use excuses_by_team::{ByTeam, Team, update_excuses_by_team};
pub use indexes::{IndexStyle, apache_index, britney_day_index, cnf_index};
pub use log::{Log, britney_log};
pub use reports::{ByArchitecture, outdate_txt, priority_mismatches_txt, uninst_txt, versions_report};
pub use reviews::active_reviews;
pub use rls::{Rls, rls_json};
pub use rows::{Rows, component_mismatches_csv, distro_info_csv, nbs_csv, update_excuses_csv};
pub use rsync::{Image, rsync_listing};
pub use uploads::{Uploads, package_uploads};

use chrono::{DateTime, Utc};

/// 2026-11-21 12:00:00 UTC in milliseconds since the epoch.
pub const NOW: i64 = 1_795_262_400_000;
/// The architectures that Ubuntu's development series has.
pub const ARCHITECTURES: [&str; 8] = [
    "amd64", "amd64v3", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x",
];

/// The teams on Launchpad whose people are counted.
pub const TEAMS: [&str; 10] = [
    "motu",
    "ubuntumembers",
    "ubuntu-archive",
    "ubuntu-core-dev",
    "ubuntu-dev",
    "ubuntu-developer-members",
    "ubuntu-release",
    "ubuntu-sru",
    "ubuntu-sru-developers",
    "ubuntu-uploaders",
];

/// A source, and what is right to read in it.
#[derive(Clone, Debug)]
pub struct Made<A> {
    /// The source.
    pub text: String,
    /// What it says.
    pub answer: A,
}

/// How long a source is, beside the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    percent: usize,
}

impl Size {
    /// As long as the real one.
    pub const REAL: Self = Self::percent(100);

    /// So many hundredths of the real one.
    pub const fn percent(percent: usize) -> Self {
        Self { percent }
    }

    /// So many times as long.
    #[must_use]
    pub const fn times(self, times: usize) -> Self {
        Self::percent(self.percent * times)
    }

    /// How many there are of what the real one has so many of; at least one.
    pub fn of(self, real: usize) -> usize {
        (real * self.percent / 100).max(1)
    }
}

/// That time as chrono has it.
fn utc(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).expect("a time of this millennium")
}

/// A number that is surely small enough.
fn small(number: usize) -> i64 {
    i64::try_from(number).expect("a small number")
}
