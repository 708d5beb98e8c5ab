//! The collector `images`: how old and how large the daily images of Ubuntu and its flavors are.
//!
//! Ubuntu's server of images is listed with the program `rsync`: fifteen listings side by side, one for each place of
//! images ([`PATTERNS`]) and each kind ([`EXTENSIONS`]), each for at most ten seconds. There is a point
//! `daily_image_details` for each image that is called current or pending; [`path`] tells what its path says. Of images
//! that are the same by that, the last listed counts.
//!
//! A listing that fails costs its own images alone, and one that breaks off the rest of them. Listings that fail of the
//! same are told together. A pattern that nothing matches is no failure.
//!
//! Launchpad knows which folders are those of active series. Where it does not answer, the file of distro-info says it of
//! some, and images in folders that are called like their release, and may or may not be such, are left out.
//!
//! It downloads no image, and does not look into any.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_images::Images;
//!
//! assert_eq!(Images::NAME, "images");
//! assert_eq!(Images::MEASUREMENTS[0].measurement, "daily_image_details");
//! ```

mod failures;
pub mod listing;
pub mod path;
mod rsync;
mod series;

use std::collections::BTreeMap;
use std::time::Duration;

use tidemark_collect::http::Url;
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Points, Schema, Settings, Timestamp, side_by_side,
};
use tidemark_ubuntu::distro_info;

use crate::failures::Failures;
use crate::listing::{Image, Listing};
use crate::path::{EXTENSIONS, Identity};
use crate::rsync::Within;

/// Where images are, below the server's root.
pub const PATTERNS: [&str; 5] = [
    "daily*/*/*",
    "*/daily*/*/*",
    "*/dvd/*/*",
    "*/*/daily*/*/*",
    "*/*/dvd/*/*",
];

/// How long a listing may take.
const LIMIT: Duration = Duration::from_secs(10);
/// What is left of the run, at most, when listings have to end: for what was listed to be submitted.
const MARGIN: Duration = Duration::from_secs(5);
/// The most images of a run: thirty times what there are.
const MAX_IMAGES: usize = 10_000;
const DAY: i64 = 86_400;

/// A daily image.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("daily_image_details")]
struct DailyImage {
    /// Whose image it is: `ubuntu`, `kubuntu`, `ubuntu-server`.
    #[tag]
    flavor: String,
    /// The release that it installs, by its codename.
    #[tag]
    release: String,
    /// `current` or `pending`.
    #[tag]
    current_or_pending: &'static str,
    /// What it runs on: `amd64`, `arm64+raspi`.
    #[tag]
    architecture: String,
    /// `live`, `preinstalled`, `dvd` and so on, where its folders say.
    #[tag]
    image_type: Option<String>,
    /// Its age, in whole days.
    #[unit("d")]
    age: i64,
    /// Its size.
    #[unit("bytes")]
    size: i64,
}

/// The age and the size of the daily images of Ubuntu and its flavors.
#[derive(Debug, Settings)]
pub struct Images {
    /// The root of the images on an rsync server.
    #[default("rsync://cdimage.ubuntu.com/cdimage/")]
    url: String,
    /// The program rsync, by name or path; its unit lets it run where it is in a folder of the system.
    #[default("rsync")]
    rsync: String,
    /// The active series, by their codenames; where there are none, those that Launchpad says.
    #[default([])]
    series: Vec<String>,
    /// The root of Launchpad's web service.
    #[default("https://api.launchpad.net/devel/")]
    launchpad: Url,
    /// The releases of Ubuntu as the package distro-info-data has them, for when Launchpad does not answer.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

impl Metric for Images {
    const NAME: &'static str = "images";
    const NEEDS: Needs = Needs {
        network: true,
        listens: false,
        programs: &["rsync"],
        paths: &[distro_info::PATH],
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[DailyImage::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let base = self.base()?;
        let remaining = cx.remaining();
        let within = Within::new(LIMIT.min(remaining - MARGIN.min(remaining / 4)));
        let patterns = patterns();
        let listings = patterns
            .iter()
            .map(|pattern| rsync::list(&self.rsync, &base, pattern, within));
        let (active, listed) = tokio::join!(
            series::active(self, cx, now),
            side_by_side(patterns.len(), listings)
        );

        let mut found = Found::default();
        let mut failures = Failures::new(patterns.len(), &base);
        for (pattern, listed) in patterns.iter().zip(listed) {
            if let Some(failure) = listed.failure {
                failures.add(pattern, failure, !listed.text.is_empty());
            }
            found.take(cx, pattern, listing::parse(&listed.text, &active.series));
        }
        match (active.failure, found.unplaced) {
            (None, _) => {}
            (Some(why), 0) => cx.gap(format_args!("the active series: {why}")),
            (Some(why), 1) => cx.gap(format_args!(
                "the active series: one image is left out, as without them it is not known whose it is: {why}"
            )),
            (Some(why), count) => cx.gap(format_args!(
                "the active series: {count} images are left out, as without them it is not known whose they are: {why}"
            )),
        }
        let mut failed = failures.lines();
        if found.images.is_empty() {
            // The first is the run's error.
            let first = failed.next().map(|line| line.to_string());
            failed.for_each(|line| cx.gap(line));
            return Err(CollectorError::other(first.unwrap_or_else(|| match found.unplaced {
                0 => format!(
                    "{base} has no daily image that is called current or pending: is it the root of Ubuntu's images?"
                ),
                _ => "no image is left: without the active series it is not known whose they are".to_owned(),
            })));
        }
        failed.for_each(|line| cx.gap(line));
        Ok(found.points(cx, now))
    }
}

impl Images {
    /// The root of the images, with a slash at its end.
    ///
    /// # Errors
    /// Where it is not the address of a module: a mistake in the settings.
    pub fn base(&self) -> Result<String, CollectorError> {
        let rest = self.url.strip_prefix("rsync://").unwrap_or_default();
        let (host, _) = rest.split_once('/').unwrap_or_default();
        let is_plain = !rest.contains(|character: char| character.is_control() || character == '@');
        if host.is_empty() || !is_plain {
            // It is not shown: what stands before an @ may be a password.
            return Err(CollectorError::other(
                "`url` of [collector.images] is not the address of a module of an rsync server, without a user: write \
                 rsync://HOST/MODULE/",
            ));
        }
        let slash = if self.url.ends_with('/') { "" } else { "/" };
        Ok(format!("{}{slash}", self.url))
    }
}

/// What is listed: each place with each ending.
fn patterns() -> Vec<String> {
    let ended = |place: &&str| EXTENSIONS.map(|extension| format!("{place}{extension}"));
    PATTERNS.iter().flat_map(ended).collect()
}

/// The images of all listings.
#[derive(Default)]
struct Found {
    images: BTreeMap<Identity, Dated>,
    unplaced: usize,
}

/// The size of an image, and when it was last changed.
struct Dated {
    size: i64,
    modified: i64,
}

impl Found {
    /// Takes what was read of a listing; what is wrong in it is a gap.
    fn take(&mut self, cx: &Context, pattern: &str, listing: Listing) {
        for remark in listing.remarks.into_lines() {
            cx.gap(format_args!("in the listing {pattern}: {remark}"));
        }
        self.unplaced += listing.unplaced;
        let mut left_out = 0_usize;
        for Image {
            identity,
            size,
            modified,
        } in listing.images
        {
            if self.images.len() < MAX_IMAGES || self.images.contains_key(&identity) {
                self.images.insert(identity, Dated { size, modified });
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            cx.gap(format_args!(
                "in the listing {pattern}: {left_out} images are left out, as there are more than {MAX_IMAGES} in all"
            ));
        }
    }

    /// A point of each. Where one is dated in the future, its age is 0 days, and a notice says so.
    fn points(self, cx: &Context, now: Timestamp) -> Points {
        let seconds = now.nanos().div_euclid(1_000_000_000);
        let early = self.images.iter().filter(|(_, image)| image.modified > seconds);
        let count = early.clone().count();
        if let Some((image, latest)) = early.max_by_key(|(_, image)| image.modified) {
            cx.notice(format_args!(
                "images dated in the future: {count}, by up to {} s ({} {} {}); one of the clocks is wrong",
                latest.modified.saturating_sub(seconds),
                image.flavor,
                image.release,
                image.architecture
            ));
        }
        let images = self
            .images
            .into_iter()
            .map(|(image, Dated { size, modified })| DailyImage {
                flavor: image.flavor,
                release: image.release,
                current_or_pending: image.current_or_pending,
                architecture: image.architecture,
                image_type: image.image_type,
                age: seconds.saturating_sub(modified).div_euclid(DAY).max(0),
                size,
            });
        Points::at(now, images)
    }
}

#[cfg(test)]
mod tests;
