//! What a text or request for Prometheus does not hold, and why.

use std::fmt;

/// Why a value is not in a text or request for Prometheus.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Omission {
    /// It is a string; Prometheus has numbers alone.
    String,
    /// A newer value of its series takes its place: the text holds one of each, or both are of the same instant.
    Older,
    /// A counter below zero.
    NegativeCounter,
    /// Another field or point has the same name and labels already.
    Duplicate,
    /// The name belongs to a family of another type, or could be a sample of one.
    NameClash,
    /// Two tags of the point fall on one label.
    LabelClash,
    /// The line has no time.
    NoTime,
    /// The text or request would be too long (128 MiB): a point's tags are repeated for each of its fields.
    TooLarge,
}

impl Omission {
    /// All of them.
    pub const ALL: [Omission; 8] = [
        Omission::String,
        Omission::Older,
        Omission::NegativeCounter,
        Omission::Duplicate,
        Omission::NameClash,
        Omission::LabelClash,
        Omission::NoTime,
        Omission::TooLarge,
    ];

    /// Whether the value was refused: it should have been there. Strings and superseded values are left out by rule.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Omission::String | Omission::Older)
    }

    /// Why, in a few words and what to do about it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Omission::String => "Prometheus has no strings",
            Omission::Older => "a newer value took its place",
            Omission::NegativeCounter => "a counter cannot be below zero; declare it as a gauge",
            Omission::Duplicate => {
                "another field has the same name and labels in Prometheus; rename one, or add a tag"
            }
            Omission::NameClash => {
                "the name belongs to a metric of another type in Prometheus; rename one of the fields"
            }
            Omission::LabelClash => "two tags become one label in Prometheus; rename one",
            Omission::NoTime => "the line has no time; add one",
            Omission::TooLarge => "with its tags for each field the batch is over 128 MiB; shorten the tags",
        }
    }
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.reason())
    }
}

/// What a text or request for Prometheus does not hold of its points, counted in values (samples).
///
/// Its text is a notice of one line.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct LeftOut {
    counts: [u64; Omission::ALL.len()],
    /// What the first refused value of each reason was.
    examples: [Option<Box<str>>; Omission::ALL.len()],
    points: Vec<(usize, Omission)>,
}

impl LeftOut {
    /// Whether everything is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// How many values were left out for this reason.
    #[must_use]
    pub fn count(&self, reason: Omission) -> u64 {
        self.counts[reason as usize]
    }

    /// How many values were refused, see [`Omission::is_refusal`].
    #[must_use]
    pub fn refused(&self) -> u64 {
        let refusals = Omission::ALL.into_iter().filter(|reason| reason.is_refusal());
        refusals.map(|reason| self.count(reason)).sum()
    }

    /// The points, by their place in what was given, of which nothing is there at all, and why: a refusal, if any of
    /// their values was refused.
    #[must_use]
    pub fn points(&self) -> &[(usize, Omission)] {
        &self.points
    }

    /// The first value that was refused for this reason, as its series is named.
    #[must_use]
    pub fn example(&self, reason: Omission) -> Option<&str> {
        self.examples[reason as usize].as_deref()
    }

    pub(super) fn add(&mut self, reason: Omission, count: u64) {
        self.counts[reason as usize] += count;
    }

    pub(super) fn refuse(&mut self, reason: Omission, count: u64, example: impl FnOnce() -> String) {
        self.add(reason, count);
        let slot = &mut self.examples[reason as usize];
        if slot.is_none() {
            *slot = Some(example().into());
        }
    }

    pub(super) fn set_points(&mut self, points: Vec<(usize, Omission)>) {
        self.points = points;
    }
}

impl fmt::Display for LeftOut {
    /// One line for a notice; empty where nothing was left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for reason in Omission::ALL {
            let count = self.count(reason);
            if count == 0 {
                continue;
            }
            let (one, many) = match reason {
                Omission::String => ("string left out", "strings left out"),
                Omission::Older => ("older value left out", "older values left out"),
                _ => ("value refused", "values refused"),
            };
            write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
            if reason.is_refusal() {
                let example = self.example(reason).unwrap_or_default();
                let first = if count == 1 { "" } else { "the first is " };
                write!(f, " ({first}{example}: {reason})")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}
