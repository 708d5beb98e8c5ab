use std::path::PathBuf;

use tidemark_settings::Span;

/// A collector as its units need it: from its description, with what the settings say of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collector {
    /// Its name, `[a-z][a-z0-9-]*`.
    pub name: String,
    /// What it collects, in a sentence. Any text: what does not fit on a line of a unit is left out.
    pub summary: String,
    /// Its program, an absolute path.
    pub program: PathBuf,
    /// Time between two runs: the operator's `run_interval`, else the description's. More than nothing.
    pub interval: Span,
    /// How long a run may take: the operator's `deadline`, else the description's. More than nothing.
    pub deadline: Span,
    /// What it reaches for.
    pub needs: Needs,
}

/// What a program reaches for outside of its process; all else its sandbox closes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// The network.
    pub network: bool,
    /// Ports on which it answers: it stays, whatever its interval.
    pub listens: bool,
    /// Programs that it runs: names, or absolute paths. Those of the system may be executed in any case; one elsewhere
    /// (`/opt/…`) has to be named by its path.
    pub programs: Vec<String>,
    /// Paths of the host that it reads, absolute.
    pub paths: Vec<PathBuf>,
}
