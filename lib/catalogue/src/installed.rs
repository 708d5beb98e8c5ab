use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use crate::broken::short_line;

/// What a program's name begins with.
const PREFIX: &str = "tidemark-";

/// Names that are no collector's: the libraries' and the other programs'.
const RESERVED: [&str; 20] = [
    "app",
    "catalogue",
    "cluster",
    "collect",
    "delivery",
    "derive",
    "expose",
    "flush",
    "generator",
    "hub",
    "point",
    "settings",
    "stories",
    "store",
    "systemd",
    "testkit",
    "tests",
    "tsdb",
    "ubuntu",
    "units",
];

/// The most collectors that a message names.
const NAMED: usize = 20;

/// The most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// The most files of a wrong name that are told of.
const MOST_NOTICES: usize = 100;

/// The programs that are called like a collector, none of them asked: what runs one need not wait for the others.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    /// The programs, by the collector's name.
    pub(crate) programs: BTreeMap<String, PathBuf>,
    /// The folders that were looked at.
    pub(crate) folders: Vec<PathBuf>,
    /// What is in the folder and cannot be a collector's program though it is called like one.
    pub(crate) notices: Vec<String>,
}

impl Installed {
    /// Looks for them: the first of the folders that holds any counts.
    #[must_use]
    pub fn find(folders: &[PathBuf]) -> Installed {
        let mut notices = Vec::new();
        let mut programs = BTreeMap::new();
        for folder in folders {
            let found = look(folder);
            programs = found.programs;
            notices.extend(found.notices);
            if !programs.is_empty() {
                break;
            }
        }
        Installed {
            programs,
            folders: folders.to_vec(),
            notices,
        }
    }

    /// The names of the collectors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }

    /// The program of the collector called `name`.
    ///
    /// # Errors
    /// Where there is none; the error names those that are installed.
    pub fn program(&self, name: &str) -> Result<&Path, NotInstalled> {
        if let Some(program) = self.programs.get(name) {
            return Ok(program);
        }
        if self.programs.is_empty() {
            return Err(NotInstalled(nothing_installed(&self.folders)));
        }
        let names: Vec<&str> = self.names().collect();
        let there = if names.len() > NAMED {
            "`tidemark list` lists them".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Err(NotInstalled(format!("no collector is called {name:?}; {there}")))
    }
}

/// No collector of that name is installed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotInstalled(String);

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NotInstalled {}

/// Where collectors were looked for in vain, and what to do.
#[must_use]
pub fn nothing_installed(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    format!(
        "no collectors are installed in {}: put programs called tidemark-NAME there, or set TIDEMARK_COLLECTORS to their \
         folder",
        folders.join(" or ")
    )
}

/// Whether `name` may be a collector's: `[a-z][a-z0-9-]*`, and not reserved.
#[must_use]
pub fn is_collector_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !RESERVED.contains(&name)
}

/// The files in `folder` that are called like a collector.
fn look(folder: &Path) -> Installed {
    let mut found = Installed::default();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for (count, entry) in entries.flatten().enumerate() {
        if count == MOST_ENTRIES {
            found.notices.push(format!(
                "{} holds more than {MOST_ENTRIES} files: the others are not looked at",
                folder.display()
            ));
            break;
        }
        match name(&entry) {
            Some(Ok(name)) => {
                found.programs.insert(name, entry.path());
            }
            Some(Err(why)) if found.notices.len() < MOST_NOTICES => {
                let path = format!("{:?}", entry.path());
                found.notices.push(short_line(&format!("{path} {why}")));
            }
            _ => {}
        }
    }
    found.notices.sort_unstable();
    found
}

/// The name of the collector whose program this could be, or why there is no such; `None` for what is called otherwise.
fn name(entry: &DirEntry) -> Option<Result<String, &'static str>> {
    let file_name = entry.file_name();
    let bytes = file_name.as_encoded_bytes().strip_prefix(PREFIX.as_bytes())?;
    let name = OsStr::to_str(&file_name)
        .and_then(|name| name.strip_prefix(PREFIX))
        .filter(|name| is_collector_name(name));
    let Some(name) = name else {
        let known = |name: &str| {
            // The other programs, where they lie beside the collectors; and what a package puts beside a program for a
            // moment (`tidemark-host.dpkg-new`), or an editor.
            let stem = name.split_once('.').map(|(stem, _)| stem);
            RESERVED.contains(&name) || stem.is_some_and(is_collector_name)
        };
        let why = "is not called as a collector is: lower-case letters, digits and -, a letter first";
        return (!std::str::from_utf8(bytes).is_ok_and(known)).then_some(Err(why));
    };
    // A file that cannot be run, or a link to nothing, is a collector that is broken.
    let is_folder = match entry.file_type() {
        Ok(of_type) if of_type.is_symlink() => entry.path().is_dir(),
        of_type => of_type.is_ok_and(|of_type| of_type.is_dir()),
    };
    Some(if is_folder {
        Err("is a folder, not a collector's program")
    } else {
        Ok(name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn names_follow_the_rule() {
        for name in ["host", "rls-bugs", "a", "x9"] {
            assert!(is_collector_name(name), "{name}");
        }
        for name in [
            "",
            "9x",
            "-x",
            "Host",
            "host.d",
            "generator",
            "hub",
            "store",
            "a_b",
            "é",
        ] {
            assert!(!is_collector_name(name), "{name}");
        }
    }

    #[test]
    fn files_of_a_collectors_name_are_programs_and_others_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &[u8]| std::fs::write(folder.path().join(OsStr::from_bytes(name)), "").unwrap();
        for name in [
            b"tidemark-host".as_slice(),
            b"tidemark-plain",
            b"host.json",
            b"tidemark-generator",
            b"tidemark",
            b"tidemark-host.d",
            b"tidemark-host.dpkg-new",
            b"tidemark-Host",
            b"tidemark-a\nb%n;",
            b"tidemark-\xff",
        ] {
            make(name);
        }
        std::fs::create_dir(folder.path().join("tidemark-folder")).unwrap();
        let found = Installed::find(&[folder.path().join("gone"), folder.path().to_owned()]);
        assert_eq!(found.names().collect::<Vec<_>>(), ["host", "plain"]);
        assert!(found.program("host").unwrap().ends_with("tidemark-host"));
        assert_eq!(
            found.program("x").unwrap_err().to_string(),
            "no collector is called \"x\"; there are host, plain"
        );
        let wrong = [
            "tidemark-Host",
            "tidemark-\\xFF",
            "tidemark-a\\nb%n;",
            "tidemark-folder",
        ];
        assert_eq!(found.notices.len(), wrong.len(), "{:?}", found.notices);
        for (notice, name) in found.notices.iter().zip(wrong) {
            assert!(notice.contains(name), "{notice}");
        }
    }

    /// What lies in `/usr/bin` and is no collector hides none of those that lie elsewhere.
    #[test]
    fn the_first_folder_with_programs_counts() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        std::fs::write(folders[0].path().join("tidemark-Other"), "").unwrap();
        std::fs::write(folders[1].path().join("tidemark-host"), "").unwrap();
        let paths = folders.each_ref().map(|folder| folder.path().to_owned());
        let found = Installed::find(&paths);
        assert_eq!(found.names().collect::<Vec<_>>(), ["host"]);
        assert_eq!(found.notices.len(), 1);
        std::fs::write(folders[0].path().join("tidemark-first"), "").unwrap();
        let found = Installed::find(&paths);
        assert_eq!(found.names().collect::<Vec<_>>(), ["first"]);
    }

    #[test]
    fn a_folder_without_end_is_looked_at_to_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MOST_ENTRIES {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        let found = Installed::find(&[folder.path().to_owned()]);
        assert!(
            found.notices[0].contains("more than 10000 files"),
            "{:?}",
            found.notices
        );
    }

    #[test]
    fn where_there_is_none_the_folders_are_named() {
        let found = Installed::find(&["/nowhere/a".into(), "/nowhere/b".into()]);
        let said = found.program("x").unwrap_err().to_string();
        assert!(
            said.starts_with("no collectors are installed in /nowhere/a or /nowhere/b: "),
            "{said}"
        );
    }
}
