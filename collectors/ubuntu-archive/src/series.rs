//! The development series, and its architectures.

use chrono::{DateTime, NaiveDate, Utc};
use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_ubuntu::distro_info::DistroInfo;
use tidemark_ubuntu::launchpad::Launchpad;

/// The development series: Launchpad's, and where that cannot be had, distro-info's, which is a gap nevertheless: from a
/// release on, the two may differ for days.
///
/// None where neither can be had; the gaps say why.
pub(crate) async fn development(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    distro_info: &str,
    now: Timestamp,
) -> Option<String> {
    let error = match launchpad.development_series().await {
        Ok(series) => return Some(series),
        Err(error) => error,
    };
    let failed = chain(&error);
    match from_file(cx, distro_info, DateTime::<Utc>::from(now).date_naive()) {
        Ok(series) => {
            cx.gap(format_args!(
                "the development series: {failed}; {series} is taken, which {distro_info} has for it"
            ));
            Some(series)
        }
        Err(error) => {
            cx.gap(format_args!(
                "the development series: {failed}; in Launchpad's place: {}",
                chain(&error)
            ));
            None
        }
    }
}

fn from_file(cx: &Context, path: &str, date: NaiveDate) -> Result<String, CollectorError> {
    let releases = DistroInfo::read(cx, path)?;
    Ok(releases.development_series(date)?.to_owned())
}

/// The architectures of the series; none where they cannot be had, which is a gap.
pub(crate) async fn architectures(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    series: &str,
) -> Option<Vec<String>> {
    match launchpad.architectures(series).await {
        Ok(architectures) => Some(architectures),
        Err(error) => {
            cx.gap(format_args!(
                "{series}'s architectures: {}; those that a report does not name have no count",
                chain(&error)
            ));
            None
        }
    }
}
