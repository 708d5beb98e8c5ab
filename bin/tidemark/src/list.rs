//! `tidemark list`: which collectors are installed, and what starts them.

use std::process::ExitCode;

use tidemark_app::exit::{self, Failure};
use tidemark_catalogue::Timing;
use tidemark_delivery::Run;
use tidemark_settings::{Loaded, Span};

use crate::Command;
use crate::catalogue::{self, Catalogue, Collector, Described, nothing_installed};
use crate::table::{Align, Cell, Table, terminal_width};

/// When the collector is started as its last run had it, where the settings are not known.
pub(crate) fn as_recorded(collector: &Collector, last_run: Option<&Run>) -> Timing {
    let usual = Timing::unconfigured(collector);
    Timing {
        enabled: usual.enabled || last_run.is_some(),
        interval: last_run.map_or(usual.interval, |run| Span::from(run.interval)),
        deadline: usual.deadline,
    }
}

/// Why it is started or not, in a few words.
pub(crate) fn why(timing: Timing, collector: &Collector, loaded: &Loaded) -> String {
    match (timing.enabled, loaded.common(&collector.name).enabled) {
        (true, Some(_)) => "on: enabled in the settings".to_owned(),
        (true, None) => "on".to_owned(),
        (false, Some(_)) => "off: disabled in the settings".to_owned(),
        (false, None) => format!("off: needs [collector.{}] in the settings", collector.name),
    }
}

/// Prints the table.
pub(crate) fn list(command: &Command) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    let catalogue = catalogue::find(&command.here);
    exit::print(text(&catalogue, &loaded, terminal_width()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The table; where its lines are wider than the terminal (0: there is none), what a collector is stands beneath its row.
fn text(catalogue: &Catalogue, loaded: &Loaded, width: usize) -> String {
    if catalogue.collectors.is_empty() {
        return format!("{}\n", nothing_installed(&catalogue.folders));
    }
    let wide = table(catalogue, loaded, true).render(false);
    if width == 0 || wide.lines().all(|line| line.chars().count() <= width) {
        return wide;
    }
    table(catalogue, loaded, false).render_within(false, width)
}

fn table(catalogue: &Catalogue, loaded: &Loaded, is_wide: bool) -> Table {
    let columns = [
        ("COLLECTOR", Align::Left),
        ("EVERY", Align::Left),
        ("STARTED", Align::Left),
        ("WHAT", Align::Left),
    ];
    let mut table = Table::new(columns.into_iter().take(if is_wide { 4 } else { 3 }));
    for collector in &catalogue.collectors {
        let timing = Timing::of(collector, loaded);
        let started = match timing.enabled && loaded.settings.host.standby {
            true => "off: this host stands by".to_owned(),
            false => why(timing, collector, loaded),
        };
        let name = Cell::from(collector.name.as_str());
        match &collector.description {
            Ok(Described { description, .. }) => {
                let what = description.summary.as_str();
                table.row([
                    name,
                    timing.interval.to_string().into(),
                    started.into(),
                    what.into(),
                ]);
                if !is_wide {
                    table.note(what);
                }
            }
            Err(broken) => {
                table.row([name, "-".into(), "broken".into(), "-".into()]);
                table.note(&broken.to_string());
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use tidemark_settings::{LoadFrom, Places, Settings};

    #[test]
    fn a_narrow_terminal_has_the_summary_beneath() {
        let environment = BTreeMap::from([("TIDEMARK_CONFIG".to_owned(), "".into())]);
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("tidemark.toml");
        std::fs::write(&config, "").expect("write");
        let from = LoadFrom {
            places: &Places::new(&environment, false, Some(config)),
            environment: &environment,
            hostname: "h".to_owned(),
            known_collectors: None,
        };
        let loaded = Settings::load(&from).expect("settings");
        let description = br#"{"name": "host", "summary": "This machine, all of it.", "version": "0.1.0",
            "run_interval": "1m", "deadline": "10m", "default": "on",
            "needs": {"network": false, "programs": [], "paths": []}, "measurements": [], "settings": []}"#;
        let host = Collector {
            name: "host".to_owned(),
            program: PathBuf::from("/x"),
            description: Ok(Described::read("host", description).expect("a description")),
        };
        let catalogue = Catalogue {
            collectors: vec![host],
            ..Catalogue::default()
        };
        let wide = "\
COLLECTOR  EVERY  STARTED  WHAT
host       1m     on       This machine, all of it.
";
        assert_eq!(text(&catalogue, &loaded, 0), wide);
        assert_eq!(text(&catalogue, &loaded, 60), wide);
        let narrow = "\
COLLECTOR  EVERY  STARTED
host       1m     on
    This machine, all of
      it.
";
        assert_eq!(text(&catalogue, &loaded, 25), narrow);
    }
}
