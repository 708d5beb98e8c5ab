//! The page of OpenMetrics: each family as it is, else without its type, else left out.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use tidemark_point::exposition::{FamilyType, Format, Reader, TextError};

use super::{Family, Line, Metric, TOTAL, Translation, text};

const END: &str = "# EOF\n";

/// A page in OpenMetrics, and what of the other one is not as it was.
#[derive(Debug, Default)]
pub(in crate::lint) struct Translated {
    /// The page; a strict reader finds no mistake in it.
    pub(in crate::lint) page: Vec<u8>,
    /// Families of unknown type, since they break a rule of theirs: their names, and which.
    pub(in crate::lint) untyped: Vec<(String, String)>,
    /// Families that are left out, since they break a rule of all: their names, and which.
    pub(in crate::lint) left_out: Vec<(String, String)>,
    /// Samples that came before, with the same name, labels and time: the first counts, as for Prometheus.
    pub(in crate::lint) repeated: u64,
}

/// The names that are taken.
#[derive(Default)]
struct Names {
    families: HashSet<String>,
    samples: HashSet<String>,
}

impl Translation {
    /// The page.
    ///
    /// # Errors
    /// A mistake that it has all the same.
    pub(in crate::lint) fn page(mut self) -> Result<Translated, TextError> {
        // One without samples takes no other's name.
        self.families.sort_by_key(|family| family.metrics.is_empty());
        let mut translated = Translated::default();
        let mut names = Names::default();
        let mut page = String::new();
        for mut family in self.families {
            family.sort();
            let mut text = names.take(&family);
            if text.is_err() {
                // A strict reader takes some of those that came before, not all.
                let repeated = family.forget_repeated();
                if repeated > 0 {
                    translated.repeated += repeated;
                    text = names.take(&family);
                }
            }
            let why = match text {
                Ok(text) => {
                    page.push_str(&text);
                    continue;
                }
                Err(_) if family.metrics.is_empty() => continue,
                Err(why) => why,
            };
            let named = family.named.clone();
            let mut is_left_out = None;
            for plain in family.without_type(self.from) {
                match names.take(&plain) {
                    Ok(text) => page.push_str(&text),
                    Err(why) => is_left_out = Some((plain.name, why)),
                }
            }
            match is_left_out {
                Some(one) => translated.left_out.push(one),
                None => translated.untyped.push((named, why)),
            }
        }
        page.push_str(END);
        match Reader::new(page.as_bytes(), Format::OpenMetrics).find_map(Result::err) {
            Some(error) => Err(error),
            None => {
                translated.page = page.into_bytes();
                Ok(translated)
            }
        }
    }
}

impl Names {
    /// The text of a family, and its names are taken; or what is wrong with it.
    fn take(&mut self, family: &Family) -> Result<String, String> {
        let family_type = family.family_type.unwrap_or(FamilyType::Unknown);
        let mut text = family.text();
        let length = text.len();
        text.push_str(END);
        if let Some(error) = Reader::new(text.as_bytes(), Format::OpenMetrics).find_map(Result::err) {
            return Err(error.kind.to_string());
        }
        let of_samples = family_type
            .suffixes(Format::OpenMetrics)
            .iter()
            .map(|suffix| format!("{}{suffix}", family.name));
        let of_samples: Vec<String> = of_samples.collect();
        if self.families.contains(&family.name) {
            return Err("another family has the name".to_owned());
        }
        if let Some(taken) = of_samples.iter().find(|name| self.samples.contains(*name)) {
            return Err(format!("samples called {taken} are another family's"));
        }
        self.families.insert(family.name.clone());
        self.samples.extend(of_samples);
        text.truncate(length);
        Ok(text)
    }
}

impl Family {
    /// Sorts the samples of each metric.
    fn sort(&mut self) {
        for metric in &mut self.metrics {
            metric.sort_by(|left, right| {
                let rank = |line: &Line| line.rank;
                left.time
                    .cmp(&right.time)
                    .then(rank(left).0.cmp(&rank(right).0))
                    .then(rank(left).1.total_cmp(&rank(right).1))
            });
        }
    }

    /// Forgets samples of which another came before: how many.
    fn forget_repeated(&mut self) -> u64 {
        let mut repeated = 0;
        for metric in &mut self.metrics {
            let before = metric.len();
            let mut seen = HashSet::new();
            metric.retain(|line| seen.insert((line.time, line.suffix, line.own.clone())));
            repeated += (before - metric.len()) as u64;
        }
        repeated
    }

    fn text(&self) -> String {
        let mut page = String::new();
        let name = &self.name;
        let family_type = self.family_type.unwrap_or(FamilyType::Unknown);
        let _ = writeln!(page, "# TYPE {name} {family_type}");
        if !self.unit.is_empty() {
            let _ = writeln!(page, "# UNIT {name} {}", self.unit);
        }
        if !self.help.is_empty() {
            let _ = writeln!(page, "# HELP {name} {}", text::escaped(&self.help));
        }
        for line in self.metrics.iter().flatten() {
            let Line {
                suffix,
                labels,
                value,
                exemplar,
                ..
            } = line;
            let _ = writeln!(page, "{name}{suffix}{labels} {value}{exemplar}");
        }
        page
    }

    /// Its samples as families of unknown type, one for each name; exemplars are for others.
    fn without_type(self, from: Format) -> Vec<Self> {
        let is_renamed = from == Format::Prometheus && self.family_type == Some(FamilyType::Counter);
        let mut families: Vec<Self> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for metric in self.metrics {
            // A bucket is a metric of its own now.
            let mut metrics: HashMap<(usize, Box<str>), usize> = HashMap::new();
            for line in metric {
                let name = match is_renamed && line.suffix == TOTAL {
                    true => self.named.clone(),
                    false => format!("{}{}", self.name, line.suffix),
                };
                let place = *places.entry(name.clone()).or_insert(families.len());
                if place == families.len() {
                    families.push(Self {
                        named: self.named.clone(),
                        name,
                        help: self.help.clone(),
                        ..Self::default()
                    });
                }
                let family = &mut families[place];
                let metric = *metrics
                    .entry((place, line.own.clone()))
                    .or_insert(family.metrics.len());
                if metric == family.metrics.len() {
                    family.metrics.push(Metric::with_capacity(1));
                }
                family.metrics[metric].push(Line {
                    suffix: "",
                    exemplar: Box::default(),
                    ..line
                });
            }
        }
        families
    }
}
