//! Points taken apart into sources of names, label sets and numbers, and put together as families of series.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::left_out::{LeftOut, Omission};
use super::name::{is_label, prometheus_label, prometheus_name};
use super::source::AnyPoint;
use crate::point::TIME_KEY;
use crate::{Declarations, DeclaredField, Kind};

/// The most that is reserved for a text before it is known how long it becomes.
const MAX_RESERVED: usize = 4 << 20;

/// A value as it was collected; true and false are 1 and 0.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Number {
    /// Finite.
    Float(f64),
    Int(i64),
    Uint(u64),
}

impl Number {
    pub(super) fn is_negative(self) -> bool {
        match self {
            Number::Float(float) => float < 0.0,
            Number::Int(int) => int < 0,
            Number::Uint(_) => false,
        }
    }
}

/// How label sets are kept until they are written: each sort of text has its own.
pub(crate) trait LabelForm {
    /// Appends a label; `first` in its set.
    fn push(out: &mut Vec<u8>, label: &str, value: &str, first: bool);
}

/// The labels of a series, within [`Gathered::labels`].
#[derive(Copy, Clone, Debug)]
pub(crate) struct LabelSet {
    pub(crate) start: usize,
    /// Where a label between those that begin with a capital and the others stands: `__name__`.
    pub(crate) split: usize,
    pub(crate) end: usize,
    measurement: usize,
    clash: bool,
}

/// A measurement's field, and the name that it has.
#[derive(Debug)]
pub(crate) struct Source<'d> {
    measurement: usize,
    field: Box<str>,
    pub(super) name: String,
    pub(super) declared: Option<&'d DeclaredField>,
}

/// One value.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Entry {
    pub(super) source: usize,
    pub(super) set: usize,
    /// Nanoseconds.
    pub(crate) time: i64,
    pub(super) point: usize,
    pub(crate) number: Number,
}

/// What became of a point.
#[derive(Copy, Clone, Debug)]
pub(super) enum Fate {
    Unseen,
    Written,
    Omitted(Omission),
}

impl Fate {
    /// Notes why a value is not there. Of several reasons one is kept: a refusal, if there is any.
    pub(super) fn omit(&mut self, reason: Omission) {
        let weight = |reason: Omission| (reason.is_refusal(), reason);
        match *self {
            Fate::Written => {}
            Fate::Omitted(other) if weight(other) >= weight(reason) => {}
            Fate::Unseen | Fate::Omitted(_) => *self = Fate::Omitted(reason),
        }
    }
}

/// Points, taken apart.
#[derive(Debug)]
pub(crate) struct Gathered<'d> {
    /// The text of all label sets.
    pub(crate) labels: Vec<u8>,
    pub(super) sets: Vec<LabelSet>,
    pub(super) sources: Vec<Source<'d>>,
    /// The values of each source, in the order of the points.
    pub(super) entries: Vec<Vec<Entry>>,
    pub(super) fates: Vec<Fate>,
    pub(super) left_out: LeftOut,
    /// Whether different series may have the same labels, since some had to be changed.
    pub(super) changed: bool,
    measurements: Vec<Measurement>,
}

#[derive(Debug)]
struct Measurement {
    name: Box<str>,
    fields: HashMap<Box<str>, usize>,
    /// The sources in the order in which they were met: the next field is most often the next of these.
    order: Vec<usize>,
}

impl<'d> Gathered<'d> {
    /// Takes points apart.
    pub(crate) fn new<F: LabelForm, P: AnyPoint>(
        points: &[P],
        declarations: &'d Declarations,
    ) -> Gathered<'d> {
        let mut gathered = Gathered {
            labels: Vec::new(),
            sets: Vec::with_capacity(points.len()),
            sources: Vec::new(),
            entries: Vec::new(),
            fates: vec![Fate::Unseen; points.len()],
            left_out: LeftOut::default(),
            changed: false,
            measurements: Vec::new(),
        };
        let mut scratch = Scratch::default();
        let mut sets: HashMap<Cow<'_, str>, usize> = HashMap::with_capacity(points.len());
        let mut measurements: HashMap<Box<str>, usize> = HashMap::new();
        for (index, point) in points.iter().enumerate() {
            let set = match sets.entry(point.series_key()) {
                Slot::Occupied(known) => *known.get(),
                Slot::Vacant(free) => {
                    let measurement = gathered.measurement(&point.measurement(), &mut measurements);
                    *free.insert(gathered.label_set::<F, P>(point, measurement, &mut scratch))
                }
            };
            gathered.add(index, point, set, declarations);
        }
        gathered
    }

    fn measurement(&mut self, name: &str, known: &mut HashMap<Box<str>, usize>) -> usize {
        // Points of a measurement mostly stand together.
        if let Some(last) = self.sets.last()
            && &*self.measurements[last.measurement].name == name
        {
            return last.measurement;
        }
        if let Some(index) = known.get(name) {
            return *index;
        }
        self.measurements.push(Measurement {
            name: name.into(),
            fields: HashMap::new(),
            order: Vec::new(),
        });
        let index = self.measurements.len() - 1;
        known.insert(name.into(), index);
        index
    }

    /// The labels of a series that was not met before.
    fn label_set<F: LabelForm, P: AnyPoint>(
        &mut self,
        point: &P,
        measurement: usize,
        scratch: &mut Scratch,
    ) -> usize {
        scratch.clear();
        point.each_tag(|key, value| {
            if key != TIME_KEY {
                scratch.push(key, value);
            }
        });
        let clash = scratch.sort();
        self.changed |= scratch.changed;
        let start = self.labels.len();
        let mut split = None;
        for (at, (label, value)) in scratch.labels().enumerate() {
            if split.is_none() && label.as_bytes().first() > Some(&b'_') {
                split = Some(self.labels.len());
            }
            F::push(&mut self.labels, label, value, at == 0);
        }
        let end = self.labels.len();
        self.sets.push(LabelSet {
            start,
            split: split.unwrap_or(end),
            end,
            measurement,
            clash,
        });
        self.sets.len() - 1
    }

    /// Adds the values of a point.
    fn add<P: AnyPoint>(&mut self, index: usize, point: &P, set: usize, declarations: &'d Declarations) {
        let LabelSet {
            measurement, clash, ..
        } = self.sets[set];
        let time = point.time();
        let mut next = 0;
        point.each_field(|field, number| {
            let refusal = match (number, time) {
                (None, _) => Some(Omission::String),
                _ if clash => Some(Omission::LabelClash),
                (Some(_), None) => Some(Omission::NoTime),
                (Some(number), Some(time)) => {
                    let source = self.source(measurement, field, &mut next, declarations);
                    self.entries[source].push(Entry {
                        source,
                        set,
                        time: time.nanos(),
                        point: index,
                        number,
                    });
                    None
                }
            };
            let Some(reason) = refusal else { return };
            self.fates[index].omit(reason);
            if reason.is_refusal() {
                let name = &self.measurements[measurement].name;
                self.left_out.refuse(reason, 1, || described(name, field));
            } else {
                self.left_out.add(reason, 1);
            }
        });
    }

    /// The source of a field. `next` is where in the measurement's order it is looked for first.
    fn source(
        &mut self,
        measurement: usize,
        field: &str,
        next: &mut usize,
        declarations: &'d Declarations,
    ) -> usize {
        let own = &mut self.measurements[measurement];
        if let Some(guess) = own.order.get(*next)
            && &*self.sources[*guess].field == field
        {
            *next += 1;
            return *guess;
        }
        if let Some(known) = own.fields.get(field) {
            return *known;
        }
        let declared = declarations.field(&own.name, field);
        let kind = declared.map_or(Kind::Gauge, |declared| declared.kind);
        self.sources.push(Source {
            measurement,
            field: field.into(),
            name: prometheus_name(&own.name, field, kind),
            declared,
        });
        // Most often each point has each field.
        self.entries
            .push(Vec::with_capacity(self.fates.len() / self.sources.len()));
        let source = self.sources.len() - 1;
        own.fields.insert(field.into(), source);
        own.order.push(source);
        *next = own.order.len();
        source
    }

    /// About how many bytes a text of so many for each series and each value takes, beside names and labels.
    pub(crate) fn estimated_len(&self, series: usize, value: usize) -> usize {
        let values = self.entries.iter().map(Vec::len).sum::<usize>();
        let names: usize = self.sources.iter().map(|source| source.name.len()).sum();
        let name = names.checked_div(self.sources.len()).unwrap_or_default();
        let labels = self.labels.len().checked_div(self.sets.len()).unwrap_or_default();
        let all_series = values.min(self.sets.len().saturating_mul(self.sources.len()));
        let bytes = all_series
            .saturating_mul(series + name + labels)
            .saturating_add(values * value);
        bytes.min(MAX_RESERVED)
    }

    /// A source as a person knows it.
    pub(super) fn describe(&self, source: usize) -> String {
        let source = &self.sources[source];
        described(&self.measurements[source.measurement].name, &source.field)
    }

    /// By what sources of one name are put in order, so that it does not depend on that of the points.
    pub(super) fn identity(&self, source: usize) -> (&str, &str) {
        let source = &self.sources[source];
        (&self.measurements[source.measurement].name, &source.field)
    }
}

fn described(measurement: &str, field: &str) -> String {
    format!("{field:?} of {measurement:?}")
}

/// The labels of one series, before they are written; reused.
#[derive(Default)]
struct Scratch {
    text: String,
    /// Where label and value end; a label begins where the value before it ends.
    ends: Vec<(usize, usize, usize)>,
    changed: bool,
}

impl Scratch {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.changed = false;
    }

    fn push(&mut self, key: &str, value: &str) {
        let start = self.text.len();
        if is_label(key) {
            self.text.push_str(key);
        } else {
            self.changed = true;
            self.text.push_str(&prometheus_label(key));
        }
        let middle = self.text.len();
        self.text.push_str(value);
        self.ends.push((start, middle, self.text.len()));
    }

    /// Puts the labels in order; whether two have the same name.
    fn sort(&mut self) -> bool {
        let text = &self.text;
        let label = |ends: &(usize, usize, usize)| &text[ends.0..ends.1];
        if !self.ends.is_sorted_by(|a, b| label(a) < label(b)) {
            self.ends.sort_by(|a, b| label(a).cmp(label(b)));
        }
        self.changed
            && self
                .ends
                .windows(2)
                .any(|pair| label(&pair[0]) == label(&pair[1]))
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ends
            .iter()
            .map(|(start, middle, end)| (&self.text[*start..*middle], &self.text[*middle..*end]))
    }
}
