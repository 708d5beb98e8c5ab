//! Which series are active, asked of whoever knows.

use chrono::{DateTime, Utc};
use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_ubuntu::distro_info::DistroInfo;
use tidemark_ubuntu::launchpad::Launchpad;

use crate::Images;
use crate::path::Series;

/// Which series are active, and what was wrong on the way to know.
pub(crate) struct Active {
    pub(crate) series: Series,
    /// Why it is not Launchpad that says it.
    pub(crate) failure: Option<String>,
}

/// The settings' series, else Launchpad's, else those that the file of distro-info says are supported, under extended
/// support or in development.
pub(crate) async fn active(images: &Images, cx: &Context, now: Timestamp) -> Active {
    if !images.series.is_empty() {
        return Active {
            series: known(images.series.clone()),
            failure: None,
        };
    }
    let why = match Launchpad::new(cx, &images.launchpad).active_series().await {
        Ok(series) => {
            return Active {
                series: known(series),
                failure: None,
            };
        }
        Err(error) => chain(&error),
    };
    match of_distro_info(images, cx, now) {
        Ok(series) => Active {
            series: Series {
                active: series.into_iter().collect(),
                // Launchpad knows of longer support than the file.
                is_complete: false,
            },
            failure: Some(format!("{why}; those of {} count instead", images.distro_info)),
        },
        Err(error) => Active {
            series: Series::default(),
            failure: Some(format!("{why}; and in its place: {}", chain(&error))),
        },
    }
}

fn known(series: Vec<String>) -> Series {
    Series {
        active: series.into_iter().collect(),
        is_complete: true,
    }
}

fn of_distro_info(images: &Images, cx: &Context, now: Timestamp) -> Result<Vec<String>, CollectorError> {
    let info = DistroInfo::read(cx, &images.distro_info)?;
    let series = info.active_series(DateTime::<Utc>::from(now).date_naive())?;
    Ok(series.map(str::to_owned).collect())
}
