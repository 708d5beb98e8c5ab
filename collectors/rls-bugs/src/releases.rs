//! The releases that are looked at, and what their reports are called.

use chrono::{DateTime, Utc};
use tidemark_collect::{CollectorError, Context, Timestamp};
use tidemark_ubuntu::distro_info::DistroInfo;

/// The first release whose reports have its initial twice: the alphabet began anew with it.
const ARTFUL: &str = "artful";

/// A release with reports.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Release {
    /// Its codename.
    pub(crate) series: String,
    /// What its reports are called: its initial once, from [`ARTFUL`] on twice.
    pub(crate) letters: String,
}

/// The releases of that list, or else all that are supported, each once.
///
/// # Errors
/// Where the file cannot be read, or knows no release that is supported.
pub(crate) fn find(
    cx: &Context,
    distro_info: &str,
    series: &[String],
    now: Timestamp,
) -> Result<Vec<Release>, CollectorError> {
    let info = DistroInfo::read(cx, distro_info)?;
    let date = DateTime::<Utc>::from(now).date_naive();
    let mut names: Vec<&str> = match series {
        [] => info.supported(date).map(|release| release.series()).collect(),
        series => series.iter().map(String::as_str).collect(),
    };
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Err(CollectorError::other(format_args!(
            "{distro_info} names no release that is supported on {date}: upgrade the package distro-info-data, or name \
             the releases in `series`"
        )));
    }
    Ok(names.into_iter().map(|name| release(&info, name)).collect())
}

fn release(info: &DistroInfo, series: &str) -> Release {
    let place = |series: &str| {
        info.releases()
            .iter()
            .position(|release| release.series() == series)
    };
    let initial: String = series.chars().take(1).collect();
    // One that is not in the list is newer than it.
    let is_before_artful = place(series).is_some_and(|at| place(ARTFUL).is_none_or(|artful| at < artful));
    Release {
        series: series.to_owned(),
        letters: initial.repeat(if is_before_artful { 1 } else { 2 }),
    }
}
