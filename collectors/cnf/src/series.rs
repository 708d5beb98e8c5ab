//! The series that are looked at.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_ubuntu::distro_info::{DistroInfo, Release};
use tidemark_ubuntu::launchpad::Launchpad;

use crate::Cnf;

/// The settings' series, else Launchpad's active ones, each once.
///
/// Where Launchpad does not say, those of distro-info's file that are supported, under extended support or in development
/// stand in, and a gap says so: Launchpad may know of others.
///
/// # Errors
/// Where neither says any.
pub(crate) async fn find(
    cnf: &Cnf,
    cx: &Context,
    now: Timestamp,
) -> Result<BTreeSet<String>, CollectorError> {
    if !cnf.series.is_empty() {
        return Ok(cnf.series.iter().cloned().collect());
    }
    let error = match Launchpad::new(cx, &cnf.launchpad).active_series().await {
        Ok(series) => return Ok(series.into_iter().collect()),
        Err(error) => error,
    };
    match of_distro_info(cx, &cnf.distro_info, now) {
        Ok(series) => {
            cx.gap(format_args!(
                "the active series: {}; those of {} count instead",
                chain(&error),
                cnf.distro_info
            ));
            Ok(series)
        }
        Err(other) => Err(CollectorError::caused(
            format_args!(
                "the active series are known neither from a file ({}) nor from Launchpad",
                chain(&other)
            ),
            error,
        )),
    }
}

fn of_distro_info(cx: &Context, path: &str, now: Timestamp) -> Result<BTreeSet<String>, CollectorError> {
    let info = DistroInfo::read(cx, path)?;
    let date = DateTime::<Utc>::from(now).date_naive();
    let is_active = |release: &&Release| {
        release.is_supported(date) || release.is_esm(date) || release.is_development(date)
    };
    let active = info.releases().iter().filter(is_active);
    let series: BTreeSet<String> = active.map(|release| release.series().to_owned()).collect();
    if series.is_empty() {
        return Err(CollectorError::other(format_args!(
            "{path} names none that is active on {date}"
        )));
    }
    Ok(series)
}
