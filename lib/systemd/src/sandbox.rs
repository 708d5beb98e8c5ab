//! What a unit may do. All is closed, then opened as far as the needs go.

use std::path::{Path, PathBuf};

use crate::value::{self, checked_path};
use crate::{Host, Needs, UnitError};

/// The most paths, programs, groups or credentials in a unit.
const MOST: usize = 256;

/// Where systemd keeps the state of services; of it a unit sees tidemark's own.
pub(crate) const STATES: &str = "/var/lib";
/// The state folder, as `StateDirectory=tidemark` makes it.
const STATE: &str = "/var/lib/tidemark";

/// Folders of people, which `ProtectHome=` closes.
pub(crate) const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];
/// Folders of everybody, in whose place `PrivateTmp=` puts empty ones.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// Folders of others: their state, logs, mail and data, whatever their modes are, and the bus on which services answer.
const OTHERS: [&str; 10] = [
    "/boot",
    "/media",
    "/mnt",
    "/run/dbus",
    "/srv",
    "/var/backups",
    "/var/cache",
    STATES,
    "/var/log",
    "/var/spool",
];

/// Where programs and their libraries are; nothing else can be executed, and least of all what can be written.
const EXECUTABLE: [&str; 5] = ["-/usr", "-/bin", "-/sbin", "-/lib", "-/lib64"];

/// Mounts of their own, which `NoExecPaths=/` passes over once another key names them or makes them.
const NOT_EXECUTABLE: [&str; 5] = ["/", "-/dev/shm", "-/run", "-/tmp", "-/var/tmp"];

/// What only a program that runs others calls: signals to processes, of which those of the same user are another
/// collector's, and files without a name, which `NoExecPaths=` does not reach.
const OF_PROGRAMS: &str =
    "~kill memfd_create pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill";

/// The keys that are the same for all.
const CLOSED: [(&str, &str); 23] = [
    ("CapabilityBoundingSet", ""),
    ("DevicePolicy", "closed"),
    ("KeyringMode", "private"),
    ("LimitCORE", "0"),
    ("LockPersonality", "yes"),
    ("NoNewPrivileges", "yes"),
    ("PrivateIPC", "yes"),
    ("PrivateMounts", "yes"),
    ("PrivateUsers", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectSystem", "strict"),
    ("RemoveIPC", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallErrorNumber", "EPERM"),
    ("UMask", "0077"),
];

/// The keys of the sandbox and their values, in the order in which they are written.
pub(crate) fn sandbox(
    needs: &Needs,
    host: &Host,
    program: &Path,
) -> Result<Vec<(&'static str, String)>, UnitError> {
    let paths = Paths::of(needs, host, program)?;
    let mut keys: Vec<(&'static str, String)> = CLOSED.map(|(key, value)| (key, value.to_owned())).into();
    keys.push(("SystemCallFilter", "@system-service".to_owned()));
    keys.push(("SystemCallFilter", "~@privileged @resources".to_owned()));
    // A program that is not tidemark's may translate code as it runs.
    if needs.programs.is_empty() {
        keys.push(("SystemCallFilter", OF_PROGRAMS.to_owned()));
        keys.push(("MemoryDenyWriteExecute", "yes".to_owned()));
    }
    if needs.network || needs.listens || host.sinks.network {
        keys.push(("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6".to_owned()));
        // A program that is not tidemark's may answer on a port as it works: an address that a server connects to.
        if !needs.listens && needs.programs.is_empty() {
            keys.push(("SocketBindDeny", "any".to_owned()));
        }
    } else {
        keys.push(("RestrictAddressFamilies", "AF_UNIX".to_owned()));
        keys.push(("PrivateNetwork", "yes".to_owned()));
        keys.push(("IPAddressDeny", "any".to_owned()));
    }
    keys.extend(paths.keys()?);
    let groups = &host.sinks.groups;
    if groups.len() > MOST {
        return Err(UnitError::TooMany {
            of: "groups",
            most: MOST,
        });
    }
    for group in groups {
        keys.push((
            "SupplementaryGroups",
            value::account("a group", group)?.to_owned(),
        ));
    }
    Ok(keys)
}

/// The credentials, as `LoadCredential=` takes them.
pub(crate) fn credentials(host: &Host) -> Result<Vec<(&'static str, String)>, UnitError> {
    if host.credentials.len() > MOST {
        return Err(UnitError::TooMany {
            of: "credentials",
            most: MOST,
        });
    }
    let mut keys = Vec::new();
    for credential in &host.credentials {
        let name = value::credential(&credential.name)?;
        match &credential.file {
            None => keys.push(("LoadCredential", name)),
            Some(file) => {
                let file = value::path_to_the_end("a secret", file)?;
                keys.push(("LoadCredential", format!("{name}:{file}")));
                // Without it a file that is missing would stop the unit before the program can say which, and why.
                keys.push(("SetCredential", format!("{name}:\\n")));
            }
        }
    }
    Ok(keys)
}

/// What is to be seen and written, in their straight form.
struct Paths {
    reads: Vec<PathBuf>,
    writes: Vec<PathBuf>,
    programs: Vec<PathBuf>,
}

/// How far a folder that is closed by itself is open.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Folder {
    Closed,
    /// Something below it is to be seen.
    Partly,
    Open,
}

impl Paths {
    fn of(needs: &Needs, host: &Host, program: &Path) -> Result<Paths, UnitError> {
        let mut reads = straight("a need", &needs.paths)?;
        reads.extend(straight("a file that a sink reads", &host.sinks.read_paths)?);
        let settings = host.settings_file.as_deref().and_then(Path::parent);
        reads.extend(
            settings
                .map(|folder| straight_one("the settings", folder))
                .transpose()?,
        );
        let mut programs = vec![straight_one("the program", program)?];
        let named: Vec<PathBuf> = needs
            .programs
            .iter()
            .map(PathBuf::from)
            .filter(|program| program.is_absolute())
            .collect();
        programs.extend(straight("a program", &named)?);
        reads.extend(programs.clone());
        let mut writes = vec![PathBuf::from(STATE)];
        writes.extend(straight("a folder that a sink writes", &host.sinks.write_paths)?);
        for list in [&mut reads, &mut writes, &mut programs] {
            list.sort_unstable();
            list.dedup();
        }
        // What is written is seen; bound twice it would be either.
        reads.retain(|path| !writes.contains(path));
        Ok(Paths {
            reads,
            writes,
            programs,
        })
    }

    fn keys(&self) -> Result<Vec<(&'static str, String)>, UnitError> {
        let mut keys = Vec::new();
        let mut partly: Vec<&str> = Vec::new();

        let homes = HOMES.iter().map(|home| self.state_of(home)).max();
        let protect = match homes {
            Some(Folder::Open) => "read-only",
            Some(Folder::Partly) => "tmpfs",
            _ => "yes",
        };
        keys.push(("ProtectHome", protect.to_owned()));
        if homes == Some(Folder::Partly) {
            // Those that `ProtectHome=tmpfs` makes can be written, and what is written executed.
            for home in HOMES {
                keys.push(("TemporaryFileSystem", format!("{home}:ro")));
            }
            partly.extend(HOMES);
        }

        // Who wants to see `/` wants the filesystems; these can be asked by way of the empty folders as well.
        let named = |folder: &str| self.all().any(|path| path == Path::new(folder));
        let private = !TEMPORARY.iter().any(|&folder| named(folder));
        if private {
            partly.extend(TEMPORARY);
        }
        keys.push(("PrivateTmp", yes_or_no(private)));

        let devices = named("/dev");
        if !devices {
            partly.push("/dev");
        }
        keys.push(("PrivateDevices", yes_or_no(!devices)));
        let within_dev = self
            .all()
            .filter(|path| !devices && path.starts_with("/dev") && *path != Path::new("/dev"));
        for device in within_dev {
            keys.push(("DeviceAllow", format!("{} r", value::path("a device", device)?)));
        }

        let of_others = |path: &&PathBuf| is_process(path) || matches!(path.to_str(), Some("/" | "/proc"));
        let beside =
            |path: &&PathBuf| **path == Path::new("/") || (path.starts_with("/proc") && !is_process(path));
        let (processes, all) = (needs_any(&self.reads, of_others), needs_any(&self.reads, beside));
        keys.push((
            "ProtectProc",
            if processes { "default" } else { "invisible" }.to_owned(),
        ));
        keys.push(("ProcSubset", if all { "all" } else { "pid" }.to_owned()));

        let mut closed = Vec::new();
        for folder in OTHERS {
            match self.state_of(folder) {
                Folder::Closed => closed.push(format!("-{folder}")),
                Folder::Partly => {
                    keys.push(("TemporaryFileSystem", format!("{folder}:ro")));
                    partly.push(folder);
                }
                Folder::Open => {}
            }
        }
        if !closed.is_empty() {
            keys.push(("InaccessiblePaths", closed.join(" ")));
        }
        let bound = |path: &Path| {
            partly
                .iter()
                .any(|folder| path.starts_with(folder) && path != Path::new(folder))
        };
        // `ProtectSystem=` passes over what `ExecPaths=` names, and would undo it if that were `ReadOnlyPaths=`.
        keys.push(("BindReadOnlyPaths", EXECUTABLE.join(" ")));
        keys.push(("ReadOnlyPaths", "-/run".to_owned()));
        for path in &self.reads {
            if bound(path) || self.others().any(|program| program == path) {
                keys.push(("BindReadOnlyPaths", optional(path)?));
            }
        }
        for path in &self.writes {
            let key = if bound(path) {
                "BindPaths"
            } else {
                "ReadWritePaths"
            };
            keys.push((key, optional(path)?));
        }
        keys.push(("NoExecPaths", NOT_EXECUTABLE.join(" ")));
        let shown = self
            .all()
            .filter(|path| bound(path) || self.writes.contains(path));
        for path in shown.filter(|path| !self.programs.contains(path)) {
            keys.push(("NoExecPaths", optional(path)?));
        }
        keys.push(("ExecPaths", EXECUTABLE.join(" ")));
        for program in self.others() {
            keys.push(("ExecPaths", optional(program)?));
        }
        Ok(keys)
    }

    /// The programs that are not in the system's folders.
    fn others(&self) -> impl Iterator<Item = &PathBuf> {
        self.programs.iter().filter(|program| !is_executable(program))
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.reads.iter().chain(&self.writes)
    }

    fn state_of(&self, folder: &str) -> Folder {
        let states = self.all().map(|path| {
            if Path::new(folder).starts_with(path) {
                Folder::Open
            } else if path.starts_with(folder) {
                Folder::Partly
            } else {
                Folder::Closed
            }
        });
        states.max().unwrap_or(Folder::Closed)
    }
}

/// Whether the path is one process's, `/proc/1/…`.
fn is_process(path: &Path) -> bool {
    let within = path.strip_prefix("/proc").ok();
    let first = within.and_then(|within| within.iter().next());
    first.is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
}

fn needs_any(paths: &[PathBuf], of: impl Fn(&&PathBuf) -> bool) -> bool {
    paths.iter().any(|path| of(&path))
}

/// Whether the program is in a folder whose programs can be executed in any case.
fn is_executable(program: &Path) -> bool {
    EXECUTABLE
        .iter()
        .any(|folder| program.starts_with(folder.trim_start_matches('-')))
}

/// A path that need not be there: what is missing is for the program to say.
fn optional(path: &Path) -> Result<String, UnitError> {
    let text = checked_path("a need", path)?;
    Ok(value::word(&format!("-{text}")))
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn straight(of: &'static str, paths: &[PathBuf]) -> Result<Vec<PathBuf>, UnitError> {
    if paths.len() > MOST {
        return Err(UnitError::TooMany {
            of: "paths",
            most: MOST,
        });
    }
    paths.iter().map(|path| straight_one(of, path)).collect()
}

fn straight_one(of: &'static str, path: &Path) -> Result<PathBuf, UnitError> {
    checked_path(of, path)?;
    Ok(path.components().collect())
}
