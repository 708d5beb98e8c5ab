//! The other files of the folder: what is in them already is not written again, as node_exporter would then serve
//! neither, or report the whole folder as broken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tidemark_point::exposition::{Entry, FamilyType, Format, Reader, Sample};
use tidemark_point::line::BorrowedPoint;
use tidemark_point::prometheus_label;

use super::file::{self, FileName};
use crate::words::words;

/// The largest file of others that is looked at.
const MAX_PAGE: u64 = 32 * 1024 * 1024;
/// The most files of others that are looked at.
const MAX_PAGES: usize = 1_000;

/// A page without what others have.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) text: Vec<u8>,
    pub(super) refused: Refused,
}

/// Families that are not written, in whole or in part, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Refused {
    families: BTreeMap<String, String>,
    /// Families of which some series are not written.
    in_part: BTreeMap<String, String>,
    /// Those series.
    series: BTreeSet<(String, Labels)>,
}

impl Refused {
    pub(super) fn is_empty(&self) -> bool {
        self.families.is_empty() && self.in_part.is_empty()
    }

    /// Why a series of a family is not written; none where it is.
    pub(super) fn reason(&self, family: &str, labels: &Labels) -> Option<&str> {
        let whole = self.families.get(family);
        let reason = whole.or_else(|| {
            let reason = self.in_part.get(family)?;
            let series = (family.to_owned(), labels.clone());
            self.series.contains(&series).then_some(reason)
        });
        reason.map(String::as_str)
    }

    /// All that is refused.
    pub(super) fn reasons(&self) -> impl Iterator<Item = String> {
        self.families.values().chain(self.in_part.values()).cloned()
    }
}

/// What is known of a family of ours: its metadata, and its series.
#[derive(Debug, Default)]
struct Ours {
    family_type: Option<FamilyType>,
    help: Option<String>,
    series: BTreeSet<Labels>,
}

/// The labels of a series, sorted; those without a value mean nothing.
pub(super) type Labels = Vec<(String, String)>;

fn labels(sample: &Sample<'_>) -> Labels {
    let mut labels: Labels = sample
        .labels()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    labels.sort_unstable();
    labels
}

/// The labels that a page has of a point.
pub(super) fn labels_of(point: &BorrowedPoint<'_>) -> Labels {
    let mut labels: Labels = point
        .tags()
        .map(|(key, value)| (prometheus_label(key.as_ref()).into_owned(), value.to_string()))
        .collect();
    labels.sort_unstable();
    labels
}

/// Takes out of a page of ours what the other files of the folder have otherwise, or have already.
pub(super) fn keep(folder: &Path, own: &FileName, page: Vec<u8>) -> Kept {
    let ours = ours(&page);
    let mut refused = Refused::default();
    for name in others(folder, own) {
        if let Some(other) = read(&folder.join(&name)) {
            compare(&name, &other, &ours, &mut refused);
        }
    }
    if refused.is_empty() {
        return Kept { text: page, refused };
    }
    // Of a family without series the metadata goes too.
    for (family, known) in &ours {
        let is_taken = |labels: &Labels| refused.series.contains(&(family.clone(), labels.clone()));
        if known.series.iter().all(is_taken)
            && let Some(reason) = refused.in_part.remove(family)
        {
            refused.families.entry(family.clone()).or_insert(reason);
        }
    }
    Kept {
        text: without(&page, &refused),
        refused,
    }
}

fn ours(page: &[u8]) -> BTreeMap<String, Ours> {
    let mut families: BTreeMap<String, Ours> = BTreeMap::new();
    for entry in Reader::new(page, Format::Prometheus).lenient().flatten() {
        match entry {
            Entry::Type { family, family_type } => {
                families.entry(family.into_owned()).or_default().family_type = Some(family_type);
            }
            Entry::Help { family, help } => {
                families.entry(family.into_owned()).or_default().help = Some(help.into_owned());
            }
            Entry::Sample(sample) => {
                let family = families.entry(sample.name().to_owned()).or_default();
                family.series.insert(labels(&sample));
            }
            Entry::Unit { .. } | Entry::Eof => {}
        }
    }
    families
}

/// The names of the other pages, in the order in which node_exporter reads them.
fn others(folder: &Path, own: &FileName) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| file::is_page(name) && name != own.as_str())
        .collect();
    names.sort_unstable();
    if names.len() > MAX_PAGES {
        tracing::debug!(
            "{}: more than {MAX_PAGES} files: the others are not compared",
            folder.display()
        );
        names.truncate(MAX_PAGES);
    }
    names
}

/// A page of somebody; none where it cannot be read, as node_exporter cannot either.
fn read(path: &Path) -> Option<Vec<u8>> {
    // A link to a page is a page.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(file::NO_WAIT)
        .open(path)
        .ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_PAGE {
        return None;
    }
    let mut page = Vec::new();
    file.take(MAX_PAGE).read_to_end(&mut page).ok()?;
    Some(page)
}

/// Notes what another file has of our families.
fn compare(name: &str, page: &[u8], ours: &BTreeMap<String, Ours>, refused: &mut Refused) {
    let entries: Result<Vec<_>, _> = Reader::new(page, Format::Prometheus).lenient().collect();
    // node_exporter leaves out a file that does not parse.
    let Ok(entries) = entries else { return };
    let mut types: BTreeMap<&str, FamilyType> = BTreeMap::new();
    for entry in &entries {
        if let Entry::Type { family, family_type } = entry {
            types.insert(family, *family_type);
        }
    }
    let name = words(name);
    for entry in &entries {
        match entry {
            Entry::Type { family, family_type } => {
                if let Some(known) = ours.get(&**family)
                    && known.family_type.is_some_and(|known| known != *family_type)
                {
                    refused.family(family, format!("{name} has it with the type {family_type}"));
                }
            }
            Entry::Help { family, help } => {
                if let Some(known) = ours.get(&**family)
                    && known.help.as_deref().is_some_and(|known| known != help)
                {
                    refused.family(family, format!("{name} has it with another help"));
                }
            }
            Entry::Sample(sample) => {
                let Some(known) = ours.get(sample.name()) else {
                    continue;
                };
                let other_type = types.get(sample.name()).copied().unwrap_or(FamilyType::Unknown);
                if known.family_type.is_some_and(|known| known != other_type) {
                    refused.family(sample.name(), format!("{name} has it with the type {other_type}"));
                    continue;
                }
                let labels = labels(sample);
                if known.series.contains(&labels) {
                    refused.one_series(sample.name(), labels, &name);
                }
            }
            Entry::Unit { .. } | Entry::Eof => {}
        }
    }
}

impl Refused {
    fn family(&mut self, family: &str, why: String) {
        let reason = || format!("{family} is refused: {why}; rename one of them");
        self.families.entry(family.to_owned()).or_insert_with(reason);
    }

    fn one_series(&mut self, family: &str, labels: Labels, name: &str) {
        let reason = || format!("{family} is refused where {name} has the same series; rename one of them");
        self.in_part.entry(family.to_owned()).or_insert_with(reason);
        self.series.insert((family.to_owned(), labels));
    }
}

/// The page without what is refused. Each line of a page of ours is one entry.
fn without(page: &[u8], refused: &Refused) -> Vec<u8> {
    let mut kept = Vec::with_capacity(page.len());
    let entries = Reader::new(page, Format::Prometheus).lenient();
    for (line, entry) in page.split_inclusive(|byte| *byte == b'\n').zip(entries) {
        let gone = match &entry {
            Ok(Entry::Type { family, .. } | Entry::Help { family, .. }) => {
                refused.families.contains_key(&**family)
            }
            Ok(Entry::Sample(sample)) => refused.reason(sample.name(), &labels(sample)).is_some(),
            Ok(Entry::Unit { .. } | Entry::Eof) | Err(_) => false,
        };
        if !gone {
            kept.extend_from_slice(line);
        }
    }
    kept
}
