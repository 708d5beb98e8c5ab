//! The files of figures that grow at their end: `nbs.csv`, and those of component mismatches.

use tidemark_collect::{Measurement, Points};
use tidemark_ubuntu::rows::Row;

/// Binary packages that no source builds any more (NBS), as `nbs.csv` has them.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("nbs_stats")]
pub(crate) struct Nbs {
    /// The development series, by its codename.
    #[tag]
    release: String,
    /// Packages that can be removed: nothing depends on them.
    removable: i64,
    /// All of them.
    total: i64,
}

/// Packages that are in another component than the seeds make of them.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("component_mismatch_stats")]
pub(crate) struct ComponentMismatches {
    /// The development series, by its codename.
    #[tag]
    release: String,
    /// `release`, or `proposed` with what waits in proposed.
    #[tag]
    pocket: &'static str,
    /// `promotion` to main, or `demotion` to universe.
    #[tag]
    action: &'static str,
    /// `source` or `binary`.
    #[tag]
    #[name("type")]
    package_type: &'static str,
    /// Packages.
    count: i64,
}

/// The columns of component mismatches, after the time.
const COLUMNS: [(&str, &str); 4] = [
    ("promotion", "source"),
    ("promotion", "binary"),
    ("demotion", "source"),
    ("demotion", "binary"),
];

pub(crate) fn nbs(release: &str, rows: Vec<Row<2>>) -> Points {
    let mut points = Points::new();
    for Row { time, values } in rows {
        let [removable, total] = values;
        let release = release.to_owned();
        points.push(
            Nbs {
                release,
                removable,
                total,
            },
            time,
        );
    }
    points
}

pub(crate) fn component_mismatches(release: &str, pocket: &'static str, rows: Vec<Row<4>>) -> Points {
    let mut points = Points::new();
    for Row { time, values } in rows {
        for ((action, package_type), count) in COLUMNS.into_iter().zip(values) {
            let release = release.to_owned();
            let mismatches = ComponentMismatches {
                release,
                pocket,
                action,
                package_type,
                count,
            };
            points.push(mismatches, time);
        }
    }
    points
}
