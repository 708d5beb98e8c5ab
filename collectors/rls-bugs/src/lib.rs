//! The collector `rls-bugs`: bugs that are proposed for Ubuntu's supported releases and for the one in development, and
//! those that are followed, by team.
//!
//! Of each release there are two JSON reports, `rls-XX-incoming.json` and `rls-XX-tracking.json`: bugs with their tasks, and
//! of each task the teams that look after it. There is a point `distro_rls_bug_tasks` for each team of each report, with the
//! number of bugs that have a task of the team; a team without bugs has none. A report that cannot be read (one that is not
//! there too, as each supported release has both) is a gap that names it, and so are the parts of it that have another
//! form; only where no report can be read, the run is an error. Of the release in development, which has its reports soon
//! after its beginning, one that is not there is a notice. Which releases these are says the package distro-info-data. It
//! does not ask Launchpad, and says nothing of single bugs.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_rls_bugs::RlsBugs;
//!
//! assert_eq!(RlsBugs::NAME, "rls-bugs");
//! assert_eq!(RlsBugs::MEASUREMENTS[0].measurement, "distro_rls_bug_tasks");
//! ```

mod releases;

use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Span, Timestamp,
    side_by_side,
};
use tidemark_reports::rls::{self, Report};
use tidemark_ubuntu::{below, distro_info};

use crate::releases::Release;

/// The reports of a release.
const TAGS: [&str; 2] = ["incoming", "tracking"];
/// The longest report that is read: ten times what they are.
const MAX_BYTES: u64 = 16 << 20;
/// How many reports are asked for at a time.
const SIDE_BY_SIDE: usize = 2;

/// Bugs that a team is to look at for a release.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("distro_rls_bug_tasks")]
struct BugTasks {
    /// `incoming` (proposed for the release) or `tracking` (accepted).
    #[tag]
    tag: &'static str,
    /// The release, by its codename.
    #[tag]
    release: String,
    /// The team's name on Launchpad.
    #[tag]
    team_name: String,
    /// Bugs with a task of the team; each counts once.
    count: i64,
}

/// Bugs that teams are to look at for Ubuntu's releases.
#[derive(Debug, Settings)]
pub struct RlsBugs {
    /// The folder with the reports.
    #[default("http://reports.qa.ubuntu.com/reports/rls-mgr/")]
    url: Url,
    /// The releases, by their codenames; where there are none, all that are supported, and the one in development.
    #[default([])]
    series: Vec<String>,
    /// The releases of Ubuntu, as the package distro-info-data has them.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

impl Metric for RlsBugs {
    const NAME: &'static str = "rls-bugs";
    const RUN_INTERVAL: Span = Span::hours(1);
    const NEEDS: Needs = Needs {
        paths: &[distro_info::PATH],
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[BugTasks::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let releases = releases::find(cx, &self.distro_info, &self.series, now)?;
        let reports: Vec<_> = releases
            .iter()
            .flat_map(|release| TAGS.map(|tag| (release, tag)))
            .collect();
        let asked = reports.iter().map(|(release, tag)| self.report(cx, release, tag));
        let mut parts = Parts::new(cx);
        for ((release, tag), report) in reports.iter().zip(side_by_side(SIDE_BY_SIDE, asked).await) {
            match report {
                Err(error) if release.is_new && error.is_not_found() => cx.notice(format_args!(
                    "{} is in development and has no {} yet",
                    release.series,
                    file(release, tag)
                )),
                report => {
                    let points = report.and_then(|report| self.points(cx, release, tag, report, now));
                    parts.take(part(release, tag), points);
                }
            }
        }
        parts.end()
    }
}

impl RlsBugs {
    fn address(&self, release: &Release, tag: &str) -> Url {
        below(&self.url, &file(release, tag))
    }

    async fn report(&self, cx: &Context, release: &Release, tag: &str) -> Result<Report, CollectorError> {
        let url = self.address(release, tag);
        let request = cx.http().get(&url).max_bytes(MAX_BYTES).timeout(cx.turn());
        Ok(request.json_with(rls::parse).await?)
    }

    /// The points of one report; what is left out of it is a gap. An error where that is all of it.
    fn points(
        &self,
        cx: &Context,
        release: &Release,
        tag: &'static str,
        Report { bugs, left_out }: Report,
        now: Timestamp,
    ) -> Result<Points, CollectorError> {
        if bugs.is_empty() && !left_out.is_empty() {
            let url = redacted(&self.address(release, tag));
            return Err(CollectorError::parse(url, left_out.to_string()));
        }
        if !left_out.is_empty() {
            cx.gap(format_args!("{}: {left_out}", part(release, tag)));
        }
        let tasks = bugs.into_iter().map(|(team_name, count)| BugTasks {
            tag,
            release: release.series.clone(),
            team_name,
            count,
        });
        Ok(Points::at(now, tasks))
    }
}

fn file(release: &Release, tag: &str) -> String {
    format!("rls-{}-{tag}.json", release.letters)
}

/// What an operator calls a report.
fn part(release: &Release, tag: &str) -> String {
    format!("{}'s {}", release.series, file(release, tag))
}

#[cfg(test)]
mod tests;
