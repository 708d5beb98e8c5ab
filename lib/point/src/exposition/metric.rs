//! The rules for the values of one metric: the samples that share their labels.

use super::label::RawLabel;
use super::mistake::FamilyMistake;
use super::scan::{Places, shown};
use super::{FamilyType, Format, Sample, number};
use crate::Timestamp;

/// What a sample is of its family, by its suffix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// The family's name itself.
    Plain,
    Total,
    Created,
    Info,
    Bucket,
    Count,
    Sum,
}

impl Part {
    /// The part that a suffix stands for; `None` where a family of this type has none of it.
    #[inline]
    pub(crate) fn of(suffix: &str, family_type: FamilyType, format: Format) -> Option<Part> {
        if !family_type.suffixes(format).contains(&suffix) {
            return None;
        }
        Some(match suffix {
            "" => Part::Plain,
            "_total" => Part::Total,
            "_created" => Part::Created,
            "_info" => Part::Info,
            "_bucket" => Part::Bucket,
            "_count" | "_gcount" => Part::Count,
            _ => Part::Sum,
        })
    }
}

/// The label that tells the samples of one metric point apart.
pub(crate) fn own_label(family: &str, family_type: FamilyType) -> Option<&str> {
    match family_type {
        FamilyType::Histogram | FamilyType::GaugeHistogram => Some("le"),
        FamilyType::Summary => Some("quantile"),
        FamilyType::StateSet => Some(family),
        _ => None,
    }
}

/// A mistake, and where in the line it is.
pub(crate) type Breach = (usize, FamilyMistake);

/// A sample with all that its metric has to know of it.
pub(crate) struct Taken<'s, 'a> {
    pub(crate) sample: &'s Sample<'a>,
    pub(crate) part: Part,
    /// Its own label, see [`own_label`].
    pub(crate) own: Option<RawLabel<'a>>,
    pub(crate) places: Places,
}

/// What is known of a metric, as far as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// Where its point begins.
    pub(crate) line: usize,
    pub(crate) time: Option<Timestamp>,
    /// A line of it was bad, so what is missing may stand there.
    pub(crate) doubtful: bool,
    total: bool,
    created: bool,
    count: Option<f64>,
    sum: Option<f64>,
    /// Threshold and value of the highest bucket.
    bucket: Option<(f64, f64)>,
    negative_bucket: bool,
    quantile: Option<f64>,
}

impl Metric {
    pub(crate) fn new(line: usize, time: Option<Timestamp>) -> Metric {
        Metric {
            line,
            time,
            doubtful: false,
            total: false,
            created: false,
            count: None,
            sum: None,
            bucket: None,
            negative_bucket: false,
            quantile: None,
        }
    }

    /// Whether a sample is one that the point has already. Quantiles and states are told by their hashes.
    pub(crate) fn has(&self, taken: &Taken<'_, '_>, family_type: FamilyType) -> bool {
        match taken.part {
            Part::Total => self.total,
            Part::Created => self.created,
            Part::Count => self.count.is_some(),
            Part::Sum => self.sum.is_some(),
            Part::Info => true,
            Part::Plain => !matches!(family_type, FamilyType::StateSet | FamilyType::Summary),
            Part::Bucket => false,
        }
    }

    /// Whether a sample can only be one of the next point: a bucket after the last.
    pub(crate) fn is_beyond(&self, taken: &Taken<'_, '_>) -> bool {
        taken.part == Part::Bucket && self.bucket.is_some_and(|(last, _)| last == f64::INFINITY)
    }

    /// Takes a sample into the point, and says what is wrong with it.
    pub(crate) fn take(
        &mut self,
        taken: &Taken<'_, '_>,
        family_type: FamilyType,
        format: Format,
    ) -> Result<(), Breach> {
        let value = taken.sample.value;
        let place = taken.places.value;
        let open_metrics = format == Format::OpenMetrics;
        match (family_type, taken.part) {
            (FamilyType::Counter, Part::Total | Part::Plain) => {
                self.total = true;
                counted(value, place, format)
            }
            (_, Part::Created) => {
                self.created = true;
                match value.is_finite() {
                    true => Ok(()),
                    false => Err((place, FamilyMistake::InvalidCreated)),
                }
            }
            (FamilyType::Info, _) if value != 1.0 => Err((place, FamilyMistake::InfoNotOne)),
            (FamilyType::StateSet, _) if value != 0.0 && value != 1.0 => {
                Err((place, FamilyMistake::StateNotBoolean))
            }
            (_, Part::Bucket) => self.take_bucket(taken, format),
            (_, Part::Count) => {
                self.count = Some(value);
                number_of_events(value, place, format)
            }
            (_, Part::Sum) => {
                self.sum = Some(value);
                match family_type {
                    FamilyType::GaugeHistogram if value.is_nan() => Err((place, FamilyMistake::NotANumber)),
                    FamilyType::GaugeHistogram => Ok(()),
                    _ => counted(value, place, format),
                }
            }
            (FamilyType::Summary, Part::Plain) => self.take_quantile(taken, open_metrics),
            _ => Ok(()),
        }
    }

    fn take_bucket(&mut self, taken: &Taken<'_, '_>, format: Format) -> Result<(), Breach> {
        let value = taken.sample.value;
        // One that cannot be told may be the last.
        let threshold = threshold(taken).inspect_err(|_| self.doubtful = true)?;
        let below = self.bucket.replace((threshold, value));
        self.negative_bucket |= threshold < 0.0;
        number_of_events(value, taken.places.value, format)?;
        if let Some((lower, held)) = below {
            let place = taken.own.map_or(taken.places.name, |label| label.place);
            if threshold == lower {
                return Err((place, FamilyMistake::RepeatedSample));
            }
            if threshold < lower {
                self.bucket = below;
                return Err((place, FamilyMistake::NotSorted("le")));
            }
            if value < held {
                return Err((taken.places.value, FamilyMistake::NotCumulative));
            }
        }
        match &taken.sample.exemplar {
            Some(exemplar) if exemplar.value > threshold => {
                Err((taken.places.exemplar, FamilyMistake::ExemplarOutsideBucket))
            }
            _ => Ok(()),
        }
    }

    fn take_quantile(&mut self, taken: &Taken<'_, '_>, open_metrics: bool) -> Result<(), Breach> {
        let threshold = threshold(taken)?;
        let before = self.quantile.replace(threshold);
        // The order is free in OpenMetrics.
        if !open_metrics && before.is_some_and(|before| threshold < before) {
            let place = taken.own.map_or(taken.places.name, |label| label.place);
            return Err((place, FamilyMistake::NotSorted("quantile")));
        }
        if open_metrics && taken.sample.value < 0.0 {
            return Err((taken.places.value, FamilyMistake::Negative));
        }
        Ok(())
    }

    /// What is missing at the point's end.
    pub(crate) fn finish(&self, family_type: FamilyType, format: Format) -> Option<FamilyMistake> {
        if self.doubtful {
            return None;
        }
        let open_metrics = format == Format::OpenMetrics;
        let (count, sum) = match family_type {
            FamilyType::Counter if !self.total => return Some(FamilyMistake::MissingTotal),
            FamilyType::Histogram => ("_count", "_sum"),
            FamilyType::GaugeHistogram => ("_gcount", "_gsum"),
            _ => return None,
        };
        let all = match self.bucket {
            Some((threshold, all)) if threshold == f64::INFINITY => all,
            _ => return Some(FamilyMistake::MissingInfinity),
        };
        let differs = |count: f64| count != all && !(count.is_nan() && all.is_nan());
        if self.count.is_some_and(differs) {
            return Some(FamilyMistake::CountDiffers { suffix: count });
        }
        let without = |present, missing| Some(FamilyMistake::SumWithoutCount { present, missing });
        match (self.sum, self.count) {
            _ if !open_metrics => None,
            (Some(_), None) => without(sum, count),
            (None, Some(_)) => without(count, sum),
            (Some(_), Some(_)) if family_type == FamilyType::Histogram => {
                self.negative_bucket.then_some(FamilyMistake::SumOfNegative)
            }
            (Some(sum), Some(_)) if sum < 0.0 && !self.negative_bucket => Some(FamilyMistake::NegativeSum),
            _ => None,
        }
    }
}

/// A value that begins at 0 and goes up. 0.0.4 says nothing of values.
fn counted(value: f64, place: usize, format: Format) -> Result<(), Breach> {
    match format {
        Format::OpenMetrics if value.is_nan() => Err((place, FamilyMistake::NotANumber)),
        Format::OpenMetrics if value < 0.0 => Err((place, FamilyMistake::Negative)),
        _ => Ok(()),
    }
}

fn number_of_events(value: f64, place: usize, format: Format) -> Result<(), Breach> {
    counted(value, place, format)?;
    match format == Format::OpenMetrics && value.fract() != 0.0 {
        true => Err((place, FamilyMistake::NotWhole)),
        false => Ok(()),
    }
}

/// The number in the label of a bucket or quantile.
fn threshold(taken: &Taken<'_, '_>) -> Result<f64, Breach> {
    let label = if taken.part == Part::Bucket {
        "le"
    } else {
        "quantile"
    };
    let Some(own) = taken.own else {
        return Err((taken.places.name, FamilyMistake::MissingLabel(label.into())));
    };
    let text = own.plain();
    let threshold = number::value(&text).ok().filter(|threshold| match taken.part {
        // One text for the one bucket that all histograms have.
        Part::Bucket if *threshold == f64::INFINITY => text == "+Inf",
        Part::Bucket => !threshold.is_nan(),
        _ => (0.0..=1.0).contains(threshold),
    });
    threshold.ok_or_else(|| {
        let text = shown(&text);
        (own.place, FamilyMistake::InvalidThreshold { label, text })
    })
}
