//! The collectors: whether those that are started are there, can be used, and find what they need.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use tidemark_catalogue::Timing;
use tidemark_collect::{Description, chain, one_line};
use tidemark_delivery::Finding;
use tidemark_settings::{Environment, Loaded, NamedSecret};

use super::{Part, Sources};
use crate::catalogue::{Catalogue, Collector, nothing_installed};
use crate::list::as_recorded;

/// A finding for each collector that is started; the others are named.
pub(super) fn part(from: &Sources<'_>, catalogue: &Catalogue, loaded: Option<&Loaded>) -> Part {
    let mut checks = Vec::new();
    let mut off = Vec::new();
    for collector in &catalogue.collectors {
        let timing = match loaded {
            Some(loaded) => Timing::of(collector, loaded),
            None => as_recorded(collector, None),
        };
        if timing.enabled {
            checks.push((collector.name.as_str(), one(from, collector, timing, loaded)));
        } else {
            off.push(collector.name.as_str());
        }
    }
    let mut findings: Vec<Finding> = checks
        .into_iter()
        .map(|(name, finding)| Finding {
            check: name.to_owned().into(),
            ..finding
        })
        .collect();
    if catalogue.collectors.is_empty() {
        let said = nothing_installed(&catalogue.folders);
        let (found, advice) = said.split_once(": ").unwrap_or((&said, ""));
        findings.push(Finding::warning(STEP, found, advice));
    } else if !off.is_empty() {
        findings.push(Finding::not_tried("off", off.join(", ")));
    }
    Part::new("collectors", "collectors", findings)
}

/// The check's name.
const STEP: &str = "collector";

fn one(from: &Sources<'_>, collector: &Collector, timing: Timing, loaded: Option<&Loaded>) -> Finding {
    let described = match &collector.description {
        Ok(described) => &described.description,
        Err(broken) => {
            let said = one_line(broken);
            return match said.split_once("; ") {
                Some((found, advice)) => Finding::failed(STEP, found, advice),
                None => Finding::failed(STEP, said, "install it again, or remove it"),
            };
        }
    };
    if let Some(error) = loaded.and_then(|loaded| missing_secret(from, collector, loaded)) {
        let said = one_line(&error);
        return match said.rsplit_once("; ") {
            Some((found, advice)) => Finding::failed(STEP, found, advice),
            None => Finding::failed(STEP, said, "mend it in the settings"),
        };
    }
    if let Some(program) = missing_program(described, &from.command.here.environment) {
        let found = format!("it needs the program {program}, which is in no folder of $PATH");
        return Finding::failed(STEP, found, "install the package that has it");
    }
    let paths = described.needs.paths.iter().map(String::as_str);
    let missing: Vec<&str> = paths.filter(|path| !is_readable(Path::new(path))).collect();
    if !missing.is_empty() {
        let found = format!("it reads {}, which this user cannot", missing.join(", "));
        return Finding::warning(STEP, found, "without that, some of what it measures is missing");
    }
    Finding::ok(
        STEP,
        format!("every {}, from {}", timing.interval, collector.program.display()),
    )
}

/// Why the first of a collector's own secrets that does not resolve does not.
fn missing_secret(from: &Sources<'_>, collector: &Collector, loaded: &Loaded) -> Option<String> {
    let here = &from.command.here;
    let keys = collector.known().keys.unwrap_or_default();
    let secrets = loaded.secrets(&collector.name, &keys);
    secrets
        .into_iter()
        .find_map(|NamedSecret { key, place, source }| {
            // Read as the state's owner, as a run does.
            let error = source.resolve(&here.environment, &here.places).err()?;
            Some(format!("{place}: `{key}`: {}", chain(&error)))
        })
}

/// The first program that a collector runs and that is not there.
fn missing_program<'a>(described: &'a Description, environment: &dyn Environment) -> Option<&'a str> {
    let path = environment.get("PATH").unwrap_or_default();
    let is_there = |program: &str| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(program))
            .any(|file| file.is_file() && accessat(CWD, &file, Access::EXEC_OK, AtFlags::EACCESS).is_ok())
    };
    let mut programs = described.needs.programs.iter().map(String::as_str);
    programs.find(|program| !is_there(program))
}

fn is_readable(path: &Path) -> bool {
    accessat(CWD, path, Access::READ_OK, AtFlags::EACCESS).is_ok()
}
