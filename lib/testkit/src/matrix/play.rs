//! Plays the runs of a matrix, several at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::home::Home;
use crate::serve::lock;
use crate::sink_server::SinkServer;
use crate::source::Source;

use super::judge::{Due, Seen};
use super::{Bases, Matrix, Part, Route, Then, Way};

/// How long a run may take, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(180);
/// A deadline is at least so many times what the run took in which all was well: a busy machine needs it.
const ROOM: u32 = 40;
/// The longest deadline that comes of that.
const LONGEST: Duration = Duration::from_secs(60);
/// How many runs that wait for their deadline go on at once.
const SILENT: usize = 24;
/// How many other runs go on at once.
const BUSY: usize = 3;

/// One run.
enum Case<'a> {
    /// A route of a part fails.
    Route(&'a Part, &'a Route, Way),
    /// A server refuses.
    Refused(&'a str),
    /// All servers refuse.
    AllRefused,
    /// Everything answers 500.
    AllBroken,
}

impl Case<'_> {
    fn is_silent(&self) -> bool {
        matches!(self, Self::Route(_, _, Way::TimedOut))
    }

    fn name(&self) -> String {
        match self {
            Self::Route(part, route, way) => format!("{}, {} {way:?}", part.names[0], route.target),
            Self::Refused(base) => format!("{base:?} refused"),
            Self::AllRefused => "all refused".to_owned(),
            Self::AllBroken => "all answer 500".to_owned(),
        }
    }
}

/// Plays all; gives the number of runs, and what is wrong with each that is not as it should be.
pub(super) fn play(matrix: &Matrix) -> (usize, Vec<String>) {
    let good = run(matrix, None, matrix.deadline);
    let faults = good.faults_of_good(&matrix.parts);
    if !faults.is_empty() {
        return (1, vec![format!("- all is well: {}", faults.join("; "))]);
    }
    let deadline = matrix.deadline.max((good.wall * ROOM).min(LONGEST));
    let bases = bases(matrix);
    let mut cases: Vec<Case<'_>> = Vec::new();
    for part in &matrix.parts {
        for route in &part.routes {
            cases.extend(Way::OF_ROUTES.map(|way| Case::Route(part, route, way)));
        }
    }
    if bases.len() > 1 {
        let with_parts = |base: &&&str| matrix.parts.iter().any(|part| part.is_at(base));
        cases.extend(bases.iter().filter(with_parts).map(|base| Case::Refused(base)));
    }
    cases.extend([Case::AllRefused, Case::AllBroken]);
    let (silent, busy): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.is_silent());
    let faults = Mutex::new(Vec::new());
    let next: [AtomicUsize; 2] = Default::default();
    std::thread::scope(|scope| {
        for (queue, next, workers) in [(&silent, &next[0], SILENT), (&busy, &next[1], BUSY)] {
            for _ in 0..workers.min(queue.len()) {
                scope.spawn(|| {
                    while let Some(case) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let found = due(matrix, &good, case).faults(&run(matrix, Some(case), deadline));
                        if !found.is_empty() {
                            lock(&faults).push(format!("- {}: {}", case.name(), found.join("; ")));
                        }
                    }
                });
            }
        }
    });
    let mut faults = faults.into_inner().unwrap_or_default();
    faults.sort_unstable();
    (cases.len() + 1, faults)
}

impl Part {
    fn is_at(&self, base: &str) -> bool {
        self.routes.iter().any(|route| route.base == base)
    }
}

/// The names of all servers.
fn bases(matrix: &Matrix) -> BTreeSet<&str> {
    let of_parts = matrix.parts.iter().flat_map(|part| &part.routes);
    of_parts
        .chain(&matrix.always)
        .map(|route| route.base.as_str())
        .collect()
}

fn due<'a>(matrix: &'a Matrix, good: &'a Seen, case: &Case<'a>) -> Due<'a> {
    let failing = match case {
        Case::Route(part, _, way) => vec![(*part, part.then(*way))],
        Case::Refused(base) => {
            // What all others need fails with its server, and costs what it costs.
            let at = matrix.parts.iter().filter(|part| part.is_at(base));
            at.map(|part| (part, part.then(Way::Refused))).collect()
        }
        Case::AllRefused | Case::AllBroken => matrix.parts.iter().map(|part| (part, Then::Gap)).collect(),
    };
    Due {
        good,
        failing,
        memory: matrix.memory,
    }
}

/// One run; all is well where no case is given. The deadline is that of a run whose source is silent.
fn run(matrix: &Matrix, case: Option<&Case<'_>>, deadline: Duration) -> Seen {
    let sink = SinkServer::start();
    let bases = bases(matrix);
    let sources: BTreeMap<String, Source> = bases
        .iter()
        .map(|base| ((*base).to_owned(), Source::http()))
        .collect();
    let mut bases = Bases {
        sources,
        home: Home::new(),
    };
    let of_parts = matrix.parts.iter().flat_map(|part| &part.routes);
    for route in of_parts.chain(&matrix.always) {
        let answer = match case {
            Some(Case::AllBroken) => Way::ServerError.answer(route),
            _ => route.answer.clone(),
        };
        bases.sources[&route.base].route(&route.target, answer);
    }
    match case {
        Some(Case::Route(_, route, way)) => {
            bases.sources[&route.base].route(&route.target, way.answer(route));
        }
        Some(Case::Refused(base)) => bases.sources[*base].close(),
        Some(Case::AllRefused) => bases.sources.values().for_each(Source::close),
        Some(Case::AllBroken) | None => {}
    }
    let mut settings = (matrix.settings)(&bases);
    if case.is_some_and(Case::is_silent) {
        settings = with_deadline(&settings, deadline);
    }
    settings.push_str(&format!(
        "\n[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n",
        sink.url("")
    ));
    bases.home.settings(&settings);
    let mut program = bases.home.run(&matrix.program).bound(BOUND);
    for (name, value) in &matrix.environment {
        program = program.env(name, value);
    }
    let ended = program.run();
    bases.sources.clear();
    let requests = sink.requests();
    let bodies: Vec<String> = requests.iter().map(|request| request.text().to_owned()).collect();
    Seen::new(&matrix.program, &ended, &bodies, &matrix.moving)
}

/// Settings with a deadline in the collector's section.
fn with_deadline(settings: &str, deadline: Duration) -> String {
    let mut lines = Vec::new();
    for line in settings.lines() {
        lines.push(line.to_owned());
        if line.starts_with("[collector.") {
            lines.push(format!("deadline = \"{}ms\"", deadline.as_millis()));
        }
    }
    lines.join("\n")
}
