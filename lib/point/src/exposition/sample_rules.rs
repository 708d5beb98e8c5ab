//! The rules for one sample, whatever stands around it.

use super::label::RawLabel;
use super::limits::MAX_EXEMPLAR_CHARACTERS;
use super::metric::{Breach, Part, Taken};
use super::mistake::FamilyMistake;
use super::scan::shown;
use super::{Exemplar, FamilyType, Format};

/// Names that begin with an underscore are OpenMetrics' own, those with two are Prometheus'.
pub(crate) fn reserved_labels(labels: &[RawLabel<'_>], format: Format) -> Result<(), Breach> {
    let reserved = |label: &&RawLabel<'_>| match format {
        Format::OpenMetrics => label.name.starts_with('_'),
        Format::Prometheus => label.name.starts_with("__"),
    };
    match labels.iter().find(reserved) {
        Some(label) => Err((label.place, FamilyMistake::ReservedName(shown(label.name)))),
        None => Ok(()),
    }
}

/// Buckets and states have their label, and no other sample of the family does.
pub(crate) fn own_label_belongs(
    taken: &Taken<'_, '_>,
    family_type: FamilyType,
    family: &str,
) -> Result<(), Breach> {
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
pub(crate) fn exemplar_allowed(taken: &Taken<'_, '_>, family_type: FamilyType) -> Result<(), Breach> {
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
