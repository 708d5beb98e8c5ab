//! Which series are active, asked of whoever knows.

use chrono::{DateTime, NaiveDate};
use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_ubuntu::distro_info::DistroInfo;
use tidemark_ubuntu::launchpad::Launchpad;

use crate::Images;
use crate::path::Series;

/// The settings' series, else Launchpad's, else those that distro-info's file says are supported, under extended support or
/// in development. That Launchpad was of no use is a gap.
pub(crate) async fn active(images: &Images, cx: &Context, now: Timestamp) -> Series {
    if !images.series.is_empty() {
        return known(images.series.clone());
    }
    let asked = Launchpad::new(cx, &images.launchpad).active_series().await;
    let why = match asked {
        Ok(series) if !series.is_empty() => return known(series),
        Ok(_) => format!("{} names none", images.launchpad),
        Err(error) => chain(&error),
    };
    match of_distro_info(images, cx, now) {
        Ok(series) => {
            cx.gap(format_args!(
                "active series: those of {} count instead, as Launchpad gave none: {why}",
                images.distro_info
            ));
            known(series)
        }
        Err(error) => {
            cx.gap(format_args!("active series: {why}; nor are they known otherwise: {}", chain(&error)));
            Series::Unknown
        }
    }
}

fn known(series: Vec<String>) -> Series {
    Series::Known(series.into_iter().collect())
}

fn of_distro_info(images: &Images, cx: &Context, now: Timestamp) -> Result<Vec<String>, CollectorError> {
    let info = DistroInfo::read(cx, &images.distro_info)?;
    let date = date(now);
    let releases = info.supported(date).chain(info.esm(date)).chain(info.development(date));
    let series: Vec<String> = releases.map(|release| release.series().to_owned()).collect();
    if series.is_empty() {
        return Err(CollectorError::other(format_args!(
            "{} names none that is active on {date}: install a newer distro-info-data",
            images.distro_info
        )));
    }
    Ok(series)
}

fn date(now: Timestamp) -> NaiveDate {
    DateTime::from_timestamp_nanos(now.nanos()).date_naive()
}
