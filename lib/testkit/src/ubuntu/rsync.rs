//! What `rsync` lists of the images.

use std::fmt::Write as _;

use super::names::{below, pick};
use super::{Made, Size, utc};
use crate::Random;

/// The lines of the longest real listing.
const LINES: usize = 2_000;
const SERIES: [&str; 4] = ["resolute", "questing", "noble", "jammy"];
const FLAVORS: [&str; 8] = [
    "kubuntu",
    "xubuntu",
    "lubuntu",
    "ubuntu-server",
    "ubuntu-mate",
    "ubuntustudio",
    "edubuntu",
    "ubuntucinnamon",
];

/// An image that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// The flavor.
    pub flavor: String,
    /// The series.
    pub release: String,
    /// `current` or `pending`.
    pub current_or_pending: &'static str,
    /// The architecture.
    pub architecture: String,
    /// The kind of image, where the path has one.
    pub image_type: Option<String>,
    /// Its age in whole days.
    pub age: i64,
    /// Its length in bytes.
    pub size: i64,
}

/// A listing, 2,000 lines where it is real, each `SIZE YYYY/MM/DD-HH:MM:SS PATH`; resolute, questing, noble and jammy are
/// the active series. Most are of dated folders. The answer is the images that count, in the order of the listing; more
/// than one may have the same tags.
pub fn rsync_listing(size: Size, now: i64) -> Made<Vec<Image>> {
    let mut random = Random::new(2_000);
    let (mut text, mut answer) = (String::new(), Vec::new());
    for _ in 0..size.of(LINES) {
        let release = *pick(&mut random, &SERIES);
        // The folders before the date, the flavor, the kind.
        let (folder, flavor, image_type) = folder(&mut random, release);
        let (date, current) = match random.below(8) {
            0 => ("current".to_owned(), Some("current")),
            1 => ("pending".to_owned(), Some("pending")),
            2 => ("current/pending".to_owned(), Some("current")),
            other => (
                format!(
                    "202611{:02}{}",
                    random.below(20) + 1,
                    if other == 3 { ".1" } else { "" }
                ),
                None,
            ),
        };
        let (kind, architecture, end) = pick(
            &mut random,
            &[
                ("desktop", "amd64", "iso"),
                ("live-server", "arm64", "iso"),
                ("live-server", "arm64+largemem", "iso"),
                ("preinstalled-desktop", "arm64+raspi", "img.xz"),
                ("wsl", "amd64", "wsl"),
                ("dvd", "amd64", "iso"),
                ("live-server", "ppc64el", "iso"),
                ("preinstalled-server", "riscv64+jh7110", "img.xz"),
            ],
        );
        let name = format!("{release}-{kind}-{architecture}.{end}");
        let bytes = 700_000_000 + i64::try_from(random.below(6_000_000_000)).expect("a few GB");
        let seconds = i64::try_from(random.below(60 * 86_400)).expect("two months");
        let modified = now / 1000 - seconds;
        let _ = writeln!(
            text,
            "{bytes} {} {folder}/{date}/{name}",
            utc(modified * 1000).format("%Y/%m/%d-%H:%M:%S")
        );
        // ubuntustudio's of folder dvd count for noble and jammy alone.
        let studio =
            flavor == "ubuntustudio" && image_type == Some("dvd") && !["noble", "jammy"].contains(&release);
        let skipped = folder.starts_with("ubuntu/");
        if let Some(current_or_pending) = current.filter(|_| !skipped && !studio) {
            answer.push(Image {
                flavor: flavor.to_owned(),
                release: release.to_owned(),
                current_or_pending,
                architecture: (*architecture).to_owned(),
                image_type: image_type.map(ToOwned::to_owned),
                age: seconds / 86_400,
                size: bytes,
            });
        }
    }
    Made { text, answer }
}

fn folder(random: &mut Random, release: &'static str) -> (String, &'static str, Option<&'static str>) {
    let flavor = FLAVORS[below(random, FLAVORS.len())];
    match random.below(8) {
        0 => ("daily-live".to_owned(), "ubuntu", Some("live")),
        1 => ("daily-preinstalled".to_owned(), "ubuntu", Some("preinstalled")),
        2 => (format!("{release}/daily-live"), "ubuntu", Some("live")),
        3 => (format!("{flavor}/daily-live"), flavor, Some("live")),
        4 => (
            format!("{flavor}/{release}/daily-preinstalled"),
            flavor,
            Some("preinstalled"),
        ),
        5 => ("ubuntustudio/dvd".to_owned(), "ubuntustudio", Some("dvd")),
        6 => (format!("{flavor}/{release}/daily"), flavor, None),
        _ => (format!("ubuntu/{release}/daily-live"), "ubuntu", Some("live")),
    }
}
