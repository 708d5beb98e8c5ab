//! The names that gostats gives values in Prometheus.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tidemark_collect::{Point, Value};
use tidemark_expose::{Family, prometheus_label};

/// What gostats puts before each name.
pub(crate) const PREFIX: &str = "isilon_stat_";
/// The label with the cluster's name.
pub(crate) const CLUSTER_LABEL: &str = "cluster";
/// It identifies an operation by number, beside its name; a series of its own would say nothing.
const LEFT_OUT: &str = "op_id";
/// The most keys that have families, and the most families of each, twice what a point has fields: a cluster names both.
const MOST_KEYS: usize = 10_000;
const MOST_OF_A_KEY: usize = 1024;
/// The tag with the cluster's name.
pub(crate) const CLUSTER_TAG: &str = "cluster";

/// What the settings say of names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Names {
    /// What each begins with.
    pub(crate) prefix: String,
    /// The label with the cluster's name.
    pub(crate) cluster_label: String,
    /// A second one.
    pub(crate) instance_label: Option<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            prefix: PREFIX.to_owned(),
            cluster_label: CLUSTER_LABEL.to_owned(),
            instance_label: None,
        }
    }
}

impl Names {
    /// What is wrong with them, a line each.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let whole = format!("{}x", self.prefix);
        if Family::new(&whole, "").name() != whole {
            mistakes.push(format!(
                "`prefix` {:?} is no beginning of a Prometheus name; write letters, digits and underscores, a letter first, \
                 such as \"isilon_stat_\"",
                self.prefix
            ));
        }
        let labels = [
            ("cluster_label", Some(&self.cluster_label)),
            ("instance_label_name", self.instance_label.as_ref()),
        ];
        for (key, label) in labels {
            let Some(label) = label else { continue };
            if label.is_empty() || prometheus_label(label) != *label {
                mistakes.push(format!(
                    "`{key}` {label:?} is no Prometheus label; write letters, digits and underscores, a letter first, such \
                     as \"isilon_cluster\""
                ));
            }
        }
        mistakes
    }

    /// The labels that all of a cluster's samples have.
    pub(crate) fn labels<'a>(&'a self, cluster: &'a str) -> Vec<(&'a str, &'a str)> {
        let labels = [Some(&self.cluster_label), self.instance_label.as_ref()];
        labels
            .into_iter()
            .flatten()
            .map(|label| (label.as_str(), cluster))
            .collect()
    }
}

/// The families of all clusters, each made once.
#[derive(Debug, Default)]
pub(crate) struct Families {
    prefix: String,
    keys: Mutex<HashMap<Box<str>, Vec<Named>>>,
}

/// The family of a field of one key.
#[derive(Debug)]
struct Named {
    field: Box<str>,
    /// Whether the point has others beside it.
    one_of_many: bool,
    family: Family,
}

impl Families {
    /// Families whose names begin with this.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            keys: Mutex::default(),
        }
    }

    /// Gives each sample of a point: its family, none where there are too many, and its value. A family has no help until
    /// a description is known.
    pub(crate) fn each(&self, point: &Point, description: &str, mut visit: impl FnMut(Option<&Family>, f64)) {
        let one_of_many = point.fields().nth(1).is_some();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let key = point.measurement();
        if keys.len() < MOST_KEYS && !keys.contains_key(key) {
            keys.insert(key.into(), Vec::new());
        }
        let mut known = keys.get_mut(key);
        for (field, value) in point.fields() {
            if field == LEFT_OUT {
                continue;
            }
            let Some(value) = number(value) else { continue };
            let has_room = known.as_ref().is_some_and(|known| known.len() < MOST_OF_A_KEY);
            let is_it = |named: &&mut Named| *named.field == *field && named.one_of_many == one_of_many;
            let found = known.as_mut().and_then(|known| known.iter_mut().find(is_it));
            if let Some(named) = &found
                && (description.is_empty() || !named.family.help().is_empty())
            {
                visit(Some(&named.family), value);
                continue;
            }
            if found.is_none() && !has_room {
                visit(None, value);
                continue;
            }
            let name = match one_of_many {
                true => format!("{}{key}_{field}", self.prefix),
                false => format!("{}{key}", self.prefix),
            };
            let family = Family::new(&name, description);
            visit(Some(&family), value);
            if let Some(named) = found {
                named.family = family;
            } else if let Some(known) = &mut known {
                known.push(Named {
                    field: field.into(),
                    one_of_many,
                    family,
                });
            }
        }
    }
}

/// A field's value as Prometheus has it; strings are none.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        #[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats alone")]
        Value::Int(int) => Some(*int as f64),
        #[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats alone")]
        Value::Uint(uint) => Some(*uint as f64),
        Value::Bool(bool) => Some(f64::from(u8::from(*bool))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(families: &Families, description: &str) -> Vec<(String, String)> {
        let point = Point::builder("node.disk")
            .field("busy", 1.0)
            .field("idle", 2.0)
            .field("op_id", 3.0);
        let point = point
            .time(tidemark_collect::Timestamp::EPOCH)
            .build(&mut Default::default())
            .expect("a point");
        let mut shown = Vec::new();
        families.each(&point, description, |family, _| {
            let family = family.expect("there are few");
            shown.push((family.name().to_owned(), family.help().to_owned()));
        });
        shown
    }

    #[test]
    fn help_comes_with_the_description() {
        let families = Families::new("x_");
        let of = |help: &str| {
            ["x_node_disk_busy", "x_node_disk_idle"].map(|name| (name.to_owned(), help.to_owned()))
        };
        assert_eq!(shown(&families, ""), of(""));
        assert_eq!(shown(&families, "Disks."), of("Disks."));
        // Another cluster does not know yet.
        assert_eq!(shown(&families, ""), of("Disks."));
    }

    #[test]
    fn what_a_cluster_may_name_is_bounded() {
        let families = Families::new("x_");
        let mut left_out = 0;
        for number in 0..MOST_OF_A_KEY + 10 {
            let point = Point::builder("node.disk").field(format!("f{number}"), 1.0);
            let point = point.time(tidemark_collect::Timestamp::EPOCH);
            let point = point.build(&mut Default::default()).expect("a point");
            families.each(&point, "", |family, _| left_out += usize::from(family.is_none()));
        }
        assert_eq!(left_out, 10);
        // The others are as before.
        assert_eq!(
            families.keys.lock().expect("a lock")["node.disk"].len(),
            MOST_OF_A_KEY
        );
    }
}
