//! The secrets that systemd hands a service at its start, and not again.

use std::path::{Path, PathBuf};

use tidemark_systemd::Unit;

use super::record::{file_identity, fingerprint};

/// Where systemd looks for a credential that is named without a file (systemd.exec(5)).
const STORES: [&str; 3] = ["/etc/credstore", "/run/credstore", "/usr/lib/credstore"];

/// A number that differs once one of the unit's secrets has another file; 0 while one has none. What is in a file is not
/// looked at: a number of it would tell of the secret.
pub(super) fn identity(unit: &Unit) -> u64 {
    identity_in(&STORES.map(Path::new), unit)
}

fn identity_in(stores: &[&Path], unit: &Unit) -> u64 {
    let mut parts = Vec::new();
    for credential in unit
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("LoadCredential="))
    {
        let found = files(stores, credential)
            .iter()
            .map(|file| file_identity(file))
            .find(|identity| *identity != 0);
        let Some(identity) = found else {
            return 0;
        };
        parts.extend(identity.to_le_bytes());
    }
    fingerprint(&parts)
}

/// The files of which the first that is there holds the credential, `NAME` or `NAME:FILE` as it is in a unit.
fn files(stores: &[&Path], credential: &str) -> Vec<PathBuf> {
    let credential = credential.replace("%%", "%");
    match credential.split_once(':') {
        Some((_, file)) => vec![PathBuf::from(file)],
        None => stores.iter().map(|store| store.join(&credential)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tidemark_settings::{SecretSource, Span};
    use tidemark_systemd::{Collector, Host, Needs, units};

    use super::*;

    /// A service that stays, with these secrets.
    fn staying(secrets: &[SecretSource]) -> Unit {
        let collector = Collector {
            name: "a".to_owned(),
            summary: String::new(),
            program: "/usr/bin/a".into(),
            interval: Span::secs(5),
            deadline: Span::secs(5),
            needs: Needs::default(),
        };
        let mut host = Host::new();
        host.add_secret(secrets);
        units(&collector, &host).expect("units").remove(0)
    }

    #[test]
    fn a_secret_that_is_replaced_has_another_identity() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        let [first, second] = ["first", "second"].map(place);
        for store in [&first, &second] {
            fs::create_dir(store).expect("a folder");
        }
        let identity = |unit: &Unit| identity_in(&[&first, &second], unit);
        let none = identity(&staying(&[]));
        assert_ne!(none, 0);

        let unit = staying(&[
            SecretSource::Credential("100%".to_owned()),
            SecretSource::File(place("a file%")),
        ]);
        assert_eq!(identity(&unit), 0);
        fs::write(second.join("100%"), "a").expect("write");
        assert_eq!(identity(&unit), 0, "the file has none yet");
        fs::write(place("a file%"), "a").expect("write");
        let mut seen = vec![none, identity(&unit)];
        assert_eq!(identity(&unit), seen[1]);
        for file in [place("a file%"), second.join("100%"), first.join("100%")] {
            fs::write(place("new"), "b").expect("write");
            fs::rename(place("new"), &file).expect("rename");
            seen.push(identity(&unit));
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
        assert_eq!(identity(&staying(&[])), none);
    }
}
