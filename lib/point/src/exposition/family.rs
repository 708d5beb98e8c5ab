//! The rules of families: what a strict reader remembers of a page.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::hashes::{ByHash, Hashes, empty, empty_map};
use super::label::RawLabel;
use super::limits::{MAX_FAMILIES, MAX_FAMILY_END_MISTAKES};
use super::metric::{Breach, Metric, Part, Taken, own_label};
use super::mistake::FamilyMistake;
use super::sample_rules::{exemplar_allowed, own_label_belongs, reserved_labels};
use super::scan::{Details, Places, shown};
use super::series::label_set;
use super::{Entry, FamilyType, Format, Sample};

/// What was read of a page, as far as its rules need it.
#[derive(Clone, Debug)]
pub(crate) struct Families<'a> {
    pub(crate) format: Format,
    pub(crate) keys: RandomState,
    /// The families so far, by name.
    families: Hashes,
    /// The names that samples of the families so far may have.
    names: Hashes,
    family: Option<Family<'a>>,
    /// The labels of the sample that is read, to be hashed at once; at most as long as a line.
    pub(crate) label_text: Vec<u8>,
    /// The label sets of this family; in 0.0.4 its samples.
    pub(crate) seen: Hashes,
    /// The states and quantiles of this family's points.
    pub(crate) parts: Hashes,
    /// How many points were begun.
    pub(crate) points: u64,
    /// The metric that is being read.
    pub(crate) metric: Option<(u64, Metric)>,
    /// The metrics of this family, of 0.0.4 alone: there they may be mixed.
    pub(crate) mixed: ByHash<Metric>,
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
            label_text: Vec::new(),
            seen: Hashes::default(),
            parts: Hashes::default(),
            points: 0,
            metric: None,
            mixed: ByHash::default(),
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

    /// Takes the next entry of the page, with its details.
    pub(crate) fn take(
        &mut self,
        entry: &Entry<'a>,
        details: &Details<'a>,
        line: usize,
    ) -> Result<(), Breach> {
        let places = details.places;
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
            Entry::Sample(sample) => self.sample(sample, &details.labels, places, line),
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
        empty_map(&mut self.mixed);
    }

    pub(crate) fn end_metric(&mut self, family_type: FamilyType) {
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
        let hash = label_set(&self.keys, &mut self.label_text, labels, own);
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
                let mistake = FamilyMistake::MissingSuffix {
                    family: shown(name),
                    family_type,
                    format: self.format,
                };
                return Err((places.name, mistake));
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
