//! The development series, and its architectures.

use tidemark_collect::{Context, Timestamp, chain};
use tidemark_ubuntu::launchpad::Launchpad;
use tidemark_ubuntu::series;

/// The development series; none where it cannot be had, which is a gap.
pub(crate) async fn development(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    distro_info: &str,
    now: Timestamp,
) -> Option<String> {
    match series::development(cx, launchpad, distro_info, now).await {
        Ok(series) => Some(series),
        Err(error) => {
            cx.gap(chain(&error));
            None
        }
    }
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
