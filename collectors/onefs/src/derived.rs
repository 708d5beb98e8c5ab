//! Statistics that no cluster has, worked out of those that it has.
//!
//! Over the nodes of a key, what they have at one time: its sum, mean, least and greatest, as `cluster.KEY.FUNCTION`. The
//! change in percent from one measurement to the next, as `NAME.percentchange`. And [what is called
//! concurrency](Derivations::concurrency): operations under way in the file system, by how many there are and how long the
//! disks take.
//!
//! [`Derivations`] say what is made, [`Derived`] remembers what it takes of one cluster. Both are pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use tidemark_collect::{Point, Points, Timestamp, Value};

use crate::settings::Function;

/// What two measurements may be apart that are taken as of one time.
const MOST_APART_NANOS: i64 = 300_000_000_000;
/// The most values of a key that are worked with: some for each of 252 nodes.
const MAX_VALUES: usize = 10_000;
/// The changes that one rule can ask for: of each function, and of the values.
const MAX_CHANGES: usize = 5;
/// The field of a value that stands alone.
const VALUE: &str = "value";

const OPS_IN: &str = "node.ifs.ops.in";
const OPS_OUT: &str = "node.ifs.ops.out";
const LATENCY: &str = "node.disk.iosched.latency.avg";
/// What the family's dashboards call concurrency: first in InfluxQL, then in PromQL.
const CONCURRENCY: [&str; 2] = ["cluster.ifs.concurrency", "ifs.concurrency"];
/// What the dashboard in PromQL calls the mean latency.
const CLUSTER_LATENCY: &str = "cluster.disk.iosched.latency.avg";

/// What is worked out for each cluster.
///
/// ```
/// use tidemark_onefs::derived::Derivations;
/// use tidemark_onefs::settings::Function;
///
/// let mut derivations = Derivations::default();
/// derivations.add("node.load.1min", &[Function::Max], true);
/// let names: Vec<_> = derivations.names().collect();
/// assert_eq!(names, ["cluster.node.load.1min.max", "cluster.node.load.1min.max.percentchange"]);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Derivations {
    rules: BTreeMap<Source, Rule>,
    /// Further names of what concurrency needs.
    concurrency: Option<Aliases>,
}

/// A field of a key.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Source {
    key: String,
    field: String,
}

/// What is made of a source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Rule {
    /// Over nodes, and whether its change is told too.
    functions: BTreeMap<Function, bool>,
    /// Whether the change of each of its values is told.
    percent_change: bool,
}

/// Which of the further names are free.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Aliases {
    concurrency: Vec<&'static str>,
    latency: bool,
}

impl Source {
    fn new(key: &str) -> Source {
        let (key, field) = key.split_once(':').unwrap_or((key, VALUE));
        Source {
            key: key.to_owned(),
            field: field.to_owned(),
        }
    }

    /// As it is in measurements' names.
    fn name(&self) -> String {
        match &*self.field {
            VALUE => self.key.clone(),
            field => format!("{}.{field}", self.key),
        }
    }

    fn over_nodes(&self, function: Function) -> String {
        format!("cluster.{}.{}", self.name(), function.as_str())
    }
}

fn percent_change(name: &str) -> String {
    format!("{name}.percentchange")
}

impl Derivations {
    /// Adds these functions over the nodes of a key, and the change of each, or without functions that of the key's own
    /// values. `KEY:FIELD` is another field than `value`; names have it as `KEY.FIELD`.
    pub fn add(&mut self, key: &str, functions: &[Function], percent_change: bool) {
        let rule = self.rules.entry(Source::new(key)).or_default();
        rule.percent_change |= percent_change && functions.is_empty();
        for function in functions {
            *rule.functions.entry(*function).or_default() |= percent_change;
        }
    }

    /// Adds what the family's dashboards of concurrency ask for and no key is; `is_key` says which names are keys that are
    /// fetched, and are left to the cluster.
    ///
    /// - `cluster.node.ifs.ops.in.sum` and `cluster.node.ifs.ops.out.sum`: operations begun and ended in a second.
    /// - `cluster.node.disk.iosched.latency.avg.avg`: what they wait for disks, and its `.percentchange`.
    /// - `cluster.ifs.concurrency`: both sums together, times that latency. It is made where one of the three is new, and
    ///   the others are no more than five minutes older.
    /// - `ifs.concurrency` and `cluster.disk.iosched.latency.avg`: what the dashboards in PromQL call these.
    ///
    /// What they ask for beside that are keys: of the stock groups, and those that [`keys`](Self::keys) has.
    pub fn concurrency(&mut self, is_key: impl Fn(&str) -> bool) {
        self.add(OPS_IN, &[Function::Sum], false);
        self.add(OPS_OUT, &[Function::Sum], false);
        self.add(LATENCY, &[Function::Avg], true);
        self.concurrency = Some(Aliases {
            concurrency: CONCURRENCY.into_iter().filter(|name| !is_key(name)).collect(),
            latency: !is_key(CLUSTER_LATENCY),
        });
    }

    /// Whether nothing is worked out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The keys that must be fetched for it, each once.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let mut before = None;
        self.rules
            .keys()
            .map(|source| &*source.key)
            .filter(move |key| before.replace(*key) != Some(*key))
    }

    /// The measurements that are made, each once.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let of_rules = self.rules.iter().flat_map(|(source, rule)| {
            let own = rule.percent_change.then(|| percent_change(&source.name()));
            let over_nodes = rule.functions.iter().flat_map(|(function, change)| {
                let name = source.over_nodes(*function);
                let change = change.then(|| percent_change(&name));
                std::iter::once(name).chain(change)
            });
            over_nodes.chain(own)
        });
        let of_concurrency = self.concurrency.iter().flat_map(|aliases| {
            let latency = aliases.latency.then_some(CLUSTER_LATENCY);
            aliases.concurrency.iter().copied().chain(latency)
        });
        of_rules.chain(of_concurrency.map(str::to_owned))
    }
}

/// A value and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    time: Timestamp,
    value: f64,
}

/// What is remembered of one cluster: of each value that is watched for change the one before, of those at the last time
/// that the key had any.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// By the name of what changes, then by series.
    before: BTreeMap<String, BTreeMap<String, Sample>>,
    /// The newest of what concurrency is made of: operations in, out, latency.
    newest: [Option<Sample>; 3],
}

impl Derived {
    /// Adds to the points of one visit what is worked out of them. The tag `cluster` of what is made over nodes is this
    /// one; a time is the newest that the values have.
    ///
    /// A change is told where there was a measurement before, which was not zero, and the time is another.
    pub fn derive(&mut self, derivations: &Derivations, cluster: &str, points: &mut Points) {
        if derivations.is_empty() {
            return;
        }
        if self.before.len() > derivations.rules.len() * MAX_CHANGES {
            // Some are of settings that were.
            self.before.clear();
        }
        let mut made = Points::new();
        let sources = Sources::of(derivations, points);
        let mut is_new = false;
        for (source, values) in &sources.0 {
            let Some(rule) = derivations.rules.get(*source).filter(|_| !values.is_empty()) else {
                continue;
            };
            if rule.percent_change {
                self.change_of_values(&percent_change(&source.name()), values, &mut made);
            }
            for (function, change) in &rule.functions {
                let Some(sample) = over_nodes(*function, values) else {
                    continue;
                };
                let name = source.over_nodes(*function);
                push(&mut made, &name, cluster, sample);
                if *change {
                    self.change(&percent_change(&name), cluster, sample, &mut made);
                }
                if let Some(index) = part_of_concurrency(source, *function) {
                    self.newest[index] = Some(sample);
                    is_new = true;
                }
            }
        }
        if let Some(aliases) = derivations.concurrency.as_ref().filter(|_| is_new) {
            self.concurrency(aliases, cluster, &mut made);
        }
        points.append(made);
    }

    /// The change of a value of the cluster.
    fn change(&mut self, name: &str, cluster: &str, sample: Sample, made: &mut Points) {
        let before = self.before.entry(name.to_owned()).or_default();
        let last = before.insert(String::new(), sample);
        if let Some(change) = last.and_then(|last| change(last, sample)) {
            push(made, name, cluster, change);
        }
    }

    /// The changes of a key's values, each with the tags that it has.
    fn change_of_values(&mut self, name: &str, values: &Values<'_>, made: &mut Points) {
        let before = self.before.entry(name.to_owned()).or_default();
        let mut now = BTreeMap::new();
        for (series, (point, sample)) in values {
            let last = before.get(*series);
            if let Some(change) = last.and_then(|last| change(*last, *sample)) {
                let mut builder = Point::builder(name).field(VALUE, change.value).time(change.time);
                for (key, value) in point.tags() {
                    builder = builder.tag(key, value);
                }
                made.extend(builder.build(&mut Default::default()));
            }
            now.insert((*series).to_owned(), *sample);
        }
        *before = now;
    }

    fn concurrency(&self, aliases: &Aliases, cluster: &str, made: &mut Points) {
        if let Some(latency) = self.newest[2].filter(|_| aliases.latency) {
            push(made, CLUSTER_LATENCY, cluster, latency);
        }
        let [Some(ops_in), Some(ops_out), Some(latency)] = self.newest else {
            return;
        };
        let times = [ops_in.time, ops_out.time, latency.time];
        let (Some(oldest), Some(newest)) = (times.iter().min(), times.iter().max()) else {
            return;
        };
        if newest.since(*oldest) > MOST_APART_NANOS {
            return;
        }
        let sample = Sample {
            time: *newest,
            value: (ops_in.value + ops_out.value) * latency.value,
        };
        for name in &aliases.concurrency {
            push(made, name, cluster, sample);
        }
    }
}

/// Which of the three it is.
fn part_of_concurrency(source: &Source, function: Function) -> Option<usize> {
    let part = [
        (OPS_IN, Function::Sum),
        (OPS_OUT, Function::Sum),
        (LATENCY, Function::Avg),
    ];
    part.iter()
        .position(|part| source.field == VALUE && *part == (&*source.key, function))
}

/// A key's values by series; of two of one series the later.
type Values<'a> = BTreeMap<&'a str, (&'a Point, Sample)>;

/// The values of each source among the points of a visit.
struct Sources<'a>(Vec<(&'a Source, Values<'a>)>);

impl<'a> Sources<'a> {
    fn of(derivations: &'a Derivations, points: &'a Points) -> Self {
        let mut sources: Vec<(&Source, Values<'_>)> = derivations
            .rules
            .keys()
            .map(|source| (source, Values::new()))
            .collect();
        for point in points {
            // They are sorted, and a key's sources stand together.
            let key = point.measurement();
            let first = sources.partition_point(|source| *source.0.key < *key);
            let of_key = sources[first..]
                .iter_mut()
                .take_while(|source| source.0.key == key);
            for (source, values) in of_key {
                if let Some(Value::Float(value)) = point.field(&source.field)
                    && values.len() < MAX_VALUES
                {
                    let sample = Sample {
                        time: point.time(),
                        value: *value,
                    };
                    values.insert(point.series_key(), (point, sample));
                }
            }
        }
        Sources(sources)
    }
}

/// A function over the values of nodes; `None` where there are none, or where no float holds it.
fn over_nodes(function: Function, values: &Values<'_>) -> Option<Sample> {
    let of_nodes = || {
        values
            .values()
            .filter(|(point, _)| point.tag("devid").is_some())
            .map(|(_, sample)| sample)
    };
    let time = of_nodes().map(|sample| sample.time).max()?;
    let samples = of_nodes().map(|sample| sample.value);
    #[expect(clippy::cast_precision_loss, reason = "at most MAX_VALUES")]
    let value = match function {
        Function::Sum => samples.sum(),
        Function::Avg => samples.sum::<f64>() / of_nodes().count() as f64,
        Function::Min => samples.fold(f64::INFINITY, f64::min),
        Function::Max => samples.fold(f64::NEG_INFINITY, f64::max),
    };
    f64::is_finite(value).then_some(Sample { time, value })
}

/// The change in percent; `None` from zero, and where it is the same measurement or an older one.
fn change(before: Sample, now: Sample) -> Option<Sample> {
    let value = (now.value - before.value) / before.value * 100.0;
    (now.time > before.time && before.value != 0.0 && value.is_finite()).then_some(Sample {
        time: now.time,
        value,
    })
}

fn push(points: &mut Points, name: &str, cluster: &str, sample: Sample) {
    let point = Point::builder(name)
        .tag("cluster", cluster)
        .field(VALUE, sample.value)
        .time(sample.time);
    if let Ok(point) = point.build(points.adjustments_mut()) {
        points.push_point(point);
    }
}
