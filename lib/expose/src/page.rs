//! A snapshot's text, written bit by bit.

use std::collections::{HashMap, HashSet};

use tidemark_point::exposition::{FamilyType, Format};

use crate::Family;
use crate::group::Shown;
use crate::snapshot::{Columns, Part, Snapshot};
use crate::text::{push_escaped, push_number, push_time};

/// About how much is written at once.
const CHUNK: usize = 64 << 10;

/// Gauges whose names end like this are untyped in 0.0.4: the names are the source's own, and checkers refuse them for
/// gauges.
const OF_ANOTHER_TYPE: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// The page of a snapshot: families by name, each with TYPE and HELP, its samples grouped and with their own times.
///
/// A series that is there more than once is written once: what was published last.
#[derive(Debug)]
pub struct Page {
    snapshot: Snapshot,
    format: Format,
    family: usize,
    place: usize,
    sample: usize,
    /// Samples of the family that later ones replace: place and index.
    replaced: HashSet<(usize, usize)>,
    ended: bool,
}

impl Page {
    pub(crate) fn new(snapshot: Snapshot, format: Format) -> Page {
        Page {
            snapshot,
            format,
            family: 0,
            place: 0,
            sample: 0,
            replaced: HashSet::new(),
            ended: false,
        }
    }

    /// Appends the next 64 KiB or so; whether there is more to come.
    pub fn write(&mut self, out: &mut Vec<u8>) -> bool {
        let full = out.len() + CHUNK;
        while let Some(columns) = self.snapshot.family(self.family) {
            if self.place == 0 && self.sample == 0 {
                describe(out, &columns.family, self.format);
                self.replaced = if columns.ambiguous {
                    replaced(&self.snapshot, columns)
                } else {
                    HashSet::new()
                };
            }
            while let Some((part, column)) = columns.places.get(self.place) {
                if let Some(part) = self.snapshot.part(*part) {
                    for sample in part.group.samples(*column, self.sample) {
                        if self.replaced.is_empty() || !self.replaced.contains(&(self.place, self.sample)) {
                            push_sample(out, &columns.family, part, &sample, self.format);
                        }
                        self.sample += 1;
                        if out.len() >= full {
                            return true;
                        }
                    }
                }
                self.place += 1;
                self.sample = 0;
            }
            self.family += 1;
            self.place = 0;
        }
        if !self.ended && self.format == Format::OpenMetrics {
            out.extend_from_slice(b"# EOF\n");
        }
        self.ended = true;
        false
    }

    /// The whole of what is left.
    #[must_use]
    pub fn text(mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.write(&mut out) {}
        out
    }
}

fn describe(out: &mut Vec<u8>, family: &Family, format: Format) {
    let misleading = format == Format::Prometheus
        && OF_ANOTHER_TYPE
            .iter()
            .any(|suffix| family.name().ends_with(suffix));
    let family_type = if misleading {
        FamilyType::Unknown
    } else {
        FamilyType::Gauge
    };
    for part in [
        "# TYPE ",
        family.name(),
        " ",
        family_type.name(format).unwrap_or_default(),
        "\n",
    ] {
        out.extend_from_slice(part.as_bytes());
    }
    if !family.help().is_empty() {
        for part in ["# HELP ", family.name(), " "] {
            out.extend_from_slice(part.as_bytes());
        }
        push_escaped(out, family.help(), format == Format::OpenMetrics);
        out.push(b'\n');
    }
}

fn push_sample(out: &mut Vec<u8>, family: &Family, part: &Part, sample: &Shown<'_>, format: Format) {
    out.extend_from_slice(family.name().as_bytes());
    let common: &[u8] = if sample.whole { &[] } else { &part.source.text };
    if !common.is_empty() || !sample.labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(common);
        if !common.is_empty() && !sample.labels.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(sample.labels);
        out.push(b'}');
    }
    out.push(b' ');
    push_number(out, sample.value);
    out.push(b' ');
    push_time(out, sample.time, format);
    out.push(b'\n');
}

/// Which samples of a family give way to a later one of the same series.
fn replaced(snapshot: &Snapshot, columns: &Columns) -> HashSet<(usize, usize)> {
    let mut replaced = HashSet::new();
    let mut newest: HashMap<Vec<&[u8]>, (usize, usize)> = HashMap::new();
    let at = |place: usize| {
        let (part, _) = columns.places.get(place)?;
        Some(snapshot.part(*part)?.at)
    };
    for (place, (part, column)) in columns.places.iter().enumerate() {
        let Some(part) = snapshot.part(*part) else {
            continue;
        };
        for (index, sample) in part.group.samples(*column, 0).enumerate() {
            let common: &[u8] = if sample.whole { &[] } else { &part.source.text };
            let mut series: Vec<&[u8]> = labels(common).chain(labels(sample.labels)).collect();
            series.sort_unstable();
            let own = (place, index);
            match newest.get_mut(&series) {
                None => {
                    newest.insert(series, own);
                }
                Some(other) if at(other.0) <= at(place) => {
                    replaced.insert(std::mem::replace(other, own));
                }
                Some(_) => {
                    replaced.insert(own);
                }
            }
        }
    }
    replaced
}

/// The labels of a set, as they are written.
fn labels(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut bytes = rest.iter().enumerate();
        // A quote within a value has a backslash before it; the second one that has none ends the label.
        let mut quotes = 0;
        let mut end = None;
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'"' if quotes == 1 => {
                    end = Some(at + 1);
                    break;
                }
                b'"' => quotes += 1,
                _ => {}
            }
        }
        let (label, after) = rest.split_at_checked(end?)?;
        rest = after.get(1..).unwrap_or_default();
        Some(label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_apart_however_their_values_look() {
        let text = br#"a="1",b="",c="\\",d="\\\",e=\"",f="x,y=\"z\"""#;
        let found: Vec<&str> = labels(text).map(|label| str::from_utf8(label).unwrap()).collect();
        assert_eq!(
            found,
            [
                r#"a="1""#,
                r#"b="""#,
                r#"c="\\""#,
                r#"d="\\\",e=\"""#,
                r#"f="x,y=\"z\"""#
            ]
        );
        assert_eq!(labels(b"").count(), 0);
    }
}
