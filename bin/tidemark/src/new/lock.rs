//! Cargo.lock, one package longer, as cargo writes it.

use crate::new::name::Name;
use crate::new::template::DEPENDENCIES;

/// What stands before each package; what stands before it ends with a newline of its own.
const PACKAGE: &str = "\n[[package]]\n";

/// Cargo.lock with the collector's package, in the order of the names.
///
/// # Errors
/// What is not there, or is there already.
pub(crate) fn with_package(lock: &str, name: &Name) -> Result<String, String> {
    let package = name.package();
    let (head, packages) = lock
        .split_once(PACKAGE)
        .ok_or("lists no packages: let `cargo metadata` write it")?;
    let mut packages: Vec<&str> = packages.split(PACKAGE).collect();
    if packages.iter().any(|other| name_of(other) == package) {
        return Err(format!(
            "has a package {package} already: let `cargo metadata` remove it, or choose another name"
        ));
    }
    let app = packages
        .iter()
        .find(|other| name_of(other) == "tidemark-app")
        .ok_or("has no package tidemark-app: is this a checkout of tidemark?")?;
    let version = app.lines().nth(1).unwrap_or_default();
    let mut new = format!("name = \"{package}\"\n{version}\ndependencies = [\n");
    for dependency in DEPENDENCIES {
        let dependency = as_locked(dependency, &packages)
            .ok_or_else(|| format!("has no package {dependency}: let `cargo metadata` write it"))?;
        new += &format!(" \"{dependency}\",\n");
    }
    new += "]\n";
    let place = packages.partition_point(|other| name_of(other) < package.as_str());
    packages.insert(place, &new);
    Ok([head, &packages.join(PACKAGE)].join(PACKAGE))
}

/// The name of a package.
fn name_of(package: &str) -> &str {
    let name = package
        .strip_prefix("name = \"")
        .and_then(|name| name.split_once('"'));
    name.map_or("", |(name, _)| name)
}

/// A dependency as the workspace's packages name it: with its version, where there is more than one.
fn as_locked<'l>(dependency: &'l str, packages: &[&'l str]) -> Option<&'l str> {
    let ours = packages
        .iter()
        .filter(|package| name_of(package).starts_with("tidemark"));
    let mut named = ours
        .flat_map(|package| package.lines())
        .filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","))
        .filter(|named| named.split(' ').next() == Some(dependency));
    named.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"# Made by hand.
version = 4

[[package]]
name = "base64"
version = "1.0.0"

[[package]]
name = "tidemark-app"
version = "0.3.1"
dependencies = [
 "tidemark-collect",
 "tokio 1.2.3",
]

[[package]]
name = "tidemark-collect"
version = "0.3.1"
dependencies = [
 "tidemark-testkit",
]

[[package]]
name = "tidemark-host"
version = "0.3.1"
dependencies = [
 "tidemark-app",
]

[[package]]
name = "zstd"
version = "2.0.0"
"#;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    #[test]
    fn a_package_is_added_in_its_place() {
        for (text, before) in [("aa", "tidemark-app"), ("d", "tidemark-host"), ("z", "zstd")] {
            let new = format!(
                "name = \"tidemark-{text}\"\nversion = \"0.3.1\"\ndependencies = [\n \"tidemark-app\",\n \
                 \"tidemark-collect\",\n \"tidemark-testkit\",\n \"tokio 1.2.3\",\n]\n\n[[package]]\n"
            );
            let before = format!("name = \"{before}\"\n");
            let expected = LOCK.replacen(&before, &(new + &before), 1);
            assert_eq!(with_package(LOCK, &name(text)).as_ref(), Ok(&expected), "{text}");
        }
        // After the last one.
        let short = LOCK
            .split("\n[[package]]\nname = \"zstd\"")
            .next()
            .unwrap_or_default();
        let long = with_package(short, &name("z")).expect("a lock file");
        assert!(
            long.starts_with(short) && long.ends_with(" \"tokio 1.2.3\",\n]\n"),
            "{long}"
        );
        assert_eq!(long.matches("\n\n[[package]]\nname = ").count(), 5);
    }

    #[test]
    fn what_is_missing_or_there_already_is_said() {
        let said = |lock: &str, text| with_package(lock, &name(text)).expect_err("an error");
        assert!(said(LOCK, "host").contains("has a package tidemark-host already"));
        assert!(said("", "x").contains("lists no packages"));
        assert!(said(&LOCK.replace("-app", "-ape"), "x").contains("no package tidemark-app"));
        assert!(said(&LOCK.replace("tokio", "smol"), "x").contains("has no package tokio"));
    }
}
