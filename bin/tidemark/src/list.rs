//! `tidemark list`: which collectors are installed, and what starts them.

use std::path::Path;
use std::process::ExitCode;

use tidemark_app::exit::{self, Failure};
use tidemark_catalogue::Timing;
use tidemark_collect::one_line;
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

/// What switches on those that are off for want of a section: the first one's section, and how many they are.
pub(crate) fn wanting_a_section(catalogue: &Catalogue, loaded: &Loaded) -> Option<(String, usize)> {
    let mut wanting = catalogue.collectors.iter().filter(|collector| {
        collector.description.is_ok()
            && !Timing::of(collector, loaded).enabled
            && loaded.common(&collector.name).enabled.is_none()
    });
    let first = format!("[collector.{}]", wanting.next()?.name);
    Some((first, wanting.count() + 1))
}

/// Prints the table.
pub(crate) fn list(command: &Command) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    let catalogue = catalogue::find(&command.here);
    let mut screen = text(&catalogue, &loaded, terminal_width());
    screen += &how_to_switch_on(&catalogue, &loaded, command.here.places.config());
    exit::print(screen.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The line to write, and where; nothing where no section is wanting.
fn how_to_switch_on(catalogue: &Catalogue, loaded: &Loaded, config: &Path) -> String {
    let Some((section, count)) = wanting_a_section(catalogue, loaded) else {
        return String::new();
    };
    let which = if count == 1 {
        "To switch it on, write its section".to_owned()
    } else {
        format!("{count} are off. To switch one on, write its section")
    };
    let file = one_line(config.display());
    format!("\n{which} into {file}, and keys beneath it where the defaults will not do:\n    {section}\n")
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

    fn load(settings: &str) -> Loaded {
        let environment = BTreeMap::new();
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("tidemark.toml");
        std::fs::write(&config, settings).expect("write");
        let from = LoadFrom {
            places: &Places::new(&environment, false, Some(config)),
            environment: &environment,
            hostname: "h".to_owned(),
            known_collectors: None,
        };
        Settings::load(&from).expect("settings")
    }

    fn collector(name: &str, default: &str) -> Collector {
        let description = format!(
            r#"{{"name": "{name}", "summary": "This machine, all of it.", "version": "0.1.0", "run_interval": "1m",
            "deadline": "10m", "default": "{default}", "needs": {{"network": false, "programs": [], "paths": []}},
            "measurements": [], "settings": []}}"#
        );
        Collector {
            name: name.to_owned(),
            program: PathBuf::from("/x"),
            description: Ok(Described::read(name, description.as_bytes()).expect("a description")),
        }
    }

    fn catalogue(collectors: Vec<Collector>) -> Catalogue {
        Catalogue {
            collectors,
            ..Catalogue::default()
        }
    }

    #[test]
    fn a_narrow_terminal_has_the_summary_beneath() {
        let (catalogue, loaded) = (catalogue(vec![collector("host", "on")]), load(""));
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

    #[test]
    fn what_is_off_for_want_of_a_section_is_switched_on_by_one() {
        let loaded = load("[collector.disabled]\nenabled = false\n");
        let hint = |collectors| how_to_switch_on(&catalogue(collectors), &loaded, Path::new("/etc/t.toml"));
        let (on, disabled) = (collector("host", "on"), collector("disabled", "off"));
        assert_eq!(hint(vec![on, disabled]), "");
        assert_eq!(
            hint(vec![collector("cnf", "off")]),
            "\nTo switch it on, write its section into /etc/t.toml, and keys beneath it where the defaults will not do:\n    \
             [collector.cnf]\n"
        );
        assert_eq!(
            hint(vec![collector("cnf", "off"), collector("images", "off")]),
            "\n2 are off. To switch one on, write its section into /etc/t.toml, and keys beneath it where the defaults will \
             not do:\n    [collector.cnf]\n"
        );
    }
}
