//! `tidemark-generator`: systemd runs it at boot and at each `daemon-reload`, and finds a service and a timer for each
//! collector that is installed.
//!
//! ```text
//! tidemark-generator [--root=DIR] NORMAL EARLY LATE
//! ```
//!
//! It writes the units of [`tidemark_catalogue::Plan`] into the folder NORMAL (`/run/systemd/generator`), and links into
//! its `tidemark.target.wants` for what the target starts. With `--root` the collectors and settings are those of an
//! image. A new collector so needs no step but to be put into `/usr/lib/tidemark/collectors`.
//!
//! It never holds up a boot (systemd.generator(7)): it always ends with 0, needs no `/var`, no `/tmp`, no bus and no
//! network, waits for nothing longer than some seconds, and tells of each collector that it leaves out in the kernel's log
//! (`journalctl -k -t tidemark-generator`), or on standard error where that cannot be written.
//!
//! An operator's own unit of the same name comes first: systemd takes one in `/etc/systemd/system` for the whole of the
//! generated one, and a link to `/dev/null` there (`systemctl mask tidemark-host.timer`) switches it off. A drop-in
//! (`systemctl edit tidemark-host.timer`) changes the generated one. One in `/usr/lib/systemd/system` is not seen.

mod log;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use tidemark_catalogue::{Plan, System};

use log::Log;

fn main() -> ExitCode {
    let mut log = Log::open();
    match arguments(std::env::args_os().skip(1)) {
        Ok(Arguments { root, folder }) => {
            let plan = Plan::for_system(&System::at(root));
            for notice in &plan.notices {
                log.warn(notice);
            }
            for fault in plan.write(&folder) {
                log.warn(&fault);
            }
        }
        Err(why) => log.warn(why),
    }
    log.end();
    ExitCode::SUCCESS
}

/// What systemd, or who makes an image, asks for.
#[derive(Debug, PartialEq)]
struct Arguments {
    root: PathBuf,
    folder: PathBuf,
}

/// Reads the command line without the program.
fn arguments(words: impl Iterator<Item = OsString>) -> Result<Arguments, &'static str> {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut root = PathBuf::from("/");
    let mut folders = Vec::new();
    for word in words {
        match word.as_bytes().strip_prefix(b"--root=") {
            Some(folder) => root = OsString::from_vec(folder.to_vec()).into(),
            None => folders.push(PathBuf::from(word)),
        }
    }
    match folders.into_iter().next() {
        Some(folder) if folder.is_absolute() && root.is_absolute() => Ok(Arguments { root, folder }),
        _ => Err(
            "systemd starts this, as tidemark-generator [--root=DIR] NORMAL EARLY LATE; `tidemark units` is for people",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, &'static str> {
        arguments(words.iter().map(OsString::from))
    }

    #[test]
    fn the_first_folder_is_written() {
        let expected = |root: &str| {
            Ok(Arguments {
                root: root.into(),
                folder: "/a".into(),
            })
        };
        assert_eq!(read(&["/a", "/b", "/c"]), expected("/"));
        assert_eq!(read(&["--root=/image", "/a", "/b", "/c"]), expected("/image"));
        assert_eq!(read(&["/a"]), expected("/"));
        for words in [
            &[][..],
            &["a", "b", "c"],
            &["--help"],
            &["--root=", "/a"],
            &["--root=i", "/a"],
        ] {
            assert!(
                read(words).is_err_and(|why| why.contains("tidemark units")),
                "{words:?}"
            );
        }
    }
}
