//! A system of its own in a folder: collectors, settings, lists of users and groups.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tidemark_catalogue::{Catalogue, Patience, Plan, System};

/// A system that has nothing but an empty folder of collectors.
pub(crate) struct Scene(TempDir);

impl Scene {
    pub(crate) fn new() -> Scene {
        let scene = Scene(tempfile::tempdir().expect("a folder"));
        // For the user as whom programs are asked.
        mode(scene.0.path(), 0o755);
        scene.folder("usr/lib/tidemark/collectors");
        scene
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// A folder that root alone may write.
    pub(crate) fn folder(&self, path: &str) -> PathBuf {
        let mut folder = self.0.path().to_owned();
        for part in Path::new(path) {
            folder.push(part);
            if !folder.exists() {
                fs::create_dir(&folder).expect("a folder");
                mode(&folder, 0o755);
            }
        }
        folder
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>, bits: u32) -> PathBuf {
        let path = self.path(path);
        fs::write(&path, content).expect("a file");
        mode(&path, bits);
        path
    }

    pub(crate) fn collector(&self, file_name: &str) -> PathBuf {
        self.path("usr/lib/tidemark/collectors").join(file_name)
    }

    /// A program that says nothing: what it is stands beside it.
    pub(crate) fn described(&self, name: &str, description: impl AsRef<[u8]>) {
        self.script(name, "exit 1");
        self.file(
            &format!("usr/lib/tidemark/collectors/{name}.json"),
            description,
            0o644,
        );
    }

    /// A program that is a script.
    pub(crate) fn script(&self, name: &str, script: &str) {
        let file = format!("usr/lib/tidemark/collectors/tidemark-{name}");
        self.file(&file, format!("#!/bin/sh\n{script}\n"), 0o755);
    }

    /// A program that says what it is.
    pub(crate) fn answering(&self, name: &str) {
        self.script(name, &says(&description(name)));
    }

    pub(crate) fn settings(&self, text: &str) {
        self.folder("etc/tidemark");
        self.file("etc/tidemark/tidemark.toml", text, 0o640);
    }

    /// Which waits longer for what programs say than a host that boots: the machine may be busy with other tests.
    fn system(&self) -> System {
        self.system_within(60, 120)
    }

    fn system_within(&self, each: u64, all: u64) -> System {
        let patience = Patience {
            each: Duration::from_secs(each),
            all: Some(Duration::from_secs(all)),
        };
        System {
            patience,
            ..System::at(self.0.path())
        }
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        self.system().catalogue()
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::for_system(&self.system())
    }

    /// The plan where each program may take so many seconds to say what it is, and all of them so many.
    pub(crate) fn plan_within(&self, each: u64, all: u64) -> Plan {
        Plan::for_system(&self.system_within(each, all))
    }

    /// The text of a unit of the plan.
    pub(crate) fn unit(&self, file_name: &str) -> String {
        let plan = self.plan();
        let unit = plan.units.iter().find(|unit| unit.file_name == file_name);
        unit.unwrap_or_else(|| panic!("no {file_name}: {:#?}", plan.notices))
            .text
            .clone()
    }
}

pub(crate) fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("its own");
}

/// A description without anything special.
pub(crate) fn description(name: &str) -> String {
    format!(
        "{{\"name\": \"{name}\", \"summary\": \"Of {name}.\", \"version\": \"0.1.0\", \"run_interval\": \"5m\", \
         \"deadline\": \"10m\", \"default\": \"on\", \"needs\": {{\"network\": false, \"programs\": [], \"paths\": []}}, \
         \"measurements\": [], \"settings\": []}}"
    )
}

/// The script that prints this.
pub(crate) fn says(text: &str) -> String {
    format!("cat <<'END'\n{text}\nEND")
}

/// The collectors whose timers are planned.
pub(crate) fn timers(plan: &Plan) -> Vec<&str> {
    plan.units
        .iter()
        .filter_map(|unit| unit.file_name.strip_prefix("tidemark-")?.strip_suffix(".timer"))
        .filter(|name| *name != "flush")
        .collect()
}
