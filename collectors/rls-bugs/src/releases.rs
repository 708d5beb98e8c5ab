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
    /// Whether it may be so new that it has no reports.
    pub(crate) is_new: bool,
}

/// The releases of that list, or else all that are supported and those in development, each once: for Python's distro_info,
/// whose list the reports' users know, a release is supported from its first day in development on.
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
    if !series.is_empty() {
        let named = series.iter().map(|series| release(&info, series, false));
        return Ok(each_once(named.collect()));
    }
    if info.supported(date).next().is_none() {
        return Err(CollectorError::other(format_args!(
            "{distro_info} names no release that is supported on {date}: upgrade the package distro-info-data, or name \
             the releases in `series`"
        )));
    }
    let current = info
        .releases()
        .iter()
        .filter(|release| release.is_supported(date) || release.is_development(date))
        .map(|found| release(&info, found.series(), found.is_development(date)));
    Ok(each_once(current.collect()))
}

fn each_once(mut releases: Vec<Release>) -> Vec<Release> {
    releases.sort_unstable_by(|one, other| one.series.cmp(&other.series));
    releases.dedup_by(|one, other| one.series == other.series);
    releases
}

fn release(info: &DistroInfo, series: &str, is_new: bool) -> Release {
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
        is_new,
    }
}
