use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidemark_collect::NeedsDescription;
use tidemark_settings::{Loaded, Mistakes, Settings, SinkSettings};
use tidemark_systemd::{Host, Needs, Unit};

use crate::broken::short_line;
use crate::host::{add_collectors_sink, below, host, places};
use crate::{Catalogue, Collector, Patience, Timing, Trust, side_by_side, write};

/// The operator's command of an installed host, and what its flush does.
const COMMAND: &str = "/usr/bin/tidemark";
const FLUSH: [&str; 3] = ["outbox", "flush", "--due"];

/// Where collectors are on an installed host. Who calls may have another folder in mind; the units do not.
const COLLECTORS: &str = "/usr/lib/tidemark/collectors";

/// An installed system: what the generator and `tidemark units` look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct System {
    /// Its root folder, `/` but for images and tests. Units name their paths from there.
    pub root: PathBuf,
    /// Whose programs count.
    pub trust: Trust,
    /// How long they may take that are asked what they are.
    pub patience: Patience,
}

impl System {
    /// The system with that root, whose programs count where they are root's.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> System {
        let root = root.into();
        let trust = Trust::system(&root);
        System {
            patience: Patience::of(&trust),
            trust,
            root,
        }
    }

    /// Its collectors, with their programs' paths in it.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        let folders = [below(&self.root, Path::new(COLLECTORS))];
        let mut catalogue = Catalogue::find_within(&folders, &self.trust, self.patience);
        for collector in &mut catalogue.collectors {
            if let Ok(inside) = collector.program.strip_prefix(&self.root) {
                collector.program = Path::new("/").join(inside);
            }
        }
        catalogue
    }
}

/// The units that a host should have, each whole, and what is to be said about those that it will not have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// The units: of each collector that is on, in the order of their names, then of the flush.
    pub units: Vec<Unit>,
    /// What was left out or taken by default, and why: a line each, for a person.
    pub notices: Vec<String>,
}

impl Plan {
    /// The plan of an installed system: what the generator writes, and what `tidemark units` compares with. It depends
    /// on nothing but the files below the root: the collectors' folder, the settings, `/etc/default/tidemark`,
    /// `/etc/passwd` and `/etc/group`.
    #[must_use]
    pub fn for_system(system: &System) -> Plan {
        let mut notices = Vec::new();
        let environment = tidemark_settings::environment_file(&system.root).unwrap_or_else(|error| {
            notices.push(format!("no variable of units is known: {error}"));
            BTreeMap::new()
        });
        let places = places(&environment, &system.root);
        let mut settings = Settings::load(&tidemark_settings::LoadFrom {
            places: &places,
            environment: &environment,
            hostname: String::new(),
            known_collectors: None,
        });
        // The sinks of all; what one collector brings is for its own units and the flush's.
        let host = host(settings.as_ref().ok(), &environment, &system.root, &mut notices);
        if let Ok(loaded) = &mut settings {
            add_collectors_sink(loaded, &places, &system.root);
            notices.extend(loaded.sinks_in_doubt.clone());
        }
        let mut plan = Plan::of(&system.catalogue(), &settings, &host);
        plan.notices
            .extend(notices.iter().map(|notice| short_line(notice)));
        plan
    }

    /// The units that follow from the collectors and the settings on that host.
    ///
    /// Nothing here ends the whole: a collector that is broken, or of which no unit can be made, is left out with a
    /// notice. Of settings with mistakes nothing counts, so that every collector that is on by default has its timer, and
    /// says at each run what is to be mended. Where no unit can be made of what the settings name (a folder with a
    /// newline, say), the units are made without, for the same reason.
    ///
    /// A host that stands by has all its units, and its target starts none: a run that goes on ends as it began.
    #[must_use]
    pub fn of(catalogue: &Catalogue, settings: &Result<Loaded, Mistakes>, host: &Host) -> Plan {
        let mut notices = catalogue.notices.clone();
        let loaded = match settings {
            Ok(loaded) => {
                notices.extend(wrong_sections(catalogue, loaded));
                Some(loaded)
            }
            Err(mistakes) => {
                let what = "the settings are wrong, so timers have their defaults and runs end with 78";
                notices.push(wrong(what, mistakes));
                None
            }
        };
        let gostats = loaded.map(Gostats::of).unwrap_or_default();
        let flush = |host: &Host| tidemark_systemd::flush(Path::new(COMMAND), &FLUSH, host);
        let (host, flush) = match flush(&gostats.of_flush(host)) {
            Ok(units) => (host.clone(), units),
            Err(error) => {
                notices.push(format!(
                    "{error}; units are made without what the settings name, and runs fail"
                ));
                (Host::new(), flush(&Host::new()).unwrap_or_default())
            }
        };
        let mut units = Vec::new();
        let made = side_by_side::map(&catalogue.collectors, |collector| {
            if collector.name == tidemark_idic::COLLECTOR {
                of_collector(collector, loaded, &gostats.of_collector(&host))
            } else {
                of_collector(collector, loaded, &host)
            }
        });
        for (collector, made) in catalogue.collectors.iter().zip(made) {
            match made {
                Ok(made) => units.extend(made),
                Err(why) => notices.push(format!("no timer for {}: {why}", collector.name)),
            }
        }
        units.extend(flush);
        if loaded.is_some_and(|loaded| loaded.settings.host.standby) {
            notices.push("this host stands by (`standby` of [host]): no timer is started".to_owned());
            for unit in &mut units {
                unit.wanted = false;
            }
        }
        let notices = notices.iter().map(|notice| short_line(notice)).collect();
        Plan { units, notices }
    }

    /// Writes the units into the folder, and links into its `tidemark.target.wants` for those that the target starts.
    /// Each file is written whole or not at all, in the place of one that is there; what else is there stays. What could
    /// not be written is said, a sentence each.
    #[must_use]
    pub fn write(&self, folder: &Path) -> Vec<String> {
        write::write(&self.units, folder)
    }
}

/// The file of gostats that a collector reads, and the sink that it brings.
#[derive(Default)]
struct Gostats<'a> {
    file: Option<PathBuf>,
    /// Whether the settings have no sink, and the file's counts.
    is_sink: bool,
    sink: Option<&'a SinkSettings>,
}

impl Gostats<'_> {
    fn of(loaded: &Loaded) -> Gostats<'_> {
        let mut sinks = loaded.settings.sinks.iter();
        Gostats {
            file: tidemark_idic::named_file(loaded),
            is_sink: loaded.has_default_sink,
            sink: sinks
                .find(|sink| sink.name == tidemark_idic::SINK)
                .filter(|_| loaded.has_default_sink),
        }
    }

    /// The host as that collector has it.
    fn of_collector(&self, host: &Host) -> Host {
        let mut host = host.clone();
        if let Some(file) = &self.file {
            host.add_file(file);
        }
        if let Some(sink) = self.sink {
            host.add_sink(sink);
        }
        host
    }

    /// The host as the flush has it, to which the file is nothing where the settings have a sink.
    fn of_flush(&self, host: &Host) -> Host {
        if self.is_sink {
            self.of_collector(host)
        } else {
            host.clone()
        }
    }
}

/// The units of a collector, with the secrets of its own section; none where it is off.
fn of_collector(collector: &Collector, loaded: Option<&Loaded>, host: &Host) -> Result<Vec<Unit>, String> {
    let timing = match loaded {
        Some(loaded) => Timing::of(collector, loaded),
        None => Timing::unconfigured(collector),
    };
    if !timing.enabled {
        return Ok(Vec::new());
    }
    let described = collector.description.as_ref().map_err(ToString::to_string)?;
    let mut host = host.clone();
    let secrets = loaded.map(|loaded| loaded.secrets(&collector.name, &described.keys()));
    host.add_secret(secrets.iter().flatten().map(|secret| &secret.source));
    let made = tidemark_systemd::Collector {
        name: collector.name.clone(),
        summary: described.description.summary.clone(),
        program: collector.program.clone(),
        interval: timing.interval,
        deadline: timing.deadline,
        needs: needs(&described.description.needs),
    };
    tidemark_systemd::units(&made, &host).map_err(|error| error.to_string())
}

fn needs(described: &NeedsDescription) -> Needs {
    Needs {
        network: described.network,
        listens: described.listens,
        programs: described.programs.clone(),
        paths: described.paths.iter().map(PathBuf::from).collect(),
    }
}

/// What is said of sections of collectors that are wrong: the other collectors, and the flush, go by the settings.
fn wrong_sections(catalogue: &Catalogue, loaded: &Loaded) -> Option<String> {
    let has_section = |collector: &&Collector| loaded.has_section(&collector.name);
    let known = catalogue.collectors.iter().filter(has_section);
    let known: Vec<_> = known.map(Collector::known).collect();
    let (mistakes, _) = loaded.check_collectors(&known);
    let what =
        "the settings of a collector are wrong, so its runs end with 78 and its timer may have its defaults";
    mistakes.map(|mistakes| wrong(what, &mistakes))
}

/// What follows, where more is said, and the first of the mistakes.
fn wrong(what: &str, mistakes: &Mistakes) -> String {
    let first = mistakes.iter().next();
    let first = first.map(ToString::to_string).unwrap_or_default();
    let more = match mistakes.count() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!("{what}; `tidemark check` says all: {first}{more}")
}
