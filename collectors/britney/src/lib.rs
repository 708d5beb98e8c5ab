//! The collector `britney`: the program that lets Ubuntu's packages migrate from the pocket `proposed`, how its runs go
//! and what it holds back.
//!
//! It reads what britney publishes, below one address:
//!
//! | document | measurement |
//! |---|---|
//! | `SERIES/update_excuses.html`: when it was made | `britney_last_run_age` |
//! | `log/SERIES/DAY/TIME.log`: the first and the last line of the newest that is whole | `britney_last_run_duration` |
//! | `update_excuses.csv`: the rows of the last 12 hours, each with its own time | `update_excuses_stats` |
//! | `update_excuses_by_team.yaml`: the packages older than 3 days | `update_excuses_by_team_stats` |
//!
//! The first two are there for each series that is supported, with extended maintenance or not, by distro-info; and for
//! the one in development, which has a page soon after its beginning: until then that it has none is a notice. The others
//! are about the series in development. All are asked for side by side; each that fails is a gap that names it. Pages and
//! logs are long, and little is read of them; the YAML is parsed as it comes. So a run takes little memory, however long
//! they are. It does not look at single packages.
//!
//! ```
//! use tidemark_britney::Britney;
//! use tidemark_collect::Metric;
//!
//! assert_eq!(Britney::NAME, "britney");
//! assert_eq!(Britney::MEASUREMENTS[0].measurement, "britney_last_run_age");
//! ```

pub mod generated;
mod last_run;
pub mod logs;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Timestamp,
    side_by_side,
};
use tidemark_reports::by_team::{self, ByTeam};
use tidemark_ubuntu::distro_info::{self, DistroInfo};
use tidemark_ubuntu::{below, rows};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::last_run::Budget;

/// How britney's runs went, a row each.
const EXCUSES: &str = "update_excuses.csv";
/// What is held back, by team.
const BY_TEAM: &str = "update_excuses_by_team.yaml";
/// How many documents are asked for at a time: more than there are series.
const SIDE_BY_SIDE: usize = 12;
/// The time that a series has for its page, the listing of its logs and a log.
const SERIES_TIME: Duration = Duration::from_secs(120);
/// The longest `update_excuses.csv`: twenty-five years of a row each half an hour.
const MAX_CSV: u64 = 16 << 20;
/// The longest `update_excuses_by_team.yaml`: ten times what it is. It is never held as a whole.
const MAX_BY_TEAM: u64 = 128 << 20;
/// The time for it.
const BY_TEAM_TIME: Duration = Duration::from_secs(120);
/// How many pieces of it wait for the parser, at most.
const PIECES: usize = 8;

/// The last run of britney for a series.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("britney_last_run_age")]
struct LastRunAge {
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Time since it made its page, in whole hours.
    #[unit("h")]
    run_age: i64,
}

/// The last whole run of britney for a series.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("britney_last_run_duration")]
struct LastRunDuration {
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Time that it took, in whole minutes.
    #[unit("min")]
    run_duration: i64,
}

/// What a run of britney came to, for the series in development.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("update_excuses_stats")]
struct Excuses {
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Packages that may migrate.
    valid_candidates: i64,
    /// Packages that are held back.
    not_considered: i64,
    /// All packages in `proposed`.
    total: i64,
    /// Their median age.
    #[unit("d")]
    median_age: i64,
    /// The days by which packages are older than they should be, added up.
    #[unit("d")]
    backlog: i64,
}

impl Excuses {
    fn new(release: &str, values: [i64; EXCUSES_COLUMNS.len()]) -> Self {
        let [valid_candidates, not_considered, total, median_age, backlog] = values;
        Self {
            release: release.to_owned(),
            valid_candidates,
            not_considered,
            total,
            median_age,
            backlog,
        }
    }
}

/// The header of `update_excuses.csv` has these after `time`, in the order of the fields of [`Excuses`].
const EXCUSES_COLUMNS: [&str; 5] = [
    "valid candidates",
    "not considered",
    "total",
    "median age",
    "backlog",
];

/// Packages that have not migrated for more than 3 days, for the series in development.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("update_excuses_by_team_stats")]
struct TeamExcuses {
    /// The series, by its codename.
    #[tag]
    release: String,
    /// The team that looks after them.
    #[tag]
    team: String,
    /// Packages.
    count: i64,
    /// Their mean age; 0 where there are none.
    #[unit("d")]
    age: f64,
}

/// The runs of britney, which lets Ubuntu's packages migrate, and the packages that it holds back.
#[derive(Debug, Settings)]
pub struct Britney {
    /// What britney publishes: the folder with update_excuses.csv, and one for each series.
    #[default("https://ubuntu-archive-team.ubuntu.com/proposed-migration/")]
    url: Url,
    /// The series whose runs are looked at; where none is named, those that are supported, with extended maintenance or
    /// not, and the one in development, by distro-info.
    #[default([])]
    series: Vec<String>,
    /// The series in development, which update_excuses.csv and update_excuses_by_team.yaml are about; by distro-info where
    /// it is not named.
    development: Option<String>,
    /// The list of Ubuntu's releases and their dates, of the package distro-info-data.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

impl Metric for Britney {
    const NAME: &'static str = "britney";
    const NEEDS: Needs = Needs {
        paths: &[distro_info::PATH],
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[
        LastRunAge::SCHEMA,
        LastRunDuration::SCHEMA,
        Excuses::SCHEMA,
        TeamExcuses::SCHEMA,
    ];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let look = Look {
            cx,
            url: &self.url,
            now: cx.now(),
        };
        let mut parts = Parts::new(cx);
        let mut tasks = Vec::new();
        let releases = self.releases(cx, DateTime::<Utc>::from(look.now).date_naive())?;
        match releases.development {
            Ok(development) => {
                tasks.push(Task::ByTeam(development.clone()));
                tasks.push(Task::Excuses(development));
            }
            Err(error) => parts.take("the development series", Err(error)),
        }
        match releases.series {
            Ok(series) => tasks.extend(series.into_iter().map(Task::Series)),
            Err(error) => parts.take("the active series", Err(error)),
        }
        let looks = tasks.into_iter().map(|task| look.at(task));
        for (part, outcome) in side_by_side(SIDE_BY_SIDE, looks).await.into_iter().flatten() {
            parts.take(part, outcome);
        }
        parts.end()
    }
}

impl Britney {
    /// The series to look at on that day. Where the list of releases is needed for all, and cannot be read, an error.
    fn releases(&self, cx: &Context, date: NaiveDate) -> Result<Releases, CollectorError> {
        let named = || {
            let series = self.series.iter().cloned();
            series.map(|name| Series { name, is_new: false }).collect()
        };
        let info = match (&self.series[..], &self.development) {
            ([_, ..], Some(development)) => {
                return Ok(Releases {
                    series: Ok(named()),
                    development: Ok(development.clone()),
                });
            }
            _ => DistroInfo::read(cx, &self.distro_info),
        };
        match (info, &self.development) {
            (Ok(info), development) => Ok(Releases {
                series: if self.series.is_empty() {
                    current(&info, development.as_deref(), date)
                } else {
                    Ok(named())
                },
                development: match development {
                    Some(development) => Ok(development.clone()),
                    None => info.development_series(date).map(str::to_owned),
                },
            }),
            (Err(error), Some(development)) => Ok(Releases {
                series: Err(error),
                development: Ok(development.clone()),
            }),
            (Err(error), None) if self.series.is_empty() => Err(error),
            (Err(error), None) => Ok(Releases {
                series: Ok(named()),
                development: Err(error),
            }),
        }
    }
}

/// What a run is about.
struct Releases {
    series: Result<Vec<Series>, CollectorError>,
    /// The series in development.
    development: Result<String, CollectorError>,
}

/// A series whose runs are looked at.
struct Series {
    name: String,
    /// Whether it may be so new that there has been no run.
    is_new: bool,
}

/// The series for which britney runs on that day, oldest first; the one that the settings name as in development is one of
/// them, whether the list knows it or not.
fn current(
    info: &DistroInfo,
    development: Option<&str>,
    date: NaiveDate,
) -> Result<Vec<Series>, CollectorError> {
    let is_new = |name| {
        let release = info.find(name);
        release.is_none_or(|release| release.is_development(date))
    };
    let mut names: Vec<&str> = info.active_series(date)?.collect();
    if let Some(development) = development
        && !names.contains(&development)
    {
        names.push(development);
    }
    let series = names.into_iter().map(|name| Series {
        name: name.to_owned(),
        is_new: is_new(name),
    });
    Ok(series.collect())
}

/// Something to ask for.
enum Task {
    /// The runs for this series.
    Series(Series),
    /// `update_excuses.csv`, which is about this series.
    Excuses(String),
    /// `update_excuses_by_team.yaml`, which is about this series.
    ByTeam(String),
}

/// A part's name, and what it came to.
type Outcome = (String, Result<Points, CollectorError>);

/// What all looks of a run share.
struct Look<'a> {
    cx: &'a Context,
    url: &'a Url,
    now: Timestamp,
}

impl Look<'_> {
    async fn at(&self, task: Task) -> Vec<Outcome> {
        match task {
            Task::Series(series) => self.series(&series).await,
            Task::Excuses(release) => vec![(EXCUSES.to_owned(), self.excuses(&release).await)],
            Task::ByTeam(release) => vec![(BY_TEAM.to_owned(), self.by_team(&release).await)],
        }
    }

    /// The last run for a series: its page, and its log.
    async fn series(&self, Series { name, is_new }: &Series) -> Vec<Outcome> {
        let (cx, now) = (self.cx, DateTime::<Utc>::from(self.now));
        let budget = Budget::new(SERIES_TIME.min(cx.remaining()));
        let page = below(self.url, &format!("{name}/update_excuses.html"));
        let generated = last_run::page_generated(cx, &page, budget).await;
        if *is_new && matches!(&generated, Err(error) if error.is_not_found()) {
            cx.notice(format_args!(
                "{name} is in development and has no update_excuses.html yet"
            ));
            return Vec::new();
        }
        // Without its page, the last run is most likely one of today or yesterday.
        let day = generated.as_ref().unwrap_or(&now).date_naive();
        let age = generated.map(|generated| {
            if generated > now {
                cx.notice(format_args!(
                    "{name}'s update_excuses.html is of {generated}, a time to come: its age counts as 0"
                ));
            }
            let age = LastRunAge {
                release: name.clone(),
                run_age: (now - generated).num_hours().max(0),
            };
            Points::at(self.now, [age])
        });
        let minutes = last_run::duration(cx, self.url, name, day, budget).await;
        let duration = minutes.map(|run_duration| {
            let release = name.clone();
            Points::at(
                self.now,
                [LastRunDuration {
                    release,
                    run_duration,
                }],
            )
        });
        vec![
            (format!("{name}'s update_excuses.html"), age),
            (format!("{name}'s last log"), duration),
        ]
    }

    async fn excuses(&self, release: &str) -> Result<Points, CollectorError> {
        let url = below(self.url, EXCUSES);
        let text = self.cx.http().get(&url).max_bytes(MAX_CSV).text().await?;
        let recent = rows::recent_named(&text, "time", EXCUSES_COLUMNS, self.now)
            .map_err(|error| CollectorError::parse(redacted(&url), error))?;
        let rows = recent.tell(self.cx, EXCUSES).into_iter();
        Ok(rows
            .map(|row| (Excuses::new(release, row.values), row.time))
            .collect())
    }

    async fn by_team(&self, release: &str) -> Result<Points, CollectorError> {
        let url = below(self.url, BY_TEAM);
        let ByTeam { teams, gaps, notices } = self.parse_by_team(&url).await?;
        if teams.is_empty()
            && let Some(first) = gaps.first()
        {
            return Err(CollectorError::parse(redacted(&url), first.as_str()));
        }
        if teams.is_empty() {
            self.cx.notice(format_args!("{BY_TEAM}: it names no team"));
        }
        for gap in gaps {
            self.cx.gap(format_args!("{BY_TEAM}: {gap}"));
        }
        for notice in notices {
            self.cx.notice(format_args!("{BY_TEAM}: {notice}"));
        }
        let teams = teams.into_iter().map(|team| TeamExcuses {
            release: release.to_owned(),
            team: team.name,
            count: team.count,
            age: team.age,
        });
        Ok(Points::at(self.now, teams))
    }

    /// Parses the document on a thread of its own while it comes.
    async fn parse_by_team(&self, url: &Url) -> Result<ByTeam, CollectorError> {
        let request = self.cx.http().get(url).max_bytes(MAX_BY_TEAM);
        let mut body = request.timeout(BY_TEAM_TIME).stream().await?;
        let (sender, mut pieces) = mpsc::channel::<Vec<u8>>(PIECES);
        let parser = tokio::task::spawn_blocking(move || {
            by_team::parse(std::iter::from_fn(|| pieces.blocking_recv()))
        });
        while let Some(piece) = body.chunk().await? {
            match timeout(body.remaining(), sender.send(piece)).await {
                Ok(Ok(())) => {}
                // The parser has seen enough, and says why.
                Ok(Err(_)) => break,
                // It has more pieces than it can read in time, which the body tells.
                Err(_) => {}
            }
        }
        drop(sender);
        let parsed = timeout(body.remaining(), parser)
            .await
            .map_err(|_| {
                CollectorError::other(format_args!(
                    "{} came in time, but was not parsed in time: see what keeps the host's processors busy",
                    redacted(url)
                ))
            })?
            .map_err(|error| CollectorError::caused("the parser of YAML ended", error))?;
        parsed.map_err(|error| CollectorError::parse(redacted(url), error))
    }
}

#[cfg(test)]
mod tests;
