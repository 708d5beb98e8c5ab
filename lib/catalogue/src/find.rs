use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tidemark_settings::KnownCollector;

use crate::described::LONGEST_DESCRIPTION;
use crate::{Broken, Described, Installed, Patience, Trust, ask, file, side_by_side};

/// A program that is called like a collector.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Its name, without the prefix.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// What it says about itself, or why that cannot be known.
    pub description: Result<Described, Broken>,
}

impl Collector {
    /// It as the settings' check takes it. Nobody knows the keys of one that is broken, and none is wrong then.
    #[must_use]
    pub fn known(&self) -> KnownCollector {
        KnownCollector {
            name: self.name.clone(),
            keys: self.description.as_ref().ok().map(Described::keys),
        }
    }
}

/// All collectors, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The collectors.
    pub collectors: Vec<Collector>,
    /// The folders that were looked at.
    pub folders: Vec<PathBuf>,
    /// What lies there and is no collector though it is called like one: a sentence each.
    pub notices: Vec<String>,
}

impl Catalogue {
    /// Finds the collectors in the first of the folders that holds any, reads the `NAME.json` beside each, and asks those
    /// without one, many at once. Takes as long as programs take that hang ([`Trust`] has the bounds): not for a thread
    /// on which others wait.
    #[must_use]
    pub fn find(folders: &[PathBuf], trust: &Trust) -> Catalogue {
        Catalogue::find_within(folders, trust, Patience::of(trust))
    }

    pub(crate) fn find_within(folders: &[PathBuf], trust: &Trust, patience: Patience) -> Catalogue {
        let found = Installed::find(folders);
        let mut notices = found.notices;
        let mut programs = found.programs;
        // Who may write the folder may put anything in it, root's own files from elsewhere too.
        if let Some(folder) = programs.values().next().and_then(|program| program.parent())
            && let Err(why) = check_folder(folder, trust)
        {
            notices.push(format!(
                "no collector is taken from {}: it {why}",
                folder.display()
            ));
            programs.clear();
        }
        let programs: Vec<(String, PathBuf)> = programs.into_iter().collect();
        let read = side_by_side::map(&programs, |(name, program)| {
            read(name, program, trust).transpose()
        });
        let silent = programs.iter().zip(&read).filter(|(_, read)| read.is_none());
        let asked = silent.map(|((_, program), _)| program.clone()).collect();
        let mut answers = ask::ask(asked, trust, patience).into_iter();
        let collectors = programs
            .into_iter()
            .zip(read)
            .map(|((name, program), description)| Collector {
                description: description.unwrap_or_else(|| understand(&name, &program, answers.next())),
                name,
                program,
            })
            .collect();
        Catalogue {
            collectors,
            folders: found.folders,
            notices,
        }
    }
}

/// The description of one collector: from `NAME.json` beside its program, else from itself. Takes as long as the program,
/// within the bounds of [`Trust`].
///
/// # Errors
/// Why it is no collector that could be used.
pub fn describe(name: &str, program: &Path, trust: &Trust) -> Result<Described, Broken> {
    if let Some(described) = read(name, program, trust)? {
        return Ok(described);
    }
    let mut answers = ask::ask(vec![program.to_owned()], trust, Patience::of(trust));
    understand(name, program, answers.pop())
}

/// The description that lies beside a program; none where it has to be asked.
fn read(name: &str, program: &Path, trust: &Trust) -> Result<Option<Described>, Broken> {
    check_program(program, trust).map_err(|why| Broken::new(&format!("{} {why}", program.display())))?;
    let beside = program.with_file_name(format!("{name}.json"));
    let broken = |why: String| Broken::new(&format!("{}{why}", beside.display()));
    let text = file::read(&beside, LONGEST_DESCRIPTION, trust).map_err(|why| broken(format!(" {why}")))?;
    text.map(|text| Described::read(name, &text))
        .transpose()
        .map_err(|why| broken(format!(": {why}")))
}

fn understand(name: &str, program: &Path, answer: Option<ask::Answer>) -> Result<Described, Broken> {
    let broken = |why: String| Broken::new(&format!("{} --describe{why}", program.display()));
    let answer = answer.unwrap_or_else(|| Err("was not asked".to_owned()));
    let text = answer.map_err(|why| broken(format!(" {why}")))?;
    Described::read(name, &text).map_err(|why| broken(format!(": {why}")))
}

/// Whether `program` is a file that can be run by anybody, and that may be.
fn check_program(program: &Path, trust: &Trust) -> Result<(), String> {
    let found = look(program, trust)?;
    if found.is_symlink() {
        return Err("is a link; put the program itself there".to_owned());
    }
    if !found.is_file() {
        return Err("is no file".to_owned());
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Err(format!(
            "cannot be run: its mode does not allow it; chmod +x {} makes it so",
            program.display()
        ));
    }
    trust.check(&found)
}

fn look(path: &Path, trust: &Trust) -> Result<Metadata, String> {
    let found = if trust.follows_links() {
        std::fs::metadata(path)
    } else {
        std::fs::symlink_metadata(path)
    };
    found.map_err(|error| format!("cannot be looked at: {error}"))
}

fn check_folder(folder: &Path, trust: &Trust) -> Result<(), String> {
    let found = look(folder, trust)?;
    if found.is_symlink() {
        return Err("is a link; put the folder itself there".to_owned());
    }
    trust.check(&found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_run_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        make("tidemark-host", 0o755);
        make("tidemark-plain", 0o644);
        make("tidemark-open", 0o777);
        std::os::unix::fs::symlink(
            folder.path().join("tidemark-host"),
            folder.path().join("tidemark-link"),
        )
        .unwrap();
        let why = |name: &str, trust: &Trust| check_program(&folder.path().join(name), trust);
        let system = Trust::System(None);
        for trust in [&Trust::Caller, &system] {
            assert_eq!(why("tidemark-host", trust), Ok(()));
            assert!(why("tidemark-plain", trust).is_err_and(|why| why.contains("chmod +x")));
            assert!(why("tidemark-gone", trust).is_err_and(|why| why.contains("No such file")));
        }
        assert_eq!(why("tidemark-link", &Trust::Caller), Ok(()));
        assert_eq!(why("tidemark-open", &Trust::Caller), Ok(()));
        assert!(why("tidemark-link", &system).is_err_and(|why| why.contains("is a link")));
        assert!(why("tidemark-open", &system).is_err_and(|why| why.contains("written by others")));
    }
}
