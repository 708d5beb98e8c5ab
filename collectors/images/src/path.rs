//! What the path of an image says of it.
//!
//! | path | flavor | release | | architecture | type |
//! |---|---|---|---|---|---|
//! | `daily-live/current/resolute-desktop-amd64.iso` | ubuntu | resolute | current | amd64 | live |
//! | `noble/daily-live/pending/noble-desktop-arm64.iso` | ubuntu | noble | pending | arm64 | live |
//! | `edubuntu/daily-preinstalled/current/noble-x-arm64+raspi.img.xz` | edubuntu | noble | current | arm64+raspi | preinstalled |
//! | `ubuntustudio/dvd/current/noble-dvd-amd64.iso` | ubuntustudio | noble | current | amd64 | dvd |
//! | `ubuntu-server/bionic/daily/current/bionic-server-amd64.iso` | ubuntu-server | bionic | current | amd64 | |
//!
//! None of them: paths without `current` and `pending`, all below `ubuntu` (a link for convenience), images of Ubuntu
//! Core 16, and those of Ubuntu Studio below `dvd` but for jammy and noble, whose folder it still is.

use std::collections::BTreeSet;
use std::fmt;

/// How the names of images end.
pub const EXTENSIONS: [&str; 3] = [".iso", ".img.xz", ".wsl"];
/// The longest tag, in bytes.
pub const MAX_TAG: usize = 200;

/// The releases whose images of Ubuntu Studio are below `dvd`.
const STUDIO_DVD_RELEASES: [&str; 2] = ["jammy", "noble"];

/// The series of Ubuntu that are active. A folder of images that is called like one is Ubuntu's own, not a flavor's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Series {
    /// Their codenames.
    pub active: BTreeSet<String>,
    /// Whether these are all.
    pub is_complete: bool,
}

/// What tells an image from all others.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Identity {
    /// Whose image it is: `ubuntu`, `kubuntu`, `ubuntu-server`.
    pub flavor: String,
    /// The codename of its release.
    pub release: String,
    /// `current` or `pending`.
    pub current_or_pending: &'static str,
    /// What it runs on: `amd64`, `arm64+raspi`.
    pub architecture: String,
    /// `live`, `preinstalled`, `dvd` and so on; none where its folders do not say.
    pub image_type: Option<String>,
}

/// Why a path that names an image does not say which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Its name begins with no word before a `-`.
    Release,
    /// Its name has no word between its last `-` and the `.` after that.
    Architecture,
    /// A part of it cannot be a tag: it is too long, or holds a control character.
    Tag,
    /// It may be a flavor's or Ubuntu's own: its folder is called like its release, and not all active series are known.
    Series,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release => f.write_str("its name has no release in front of a `-`"),
            Self::Architecture => f.write_str("its name has no architecture between its last `-` and a `.`"),
            Self::Tag => write!(
                f,
                "a part of it that is to be a tag has more than {MAX_TAG} bytes or a control character"
            ),
            Self::Series => f.write_str("it is not known whether its folder is that of an active series"),
        }
    }
}

/// Whether a path, or a line that ends with one, can name an image that counts.
pub(crate) fn may_count(path: &str) -> bool {
    EXTENSIONS.iter().any(|extension| path.ends_with(extension)) && current_or_pending(path).is_some()
}

/// What the path below the images' root says; none where it names no image that counts.
///
/// # Errors
/// Where it names one, and does not say which.
pub fn identify(path: &str, series: &Series) -> Result<Option<Identity>, Fault> {
    let segments = || path.split('/').filter(|segment| !segment.is_empty());
    let (Some(first), Some(name)) = (segments().next(), segments().next_back()) else {
        return Ok(None);
    };
    let Some(current_or_pending) = current_or_pending(path).filter(|_| may_count(path)) else {
        return Ok(None);
    };
    if first == "ubuntu" || name.starts_with("ubuntu-core-16") {
        return Ok(None);
    }
    let release = release(name).ok_or(Fault::Release)?;
    let is_late_studio = first == "ubuntustudio"
        && segments().any(|segment| segment == "dvd")
        && !STUDIO_DVD_RELEASES.contains(&release);
    if is_late_studio {
        return Ok(None);
    }
    let architecture = architecture(name).ok_or(Fault::Architecture)?;
    let is_ubuntu = matches!(first, "daily-live" | "daily-preinstalled") || series.active.contains(first);
    if !is_ubuntu && !series.is_complete && first == release {
        return Err(Fault::Series);
    }
    let image_type = segments().find_map(|segment| match segment {
        "dvd" => Some(segment),
        _ => segment.strip_prefix("daily-"),
    });
    let flavor = if is_ubuntu { "ubuntu" } else { first };
    let tags = [flavor, release, architecture].into_iter().chain(image_type);
    for tag in tags {
        if tag.len() > MAX_TAG || tag.chars().any(char::is_control) {
            return Err(Fault::Tag);
        }
    }
    Ok(Some(Identity {
        flavor: flavor.to_owned(),
        release: release.to_owned(),
        current_or_pending,
        architecture: architecture.to_owned(),
        image_type: image_type.filter(|kind| !kind.is_empty()).map(str::to_owned),
    }))
}

fn current_or_pending(path: &str) -> Option<&'static str> {
    ["current", "pending"]
        .into_iter()
        .find(|word| path.contains(word))
}

/// The word before the first `-`.
fn release(name: &str) -> Option<&str> {
    let (word, _) = name.split_once('-')?;
    is_word(word, |character| character == '_').then_some(word)
}

/// The word after the last `-` and before the first `.` that follows.
fn architecture(name: &str) -> Option<&str> {
    let (_, rest) = name.rsplit_once('-')?;
    let (word, _) = rest.split_once('.')?;
    is_word(word, |character| matches!(character, '_' | '+')).then_some(word)
}

fn is_word(text: &str, also: impl Fn(char) -> bool) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || also(character))
}
