//! What is committed together: a collector's runs, or points that tidemark sends about itself.

use std::io;

use tidemark_point::Point;

use crate::Run;
use crate::body::{Body, Style, bodies};
use crate::sink::SinkSpec;

/// What one collector commits together.
#[derive(Clone, Debug)]
pub(crate) struct Submission<'a> {
    pub(crate) collector: &'a str,
    pub(crate) runs: Vec<Submitted<'a>>,
    /// Tidemark's own points that are no run's.
    pub(crate) own: &'a [Point],
}

/// A run, its points, and the point that tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Submitted<'a> {
    pub(crate) run: Run,
    pub(crate) points: &'a [Point],
    pub(crate) own: Option<Point>,
}

impl<'a> Submitted<'a> {
    pub(crate) fn new(run: &Run, points: &'a [Point], host: &str) -> Self {
        let run = Run {
            points: points.len() as u64,
            ..run.clone()
        };
        Self {
            own: run.point(host).ok(),
            run,
            points,
        }
    }
}

/// A body, and whose points it holds.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Whether they are tidemark's own: their rejection is counted and never reported.
    pub(crate) own: bool,
    /// What the run looked at, where there are many, and the points are of one run.
    pub(crate) target: Option<String>,
    /// The number among the bodies of a run's points, or of its own point; [`NO_PART`] where they are not one run's.
    pub(crate) part: i64,
    pub(crate) body: Body,
}

/// What stands for the part of a run where points are of none, since they were mended, or of several.
pub(crate) const NO_PART: i64 = -1;

impl Submission<'_> {
    /// The bodies of the runs' points for these sinks. Those of several runs go together; apart where a sink holds the
    /// newest run of each target.
    pub(crate) fn pack_points(&self, sinks: &[&SinkSpec]) -> io::Result<Vec<Packed>> {
        let style = Style::of(sinks.iter().map(|sink| sink.sink_kind()));
        if self.is_merged(sinks) {
            let points: Vec<&[Point]> = self.runs.iter().map(|one| one.points).collect();
            return pack(false, None, true, &points, style);
        }
        let mut packed = Vec::new();
        for one in &self.runs {
            let target = one.run.target.as_ref();
            packed.extend(pack(false, target, false, &[one.points], style)?);
        }
        Ok(packed)
    }

    /// The bodies of tidemark's own points.
    pub(crate) fn pack_own(&self, sinks: &[&SinkSpec]) -> io::Result<Vec<Packed>> {
        let style = Style::of(sinks.iter().map(|sink| sink.sink_kind()));
        let own = |one: &'_ Submitted<'_>| one.own.clone();
        if self.is_merged(sinks) {
            let points: Vec<Point> = self.runs.iter().filter_map(own).collect();
            return pack(true, None, true, &[&points], style);
        }
        let mut packed = Vec::new();
        for one in &self.runs {
            let target = one.run.target.as_ref();
            packed.extend(pack(true, target, false, &[one.own.as_slice()], style)?);
        }
        packed.extend(pack(true, None, false, &[self.own], style)?);
        Ok(packed)
    }

    fn is_merged(&self, sinks: &[&SinkSpec]) -> bool {
        self.runs.len() > 1 && !sinks.iter().any(|sink| sink.holds_newest())
    }
}

fn pack(
    own: bool,
    target: Option<&String>,
    merged: bool,
    points: &[&[Point]],
    style: Style,
) -> io::Result<Vec<Packed>> {
    let packed = bodies(points, style)?;
    let packed = packed.into_iter().zip(0..).map(|(body, part)| Packed {
        own,
        target: target.cloned(),
        part: if merged { NO_PART } else { part },
        body,
    });
    Ok(packed.collect())
}
