//! One text format of Prometheus to OpenMetrics, with families as they are.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use tidemark_point::Timestamp;
use tidemark_point::exposition::{Entry, Exemplar, FamilyType, Format, Labels, Reader, Sample, TextError};

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
    suffix: String,
    /// What follows the name.
    rest: String,
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
        let family = self.family(&family);
        let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
        let suffix = match family_type {
            FamilyType::Counter if is_counter => TOTAL,
            _ => &suffix,
        };
        let own_label = match family_type {
            FamilyType::Histogram | FamilyType::GaugeHistogram => "le",
            FamilyType::Summary => "quantile",
            FamilyType::StateSet => family.name.as_str(),
            _ => "",
        };
        let mut of_metric = labels(sample.labels(), own_label, false);
        of_metric.sort();
        let line = Line {
            time: sample.time,
            rank: rank(sample, suffix, own_label),
            rest: rest(sample, own_label),
            suffix: suffix.to_owned(),
        };
        let next = family.metrics.len();
        let place = *family.labels.entry(of_metric.join(",")).or_insert(next);
        if place == next {
            family.metrics.push(Metric::new());
        }
        family.metrics[place].push(line);
    }

    /// The family of a sample, as the page names it, and what its name adds.
    fn split(&self, name: &str) -> (String, String) {
        for (at, _) in name.match_indices('_') {
            let (family, suffix) = name.split_at(at);
            let family_type = self
                .names
                .get(family)
                .and_then(|place| self.families[*place].family_type);
            if family_type.is_some_and(|of| of.suffixes(self.from).contains(&suffix)) {
                return (family.to_owned(), suffix.to_owned());
            }
        }
        (name.to_owned(), String::new())
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
                line.suffix.clear();
            }
        }
        yielded
    }

    /// The page, in which a strict reader finds no mistake.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn page(self) -> Result<Vec<u8>, TextError> {
        let mut page = String::new();
        for family in self.families {
            family.write(&mut page);
        }
        page.push_str("# EOF\n");
        match Reader::new(page.as_bytes(), Format::OpenMetrics).find_map(Result::err) {
            Some(error) => Err(error),
            None => Ok(page.into_bytes()),
        }
    }
}

impl Family {
    fn write(mut self, page: &mut String) {
        let name = &self.name;
        let family_type = self.family_type.unwrap_or(FamilyType::Unknown);
        let _ = writeln!(page, "# TYPE {name} {family_type}");
        if !self.unit.is_empty() {
            let _ = writeln!(page, "# UNIT {name} {}", self.unit);
        }
        if !self.help.is_empty() {
            let _ = writeln!(page, "# HELP {name} {}", escaped(&self.help));
        }
        for metric in &mut self.metrics {
            metric.sort_by(|left, right| {
                let rank = |line: &Line| line.rank;
                left.time
                    .cmp(&right.time)
                    .then(rank(left).0.cmp(&rank(right).0))
                    .then(rank(left).1.total_cmp(&rank(right).1))
            });
            for line in metric {
                page.push_str(name);
                page.push_str(&line.suffix);
                page.push_str(&line.rest);
            }
        }
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

/// A sample without its name.
fn rest(sample: &Sample<'_>, own_label: &str) -> String {
    let mut text = String::new();
    let labels = labels(sample.labels(), own_label, true);
    if !labels.is_empty() {
        let _ = write!(text, "{{{}}}", labels.join(","));
    }
    let _ = write!(text, " {}", number(sample.value));
    if let Some(time) = sample.time {
        let _ = write!(text, " {}", seconds(time));
    }
    if let Some(exemplar) = &sample.exemplar {
        append(&mut text, exemplar);
    }
    text.push('\n');
    text
}

fn append(text: &mut String, exemplar: &Exemplar<'_>) {
    let labels = labels(exemplar.labels(), "", true);
    let _ = write!(text, " # {{{}}} {}", labels.join(","), number(exemplar.value));
    if let Some(time) = exemplar.time {
        let _ = write!(text, " {}", seconds(time));
    }
}

/// The labels that say something, as they are written; the bounds of buckets and quantiles as numbers are written.
fn labels(labels: Labels<'_>, own_label: &str, with_own: bool) -> Vec<String> {
    labels
        .filter(|(name, value)| !value.is_empty() && (with_own || name != own_label))
        .map(|(name, value)| {
            let canonical = match value.parse::<f64>() {
                Ok(bound) if name == own_label && matches!(own_label, "le" | "quantile") => number(bound),
                _ => escaped(&value),
            };
            format!("{name}=\"{canonical}\"")
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// The shortest text that reads back the same.
fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => format!("{value:?}"),
    }
}

/// Seconds with as many digits as are needed.
fn seconds(time: Timestamp) -> String {
    const NANOS: u64 = 1_000_000_000;
    let sign = if time.nanos() < 0 { "-" } else { "" };
    let nanos = time.nanos().unsigned_abs();
    let fraction = format!(".{:09}", nanos % NANOS);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{}{fraction}", nanos / NANOS)
}
