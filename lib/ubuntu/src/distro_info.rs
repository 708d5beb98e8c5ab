//! Ubuntu's releases and their dates, as the package distro-info-data has them.
//!
//! The file is `/usr/share/distro-info/ubuntu.csv`, a row a release. What counts are the columns `version`, `series`,
//! `created`, `release`, `eol`, `eol-server` and `eol-esm`; others are not looked at, and a file of a time before
//! `eol-server` or `eol-esm` has releases without them. A date is `YYYY-MM-DD`, or `YYYY-MM` for the month's last day.
//! All days count whole: a release is supported on the day that it ends.
//!
//! ```
//! use tidemark_ubuntu::distro_info::DistroInfo;
//!
//! let info = DistroInfo::parse(concat!(
//!     "version,codename,series,created,release,eol,eol-server,eol-esm\n",
//!     "14.04 LTS,Trusty Tahr,trusty,2013-10-17,2014-04-17,2019-04-25,2019-04-25,2024-04-25\n",
//!     "14.10,Utopic Unicorn,utopic,2014-04-17,2014-10-23,2015-07-23\n",
//! )).unwrap();
//! let day = "2014-07-01".parse().unwrap();
//! assert_eq!(info.supported(day).map(|release| release.series()).collect::<Vec<_>>(), ["trusty"]);
//! assert_eq!(info.development(day).unwrap().series(), "utopic");
//! ```

use std::error::Error;
use std::fmt;

use chrono::{Days, Months, NaiveDate};
use tidemark_collect::{CollectorError, Context};

use crate::rows::{reader, unquoted};
use crate::{Remarks, shown};

/// Where Debian and Ubuntu have the file.
pub const PATH: &str = "/usr/share/distro-info/ubuntu.csv";
/// The most rows that are read: Ubuntu has two a year.
const MAX_ROWS: usize = 10_000;
/// The longest series, in bytes: it becomes a tag and part of addresses.
const MAX_SERIES: usize = 60;
/// What to do about a file that is missing or damaged.
const ADVICE: &str = "install the package distro-info-data anew, or name another file in `distro_info`";

/// A release of Ubuntu, or one in the making.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    version: String,
    series: String,
    created: Option<NaiveDate>,
    release: Option<NaiveDate>,
    eol: Option<NaiveDate>,
    eol_server: Option<NaiveDate>,
    eol_esm: Option<NaiveDate>,
}

impl Release {
    /// Its codename in one word, as addresses and tags have it: `noble`.
    pub fn series(&self) -> &str {
        &self.series
    }

    /// Its version: `24.04 LTS`; empty where the file does not say.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The day on which its development began.
    pub fn created(&self) -> Option<NaiveDate> {
        self.created
    }

    /// The day on which it was or will be released.
    pub fn release(&self) -> Option<NaiveDate> {
        self.release
    }

    /// Whether it is out on that day: from the day of its release on.
    pub fn is_released(&self, date: NaiveDate) -> bool {
        self.release.is_some_and(|release| release <= date)
    }

    /// Whether it is out on that day and not past its end of life, the later one of desktop and server. One whose end is
    /// not known is not past it.
    pub fn is_supported(&self, date: NaiveDate) -> bool {
        let end = self.eol.max(self.eol_server);
        self.is_released(date) && end.is_none_or(|end| date <= end)
    }

    /// Whether it is out on that day and not past the end of its extended security maintenance.
    pub fn is_esm(&self, date: NaiveDate) -> bool {
        self.is_released(date) && self.eol_esm.is_some_and(|end| date <= end)
    }

    /// Whether it is in the making on that day: from its first day to the one before its release.
    pub fn is_development(&self, date: NaiveDate) -> bool {
        self.created.is_some_and(|created| created <= date) && !self.is_released(date)
    }
}

/// The releases of Ubuntu, in the order of the file: oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DistroInfo {
    releases: Vec<Release>,
    remarks: Vec<String>,
}

impl DistroInfo {
    /// Reads the file at `path`, below the host's root; [`PATH`] is where the package has it. A row that is damaged is a
    /// gap.
    ///
    /// # Errors
    /// Where the file cannot be read, or holds no releases; the text names the package that has it.
    pub fn read(cx: &Context, path: &str) -> Result<Self, CollectorError> {
        let text = cx.read_host(path).map_err(|error| {
            let message = format!("cannot read the list of Ubuntu's releases: {ADVICE}");
            CollectorError::caused(message, error)
        })?;
        let info = Self::parse(&text).map_err(|error| {
            let message = format!("{path} is no list of Ubuntu's releases: {ADVICE}");
            CollectorError::caused(message, error)
        })?;
        for remark in info.remarks() {
            cx.gap(format_args!("{path}: {remark}; {ADVICE}"));
        }
        Ok(info)
    }

    /// The releases of such a file. A damaged row costs that row alone: [`remarks`](Self::remarks) tells of it.
    ///
    /// # Errors
    /// Where a column is missing that has to be there, and where no row can be read.
    pub fn parse(text: &str) -> Result<Self, DistroInfoError> {
        let mut rows = reader(text, true);
        let columns = Columns::of(&rows.headers().cloned().unwrap_or_default())?;
        let mut info = Self::default();
        let mut damaged = Remarks::default();
        for (number, row) in rows.records().filter_map(Result::ok).enumerate() {
            if number == MAX_ROWS {
                info.remarks
                    .push(format!("what follows its first {MAX_ROWS} rows is left out"));
                break;
            }
            if row.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            match columns.release(&row) {
                Ok(release) => info.releases.push(release),
                Err(reason) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    damaged.add(|| format!("the release in line {line} is left out: {reason}"));
                }
            }
        }
        if info.releases.is_empty() {
            let first = (!damaged.is_empty()).then(|| damaged.to_string());
            return Err(DistroInfoError::NoReleases(first));
        }
        info.remarks.extend(damaged.into_lines());
        Ok(info)
    }

    /// What is damaged, a line each; bounded.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// All releases, oldest first.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// The release of that series.
    pub fn find(&self, series: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.series == series)
    }

    /// The releases that are [supported](Release::is_supported) on that day, oldest first.
    pub fn supported(&self, date: NaiveDate) -> impl Iterator<Item = &Release> {
        self.releases
            .iter()
            .filter(move |release| release.is_supported(date))
    }

    /// The releases under [extended security maintenance](Release::is_esm) on that day, oldest first: those that are
    /// still supported without it too.
    pub fn esm(&self, date: NaiveDate) -> impl Iterator<Item = &Release> {
        self.releases.iter().filter(move |release| release.is_esm(date))
    }

    /// The release that is [in the making](Release::is_development) on that day, the newest where there are more. None
    /// where the file does not know it yet: see [`development_series`](Self::development_series).
    pub fn development(&self, date: NaiveDate) -> Option<&Release> {
        self.releases.iter().rfind(|release| release.is_development(date))
    }

    /// The series that are supported, under extended security maintenance or in the making on that day, oldest first.
    ///
    /// # Errors
    /// Where there is none, which means that the file is too old.
    pub fn active_series(&self, date: NaiveDate) -> Result<impl Iterator<Item = &str>, CollectorError> {
        let is_active = move |release: &&Release| {
            release.is_supported(date) || release.is_esm(date) || release.is_development(date)
        };
        let mut active = self.releases.iter().filter(is_active).peekable();
        if active.peek().is_none() {
            return Err(self.outdated(format_args!("none that is supported or in the making on {date}")));
        }
        Ok(active.map(Release::series))
    }

    /// The series of the release that is [in the making](Self::development) on that day.
    ///
    /// # Errors
    /// Where there is none, which means that the file is too old: a release is in the making at nearly all times.
    pub fn development_series(&self, date: NaiveDate) -> Result<&str, CollectorError> {
        self.development(date)
            .map(Release::series)
            .ok_or_else(|| self.outdated(format_args!("none in the making on {date}")))
    }

    fn outdated(&self, what: fmt::Arguments<'_>) -> CollectorError {
        let newest = self.releases.last().map_or("", Release::series);
        CollectorError::other(format_args!(
            "the list of Ubuntu's releases knows {what} (its newest is {newest}): upgrade the package distro-info-data"
        ))
    }
}

/// Where the columns are; those that came later may be missing.
struct Columns {
    version: Option<usize>,
    series: usize,
    created: usize,
    release: usize,
    eol: usize,
    eol_server: Option<usize>,
    eol_esm: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, DistroInfoError> {
        let column = |name: &str| header.iter().position(|found| unquoted(found) == name);
        let needed = |name| column(name).ok_or(DistroInfoError::NoColumn(name));
        Ok(Self {
            version: column("version"),
            series: needed("series")?,
            created: needed("created")?,
            release: needed("release")?,
            eol: needed("eol")?,
            eol_server: column("eol-server"),
            eol_esm: column("eol-esm"),
        })
    }

    fn release(&self, row: &csv::StringRecord) -> Result<Release, String> {
        let value = |column: usize| unquoted(row.get(column).unwrap_or_default());
        let date = |column: Option<usize>| column.map_or(Ok(None), |column| date(value(column)));
        let series = value(self.series);
        if !is_series(series) {
            return Err(format!("{} is no series", shown(series)));
        }
        Ok(Release {
            version: self.version.map_or("", value).to_owned(),
            series: series.to_owned(),
            created: date(Some(self.created))?,
            release: date(Some(self.release))?,
            eol: date(Some(self.eol))?,
            eol_server: date(self.eol_server)?,
            eol_esm: date(self.eol_esm)?,
        })
    }
}

/// Whether it is a word that can stand in an address and a tag.
fn is_series(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SERIES).contains(&text.len()) && text.bytes().all(is_part)
}

/// A day, or a month's last; none where there is no text.
fn date(text: &str) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let month = || {
        let first = format!("{text}-01").parse::<NaiveDate>().ok()?;
        first
            .checked_add_months(Months::new(1))?
            .checked_sub_days(Days::new(1))
    };
    match text.parse().ok().or_else(month) {
        Some(date) => Ok(Some(date)),
        None => Err(format!("{} is no date", shown(text))),
    }
}

/// Why a text is no list of releases.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DistroInfoError {
    /// This column is missing.
    NoColumn(&'static str),
    /// No row can be read; with what is wrong with the first and the number of the others, where there
    /// are any.
    NoReleases(Option<String>),
}

impl fmt::Display for DistroInfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn(name) => write!(f, "it has no column `{name}`"),
            Self::NoReleases(None) => f.write_str("it has no rows"),
            Self::NoReleases(Some(first)) => write!(f, "none of its rows can be read: {first}"),
        }
    }
}

impl Error for DistroInfoError {}

#[cfg(test)]
mod tests;
