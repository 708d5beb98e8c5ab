//! The collector `versions`: what the versions script counts of the desktop's packages in Ubuntu's development series.
//!
//! The script leaves a list, `reports`, with the name of a report on each line, and beside it the reports, with a line
//! `category=COUNT` each. There is a point `versions_script_stats` for each category of each report. A report that cannot
//! be read is a gap that names it, and so are its lines of another form; only where nothing of any report can be read, or
//! the list cannot, the run is an error. It looks at no package itself.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_versions::Versions;
//!
//! assert_eq!(Versions::NAME, "versions");
//! assert_eq!(Versions::MEASUREMENTS[0].measurement, "versions_script_stats");
//! ```

pub mod report;

use tidemark_collect::http::{HttpError, Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Span, Timestamp,
    side_by_side,
};
use tidemark_ubuntu::below;

use crate::report::{List, Report};

/// The longest list, and the longest report, that is read: a hundred times what they are.
const MAX_BYTES: u64 = 1 << 20;
/// How many reports are asked for at a time.
const SIDE_BY_SIDE: usize = 4;
/// The series that the script looks at.
const SERIES: &str = "devel";

/// Packages that the versions script counts.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("versions_script_stats")]
struct Stats {
    /// The report that counts them.
    #[tag]
    report: String,
    /// What of them it counts.
    #[tag]
    category: String,
    /// The series: `devel`.
    #[tag]
    series: &'static str,
    /// Packages.
    count: i64,
}

/// What the versions script counts of the desktop's packages in Ubuntu's development series.
#[derive(Debug, Settings)]
pub struct Versions {
    /// The folder with the list `reports` and the reports.
    #[default("https://people.canonical.com/~platform/desktop/versions/stats/current/")]
    url: Url,
}

impl Metric for Versions {
    const NAME: &'static str = "versions";
    const RUN_INTERVAL: Span = Span::hours(1);
    const NEEDS: Needs = Needs::NETWORK;
    const MEASUREMENTS: &'static [&'static Schema] = &[Stats::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let list = self.reports(cx).await?;
        let asked = list.iter().map(|name| self.report(cx, name));
        let mut parts = Parts::new(cx);
        for (name, report) in list.iter().zip(side_by_side(SIDE_BY_SIDE, asked).await) {
            parts.take(
                part(name),
                report.and_then(|report| self.points(cx, name, report, now)),
            );
        }
        parts.end()
    }
}

impl Versions {
    /// The names of the reports.
    async fn reports(&self, cx: &Context) -> Result<Vec<String>, CollectorError> {
        let url = below(&self.url, "reports");
        let List { names, left_out } = report::names(&text(cx, &url).await?);
        if names.is_empty() {
            let wrong = match left_out.is_empty() {
                true => "it names no report".to_owned(),
                false => left_out.to_string(),
            };
            return Err(CollectorError::parse(redacted(&url), wrong));
        }
        if !left_out.is_empty() {
            cx.gap(format_args!("the list of reports: {left_out}"));
        }
        Ok(names)
    }

    async fn report(&self, cx: &Context, name: &str) -> Result<Report, CollectorError> {
        Ok(report::counts(&text(cx, &below(&self.url, name)).await?))
    }

    /// The points of one report; what is left out of it is a gap. An error where that is all of it.
    fn points(
        &self,
        cx: &Context,
        name: &str,
        Report { counts, left_out }: Report,
        now: Timestamp,
    ) -> Result<Points, CollectorError> {
        if counts.is_empty() && !left_out.is_empty() {
            let url = redacted(&below(&self.url, name));
            return Err(CollectorError::parse(url, left_out.to_string()));
        }
        if !left_out.is_empty() {
            cx.gap(format_args!("{}: {left_out}", part(name)));
        }
        let stats = counts.into_iter().map(|(category, count)| Stats {
            report: name.to_owned(),
            category,
            series: SERIES,
            count,
        });
        Ok(Points::at(now, stats))
    }
}

/// What an operator calls a report.
fn part(name: &str) -> String {
    format!("report {name}")
}

async fn text(cx: &Context, url: &Url) -> Result<String, HttpError> {
    let request = cx.http().get(url).max_bytes(MAX_BYTES);
    request.timeout(cx.turn()).text().await
}

#[cfg(test)]
mod tests;
