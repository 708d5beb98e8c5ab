//! Which series a run looks at: those that Launchpad says are active or in development, and where it does not say, those of
//! distro-info's file.
//!
//! That the file stands in is a gap: for days around a release, and where a series is supported for longer than it was
//! planned, the two say different things.

use chrono::{DateTime, NaiveDate, Utc};
use tidemark_collect::{CollectorError, Context, Timestamp, chain};

use crate::distro_info::DistroInfo;
use crate::launchpad::Launchpad;

/// The codenames of the active series, those under extended support and the one in development included, each once.
///
/// `distro_info` is the path of distro-info's file, below the host's root.
///
/// # Errors
/// Where neither says any; the text begins with `the active series: `, as the gap does.
pub async fn active(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    distro_info: &str,
    now: Timestamp,
) -> Result<Vec<String>, CollectorError> {
    let error = match launchpad.active_series().await {
        Ok(series) => return Ok(series),
        Err(error) => error,
    };
    let read = DistroInfo::read(cx, distro_info);
    match read.and_then(|info| Ok(info.active_series(date(now))?.map(str::to_owned).collect())) {
        Ok(series) => {
            cx.gap(format_args!(
                "the active series: {}; those of {distro_info} count instead",
                chain(&error)
            ));
            Ok(series)
        }
        Err(other) => Err(neither("the active series", &other, error)),
    }
}

/// The codename of the development series.
///
/// `distro_info` is the path of distro-info's file, below the host's root.
///
/// # Errors
/// Where neither says it; the text begins with `the development series: `, as the gap does.
pub async fn development(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    distro_info: &str,
    now: Timestamp,
) -> Result<String, CollectorError> {
    let error = match launchpad.development_series().await {
        Ok(series) => return Ok(series),
        Err(error) => error,
    };
    let read = DistroInfo::read(cx, distro_info);
    match read.and_then(|info| Ok(info.development_series(date(now))?.to_owned())) {
        Ok(series) => {
            cx.gap(format_args!(
                "the development series: {}; {series}, that of {distro_info}, counts instead",
                chain(&error)
            ));
            Ok(series)
        }
        Err(other) => Err(neither("the development series", &other, error)),
    }
}

fn neither(what: &str, distro_info: &CollectorError, launchpad: CollectorError) -> CollectorError {
    CollectorError::caused(
        format_args!(
            "{what}: known neither from distro-info ({}) nor from Launchpad",
            chain(distro_info)
        ),
        launchpad,
    )
}

fn date(now: Timestamp) -> NaiveDate {
    DateTime::<Utc>::from(now).date_naive()
}
