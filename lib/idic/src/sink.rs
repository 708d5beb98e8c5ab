//! The file's back end as a sink.

use std::path::PathBuf;

use tidemark_settings::{Loaded, Mistakes, Places, Section, SinkKind, SinkSettings};

use crate::influxdb::{Influxdb, Influxdb2};
use crate::{BackEnd, Idic};

/// The collector whose file it is.
pub const COLLECTOR: &str = "onefs";
/// The key of its section that names the file.
pub const KEY: &str = "idic";
/// The name of the sink.
pub const SINK: &str = "idic";

impl Idic {
    /// The file's back end.
    ///
    /// # Errors
    /// Where `stats_processor` is none that there is.
    pub fn back_end(&self) -> Result<BackEnd, Mistakes> {
        self.back_end.clone().map_err(Mistakes::from)
    }

    /// The file's back end as a sink of the name [`SINK`], which takes the batches of [`COLLECTOR`] alone. That of
    /// Prometheus, whose values are for who asks a listener, is a sink that keeps nothing.
    ///
    /// # Errors
    /// Every mistake in the back end's section.
    pub fn sink(&self) -> Result<SinkSettings, Mistakes> {
        let kind = match self.back_end()? {
            BackEnd::Influxdb => self.back_end_section::<Influxdb>("influxdb")?.0,
            BackEnd::Influxdb2 => self.back_end_section::<Influxdb2>("influxdbv2")?.0,
            BackEnd::Prometheus | BackEnd::Discard => SinkKind::Discard,
        };
        Ok(SinkSettings {
            name: SINK.to_owned(),
            only: vec![COLLECTOR.to_owned()],
            except: Vec::new(),
            kind,
        })
    }

    fn back_end_section<S: Section>(&self, key: &str) -> Result<S, Mistakes> {
        let (section, mistakes, _) = self.document.section::<S>(key);
        Mistakes::check(mistakes)?;
        section.ok_or_else(|| {
            let what = "was not understood";
            let place = self.document.place();
            tidemark_settings::Mistake::new(place, what, "report this fault of the program").into()
        })
    }
}

/// Makes the file's back end a sink, where the settings have none; where they do, it is not even looked at.
///
/// # Errors
/// Every mistake in the back end's section.
pub fn add_sink(loaded: &mut Loaded, idic: &Idic) -> Result<(), Mistakes> {
    if loaded.has_default_sink {
        loaded.add_collector_sink(COLLECTOR, idic.sink()?);
    }
    Ok(())
}

/// The file that `idic` of `[collector.onefs]` names.
#[must_use]
pub fn named_file(loaded: &Loaded) -> Option<PathBuf> {
    loaded.path(COLLECTOR, KEY)
}

/// Makes the back end of the file that the settings name a sink, where they have none; then the file is not even read. A
/// file that cannot be, or that is wrong, is a notice: the collector itself says all of it.
pub fn add_named_sink(loaded: &mut Loaded, places: &Places) {
    if loaded.has_default_sink
        && let Some(path) = named_file(loaded)
    {
        add_sink_of(loaded, Idic::read(&path, places));
    }
}

/// As [`add_sink`], with a file that was read elsewhere.
pub fn add_sink_of(loaded: &mut Loaded, read: Result<Idic, Mistakes>) {
    let added = read.and_then(|idic| add_sink(loaded, &idic));
    if let Err(mistakes) = added {
        let why = not_known(&mistakes);
        loaded.notices.push(why.clone());
        loaded.sinks_in_doubt = Some(why);
    }
}

/// What is said where the file makes no sink.
fn not_known(mistakes: &Mistakes) -> String {
    let first = mistakes
        .iter()
        .next()
        .map(ToString::to_string)
        .unwrap_or_default();
    let more = match mistakes.count() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!("the sink {SINK} of {COLLECTOR} is not known: {first}{more}")
}
