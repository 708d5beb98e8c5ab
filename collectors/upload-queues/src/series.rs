//! Which series are looked at, and which of them is in development.

use std::collections::HashSet;

use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_ubuntu::launchpad::Launchpad;
use tidemark_ubuntu::series;

use crate::UploadQueues;

/// The series of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Looked {
    /// Those to look at, each once.
    pub(crate) names: Vec<String>,
    /// The one in development, which need not be among them.
    pub(crate) development: String,
}

/// Asks for both, side by side; for the active ones only where the settings name none.
///
/// Where nobody knows the active ones, the one in development is looked at alone, and a gap says why.
///
/// # Errors
/// Where nobody knows which one is in development: each point says whether it is of that one.
pub(crate) async fn find(
    queues: &UploadQueues,
    cx: &Context,
    launchpad: &Launchpad<'_>,
    now: Timestamp,
) -> Result<Looked, CollectorError> {
    let distro_info = queues.distro_info.as_str();
    let names = async {
        if queues.series.is_empty() {
            series::active(cx, launchpad, distro_info, now).await
        } else {
            let mut seen = HashSet::new();
            let once = queues.series.iter().filter(|name| seen.insert(name.as_str()));
            Ok(once.cloned().collect())
        }
    };
    let development = series::development(cx, launchpad, distro_info, now);
    let (names, development) = tokio::join!(names, development);
    let development = development?;
    let names = names.unwrap_or_else(|error| {
        cx.gap(format_args!(
            "{}; the one in development, {development}, alone is looked at",
            chain(&error)
        ));
        vec![development.clone()]
    });
    Ok(Looked { names, development })
}
