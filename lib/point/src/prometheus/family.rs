//! Families: what has one name, in the order in which it is written.

use std::collections::{HashMap, HashSet};

use super::gather::{Entry, Fate, Gathered, LabelSet};
use super::left_out::{LeftOut, Omission};
use super::name::COUNTER_SUFFIX;
use crate::exposition::FamilyType;
use crate::{DeclaredField, Kind};

/// The longest text or request that is written of a batch. A point repeats its tags for each field: one with long tags
/// and very many fields would take all memory.
pub(crate) const MAX_BYTES: usize = 128 << 20;

/// About what a sample takes beside its name and labels.
const SAMPLE_BYTES: usize = 40;

/// What must not have the same name.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) enum Clashes {
    /// Families of different types.
    Types,
    /// And what could be a sample of another family (OpenMetrics 1.0, "Suffixes").
    Suffixes,
    /// Nothing: there are series alone.
    None,
}

/// Which values of a series are kept.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) enum Keep {
    /// One for each time, so many nanoseconds apart.
    Each(i64),
    /// The newest.
    Newest,
}

/// Series of one name.
#[derive(Debug)]
pub(crate) struct Family<'d> {
    /// The name of its samples.
    pub(crate) name: String,
    pub(crate) family_type: FamilyType,
    pub(crate) declared: Option<&'d DeclaredField>,
    /// Whether several fields have this name.
    shared: bool,
}

impl Family<'_> {
    /// The name without what its type adds to it.
    pub(crate) fn base(&self) -> &str {
        match self.family_type {
            FamilyType::Counter => self.name.strip_suffix(COUNTER_SUFFIX).unwrap_or(&self.name),
            _ => &self.name,
        }
    }

    /// The unit, where the name says it (as it must in OpenMetrics).
    pub(crate) fn unit_in_name(&self) -> Option<&str> {
        let unit = self.declared?.unit.as_deref()?;
        let before = self.base().strip_suffix(unit)?.strip_suffix('_')?;
        (!before.is_empty() && !unit.is_empty()).then_some(unit)
    }

    fn rank(&self) -> u8 {
        rank(self.family_type)
    }
}

/// Of clashing families, the one of the lowest rank is kept.
fn rank(family_type: FamilyType) -> u8 {
    match family_type {
        FamilyType::Counter => 0,
        FamilyType::Gauge => 1,
        _ => 2,
    }
}

fn type_of(declared: Option<&DeclaredField>) -> FamilyType {
    match declared.map(|declared| declared.kind) {
        Some(Kind::Counter) => FamilyType::Counter,
        Some(Kind::Gauge) => FamilyType::Gauge,
        None => FamilyType::Unknown,
    }
}

impl<'d> Gathered<'d> {
    /// Gives each series, with its values in the order of time, to `visit`: those of a family together, families
    /// by name. What is not given is counted; so is what goes beyond about `max_bytes`.
    pub(crate) fn each_series(
        mut self,
        clashes: Clashes,
        keep: Keep,
        max_bytes: usize,
        mut visit: impl FnMut(&Family<'d>, &[u8], LabelSet, &[Entry]),
    ) -> LeftOut {
        let (families, owners) = self.families(clashes);
        let mut bytes: usize = 0;
        let labels = std::mem::take(&mut self.labels);
        for (family, mut values) in families.iter().zip(self.by_family(families.len(), &owners)) {
            let key = |entry: &Entry| (entry.set, entry.source, entry.time);
            if !values.is_sorted_by_key(key) {
                values.sort_by_key(key);
            }
            let ambiguous = family.shared || self.changed;
            let mut seen: HashMap<&[u8], (usize, usize)> = HashMap::new();
            for series in values.chunk_by_mut(|a, b| (a.set, a.source) == (b.set, b.source)) {
                let (set, source) = (series[0].set, series[0].source);
                let place = self.sets[set];
                let text = &labels[place.start..place.end];
                if ambiguous && *seen.entry(text).or_insert((set, source)) != (set, source) {
                    self.omit(series, Omission::Duplicate);
                    continue;
                }
                let each = text.len() + family.name.len() + SAMPLE_BYTES;
                bytes = bytes.saturating_add(each.saturating_mul(series.len()));
                if bytes > max_bytes {
                    self.omit(series, Omission::TooLarge);
                    continue;
                }
                let family_type = match clashes {
                    // Each series is of its own type here.
                    Clashes::None => type_of(self.sources[source].declared),
                    Clashes::Types | Clashes::Suffixes => family.family_type,
                };
                let kept = self.choose(series, family_type, keep);
                if !kept.is_empty() {
                    visit(family, &labels, place, kept);
                }
            }
        }
        self.finish()
    }

    /// The values of a series that are written: moved to its front.
    fn choose<'s>(&mut self, series: &'s mut [Entry], family_type: FamilyType, keep: Keep) -> &'s [Entry] {
        let mut count = 0;
        for at in 0..series.len() {
            let entry = series[at];
            if family_type == FamilyType::Counter && entry.number.is_negative() {
                self.omit(&[entry], Omission::NegativeCounter);
                continue;
            }
            let replaces = count > 0
                && match keep {
                    Keep::Newest => true,
                    Keep::Each(apart) => {
                        series[count - 1].time.div_euclid(apart) == entry.time.div_euclid(apart)
                    }
                };
            if replaces {
                count -= 1;
                self.omit(&[series[count]], Omission::Older);
            }
            series[count] = entry;
            count += 1;
        }
        let kept = &series[..count];
        for entry in kept {
            self.fates[entry.point] = Fate::Written;
        }
        kept
    }

    fn omit(&mut self, entries: &[Entry], reason: Omission) {
        for entry in entries {
            self.fates[entry.point].omit(reason);
        }
        let count = entries.len() as u64;
        match (reason.is_refusal(), entries.first()) {
            (true, Some(entry)) => {
                let mut left_out = std::mem::take(&mut self.left_out);
                left_out.refuse(reason, count, || self.describe(entry.source));
                self.left_out = left_out;
            }
            _ => self.left_out.add(reason, count),
        }
    }

    fn finish(mut self) -> LeftOut {
        let omitted = |(index, fate): (usize, &Fate)| match fate {
            Fate::Omitted(reason) => Some((index, *reason)),
            Fate::Unseen | Fate::Written => None,
        };
        let points = self.fates.iter().enumerate().filter_map(omitted).collect();
        self.left_out.set_points(points);
        self.left_out
    }

    /// The values of each family.
    fn by_family(&mut self, families: usize, owners: &[Option<usize>]) -> Vec<Vec<Entry>> {
        let mut values: Vec<Vec<Entry>> = vec![Vec::new(); families];
        for (mut entries, owner) in std::mem::take(&mut self.entries).into_iter().zip(owners) {
            match owner {
                Some(family) if values[*family].is_empty() => values[*family] = entries,
                Some(family) => values[*family].append(&mut entries),
                None => self.omit(&entries, Omission::NameClash),
            }
        }
        values
    }

    /// The families, and to which each source belongs.
    fn families(&self, clashes: Clashes) -> (Vec<Family<'d>>, Vec<Option<usize>>) {
        let mut order: Vec<usize> = (0..self.sources.len()).collect();
        let source_type = |source: usize| type_of(self.sources[source].declared);
        order.sort_by(|&a, &b| {
            let key = |source: usize| {
                (
                    &self.sources[source].name,
                    rank(source_type(source)),
                    self.identity(source),
                )
            };
            key(a).cmp(&key(b))
        });
        let mut found: Vec<(Family<'d>, Vec<usize>)> = Vec::new();
        for source in order {
            let (name, of_type) = (&self.sources[source].name, source_type(source));
            match found.last_mut() {
                Some((family, sources)) if family.name == *name => {
                    let alike = of_type == family.family_type || of_type == FamilyType::Unknown;
                    if alike || clashes == Clashes::None {
                        family.shared = true;
                        sources.push(source);
                    }
                }
                _ => {
                    let family = Family {
                        name: name.clone(),
                        family_type: of_type,
                        declared: self.sources[source].declared,
                        shared: false,
                    };
                    found.push((family, vec![source]));
                }
            }
        }
        if clashes == Clashes::Suffixes {
            found.sort_by(|(a, _), (b, _)| (a.base(), a.rank()).cmp(&(b.base(), b.rank())));
            let mut claimed: HashSet<String> = HashSet::new();
            found.retain(|(family, _)| {
                let claims = claims(family);
                let free = !claims.iter().any(|name| claimed.contains(name));
                if free {
                    claimed.extend(claims);
                }
                free
            });
        }
        let mut owners = vec![None; self.sources.len()];
        let mut families = Vec::with_capacity(found.len());
        for (family, sources) in found {
            for source in sources {
                owners[source] = Some(families.len());
            }
            families.push(family);
        }
        (families, owners)
    }
}

/// The names that no other family may have, nor a sample of one.
fn claims(family: &Family<'_>) -> Vec<String> {
    let base = family.base();
    let suffixes = family
        .family_type
        .suffixes(crate::exposition::Format::OpenMetrics);
    let mut claims: Vec<String> = suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect();
    if !suffixes.contains(&"") {
        claims.push(base.to_owned());
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::LabelForm;
    use crate::{Declarations, line};

    struct Plain;

    impl LabelForm for Plain {
        fn push(out: &mut Vec<u8>, label: &str, value: &str, _first: bool) {
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
    }

    #[test]
    fn what_goes_beyond_the_bound_is_refused_and_counted() {
        let text = format!("m,t={} a=1i,b=2i,c=3i 0\nm d=4i 0\n", "x".repeat(1000));
        let points: Vec<_> = line::read(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        let declarations = Declarations::new();
        let gathered = Gathered::new::<Plain, _>(&points, &declarations);
        let mut names = Vec::new();
        let left_out = gathered.each_series(Clashes::None, Keep::Newest, 2500, |family, _, _, _| {
            names.push(family.name.clone());
        });
        assert_eq!(names, ["m_a", "m_b"]);
        assert_eq!(left_out.count(Omission::TooLarge), 2);
        assert_eq!(left_out.points(), [(1, Omission::TooLarge)]);
    }

    #[test]
    fn what_is_reserved_does_not_grow_with_labels_that_few_have() {
        let mut text = format!("m,t={} a=1i 0\nn ", "x".repeat(60_000));
        text.extend((0..20_000).map(|field| format!("f{field}=1i,")));
        text.push_str("z=1i 0\n");
        let points: Vec<_> = line::read(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        let declarations = Declarations::new();
        let gathered = Gathered::new::<Plain, _>(&points, &declarations);
        assert!(gathered.estimated_len(20, 20) <= 4 << 20);
    }
}
