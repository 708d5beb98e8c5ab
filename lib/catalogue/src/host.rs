//! What all units of a host have in common, by its settings and its disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tidemark_settings::{Environment, Loaded, Places};
use tidemark_systemd::Host;

use crate::accounts;

/// Variables of `/etc/default/tidemark` that name what every program of the host reads.
const READ: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The mode's bit that lets the group write.
const GROUP_WRITES: u32 = 0o020;

/// The host as the settings have it; as it is without any where there are mistakes in them. What is to be said of it goes
/// into `notices`.
pub(crate) fn host(
    loaded: Option<&Loaded>,
    environment: &dyn Environment,
    root: &Path,
    notices: &mut Vec<String>,
) -> Host {
    let mut host = match loaded {
        Some(loaded) => Host::of(&loaded.settings),
        None => Host::new(),
    };
    host.settings_file = settings_file(environment);
    for name in READ {
        let path = environment.get_nonempty(name).map(PathBuf::from);
        host.sinks
            .read_paths
            .extend(path.filter(|path| path.is_absolute()));
    }
    for folder in &host.sinks.write_paths {
        match group(folder, root) {
            Ok(Some(group)) if !host.sinks.groups.contains(&group) => host.sinks.groups.push(group),
            Ok(_) => {}
            Err(why) => notices.push(format!("the folder {} of a sink {why}", folder.display())),
        }
    }
    host
}

/// The settings' file where the environment names one: units start in `/`.
pub(crate) fn settings_file(environment: &dyn Environment) -> Option<PathBuf> {
    let named = environment.get_nonempty("TIDEMARK_CONFIG")?;
    Some(Path::new("/").join(named))
}

/// The group whose members may write the folder; none where that takes no group.
fn group(folder: &Path, root: &Path) -> Result<Option<String>, String> {
    let below = below(root, folder);
    let found = match std::fs::metadata(&below) {
        Ok(found) => found,
        // The run says so, to whom it matters.
        Err(_) => return Ok(None),
    };
    if found.mode() & GROUP_WRITES == 0 {
        return Ok(None);
    }
    let gid = found.gid();
    if gid == 0 {
        return Err("is written by the group root, whose rights no collector gets; chgrp it".to_owned());
    }
    let name = accounts::group_name(root, gid);
    name.map(Some)
        .ok_or_else(|| format!("belongs to the group {gid}, which /etc/group does not name"))
}

/// An absolute path of the host, below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The places below `root`.
pub(crate) fn places(environment: &dyn Environment, root: &Path) -> Places {
    Places::new(environment, true, settings_file(environment)).below(root)
}
