//! The file on the disk: what is no file, what is too large, who may read it, and what it is in a unit.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tidemark_idic::Idic;
use tidemark_settings::{Places, SecretSource};

use crate::{GLOBAL, whole};

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join("idic.toml");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// What is said of the file, with `F` for its path.
    fn said(&self, path: &Path) -> String {
        let read = Idic::read(path, &Places::new(&BTreeMap::new(), false, None));
        let said = read.map(|_| ()).expect_err("a mistake").to_string();
        said.replace(&path.display().to_string(), "F")
    }
}

fn nowhere() -> Places {
    Places::new(&BTreeMap::new(), false, None)
}

#[test]
fn what_is_no_file_is_said() {
    let folder = Folder::new();
    let path = folder.0.path();
    assert_eq!(
        folder.said(path),
        "F: is a directory; name a regular file instead"
    );
    assert_eq!(
        folder.said(&path.join("not-there")),
        "F: does not exist; create it, or name another"
    );
    let fifo = path.join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    assert_eq!(
        folder.said(&fifo),
        "F: is not a regular file; name a regular file instead"
    );
    let large = folder.file(vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        folder.said(&large),
        "F: is longer than 1024 KiB; name the right file, or make it smaller"
    );
    let latin = folder.file(b"[global]\nversion = \"v0.39\"\n# caf\xe9\n");
    assert_eq!(
        folder.said(&latin),
        "F:3:6: a byte that is not UTF-8 text; write the file in UTF-8 instead"
    );
    assert_eq!(
        folder.said(&folder.file("[global\nversion = v0.39\n")),
        "F:1:8: a header without its closing ]; write [section] instead"
    );
    assert_eq!(
        folder.said(&folder.file("")),
        "F: [global] has no `version`; write version = \"v0.39\" in it"
    );
}

#[test]
fn passwords_that_others_may_read_are_noticed_once() {
    let folder = Folder::new();
    // A file counts as others' where they may come at it.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let second = crate::CLUSTER.replace("cl1", "cl2");
    let path = folder.file([whole(), second].concat());
    let notices = |path: &Path| Idic::read(path, &nowhere()).unwrap().notices().to_vec();
    assert_eq!(notices(&path), [""; 0]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = path.display();
    assert_eq!(
        notices(&path),
        [format!(
            "{shown}: it holds passwords, and every user of this host may read it; run chmod o= {shown}"
        )]
    );
    fs::write(&path, whole().replace("sekrit", "$env:P")).unwrap();
    assert_eq!(notices(&path), [""; 0]);
}

#[test]
fn variables_are_looked_up_for_who_collects() {
    let folder = Folder::new();
    let text = whole().replace("sekrit", "$env:ONEFS_1");
    let disabled = crate::CLUSTER
        .replace("cl1", "cl2")
        .replace("sekrit", "$env:ONEFS_2")
        .replace("verify-ssl = true", "disabled = true");
    let path = folder.file([text, disabled].concat());
    assert!(Idic::read(&path, &nowhere()).is_ok());
    let mut environment = BTreeMap::new();
    let said = Idic::read_to_collect(&path, &nowhere(), &environment).expect_err("one is not set");
    assert_eq!(
        said.to_string().replace(&path.display().to_string(), "F"),
        "F:12:12: `password` is in $ONEFS_1, which is not set; set this environment variable, for units in \
         /etc/default/tidemark"
    );
    environment.insert("ONEFS_1".to_owned(), "p".into());
    assert!(Idic::read_to_collect(&path, &nowhere(), &environment).is_ok());
}

/// Whoever may read everything is not refused, so that this holds where tests do not run as root.
#[test]
fn a_file_that_systemd_hands_on_counts_where_it_cannot_be_read() {
    let folder = Folder::new();
    let path = folder.file(whole());
    let held = folder.0.path().join("credentials");
    fs::create_dir(&held).unwrap();
    let name = SecretSource::File(path.clone()).credential_name().unwrap();
    fs::write(held.join(name), whole().replace("cl1", "handed-on")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let environment = BTreeMap::from([("CREDENTIALS_DIRECTORY".to_owned(), held.into_os_string())]);
    let places = Places::new(&environment, false, None);
    let idic = Idic::read(&path, &places).unwrap();
    if fs::read(&path).is_ok() {
        assert_eq!(idic.clusters[0].hostname, "cl1");
        return;
    }
    assert_eq!(idic.clusters[0].hostname, "handed-on");
    assert!(
        idic.notices()
            .iter()
            .any(|notice| notice.contains("at the next start only"))
    );
}

/// As many clusters, groups and keys as a file can hold, all of them once more.
#[test]
fn a_large_file_takes_no_longer_than_its_length() {
    let clusters = |count: usize| -> String {
        (0..count)
            .map(|index| format!("[[cluster]]\nhostname = \"c{index}\"\nusername = \"u\"\npassword = \"p\"\nverify-ssl = true\n"))
            .collect()
    };
    let groups = |count: usize| -> String {
        (0..count)
            .map(|index| {
                format!(
                    "[[statgroup]]\nname = \"cpu\"\nupdate_interval = \"x\"\nstats = [\"k\", \"k{index}\"]\n"
                )
            })
            .collect()
    };
    // How long this thread has a processor: what else the machine does is not in it.
    let busy = || {
        let time = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        time.as_secs_f64()
    };
    let time = |text: String| {
        let begin = busy();
        let _ = Idic::parse(&text, Path::new("F"));
        busy() - begin
    };
    let text = |count| [GLOBAL.to_owned(), clusters(count), groups(count)].concat();
    let (small, large) = (time(text(400)), time(text(4000)));
    assert!(large < small.max(0.02) * 40.0, "{small} s, then {large} s");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a text is, nothing panics, and no mistake quotes a password.
    #[test]
    fn any_change_of_the_file_is_read_or_said(
        at in 0..1000_usize,
        // Too short to make the password the value of the key before it.
        length in 0..12_usize,
        put in prop_oneof![
            "[ -~\n]{0,10}",
            ".{0,5}",
            prop::sample::select(vec!["[[cluster]]\n", "\"", "=", "[", "{", "}", "\\", "\n[global]\n", "nan", "1e999"])
                .prop_map(str::to_owned),
        ],
    ) {
        let mut text: Vec<char> = whole().replace("sekrit", "hunter2hunter2").chars().collect();
        let at = at % text.len();
        let end = (at + length).min(text.len());
        text.splice(at..end, put.chars());
        let text: String = text.into_iter().collect();
        match Idic::parse(&text, Path::new("F")) {
            Ok(idic) => {
                let said = [idic.notices(), idic.notes()].concat().join("\n");
                let settings = idic.to_settings();
                prop_assert!(!settings.contains("hunter2hunter2") && !said.contains("hunter2hunter2"));
                let _ = (idic.sink(), idic.prometheus());
            }
            Err(mistakes) => prop_assert!(!mistakes.to_string().contains("hunter2hunter2"), "{}", mistakes),
        }
    }
}
