//! The collectors that are installed: programs called `tidemark-NAME`, each with its description.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tidemark_app::Surroundings;
use tidemark_collect::Description;
use tidemark_settings::Span;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

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
    /// Finds the collectors, and asks those without a `NAME.json` for their description, all at once.
    pub(crate) async fn find(surroundings: &Surroundings) -> Self {
        let program = std::env::current_exe().ok();
        let folders = surroundings.places.collectors(program.as_deref());
        let programs = folders
            .iter()
            .map(|folder| programs(folder))
            .find(|found| !found.is_empty());
        let mut tasks = tokio::task::JoinSet::new();
        for (name, program) in programs.unwrap_or_default() {
            tasks.spawn(async move {
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

    /// The collector called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Collector> {
        self.collectors.iter().find(|collector| collector.name == name)
    }
}

/// Whether `name` may be a collector's: `[a-z][a-z0-9-]*`, and not reserved.
pub(crate) fn is_collector_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !RESERVED.contains(&name)
}

/// The programs in `folder` that are called like a collector.
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
        let metadata = std::fs::metadata(&path).ok()?;
        (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then(|| (name.to_owned(), path))
    };
    entries.flatten().filter_map(program).collect()
}

/// The description of `program`: from `NAME.json` beside it, else from itself.
async fn describe(name: &str, program: &Path) -> Result<Described, Broken> {
    let file = program.with_file_name(format!("{name}.json"));
    let (text, origin) = match read_bounded(&file) {
        Ok(Some(text)) => (text, file.display().to_string()),
        Ok(None) => (ask(program).await?, format!("{} --describe", program.display())),
        Err(error) => return Err(Broken(format!("{} cannot be read: {error}", file.display()))),
    };
    understand(name, &text).map_err(|why| Broken(format!("{origin}: {why}")))
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
mod tests {
    use super::*;

    const DESCRIPTION: &str = r#"{"name": "x", "summary": "X.", "version": "0.1.0", "run_interval": "1m",
        "deadline": "10m", "default": "on", "needs": {"network": false, "programs": [], "paths": []},
        "measurements": [], "settings": [], "later": 1}"#;

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
    fn only_programs_count() {
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
        assert_eq!(names, ["host"]);
        assert!(programs(&folder.path().join("gone")).is_empty());
    }
}
