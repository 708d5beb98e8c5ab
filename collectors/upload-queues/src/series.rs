//! Which series are looked at, and which of them is in development.

use std::collections::HashSet;

use tidemark_collect::{CollectorError, Context, chain};
use tidemark_ubuntu::launchpad::{Launchpad, Series};

/// The series of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Looked {
    /// Those to look at, each once.
    pub(crate) names: Vec<String>,
    /// The one in development, which need not be among them.
    pub(crate) development: String,
}

/// Asks Launchpad for both, side by side; for the active ones only where the settings name none.
///
/// Either answer does where the other is missing, with a gap: statuses tell which series is in development, and the one in
/// development is active.
pub(crate) async fn find(
    cx: &Context,
    launchpad: &Launchpad<'_>,
    wanted: &[String],
) -> Result<Looked, CollectorError> {
    let active = async {
        if wanted.is_empty() {
            Some(launchpad.series().await)
        } else {
            None
        }
    };
    let (mut active, development) = tokio::join!(active, launchpad.development_series());
    let development = match development {
        Ok(name) => name,
        Err(error) => {
            if active.is_none() {
                active = Some(launchpad.series().await);
            }
            let by_status = match &active {
                Some(Ok(all)) => Series::current(all),
                _ => None,
            };
            let Some(series) = by_status else {
                return Err(CollectorError::caused(
                    "it cannot be found out which series is in development",
                    error,
                ));
            };
            let name = &series.name;
            cx.gap(format_args!(
                "the development series: {}; it is taken to be {name}, by its status",
                chain(&error)
            ));
            name.clone()
        }
    };
    let names = match active {
        _ if !wanted.is_empty() => {
            let mut seen = HashSet::new();
            let once = wanted.iter().filter(|name| seen.insert(name.as_str()));
            once.cloned().collect()
        }
        Some(Ok(all)) => all.into_iter().map(|series| series.name).collect(),
        Some(Err(error)) => {
            cx.gap(format_args!(
                "the active series: {}; the one in development, {development}, alone is looked at",
                chain(&error)
            ));
            vec![development.clone()]
        }
        None => Vec::new(),
    };
    Ok(Looked { names, development })
}
