//! One run: asks all sources side by side, and makes points of what came.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{CollectorError, Context, Measurement, Parts, Points, Timestamp};
use tidemark_ubuntu::below;
use tidemark_ubuntu::launchpad::Launchpad;
use tidemark_ubuntu::rows::{recent, tail};

use crate::architectures::{Counts, MAX_ARCHITECTURES, fill};
use crate::bugs::{Bugs, Relation};
use crate::priority_mismatches::{self, Mismatch};
use crate::reviews::{self, Reviews};
use crate::summary::{OutOfDate, Search, Summary, Uninstallable};
use crate::{UbuntuArchive, rows, series};

/// The longest report that is read, in bytes: ten times what the longest is.
const MAX_REPORT: u64 = 16 << 20;
/// The longest page of reviews, in bytes: proposals by the thousand.
const MAX_PAGE: u64 = 8 << 20;

/// A text, and where it is from.
struct Source {
    url: Url,
    text: Result<String, CollectorError>,
}

impl Source {
    /// The end of a file of figures.
    async fn figures(cx: &Context, url: Url) -> Self {
        let text = tail(cx, &url).await;
        Self { url, text }
    }

    async fn text(cx: &Context, url: Url, max_bytes: u64) -> Self {
        let asked = cx.http().get(&url).max_bytes(max_bytes).text().await;
        let text = asked.map_err(CollectorError::from);
        Self { url, text }
    }

    /// What a parser makes of it; an error names the address.
    fn read<T, E>(self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, CollectorError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { url, text } = self;
        parse(&text?).map_err(|error| CollectorError::parse(redacted(&url), error))
    }
}

/// The summary of a report, which is read as it comes: it is long, and all but its end says nothing here.
async fn summary(cx: &Context, url: Url) -> Result<Summary, CollectorError> {
    let unread = |error| CollectorError::parse(redacted(&url), error);
    let mut body = cx.http().get(&url).max_bytes(MAX_REPORT).stream().await?;
    let mut search = Search::default();
    while let Some(piece) = body.chunk().await? {
        search.look(&piece).map_err(unread)?;
    }
    search.end().map_err(unread)
}

/// What can be asked for only where the series is known.
struct OfSeries {
    name: String,
    architectures: Option<Vec<String>>,
    uninst: Result<Summary, CollectorError>,
    outdate: Result<Summary, CollectorError>,
}

/// What came of all sources.
pub(crate) struct Sources {
    now: Timestamp,
    series: Option<OfSeries>,
    nbs: Source,
    component_mismatches: [Source; 2],
    priority_mismatches: Source,
    reviews: Source,
    bugs: [Result<Bugs, CollectorError>; 2],
}

impl UbuntuArchive {
    /// Asks everything that there is to ask: four things of Launchpad at a time at most, the web page, and the six reports.
    pub(crate) async fn ask(&self, cx: &Context) -> Sources {
        let now = cx.now();
        let launchpad = Launchpad::new(cx, &self.launchpad);
        let report = |path: &str| below(&self.url, path);
        let [subscribed, assigned] =
            Relation::ALL.map(|relation| relation.count(&launchpad, &self.launchpad, &self.team));
        let (series, nbs, in_release, in_proposed, priority_mismatches, reviews, subscribed, assigned) = tokio::join!(
            self.ask_of_series(cx, &launchpad, now),
            Source::figures(cx, report("nbs.csv")),
            Source::figures(cx, report("component-mismatches.csv")),
            Source::figures(cx, report("component-mismatches-proposed.csv")),
            Source::text(cx, report("priority-mismatches.txt"), MAX_REPORT),
            Source::text(cx, self.reviews_url.clone(), MAX_PAGE),
            subscribed,
            assigned,
        );
        Sources {
            now,
            series,
            nbs,
            component_mismatches: [in_release, in_proposed],
            priority_mismatches,
            reviews,
            bugs: [subscribed, assigned],
        }
    }

    async fn ask_of_series(
        &self,
        cx: &Context,
        launchpad: &Launchpad<'_>,
        now: Timestamp,
    ) -> Option<OfSeries> {
        let name = match &self.development {
            Some(name) if !name.is_empty() => name.clone(),
            _ => series::development(cx, launchpad, &self.distro_info, now).await?,
        };
        let report = |kind: &str| {
            let url = below(&self.url, &format!("proposed-migration/{name}_{kind}.txt"));
            summary(cx, url)
        };
        let (architectures, uninst, outdate) = tokio::join!(
            series::architectures(cx, launchpad, &name),
            report("uninst"),
            report("outdate"),
        );
        Some(OfSeries {
            name,
            architectures,
            uninst,
            outdate,
        })
    }
}

impl Sources {
    /// Makes the points of each part, and tells what is odd.
    pub(crate) fn take(self, cx: &Context, parts: &mut Parts<'_>) {
        let now = self.now;
        let (release, architectures, uninst, outdate) = match self.series {
            Some(of) => (Some(of.name), of.architectures, Some(of.uninst), Some(of.outdate)),
            None => (None, None, None, None),
        };
        let report = Report {
            cx,
            now,
            release: release.as_deref(),
            architectures: architectures.as_deref(),
        };

        parts.take("nbs.csv", report.nbs(self.nbs));
        let [in_release, in_proposed] = self.component_mismatches;
        for (pocket, name, source) in [
            ("release", "component-mismatches.csv", in_release),
            ("proposed", "component-mismatches-proposed.csv", in_proposed),
        ] {
            parts.take(name, report.component_mismatches(name, pocket, source));
        }

        let name = format!("{}_uninst.txt", report.release.unwrap_or("SERIES"));
        let uninst = report.summary(&name, uninst, |release, arch, count| Uninstallable {
            release,
            arch,
            count,
        });
        parts.take(name, uninst);
        let name = format!("{}_outdate.txt", report.release.unwrap_or("SERIES"));
        let outdate = report.summary(&name, outdate, |release, arch, count| OutOfDate {
            release,
            arch,
            count,
        });
        parts.take(name, outdate);
        parts.take(
            "priority-mismatches.txt",
            report.priority_mismatches(self.priority_mismatches),
        );

        let reviews = self.reviews.read(reviews::count);
        parts.take(
            "active reviews",
            reviews.map(|count| Points::at(now, [Reviews { count }])),
        );
        for (relation, bugs) in Relation::ALL.iter().zip(self.bugs) {
            parts.take(
                format_args!("{} bugs", relation.as_str()),
                bugs.map(|bugs| Points::at(now, [bugs])),
            );
        }
    }
}

/// Makes points of reports.
struct Report<'a> {
    cx: &'a Context,
    now: Timestamp,
    release: Option<&'a str>,
    architectures: Option<&'a [String]>,
}

impl Report<'_> {
    fn release(&self) -> Result<&str, CollectorError> {
        self.release.ok_or_else(Self::unknown_series)
    }

    fn unknown_series() -> CollectorError {
        CollectorError::other("the development series is not known")
    }

    fn nbs(&self, source: Source) -> Result<Points, CollectorError> {
        let release = self.release()?;
        let recent = source.read(|text| recent(text, self.now))?;
        Ok(rows::nbs(release, recent.tell(self.cx, "nbs.csv")))
    }

    fn component_mismatches(
        &self,
        name: &str,
        pocket: &'static str,
        source: Source,
    ) -> Result<Points, CollectorError> {
        let release = self.release()?;
        let recent = source.read(|text| recent(text, self.now))?;
        Ok(rows::component_mismatches(
            release,
            pocket,
            recent.tell(self.cx, name),
        ))
    }

    fn summary<M: Measurement>(
        &self,
        name: &str,
        summary: Option<Result<Summary, CollectorError>>,
        point: impl Fn(String, String, i64) -> M,
    ) -> Result<Points, CollectorError> {
        let (release, Some(summary)) = (self.release()?, summary) else {
            return Err(Self::unknown_series());
        };
        let mut summary = summary?;
        for line in &summary.unread {
            self.cx.gap(format_args!(
                "{name}: a line of its summary is no count and architecture: {line}"
            ));
        }
        if summary.unread_more > 0 {
            self.cx.gap(format_args!(
                "{name}: and {} more lines of its summary",
                summary.unread_more
            ));
        }
        fill(
            &mut summary.counts,
            self.architectures.unwrap_or_default(),
            &summary.unknown,
        );
        self.points(name, summary.generated, release, summary.counts, point)
    }

    fn priority_mismatches(&self, source: Source) -> Result<Points, CollectorError> {
        const NAME: &str = "priority-mismatches.txt";
        let release = self.release()?;
        let mut mismatches = source.read(priority_mismatches::parse)?;
        if mismatches.left_out > 0 {
            self.cx.gap(format_args!(
                "{NAME}: {} more architectures than {MAX_ARCHITECTURES} are left out",
                mismatches.left_out
            ));
        }
        if mismatches.is_cut {
            self.cx.gap(format_args!(
                "{NAME}: its last line has no end: what follows may be missing"
            ));
        }
        if let Some(architectures) = self.architectures {
            // A title may be underlined as architectures are.
            let is_other = |name: &String, count: &mut i64| !architectures.contains(name) && *count > 0;
            let others: Vec<String> = mismatches
                .counts
                .extract_if(.., is_other)
                .map(|(name, _)| name)
                .collect();
            if !others.is_empty() {
                self.cx.notice(format_args!(
                    "{NAME}: what is below {} does not count: {release} has no such architectures",
                    others.join(", ")
                ));
            }
            mismatches.counts.retain(|name, _| architectures.contains(name));
            fill(&mut mismatches.counts, architectures, &BTreeSet::new());
        }
        self.points(
            NAME,
            mismatches.generated,
            release,
            mismatches.counts,
            |release, arch, count| Mismatch { release, arch, count },
        )
    }

    /// A point for each architecture, of the time at which the report was generated.
    fn points<M: Measurement>(
        &self,
        name: &str,
        generated: DateTime<Utc>,
        release: &str,
        counts: Counts,
        point: impl Fn(String, String, i64) -> M,
    ) -> Result<Points, CollectorError> {
        let time = Timestamp::try_from(generated).map_err(|error| CollectorError::parse(name, error))?;
        if time > self.now {
            self.cx
                .notice(format_args!("{name}: it was generated at {time}, a time to come"));
        }
        let counts = counts.into_iter();
        Ok(Points::at(
            time,
            counts.map(|(arch, count)| point(release.to_owned(), arch, count)),
        ))
    }
}
