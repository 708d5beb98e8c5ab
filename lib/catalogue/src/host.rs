//! What all units of a host have in common, by its settings and its disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tidemark_settings::{Environment, Loaded, Places, accounts};
use tidemark_systemd::Host;

/// Variables of `/etc/default/tidemark` that name what every program of the host reads.
const READ: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The mode's bit that lets the group write.
const GROUP_WRITES: u32 = 0o020;

/// How long the folders of all sinks may take to be looked at. One on a server that is gone, or that systemd itself would
/// have to mount, while it waits for its generators, takes for ever.
const LOOK_TIME: Duration = Duration::from_secs(2);

/// What is said of such a folder.
const SILENT: &str =
    "does not answer: units are made without its group; see that it is mounted, then `tidemark units sync`";

/// What is said of a file of gostats that does not answer.
const FILE_SILENT: &str =
    "does not answer: units are made without its sink; see that it is mounted, then `tidemark units sync`";

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
    let end = Instant::now() + LOOK_TIME;
    let folders = host.sinks.write_paths.clone();
    // All at once: one that hangs takes no time from the others.
    let looks: Vec<_> = folders
        .into_iter()
        .map(|folder| {
            let (of, root) = (folder.clone(), root.to_owned());
            (folder, begin(move || group(&of, &root)))
        })
        .collect();
    for (folder, look) in looks {
        let looked = look.recv_timeout(end.saturating_duration_since(Instant::now()));
        match looked.unwrap_or_else(|_| Err(SILENT.to_owned())) {
            Ok(Some(group)) if !host.sinks.groups.contains(&group) => host.sinks.groups.push(group),
            Ok(_) => {}
            Err(why) => notices.push(format!("the folder {} of a sink {why}", folder.display())),
        }
    }
    host
}

/// Adds the sink of the file of gostats that the settings name, where they have none.
pub(crate) fn add_collectors_sink(loaded: &mut Loaded, places: &Places, root: &Path) {
    let named = tidemark_idic::named_file(loaded).filter(|_| loaded.has_default_sink);
    let Some(file) = named else {
        return;
    };
    let (path, places) = (below(root, &file), places.clone());
    let read = begin(move || tidemark_idic::Idic::read(&path, &places));
    match read.recv_timeout(LOOK_TIME) {
        Ok(read) => tidemark_idic::add_sink_of(loaded, read),
        Err(_) => loaded.sinks_in_doubt = Some(format!("{} {FILE_SILENT}", file.display())),
    }
}

/// Begins work in a thread of its own, which is left behind where it hangs.
fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    // Without a thread nothing is sent, as where it hangs.
    let _ = thread::Builder::new().spawn(move || {
        let _ = sender.send(work());
    });
    receiver
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
    name.map(Some).ok_or_else(|| {
        format!("belongs to the group {gid}, which /etc/group does not name; chgrp it, or name the group")
    })
}

/// An absolute path of the host, below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The places below `root`.
pub(crate) fn places(environment: &dyn Environment, root: &Path) -> Places {
    Places::new(environment, true, settings_file(environment)).below(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_left_behind() {
        let (held, never) = channel::<()>();
        let hangs = begin(move || never.recv().is_ok());
        assert!(hangs.recv_timeout(Duration::from_millis(20)).is_err());
        assert_eq!(begin(|| 5).recv_timeout(Duration::from_secs(60)), Ok(5));
        drop(held);
    }
}
