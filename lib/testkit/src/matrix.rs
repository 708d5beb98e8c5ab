//! Every way in which a source fails, for each part of a collector's sources.

mod bases;
mod judge;
mod play;
mod way;

use std::collections::BTreeMap;
use std::time::Duration;

pub use bases::Bases;
pub use way::Way;

use crate::answer::Answer;

/// The deadline of runs whose source is silent.
const DEADLINE: Duration = Duration::from_secs(4);
/// The most memory that a run may need: 64 MiB.
const MEMORY: u64 = 64 << 20;

/// A collector's parts, each failing in every way, through the real program into a server in a sink's place.
///
/// First all is well. Then, for each part, each of its routes and each [`Way`], one run: the lines of the other parts are
/// exactly there, those of the part are not, every gap begins with the part's name, the run is partial and ends with 0. A
/// part without which no line is left makes the run an error: exit code 1, and one line that says why. Then whole servers
/// refuse connections; then all do, and everything answers 500. No run may need more than 64 MiB.
///
/// Times from the run's start on are not compared, as they differ between runs; nor are the values of
/// [`moving`](Self::moving) fields. What is well is not repeated: gaps of the run in which all is well may come again.
///
/// ```no_run
/// use tidemark_testkit::{Matrix, Part, Route, Then, Way};
///
/// const INDEX: &str = "<a href=\"Commands-amd64.xz\">Commands-amd64.xz</a> 2026-11-21 09:00";
/// let part = |series: &str| {
///     let tag = format!("release={series} ");
///     let path = format!("/dists/{series}/main/cnf/");
///     Part::new(format!("{series}'s index"), move |line| line.contains(&tag))
///         .route(Route::new(path, INDEX, "<a href=\"Commands-amd64.xz\">Commands-amd64.xz</a> yesterday"))
///         .when(Way::NotFound, Then::Skipped)
/// };
/// Matrix::new("tidemark-cnf", |bases| {
///     let url = bases.url("");
///     format!("[collector.cnf]\nurl = \"{url}\"\nseries = [\"jammy\", \"noble\"]\n")
/// })
/// .part(part("jammy"))
/// .part(part("noble"))
/// .moving("cnf_age")
/// .check();
/// ```
#[must_use = "it checks nothing until `check`"]
pub struct Matrix {
    program: String,
    settings: Box<dyn Fn(&Bases) -> String + Sync>,
    parts: Vec<Part>,
    always: Vec<Route>,
    moving: Vec<String>,
    environment: Vec<(String, String)>,
    deadline: Duration,
    memory: u64,
}

/// What an operator would name when it fails: a name as the gap has it, its routes, and the lines that are lost with it.
#[must_use = "a part is of no use without a `Matrix`"]
pub struct Part {
    names: Vec<String>,
    costs: Box<dyn Fn(&str) -> bool + Sync>,
    routes: Vec<Route>,
    usual: Then,
    exceptions: BTreeMap<Way, Then>,
}

/// An address, what it answers when all is well, and a body of the right form whose values are of wrong types.
#[must_use = "a route is of no use without a `Part`"]
pub struct Route {
    base: String,
    target: String,
    good: Vec<u8>,
    wrong: Vec<u8>,
    answer: Answer,
}

/// What comes of a part that fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// Its lines are lost, and a gap names it. So it is where nothing else is said.
    Gap,
    /// Its lines are there all the same, as another source has them too; but a gap names it.
    Told,
    /// Some of its lines may be lost or differ, and a gap names it.
    Partly,
    /// Its lines are lost, and nothing is missing: no gap.
    Skipped,
    /// It is no failure for this part: its lines are there, and no gap.
    Kept,
    /// Its lines are of no interest, and there may be gaps that name it.
    Whatever,
}

impl Matrix {
    /// Of that program (`tidemark-NAME`), with the settings that `settings` writes: a `[collector.NAME]` with the addresses of
    /// the servers, and no `deadline`. Sinks are none of it.
    pub fn new(program: &str, settings: impl Fn(&Bases) -> String + Sync + 'static) -> Self {
        Self {
            program: program.to_owned(),
            settings: Box::new(settings),
            parts: Vec::new(),
            always: Vec::new(),
            moving: Vec::new(),
            environment: Vec::new(),
            deadline: DEADLINE,
            memory: MEMORY,
        }
    }

    /// One part more.
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Parts more.
    pub fn parts(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts.extend(parts);
        self
    }

    /// A route that is well wherever its server is: for what several parts need and a part of its own has no place for.
    pub fn always(mut self, route: Route) -> Self {
        self.always.push(route);
        self
    }

    /// A field whose value differs from run to run, as an age does.
    pub fn moving(mut self, field: &str) -> Self {
        self.moving.push(field.to_owned());
        self
    }

    /// A variable of the program's environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The deadline of runs whose source is silent, instead of 4 s: where parts are asked one after the other. On a busy
    /// machine it is longer.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The most memory that a run may need, in bytes, instead of 64 MiB.
    pub fn memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Plays everything.
    ///
    /// # Panics
    /// When a run is not as it should be. The message lists all that are not, and what is wrong with each.
    #[track_caller]
    pub fn check(self) {
        let (runs, faults) = play::play(&self);
        assert!(
            faults.is_empty(),
            "{} of {runs} runs of {} are not as they should be:\n{}",
            faults.len(),
            self.program,
            faults.join("\n")
        );
    }
}

impl Part {
    /// With that name, as gaps have it before their first `: `, and the lines that are lost with it.
    pub fn new(name: impl Into<String>, costs: impl Fn(&str) -> bool + Sync + 'static) -> Self {
        Self {
            names: vec![name.into()],
            costs: Box::new(costs),
            routes: Vec::new(),
            usual: Then::Gap,
            exceptions: BTreeMap::new(),
        }
    }

    /// One route more; where any fails, the part does.
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Something else than a gap, where a route of it fails in that way.
    pub fn when(mut self, way: Way, then: Then) -> Self {
        self.exceptions.insert(way, then);
        self
    }

    /// Something else than a gap, in whatever way it fails: for what others can do without.
    pub fn whenever(self, then: Then) -> Self {
        Self { usual: then, ..self }
    }

    /// Another name that its gaps may have: of what depends on it.
    pub fn or_named(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    fn then(&self, way: Way) -> Then {
        self.exceptions.get(&way).copied().unwrap_or(self.usual)
    }

    /// Whether a gap is this part's.
    fn is_named_by(&self, gap: &str) -> bool {
        self.names.iter().any(|name| {
            gap.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with(':'))
        })
    }
}

impl Route {
    /// A path, with the parameters that tell it from others of the same path (see [`Source`](crate::Source)); the body when
    /// all is well; and the body of wrong types: what parses as its format, and is not what is due.
    pub fn new(target: impl Into<String>, good: impl AsRef<[u8]>, wrong: impl AsRef<[u8]>) -> Self {
        Self {
            base: String::new(),
            target: target.into(),
            good: good.as_ref().to_vec(),
            wrong: wrong.as_ref().to_vec(),
            answer: Answer::ok(good),
        }
    }

    /// On the server of that name, instead of the one whose name is empty.
    pub fn at(self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self
        }
    }

    /// With that answer when all is well: with a header, as gzip, [by range](Answer::by_range). Its body is the good one.
    pub fn answer(self, change: impl FnOnce(Answer) -> Answer) -> Self {
        let answer = change(self.answer);
        Self { answer, ..self }
    }
}

#[cfg(test)]
mod tests;
