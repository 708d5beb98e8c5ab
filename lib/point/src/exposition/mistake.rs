//! What can be wrong with families and their values, where each line alone is well-formed.

use std::fmt;

use super::limits::{MAX_EXEMPLAR_CHARACTERS, MAX_FAMILIES, MAX_METRICS, MAX_MIXED_METRICS};
use super::{FamilyType, Format};

/// A breach of the rules of families. Names are shown up to their first 64 characters.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum FamilyMistake {
    /// A name that is kept for the format itself.
    ReservedName(String),
    /// TYPE, UNIT or HELP for the second time.
    RepeatedMetadata {
        /// Which of them.
        keyword: &'static str,
        /// The family.
        family: String,
    },
    /// TYPE, UNIT or HELP after the first sample.
    MetadataAfterSamples {
        /// Which of them.
        keyword: &'static str,
        /// The family.
        family: String,
    },
    /// Lines of a family that had ended.
    FamilyAgain(String),
    /// A sample of this name may belong to two families.
    NameClash(String),
    /// A sample has its family's name, but lacks the suffix that its type asks for.
    MissingSuffix {
        /// The family.
        family: String,
        /// Its type.
        family_type: FamilyType,
        /// Which suffixes there are.
        format: Format,
    },
    /// The unit is not the end of the family's name.
    UnitNotSuffix(String),
    /// A family of this type has a unit.
    UnitNotAllowed(FamilyType),
    /// Samples of a label set that had ended.
    MetricAgain,
    /// The same name, labels and time again.
    RepeatedSample,
    /// A metric has samples with and without a time.
    MixedTimes,
    /// A metric's time is before the one above it.
    TimeBackwards,
    /// The label that the type asks for is missing.
    MissingLabel(String),
    /// A label that the type keeps for other samples.
    LabelNotAllowed(&'static str),
    /// A bucket's or quantile's label is no such number.
    InvalidThreshold {
        /// `le` or `quantile`.
        label: &'static str,
        /// What stands there.
        text: String,
    },
    /// Buckets, or quantiles of 0.0.4, are not in increasing order.
    NotSorted(&'static str),
    /// A bucket holds less than the one below it.
    NotCumulative,
    /// There is no bucket `+Inf`.
    MissingInfinity,
    /// The count is not what the bucket `+Inf` holds.
    CountDiffers {
        /// The suffix of the count.
        suffix: &'static str,
    },
    /// One of sum and count is there, and the other is not.
    SumWithoutCount {
        /// What is there.
        present: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// A sum where a bucket is negative.
    SumOfNegative,
    /// A negative sum where no bucket is.
    NegativeSum,
    /// A counter has no total.
    MissingTotal,
    /// A value that is counted is NaN.
    NotANumber,
    /// A value that is counted is negative.
    Negative,
    /// A number of events is not whole.
    NotWhole,
    /// The creation is no time.
    InvalidCreated,
    /// An info is not 1.
    InfoNotOne,
    /// A state is neither 0 nor 1.
    StateNotBoolean,
    /// A sample that may have no exemplar has one.
    ExemplarNotAllowed,
    /// The exemplar has more than [`MAX_EXEMPLAR_CHARACTERS`] characters; how many.
    ExemplarTooLong(usize),
    /// The exemplar is beyond its bucket.
    ExemplarOutsideBucket,
    /// More than [`MAX_FAMILIES`] families; nothing more is read.
    TooManyFamilies,
    /// More than [`MAX_METRICS`] samples of one family, or [`MAX_MIXED_METRICS`] label sets that may be mixed; nothing
    /// more is read.
    TooManyMetrics,
}

impl FamilyMistake {
    /// Whether nothing more can be read.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            FamilyMistake::TooManyFamilies | FamilyMistake::TooManyMetrics
        )
    }
}

impl fmt::Display for FamilyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FamilyMistake::ReservedName(name) => {
                write!(f, "the name {name} is reserved: begin it with a letter")
            }
            FamilyMistake::RepeatedMetadata { keyword, family } => {
                write!(f, "a second {keyword} of {family}: write one")
            }
            FamilyMistake::MetadataAfterSamples { keyword, family } => {
                write!(f, "{keyword} of {family} after its samples: write it before the first")
            }
            FamilyMistake::FamilyAgain(family) => {
                write!(f, "{family} again: write all lines of a family together")
            }
            FamilyMistake::NameClash(name) => {
                write!(f, "samples called {name} may belong to another family: give this family another name")
            }
            FamilyMistake::MissingSuffix {
                family,
                family_type,
                format,
            } => missing_suffix(f, family, *family_type, *format),
            FamilyMistake::UnitNotSuffix(unit) => {
                write!(f, "the family's name does not end in its unit: write the name with _{unit} at its end")
            }
            FamilyMistake::UnitNotAllowed(family_type) => {
                write!(f, "a family of type {family_type} has no unit: leave it out")
            }
            FamilyMistake::MetricAgain => {
                f.write_str("these labels again: write all samples of a label set together")
            }
            FamilyMistake::RepeatedSample => {
                f.write_str("the same name and labels again: write each sample once")
            }
            FamilyMistake::MixedTimes => {
                f.write_str("samples with and without a time: write it with all of these labels, or with none")
            }
            FamilyMistake::TimeBackwards => {
                f.write_str("the time is before that of the sample above: write the oldest first")
            }
            FamilyMistake::MissingLabel(label) => {
                write!(f, "the label {label} is missing: write {label}=\"…\" in the braces")
            }
            FamilyMistake::LabelNotAllowed(label) => {
                write!(f, "the label {label} does not belong here: give it another name")
            }
            FamilyMistake::InvalidThreshold { label: "le", text } => {
                write!(f, "le={text:?} is no bucket: write a number or +Inf")
            }
            FamilyMistake::InvalidThreshold { text, .. } => {
                write!(f, "quantile={text:?} is no quantile: write a number from 0 to 1")
            }
            FamilyMistake::NotSorted(label) => {
                write!(f, "{label} is not above that of the sample before it: sort them by number")
            }
            FamilyMistake::NotCumulative => {
                f.write_str("the bucket holds less than the one below it: each bucket counts those below, too")
            }
            FamilyMistake::MissingInfinity => {
                f.write_str("the last bucket is missing: write one with le=\"+Inf\", which counts all")
            }
            FamilyMistake::CountDiffers { suffix } => {
                write!(f, "{suffix} is not what the bucket +Inf holds: write the same number")
            }
            FamilyMistake::SumWithoutCount { present, missing } => {
                write!(f, "{present} without {missing}: write both or none")
            }
            FamilyMistake::SumOfNegative => {
                f.write_str("a sum where a bucket is negative, so that it may go down: leave sum and count out")
            }
            FamilyMistake::NegativeSum => {
                f.write_str("the sum is negative, but no bucket is: write the buckets below 0, too")
            }
            FamilyMistake::MissingTotal => {
                f.write_str("a counter without its value: write a sample that ends in _total")
            }
            FamilyMistake::NotANumber => f.write_str("NaN for what is counted: write a number"),
            FamilyMistake::Negative => {
                f.write_str("a negative number for what cannot be: write one from 0, or make it a gauge")
            }
            FamilyMistake::NotWhole => f.write_str("a fraction of what is counted: write a whole number"),
            FamilyMistake::InvalidCreated => {
                f.write_str("the creation is no time: write seconds since 1970")
            }
            FamilyMistake::InfoNotOne => f.write_str("the value of an info is 1: write 1"),
            FamilyMistake::StateNotBoolean => f.write_str("a state is 0 or 1: write one of them"),
            FamilyMistake::ExemplarNotAllowed => f.write_str(
                "an exemplar does not belong here: write it with counters' _total and histograms' _bucket alone",
            ),
            FamilyMistake::ExemplarTooLong(characters) => write!(
                f,
                "names and values of the exemplar's labels have {characters} characters: \
                 at most {MAX_EXEMPLAR_CHARACTERS} are allowed"
            ),
            FamilyMistake::ExemplarOutsideBucket => {
                f.write_str("the exemplar's value is above its bucket's le: write it with a higher bucket")
            }
            FamilyMistake::TooManyFamilies => {
                write!(f, "more than {MAX_FAMILIES} families: nothing more is read")
            }
            FamilyMistake::TooManyMetrics => {
                write!(
                    f,
                    "more than {MAX_METRICS} samples or {MAX_MIXED_METRICS} histograms in one family: \
                     nothing more is read"
                )
            }
        }
    }
}

fn missing_suffix(
    f: &mut fmt::Formatter<'_>,
    family: &str,
    family_type: FamilyType,
    format: Format,
) -> fmt::Result {
    write!(f, "the samples of the {family_type} {family} are called")?;
    let suffixes = family_type.suffixes(format).iter();
    for (place, suffix) in suffixes.clone().enumerate() {
        write!(f, "{} {family}{suffix}", if place == 0 { "" } else { "," })?;
    }
    // The commonest of these mistakes.
    let base = suffixes
        .filter(|suffix| !suffix.is_empty())
        .find_map(|suffix| family.strip_suffix(suffix));
    match base {
        Some(base) => write!(f, ": name the family {base} in its TYPE"),
        None => Ok(()),
    }
}
