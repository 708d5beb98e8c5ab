//! The collector `ubuntu-archive`: what waits for the administrators of Ubuntu's archive.
//!
//! | source | measurement | time |
//! |---|---|---|
//! | `nbs.csv` | `nbs_stats` | each row's own |
//! | `component-mismatches.csv`, `component-mismatches-proposed.csv` | `component_mismatch_stats` | each row's own |
//! | `proposed-migration/SERIES_uninst.txt` | `uninst_stats` | when it was generated |
//! | `proposed-migration/SERIES_outdate.txt` | `outdate_stats` | when it was generated |
//! | `priority-mismatches.txt` | `priority_mismatch_stats` | when it was generated |
//! | the team's active reviews on Launchpad, a web page | `ubuntu_archive_reviews` | now |
//! | the team's bug tasks, two counts of Launchpad's | `ubuntu_archive_bugs` | now |
//!
//! All but the last two speak of the development series, which Launchpad names; where it does not answer, distro-info
//! has it. Of the files of figures, the rows of the last 12 hours are submitted. In the reports, an architecture of the
//! series that is not named has nothing to count and counts 0: Launchpad has the list of them, and without it those that
//! are named have a point.
//!
//! The sources are asked side by side. What one of them does not give is a gap that names it; only where none gives
//! anything, the run is an error. It says nothing of single packages, proposals and bugs.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_ubuntu_archive::UbuntuArchive;
//!
//! assert_eq!(UbuntuArchive::NAME, "ubuntu-archive");
//! assert_eq!(UbuntuArchive::RUN_INTERVAL.to_string(), "1h");
//! assert_eq!(UbuntuArchive::MEASUREMENTS.len(), 7);
//! ```

pub mod architectures;
mod bugs;
pub mod generated;
pub mod priority_mismatches;
pub mod reviews;
mod rows;
mod run;
mod series;
pub mod summary;

use tidemark_collect::http::Url;
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Span,
};
use tidemark_ubuntu::distro_info;

use crate::bugs::Bugs;
use crate::priority_mismatches::Mismatch;
use crate::reviews::Reviews;
use crate::rows::{ComponentMismatches, Nbs};
use crate::summary::{OutOfDate, Uninstallable};

/// What waits for the administrators of Ubuntu's archive.
#[derive(Debug, Settings)]
pub struct UbuntuArchive {
    /// Where the reports are.
    #[default("https://ubuntu-archive-team.ubuntu.com/")]
    url: Url,
    /// The root of Launchpad's web service.
    #[default("https://api.launchpad.net/devel/")]
    launchpad: Url,
    /// The page of the team's active reviews.
    #[default("https://code.launchpad.net/~ubuntu-archive/+activereviews")]
    reviews_url: Url,
    /// The team whose bugs count, by its name on Launchpad.
    #[default("ubuntu-archive")]
    team: String,
    /// The series in development, by its codename; where none is named, the one that Launchpad says.
    development: Option<String>,
    /// The releases of Ubuntu, as the package distro-info-data has them, for when Launchpad does not say the series.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

impl Metric for UbuntuArchive {
    const NAME: &'static str = "ubuntu-archive";
    const RUN_INTERVAL: Span = Span::hours(1);
    const NEEDS: Needs = Needs {
        paths: &[distro_info::PATH],
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[
        Nbs::SCHEMA,
        ComponentMismatches::SCHEMA,
        Uninstallable::SCHEMA,
        OutOfDate::SCHEMA,
        Mismatch::SCHEMA,
        Reviews::SCHEMA,
        Bugs::SCHEMA,
    ];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let sources = self.ask(cx).await;
        let mut parts = Parts::new(cx);
        sources.take(cx, &mut parts);
        parts.end()
    }
}

#[cfg(test)]
mod tests;
