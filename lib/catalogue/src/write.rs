//! Units as files, and the links by which the target wants them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
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
        let written = write_whole(&file, &unit.text).and_then(|()| {
            if unit.wanted {
                link(wants, &unit.file_name)
            } else {
                Ok(())
            }
        });
        let error = written.err()?;
        Some(format!("{} cannot be written: {error}", file.display()))
    })
}

/// A file that is cut off could be a unit without its sandbox: whole, or none.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let written = fs::write(file, text);
    if written.is_err() {
        let _ = fs::remove_file(file);
    }
    written
}

fn link(wants: &Path, file_name: &str) -> io::Result<()> {
    match symlink(Path::new("..").join(file_name), wants.join(file_name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
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
        let units = [unit("tidemark-a.service", false), unit("tidemark-a.timer", true)];
        // Again into the same folder, as a person may.
        for _ in 0..2 {
            assert_eq!(write(&units, folder.path()), Vec::<String>::new());
        }
        for Unit { file_name, text, .. } in &units {
            assert_eq!(&fs::read_to_string(folder.path().join(file_name)).unwrap(), text);
        }
        let wants = folder.path().join("tidemark.target.wants");
        assert_eq!(fs::read_dir(&wants).unwrap().count(), 1);
        assert_eq!(
            fs::read_to_string(wants.join("tidemark-a.timer")).unwrap(),
            "# tidemark-a.timer\n"
        );
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
