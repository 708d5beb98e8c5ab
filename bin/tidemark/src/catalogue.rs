//! The collectors that are installed: programs called `tidemark-NAME`, each with its description.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tidemark_app::Surroundings;
use tidemark_app::exit::Failure;
use tidemark_collect::Description;
use tidemark_settings::Span;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// What a program's name begins with.
const PREFIX: &str = "tidemark-";

/// Names that are no collector's: the libraries' and the other programs'.
const RESERVED: [&str; 19] = [
    "app",
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

/// How long a program without a `NAME.json` may take to describe itself.
const ASK_TIME: Duration = Duration::from_secs(5);

/// How many programs are asked at once: each is a process, and a host may have hundreds.
const ASKED_AT_ONCE: usize = 16;

/// The most collectors that a message names.
const NAMED: usize = 20;

/// The longest description that is read.
const MAX_DESCRIPTION: u64 = 4 << 20;

/// A program that is called like a collector.
#[derive(Debug)]
pub(crate) struct Collector {
    /// Its name, without the prefix.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// What it says about itself, or why that cannot be known.
    pub(crate) description: Result<Described, Broken>,
}

/// A description whose spans are understood.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    /// All of it.
    pub(crate) description: Description,
    /// `run_interval`.
    pub(crate) run_interval: Span,
    /// `deadline`.
    pub(crate) deadline: Span,
}

/// Why a program is no collector that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All collectors, in the order of their names.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The collectors.
    pub(crate) collectors: Vec<Collector>,
    /// The folders that were looked at.
    pub(crate) folders: Vec<PathBuf>,
}

impl Catalogue {
    /// Finds the collectors, and asks those without a `NAME.json` for their description, many at once.
    pub(crate) async fn find(surroundings: &Surroundings) -> Self {
        let Installed { programs, folders } = Installed::find(surroundings);
        let mut tasks = tokio::task::JoinSet::new();
        let turns = Arc::new(Semaphore::new(ASKED_AT_ONCE));
        for (name, program) in programs {
            let turns = Arc::clone(&turns);
            tasks.spawn(async move {
                // Never closed: every one gets its turn.
                let _turn = turns.acquire().await;
                let description = describe(&name, &program).await;
                Collector {
                    name,
                    program,
                    description,
                }
            });
        }
        let mut collectors = tasks.join_all().await;
        collectors.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self { collectors, folders }
    }
}

/// The programs that are called like a collector, none of them asked: what runs one need not wait for the others.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The programs, by the collector's name.
    programs: BTreeMap<String, PathBuf>,
    /// The folders that were looked at.
    folders: Vec<PathBuf>,
}

impl Installed {
    /// Looks for them.
    pub(crate) fn find(surroundings: &Surroundings) -> Self {
        let program = std::env::current_exe().ok();
        let folders = surroundings.places.collectors(program.as_deref());
        let mut found = folders.iter().map(|folder| programs(folder));
        let programs = found.find(|found| !found.is_empty()).unwrap_or_default();
        Self { programs, folders }
    }

    /// The names of the collectors, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }

    /// The program of the collector called `name`.
    ///
    /// # Errors
    /// A [`Failure`] with exit code 2 that names those that are installed.
    pub(crate) fn program(&self, name: &str) -> Result<&Path, Failure> {
        if let Some(program) = self.programs.get(name) {
            return Ok(program);
        }
        if self.programs.is_empty() {
            return Err(Failure::usage(nothing_installed(&self.folders)));
        }
        let names: Vec<&str> = self.programs.keys().map(String::as_str).collect();
        let there = if names.len() > NAMED {
            "`tidemark list` lists them".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Err(Failure::usage(format!(
            "no collector is called {name:?}; {there}"
        )))
    }
}

/// Where collectors were looked for in vain, and what to do.
pub(crate) fn nothing_installed(folders: &[PathBuf]) -> String {
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
pub(crate) fn is_collector_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !RESERVED.contains(&name)
}

/// The files in `folder` that are called like a collector.
fn programs(folder: &Path) -> BTreeMap<String, PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let program = |entry: std::fs::DirEntry| {
        let file_name = entry.file_name();
        let name = file_name.to_str()?.strip_prefix(PREFIX)?;
        if !is_collector_name(name) {
            return None;
        }
        let path = entry.path();
        // A folder is something else; a file that cannot be run, or a link to nothing, is a collector that is broken.
        (!path.is_dir()).then(|| (name.to_owned(), path))
    };
    entries.flatten().filter_map(program).collect()
}

/// The description of `program`: from `NAME.json` beside it, else from itself.
pub(crate) async fn describe(name: &str, program: &Path) -> Result<Described, Broken> {
    check_program(program)?;
    let file = program.with_file_name(format!("{name}.json"));
    let (text, origin) = match read_bounded(&file) {
        Ok(Some(text)) => (text, file.display().to_string()),
        Ok(None) => (ask(program).await?, format!("{} --describe", program.display())),
        Err(error) => return Err(Broken(format!("{} cannot be read: {error}", file.display()))),
    };
    understand(name, &text).map_err(|why| Broken(format!("{origin}: {why}")))
}

/// Whether `program` is a file that can be run by anybody.
fn check_program(program: &Path) -> Result<(), Broken> {
    let broken = |why: String| Err(Broken(format!("{} {why}", program.display())));
    match std::fs::metadata(program) {
        Err(error) => broken(format!("cannot be looked at: {error}")),
        Ok(found) if !found.is_file() => broken("is no file".to_owned()),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => broken(format!(
            "cannot be run: its mode does not allow it; chmod +x {} makes it so",
            program.display()
        )),
        Ok(_) => Ok(()),
    }
}

fn read_bounded(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let file = match std::fs::File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(MAX_DESCRIPTION + 1).read_to_end(&mut text)?;
    Ok(Some(text))
}

async fn ask(program: &Path) -> Result<Vec<u8>, Broken> {
    let broken = |why: String| Broken(format!("{} --describe {why}", program.display()));
    let mut child = Command::new(program)
        .arg("--describe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| broken(format!("cannot be started: {error}")))?;
    let out = child.stdout.take();
    let answer = async {
        let mut text = Vec::new();
        if let Some(out) = out {
            out.take(MAX_DESCRIPTION + 1).read_to_end(&mut text).await?;
        }
        // A program that says more than is read would wait for its reader for ever.
        let status = if text.len() as u64 > MAX_DESCRIPTION {
            None
        } else {
            Some(child.wait().await?)
        };
        std::io::Result::Ok((text, status))
    };
    match tokio::time::timeout(ASK_TIME, answer).await {
        Ok(Ok((text, None))) => Ok(text),
        Ok(Ok((text, Some(status)))) if status.success() => Ok(text),
        Ok(Ok((_, Some(status)))) => Err(broken(format!("failed ({status})"))),
        Ok(Err(error)) => Err(broken(format!("cannot be read: {error}"))),
        Err(_) => Err(broken(format!("did not answer within {} s", ASK_TIME.as_secs()))),
    }
}

fn understand(name: &str, text: &[u8]) -> Result<Described, String> {
    if text.len() as u64 > MAX_DESCRIPTION {
        return Err(format!(
            "the description is longer than {} MiB",
            MAX_DESCRIPTION >> 20
        ));
    }
    let description: Description =
        serde_json::from_slice(text).map_err(|error| format!("this is no description: {error}"))?;
    if description.name != name {
        return Err(format!("this describes {:?}, not {name:?}", description.name));
    }
    let span = |key: &str, text: &str| {
        text.parse::<Span>()
            .map_err(|error| format!("{key} {text:?} is no time span: {error}"))
    };
    let run_interval = span("run_interval", &description.run_interval)?;
    let deadline = span("deadline", &description.deadline)?;
    if !["on", "off"].contains(&description.default.as_str()) {
        return Err(format!(
            "default is {:?}, not \"on\" or \"off\"",
            description.default
        ));
    }
    Ok(Described {
        description,
        run_interval,
        deadline,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const DESCRIPTION: &str = r#"{"name": "x", "summary": "X.", "version": "0.1.0", "run_interval": "1m",
        "deadline": "10m", "default": "on", "needs": {"network": false, "programs": [], "paths": []},
        "measurements": [], "settings": [], "later": 1}"#;

    pub(crate) fn described(name: &str, summary: &str) -> Described {
        let text = DESCRIPTION
            .replace("\"x\"", &format!("{name:?}"))
            .replace("X.", summary);
        understand(name, text.as_bytes()).expect("a description")
    }

    fn why(text: &str) -> String {
        understand("x", text.as_bytes()).expect_err("broken")
    }

    #[test]
    fn a_description_is_understood_with_keys_of_a_newer_program() {
        let described = understand("x", DESCRIPTION.as_bytes()).expect("a description");
        assert_eq!(described.run_interval, Span::minutes(1));
        assert_eq!(described.deadline, Span::minutes(10));
    }

    #[test]
    fn what_is_no_description_says_why() {
        assert!(why("").starts_with("this is no description: EOF"));
        assert!(why("{}").contains("missing field `name`"));
        assert_eq!(
            why(&DESCRIPTION.replace("\"x\"", "\"y\"")),
            "this describes \"y\", not \"x\""
        );
        assert!(why(&DESCRIPTION.replace("1m", "soon")).starts_with("run_interval \"soon\" is no time span"));
        assert!(why(&DESCRIPTION.replace("\"on\"", "\"maybe\"")).starts_with("default is \"maybe\""));
    }

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
    fn files_of_a_collectors_name_count_and_say_what_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").expect("write");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
        };
        make("tidemark-host", 0o755);
        make("tidemark-host.d", 0o755);
        make("tidemark-plain", 0o644);
        make("tidemark-generator", 0o755);
        make("tidemark", 0o755);
        std::fs::create_dir(folder.path().join("tidemark-folder")).expect("a folder");
        let names: Vec<String> = programs(folder.path()).into_keys().collect();
        assert_eq!(names, ["host", "plain"]);
        let why = |name: &str| check_program(&folder.path().join(name)).map_err(|broken| broken.to_string());
        assert_eq!(why("tidemark-host"), Ok(()));
        assert!(why("tidemark-plain").is_err_and(|why| why.contains("chmod +x")));
        assert!(why("tidemark-gone").is_err_and(|why| why.contains("No such file")));
        assert!(programs(&folder.path().join("gone")).is_empty());
    }
}
