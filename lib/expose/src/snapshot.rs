//! What a registry held at one time, by family.

use std::collections::HashMap;
use std::sync::Arc;

use tidemark_point::Timestamp;
use tidemark_point::exposition::Format;

use crate::Family;
use crate::group::Group;
use crate::page::Page;
use crate::registry::Published;
use crate::samples::SourceLabels;

/// The samples of a registry at one time. It shares them with the registry: it is cheap to take.
#[derive(Debug, Default)]
pub struct Snapshot {
    parts: Vec<Part>,
    /// By name, once they are sorted.
    families: Vec<Columns>,
}

/// The samples of one group of one source.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) source: Arc<SourceLabels>,
    pub(crate) group: Arc<Group>,
    pub(crate) at: Timestamp,
}

/// Where the samples of a family are.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) family: Family,
    /// Parts, and the column in each.
    pub(crate) places: Vec<(usize, usize)>,
    /// Whether a series may be in two of them.
    pub(crate) ambiguous: bool,
}

impl Snapshot {
    /// Adds what a source shows. The parts of a source come one after another.
    pub(crate) fn add(&mut self, source: &Arc<SourceLabels>, published: &Published) {
        self.parts.push(Part {
            source: Arc::clone(source),
            group: Arc::clone(&published.group),
            at: published.at,
        });
    }

    /// Finds the families; without the registry's lock.
    pub(crate) fn sort(&mut self) {
        let mut found: HashMap<&str, usize> = HashMap::new();
        let mut families: Vec<Columns> = Vec::new();
        let alike = self.are_sources_alike();
        for (index, part) in self.parts.iter().enumerate() {
            for (column, family) in part.group.families().enumerate() {
                let at = *found.entry(family.name()).or_insert_with(|| {
                    families.push(Columns {
                        family: family.clone(),
                        places: Vec::new(),
                        ambiguous: alike,
                    });
                    families.len() - 1
                });
                let Some(columns) = families.get_mut(at) else {
                    continue;
                };
                let last = columns.places.last().and_then(|(last, _)| self.parts.get(*last));
                columns.ambiguous |= last.is_some_and(|last| Arc::ptr_eq(&last.source, &part.source));
                columns.places.push((index, column));
            }
        }
        families.sort_by(|a, b| a.family.name().cmp(b.family.name()));
        self.families = families;
    }

    /// Whether samples of two sources may be of one series: not where the sources have labels of the same names, no two
    /// the same values, and no sample has others.
    fn are_sources_alike(&self) -> bool {
        let mut known: HashMap<&[u8], *const SourceLabels> = HashMap::new();
        self.parts.iter().any(|part| {
            let labels = Arc::as_ptr(&part.source);
            let first = *known.entry(&part.source.text).or_insert(labels);
            let names_differ = self.parts.first().is_some_and(|first| {
                !Arc::ptr_eq(&first.source, &part.source) && !first.source.has_names_of(&part.source)
            });
            !std::ptr::eq(first, labels) || names_differ || part.group.overrides()
        })
    }

    /// How many samples there are; those of a series that is there twice count twice.
    #[must_use]
    pub fn len(&self) -> usize {
        let places = self.families.iter().flat_map(|columns| &columns.places);
        places
            .filter_map(|(part, column)| Some(self.parts.get(*part)?.group.len(*column)))
            .sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its page, to be written bit by bit.
    #[must_use]
    pub fn page(self, format: Format) -> Page {
        Page::new(self, format)
    }

    pub(crate) fn family(&self, index: usize) -> Option<&Columns> {
        self.families.get(index)
    }

    pub(crate) fn part(&self, index: usize) -> Option<&Part> {
        self.parts.get(index)
    }
}
