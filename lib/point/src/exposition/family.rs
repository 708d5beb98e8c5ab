//! The rules of families: what a strict reader remembers of a page.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use super::entry::unescaped;
use super::limits::{MAX_EXEMPLAR_CHARACTERS, MAX_FAMILIES, MAX_FAMILY_END_MISTAKES, MAX_METRICS};
use super::metric::{Breach, Metric, Part, Taken, own_label};
use super::mistake::FamilyMistake;
use super::scan::{Places, RawLabel, shown};
use super::{Entry, Exemplar, FamilyType, Format, Sample};

/// A set of what was hashed with keys that nobody outside knows: eight bytes, however long the names.
type Hashes = HashSet<u64, BuildHasherDefault<Hashed>>;

/// What was read of a page, as far as its rules need it.
#[derive(Clone, Debug)]
pub(crate) struct Families<'a> {
    format: Format,
    keys: RandomState,
    /// The families so far, by name.
    families: Hashes,
    /// The names that samples of the families so far may have.
    names: Hashes,
    family: Option<Family<'a>>,
    /// The label sets of this family; in 0.0.4 its samples.
    seen: Hashes,
    /// The states and quantiles of this family's points.
    parts: Hashes,
    /// How many points were begun.
    points: u64,
    /// The metric that is being read.
    metric: Option<(u64, Metric)>,
    /// The metrics of this family, of 0.0.4 alone: there they may be mixed.
    mixed: HashMap<u64, Metric, BuildHasherDefault<Hashed>>,
    /// What was found at the ends of points and families: line and mistake.
    found: Vec<(usize, FamilyMistake)>,
}

#[derive(Clone, Debug)]
struct Family<'a> {
    name: Cow<'a, str>,
    line: usize,
    family_type: Option<FamilyType>,
    unit: Option<&'a str>,
    helped: bool,
    sampled: bool,
    /// A line within it was bad, so what is missing in a metric of 0.0.4 may stand there.
    doubtful: bool,
    /// It came before, which was said: nothing more can be told of it.
    again: bool,
}

impl<'a> Families<'a> {
    pub(crate) fn new(format: Format) -> Families<'a> {
        Families {
            format,
            keys: RandomState::new(),
            families: Hashes::default(),
            names: Hashes::default(),
            family: None,
            seen: Hashes::default(),
            parts: Hashes::default(),
            points: 0,
            metric: None,
            mixed: HashMap::default(),
            found: Vec::new(),
        }
    }

    /// What was found at the ends of points and families since the last call: line and mistake.
    pub(crate) fn found(&mut self) -> &mut Vec<(usize, FamilyMistake)> {
        &mut self.found
    }

    /// Whether nothing was found since the last call of [`Families::found`].
    pub(crate) fn found_none(&self) -> bool {
        self.found.is_empty()
    }

    /// A line could not be read: it may be one of the metric's.
    pub(crate) fn bad_line(&mut self) {
        if let Some((_, metric)) = &mut self.metric {
            metric.doubtful = true;
        }
        if let Some(family) = &mut self.family {
            family.doubtful = true;
        }
    }

    /// Takes the next entry of the page, with the labels of a sample by name.
    pub(crate) fn take(
        &mut self,
        entry: &Entry<'a>,
        labels: &[RawLabel<'a>],
        places: Places,
        line: usize,
    ) -> Result<(), Breach> {
        match entry {
            Entry::Type { family, family_type } => {
                self.metadata("TYPE", family.clone(), places, line)?;
                self.set_type(*family_type, places)
            }
            Entry::Unit { family, unit } => {
                self.metadata("UNIT", family.clone(), places, line)?;
                self.set_unit(unit, places)
            }
            Entry::Help { family, .. } => {
                self.metadata("HELP", family.clone(), places, line)?;
                if let Some(family) = &mut self.family {
                    family.helped = true;
                }
                Ok(())
            }
            Entry::Sample(sample) => self.sample(sample, labels, places, line),
            Entry::Eof => {
                self.end();
                Ok(())
            }
        }
    }

    fn hash(&self, text: &str) -> u64 {
        self.keys.hash_one(text)
    }

    fn metadata(
        &mut self,
        keyword: &'static str,
        name: Cow<'a, str>,
        places: Places,
        line: usize,
    ) -> Result<(), Breach> {
        if self.family.as_ref().is_none_or(|family| family.name != name) {
            return self.begin(name, places, line);
        }
        let Some(family) = &self.family else {
            return Ok(());
        };
        let repeated = match keyword {
            "TYPE" => family.family_type.is_some(),
            "UNIT" => family.unit.is_some(),
            _ => family.helped,
        };
        let family = shown(&name);
        let mistake = match self.family.as_ref().is_some_and(|family| family.sampled) {
            _ if repeated => FamilyMistake::RepeatedMetadata { keyword, family },
            true => FamilyMistake::MetadataAfterSamples { keyword, family },
            false => return Ok(()),
        };
        Err((places.name, mistake))
    }

    /// Begins a family, after the end of the one before it.
    fn begin(&mut self, name: Cow<'a, str>, places: Places, line: usize) -> Result<(), Breach> {
        self.end();
        let again = !self.families.insert(self.hash(&name));
        let reserved = self.format == Format::OpenMetrics && name.starts_with('_');
        let shown = shown(&name);
        self.family = Some(Family {
            name,
            line,
            family_type: None,
            unit: None,
            helped: false,
            sampled: false,
            doubtful: false,
            again,
        });
        let mistake = match () {
            () if again => FamilyMistake::FamilyAgain(shown),
            () if reserved => FamilyMistake::ReservedName(shown),
            () if self.families.len() > MAX_FAMILIES => FamilyMistake::TooManyFamilies,
            () => return Ok(()),
        };
        Err((places.name, mistake))
    }

    fn set_type(&mut self, family_type: FamilyType, places: Places) -> Result<(), Breach> {
        let Some(family) = &mut self.family else {
            return Ok(());
        };
        family.family_type = Some(family_type);
        let unit = family.unit.unwrap_or_default();
        let again = family.again;
        let name = family.name.clone();
        if !again {
            self.reserve(&name, family_type)
                .map_err(|mistake| (places.name, mistake))?;
        }
        unit_of(unit, Some(family_type)).map_err(|mistake| (places.value, mistake))
    }

    fn set_unit(&mut self, unit: &'a str, places: Places) -> Result<(), Breach> {
        let Some(family) = &mut self.family else {
            return Ok(());
        };
        family.unit = Some(unit);
        let is_suffix = family
            .name
            .strip_suffix(unit)
            .is_some_and(|base| base.ends_with('_'));
        if !unit.is_empty() && !is_suffix {
            return Err((places.value, FamilyMistake::UnitNotSuffix(shown(unit))));
        }
        unit_of(unit, family.family_type).map_err(|mistake| (places.value, mistake))
    }

    /// Takes the names that the family's samples may have, which no other family's may.
    fn reserve(&mut self, name: &str, family_type: FamilyType) -> Result<(), FamilyMistake> {
        let mut clash = None;
        for suffix in family_type.suffixes(self.format) {
            let name = format!("{name}{suffix}");
            if !self.names.insert(self.hash(&name)) {
                clash.get_or_insert(name);
            }
        }
        match clash {
            Some(name) => Err(FamilyMistake::NameClash(shown(&name))),
            None => Ok(()),
        }
    }

    /// Ends the family, and finds what is missing in it.
    pub(crate) fn end(&mut self) {
        let Some(family) = self.family.take() else {
            return;
        };
        let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
        if family.family_type.is_none()
            && !family.sampled
            && !family.again
            && let Err(mistake) = self.reserve(&family.name, family_type)
        {
            self.found.push((family.line, mistake));
        }
        self.end_metric(family_type);
        if !family.doubtful {
            let begun = self.found.len();
            let missing = self.mixed.values().filter_map(|metric| {
                let mistake = metric.finish(family_type, self.format)?;
                Some((metric.line, mistake))
            });
            self.found.extend(missing.take(MAX_FAMILY_END_MISTAKES));
            if let Some(found) = self.found.get_mut(begun..) {
                found.sort_by_key(|found| found.0);
            }
        }
        empty(&mut self.seen);
        empty(&mut self.parts);
        if self.mixed.capacity() > SMALL + 4 * self.mixed.len() {
            self.mixed = HashMap::default();
        }
        self.mixed.clear();
    }

    fn end_metric(&mut self, family_type: FamilyType) {
        if let Some((_, metric)) = self.metric.take()
            && let Some(mistake) = metric.finish(family_type, self.format)
        {
            self.found.push((metric.line, mistake));
        }
    }

    fn sample(
        &mut self,
        sample: &Sample<'a>,
        labels: &[RawLabel<'a>],
        places: Places,
        line: usize,
    ) -> Result<(), Breach> {
        let part = self.part(sample, places, line)?;
        let Some(family) = &mut self.family else {
            return Ok(());
        };
        if !family.sampled {
            family.sampled = true;
            if family.family_type.is_none() && !family.again {
                let name = family.name.clone();
                self.reserve(&name, FamilyType::Unknown)
                    .map_err(|mistake| (places.name, mistake))?;
            }
        }
        let Some(family) = &self.family else {
            return Ok(());
        };
        if family.again {
            return Ok(());
        }
        let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
        let own = own_label(&family.name, family_type)
            .and_then(|own| labels.iter().find(|label| label.name == own).copied());
        let taken = Taken {
            sample,
            part,
            own,
            places,
        };
        let hash = self.label_set(labels, own);
        let belongs = reserved_labels(labels, self.format)
            .and(own_label_belongs(&taken, family_type, &family.name))
            .and(exemplar_allowed(&taken, family_type));
        // What is wrong with it does not make it missing.
        let fits = match self.format {
            Format::OpenMetrics => self.open_metrics_sample(hash, &taken, family_type, line),
            Format::Prometheus => self.prometheus_sample(hash, &taken, family_type, line),
        };
        match fits {
            Err((_, ref mistake)) if mistake.is_final() => fits,
            fits => belongs.and(fits),
        }
    }

    /// Which part of its family a sample is; where it is of none, it begins one.
    fn part(&mut self, sample: &Sample<'a>, places: Places, line: usize) -> Result<Part, Breach> {
        let name = &sample.name;
        if let Some(family) = &self.family {
            let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
            let suffix = name.strip_prefix(&*family.name);
            if let Some(part) = suffix.and_then(|suffix| Part::of(suffix, family_type, self.format)) {
                return Ok(part);
            }
            if suffix == Some("") {
                let family = shown(name);
                return Err((places.name, FamilyMistake::MissingSuffix { family, family_type }));
            }
        }
        let taken = self.names.contains(&self.hash(name));
        self.begin(name.clone(), places, line)?;
        match &mut self.family {
            Some(family) if taken => {
                family.again = true;
                Err((places.name, FamilyMistake::FamilyAgain(shown(name))))
            }
            _ => Ok(Part::Plain),
        }
    }

    /// The hash of the labels that a metric's samples share.
    fn label_set(&self, labels: &[RawLabel<'a>], own: Option<RawLabel<'a>>) -> u64 {
        let mut hasher = self.keys.build_hasher();
        for label in labels {
            // An empty label is none.
            if label.value.is_empty() || own.is_some_and(|own| own.place == label.place) {
                continue;
            }
            hasher.write(label.name.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(unescaped(label.value).as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }

    /// The hash of what tells a sample from the others of its metric.
    fn sample_hash(&self, metric: u64, taken: &Taken<'_, 'a>, point: u64) -> u64 {
        let mut hasher = self.keys.build_hasher();
        hasher.write_u64(metric);
        hasher.write_u64(point);
        hasher.write_u8(taken.part as u8);
        if let Some(own) = taken.own {
            hasher.write(unescaped(own.value).as_bytes());
        }
        hasher.finish()
    }

    /// Metrics and their points stand together.
    fn open_metrics_sample(
        &mut self,
        hash: u64,
        taken: &Taken<'_, 'a>,
        family_type: FamilyType,
        line: usize,
    ) -> Result<(), Breach> {
        let time = taken.sample.time;
        let name = taken.places.name;
        let mut outcome = Ok(());
        let current = self.metric.take_if(|(current, _)| *current == hash);
        let mut metric = match current {
            None => {
                self.end_metric(family_type);
                self.points += 1;
                let mut metric = Metric::new(line, time);
                if !self.seen.insert(hash) {
                    metric.doubtful = true;
                    outcome = Err((name, FamilyMistake::MetricAgain));
                }
                metric
            }
            Some((_, mut metric)) => {
                let repeated = metric.has(taken, family_type) || {
                    let parts = matches!(family_type, FamilyType::StateSet | FamilyType::Summary);
                    parts && self.parts.contains(&self.sample_hash(hash, taken, self.points))
                };
                let mut next = false;
                match (metric.time, time) {
                    (None, None) if repeated => {
                        self.metric = Some((hash, metric));
                        return Err((name, FamilyMistake::RepeatedSample));
                    }
                    (None, None) => {}
                    (Some(before), Some(time)) if time < before => {
                        outcome = Err((taken.places.time, FamilyMistake::TimeBackwards));
                        next = true;
                    }
                    // Times may differ by less than a nanosecond.
                    (Some(before), Some(time)) => next = time > before || repeated || metric.is_beyond(taken),
                    (Some(_), None) => outcome = Err((taken.places.value, FamilyMistake::MixedTimes)),
                    (None, Some(_)) => outcome = Err((taken.places.time, FamilyMistake::MixedTimes)),
                }
                if next {
                    self.metric = Some((hash, metric));
                    self.end_metric(family_type);
                    self.points += 1;
                    metric = Metric::new(line, time);
                }
                metric
            }
        };
        if matches!(family_type, FamilyType::StateSet | FamilyType::Summary) {
            let part = self.sample_hash(hash, taken, self.points);
            self.parts.insert(part);
        }
        let taken = metric.take(taken, family_type, self.format);
        self.metric = Some((hash, metric));
        self.bounded(name)?;
        outcome.and(taken)
    }

    /// A sample's name and labels are there once, in any order.
    fn prometheus_sample(
        &mut self,
        hash: u64,
        taken: &Taken<'_, 'a>,
        family_type: FamilyType,
        line: usize,
    ) -> Result<(), Breach> {
        let name = taken.places.name;
        let sample = match taken.own.is_none() && taken.part == Part::Plain {
            true => hash,
            false => self.sample_hash(hash, taken, 0),
        };
        if !self.seen.insert(sample) {
            return Err((name, FamilyMistake::RepeatedSample));
        }
        self.bounded(name)?;
        if !matches!(family_type, FamilyType::Histogram | FamilyType::Summary) {
            return Metric::new(line, None).take(taken, family_type, self.format);
        }
        let metric = self.mixed.entry(hash).or_insert_with(|| Metric::new(line, None));
        metric.take(taken, family_type, self.format)
    }

    fn bounded(&self, place: usize) -> Result<(), Breach> {
        match self.seen.len() + self.parts.len() > MAX_METRICS {
            true => Err((place, FamilyMistake::TooManyMetrics)),
            false => Ok(()),
        }
    }
}

/// An info and a state have no unit.
fn unit_of(unit: &str, family_type: Option<FamilyType>) -> Result<(), FamilyMistake> {
    match family_type {
        Some(family_type @ (FamilyType::Info | FamilyType::StateSet)) if !unit.is_empty() => {
            Err(FamilyMistake::UnitNotAllowed(family_type))
        }
        _ => Ok(()),
    }
}

/// Names that begin with an underscore are OpenMetrics' own, those with two are Prometheus'.
fn reserved_labels(labels: &[RawLabel<'_>], format: Format) -> Result<(), Breach> {
    let prefix = match format {
        Format::OpenMetrics => "_",
        Format::Prometheus => "__",
    };
    match labels.iter().find(|label| label.name.starts_with(prefix)) {
        Some(label) => Err((label.place, FamilyMistake::ReservedName(shown(label.name)))),
        None => Ok(()),
    }
}

/// Buckets and states have their label, and no other sample of the family does.
fn own_label_belongs(taken: &Taken<'_, '_>, family_type: FamilyType, family: &str) -> Result<(), Breach> {
    let (label, needed) = match family_type {
        FamilyType::Histogram | FamilyType::GaugeHistogram => ("le", taken.part == Part::Bucket),
        FamilyType::Summary => ("quantile", taken.part == Part::Plain),
        FamilyType::StateSet if taken.own.is_none() => {
            return Err((taken.places.name, FamilyMistake::MissingLabel(shown(family))));
        }
        _ => return Ok(()),
    };
    match taken.own {
        Some(own) if !needed => Err((own.place, FamilyMistake::LabelNotAllowed(label))),
        None if needed => Err((taken.places.name, FamilyMistake::MissingLabel(label.into()))),
        _ => Ok(()),
    }
}

/// Totals of counters and buckets may have an exemplar.
fn exemplar_allowed(taken: &Taken<'_, '_>, family_type: FamilyType) -> Result<(), Breach> {
    let Some(exemplar) = &taken.sample.exemplar else {
        return Ok(());
    };
    let place = taken.places.exemplar;
    let allowed = matches!(
        (family_type, taken.part),
        (_, Part::Bucket) | (FamilyType::Counter, Part::Total)
    );
    if !allowed {
        return Err((place, FamilyMistake::ExemplarNotAllowed));
    }
    if let Some((name, _)) = exemplar.labels().find(|(name, _)| name.starts_with('_')) {
        return Err((place, FamilyMistake::ReservedName(shown(&name))));
    }
    match characters(exemplar) {
        characters if characters > MAX_EXEMPLAR_CHARACTERS => {
            Err((place, FamilyMistake::ExemplarTooLong(characters)))
        }
        _ => Ok(()),
    }
}

/// The characters of names and values together.
fn characters(exemplar: &Exemplar<'_>) -> usize {
    let labels = exemplar.labels();
    labels
        .map(|(name, value)| name.chars().count() + value.chars().count())
        .sum()
}

/// The room that a set may keep, however little was in it.
const SMALL: usize = 1024;

/// Empties a set in time that what was in it pays for.
fn empty(hashes: &mut Hashes) {
    if hashes.capacity() > SMALL + 4 * hashes.len() {
        *hashes = Hashes::default();
    }
    hashes.clear();
}

/// Passes on what is a hash already.
#[derive(Clone, Default, Debug)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
