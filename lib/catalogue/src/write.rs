//! Units as files, and the links by which the target wants them.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tidemark_systemd::{TARGET, Unit};

use crate::side_by_side;

/// Writes the units into the folder, with links in `tidemark.target.wants`; what could not be written, a sentence each.
pub(crate) fn write(units: &[Unit], folder: &Path) -> Vec<String> {
    let wants = folder.join(format!("{TARGET}.wants"));
    if let Err(error) = fs::create_dir_all(&wants) {
        return vec![format!("no units: {} cannot be made: {error}", wants.display())];
    }
    let of_one: Vec<&[Unit]> = units.chunk_by(|a, b| stem(a) == stem(b)).collect();
    let faults = side_by_side::map(&of_one, |units| write_one(units, folder, &wants));
    faults.into_iter().flatten().collect()
}

/// The unit's name without its suffix.
fn stem(unit: &Unit) -> &str {
    let name = unit.file_name.as_str();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Writes the units of one collector: where its service cannot be written, not its timer either, which would have nothing
/// to start.
fn write_one(units: &[Unit], folder: &Path, wants: &Path) -> Option<String> {
    units.iter().find_map(|unit| {
        let file = folder.join(&unit.file_name);
        let link = wants.join(&unit.file_name);
        let written = replace(&file, &unit.text).and_then(|()| match unit.wanted {
            true => relink(&Path::new("..").join(&unit.file_name), &link),
            false => remove(&link),
        });
        let error = written.err()?;
        Some(format!("{} cannot be written: {error}", file.display()))
    })
}

/// Puts a file with this text there. One that is cut off could be a unit without its sandbox: whole, or none.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let written = write_new(new, text).and_then(|()| fs::rename(new, file));
    if written.is_err() {
        let _ = fs::remove_file(new);
    }
    written
}

/// Whoever else may write the folder could have put a link there, which would have root write what it leads to.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    remove(file)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(file)?;
    file.write_all(text.as_bytes())?;
    // For everybody to read, whatever the caller's umask.
    file.set_permissions(Permissions::from_mode(0o644))
}

fn relink(to: &Path, link: &Path) -> io::Result<()> {
    match symlink(to, link) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(link)?;
            symlink(to, link)
        }
        linked => linked,
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(file_name: &str, wanted: bool) -> Unit {
        Unit {
            file_name: file_name.to_owned(),
            text: format!("# {file_name}\n"),
            wanted,
        }
    }

    #[test]
    fn units_are_written_and_wanted_ones_linked() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/units");
        let wants = folder.join("tidemark.target.wants");
        let mut units = [unit("tidemark-a.service", false), unit("tidemark-a.timer", true)];
        // Again into the same folder, as a person may: what is there is replaced.
        for text in ["old", "new"] {
            units[0].text = text.to_owned();
            assert_eq!(write(&units, &folder), Vec::<String>::new());
            for Unit { file_name, text, .. } in &units {
                let file = folder.join(file_name);
                assert_eq!(&fs::read_to_string(&file).unwrap(), text);
                assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
            }
            assert_eq!(fs::read_dir(&wants).unwrap().count(), 1);
            let link = fs::read_link(wants.join("tidemark-a.timer")).unwrap();
            assert_eq!(link, Path::new("../tidemark-a.timer"));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "nothing else is left");

        units[1].wanted = false;
        assert_eq!(write(&units, &folder), Vec::<String>::new());
        assert_eq!(fs::read_dir(&wants).unwrap().count(), 0);
    }

    /// A folder that others may write, as a person may name one: no file elsewhere is written.
    #[test]
    fn links_are_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let precious = elsewhere.path().join("precious");
        fs::write(&precious, "as it was").unwrap();
        let wants = folder.path().join("tidemark.target.wants");
        fs::create_dir(&wants).unwrap();
        for name in [
            "tidemark-a.timer",
            "tidemark-a.timer.new",
            "tidemark.target.wants/tidemark-a.timer",
        ] {
            symlink(&precious, folder.path().join(name)).unwrap();
        }
        assert_eq!(
            write(&[unit("tidemark-a.timer", true)], folder.path()),
            Vec::<String>::new()
        );
        assert_eq!(fs::read_to_string(&precious).unwrap(), "as it was");
        let file = folder.path().join("tidemark-a.timer");
        assert!(file.symlink_metadata().unwrap().is_file());
        let link = fs::read_link(wants.join("tidemark-a.timer")).unwrap();
        assert_eq!(link, Path::new("../tidemark-a.timer"));
    }

    #[test]
    fn a_service_that_cannot_be_written_has_no_timer() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tidemark-a.service")).unwrap();
        let units = [
            unit("tidemark-a.service", false),
            unit("tidemark-a.timer", true),
            unit("tidemark-b.service", false),
            unit("tidemark-b.timer", true),
        ];
        let faults = write(&units, folder.path());
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].contains("tidemark-a.service cannot be written"),
            "{faults:?}"
        );
        assert!(!folder.path().join("tidemark-a.timer").exists());
        assert!(!folder.path().join("tidemark-a.service.new").exists());
        assert!(
            folder
                .path()
                .join("tidemark.target.wants/tidemark-b.timer")
                .exists()
        );
        let nowhere = write(&units, Path::new("/dev/null/x"));
        assert!(nowhere[0].starts_with("no units: "), "{nowhere:?}");
    }
}
