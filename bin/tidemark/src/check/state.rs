//! The state folder: whose it is, whether this user may write in it, and whether there is room.

use std::error::Error as _;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;
use tidemark_collect::one_line;
use tidemark_delivery::Finding;
use tidemark_settings::KeepFree;

use super::{Part, Sources};
use crate::wording::{counted, size};

/// The most files of the folder that are looked at, and the most that are named.
const LOOKED_AT: usize = 10_000;
const NAMED: usize = 3;

/// The folder and what is in it; `outbox` is what was found of that.
pub(super) fn part(from: &Sources<'_>, outbox: Vec<Finding>) -> Part {
    let state = match &from.state {
        Ok(state) => *state,
        Err(error) => {
            let (found, advice) = error.rsplit_once("; ").unwrap_or((error, ""));
            let mut checks = vec![Finding::failed("folder", found, advice)];
            checks.extend(outbox);
            return Part::new("state", "state", checks);
        }
    };
    let mut checks = Vec::new();
    match &from.owner {
        Err(error) => {
            let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
            let said = error.to_string();
            let (found, advice) = said.split_once("; ").unwrap_or((&said, "run this as that user"));
            checks.push(Finding::failed(
                "folder",
                one_line(format!("{found}{cause}")),
                advice,
            ));
        }
        Ok(()) => {
            checks.extend(folder(state));
            checks.extend(disk(from, state));
        }
    }
    checks.extend(outbox);
    checks.extend(crate::state::elsewhere(from.command, state).map(|hint| elsewhere(&hint)));
    Part::new("state", format!("state  {}", state.display()), checks)
}

/// That this is not the host's own state.
fn elsewhere(hint: &str) -> Finding {
    let (found, advice) = hint.rsplit_once(": ").unwrap_or((hint, "run this as root"));
    Finding::warning("place", found, advice)
}

fn folder(state: &Path) -> Vec<Finding> {
    const STEP: &str = "folder";
    let shown = state.display();
    let found = match std::fs::metadata(state) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => {
            let advice = "move it away, or set STATE_DIRECTORY to a folder";
            return vec![Finding::failed(STEP, format!("{shown} is no folder"), advice)];
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return vec![missing(state)],
        Err(error) => {
            let found = format!("{shown} cannot be looked at: {error}");
            return vec![Finding::failed(
                STEP,
                found,
                "run this as the state's owner or as root",
            )];
        }
    };
    let user = rustix::process::geteuid().as_raw();
    let whose = if found.uid() == user {
        format!("{}, who can write in it", whose(user))
    } else {
        format!("{}; this user, {user}, can write in it", whose(found.uid()))
    };
    match access(state, Access::WRITE_OK | Access::EXEC_OK | Access::READ_OK) {
        Ok(()) => {
            let mut findings = vec![Finding::ok(STEP, whose)];
            findings.extend(files(state, &found));
            findings
        }
        Err(error) => vec![not_writable(state, Some(&found), error)],
    }
}

/// Nothing has made it yet: whether a run can.
fn missing(state: &Path) -> Finding {
    let above = state.ancestors().skip(1).find(|folder| folder.exists());
    match above.map(|above| (above, access(above, Access::WRITE_OK | Access::EXEC_OK))) {
        Some((_, Ok(()))) => Finding::ok("folder", "not made yet: the first run makes it"),
        Some((above, Err(error))) => {
            let found = std::fs::metadata(above).ok();
            let Finding { found, .. } = not_writable(above, found.as_ref(), error);
            let found = format!("not made yet, and no run can make it: {found}");
            let user = rustix::process::geteuid().as_raw();
            let advice = format!(
                "run this as root, or let root make it: install -d -m 0750 -o {user} {}",
                state.display()
            );
            Finding::failed("folder", found, advice)
        }
        None => Finding::failed(
            "folder",
            "no folder above it is there",
            "set STATE_DIRECTORY to a folder",
        ),
    }
}

fn whose(user: u32) -> String {
    match user {
        0 => "root's".to_owned(),
        user => format!("user {user}'s"),
    }
}

fn not_writable(folder: &Path, found: Option<&Metadata>, error: Errno) -> Finding {
    const STEP: &str = "folder";
    let shown = folder.display();
    match (error, found) {
        (Errno::ROFS, _) => {
            let found = format!("{shown} is on a file system that is mounted read-only");
            Finding::failed(
                STEP,
                found,
                "mount it for writing, and look at the disk: the kernel does so on errors",
            )
        }
        (Errno::ACCESS | Errno::PERM, Some(found)) => {
            let owner = match found.uid() {
                0 => "root".to_owned(),
                owner => format!("user {owner}"),
            };
            let user = rustix::process::geteuid().as_raw();
            let said = format!(
                "{shown} is {}, and this user, {user}, may not write in it",
                whose(found.uid())
            );
            let advice = match owner.as_str() {
                "root" => "run this as root".to_owned(),
                owner => format!("run this as {owner} or as root"),
            };
            Finding::failed(STEP, said, advice)
        }
        (error, _) => {
            let error = std::io::Error::from(error);
            Finding::failed(
                STEP,
                format!("{shown} cannot be written: {error}"),
                "look at the disk",
            )
        }
    }
}

/// Whether the effective user may: root may have become the state's owner.
fn access(path: &Path, access: Access) -> Result<(), Errno> {
    accessat(CWD, path, access, AtFlags::EACCESS)
}

/// Files that runs cannot write, and what was set aside.
fn files(state: &Path, folder: &Metadata) -> Vec<Finding> {
    let entries = std::fs::read_dir(state).into_iter().flatten().flatten();
    let (mut foreign, mut aside, mut aside_bytes) = (Vec::new(), Vec::new(), 0);
    for entry in entries.take(LOOKED_AT) {
        let Ok(found) = entry.metadata() else { continue };
        let name = one_line(entry.file_name().to_string_lossy());
        if found.uid() != folder.uid() {
            foreign.push(format!("{name} ({})", whose(found.uid())));
        }
        if name.contains(".damaged-") && !name.ends_with("-wal") {
            aside_bytes += found.len();
            aside.push(name);
        }
    }
    foreign.sort_unstable();
    aside.sort_unstable();
    let mut findings = Vec::new();
    if !foreign.is_empty() {
        let found = format!("not the folder's owner's: {}", some(&foreign));
        let advice = format!("chown -R {}:{} {}", folder.uid(), folder.gid(), state.display());
        findings.push(Finding::failed("owner", found, advice));
    }
    if !aside.is_empty() {
        let found = format!("set aside as damaged, {}: {}", size(aside_bytes), some(&aside));
        findings.push(Finding::warning(
            "remains",
            found,
            "remove them once nobody needs them",
        ));
    }
    findings
}

/// The first of them, and how many more there are.
fn some(names: &[String]) -> String {
    let mut said = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        said.push_str(&format!(
            " and {}",
            counted((names.len() - NAMED) as u64, "more", "more")
        ));
    }
    said
}

/// The room on the disk, and what must stay free.
fn disk(from: &Sources<'_>, state: &Path) -> Option<Finding> {
    const STEP: &str = "disk";
    let there = state.ancestors().find(|folder| folder.exists())?;
    let disk = statvfs(there).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let all = disk.f_blocks.saturating_mul(disk.f_frsize);
    let keep_free = match from.settings {
        Some(settings) => settings.outbox.keep_free,
        None => KeepFree::Usual,
    };
    let kept = keep_free.bytes(all);
    let found = format!("{} free of {}", size(free), size(all));
    Some(if free < kept {
        let found = format!(
            "{found}, less than outbox.keep_free ({}): what waits longest is dropped",
            size(kept)
        );
        Finding::failed(STEP, found, "free space on it")
    } else if free < kept.saturating_mul(2) {
        let found = format!("{found}; under {} what waits longest is dropped", size(kept));
        Finding::warning(STEP, found, "free space on it")
    } else {
        Finding::ok(STEP, found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_state_is_pointed_at() {
        let hint = "this is the state in /home/u; the host's own is in /var/lib/tidemark: run this as root to look at it";
        assert_eq!(
            elsewhere(hint),
            Finding::warning(
                "place",
                "this is the state in /home/u; the host's own is in /var/lib/tidemark",
                "run this as root to look at it"
            )
        );
    }

    #[test]
    fn a_folder_that_fails_otherwise_says_how() {
        let finding = not_writable(Path::new("/s"), None, Errno::IO);
        assert_eq!(
            finding.found,
            "/s cannot be written: Input/output error (os error 5)"
        );
    }

    #[test]
    fn few_names_stand_for_many() {
        let names: Vec<String> = (0..5).map(|number| number.to_string()).collect();
        assert_eq!(some(&names), "0, 1, 2 and 2 more");
    }
}
