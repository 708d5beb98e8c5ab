//! What rsync lists: a line for each file and folder, `SIZE TIME PATH`.
//!
//! The time is that of the last change, `YYYY/MM/DD-HH:MM:SS`, in the time zone that rsync was given: UTC. In the path, a
//! byte that is no printable ASCII character stands as `\#` and three octal digits. A folder's path ends with a slash.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use tidemark_ubuntu::{Remarks, shown};

use crate::path::{Fault, Identity, Series, identify, may_count};

const TIME: &str = "%Y/%m/%d-%H:%M:%S";

/// An image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// Which it is.
    pub identity: Identity,
    /// Its size in bytes.
    pub size: i64,
    /// When it was last changed, in seconds since the epoch.
    pub modified: i64,
}

/// What was read of a listing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// The images that count, in the listing's order. Two may be the same by what is known of them.
    pub images: Vec<Image>,
    /// What is wrong in lines that name an image.
    pub remarks: Remarks,
    /// Images left out as it is not known which series are active.
    pub unplaced: usize,
}

/// Reads a listing. Lines that name no image that counts are passed over, whatever they are; one that does and is not of
/// the form is remarked. Time is linear in the text's length.
pub fn parse(text: &str, series: &Series) -> Listing {
    let mut listing = Listing::default();
    for line in text.lines().filter(|line| may_count(line)) {
        match read(line, series) {
            Ok(image) => listing.images.extend(image),
            Err(Wrong::Path(Fault::Series)) => listing.unplaced += 1,
            Err(wrong) => listing.remarks.add(|| wrong.said(line)),
        }
    }
    listing
}

/// Why a line is not taken.
enum Wrong {
    Form,
    Name,
    Path(Fault),
}

impl Wrong {
    fn said(&self, line: &str) -> String {
        let path = line.splitn(3, ' ').last().unwrap_or_default();
        match self {
            Self::Form => format!("{} is not a size, a time and a path", shown(line)),
            Self::Name => format!("{}: the path is not UTF-8", shown(path)),
            Self::Path(fault) => format!("{}: {fault}", shown(path)),
        }
    }
}

fn read(line: &str, series: &Series) -> Result<Option<Image>, Wrong> {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().ok_or(Wrong::Form);
    let (size, time, path) = (word()?, word()?, word()?);
    let is_number = size.bytes().all(|byte| byte.is_ascii_digit());
    let size = size.parse().ok().filter(|_| is_number).ok_or(Wrong::Form)?;
    let time = NaiveDateTime::parse_from_str(time, TIME).map_err(|_| Wrong::Form)?;
    let path = unescaped(path).ok_or(Wrong::Name)?;
    let identity = identify(&path, series).map_err(Wrong::Path)?;
    Ok(identity.map(|identity| Image {
        identity,
        size,
        modified: time.and_utc().timestamp(),
    }))
}

/// The path with its bytes in place of `\#ooo`; none where they are not UTF-8 then.
fn unescaped(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains("\\#") {
        return Some(Cow::Borrowed(path));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if let Some(byte) = escape(rest) {
            bytes.push(byte);
            rest = rest.get(ESCAPE..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The length of an escape.
const ESCAPE: usize = "\\#000".len();

/// The byte that the escape at the beginning stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"\\#")?.get(..3)?;
    let value = digits.iter().try_fold(0_u16, |value, digit| match digit {
        b'0'..=b'7' => Some(value * 8 + u16::from(digit - b'0')),
        _ => None,
    })?;
    u8::try_from(value).ok()
}
