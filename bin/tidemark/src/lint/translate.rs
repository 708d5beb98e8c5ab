//! One text format of Prometheus to OpenMetrics, with families as they are.

mod text;
mod write;

use std::collections::{HashMap, HashSet};

use tidemark_point::Timestamp;
use tidemark_point::exposition::{Entry, FamilyType, Format, Sample};

pub(super) use self::write::Translated;

/// What a counter's sample adds to its family's name.
const TOTAL: &str = "_total";

/// The families of a page, in order.
pub(super) struct Translation {
    from: Format,
    families: Vec<Family>,
    /// The families by their names in the page.
    names: HashMap<String, usize>,
}

#[derive(Default)]
struct Family {
    /// In the page.
    named: String,
    /// In OpenMetrics.
    name: String,
    family_type: Option<FamilyType>,
    unit: String,
    help: String,
    metrics: Vec<Metric>,
    /// Metrics by their labels.
    labels: HashMap<String, usize>,
}

/// The samples of one set of labels.
type Metric = Vec<Line>;

struct Line {
    time: Option<Timestamp>,
    /// The place among the samples of one metric and time: buckets and quantiles by their numbers.
    rank: (u8, f64),
    /// What is added to the family's name.
    suffix: &'static str,
    /// What tells it from others of its metric, suffix and time: the bucket, the quantile, the state.
    own: Box<str>,
    /// All labels in their braces; empty where there are none.
    labels: Box<str>,
    /// The value, and the time where it has one.
    value: Box<str>,
    /// The exemplar with what stands before it, where it has one.
    exemplar: Box<str>,
}

impl Translation {
    pub(super) fn new(from: Format) -> Self {
        Self {
            from,
            families: Vec::new(),
            names: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, entry: Entry<'_>) {
        match entry {
            Entry::Type { family, family_type } => {
                let from = self.from;
                let found = self.family(&family);
                if found.family_type.is_none() {
                    found.family_type = Some(family_type);
                    if from == Format::Prometheus && family_type == FamilyType::Counter {
                        found.name = family.strip_suffix(TOTAL).unwrap_or(&family).to_owned();
                    }
                }
            }
            Entry::Unit { family, unit } => self.family(&family).unit = unit.to_owned(),
            Entry::Help { family, help } => self.family(&family).help = help.into_owned(),
            Entry::Sample(sample) => self.sample(&sample),
            Entry::Eof => {}
        }
    }

    fn family(&mut self, name: &str) -> &mut Family {
        let next = self.families.len();
        let place = *self.names.entry(name.to_owned()).or_insert(next);
        if place == next {
            self.families.push(Family {
                named: name.to_owned(),
                name: name.to_owned(),
                ..Family::default()
            });
        }
        &mut self.families[place]
    }

    fn sample(&mut self, sample: &Sample<'_>) {
        let (family, suffix) = self.split(sample.name());
        let is_counter = self.from == Format::Prometheus;
        let family = self.family(family);
        let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
        let suffix = match family_type {
            FamilyType::Counter if is_counter => TOTAL,
            _ => suffix,
        };
        let own_label = match family_type {
            FamilyType::Histogram | FamilyType::GaugeHistogram => "le",
            FamilyType::Summary => "quantile",
            FamilyType::StateSet => family.name.as_str(),
            _ => "",
        };
        let mut of_metric = text::labels(sample.labels(), own_label, false);
        of_metric.sort();
        let line = Line {
            time: sample.time,
            rank: rank(sample, suffix, own_label),
            suffix,
            own: sample
                .label(own_label)
                .map(|own| text::own_value(own_label, &own))
                .unwrap_or_default()
                .into(),
            labels: text::in_braces(&text::labels(sample.labels(), own_label, true)).into(),
            value: text::value(sample.value, sample.time).into(),
            exemplar: sample
                .exemplar
                .as_ref()
                .map(text::exemplar)
                .unwrap_or_default()
                .into(),
        };
        let next = family.metrics.len();
        let place = *family.labels.entry(of_metric.join(",")).or_insert(next);
        if place == next {
            // Most metrics have one sample.
            family.metrics.push(Metric::with_capacity(1));
        }
        family.metrics[place].push(line);
    }

    /// The family of a sample, as the page names it, and what its name adds.
    fn split<'a>(&self, name: &'a str) -> (&'a str, &'static str) {
        for (at, _) in name.match_indices('_') {
            let (family, suffix) = name.split_at(at);
            let family_type = self
                .names
                .get(family)
                .and_then(|place| self.families[*place].family_type);
            let suffixes = family_type.map_or(&[][..], |of| of.suffixes(self.from));
            if let Some(suffix) = suffixes.iter().find(|one| **one == suffix) {
                return (family, suffix);
            }
        }
        (name, "")
    }

    /// Makes counters unknown whose families would be called as others: 0.0.4 has the gauge `x` beside the counter
    /// `x_total`, whose family is `x` in OpenMetrics. How many these are.
    pub(super) fn yield_names(&mut self) -> u64 {
        let is_renamed = |family: &Family| family.family_type == Some(FamilyType::Counter);
        let mut names: HashSet<String> = self
            .families
            .iter()
            .filter(|family| !is_renamed(family))
            .map(|family| family.name.clone())
            .collect();
        let mut yielded = 0;
        for family in self.families.iter_mut().filter(|family| is_renamed(family)) {
            if names.insert(family.name.clone()) || self.from == Format::OpenMetrics {
                continue;
            }
            yielded += 1;
            family.family_type = None;
            family.name.clone_from(&family.named);
            for line in family.metrics.iter_mut().flatten() {
                line.suffix = "";
            }
        }
        yielded
    }
}

fn rank(sample: &Sample<'_>, suffix: &str, own_label: &str) -> (u8, f64) {
    let number = sample
        .label(own_label)
        .and_then(|value| value.parse().ok())
        .unwrap_or(0.0);
    match suffix {
        "_bucket" | "" => (0, number),
        "_count" | "_gcount" => (1, 0.0),
        "_sum" | "_gsum" => (2, 0.0),
        _ => (3, 0.0),
    }
}
