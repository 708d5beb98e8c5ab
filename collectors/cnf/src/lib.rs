//! The collector `cnf`: how old the indexes of command-not-found are in Ubuntu's archive, a series each.
//!
//! Launchpad says which series are active; where it does not answer, the package distro-info-data does. Of each, the archive
//! lists `dists/SERIES/main/cnf/`, and the last file there that names `Commands` has the date that counts. There is a point
//! `command_not_found_age` for each series. A series whose folder is not there (404: it is older than command-not-found's
//! indexes, or too new) has no point, and none is missed; one whose folder cannot be read, names no `Commands` or shows no
//! date of it is a gap. Only where no series has a point, the run is an error. It does not read the indexes themselves.
//!
//! ```
//! use tidemark_cnf::Cnf;
//! use tidemark_collect::Metric;
//!
//! assert_eq!(Cnf::NAME, "cnf");
//! assert_eq!(Cnf::MEASUREMENTS[0].measurement, "command_not_found_age");
//! ```

pub mod listing;

use std::collections::BTreeSet;

use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Timestamp,
    side_by_side,
};
use tidemark_ubuntu::launchpad::Launchpad;
use tidemark_ubuntu::{below, distro_info, series};

use crate::listing::Age;

/// The longest listing that is read: a hundred times what it is.
const MAX_BYTES: u64 = 1 << 20;
/// How many listings are asked for at a time.
const SIDE_BY_SIDE: usize = 4;

/// How old the index of command-not-found is.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("command_not_found_age")]
struct CommandNotFound {
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Its age.
    #[unit("d")]
    cnf_age: f64,
    /// Whether it is older than a day.
    out_of_date: bool,
}

/// How old the indexes of command-not-found are in Ubuntu's archive.
#[derive(Debug, Settings)]
pub struct Cnf {
    /// The archive: the folder above `dists`.
    #[default("http://archive.ubuntu.com/ubuntu/")]
    url: Url,
    /// The series, by their codenames; where there are none, those that Launchpad says are active.
    #[default([])]
    series: Vec<String>,
    /// The root of Launchpad's web service.
    #[default("https://api.launchpad.net/devel/")]
    launchpad: Url,
    /// The releases of Ubuntu, as the package distro-info-data has them, for when Launchpad does not say the series.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

impl Metric for Cnf {
    const NAME: &'static str = "cnf";
    const NEEDS: Needs = Needs {
        paths: &[distro_info::PATH],
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[CommandNotFound::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let series = self.series(cx, now).await?;
        let listings = series.iter().map(|series| self.listing(cx, series));
        let mut parts = Parts::new(cx);
        let mut skipped = 0;
        for (series, listing) in series.iter().zip(side_by_side(SIDE_BY_SIDE, listings).await) {
            let points = match listing {
                Err(error) if error.is_not_found() => {
                    skipped += 1;
                    continue;
                }
                listing => listing.and_then(|html| self.points(cx, series, &html, now)),
            };
            parts.take(part(series), points);
        }
        if skipped == series.len() {
            return Err(CollectorError::other(format_args!(
                "none of {skipped} series has a folder dists/SERIES/main/cnf below {}: see whether `url` is the archive's",
                redacted(&self.url)
            )));
        }
        parts.end()
    }
}

impl Cnf {
    /// The settings' series, else the active ones; each once.
    async fn series(&self, cx: &Context, now: Timestamp) -> Result<BTreeSet<String>, CollectorError> {
        if !self.series.is_empty() {
            return Ok(self.series.iter().cloned().collect());
        }
        let launchpad = Launchpad::new(cx, &self.launchpad);
        let active = series::active(cx, &launchpad, &self.distro_info, now).await?;
        Ok(active.into_iter().collect())
    }

    fn folder(&self, series: &str) -> Url {
        below(&self.url, &format!("dists/{series}/main/cnf/"))
    }

    async fn listing(&self, cx: &Context, series: &str) -> Result<String, CollectorError> {
        let url = self.folder(series);
        let request = cx.http().get(&url).max_bytes(MAX_BYTES);
        Ok(request.timeout(cx.turn()).text().await?)
    }

    fn points(
        &self,
        cx: &Context,
        series: &str,
        html: &str,
        now: Timestamp,
    ) -> Result<Points, CollectorError> {
        let modified = listing::newest(html)
            .map_err(|error| CollectorError::parse(redacted(&self.folder(series)), error))?;
        let age = Age::of(modified, now);
        if age.is_ahead {
            cx.notice(format_args!(
                "{}: it is of {modified}, which is still to come: its age counts as 0; see the clocks",
                part(series)
            ));
        }
        let point = CommandNotFound {
            release: series.to_owned(),
            cnf_age: age.days,
            out_of_date: age.is_out_of_date,
        };
        Ok(Points::at(now, [point]))
    }
}

/// What an operator calls a series' listing.
fn part(series: &str) -> String {
    format!("{series}'s index")
}

#[cfg(test)]
mod tests;
