//! `tidemark units print`: the units as they should be, on standard output or into a folder.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tidemark_app::exit::Failure;
use tidemark_systemd::{TARGET, Unit};

/// The units one after another, each after a comment that names its file; `systemctl cat` shows them so.
pub(super) fn text(units: &[Unit]) -> String {
    let mut out = String::new();
    for unit in units {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("# {}\n{}", unit.file_name, unit.text));
    }
    out
}

/// Writes the units into a folder, and links those that the target starts beside them. What else is there stays.
pub(super) fn write(units: &[Unit], folder: &Path) -> Result<(), Failure> {
    let wants = folder.join(format!("{TARGET}.wants"));
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    if units.iter().any(|unit| unit.wanted) {
        fs::create_dir_all(&wants).map_err(|error| cannot(&wants, &error))?;
    }
    for unit in units {
        let file = folder.join(&unit.file_name);
        let new = folder.join(format!(".{}.new", unit.file_name));
        write_file(&new, &unit.text).map_err(|error| cannot(&file, &error))?;
        fs::rename(&new, &file).map_err(|error| cannot(&file, &error))?;
        let link = wants.join(&unit.file_name);
        let unlinked = match fs::remove_file(&link) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        let linked = unlinked.and_then(|()| match unit.wanted {
            true => symlink(Path::new("..").join(&unit.file_name), &link),
            false => Ok(()),
        });
        // A folder without any wanted unit has no folder of links, which is no error.
        match linked {
            Err(error) if unit.wanted || wants.is_dir() => return Err(cannot(&link, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::run(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn unit(name: &str, text: &str, wanted: bool) -> Unit {
        Unit {
            file_name: name.to_owned(),
            text: text.to_owned(),
            wanted,
        }
    }

    #[test]
    fn units_follow_one_another() {
        let units = [
            unit("a.service", "[Service]\n", false),
            unit("a.timer", "[Timer]\n", true),
        ];
        assert_eq!(text(&units), "# a.service\n[Service]\n\n# a.timer\n[Timer]\n");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn a_folder_holds_them_and_their_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("new/units");
        let link = folder.join("tidemark.target.wants/a.timer");
        // Twice: what is there is replaced.
        for text in ["old", "new"] {
            let units = [unit("a.service", text, false), unit("a.timer", text, true)];
            write(&units, &folder).expect("written");
            assert_eq!(
                fs::read_to_string(folder.join("a.service")).expect("a file"),
                text
            );
            assert_eq!(fs::read_link(&link).expect("a link"), Path::new("../a.timer"));
            assert_eq!(fs::read_to_string(&link).expect("a file"), text);
        }
        write(&[unit("a.timer", "new", false)], &folder).expect("written");
        assert!(!link.exists());
        let names: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().collect();
        assert_eq!(names.len(), 3, "{names:?}");
        let why = write(&[], &folder.join("a.timer"))
            .expect_err("no folder")
            .to_string();
        assert!(why.contains("a.timer cannot be written: "), "{why}");
    }
}
