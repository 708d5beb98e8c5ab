//! `tidemark units`: the units that systemd should have, and whether it has them.
//!
//! | file | what it holds |
//! |---|---|
//! | [`sync`](mod@sync) | what is done so that the manager follows |
//! | [`steps`](mod@steps) | what is to be done, by what should be, what was and what is; pure |
//! | [`verify`](mod@verify) | what differs, and what to do; pure |
//! | [`generated`](mod@generated) | the units that the generator has written |
//! | [`manager`](mod@manager) | the manager's view, by `systemctl` |
//! | [`record`](mod@record) | what the last sync knew, and the lock |
//! | [`secrets`](mod@secrets) | what a service is handed at its start |
//!
//! What should be comes from [`Plan::for_system`], as what the generator writes does: the settings in /etc/tidemark, whatever
//! the environment of who calls says.

mod generated;
mod manager;
mod record;
mod secrets;
mod steps;
mod sync;
mod verify;
#[cfg(test)]
mod world;

use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::process::geteuid;
use tidemark_app::block_on;
use tidemark_app::exit::{self, Failure, complain};
use tidemark_catalogue::{Plan, System};
use tidemark_settings::Environment as _;
use tidemark_systemd::{TARGET, Unit};

use crate::arguments::UnitsAction;
use crate::table::terminal_width;
use crate::wording::counted;
use crate::{Command, PROGRAM};
use record::fingerprint;
use sync::{Done, Due, Machine};

/// What has a sync run when a collector or a setting changes.
const PATH_UNIT: &str = "tidemark-units.path";
/// What has one run when a secret changes.
const SECRETS_PATH_UNIT: &str = "tidemark-units.secrets.path";
/// The program that writes the units at boot and at each reload.
const GENERATOR: &str = "tidemark-generator";
/// What a process reads at its start, beside its own files.
const SETTINGS: [&str; 2] = ["/etc/tidemark/tidemark.toml", "/etc/default/tidemark"];
/// What is read after it.
const SETTINGS_FOLDER: &str = "/etc/tidemark/conf.d";
/// The most of a settings file that is looked at.
const MAX_SETTINGS: u64 = 16 << 20;

/// Does what `tidemark units` is asked.
pub(crate) fn units(command: &Command, action: &UnitsAction) -> Result<ExitCode, Failure> {
    if command.config.is_some() {
        return Err(Failure::usage(
            "--config has no meaning for `tidemark units`: units go by /etc/tidemark/tidemark.toml",
        ));
    }
    match action {
        UnitsAction::Print { to } => print(to.as_deref()),
        UnitsAction::Sync { wait } => {
            only_root("sync", "it changes what systemd runs")?;
            only_systemd()?;
            sync(*wait)
        }
        UnitsAction::Verify { json } => {
            only_root("verify", "the settings are not everybody's to read")?;
            only_systemd()?;
            verify(command, *json)
        }
    }
}

fn only_root(action: &str, why: &str) -> Result<(), Failure> {
    match geteuid().is_root() {
        true => Ok(()),
        false => Err(Failure::run(format!(
            "{why}: run `tidemark units {action}` as root"
        ))),
    }
}

fn only_systemd() -> Result<(), Failure> {
    match Path::new("/run/systemd/system").is_dir() {
        true => Ok(()),
        false => Err(Failure::run(
            "systemd is not this machine's manager (there is no /run/systemd/system): `tidemark up` runs the collectors \
             without it",
        )),
    }
}

fn plan() -> Plan {
    Plan::for_system(&System::at("/"))
}

fn print(to: Option<&Path>) -> Result<ExitCode, Failure> {
    let plan = plan();
    let faults = match to {
        Some(folder) => plan.write(folder),
        None => {
            exit::print(text(&plan.units).as_bytes())?;
            Vec::new()
        }
    };
    notice(&plan.notices);
    for fault in &faults {
        complain(PROGRAM, fault);
    }
    Ok(match faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(exit::FAILED),
    })
}

/// The units one after another, each after a comment that names its file; `systemctl cat` shows them so.
fn text(units: &[Unit]) -> String {
    let mut out = String::new();
    for unit in units {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("# {}\n{}", unit.file_name, unit.text));
    }
    out
}

fn notice(notices: &[String]) {
    for notice in notices {
        complain(PROGRAM, &format!("notice: {notice}"));
    }
}

fn sync(wait: bool) -> Result<ExitCode, Failure> {
    let machine = Machine::this();
    let is_done = block_on(async {
        let first = machine.sync(due).await?;
        tell(&first)?;
        if !wait || first.leaving.is_empty() {
            return Ok(first.complaints.is_empty());
        }
        let ended = machine.let_end(&first.leaving).await?;
        let mut second = machine.sync(due).await?;
        second.lines.splice(0..0, ended.lines);
        second.complaints.extend(ended.complaints);
        tell(&second)?;
        Ok(second.complaints.is_empty())
    })?;
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

/// What should be, looked at now.
fn due() -> Due {
    let [main, variables] = SETTINGS.map(Path::new);
    Due {
        plan: plan(),
        settings: settings_fingerprint(&[main, variables], Path::new(SETTINGS_FOLDER)),
    }
}

/// Says what was done, and what could not be.
fn tell(done: &Done) -> Result<(), Failure> {
    let mut text = done.lines.join("\n");
    if done.lines.is_empty() && done.complaints.is_empty() {
        text = format!(
            "nothing to do: {} as they should be",
            counted(done.plan.units.len() as u64, "unit is", "units are")
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    if !done.is_active {
        text.push_str(&format!("{TARGET} is not active: nothing was started\n"));
    }
    exit::print(text.as_bytes())?;
    notice(&done.plan.notices);
    for complaint in &done.complaints {
        complain(PROGRAM, complaint);
    }
    Ok(())
}

/// A number that differs where the settings do: of the files, and of those in the folder, by name.
fn settings_fingerprint(files: &[&Path], folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort_unstable();
    let all = files.iter().copied().chain(paths.iter().map(PathBuf::as_path));
    let parts = all.flat_map(|path| {
        let name = fingerprint(path.as_os_str().as_encoded_bytes());
        [name, fingerprint(&read(path))].map(u64::to_le_bytes)
    });
    fingerprint(&parts.collect::<Vec<_>>().concat())
}

/// The bytes of a file; none of one that cannot be read, or is something else.
fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if path.is_file()
        && let Ok(file) = fs::File::open(path)
    {
        let _ = file.take(MAX_SETTINGS).read_to_end(&mut bytes);
    }
    bytes
}

fn verify(command: &Command, json: bool) -> Result<ExitCode, Failure> {
    let machine = Machine::this();
    let due = due();
    let report = block_on(machine.verify(&due))?;
    if json {
        exit::print(&report.to_json())?;
    } else {
        let plain = command.here.environment.get_nonempty("NO_COLOR").is_some();
        let colour = std::io::stdout().is_terminal() && !plain;
        exit::print(report.screen(colour, terminal_width()).as_bytes())?;
        notice(&due.plan.notices);
    }
    Ok(ExitCode::from(if report.differs() {
        exit::FAILED
    } else {
        exit::OK
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_one_another() {
        let unit = |file_name: &str, text: &str| Unit {
            file_name: file_name.to_owned(),
            text: text.to_owned(),
            wanted: false,
        };
        let units = [unit("a.service", "[Service]\n"), unit("a.timer", "[Timer]\n")];
        assert_eq!(text(&units), "# a.service\n[Service]\n\n# a.timer\n[Timer]\n");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn settings_that_change_have_another_fingerprint() {
        let folder = tempfile::tempdir().expect("a folder");
        let [main, more] = ["main.toml", "conf.d"].map(|name| folder.path().join(name));
        let of = || settings_fingerprint(&[&main, &folder.path().join("gone")], &more);
        let mut seen = vec![of()];
        fs::write(&main, "a").expect("write");
        seen.push(of());
        fs::create_dir(&more).expect("a folder");
        fs::write(more.join("README"), "a").expect("write");
        assert_eq!(of(), seen[1], "nobody reads it");
        fs::write(more.join("a.toml"), "").expect("write");
        seen.push(of());
        fs::write(more.join("a.toml"), "a").expect("write");
        seen.push(of());
        fs::rename(more.join("a.toml"), more.join("b.toml")).expect("rename");
        seen.push(of());
        assert_eq!(of(), seen[4]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }
}
